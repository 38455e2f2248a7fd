import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retryInMs } from '#hub/delivery/backoff.ts'

const attempts = fc.nat(200)
const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const asked = fc.integer({ min: 0, max: 3_600_000 })

describe('retryInMs', () => {
  it('never waits longer than an hour of its own accord, and spreads over the whole window', () => {
    fc.assert(
      fc.property(attempts, random, (count, chance) => {
        const waitMs = retryInMs(count, chance)
        expect(waitMs).toBeGreaterThanOrEqual(0)
        expect(waitMs).toBeLessThan(3_600_000)
        expect(waitMs).toBeCloseTo(chance * retryInMs(count, 1), 3)
      }),
    )
  })

  it('doubles its window with each attempt', () => {
    expect([0, 1, 2, 3, 11, 12, 13].map((count) => retryInMs(count, 1))).toEqual([
      1_000, 2_000, 4_000, 8_000, 2_048_000, 3_600_000, 3_600_000,
    ])
  })

  it('comes never sooner than the vendor asked, and not much later', () => {
    fc.assert(
      fc.property(attempts, random, asked, (count, chance, retryAfterMs) => {
        const waitMs = retryInMs(count, chance, retryAfterMs)
        expect(waitMs).toBeGreaterThanOrEqual(retryAfterMs)
        expect(waitMs).toBeLessThanOrEqual(retryAfterMs + Math.max(1_000, retryAfterMs / 4))
      }),
    )
  })
})
