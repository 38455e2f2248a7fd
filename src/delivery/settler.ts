/**
 * Writes down how attempts went: everything that finished while the last statement ran goes into the next one, together
 * with what the receipts mean for the hub, in one transaction.
 */
import type { Log, Receipt } from '#hub/connector/contract.ts'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import { isPassing } from '#hub/platform/db/passing-errors.ts'
import { FencedOff, type Settlement, settle } from '#hub/platform/ledger.ts'
import type { OutboxRow } from './store.ts'

/** A row whose effect the vendor confirmed. */
export interface Delivered {
  readonly entry: OutboxRow & { readonly connection_id: string }
  readonly receipt: Receipt
}

/** In the transaction that settles them. */
export type OnReceipts = (trx: Trx, delivered: readonly Delivered[]) => Promise<void>

/** A case that has begun to wait for a tool, waits no more, or waited in vain: whoever looks at it wants to know. */
export interface Turn {
  readonly caseId: string
  /** The same for the same turn. */
  readonly key: string
}
export type OnTurns = (trx: Trx, turns: readonly Turn[]) => Promise<void>

export interface Done {
  readonly row: OutboxRow
  /** The claim's. */
  readonly fence: number
  readonly settlement: Settlement<'outbox'>
  readonly receipt?: Receipt
}

export interface SettlerOptions {
  readonly db: Db
  readonly log: Log
  /** First the workspace: who holds its lock may want the rows that are settled. */
  readonly inWorkspace: (work: (trx: Trx) => Promise<void>) => Promise<void>
  readonly onReceipts: OnReceipts
  readonly onTurns: OnTurns
  /** Rows that somebody else has by now. */
  readonly onFencedOff: () => void
  /** Rows are off our hands. */
  readonly onSettled: (done: readonly Done[]) => void
  /** Whether it is still worth while to wait for the database. */
  readonly isHeld: () => boolean
}

const batchSize = 500
const restMs = 500

export function createSettler(options: SettlerOptions) {
  const { db, log, inWorkspace, onReceipts, onTurns } = options
  let waiting: Done[] = []
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    // Attempts that end in the same turn of the event loop share the first statement too.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchSize)
      waiting = waiting.slice(batchSize)
      await write(batch)
      options.onSettled(batch)
    }
    running = undefined
  }

  async function write(batch: readonly Done[]): Promise<void> {
    try {
      await save(batch)
    } catch (error) {
      if (error instanceof FencedOff || !isPassing(error)) return await writeApart(batch, error)
      if (!options.isHeld()) {
        log.error({ err: error, rows: batch.length }, 'deliveries could not be written down before the lane was lost')
        return
      }
      await new Promise((resolve) => setTimeout(resolve, restMs))
      await write(batch)
    }
  }

  /** One bad row stops one row. */
  async function writeApart(batch: readonly Done[], error: unknown): Promise<void> {
    const [only, ...others] = batch
    if (!only) return
    if (others.length > 0) {
      for (const done of batch) await write([done])
    } else if (error instanceof FencedOff) {
      options.onFencedOff()
    } else {
      log.error(
        { err: error, seq: only.row.seq },
        'what a receipt means could not be saved; the delivery itself is done',
      )
      await settle(db, 'outbox', only.fence, [only.settlement]).catch((cause: unknown) => {
        log.error({ err: cause, seq: only.row.seq }, 'a delivery could not be written down')
      })
    }
  }

  async function save(batch: readonly Done[]): Promise<void> {
    const delivered = batch.flatMap(({ row, receipt }): readonly Delivered[] => {
      const { connection_id: id } = row
      return receipt && id !== null ? [{ entry: { ...row, connection_id: id }, receipt }] : []
    })
    const turns = batch.flatMap(turnOf)
    // A webhook to a free URL that leaves again after a crash of the server carries its key: its receiver knows it.
    const isSoon = batch.every(({ row }) => row.action.type === 'webhook')
    if (delivered.length === 0 && turns.length === 0) return await settleAll(db, batch, isSoon)
    const work = async (trx: Trx) => {
      if (delivered.length > 0) await onReceipts(trx, delivered)
      await settleAll(trx, batch)
      if (turns.length > 0) await onTurns(trx, turns)
    }
    await (delivered.length > 0 ? inWorkspace(work) : db.transaction().execute(work))
  }

  async function settleAll(trx: Db, batch: readonly Done[], isSoon = false): Promise<void> {
    let written = 0
    for (const [fence, own] of Map.groupBy(batch, (done) => done.fence)) {
      written += await settle(
        trx,
        'outbox',
        fence,
        own.map((done) => done.settlement),
        isSoon,
      )
    }
    if (written < batch.length) throw new FencedOff('outbox')
  }

  return {
    add(done: Done): void {
      waiting.push(done)
      running ??= run()
    },
    /** When everything added so far is written. */
    async whenIdle(): Promise<void> {
      await running
    },
  }
}

function turnOf({ row, settlement: { state } }: Done): readonly Turn[] {
  const { case_id: caseId, action, attempts, seq } = row
  if (caseId === null || action.type === 'chat.show') return []
  const isTurn = state === 'dead' || (state === 'pending' ? attempts === 0 : attempts > 0)
  return isTurn ? [{ caseId, key: `${seq} ${state} ${attempts}` }] : []
}
