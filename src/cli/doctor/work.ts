/** Every connection asked at its vendor, and what waits for a person. */
import { sql } from 'kysely'
import type { ConnectionView } from '#hub/connections/index.ts'
import type { Hub } from '#hub/hub.ts'
import { type Check, counted, notice, ok, words, wrong } from './check.ts'

const checkTimeoutMs = 15_000
const quietDays = 7
const dayMs = 86_400_000
const waitingMinutes = 10

export async function checkWork(hub: Hub): Promise<readonly Check[]> {
  const views = await hub.connections.list()
  if (views.length === 0) return [notice('connections', 'none yet', 'connect one: deskweave connect desk')]
  const [connections, waiting] = await Promise.all([
    Promise.all(views.map((view) => checkConnection(hub, view))),
    checkWaiting(hub, new Map(views.map(({ id, name }) => [id, name]))),
  ])
  return [...connections.flat(), ...waiting]
}

async function checkConnection(hub: Hub, view: ConnectionView): Promise<readonly Check[]> {
  const name = `connection "${view.name}"`
  if (view.status === 'paused') {
    return [notice(name, view.statusReason ?? 'paused', `PATCH /api/v1/connections/${view.id} {"status":"connected"}`)]
  }
  return [await checkVendor(hub, view, name), ...checkInbound(hub, view, name)]
}

async function checkVendor(hub: Hub, view: ConnectionView, name: string): Promise<Check> {
  const mend = `mend its settings: PATCH /api/v1/connections/${view.id}`
  if (view.status === 'needs_attention') return wrong(name, view.statusReason ?? 'its credentials are refused', mend)
  try {
    const connection = await hub.connections.byId(view.id)
    if (!connection) return notice(name, 'was removed a moment ago')
    const context = hub.connections.contextFor(connection, AbortSignal.timeout(checkTimeoutMs))
    const { account, missingScopes = [] } = await connection.connector.check(context)
    if (missingScopes.length > 0) return wrong(name, `lacks the scopes ${missingScopes.join(', ')}`, mend)
    return ok(name, `${view.connector}, ${account}`)
  } catch (error) {
    return wrong(name, words(error), mend)
  }
}

function checkInbound(hub: Hub, view: ConnectionView, name: string): readonly Check[] {
  const connection = hub.connections.all().find(({ id }) => id === view.id)
  if (!connection?.connector.can.receive) return []
  const todo = `check that its webhooks are sent to ${view.webhookUrl}`
  if (!view.lastInboundAt) return [notice(name, 'no webhook has come yet', todo)]
  const days = Math.floor((hub.now().getTime() - view.lastInboundAt.getTime()) / dayMs)
  const last = `last webhook ${view.lastInboundAt.toISOString()}`
  return days >= quietDays ? [notice(name, `${last}, ${counted(days, 'day')} ago`, todo)] : [ok(name, last)]
}

interface Waiting {
  readonly what: 'quarantined' | 'unworkable' | 'dead' | 'parked' | 'resting' | 'late'
  readonly place: string
  readonly count: number
  readonly note: string | null
}

async function checkWaiting(hub: Hub, names: ReadonlyMap<string, string>): Promise<readonly Check[]> {
  const { rows } = await sql<Waiting>`
    select 'quarantined' as what, connection_id as place, count(*) as count, max(reason) as note
      from inbox where state = 'quarantined' group by connection_id
    union all select 'unworkable', connection_id, count(*), max(reason) from inbox where state = 'dead' group by connection_id
    union all select 'dead', lane, count(*), max(error ->> 'message') from outbox where state = 'dead' group by lane
    union all select 'parked', connection_id, count(*), null from parked_observations group by connection_id
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
    case 'unworkable':
      return wrong(
        `"${from}"`,
        `${counted(count, 'webhook')} failed too often${why}`,
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
    case 'late':
      return wrong(
        'inbox',
        `${counted(count, 'webhook')} waiting for more than ${waitingMinutes} minutes`,
        'check that a hub with the role worker runs, and its log',
      )
  }
}
