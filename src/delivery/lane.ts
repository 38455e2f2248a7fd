/**
 * One lane in the hands of this process: rows are claimed in batches, performed side by side, and written down in groups.
 * The rows of one order key never meet: a claim gives the first pending row of each.
 */
import PQueue from 'p-queue'
import type { Hub } from '#hub/hub.ts'
import type { WrittenEntry } from '#hub/outbox/index.ts'
import { priorities } from '#hub/platform/account-limits.ts'
import { isPassing } from '#hub/platform/db/passing-errors.ts'
import { claim, extend, type Hold, newHold, release } from '#hub/platform/ledger.ts'
import type { Attempted } from './attempt.ts'
import { decide, type Result } from './decide.ts'
import { createSettler, type Done, type SettlerOptions } from './settler.ts'
import type { OutboxRow } from './store.ts'

export type LaneHub = Pick<Hub, 'db' | 'log' | 'now' | 'metrics'>

export interface LaneOptions extends Pick<SettlerOptions, 'inWorkspace' | 'onReceipts' | 'onTurns'> {
  readonly concurrency: number
  readonly leaseSeconds: number
  /** A person has to act first, or wants the connection to be still. */
  readonly isAtRest: () => boolean
}

/** How one row is performed; given by the room. */
type Perform = (row: OutboxRow, scope: LaneScope, isUnclear: boolean) => Promise<Attempted>

export interface LaneScope {
  readonly signal: AbortSignal
  readonly priority: 'person' | 'rule'
  /** Right before a request leaves. @throws LaneLost */
  readonly beforeSend: () => void
}

/** Another process may work the lane by now: nothing more leaves from here. */
class LaneLost extends Error {
  override readonly name = 'LaneLost'
}

/** Rows in hand for each call under way, so that the next claim is back before the first ones are through. */
const rowsPerCall = 16
const graceMs = 10_000
/** A settled row may make way for the next one of its order key: one look serves all that settle within this time. */
const lookAgainMs = 25
/** After an error that must not happen. */
const puzzledMs = 60_000

interface InHand {
  readonly row: OutboxRow
  readonly fence: number
  isWaiting: boolean
}

export class Lane {
  readonly name: string
  readonly fence: number
  readonly #hub: LaneHub
  readonly #options: LaneOptions
  readonly #perform: Perform
  readonly #queue: PQueue
  readonly #batchSize: number
  readonly #inHand = new Map<number, InHand>()
  readonly #stopping = new AbortController()
  /** Of rows that are written for this lane. */
  readonly #hold: Hold
  readonly #settler: ReturnType<typeof createSettler>
  /** Of the process's own clock, which no other replica has to share. */
  #heldUntilMs: number
  #isStopping = false
  #claiming: Promise<void> | undefined
  #isMore = false
  /** The last look did not see the end. */
  #isBehind = false
  /** Somebody may wait behind a row in hand. */
  #isHoldingBack = false
  /** Room that is kept for rows which a transaction is about to commit. */
  #reserved = 0
  #lookAgain: NodeJS.Timeout | undefined
  #idleSinceMs = performance.now()

