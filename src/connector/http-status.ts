/**
 * What an HTTP answer means in the hub's words. `Http.json` uses it; connectors that call `Http.fetch` (SDKs, signed bodies)
 * use it too, so that a status means the same everywhere.
 */
import { ConnectorError, type ConnectorErrorCode } from './errors.ts'

/** The error code of an HTTP status; undefined for 2xx. */
export function codeOfStatus(status: number): ConnectorErrorCode | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status === 401 || status === 403) return 'auth_failed'
  if (status === 404 || status === 410) return 'not_found'
  if (status === 409 || status === 412) return 'conflict'
  if (status === 429) return 'rate_limited'
  if (status === 503) return 'unavailable'
  // Redirects are never followed, and the next attempt would be redirected again: like a refusal.
  return status >= 500 ? 'outcome_unknown' : 'rejected'
}

export interface AnswerHead {
  readonly status: number
  readonly headers: { get(name: string): string | null }
}

/**
 * @param place what was called, such as `POST https://desk.example/answers`: no query string, no secret.
 * @returns the error that the answer means; undefined for 2xx.
 */
export function errorOfAnswer(answer: AnswerHead, place: string, now: Date): ConnectorError | undefined {
  const code = codeOfStatus(answer.status)
  if (code === undefined) return undefined
  const retryAfterMs = parseRetryAfter(answer.headers.get('retry-after'), now)
  return new ConnectorError(code, `${place} answered ${answer.status}; ${nextStep[code]}`, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

const nextStep = {
  rate_limited: 'the hub waits and repeats the call',
  unavailable: 'the hub repeats the call later',
  outcome_unknown: 'the hub finds out whether it was done before it repeats the call',
  auth_failed: 'check the credentials and the permissions of this connection',
  conflict: 'the record changed meanwhile, the hub reads it again',
  not_found: 'the record does not exist there (any more)',
  rejected: 'expected 2xx; the other side does not take this call as it is',
  malformed: 'the other side answered with something else than expected',
  host_refused: 'the host is not allowed for this connection',
} as const satisfies Record<ConnectorErrorCode, string>

const longestWaitMs = 24 * 60 * 60 * 1000

/** `Retry-After` in seconds or as an HTTP date, in milliseconds from `now`, at most a day; undefined when it is neither. */
export function parseRetryAfter(header: string | null | undefined, now: Date): number | undefined {
  const text = header?.trim()
  if (!text) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), longestWaitMs)
  // Only the RFC 9110 date forms, which name the weekday: Date.parse alone would take "-5" or "soon 1" for a date.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - now.getTime(), 0), longestWaitMs)
}
