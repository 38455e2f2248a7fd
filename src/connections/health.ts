/** How a connection is doing, from what its calls reported. Pure. */
import type { ConnectorErrorCode } from '#hub/connector/errors.ts'
import type { ConnectionStatus } from '#hub/platform/db/schema.ts'

/** What a call was for: a mailbox is read and written to by two servers, and one of them may refuse what the other takes. */
export type Way = 'reading' | 'sending'

export interface Health {
  readonly status: ConnectionStatus
  /** Failures since the last success that a later attempt may heal. */
  readonly failures: number
  /** Refused credentials since the last success of the same way. */
  readonly refusals: Readonly<Record<Way, number>>
}

export const noRefusals: Health['refusals'] = { reading: 0, sending: 0 }

/** One failure in a row is weather; this many are an outage. */
const outageAfter = 3

/**
 * Servers that keep a line open (mailboxes) refuse good passwords now and then, and lock the account of those who try often:
 * a few attempts, each after a longer rest. What refuses a token means it.
 */
const restsMs = [60_000, 300_000]

/** Being refused for the rate is no illness, and refusals of one record say nothing about the connection. */
const weather = new Set<ConnectorErrorCode>(['unavailable', 'outcome_unknown'])

/**
 * A person's `paused`, and `needs_attention` until a person has acted, are left only by a person.
 * @param isPatient its vendor refuses good credentials now and then.
 */
export function afterFailure(health: Health, code: ConnectorErrorCode, way: Way, isPatient: boolean): Health {
  if (health.status === 'paused' || health.status === 'needs_attention') return health
  if (code === 'auth_failed') {
    const refusals = { ...health.refusals, [way]: health.refusals[way] + 1 }
    if (isPatient && refusals[way] <= restsMs.length) return { ...health, refusals }
    return { status: 'needs_attention', failures: 0, refusals: noRefusals }
  }
  if (!weather.has(code)) return health
  const failures = health.failures + 1
  return { ...health, status: failures >= outageAfter ? 'degraded' : health.status, failures }
}

export function afterSuccess(health: Health, way: Way): Health {
  const status = health.status === 'degraded' ? 'connected' : health.status
  const isWell = status === health.status && health.failures === 0 && health.refusals[way] === 0
  return isWell ? health : { status, failures: 0, refusals: { ...health.refusals, [way]: 0 } }
}

/** For how long nobody tries after so many refusals. */
export function restAfterMs(refusals: number): number {
  return restsMs[refusals - 1] ?? 0
}
