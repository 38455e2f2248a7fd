import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Budget } from '#hub/platform/budget.ts'

const limit = { requests: 100, perSeconds: 10 }

/** A vendor that refuses the call over its limit; `fixed` windows start with their first call. */
class Vendor {
  refused = 0
  readonly served: number[] = []
  readonly #kind: 'fixed' | 'rolling'
  readonly #requests: number
  readonly #windowMs: number
  #start = Number.NEGATIVE_INFINITY
  #count = 0

  constructor(kind: 'fixed' | 'rolling', requests: number, windowMs: number) {
    this.#kind = kind
    this.#requests = requests
    this.#windowMs = windowMs
  }

  arrive(atMs: number) {
    let used: number
    let resetMs: number
    if (this.#kind === 'fixed') {
      if (atMs - this.#start >= this.#windowMs) [this.#start, this.#count] = [atMs, 0]
      used = ++this.#count
      resetMs = this.#start + this.#windowMs - atMs
    } else {
      const recent = this.served.filter((time) => time > atMs - this.#windowMs)
      used = recent.length + 1
      resetMs = (recent[0] ?? atMs) + this.#windowMs - atMs
    }
    const refused = used > this.#requests
    if (refused) this.refused += 1
    else this.served.push(atMs)
    const remaining = Math.max(0, this.#requests - used)
    return { refused, limit: this.#requests, remaining, resetMs, ...(refused ? { retryAfterMs: resetMs } : {}) }
  }
}

/** Runs calls against the vendor in simulated time, up to 50 at once; answers take 30 to 70 ms. @returns the end, in ms. */
function run(budget: Budget, vendor: Vendor, calls: number, startMs: number, withHeaders: boolean): number {
  type Step = { at: number; act: () => void }
  const agenda: Step[] = []
  let nowMs = startMs
  let open = calls
  let flying = 0
  const send = () => {
    while (open > 0 && flying < 50) {
      const ticket = budget.take(nowMs)
      if (ticket === undefined) {
        const waitMs = budget.waitMs(nowMs)
        if (Number.isFinite(waitMs) && !agenda.some((step) => step.at <= nowMs + waitMs)) {
          agenda.push({ at: nowMs + Math.max(waitMs, 0.01), act: send })
        }
        return
      }
      open -= 1
      flying += 1
      const tripMs = 15 + ((open * 7919) % 21)
      let news: ReturnType<Vendor['arrive']> | undefined
      agenda.push({
        at: nowMs + tripMs,
        act: () => {
          news = vendor.arrive(nowMs)
        },
      })
      agenda.push({
        at: nowMs + 2 * tripMs,
        act: () => {
          flying -= 1
          if (news?.refused) open += 1
          budget.answered(ticket, nowMs, withHeaders || news?.refused ? news : { refused: false })
          send()
        },
      })
    }
  }
  send()
  while (agenda.length > 0) {
    agenda.sort((a, b) => a.at - b.at)
    const step = agenda.shift()
    if (!step) break
    nowMs = step.at
    step.act()
    if (agenda.length === 0 && open > 0) send()
  }
  return nowMs
}

/** How many calls may leave at this moment; they do. */
function takeAll(budget: Budget, nowMs: number): number {
  let taken = 0
  while (budget.take(nowMs) !== undefined) taken += 1
  return taken
}

describe('Budget', () => {
  it.each(['fixed', 'rolling'] as const)(
    'makes 1,000 calls in a %s window without a refusal, at 0.98 of the allowed rate',
    (kind) => {
      const vendor = new Vendor(kind, 100, 10_000)
      const endMs = run(new Budget(limit), vendor, 1_000, 0, true)
      expect(vendor.refused).toBe(0)
      expect(vendor.served).toHaveLength(1_000)
      expect(90_000 / endMs).toBeGreaterThan(0.98)
    },
  )

  it.each(['fixed', 'rolling'] as const)(
    'makes 1,000 calls in a %s window without headers; only the first window goes half unused',
    (kind) => {
      const vendor = new Vendor(kind, 100, 10_000)
      const endMs = run(new Budget(limit), vendor, 1_000, 0, false)
      expect(vendor.refused).toBe(0)
      expect(100_000 / endMs).toBeGreaterThan(0.98)
    },
  )

  it.each(['fixed', 'rolling'] as const)(
    'makes no refused call after a restart in the middle of a %s window, and loses less than a second',
    (kind) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 99 }), fc.nat(12_000), fc.nat(3), (before, pauseMs, windows) => {
          const vendor = new Vendor(kind, 100, 10_000)
          const stoppedAt = run(new Budget(limit), vendor, windows * 100 + before, 0, true)
          const endMs = run(new Budget(limit), vendor, 400, stoppedAt + 50 + pauseMs, true)
          expect(vendor.refused).toBe(0)
          expect(vendor.served).toHaveLength(windows * 100 + before + 400)
          expect(endMs).toBeLessThan(stoppedAt + pauseMs + 41_000)
        }),
        { numRuns: 40 },
      )
    },
  )

