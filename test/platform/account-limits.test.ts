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
    expect(gate.enter('rule', signal)).toBe(0)
    expect(gate.enter('rule', signal)).toBeInstanceOf(Promise)
  })

  it('lets a person go before a rule, and a rule before a backfill', async () => {
    const gate = oneEverySecond()
    const order: string[] = []
    const first = await gate.enter('rule', signal)
    const waiting = (['backfill', 'rule', 'person', 'backfill', 'person'] as const).map(
      async (priority: Priority, place) => {
        const ticket = await gate.enter(priority, signal)
        order.push(`${priority} ${place}`)
        gate.answered(ticket, news)
      },
    )
    gate.answered(first, news)
    for (let second = 0; second < 5; second += 1) await pass(1_000)
    await Promise.all(waiting)
    expect(order).toEqual(['person 2', 'person 4', 'rule 1', 'backfill 0', 'backfill 3'])
  })

  it('loses no token when somebody gives up waiting', async () => {
    const gate = oneEverySecond()
    gate.answered(await gate.enter('rule', signal), news)
    const stop = new AbortController()
    const gaveUp = Promise.resolve(gate.enter('person', stop.signal)).catch((error: unknown) => error)
    const patient = Promise.resolve(gate.enter('rule', signal))
    stop.abort(new Error('enough'))
    expect(await gaveUp).toMatchObject({ message: 'enough' })
    await pass(1_000)
    expect(await patient).toBe(1)
  })

  it('gives back the token of a call that never left', async () => {
    const gate = oneEverySecond()
    await gate.enter('rule', signal)
    const next = gate.enter('rule', signal)
    gate.unused()
    expect(await next).toBe(0)
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
    expect(limits.gate().enter('rule', signal)).toBe(0)
    expect(() => limits.gate('serach')).toThrow('acme: no budget "serach"; the manifest declares search, default')
  })
})
