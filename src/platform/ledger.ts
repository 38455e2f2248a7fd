/**
 * Who works which row of the inbox and the outbox. A claim is a lease with a fencing token: rows of a dead or paused
 * worker are free again when the lease has run out, and what such a worker writes afterwards meets no row.
 *
 * All times are the database's: the clocks of replicas differ.
 */
import { randomInt } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from './db/database.ts'
import type { InboxState } from './db/schema.ts'
import { together } from './db/together.ts'
import { inTransaction } from './db/transaction.ts'

export type LedgerTable = 'inbox' | 'outbox'

export interface Claim<Row> {
  /** Shown at every write to these rows. */
  readonly fence: number
  /** Oldest first, as they were before the claim: `attempts` counts the earlier ones. */
  readonly rows: readonly Row[]
}

export interface ClaimOptions {
  readonly limit: number
  /** Outbox only: the lane to work. */
  readonly lane?: string
  readonly leaseSeconds?: number
}

/** What became of a row. Pending again: not before `retryInMs`. An absent field stays as it is; `reason` is cleared. */
export type Settlement<Table extends LedgerTable> = {
  readonly seq: number
  readonly retryInMs?: number
} & (Table extends 'inbox'
  ? { readonly state: InboxState; readonly reason?: string; readonly repaired?: boolean }
  : {
      readonly state: 'pending' | 'sent' | 'dead' | 'cancelled'
      readonly error?: { readonly code: string; readonly message: string } | null
      readonly receipt?: unknown
      readonly possiblySent?: boolean
      readonly outcomeUnknown?: boolean
    })

/** Thrown by callers that wrote fewer rows than they hold: somebody else works them now, so roll back. */
export class FencedOff extends Error {
  override readonly name = 'FencedOff'
  constructor(table: LedgerTable) {
    super(`the lease on rows of the ${table} ran out and another worker has them; what was done here is dropped`)
  }
}

const defaultLeaseSeconds = 30

/** Rows that are written for a worker in this very process: they carry its fence from the beginning and need no claim. */
export interface Hold {
  readonly fence: number
  readonly leaseSeconds: number
}

export function newHold(leaseSeconds = defaultLeaseSeconds): Hold {
  return { fence: newFence(), leaseSeconds }
}

/** A random token, not a counter: a counter could be set back by a crash of the server, a token never comes again. */
function newFence(): number {
  return randomInt(1, 2 ** 47)
}

/**
 * Takes rows that are due and free: of the inbox the oldest, of an outbox lane the first pending row of each order key,
 * so that a row waiting for its retry holds back those behind it and nobody else. Not inside a transaction: a claim that
 * others do not see yet claims nothing.
 */
export async function claim<Row extends { readonly seq: number }>(
  db: Db,
  table: LedgerTable,
  options: ClaimOptions,
): Promise<Claim<Row>> {
  const fence = newFence()
  return await inTransaction(db, async (trx) => {
    const claiming = sql<Row>`
      with picked as materialized (
        select ctid as row_id, item.* from ${sql.table(table)} item
        where ${isFree} ${table === 'outbox' ? isHead(options.lane) : sql``}
        order by seq limit ${options.limit}
        for update skip locked
      )
      update ${sql.table(table)} item
      set fence = ${fence}, attempts = item.attempts + 1, lease_until = ${until(options.leaseSeconds)}
      from picked where item.ctid = picked.row_id
      returning picked.*
    `
    const [, { rows }] = await together(settings(table).execute(trx), claiming.execute(trx))
    return { fence, rows: rows.sort((a, b) => a.seq - b.seq) }
  })
}

/**
 * The first rows in the order of an index, whatever the statistics say: right after a burst the planner believes that
 * hardly anything is pending, and would read and sort all of it for each claim.
 *
 * A claim on the inbox need not be on disk: lost in a crash of the server, it leaves the row free, and its worker fenced
 * off. A claim on the outbox is the record of the intent to send.
 */
const settings = (table: LedgerTable) => sql`select set_config('enable_bitmapscan', 'off', true),
  set_config('enable_sort', 'off', true) ${table === 'inbox' ? sql`, set_config('synchronous_commit', 'off', true)` : sql``}`

