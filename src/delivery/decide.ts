/** What becomes of an outbox row after an attempt. Pure. */

import type { EffectClass, Receipt } from '#hub/connector/contract.ts'
import { type ConnectorErrorCode, reaction } from '#hub/connector/errors.ts'
import type { Settlement } from '#hub/platform/ledger.ts'
import { retryInMs } from './backoff.ts'

export interface Tried {
  readonly seq: number
  /** Attempts before this one. */
  readonly attempts: number
  readonly createdAt: Date
  /** An earlier attempt may have had its effect. */
  readonly isUnclear: boolean
  readonly effect: EffectClass
}

export type Result =
  | { readonly ok: true; readonly receipt: Receipt }
  | {
      readonly ok: false
      readonly code: ConnectorErrorCode
      readonly message: string
      readonly retryAfterMs?: number
    }

const giveUpAfterMs = 72 * 3_600_000
/** A replayed row is older than that at once: it gets this many attempts all the same. */
const fewestAttempts = 10
/** Somebody changes the record each time we have read it. */
const conflictsAllowed = 5

export function decide(tried: Tried, result: Result, now: Date, random: number): Settlement<'outbox'> {
  const { seq, isUnclear, effect } = tried
  if (result.ok) {
    const possiblySent = isUnclear && effect === 'at_least_once' ? { possiblySent: true } : {}
    return { seq, state: 'sent', receipt: result.receipt, ...possiblySent }
  }
  const { code, message } = result
  const error = { code, message }
  const unclear = isUnclear ? { outcomeUnknown: true } : {}
  const again = retryInMs(tried.attempts, random, result.retryAfterMs)
  switch (reaction[code]) {
    case 'pause_connection':
      // The whole lane rests, for a while or until a person has acted; then it goes on, in its order.
      return { seq, state: 'pending', retryInMs: result.retryAfterMs ?? 0, error, ...unclear }
    case 'resolve_unknown':
      if (effect === 'at_least_once' && isUnclear) {
        const why = { code, message: `${message}; repeated once and unclear again: look at the vendor before a replay` }
        return { seq, state: 'dead', error: why, possiblySent: true, outcomeUnknown: true }
      }
      return later({ outcomeUnknown: true })
    case 'retry':
      return later(unclear)
    case 'reread_then_retry':
      return tried.attempts < conflictsAllowed ? later(unclear) : dead(message)
    case 'dead_letter':
      return dead(message)
  }

  function later(flags: { readonly outcomeUnknown?: boolean }): Settlement<'outbox'> {
    const ageMs = now.getTime() - tried.createdAt.getTime()
    if (ageMs + again > giveUpAfterMs && tried.attempts + 1 >= fewestAttempts) {
      return dead(`${message}; given up after ${tried.attempts + 1} attempts`)
    }
    return { seq, state: 'pending', retryInMs: again, error, ...flags }
  }

  function dead(why: string): Settlement<'outbox'> {
    return { seq, state: 'dead', error: { code, message: why }, ...unclear }
  }
}
