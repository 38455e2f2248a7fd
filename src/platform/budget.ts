/**
 * One vendor account's rate budget, as a value machine: time is an argument (milliseconds of a clock that never goes back).
 *
 * A token is free again one window after the *answer*, the latest moment at which the vendor can have counted the call.
 * Counting from the sending instead is what lets bursts arrive a round trip early and be refused (measured with p-queue and
 * bottleneck: 50 to 200 refusals in 1,000 calls; this way none, at 0.99 of the allowed rate).
 */

/** What an answer said about the account's limits; times in milliseconds from now. */
export interface LimitNews {
  /** The vendor refused the call for its rate. */
  readonly refused: boolean
  readonly limit?: number
  readonly remaining?: number
  readonly resetMs?: number
  readonly retryAfterMs?: number
}

/** Given out with a token, handed back with the answer: how many tokens had come back when the call left. */
export type Ticket = number

/** A vendor that refuses without a word about when to come back. */
const blindHoldMs = 5_000
/**
 * Nobody says what earlier processes spent of the window: of a short one all is taken as spent, as sitting it out costs little,
 * of a longer one half.
 */
const shortWindowMs = 2_000
/** Compacting the list of returns at every step would make it quadratic. */
const compactAfter = 1_024

interface Spent {
  readonly backAt: number
  tokens: number
}

export class Budget {
  #limit: number
  readonly #windowMs: number
  #inFlight = 0
  /** When own tokens come back, in order. */
  #returns: number[] = []
  #head = 0
  #returned = 0
  /** Calls that somebody else made on the same account, as far as its answers show; the first to come back first. */
  #foreign: Spent[] = []
  #heldUntil = Number.NEGATIVE_INFINITY
  #knowsWindow = false
  /** One of `#foreign`: what earlier processes may have spent, while no answer says so. */
  #assumed: Spent | undefined

  /** @param limit absent: no limit is known, only the vendor's own words hold calls back. */
  constructor(limit?: { readonly requests: number; readonly perSeconds: number }) {
    this.#limit = limit?.requests ?? Number.POSITIVE_INFINITY
    this.#windowMs = (limit?.perSeconds ?? 0) * 1_000
  }

  /** A token, or `undefined`: wait (see `waitMs`). */
  take(nowMs: number): Ticket | undefined {
    if (!this.isFree(nowMs)) return undefined
    this.#inFlight += 1
    return this.#returned
  }

