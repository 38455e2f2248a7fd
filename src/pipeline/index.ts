/**
 * Read me first: the way of the data.
 *
 *   ingress ─▶ inbox ─▶ readInbox ─▶ conclude ─▶ outbox ─▶ delivery
 *
 * In: claimed inbox rows. Out: everything that follows from them, in one transaction per batch, or nothing. Each step may
 * run twice: what was concluded before is no change the second time.
 */

import { sql } from 'kysely'
import PQueue from 'p-queue'
import type { Hub } from '#hub/hub.ts'
import { type InboxRow, type Reading, readInbox } from '#hub/normalise/index.ts'
import type { Handover } from '#hub/outbox/index.ts'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import { isPassing } from '#hub/platform/db/passing-errors.ts'
import { inTransaction } from '#hub/platform/db/transaction.ts'
import { type Claim, claim, FencedOff, release, type Settlement, settle } from '#hub/platform/ledger.ts'
import { type Concluded, conclude } from './conclude.ts'
import type { Desk } from './desk.ts'
import type { RuleBook } from './rule-book.ts'

export type PipelineHub = Pick<Hub, 'log' | 'now' | 'db' | 'connections' | 'metrics' | 'signals' | 'queue'> & {
  /** For each transaction a new one, where lanes are worked in this process. */
  readonly newHandover?: () => Handover
  /** That of the transaction under way. */
  readonly handover?: Handover
}

export const batchSize = 200
/** A row that fails in a way of its own is tried this often, then set aside as dead; the rows around it go on. */
const maxAttempts = 5

/**
 * Works batch after batch until desk and inbox are empty or `signal` ends it. While one is concluded, the next is claimed and read
 * already: one waits for PostgreSQL, the other needs the processor.
 */
export async function workInbox(hub: PipelineHub, rules: RuleBook, signal: AbortSignal, desk?: Desk): Promise<void> {
  let batch = await takeBatch(hub, signal, desk)
  while (batch) {
    const ahead = batch.isFull && !signal.aborted ? takeBatch(hub, signal, desk) : undefined
    try {
      await settleBatch(hub, rules, batch.readings, batch.fence)
    } catch (error) {
      await giveBack(hub, ahead)
      throw error
    }
    if (signal.aborted) return await giveBack(hub, ahead)
    batch = await (ahead ?? takeBatch(hub, signal, desk))
  }
}

/** Rows that were claimed and read, and wait to be concluded. */
interface Batch {
  readonly readings: readonly Reading[]
  readonly fence: number
  readonly isFull: boolean
}

async function takeBatch(hub: PipelineHub, signal: AbortSignal, desk?: Desk): Promise<Batch | undefined> {
  const given = desk?.next() ?? []
  const { rows, fence } =
    desk && given.length > 0 ? { rows: given, fence: desk.hold.fence } : await claimBatch(hub, desk)
  if (rows.length === 0) return undefined
  return { readings: await readInbox(hub, rows, signal), fence, isFull: rows.length >= batchSize }
}

async function claimBatch(hub: PipelineHub, desk?: Desk): Promise<Claim<InboxRow>> {
  if (desk?.isMoreExpected() === false) return { rows: [], fence: 0 }
  try {
    const claimed = await claim<InboxRow>(hub.db, 'inbox', { limit: batchSize })
    desk?.claimed(claimed.rows.length === batchSize)
    return claimed
  } catch (error) {
    desk?.expectMore()
    throw error
  }
}

/** Untouched, so that the next worker need not wait for the lease to run out. */
async function giveBack(hub: PipelineHub, ahead: Promise<Batch | undefined> | undefined): Promise<void> {
  const batch = await ahead?.catch(() => undefined)
  if (!batch) return
  const seqs = batch.readings.map(({ row }) => row.seq)
  await release(hub.db, 'inbox', batch.fence, seqs).catch(() => {
    // Then their lease has to run out.
  })
}

