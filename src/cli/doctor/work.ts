/** What waits for a person, and every connection. */
import { sql } from 'kysely'
import type { Hub } from '#hub/hub.ts'
import { type Check, counted, notice, ok, wrong } from './check.ts'
import { checkConnection } from './connection.ts'

const waitingMinutes = 10

export async function checkWork(hub: Hub, isHubRunning: boolean): Promise<readonly Check[]> {
  const views = await hub.connections.list()
  if (views.length === 0) return [notice('connections', 'none yet', 'connect one: deskweave connect desk')]
  const [connections, waiting] = await Promise.all([
    Promise.all(views.map((view) => checkConnection(hub, view, isHubRunning))),
    checkWaiting(hub, new Map(views.map(({ id, name }) => [id, name]))),
  ])
  return [...connections.flat(), ...waiting]
}

interface Waiting {
  readonly what: 'quarantined' | 'unread' | 'unworkable' | 'dead' | 'parked' | 'resting' | 'late' | 'suppressed'
  readonly place: string
  readonly count: number
  readonly note: string | null
}

async function checkWaiting(hub: Hub, names: ReadonlyMap<string, string>): Promise<readonly Check[]> {
  const { rows } = await sql<Waiting>`
    select case source when 'webhook' then 'quarantined' else 'unread' end as what, connection_id as place,
      count(*) as count, max(reason) as note
      from inbox where state = 'quarantined' group by connection_id, source
    union all select 'unworkable', connection_id, count(*), max(reason) from inbox where state = 'dead' group by connection_id
    union all select 'dead', lane, count(*), max(error ->> 'message') from outbox where state = 'dead' group by lane
    union all select 'parked', connection_id, count(*), null from parked_observations group by connection_id
    union all select 'suppressed', connection_id, count(*), max(address || ' (' || reason || ')')
      from suppressions group by connection_id
    union all select 'resting', lane, 1, paused_reason from lanes where paused_reason is not null
    union all select 'late', '', count(*), null from inbox
      where state = 'pending' and due_at < now() - ${waitingMinutes} * interval '1 minute' having count(*) > 0
    order by 1, 2
  `.execute(hub.db)
  const checks = rows.map((row) => toCheck(row, names.get(row.place) ?? row.place))
  return checks.length > 0 ? checks : [ok('work', 'nothing waits for a person')]
}

function toCheck({ what, count, note, place }: Waiting, from: string): Check {
  const why = note ? `: ${note}` : ''
  switch (what) {
    case 'quarantined':
      return wrong(
        `"${from}"`,
        `${counted(count, 'webhook')} could not be read${why}`,
        `look: GET /api/v1/inbox?state=quarantined&connection=${place}; then deskweave replay inbox --quarantined`,
      )
    case 'unread':
      return wrong(
        `"${from}"`,
        `${counted(count, 'message or record', 'messages or records')} set aside for a person to look at${why}`,
        `look: GET /api/v1/inbox?state=quarantined&connection=${place}, which shows each with its reason`,
      )
    case 'unworkable':
      return wrong(
        `"${from}"`,
        `${counted(count, 'arrival')} failed too often${why}`,
        'look into the log of the hub; then deskweave replay inbox --dead',
      )
    case 'dead':
      return wrong(
        `"${from}"`,
        `${counted(count, 'dead letter')}${why}`,
        `look: GET /api/v1/deliveries?state=dead&lane=${place}; then deskweave replay deliveries --dead`,
      )
    case 'parked':
      return notice(
        `"${from}"`,
        `${counted(count, 'message')} for cases that have not been seen yet; they wait for them`,
      )
    case 'resting':
      return notice(`"${from}"`, `its deliveries rest${why}`, 'they go on in order when the connection does')
    case 'suppressed':
      return notice(
        `"${from}"`,
        `nothing is sent to ${counted(count, 'address', 'addresses')} that mail came back from, such as${why.slice(1)}`,
        'look: GET /api/v1/suppressions; to send all the same: DELETE /api/v1/suppressions/{address}',
      )
    case 'late':
      return wrong(
        'inbox',
        `${counted(count, 'webhook')} waiting for more than ${waitingMinutes} minutes`,
        'check that a hub with the role worker runs, and its log',
      )
  }
}