  it.each(['fixed', 'rolling'] as const)('learns from one refusal that a %s window is full', (kind) => {
    const vendor = new Vendor(kind, 100, 10_000)
    const stoppedAt = run(new Budget(limit), vendor, 100, 0, true)
    run(new Budget(limit), vendor, 400, stoppedAt + 50, true)
    expect(vendor.refused).toBe(1)
    expect(vendor.served).toHaveLength(500)
  })

  it.each([
    ['fixed', true],
    ['fixed', false],
    ['rolling', true],
    ['rolling', false],
  ] as const)(
    'makes no refused call after a restart at any time in a %s window that it was told of (headers: %s)',
    (kind, headers) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 250 }), fc.nat(12_000), (before, pauseMs) => {
          const vendor = new Vendor(kind, 100, 10_000)
          const stoppedAt = run(new Budget(limit), vendor, before, 0, headers)
          const budget = new Budget(limit)
          // As the outbox has it: by the time of the answer, at most 35 ms after the call arrived.
          for (const at of vendor.served) budget.spent(1, at + 35 + 10_000)
          run(budget, vendor, 400, stoppedAt + 50 + pauseMs, headers)
          expect(vendor.refused).toBe(0)
          expect(vendor.served).toHaveLength(before + 400)
        }),
        { numRuns: 30 },
      )
    },
  )

  it('keeps half of the first window back while no answer says what is left of it', () => {
    const budget = new Budget(limit)
    budget.answered(budget.take(0) ?? 0, 50, { refused: false })
    expect(takeAll(budget, 60)).toBe(49)
    expect(budget.waitMs(60)).toBe(9_990)
    expect(takeAll(budget, 10_050)).toBe(51)
  })

  it('gives what was kept back when an answer says what is left', () => {
    const budget = new Budget(limit)
    budget.answered(budget.take(0) ?? 0, 50, { refused: false })
    budget.answered(budget.take(60) ?? 0, 100, { refused: false, limit: 100, remaining: 90, resetMs: 9_000 })
    expect(takeAll(budget, 110)).toBe(90)
  })

  it('sits out a window of a second while no answer says what is left of it', () => {
    const budget = new Budget({ requests: 5, perSeconds: 1 })
    budget.answered(budget.take(0) ?? 0, 50, { refused: false })
    expect(takeAll(budget, 60)).toBe(0)
    expect(takeAll(budget, 1_050)).toBe(5)
  })

  it('sends one call ahead again after a refusal', () => {
    const budget = new Budget(limit)
    budget.answered(budget.take(0) ?? 0, 50, { refused: false, limit: 100, remaining: 99, resetMs: 9_000 })
    budget.answered(budget.take(60) ?? 0, 100, { refused: true, retryAfterMs: 3_000 })
    expect(takeAll(budget, 3_100)).toBe(1)
    budget.answered(0, 3_150, { refused: false, limit: 100, remaining: 30, resetMs: 7_000 })
    expect(takeAll(budget, 3_160)).toBe(30)
  })

  it('waits for the first answer, whatever comes back meanwhile', () => {
    const budget = new Budget(limit)
    budget.spent(1, 20)
    budget.take(0)
    expect(budget.waitMs(30)).toBe(Number.POSITIVE_INFINITY)
  })

  it('takes the vendor at its word when others have spent less than they seemed to', () => {
    const budget = new Budget(limit)
    budget.answered(budget.take(0) ?? 0, 50, { refused: false, limit: 100, remaining: 5, resetMs: 100 })
    const next = budget.take(60) ?? 0
    const older = budget.take(60) ?? 0
    budget.answered(next, 200, { refused: false, limit: 100, remaining: 90, resetMs: 9_900 })
    // Written before the others' calls left the window, and late on its way.
    budget.answered(older, 210, { refused: false, limit: 100, remaining: 3, resetMs: 50 })
    expect(takeAll(budget, 220)).toBe(88)
  })

  it('forgets the oldest first when the vendor counts fewer calls of an earlier process', () => {
    const budget = new Budget(limit)
    budget.spent(40, 9_000)
    budget.spent(40, 1_000)
    budget.answered(budget.take(0) ?? 0, 50, { refused: false, limit: 100, remaining: 59, resetMs: 900 })
    expect(takeAll(budget, 60)).toBe(59)
    expect(takeAll(budget, 1_100)).toBe(0)
    expect(takeAll(budget, 9_000)).toBe(40)
  })

  it('counts what another process spent of the window', () => {
    const budget = new Budget(limit)
    budget.spent(99, 4_000)
    const ticket = budget.take(0)
    expect(ticket).toBeDefined()
    budget.answered(ticket ?? 0, 10)
    expect(budget.take(20)).toBeUndefined()
    expect(budget.waitMs(20)).toBe(3_980)
    expect(budget.take(4_000)).toBeDefined()
  })

  it('learns a higher limit from the first answer', () => {
    const budget = new Budget(limit)
    budget.answered(budget.take(0) ?? 0, 50, { refused: false, limit: 700, remaining: 699, resetMs: 9_000 })
    expect(takeAll(budget, 60)).toBe(699)
  })

  it('leaves alone what somebody else has spent on the same account', () => {
    const budget = new Budget(limit)
    budget.answered(budget.take(0) ?? 0, 50, { refused: false, limit: 100, remaining: 3, resetMs: 9_000 })
    expect(takeAll(budget, 60)).toBe(3)
  })

  it("takes no notice of a day's quota, unless it is used up", () => {
    const budget = new Budget(limit)
    budget.answered(budget.take(0) ?? 0, 50, { refused: false, limit: 250_000, remaining: 20, resetMs: 3_600_000 })
    // It says as little about the window as no number at all.
    expect(takeAll(budget, 60)).toBe(49)
    budget.answered(0, 100, { refused: false, limit: 250_000, remaining: 0, resetMs: 3_600_000 })
    expect(budget.waitMs(20_000)).toBe(3_580_100)
  })

  it.each([
    [{ refused: true, retryAfterMs: 7_000, resetMs: 1_000 }, 7_000],
    [{ refused: true, resetMs: 1_000 }, 1_000],
    [{ refused: true }, 5_000],
    [{ refused: true, retryAfterMs: 0 }, 5_000],
  ])('holds every call after %o', (news, waitMs) => {
    const budget = new Budget()
    const first = budget.take(0)
    budget.take(0)
    budget.answered(first ?? 0, 100, news)
    expect(budget.take(100)).toBeUndefined()
    expect(budget.waitMs(100)).toBe(waitMs)
    expect(budget.take(100 + waitMs)).toBeDefined()
  })

  it('never lets more calls arrive in any window than the limit, whatever the answers take', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.tuple(fc.nat(400), fc.nat(900)), { maxLength: 80 }),
        (requests, steps) => {
          const budget = new Budget({ requests, perSeconds: 1 })
          const sent: number[] = []
          const flying: { endsAt: number; ticket: number }[] = []
          let nowMs = 0
          for (const [pauseMs, tripMs] of steps) {
            nowMs += pauseMs
            for (const call of flying.filter((each) => each.endsAt <= nowMs)) {
              budget.answered(call.ticket, call.endsAt, { refused: false })
              flying.splice(flying.indexOf(call), 1)
            }
            const ticket = budget.take(nowMs)
            if (ticket === undefined) continue
            // The latest moment at which the vendor may count it is its answer's.
            sent.push(nowMs + tripMs)
            flying.push({ endsAt: nowMs + tripMs, ticket })
          }
          for (const time of sent) {
            expect(sent.filter((other) => other > time - 1_000 && other <= time).length).toBeLessThanOrEqual(requests)
          }
        },
      ),
    )
  })
})
