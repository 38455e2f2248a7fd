import { describe, expect, it } from 'vitest'
import { afterFailure, afterSuccess, type Health, noRefusals, restAfterMs } from '#hub/connections/health.ts'
import type { ConnectorErrorCode } from '#hub/connector/errors.ts'

const well: Health = { status: 'connected', failures: 0, refusals: noRefusals }
const fail = (health: Health, ...codes: readonly ConnectorErrorCode[]) =>
  codes.reduce((before, code) => afterFailure(before, code, 'reading', false), health)
const refuse = (health: Health, way: 'reading' | 'sending' = 'reading') =>
  afterFailure(health, 'auth_failed', way, true)

describe('health', () => {
  it('needs attention at the first refused credential', () => {
    expect(fail(well, 'auth_failed').status).toBe('needs_attention')
  })
  it('is degraded after three failures without a success between them', () => {
    expect(fail(well, 'unavailable', 'outcome_unknown').status).toBe('connected')
    expect(fail(well, 'unavailable', 'outcome_unknown', 'unavailable').status).toBe('degraded')
    const healed = afterSuccess(fail(well, 'unavailable', 'unavailable'), 'reading')
    expect(fail(healed, 'unavailable').status).toBe('connected')
  })
  it('is well again after one success', () => {
    expect(afterSuccess({ ...well, status: 'degraded', failures: 9 }, 'sending')).toEqual(well)
    expect(afterSuccess(well, 'reading')).toBe(well)
  })
  it.each(['rate_limited', 'not_found', 'rejected', 'malformed', 'conflict', 'host_refused'] as const)(
    'does not mind %s',
    (code) => {
      expect(fail(well, code, code, code, code)).toBe(well)
    },
  )
  it.each(['paused', 'needs_attention'] as const)('%s is left by a person only', (status) => {
    const health: Health = { ...well, status }
    expect(fail(health, 'auth_failed', 'unavailable', 'unavailable', 'unavailable').status).toBe(status)
    expect(afterSuccess(health, 'reading').status).toBe(status)
  })
})

describe('the health of a mailbox', () => {
  it('needs attention at the third refused password in a row, whatever else fails between', () => {
    const twice = refuse(afterFailure(refuse(well), 'unavailable', 'reading', true))
    expect(twice.status).toBe('connected')
    expect(refuse(twice)).toEqual({ ...well, status: 'needs_attention' })
    expect(refuse(refuse(afterSuccess(twice, 'reading'))).status).toBe('connected')
  })
  it('counts the two servers apart: one may refuse what the other takes', () => {
    const twice = refuse(refuse(well, 'sending'), 'sending')
    expect(refuse(twice).status).toBe('connected')
    expect(refuse(afterSuccess(twice, 'reading'), 'sending').status).toBe('needs_attention')
  })
  it('rests longer after each refusal', () => {
    expect([1, 2, 3].map(restAfterMs)).toEqual([60_000, 300_000, 0])
  })
})
