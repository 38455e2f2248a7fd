/**
 * In: a connection that can tell what changed since a cursor. Out: what it told, through the inbox like everything else;
 * what no webhook had told is repaired and counted there. Never here: what an observation means.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { LoadedConnection } from '#hub/connections/index.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import type { Hub } from '#hub/hub.ts'
import type { Inbox, InboxItem } from '#hub/inbox/index.ts'
import type { Queue } from '#hub/platform/queue.ts'

type ReconcileHub = Pick<Hub, 'db' | 'log' | 'now' | 'connections'>

/** Vendors withhold the last minute and index late: often enough to repair soon, seldom enough to leave the budget alone. */
export const reconcileEverySeconds = 60

/** Reads one connection up to now. The cursor moves only after a page is stored, so a kill in the middle reads it again. */
export async function reconcile(
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
  for await (const page of changes.since(hub.connections.contextFor(connection, signal), cursor ?? undefined)) {
    const items = page.observations.map((observation) => toItem(connection.id, observation))
    if (items.length > 0) await inbox.put(items)
    stored += items.length
    await hub.db
      .updateTable('connections')
      .set({ change_cursor: page.cursor, last_reconciled_at: hub.now() })
      .where('id', '=', connection.id)
      .execute()
    if (signal.aborted) break
  }
  return stored
}

/** The same state of a record is one item, however often it is read. */
function toItem(connectionId: string, observation: Observation): InboxItem {
  const body = Buffer.from(JSON.stringify(observation))
  const key = `reconcile:${createHash('sha256').update(body).digest('base64url')}`
  return { connectionId, key, body, source: 'reconcile', state: 'pending' }
}

/** Registers the repeating work. A connection that fails is reported there and stops no other. */
export async function scheduleReconciliation(
  hub: ReconcileHub,
  queue: Queue,
  inbox: Inbox,
  signal: AbortSignal,
): Promise<void> {
  await queue.define('reconcile', z.object({}), async () => {
    for (const connection of hub.connections.all()) {
      if (connection.status === 'paused' || connection.status === 'needs_attention') continue
      try {
        await reconcile(hub, inbox, connection, signal)
        hub.connections.reportSuccess(connection.id)
      } catch (error) {
        if (error instanceof ConnectorError) hub.connections.reportFailure(connection.id, error)
        else hub.log.error({ err: error, connection_id: connection.id }, 'reconciliation failed')
      }
    }
  })
  await queue.schedule('reconcile', { everySeconds: reconcileEverySeconds })
}
