/**
 * In: a connection that can tell what changed since a cursor. Out: what it told, through the inbox like everything else;
 * what no webhook had told is repaired and counted there. Never here: what an observation means.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Page } from '#hub/connector/contract.ts'
import type { Observation } from '#hub/connector/facts.ts'
import type { Hub } from '#hub/hub.ts'
import { type Inbox, type InboxItem, storableKey, storableReason, unreadableKey } from '#hub/inbox/index.ts'
import { realTiming, type Timing } from '#hub/platform/timing.ts'
import { createReadings } from './reading.ts'

type ReconcileHub = Pick<Hub, 'db' | 'log' | 'now' | 'connections'>

/** Vendors withhold the last minute and index late: often enough to repair soon, seldom enough to leave the budget alone. */
const reconcileEverySeconds = 60

/** Reads one connection up to now. The cursor moves only after a page is stored, so a kill in the middle reads it again. */
async function reconcile(
  hub: ReconcileHub,
  inbox: Inbox,
  connection: LoadedConnection,
  signal: AbortSignal,
): Promise<number> {
  const { changes } = connection.connector.can
  if (!changes) return 0
  const { change_cursor: cursor } = await hub.db
    .selectFrom('connections')
    .select('change_cursor')
    .where('id', '=', connection.id)
    .executeTakeFirstOrThrow()
  let stored = 0
  const context = hub.connections.contextFor(connection, signal, { priority: 'backfill' })
  let readAt = hub.now()
  for await (const page of changes.since(context, cursor ?? undefined)) {
    const began = readAt.toISOString()
    const items = [
      ...page.observations.map((observation) => toItem(connection.id, observation, began)),
      ...(page.unreadable ?? []).map((record) => toUnreadable(connection.id, record)),
    ]
    if (items.length > 0) await inbox.put(items)
    stored += items.length
    await hub.db
      .updateTable('connections')
      .set({ change_cursor: page.cursor, last_reconciled_at: hub.now() })
      .where('id', '=', connection.id)
      .execute()
    if (signal.aborted) break
    readAt = hub.now()
  }
  return stored
}

/** The same state of a record is one item, however often it is read. */
function toItem(connectionId: string, observation: Observation, readAt: string): InboxItem {
  const key = `reconcile:${createHash('sha256').update(JSON.stringify(observation)).digest('base64url')}`
  const body = Buffer.from(JSON.stringify({ ...observation, readAt }))
  return { connectionId, key, body, source: 'reconcile', state: 'pending' }
}

/** Kept as the vendor gave it, for a person to look at. */
function toUnreadable(connectionId: string, record: NonNullable<Page['unreadable']>[number]): InboxItem {
  const { key, body, reason } = record
  return {
    connectionId,
    key: unreadableKey(storableKey(key)),
    body: Buffer.from(body),
    source: 'reconcile',
    state: 'quarantined',
    reason: storableReason(reason),
  }
}

export interface Reconciliation {
  /** Reads one connection now. @returns how many observations it told. @throws ConnectorError */
  run(connectionId: string): Promise<number>
  /** Reads one connection because there is news. What goes wrong is reported there. Ends soon when the signal aborts. */
  readNews(connectionId: string, signal: AbortSignal): Promise<void>
  /** Registers the repeating work. Call it before the queue starts. */
  defineJobs(): Promise<void>
}

export function createReconciliation(
  hub: ReconcileHub & Pick<Hub, 'queue'>,
  inbox: Inbox,
  signal: AbortSignal,
  timing: Timing = realTiming,
): Reconciliation {
  const readings = createReadings(hub.db, timing)
  const readAlone = (connection: LoadedConnection, until: AbortSignal, whenBusy: 'wait' | 'skip') =>
    readings.alone(connection.id, until, (ours) => reconcile(hub, inbox, connection, ours), whenBusy)

  /** A connection that fails is reported there and stops no other. */
  async function readAndReport(connection: LoadedConnection, until: AbortSignal, whenBusy: 'wait' | 'skip') {
    const { id, connector } = connection
    if (!connector.can.changes || hub.connections.restMs(id) > 0) return
    try {
      await readAlone(connection, until, whenBusy)
      await hub.connections.reportSuccess(id)
    } catch (error) {
      if (until.aborted) return
      await hub.connections.reportFailure(id, error)
      hub.log.warn({ err: error, connection_id: id }, 'a connection could not be read')
    }
  }

  async function runAll() {
    for (const connection of hub.connections.all()) await readAndReport(connection, signal, 'skip')
  }
  return {
    async run(connectionId) {
      const connection = await hub.connections.byId(connectionId)
      return (connection && (await readAlone(connection, signal, 'wait'))) ?? 0
    },
    async readNews(connectionId, until) {
      const connection = hub.connections.all().find(({ id }) => id === connectionId)
      if (connection) await readAndReport(connection, until, 'wait')
    },
    async defineJobs() {
      await hub.queue.define('reconcile', z.object({}), runAll)
      await hub.queue.schedule('reconcile', { everySeconds: reconcileEverySeconds })
    },
  }
}
