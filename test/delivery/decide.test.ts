import { describe, expect, it } from 'vitest'
import { type ConnectorErrorCode, reaction } from '#hub/connector/errors.ts'
import { decide, type Tried } from '#hub/delivery/decide.ts'

const now = new Date('2026-11-22T10:00:00Z')
const tried: Tried = { seq: 7, attempts: 0, createdAt: now, isUnclear: false, effect: 'keyed' }
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000)
const failed = (code: ConnectorErrorCode, retryAfterMs?: number) => ({
  ok: false as const,
  code,
  message: 'why',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
})

describe('decide', () => {
  it('keeps the receipt of what was sent', () => {
    const receipt = { externalId: 'x' }
    expect(decide(tried, { ok: true, receipt }, now, 0.5)).toEqual({ seq: 7, state: 'sent', receipt })
  })

  it.each(Object.entries(reaction).filter(([, does]) => does === 'dead_letter'))(
    'sets %s aside at the first attempt',
    (code) => {
      expect(decide(tried, failed(code as ConnectorErrorCode), now, 0.5)).toEqual({
        seq: 7,
        state: 'dead',
        error: { code, message: 'why' },
      })
    },
  )

  it.each(['unavailable', 'rate_limited'] as const)('tries again after %s, as late as the vendor asked', (code) => {
    expect(decide(tried, failed(code, 60_000), now, 0)).toEqual({
      seq: 7,
      state: 'pending',
      retryInMs: 60_000,
      error: { code, message: 'why' },
    })
  })

  it('leaves what needs a person pending, without a wait of its own', () => {
    expect(decide(tried, failed('auth_failed'), now, 0.5)).toMatchObject({ state: 'pending', retryInMs: 0 })
  })

  it('remembers that an outcome is unclear until it is known', () => {
    expect(decide(tried, failed('outcome_unknown'), now, 0.5)).toMatchObject({ state: 'pending', outcomeUnknown: true })
    expect(decide({ ...tried, isUnclear: true }, failed('unavailable'), now, 0.5)).toMatchObject({
      state: 'pending',
      outcomeUnknown: true,
    })
  })

  it('repeats an at-least-once call once and says that it may have been sent twice', () => {
    const again: Tried = { ...tried, effect: 'at_least_once', isUnclear: true, attempts: 1 }
    expect(decide({ ...again, isUnclear: false }, failed('outcome_unknown'), now, 0.5)).toMatchObject({
      state: 'pending',
    })
    expect(decide(again, { ok: true, receipt: {} }, now, 0.5)).toMatchObject({ state: 'sent', possiblySent: true })
    expect(decide(again, failed('outcome_unknown'), now, 0.5)).toMatchObject({ state: 'dead', possiblySent: true })
    expect(decide(again, failed('unavailable'), now, 0.5)).toMatchObject({ state: 'pending' })
  })

  it('gives up after 72 hours, but not on a replayed row that has hardly been tried', () => {
    expect(decide({ ...tried, createdAt: hoursAgo(71), attempts: 30 }, failed('unavailable'), now, 0)).toMatchObject({
      state: 'pending',
    })
    expect(decide({ ...tried, createdAt: hoursAgo(72.1), attempts: 30 }, failed('unavailable'), now, 0)).toMatchObject({
      state: 'dead',
      error: { code: 'unavailable', message: 'why; given up after 31 attempts' },
    })
    expect(decide({ ...tried, createdAt: hoursAgo(500), attempts: 0 }, failed('unavailable'), now, 0)).toMatchObject({
      state: 'pending',
    })
  })

  it('gives a conflict five more readings', () => {
    expect(decide({ ...tried, attempts: 4 }, failed('conflict'), now, 0)).toMatchObject({ state: 'pending' })
    expect(decide({ ...tried, attempts: 5 }, failed('conflict'), now, 0)).toMatchObject({ state: 'dead' })
  })
})
