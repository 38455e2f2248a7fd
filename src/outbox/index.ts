/**
 * In: the effects that a transaction concluded. Out: outbox entries, each key once, in that same transaction. Never here:
 * a vendor call.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { noteOutgoing } from '#hub/cases/index.ts'
import { type Db, json, type Trx } from '#hub/platform/db/database.ts'
import type { Cause } from '#hub/platform/db/schema.ts'
import { type Hold, isOpen } from '#hub/platform/ledger.ts'
import type { Action, OutboxEntry } from './action.ts'
import type { Handover } from './lanes.ts'

export { type Action, hubAuthor, type OutboxEntry } from './action.ts'
export { createHandover, type Handover, type WrittenEntry } from './lanes.ts'
export { type Revision, reviseOrCorrect } from './revise.ts'
export { lift, noteSoftBounces, suppress, suppressedAmong } from './suppressions.ts'

/**
 * An entry whose key the ledger holds already changes nothing: the same cause has its effect once. Messages are noted on
 * their case, where they wait for the vendor's id.
 * @param handover to whom entries go that are due and the first of their order key.
 */
export async function putInOutbox(trx: Db, entries: readonly OutboxEntry[], handover?: Handover): Promise<void> {
  if (entries.length === 0) return
  const orders = new Set<string>()
  const holdFor = ({ lane, orderKey, dueAt }: OutboxEntry): Hold | undefined => {
    const order = `${lane}\n${orderKey}`
    const isFirst = !orders.has(order)
    orders.add(order)
    return isFirst && dueAt === undefined ? handover?.reserve(lane) : undefined
  }
  const rows = entries.map((entry) => ({
    ...holdFor(entry),
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
  const added = new Map((await insert(trx, rows)).map((row) => [row.key, row]))
  for (const entry of entries) {
    const row = added.get(entry.key)
    // What is performed is what is stored, as after a claim: a repetition must not differ by the order of its fields.
    if (row?.action)
      handover?.written({ seq: row.seq, entry: { ...entry, action: row.action }, createdAt: row.created_at })
    else if (row) handover?.left()
  }
  await noteOutgoing(
    trx,
    entries.flatMap(({ key, action, caseId, connectionId }) =>
      action.type === 'case.message' && caseId && connectionId && added.has(key)
        ? { deliveryKey: key, caseId, connectionId, message: action.message, author: action.author }
        : [],
    ),
  )
}

interface InsertedRow {
  readonly key: string
  readonly seq: number
  readonly created_at: Date
  /** Of a row that is handed over. */
  readonly action: Action | null
}

/**
 * A row keeps the fence it was given unless an earlier one of its order key is still open. No join, in which the planner would be free to
 * take the rows in another order: they are numbered as they come.
 */
async function insert(trx: Db, rows: readonly { readonly order_key: string }[]): Promise<readonly InsertedRow[]> {
  const inserted = await sql<InsertedRow>`
    with open as materialized (
      select distinct lane, order_key from outbox first
      where ${isOpen('first')} and first.order_key = any(${rows.map((row) => row.order_key)}::text[])
    )
    insert into outbox
      (key, lane, order_key, connection_id, case_id, action, cause, due_at, fence, attempts, lease_until)
    select key, row.lane, row.order_key, connection_id, case_id, action, cause, due_at, held.fence,
      case when held.fence is null then 0 else 1 end,
      case when held.fence is not null then statement_timestamp() + make_interval(secs => "leaseSeconds") end
    from jsonb_to_recordset(${json(rows)}::jsonb) as row(key text, lane text, order_key text, connection_id text,
      case_id text, action jsonb, cause jsonb, due_at timestamptz, fence bigint, "leaseSeconds" double precision),
    lateral (
      select case when (row.lane, row.order_key) not in (select lane, order_key from open) then row.fence end as fence
      offset 0
    ) held
    on conflict (workspace_id, key) do nothing
    returning key, seq, created_at, case when fence is not null then action end as action
  `.execute(trx)
  return inserted.rows
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
