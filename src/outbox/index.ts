/**
 * In: the effects that a transaction concluded. Out: outbox entries, each key once, in that same transaction. Never here:
 * a vendor call.
 */
import { createHash } from 'node:crypto'
import { insertMany } from '#hub/platform/db/bulk.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { OutboxEntry } from './action.ts'

export type { Action, OutboxEntry } from './action.ts'

const columns = {
  key: 'text',
  lane: 'text',
  order_key: 'text',
  connection_id: 'text',
  case_id: 'text',
  action: 'jsonb',
  cause: 'jsonb',
  due_at: 'timestamptz',
}

/** An entry whose key the ledger holds already changes nothing: the same cause has its effect once. */
export async function putInOutbox(trx: Db, entries: readonly OutboxEntry[]): Promise<void> {
  const rows = entries.map((entry) => ({
    key: entry.key,
    lane: entry.lane,
    order_key: entry.orderKey,
    connection_id: entry.connectionId ?? null,
    case_id: entry.caseId ?? null,
    action: entry.action,
    cause: entry.cause,
    // The database's clock rules when work is due; an entry without a time is due as soon as it is written.
    due_at: entry.dueAt ?? '-infinity',
  }))
  await insertMany(trx, 'outbox', columns, rows, '(workspace_id, key) do nothing')
}

/** A key from what caused the effect and what the effect is. At most 64 characters, safe in a header. */
export function effectKey(...parts: readonly (string | number)[]): string {
  return `dw_${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 40)}`
}
