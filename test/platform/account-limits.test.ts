import { beforeEach, describe, expect, it, vi } from 'vitest'
import { AccountLimits, type Priority } from '#hub/platform/account-limits.ts'

const clock = { now: 0 }
const read = () => clock.now
const signal = new AbortController().signal
const news = { refused: false }

/** Both the clock and its timers go on. */
async function pass(ms: number) {
  clock.now += ms
  await vi.advanceTimersByTimeAsync(ms)
}

function oneEverySecond() {
  return new AccountLimits('acme', [{ budget: 'default', requests: 1, perSeconds: 1 }], read).gate()
}

beforeEach(() => {
  clock.now = 0
  vi.useFakeTimers()
  return () => vi.useRealTimers()
})

describe('AccountLimits', () => {
  it('gives a free token at once, without a promise', () => {
    const gate = oneEverySecond()
    expect(gate.enter('rule', signal)).not.toBeInstanceOf(Promise)
    expect(gate.enter('rule', signal)).toBeInstanceOf(Promise)
  })

  it('lets a person go before a rule, and a rule before a backfill', async () => {
    const gate = oneEverySecond()
    const order: string[] = []
    const first = await gate.enter('rule', signal)
    const waiting = (['backfill', 'rule', 'person', 'backfill', 'person'] as const).map(
      async (priority: Priority, place) => {
        const pass = await gate.enter(priority, signal)
        order.push(`${priority} ${place}`)
        pass.answered(news)
      },
    )
    first.answered(news)
    for (let second = 0; second < 5; second += 1) await pass(1_000)
    await Promise.all(waiting)
    expect(order).toEqual(['person 2', 'person 4', 'rule 1', 'backfill 0', 'backfill 3'])
  })

  it('loses no token when somebody gives up waiting', async () => {
    const gate = oneEverySecond()
    const first = await gate.enter('rule', signal)
    first.answered(news)
    const stop = new AbortController()
    const gaveUp = Promise.resolve(gate.enter('person', stop.signal)).catch((error: unknown) => error)
    const patient = Promise.resolve(gate.enter('rule', signal))
    stop.abort(new Error('enough'))
    expect(await gaveUp).toMatchObject({ message: 'enough' })
    await pass(1_000)
    await expect(patient).resolves.toBeDefined()
  })

  it('gives back the token of a call that never left', async () => {
    const gate = oneEverySecond()
    const first = await gate.enter('rule', signal)
    const next = Promise.resolve(gate.enter('rule', signal))
    first.unused()
    await expect(next).resolves.toBeDefined()
  })

  it('waits out what another process has spent', async () => {
    const limits = new AccountLimits('acme', [{ budget: 'default', requests: 2, perSeconds: 10 }], read)
    limits.seed([1_000, 4_000, 60_000])
    const entered = vi.fn()
    void Promise.resolve(limits.gate().enter('rule', signal)).then(entered)
    await pass(5_999)
    expect(entered).not.toHaveBeenCalled()
    await pass(1)
    expect(entered).toHaveBeenCalled()
  })

  it('keeps named budgets apart and refuses unknown ones', async () => {
    const limits = new AccountLimits('acme', [{ budget: 'search', requests: 1, perSeconds: 10 }], read)
    await limits.gate('search').enter('rule', signal)
    expect(limits.gate('search').enter('rule', signal)).toBeInstanceOf(Promise)
    expect(limits.gate().enter('rule', signal)).not.toBeInstanceOf(Promise)
    expect(() => limits.gate('serach')).toThrow('acme: no budget "serach"; the manifest declares search, default')
  })

  it("spends the account's budget with every named one", async () => {
    const limits = accountWith({ account: 3, search: 9 })
    for (let call = 0; call < 2; call += 1) (await limits.gate('search').enter('rule', signal)).answered(told(2 - call))
    ;(await limits.gate().enter('rule', signal)).answered(told(0))
    const entered = vi.fn()
    void Promise.resolve(limits.gate('search').enter('rule', signal)).then(entered)
    await pass(9_999)
    expect(entered).not.toHaveBeenCalled()
    await pass(1)
    expect(entered).toHaveBeenCalled()
  })

  it("learns a named budget from its own numbers, and the account's from the account's", async () => {
    const limits = accountWith({ account: 400, search: 100 })
    const search = await limits.gate('search').enter('rule', signal)
    search.answered({ ...told(300), limit: 700, named: { limit: 100, remaining: 7, resetMs: 10_000 } })
    expect(countOf(limits, 'search')).toBe(7)
    expect(countOf(limits, 'default')).toBe(293)
  })

  it('holds only the named budget when the account has calls left', async () => {
    const limits = accountWith({ account: 10, search: 5 })
    ;(await limits.gate().enter('rule', signal)).answered(told(9))
    const search = await limits.gate('search').enter('rule', signal)
    search.answered({ ...told(8), refused: true, retryAfterMs: 4_000 })
    expect(countOf(limits, 'search')).toBe(0)
    expect(countOf(limits, 'default')).toBe(8)
    await pass(4_000)
    expect(countOf(limits, 'search')).toBe(0)
  })

  it('holds both when a refusal says nothing about the account', async () => {
    const limits = accountWith({ account: 10, search: 5 })
    const search = await limits.gate('search').enter('rule', signal)
    search.answered({ refused: true, retryAfterMs: 4_000 })
    expect(countOf(limits, 'search')).toBe(0)
    expect(countOf(limits, 'default')).toBe(0)
  })

  it('gives back the named token of a call that was given up while it waited for the account', async () => {
    const limits = accountWith({ account: 1, search: 1 })
    const blocking = await limits.gate().enter('rule', signal)
    const stop = new AbortController()
    const gaveUp = Promise.resolve(limits.gate('search').enter('rule', stop.signal)).catch((error: unknown) => error)
    stop.abort(new Error('enough'))
    expect(await gaveUp).toMatchObject({ message: 'enough' })
    blocking.unused()
    expect(countOf(limits, 'search')).toBe(1)
  })

  it('gives each conversation a budget of its own, in all of its windows, within the account', async () => {
    const limits = perChannel(100)
    const gate = (channel: string) => limits.gate('post', channel)
    for (const channel of ['c1', 'c2']) (await gate(channel).enter('rule', signal)).answered(news)
    // Of the short window all is taken as spent by others, of the long one half.
    expect(gate('c1').enter('rule', signal)).toBeInstanceOf(Promise)
    await pass(1_000)
    let sent = 0
    while (!(gate('c2').enter('rule', signal) instanceof Promise)) sent += 1
    expect(sent).toBe(2)
    expect(gate('c1').enter('rule', signal)).not.toBeInstanceOf(Promise)
  })

  it('holds only the conversation that the vendor refused', async () => {
    const limits = perChannel(100)
    ;(await limits.gate('post', 'c1').enter('rule', signal)).answered({ refused: true, retryAfterMs: 4_000 })
    await pass(3_999)
    const entered = vi.fn()
    void Promise.resolve(limits.gate('post', 'c1').enter('rule', signal)).then(entered)
    expect(limits.gate('post', 'c2').enter('rule', signal)).not.toBeInstanceOf(Promise)
    expect(entered).not.toHaveBeenCalled()
    await pass(1)
    expect(entered).toHaveBeenCalled()
  })

  it("spends the account's budget with every conversation's", async () => {
    const limits = perChannel(2)
    ;(await limits.gate().enter('rule', signal)).answered(told(1))
    await limits.gate('post', 'c1').enter('rule', signal)
    expect(limits.gate('post', 'c2').enter('rule', signal)).toBeInstanceOf(Promise)
  })

  it('does not take a key for a shared budget, nor a call without one', () => {
    const limits = perChannel(2)
    const declared = 'the manifest declares default, post (each, by key)'
    expect(() => limits.gate('post')).toThrow(`acme: no budget "post"; ${declared}`)
    expect(() => limits.gate('default', 'c1')).toThrow(`acme: no budget "default" by key; ${declared}`)
  })

  it('forgets the conversations that have been quiet for the longest', async () => {
    const limits = perChannel(100_000)
    const first = limits.gate('post', 'c0')
    for (let channel = 1; channel < 1_000; channel += 1) limits.gate('post', `c${channel}`)
    expect(limits.gate('post', 'c0')).toBe(first)
    limits.gate('post', 'one more')
    expect(limits.gate('post', 'c0')).toBe(first)
    for (let channel = 0; channel < 1_000; channel += 1) limits.gate('post', `d${channel}`)
    expect(limits.gate('post', 'c0')).not.toBe(first)
  })

  it('keeps several budgets of one account under a vendor that counts both', async () => {
    const limits = accountWith({ account: 20, search: 5 })
    const served: { readonly at: number; readonly search: boolean }[] = []
    const call = async (search: boolean) => {
      const entered = await limits.gate(search ? 'search' : 'default').enter('rule', signal)
      served.push({ at: clock.now, search })
      await pass(1)
      const left = 20 - served.filter(({ at }) => at > clock.now - 10_000).length
      entered.answered(search ? news : told(left))
    }
    const calls = Promise.all(Array.from({ length: 60 }, (_, index) => call(index % 3 === 0)))
    while (served.length < 60) await pass(250)
    await calls
    const within = (list: typeof served) =>
      Math.max(...list.map(({ at }) => list.filter((each) => each.at > at - 10_000 && each.at <= at).length))
    expect(within(served)).toBeLessThanOrEqual(20)
    expect(within(served.filter(({ search }) => search))).toBeLessThanOrEqual(5)
    expect(clock.now).toBeLessThan(60_000)
  })
})

function perChannel(account: number) {
  return new AccountLimits(
    'acme',
    [
      { budget: 'default', requests: account, perSeconds: 10 },
      { budget: 'post', requests: 2, perSeconds: 1, each: true },
      { budget: 'post', requests: 6, perSeconds: 10, each: true },
    ],
    read,
  )
}

function accountWith(requests: { readonly account: number; readonly search: number }) {
  return new AccountLimits(
    'acme',
    [
      { budget: 'default', requests: requests.account, perSeconds: 10 },
      { budget: 'search', requests: requests.search, perSeconds: 10 },
    ],
    read,
  )
}

function told(remaining: number) {
  return { refused: false, remaining, resetMs: 10_000 }
}

/** How many calls may leave now. */
function countOf(limits: AccountLimits, budget: string): number {
  let count = 0
  for (; count < 1_000; count += 1) {
    const stop = new AbortController()
    const entered = limits.gate(budget).enter('rule', stop.signal)
    if (!(entered instanceof Promise)) continue
    entered.catch(() => {})
    stop.abort(new Error('counted'))
    return count
  }
  return count
}
