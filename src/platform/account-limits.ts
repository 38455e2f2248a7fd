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

/** What an answer said; `named`: about the budget that the call named, rather than about the whole account. */
export interface AnswerNews extends LimitNews {
  readonly named?: Omit<LimitNews, 'refused'>
}

/** A call may leave. It ends with one of these. */
export interface Pass {
  /** Answered, or (`news` absent) lost on the way. */
  answered(news?: AnswerNews): void
  /** It never left. */
  unused(): void
}

export interface Gate {
  /** At once when nothing holds the call back; that way makes no promise. @throws the signal's reason */
  enter(priority: Priority, signal: AbortSignal): Pass | Promise<Pass>
}

class BudgetGate implements Gate {
  readonly #budget: Budget
  readonly #clock: () => number
  readonly #waiting = new PQueue({ autoStart: false })
  #timer: NodeJS.Timeout | undefined

  constructor(budget: Budget, clock: () => number) {
    this.#budget = budget
    this.#clock = clock
  }

  enter(priority: Priority, signal: AbortSignal): Pass | Promise<Pass> {
    const ticket = this.#waiting.size === 0 ? this.#budget.take(this.#clock()) : undefined
    return ticket === undefined ? this.#wait(priority, signal).then((taken) => this.#pass(taken)) : this.#pass(ticket)
  }

  #pass(ticket: Ticket): Pass {
    return {
      answered: (news) => {
        this.#budget.answered(ticket, this.#clock(), news)
        if (this.#waiting.size > 0) this.#open()
      },
      unused: () => this.#unused(),
    }
  }

  #unused(): void {
    this.#budget.unused()
    this.#open()
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
      else this.#unused()
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

/** A budget of its own within the account's: a call spends both. */
class NamedGate implements Gate {
  readonly #own: Gate
  readonly #account: Gate
  readonly #refusals: 'own' | 'unclear'

  /** @param refusals whose a refusal is that says nothing about it: its own, or perhaps the account's as well. */
  constructor(own: Gate, account: Gate, refusals: 'own' | 'unclear') {
    this.#own = own
    this.#account = account
    this.#refusals = refusals
  }

  enter(priority: Priority, signal: AbortSignal): Pass | Promise<Pass> {
    const own = this.#own.enter(priority, signal)
    return own instanceof Promise
      ? own.then((pass) => this.#enterAccount(pass, priority, signal))
      : this.#enterAccount(own, priority, signal)
  }

  #enterAccount(own: Pass, priority: Priority, signal: AbortSignal): Pass | Promise<Pass> {
    const account = this.#account.enter(priority, signal)
    if (!(account instanceof Promise)) return this.#both(own, account)
    return account.then(
      (pass) => this.#both(own, pass),
      (error: unknown) => {
        own.unused()
        throw error
      },
    )
  }

  #both(own: Pass, account: Pass): Pass {
    return {
      answered: (news) => {
        if (!news) {
          own.answered()
          account.answered()
          return
        }
        const { named, ...rest } = news
        const { refused, retryAfterMs } = news
        // Of an account that has calls left it was the named budget that refused.
        const isOwn = this.#refusals === 'own' || rest.remaining
        account.answered(isOwn ? { ...rest, refused: false } : rest)
        own.answered({ refused, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), ...named })
      },
      unused() {
        own.unused()
        account.unused()
      },
    }
  }
}

/** Channels and conversations whose budgets are remembered; the one that was quiet for the longest goes first. */
const mostKeys = 1_000

export class AccountLimits {
  readonly #gates = new Map<string, Gate>()
  readonly #default: BudgetGate
  readonly #account: string
  readonly #window: RateLimit | undefined
  readonly #clock: () => number
  /** Budgets that each key has for itself, with all their windows. */
  readonly #families = new Map<string, RateLimit[]>()
  readonly #keyed = new Map<string, Gate>()

  /** @param account names the account in errors. @param clock ms, never going back. */
  constructor(account: string, limits: readonly RateLimit[], clock: () => number = () => performance.now()) {
    this.#account = account
    this.#window = limits.find(({ budget }) => budget === 'default')
    this.#clock = clock
    this.#default = new BudgetGate(new Budget(this.#window), clock)
    for (const limit of limits) {
      if (limit.each) {
        this.#families.set(limit.budget, [...(this.#families.get(limit.budget) ?? []), limit])
        continue
      }
      const own = limit.budget === 'default' ? undefined : new BudgetGate(new Budget(limit), clock)
      this.#gates.set(limit.budget, own ? new NamedGate(own, this.#default, 'unclear') : this.#default)
    }
    this.#gates.set('default', this.#default)
  }

  /**
   * @param key whose budget, of one that is declared with `each`.
   * @throws RangeError for a budget that the manifest does not declare, or declares otherwise.
   */
  gate(budget = 'default', key?: string): Gate {
    const family = this.#families.get(budget)
    if (family && key !== undefined) return this.#gateOf(budget, family, key)
    const gate = key === undefined ? this.#gates.get(budget) : undefined
    if (gate) return gate
    const declared = [...this.#gates.keys(), ...[...this.#families.keys()].map((name) => `${name} (each, by key)`)]
    const asked = key === undefined ? `"${budget}"` : `"${budget}" by key`
    throw new RangeError(`${this.#account}: no budget ${asked}; the manifest declares ${declared.join(', ')}`)
  }

  /** Every window is a gate within the next wider one, and all of them are within the account's. */
  #gateOf(budget: string, family: readonly RateLimit[], key: string): Gate {
    const name = `${budget} ${key}`
    const gate =
      this.#keyed.get(name) ??
      family.reduce<Gate>(
        (outer, limit) => new NamedGate(new BudgetGate(new Budget(limit), this.#clock), outer, 'own'),
        this.#default,
      )
    this.#keyed.delete(name)
    this.#keyed.set(name, gate)
    const [oldest] = this.#keyed.keys()
    if (this.#keyed.size > mostKeys && oldest !== undefined) this.#keyed.delete(oldest)
    return gate
  }

  /**
   * Calls that another process made lately, so that a restart or a take-over does not spend a window twice.
   * @param agesMs how long ago each was.
   */
  seed(agesMs: readonly number[]): void {
    if (!this.#window) return
    for (const age of agesMs) {
      const backInMs = this.#window.perSeconds * 1_000 - age
      if (backInMs > 0) this.#default.spent(1, backInMs)
    }
  }
}
