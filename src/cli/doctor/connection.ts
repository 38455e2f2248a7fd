/** One connection: does its vendor take the settings, and does its news come in? */
import { goneAmong } from '#hub/chat/index.ts'
import { type ConnectionView, isOwnWebhookSecret, type LoadedConnection } from '#hub/connections/index.ts'
import { ConnectorError, type ConnectorErrorCode } from '#hub/connector/errors.ts'
import type { Hub } from '#hub/hub.ts'
import { hasVendorSecret, inboundUrl } from '../settings.ts'
import { type Check, counted, notice, ok, words, wrong } from './check.ts'

type DoctorHub = Pick<Hub, 'connections' | 'db' | 'now'>

const checkTimeoutMs = 15_000
const quietDays = 7
const hourMs = 3_600_000
const unreadMinutes = 10

export async function checkConnection(
  hub: DoctorHub,
  view: ConnectionView,
  isHubRunning: boolean,
): Promise<readonly Check[]> {
  const name = `connection "${view.name}"`
  if (view.status === 'paused') return [notice(name, view.statusReason ?? 'paused', resume(view))]
  let connection: LoadedConnection | undefined
  try {
    connection = await hub.connections.byId(view.id)
  } catch (error) {
    return [wrong(name, words(error), mend(view))]
  }
  if (!connection) return [notice(name, 'was removed a moment ago')]
  const vendor = await checkVendor(hub, view, connection, name)
  return [
    vendor,
    ...checkInbound(hub, view, connection, name),
    ...checkReading(hub, view, connection, isHubRunning),
    ...(await checkChannels(hub, connection, name)),
  ]
}

function mend({ id }: ConnectionView): string {
  return `mend its settings: PATCH /api/v1/connections/${id} {"config": {…}}, whole; secrets that are left out stay`
}

function resume({ id }: ConnectionView): string {
  return `PATCH /api/v1/connections/${id} {"status": "connected"}`
}

async function checkVendor(
  hub: DoctorHub,
  view: ConnectionView,
  connection: LoadedConnection,
  name: string,
): Promise<Check> {
  if (view.status === 'needs_attention') {
    // Asking again could lock the account.
    const why = view.statusReason ?? 'its credentials are refused'
    return wrong(
      name,
      `it rests, and its work waits: ${why}`,
      `${mend(view)}; or, when they are right now, ${resume(view)}`,
    )
  }
  try {
    const context = hub.connections.contextFor(connection, AbortSignal.timeout(checkTimeoutMs))
    const { account, missingScopes = [] } = await connection.connector.check(context)
    if (missingScopes.length === 0) return ok(name, `${view.connector}, ${account}`)
    const todo = `grant that at the vendor; where that makes a new token, ${mend(view)}`
    return wrong(name, `${account} lacks ${missingScopes.join(', ')}`, todo)
  } catch (error) {
    const code = error instanceof ConnectorError ? error.code : undefined
    return wrong(name, connection.door.redact(words(error)), todoFor(code, view))
  }
}

function todoFor(code: ConnectorErrorCode | undefined, view: ConnectionView): string {
  switch (code) {
    case 'host_refused':
      return `list the host in DESKWEAVE_EXTRA_HOSTS if it is yours; else ${mend(view)}`
    case 'unavailable':
    case 'outcome_unknown':
      return `check the network between here and there, and that the vendor is up: work waits and goes on by itself; or ${mend(view)}`
    case 'rate_limited':
      return 'nothing: work waits and goes on by itself'
    default:
      return mend(view)
  }
}

function checkInbound(
  hub: DoctorHub,
  view: ConnectionView,
  connection: LoadedConnection,
  name: string,
): readonly Check[] {
  if (!connection.connector.can.receive) return []
  const todo = `check that its webhooks are sent to ${inboundUrl(connection.connector, view.webhookUrl)}`
  if (view.lastInboundAt) {
    const days = Math.floor((hub.now().getTime() - view.lastInboundAt.getTime()) / (24 * hourMs))
    const last = `last webhook ${view.lastInboundAt.toISOString()}`
    return days >= quietDays ? [notice(name, `${last}, ${counted(days, 'day')} ago`, todo)] : [ok(name, last)]
  }
  if (lacksVendorSecret(connection, hub.now())) {
    const detail =
      'no webhook can be taken: the vendor signs them with a secret of its own, and webhook_secret is not set'
    return [wrong(name, detail, `copy it from the vendor (see the connector's README), then ${mend(view)}`)]
  }
  const hours = Math.floor((hub.now().getTime() - view.createdAt.getTime()) / hourMs)
  const since = hours > 0 ? ` in the ${counted(hours, 'hour')} since it was connected` : ' yet'
  return [notice(name, `no webhook has come${since}`, `${todo}; refused ones are in the hub's log`)]
}

function lacksVendorSecret({ connector, webhookSecrets }: LoadedConnection, now: Date): boolean {
  return hasVendorSecret(connector) && webhookSecrets(now).every(isOwnWebhookSecret)
}

function checkReading(
  hub: DoctorHub,
  view: ConnectionView,
  { connector }: LoadedConnection,
  isHubRunning: boolean,
): readonly Check[] {
  if (!connector.can.changes || !isHubRunning || view.status === 'needs_attention') return []
  const since = view.lastReconciledAt ?? view.createdAt
  const minutes = Math.floor((hub.now().getTime() - since.getTime()) / 60_000)
  if (minutes < unreadMinutes) return []
  const detail = view.lastReconciledAt ? `was not read for ${minutes} minutes` : 'was never read'
  const todo = 'check that a hub with the role worker runs, and look into its log'
  return [wrong(`connection "${view.name}"`, detail, todo)]
}

/** The channels that the settings name, and where the app is not any more. */
async function checkChannels(
  { db }: DoctorHub,
  { id, config, connector }: LoadedConnection,
  name: string,
): Promise<readonly Check[]> {
  const channels = connector.can.chat?.settings(config).channels ?? []
  const gone = await goneAmong(
    db,
    id,
    channels.map(({ channel }) => channel),
  )
  return gone.map((channel) => {
    const called = channels.find((one) => one.channel === channel)?.name
    const detail = `the app is not in the channel ${called ?? channel} any more, or it was archived: nothing is shown there`
    return notice(name, detail, 'add the app to it again, or take the channel out of the settings')
  })
}