  constructor(name: string, fence: number, heldUntilMs: number, hub: LaneHub, perform: Perform, options: LaneOptions) {
    this.name = name
    this.fence = fence
    this.#heldUntilMs = heldUntilMs
    this.#hub = hub
    this.#perform = perform
    this.#options = options
    this.#queue = new PQueue({ concurrency: options.concurrency })
    this.#batchSize = options.concurrency * rowsPerCall
    this.#hold = newHold(options.leaseSeconds)
    this.#settler = createSettler({
      db: hub.db,
      log: hub.log,
      inWorkspace: options.inWorkspace,
      onReceipts: options.onReceipts,
      onTurns: options.onTurns,
      onFencedOff: () => hub.metrics.fencedOff('outbox'),
      onSettled: (done) => this.#off(done),
      isHeld: () => this.isHeld,
    })
  }

  get isHeld(): boolean {
    return performance.now() < this.#heldUntilMs
  }

  get #mayBegin(): boolean {
    return !this.#isStopping && this.isHeld && !this.#options.isAtRest()
  }

  /** Something is in hand, or is about to be looked for: rows that this lane has just claimed are nobody else's work. */
  get isBusy(): boolean {
    return this.#inHand.size > 0 || this.#claiming !== undefined || this.#lookAgain !== undefined
  }

  /** For how long there has been nothing in hand, in ms; 0 while there is. */
  get idleMs(): number {
    return this.#inHand.size > 0 || this.#reserved > 0 || this.#claiming ? 0 : performance.now() - this.#idleSinceMs
  }

  /** There may be work: looks for it as soon as there is room and the look before is over. */
  pump(): void {
    this.#isMore = true
    this.#look()
  }

  /** Nobody overtakes what waits in the ledger. */
  reserve(): Hold | undefined {
    const isFull = this.#inHand.size + this.#reserved >= this.#batchSize
    if (isFull || this.#isBehind || !this.#mayBegin) return undefined
    this.#reserved += 1
    return this.#hold
  }

  take(count: number, written: readonly WrittenEntry[]): void {
    this.#reserved -= count
    const { fence } = this.#hold
    const items = written.map((one): InHand => ({ row: rowOf(one), fence, isWaiting: true }))
    if (this.#isStopping) void this.#giveBack(items)
    else for (const item of items) this.#take(item)
  }

  #look(): void {
    if (!this.#isMore || !this.#mayBegin || this.#claiming) return
    if (this.#inHand.size + this.#reserved > this.#batchSize / 2) return
    this.#isMore = false
    this.#claiming = this.#claim().finally(() => {
      this.#claiming = undefined
      this.#look()
    })
  }

  async #claim(): Promise<void> {
    try {
      const { db } = this.#hub
      const { leaseSeconds } = this.#options
      const limit = this.#batchSize - this.#inHand.size - this.#reserved
      const { fence, rows } = await claim<OutboxRow>(db, 'outbox', { lane: this.name, limit, leaseSeconds })
      for (const row of rows) this.#take({ row, fence, isWaiting: true })
      this.#isBehind = rows.length === limit
      if (this.#isBehind) this.#isMore = true
      if (this.#inHand.size > 0) this.#isHoldingBack = true
    } catch (error) {
      // The next look comes with the next poll.
      const level = isPassing(error) ? 'warn' : 'error'
      this.#hub.log[level]({ err: error, lane: this.name }, 'outbox rows could not be claimed')
    }
  }

  #take(inHand: InHand): void {
    this.#inHand.set(inHand.row.seq, inHand)
    const work = () => this.#work(inHand).catch((error: unknown) => this.#postpone(inHand, error))
    // It is rejected when the queue is cleared; what was waiting goes back then.
    this.#queue.add(work, { priority: priorities[priorityOf(inHand.row)] }).catch(() => {})
  }

  #postpone({ row, fence }: InHand, error: unknown): void {
    this.#hub.log.error({ err: error, seq: row.seq, lane: this.name }, 'a delivery failed in the hub itself')
    this.#settler.add({ row, fence, settlement: { seq: row.seq, state: 'pending', retryInMs: puzzledMs } })
  }

  async #work(inHand: InHand): Promise<void> {
    const { row, fence } = inHand
    if (!this.#mayBegin) return await this.#giveBackWaiting()
    inHand.isWaiting = false
    const startedMs = performance.now()
    const isUnclear = row.outcome_unknown || row.fence !== null
    const { result, effect } = await this.#perform(row, this.#scope(row), isUnclear)
    if (!result.ok && result.code === 'unavailable' && (this.#stopping.signal.aborted || !this.isHeld)) {
      // Held back by ourselves, not by the vendor.
      return await this.#giveBack([inHand])
    }
    const tried = { seq: row.seq, attempts: row.attempts, createdAt: row.created_at, isUnclear, effect }
    const settlement = decide(tried, result, this.#hub.now(), Math.random())
    this.#report(row, result, settlement.state, (performance.now() - startedMs) / 1_000)
    this.#settler.add({ row, fence, settlement, ...(result.ok ? { receipt: result.receipt } : {}) })
  }

  #scope(row: OutboxRow): LaneScope {
    return {
      signal: this.#stopping.signal,
      priority: priorityOf(row),
      beforeSend: () => {
        if (this.isHeld) return
        this.#hub.metrics.fencedOff('outbox')
        throw new LaneLost(`lane ${this.name}: its lease ran out before the request left`)
      },
    }
  }

  #report(row: OutboxRow, result: Result, state: string, seconds: number): void {
    const { connection_id: id, seq, key, action } = row
    // Hosts of free webhooks must not make new metric labels.
    this.#hub.metrics.delivery(id ?? 'webhook', state === 'pending' ? 'retry' : state, seconds)
    if (state === 'dead' && !result.ok) {
      const { code, message } = result
      this.#hub.log.warn({ seq, key, lane: this.name, action: action.type, code, reason: message }, 'dead letter')
    }
  }

  #off(done: readonly Done[]): void {
    for (const { row } of done) this.#inHand.delete(row.seq)
    this.#rest()
  }

  #rest(): void {
    if (this.#inHand.size === 0) this.#idleSinceMs = performance.now()
    this.#look()
    if (!this.#isHoldingBack) return
    this.#isHoldingBack = false
    this.#lookAgain ??= setTimeout(() => {
      this.#lookAgain = undefined
      this.pump()
    }, lookAgainMs).unref()
  }

  async #giveBackWaiting(): Promise<void> {
    this.#queue.clear()
    const waiting = [...this.#inHand.values()].filter(({ isWaiting }) => isWaiting)
    for (const item of waiting) item.isWaiting = false
    await this.#giveBack(waiting)
  }

  async #giveBack(items: readonly InHand[]): Promise<void> {
    for (const [fence, own] of Map.groupBy(items, (item) => item.fence)) {
      const seqs = own.map((item) => item.row.seq)
      await release(this.#hub.db, 'outbox', fence, seqs).catch(() => {
        // Then their lease has to run out.
      })
    }
    for (const { row } of items) this.#inHand.delete(row.seq)
    this.#rest()
  }

  /** A sign of life for the rows in hand. @param heldUntilMs for how long the lane itself is ours now. */
  async keep(heldUntilMs: number): Promise<void> {
    const items = [...this.#inHand.values()]
    for (const [fence, own] of Map.groupBy(items, (item) => item.fence)) {
      const seqs = own.map((item) => item.row.seq)
      await extend(this.#hub.db, 'outbox', fence, seqs, this.#options.leaseSeconds)
    }
    this.#heldUntilMs = heldUntilMs
  }

  /** Somebody else has the lane. */
  lose(): void {
    this.#heldUntilMs = Number.NEGATIVE_INFINITY
    this.#stopping.abort(new LaneLost(`lane ${this.name} went to another process`))
  }

  async whenIdle(): Promise<void> {
    while (this.#claiming || this.#inHand.size > 0) {
      // A row on its way back to the ledger is with none of the three: its answer has to get a turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve))
      await this.#claiming
      await this.#queue.onIdle()
      await this.#settler.whenIdle()
    }
  }

  /** Calls under way may end; what has not begun goes back at once. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#lookAgain)
    await this.#claiming
    await this.#giveBackWaiting()
    const timer = setTimeout(() => this.#stopping.abort(new Error('the hub is stopping')), graceMs)
    await this.whenIdle()
    clearTimeout(timer)
    this.#stopping.abort()
  }
}

/** As a claim would give it. */
function rowOf({ seq, entry, createdAt }: WrittenEntry): OutboxRow {
  const { key, lane, orderKey, connectionId, caseId, action, cause } = entry
  return {
    seq,
    key,
    lane,
    order_key: orderKey,
    connection_id: connectionId ?? null,
    case_id: caseId ?? null,
    action,
    cause,
    possibly_sent: false,
    outcome_unknown: false,
    attempts: 0,
    fence: null,
    created_at: createdAt,
  }
}

function priorityOf({ cause }: OutboxRow): 'person' | 'rule' {
  return cause.actor !== undefined && cause.ruleId === undefined ? 'person' : 'rule'
}
