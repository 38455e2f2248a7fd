/** What went wrong at a vendor, in the hub's words. `reaction` says what the hub does about each. */
export type ConnectorErrorCode =
  | 'rate_limited'
  | 'unavailable'
  | 'outcome_unknown'
  | 'auth_failed'
  | 'conflict'
  | 'not_found'
  | 'rejected'
  | 'malformed'
  | 'host_refused'

export type Reaction = 'retry' | 'resolve_unknown' | 'pause_connection' | 'reread_then_retry' | 'dead_letter'

export const reaction = {
  rate_limited: 'retry',
  /** The vendor certainly did not do it: connection refused, 503. */
  unavailable: 'retry',
  /** The request left and no clear answer came back: it may have been done. */
  outcome_unknown: 'resolve_unknown',
  auth_failed: 'pause_connection',
  conflict: 'reread_then_retry',
  not_found: 'dead_letter',
  rejected: 'dead_letter',
  malformed: 'dead_letter',
  host_refused: 'dead_letter',
} as const satisfies Record<ConnectorErrorCode, Reaction>

/** A vendor call that did not work out. The message names value, place, expectation and next step; never a secret. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError'
  readonly code: ConnectorErrorCode
  /** How long the vendor asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined
  constructor(code: ConnectorErrorCode, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryAfterMs = options.retryAfterMs
  }
}

/**
 * Authentic input that a connector cannot read: broken JSON, a shape it does not know. The hub keeps the raw bytes in
 * quarantine with this reason and answers 202.
 */
export class UnreadableInput extends Error {
  override readonly name = 'UnreadableInput'
}
