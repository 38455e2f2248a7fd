/** How a connection is doing, from what its calls reported. Pure. */
import type { ConnectorErrorCode } from '#hub/connector/errors.ts'
import type { ConnectionStatus } from '#hub/platform/db/schema.ts'

export interface Health {
  readonly status: ConnectionStatus
  /** Failures since the last success that a later attempt may heal. */
  readonly failures: number
}

/** One failure in a row is weather; this many are an outage. */
const outageAfter = 3

/** Being refused for the rate is no illness, and refusals of one record say nothing about the connection. */
const weather = new Set<ConnectorErrorCode>(['unavailable', 'outcome_unknown'])

/** A person's `paused`, and `needs_attention` until a person has acted, are left only by a person. */
export function afterFailure(health: Health, code: ConnectorErrorCode): Health {
  if (health.status === 'paused' || health.status === 'needs_attention') return health
  if (code === 'auth_failed') return { status: 'needs_attention', failures: 0 }
  if (!weather.has(code)) return health
  const failures = health.failures + 1
  return { status: failures >= outageAfter ? 'degraded' : health.status, failures }
}

export function afterSuccess(health: Health): Health {
  if (health.status === 'degraded') return { status: 'connected', failures: 0 }
  return health.failures === 0 ? health : { ...health, failures: 0 }
}
