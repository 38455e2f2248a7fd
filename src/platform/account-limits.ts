/**
 * The rate budgets of one vendor account, shared by everything in this process that uses the account. Thin: the arithmetic is
 * in budget.ts, waiting and priority in p-queue; here are only the clock and the timer.
 */
import PQueue from 'p-queue'
import type { RateLimit } from '#hub/connector/contract.ts'
import { Budget, type LimitNews, type Ticket } from './budget.ts'

/** Who is waiting: a person's click goes before a rule's effect, and that before a backfill. */
export const priorities = { person: 2, rule: 1, backfill: 0 } as const
export type Priority = keyof typeof priorities

/** Node fires timers early when they are longer than this. */
const maxTimerMs = 60_000

export class Gate {
  readonly #budget: Budget
  readonly #clock: () => number
  readonly #waiting = new PQueue({ autoStart: false })
  #timer: NodeJS.Timeout | undefined

  constructor(budget: Budget, clock: () => number) {
    this.#budget = budget
    this.#clock = clock
  }

  /** At once when a token is free and nobody waits; that path makes no promise. @throws the signal's reason */
  enter(priority: Priority, signal: AbortSignal): Ticket | Promise<Ticket> {
    const ticket = this.#waiting.size === 0 ? this.#budget.take(this.#clock()) : undefined
    return ticket ?? this.#wait(priority, signal)
  }

  unused(): void {
    this.#budget.unused()
    this.#open()
  }

  answered(ticket: Ticket, news?: LimitNews): void {
    this.#budget.answered(ticket, this.#clock(), news)
    if (this.#waiting.size > 0) this.#open()
  }

  spent(tokens: number, backInMs: number): void {
    this.#budget.spent(tokens, this.#clock() + backInMs)
  }

  async #wait(priority: Priority, signal: AbortSignal): Promise<Ticket> {
    let taken: Ticket | undefined
    const admitted = this.#waiting.add(
      () => {
        taken = this.#budget.take(this.#clock())
        // Jobs start one after the other within one tick; closing here keeps the next one waiting.
        if (!this.#budget.isFree(this.#clock())) this.#close()
        return taken
      },
      { priority: priorities[priority], signal },
    )
    this.#open()
    try {
      return (await admitted) ?? (await this.#wait(priority, signal))
    } catch (error) {
      if (taken === undefined) this.#open()
      else this.unused()
      throw error
    }
  }

  #open(): void {
    clearTimeout(this.#timer)
    if (this.#waiting.size > 0 && this.#budget.isFree(this.#clock())) this.#waiting.start()
    if (this.#waiting.size > 0) this.#close()
  }

  #close(): void {
    this.#waiting.pause()
    clearTimeout(this.#timer)
    const waitMs = this.#budget.waitMs(this.#clock())
    // Without an end in sight it is an answer that opens the gate.
    if (Number.isFinite(waitMs)) this.#timer = setTimeout(() => this.#open(), Math.min(Math.ceil(waitMs), maxTimerMs))
  }
}

export class AccountLimits {
  readonly #gates = new Map<string, Gate>()
  readonly #account: string
  readonly #windows: readonly RateLimit[]

  /** @param account names the account in errors. @param clock ms, never going back. */
  constructor(account: string, limits: readonly RateLimit[], clock: () => number = () => performance.now()) {
    this.#account = account
    this.#windows = limits
    for (const limit of limits) this.#gates.set(limit.budget, new Gate(new Budget(limit), clock))
    if (!this.#gates.has('default')) this.#gates.set('default', new Gate(new Budget(), clock))
  }

  /** @throws RangeError for a budget that the manifest does not declare. */
  gate(budget = 'default'): Gate {
    const gate = this.#gates.get(budget)
    if (gate) return gate
    throw new RangeError(
      `${this.#account}: no budget "${budget}"; the manifest declares ${[...this.#gates.keys()].join(', ')}`,
    )
  }

  /**
   * Calls that another process made lately, so that a restart or a take-over does not spend a window twice.
   * @param agesMs how long ago each was.
   */
  seed(agesMs: readonly number[]): void {
    for (const { budget, perSeconds } of this.#windows) {
      if (budget !== 'default') continue
      for (const age of agesMs) {
        const backInMs = perSeconds * 1_000 - age
        if (backInMs > 0) this.gate(budget).spent(1, backInMs)
      }
    }
  }
}
