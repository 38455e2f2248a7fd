import { describe, expect, it } from 'vitest'
import { afterFailure, afterSuccess, type Health } from '#hub/connections/health.ts'
import type { ConnectorErrorCode } from '#hub/connector/errors.ts'

const well: Health = { status: 'connected', failures: 0 }
const fail = (health: Health, ...codes: readonly ConnectorErrorCode[]) => codes.reduce(afterFailure, health)

describe('health', () => {
  it('needs attention at the first refused credential', () => {
    expect(fail(well, 'auth_failed').status).toBe('needs_attention')
  })
  it('is degraded after three failures without a success between them', () => {
    expect(fail(well, 'unavailable', 'outcome_unknown').status).toBe('connected')
    expect(fail(well, 'unavailable', 'outcome_unknown', 'unavailable').status).toBe('degraded')
    expect(fail(afterSuccess(fail(well, 'unavailable', 'unavailable')), 'unavailable').status).toBe('connected')
  })
  it('is well again after one success', () => {
    expect(afterSuccess({ status: 'degraded', failures: 9 })).toEqual(well)
  })
  it.each(['rate_limited', 'not_found', 'rejected', 'malformed', 'conflict', 'host_refused'] as const)(
    'does not mind %s',
    (code) => {
      expect(fail(well, code, code, code, code)).toBe(well)
    },
  )
  it.each(['paused', 'needs_attention'] as const)('%s is left by a person only', (status) => {
    const health: Health = { status, failures: 0 }
    expect(fail(health, 'auth_failed', 'unavailable', 'unavailable', 'unavailable').status).toBe(status)
    expect(afterSuccess(health).status).toBe(status)
  })
})