const isFree = sql`state = 'pending' and due_at <= statement_timestamp()
  and (lease_until is null or lease_until < statement_timestamp())`

function isHead(lane: string | undefined): RawBuilder<unknown> {
  return sql`and lane = ${lane} and seq = (
    select first.seq from outbox first
    where ${isOpen('first')} and first.order_key = item.order_key and first.lane = item.lane
    order by first.seq limit 1)`
}

/** For questions that name an order key: in these words they fit the index on it, and no other that the planner may like better. */
export function isOpen(alias: string): RawBuilder<unknown> {
  return sql`${sql.ref(`${alias}.state`)} || '' = 'pending'`
}

function until(leaseSeconds = defaultLeaseSeconds): RawBuilder<unknown> {
  return sql`statement_timestamp() + make_interval(secs => ${leaseSeconds})`
}

/**
 * @param isSoon it need not be on disk before the answer: lost in a crash of the server, the rows are claimed again when their
 *   lease has run out.
 * @returns how many rows still carried the fence; fewer than given means that the others are somebody else's now.
 */
export async function settle<Table extends LedgerTable>(
  db: Db,
  table: Table,
  fence: number,
  settlements: readonly Settlement<Table>[],
  isSoon = false,
): Promise<number> {
  if (settlements.length === 0) return 0
  const rest = table === 'inbox' ? inboxRest : outboxRest
  const { numAffectedRows } = await sql`
    ${isSoon ? sql`with soon as materialized (select set_config('synchronous_commit', 'off', true))` : sql``}
    update ${sql.table(table)} item
    set state = fresh.state, lease_until = null, fence = null,
      due_at = case when fresh."retryInMs" is null then item.due_at
        else statement_timestamp() + make_interval(secs => fresh."retryInMs" / 1000) end,
      ${rest.set}
    from jsonb_to_recordset(${JSON.stringify(settlements)}::jsonb)
      as fresh(seq bigint, state text, "retryInMs" double precision, ${rest.shape}) ${isSoon ? sql`, soon` : sql``}
    where item.seq = fresh.seq and item.fence = ${fence} and item.seq = any(${settlements.map(({ seq }) => seq)}::bigint[])
  `.execute(db)
  return Number(numAffectedRows ?? 0)
}

const inboxRest = {
  shape: sql`reason text, repaired boolean`,
  set: sql`reason = fresh.reason, repaired = coalesce(fresh.repaired, item.repaired),
    processed_at = case when fresh.state = 'pending' then item.processed_at else statement_timestamp() end`,
}
const outboxRest = {
  shape: sql`error jsonb, receipt jsonb, "possiblySent" boolean, "outcomeUnknown" boolean`,
  set: sql`error = case when fresh.state = 'sent' then null else coalesce(fresh.error, item.error) end,
    receipt = coalesce(fresh.receipt, item.receipt),
    possibly_sent = coalesce(fresh."possiblySent", item.possibly_sent),
    outcome_unknown = coalesce(fresh."outcomeUnknown", item.outcome_unknown),
    sent_at = case when fresh.state = 'sent' then statement_timestamp() else item.sent_at end`,
}

/** A sign of life during long work. @returns how many of the rows are still ours. */
export async function extend(
  db: Db,
  table: LedgerTable,
  fence: number,
  seqs: readonly number[],
  leaseSeconds?: number,
): Promise<number> {
  const { numAffectedRows } = await sql`
    update ${sql.table(table)} item set lease_until = ${until(leaseSeconds)}
    where seq = any(${seqs}::bigint[]) and fence = ${fence}
  `.execute(db)
  return Number(numAffectedRows ?? 0)
}

/** Gives rows back untouched, at a graceful stop: the next worker need not wait for the lease to run out. */
export async function release(db: Db, table: LedgerTable, fence: number, seqs: readonly number[]): Promise<void> {
  await sql`
    update ${sql.table(table)} item set lease_until = null, fence = null, attempts = greatest(item.attempts - 1, 0)
    where seq = any(${seqs}::bigint[]) and fence = ${fence}
  `.execute(db)
}
