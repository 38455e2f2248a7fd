import { describe, expect, it } from 'vitest'
import { createRateLimit, senderOf } from '#hub/platform/sender-limit.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22) + seconds * 1000)

describe('the rate limit', () => {
  it('lets a burst through, then as many as come back, and says how long to wait', () => {
    const limit = createRateLimit(3, 0.5)
    expect([0, 0, 0, 0, 1].map((second) => limit.take('a', at(second)))).toEqual([0, 0, 0, 2, 1])
    expect(limit.take('a', at(3))).toBe(0)
  })

  it('keeps senders apart and forgets the oldest', () => {
    const limit = createRateLimit(1, 0.001, 2)
    expect([limit.take('a', at(0)), limit.take('b', at(0)), limit.take('a', at(0))]).toEqual([0, 0, 1000])
    limit.take('c', at(0))
    expect(limit.take('b', at(0))).toBe(0)
  })

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    [undefined, 'unknown'],
  ])('takes %s for the sender %s', (address, sender) => {
    expect(senderOf(address)).toBe(sender)
  })
})
