/**
 * In: the effects that a transaction concluded. Out: outbox entries, each key once, in that same transaction. Never here:
 * a vendor call.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { noteOutgoing } from '#hub/cases/index.ts'
import { insertMany } from '#hub/platform/db/bulk.ts'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import type { Cause } from '#hub/platform/db/schema.ts'
import type { OutboxEntry } from './action.ts'

export { type Action, hubAuthor, type OutboxEntry } from './action.ts'
export { type Revision, reviseOrCorrect } from './revise.ts'
export { lift, noteSoftBounces, suppress, suppressedAmong } from './suppressions.ts'

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

/**
 * An entry whose key the ledger holds already changes nothing: the same cause has its effect once. Messages are noted on
 * their case, where they wait for the vendor's id.
 */
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
  const added = new Set(
    await insertMany(trx, 'outbox', columns, rows, 'on conflict (workspace_id, key) do nothing returning key'),
  )
  await noteOutgoing(
    trx,
    entries.flatMap(({ key, action, caseId, connectionId }) =>
      action.type === 'case.message' && caseId && connectionId && added.has(key)
        ? { deliveryKey: key, caseId, connectionId, message: action.message, author: action.author }
        : [],
    ),
  )
}

/** A key from what caused the effect and what the effect is. At most 64 characters, safe in a header. */
export function effectKey(...parts: readonly (string | number)[]): string {
  return `dw_${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 40)}`
}

/** Why the hub opened these cases elsewhere, by case id: what happens to them goes on from there. */
export async function causesOfOpening(trx: Trx, caseIds: readonly string[]): Promise<ReadonlyMap<string, Cause>> {
  if (caseIds.length === 0) return new Map()
  const rows = await trx
    .selectFrom('outbox')
    .select(['case_id', 'cause'])
    .where('case_id', '=', sql<string>`any(${caseIds})`)
    .where(sql<string>`action ->> 'type'`, '=', 'case.create')
    .execute()
  return new Map(rows.flatMap((row) => (row.case_id === null ? [] : [[row.case_id, row.cause] as const])))
}

/** Which hub cases were opened elsewhere by these `case.create` entries. */
export async function openedCases(trx: Db, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (keys.length === 0) return new Map()
  const rows = await trx
    .selectFrom('outbox')
    .select(['key', 'case_id'])
    .where('key', '=', sql<string>`any(${keys})`)
    .where(sql<string>`action ->> 'type'`, '=', 'case.create')
    .execute()
  return new Map(rows.flatMap((row) => (row.case_id === null ? [] : [[row.key, row.case_id] as const])))
}