  isFree(nowMs: number): boolean {
    if (nowMs < this.#heldUntil) return false
    if (this.#limit === Number.POSITIVE_INFINITY) return true
    // Before the first answer nobody knows what earlier processes have spent of the window: one call goes ahead and looks.
    if (this.#isLooking()) return false
    this.#takeBack(nowMs)
    return this.#free() >= 1
  }

  /** Until the next token, in ms; infinite when only an answer can bring one. */
  waitMs(nowMs: number): number {
    if (nowMs < this.#heldUntil) return this.#heldUntil - nowMs
    if (this.isFree(nowMs)) return 0
    if (this.#isLooking()) return Number.POSITIVE_INFINITY
    const own = this.#returns[this.#head] ?? Number.POSITIVE_INFINITY
    const others = this.#foreign[0]?.backAt ?? Number.POSITIVE_INFINITY
    return Math.max(0, Math.min(own, others) - nowMs)
  }

  #isLooking(): boolean {
    return !this.#knowsWindow && this.#inFlight > 0
  }

  /** The call never left. */
  unused(): void {
    this.#inFlight -= 1
  }

  /** The call is over: answered, or (`news` absent) lost on the way, which may have been counted all the same. */
  answered(ticket: Ticket, nowMs: number, news?: LimitNews): void {
    this.#inFlight -= 1
    if (this.#limit !== Number.POSITIVE_INFINITY) {
      this.#takeBack(nowMs)
      this.#returns.push(nowMs + this.#windowMs)
    }
    if (!news) return
    const isFirst = !this.#knowsWindow
    // After a refusal what was known is wrong: when the hold is over, one call goes ahead again.
    this.#knowsWindow = !news.refused
    if (news.refused) this.#hold(nowMs + (news.retryAfterMs || news.resetMs || blindHoldMs))
    else if (news.remaining === undefined || this.#isOfOtherWindow(news)) {
      if (news.remaining === 0 && news.resetMs !== undefined) this.#hold(nowMs + news.resetMs)
      if (isFirst) this.#assume(nowMs)
    } else this.#learn(ticket, nowMs, news.remaining, news)
  }

  /** Calls made before this process knew the account: `tokens` of the window are gone and come back at `backAtMs`. */
  spent(tokens: number, backAtMs: number): void {
    if (tokens > 0 && this.#limit !== Number.POSITIVE_INFINITY) this.#insert({ backAt: backAtMs, tokens })
  }

  /** A day's quota, say: it matters only when nothing is left of it. */
  #isOfOtherWindow({ resetMs = 0 }: LimitNews): boolean {
    return this.#limit === Number.POSITIVE_INFINITY || resetMs > this.#windowMs + 1_000
  }

  #assume(nowMs: number): void {
    if (this.#limit === Number.POSITIVE_INFINITY) return
    const share = this.#windowMs <= shortWindowMs ? this.#limit : Math.floor(this.#limit / 2)
    const tokens = share - this.#foreignTokens()
    if (tokens <= 0) return
    this.#assumed = { backAt: nowMs + this.#windowMs, tokens }
    this.#insert(this.#assumed)
  }

  #learn(ticket: Ticket, nowMs: number, remaining: number, news: LimitNews): void {
    if (this.#assumed) {
      this.#foreign = this.#foreign.filter((each) => each !== this.#assumed)
      this.#assumed = undefined
    }
    // A raise is believed only with a reset that shows the same window.
    if (news.limit !== undefined && news.limit >= 1 && (news.resetMs !== undefined || news.limit < this.#limit)) {
      this.#limit = news.limit
    }
    // What came back while the call was on its way was still counted when the vendor wrote the answer.
    const cameBack = this.#returned - ticket
    const unseen = Math.min(this.#free() - cameBack - remaining, this.#limit)
    if (unseen > 0) this.#addForeign(unseen, nowMs)
    // What the vendor counts, less this call, is all that others can have spent: the rest is free again already.
    else if (remaining < this.#limit) this.#dropForeign(this.#foreignTokens() - (this.#limit - remaining - 1))
  }

  /** The oldest are those that the vendor no longer counts. */
  #dropForeign(tokens: number): void {
    for (let left = tokens; left > 0; ) {
      const first = this.#foreign[0]
      if (!first) return
      const dropped = Math.min(left, first.tokens)
      first.tokens -= dropped
      left -= dropped
      this.#returned += dropped
      if (first.tokens === 0) this.#foreign.shift()
    }
  }

  #insert(spent: Spent): void {
    const before = this.#foreign.findLastIndex(({ backAt }) => backAt <= spent.backAt)
    this.#foreign.splice(before + 1, 0, spent)
  }

  /** They come back after a whole window, not at `reset`: a rolling window frees only its oldest call then. */
  #addForeign(tokens: number, nowMs: number): void {
    const grainMs = Math.max(1, this.#windowMs / 50)
    const backAt = Math.ceil((nowMs + this.#windowMs) / grainMs) * grainMs
    const last = this.#foreign.at(-1)
    if (last?.backAt === backAt) last.tokens += tokens
    else this.#insert({ backAt, tokens })
  }

  #hold(untilMs: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, untilMs)
  }

  #free(): number {
    const own = this.#inFlight + this.#returns.length - this.#head
    return this.#limit - own - this.#foreignTokens()
  }

  #foreignTokens(): number {
    let tokens = 0
    for (const each of this.#foreign) tokens += each.tokens
    return tokens
  }

  #takeBack(nowMs: number): void {
    while (this.#head < this.#returns.length && (this.#returns[this.#head] ?? 0) <= nowMs) {
      this.#head += 1
      this.#returned += 1
    }
    if (this.#head >= compactAfter) {
      this.#returns = this.#returns.slice(this.#head)
      this.#head = 0
    }
    while ((this.#foreign[0]?.backAt ?? Number.POSITIVE_INFINITY) <= nowMs) {
      this.#returned += this.#foreign.shift()?.tokens ?? 0
    }
  }
}
