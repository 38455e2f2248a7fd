import { expect, it } from 'vitest'
import { createRateLimit } from '#hub/api/rate-limit.ts'

it('lets a burst through, then what the rate allows', () => {
  const admit = createRateLimit({ perSecond: 10, burst: 3 })
  expect([admit(0), admit(0), admit(0)]).toEqual([0, 0, 0])
  expect(admit(0)).toBe(100)
  expect(admit(50)).toBe(50)
  expect(admit(100)).toBe(0)
  expect(admit(100)).toBe(100)
  expect([admit(10_000), admit(10_000), admit(10_000)]).toEqual([0, 0, 0])
  expect(admit(10_000)).toBeGreaterThan(0)
})