async function settleBatch(
  hub: PipelineHub,
  rules: RuleBook,
  readings: readonly Reading[],
  fence: number,
): Promise<void> {
  const handover = hub.newHandover?.()
  try {
    await inTurn(hub.db, async (trx) => {
      const identity = lockForBatch(trx)
      const works = readings.flatMap((reading) => ('facts' in reading ? reading : []))
      await conclude(trx, handover ? { ...hub, handover } : hub, rules, works, {
        identity,
        settle: async (concluded) => {
          const settlements = readings.map((reading) => settlementOf(reading, concluded))
          await settleOrAbort(trx, fence, settlements)
        },
      })
    })
    if (handover?.committed() !== false) hub.signals.raise('outbox')
  } catch (error) {
    handover?.rolledBack()
    if (error instanceof FencedOff) {
      hub.log.warn({ rows: readings.length }, 'another worker took over this batch; nothing was concluded here')
      return
    }
    if (isPassing(error)) throw error
    const [only, ...others] = readings
    if (only && others.length === 0) return await setAside(hub, only.row, fence, error)
    // One bad record stops one record: each row of the batch by itself finds the one.
    for (const reading of readings) await settleBatch(hub, rules, [reading], fence)
  }
}

/**
 * One writer per workspace at a time: a batch takes milliseconds, and identity and merges never race. Released with the
 * transaction, also when the process dies.
 */
export async function inWorkspace<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  return await inTurn(db, async (trx) => {
    await sql`
      select pg_advisory_xact_lock(hashtext('deskweave'), hashtext(current_setting('deskweave.workspace_id')))
    `.execute(trx)
    return await work(trx)
  })
}

const turns = new WeakMap<Db, PQueue>()

/** Who waits for the lock behind another writer of this process waits without a connection: there are few, and others need them. */
async function inTurn<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  const turn = turns.get(db) ?? new PQueue({ concurrency: 1 })
  turns.set(db, turn)
  return await turn.add(() => inTransaction(db, work))
}

/**
 * The batch's statements take lists, and the planner believes that a list of one is worth a plan of its own each time, which
 * takes longer than the statement. None of them asks for a value that only some plan can find.
 * @returns what is stored of identity's settings: the first thing that a batch needs to know.
 */
async function lockForBatch(trx: Trx): Promise<unknown> {
  const { rows } = await sql<{ identity: unknown }>`
    select pg_advisory_xact_lock(hashtext('deskweave'), hashtext(current_setting('deskweave.workspace_id'))),
      set_config('plan_cache_mode', 'force_generic_plan', true),
      (select value from settings where key = 'identity') as identity
  `.execute(trx)
  return rows[0]?.identity ?? null
}

function settlementOf(reading: Reading, { repaired, unsure }: Concluded): Settlement<'inbox'> {
  const { seq } = reading.row
  if (unsure.has(seq)) {
    const reason = 'read while a write of ours was under way: it is read again'
    return { seq, state: 'pending', reason, retryInMs: Math.min(2 ** reading.row.attempts * 100, 10_000) }
  }
  if ('facts' in reading) return { seq, state: 'done', repaired: repaired.has(seq) }
  if (reading.failed === 'quarantined') return { seq, state: 'quarantined', reason: reading.reason }
  return {
    seq,
    state: 'pending',
    reason: reading.reason,
    retryInMs: reading.retryAfterMs ?? Math.min(2 ** reading.row.attempts * 1_000, 300_000),
  }
}

async function setAside(hub: PipelineHub, row: InboxRow, fence: number, error: unknown): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error)
  hub.log.error(
    { err: error, inbox_seq: row.seq, connection_id: row.connection_id },
    'an inbox row could not be worked',
  )
  const dead = row.attempts + 1 >= maxAttempts
  await inWorkspace(hub.db, (trx) =>
    settleOrAbort(trx, fence, [
      {
        seq: row.seq,
        reason,
        ...(dead ? { state: 'dead' } : { state: 'pending', retryInMs: 2 ** row.attempts * 1_000 }),
      },
    ]),
  )
}

async function settleOrAbort(trx: Trx, fence: number, settlements: readonly Settlement<'inbox'>[]): Promise<void> {
  const written = await settle(trx, 'inbox', fence, settlements)
  if (written < settlements.length) throw new FencedOff('inbox')
}
