/** What a vendor's answer means: pure readings of status, headers and error text. */
import { parseRetryAfter } from '#hub/connector/http-status.ts'
import type { AnswerNews } from './account-limits.ts'
import type { LimitNews } from './budget.ts'

export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

const maxRetryAfterMs = 3_600_000

function header(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

const whole = /^\s*(\d+(?:\.\d+)?)\s*(?:[,;].*)?$/
function numberIn(text: string | undefined): number | undefined {
  const digits = text === undefined ? undefined : whole.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** `Retry-After` in ms, 0 to 3,600 s; `undefined` for what is absent or no time at all. */
export function retryAfterMs(headers: AnswerHeaders, now: Date): number | undefined {
  const waitMs = parseRetryAfter(header(headers, 'retry-after'), now)
  return waitMs === undefined ? undefined : Math.min(waitMs, maxRetryAfterMs)
}

/** Seconds from now, or a point in time in seconds or milliseconds since 1970. */
function resetMs(text: string | undefined, now: Date): number | undefined {
  const value = numberIn(text)
  if (value === undefined) return undefined
  const ms = value > 1e12 ? value - now.getTime() : value > 1e9 ? value * 1_000 - now.getTime() : value * 1_000
  return Math.min(Math.max(ms, 0), maxRetryAfterMs)
}

/** `x-acme-ratelimit-` when a vendor puts its name into the headers. */
function namedPrefix(headers: AnswerHeaders): string {
  for (const name in headers) {
    if (name.endsWith('-ratelimit-remaining') && named.test(name)) return name.slice(0, -'remaining'.length)
  }
  return 'x-ratelimit-'
}
const named = /^x-[a-z0-9]+-ratelimit-remaining$/

/** A window that rolls is free again when it has passed once. */
function windowMs(text: string | undefined): number | undefined {
  const ms = numberIn(text)
  return ms === undefined ? undefined : Math.min(ms, maxRetryAfterMs)
}

/** One limit within the account's, in one header: `zendesk-ratelimit-ticket-update: total=100; remaining=99; resets=41`. */
function namedNews(headers: AnswerHeaders): AnswerNews['named'] {
  for (const name in headers) {
    const parts = name.includes('-ratelimit-') ? inOne.exec(header(headers, name) ?? '') : null
    if (parts) return { limit: Number(parts[1]), remaining: Number(parts[2]), resetMs: Number(parts[3]) * 1_000 }
  }
  return undefined
}
const inOne = /^total=(\d+); *remaining=(\d+); *resets=(\d+)$/

/**
 * What common headers say about the account's limits: `ratelimit-*`, `x-ratelimit-*`, `x-rate-limit*`, the same behind a
 * vendor's name (`x-acme-ratelimit-remaining`, with `-max` and the length of the window), and `retry-after`.
 */
export function limitNews(status: number, headers: AnswerHeaders, now: Date): AnswerNews {
  const refused = status === 429
  const prefix = namedPrefix(headers)
  const remaining = numberIn(
    header(headers, 'ratelimit-remaining') ??
      header(headers, 'x-rate-limit-remaining') ??
      header(headers, `${prefix}remaining`),
  )
  const named = namedNews(headers)
  if (!refused && remaining === undefined && named === undefined) return silent
  const limit = numberIn(
    header(headers, 'ratelimit-limit') ??
      header(headers, 'x-rate-limit') ??
      header(headers, `${prefix}limit`) ??
      header(headers, `${prefix}max`),
  )
  const reset =
    resetMs(
      header(headers, 'ratelimit-reset') ?? header(headers, 'x-rate-limit-reset') ?? header(headers, `${prefix}reset`),
      now,
    ) ?? windowMs(header(headers, `${prefix}interval-milliseconds`))
  const retry = refused ? retryAfterMs(headers, now) : undefined
  return {
    refused,
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(reset === undefined ? {} : { resetMs: reset }),
    ...(retry === undefined ? {} : { retryAfterMs: retry }),
    ...(named === undefined ? {} : { named }),
  }
}
const silent: LimitNews = { refused: false }

const textKeys = ['message', 'error_description', 'description', 'detail', 'error', 'title', 'errors'] as const

/** The vendor's own words about a failure, in one line; empty when there are none worth showing. */
export function vendorText(contentType: string | undefined, body: string): string {
  const text = body.trimStart()
  const found = text.startsWith('{') || text.startsWith('[') ? textIn(parsed(text), 3) : plain(contentType, text)
  return found.replaceAll(/\s+/g, ' ').trim().slice(0, 200)
}

function plain(contentType: string | undefined, text: string): string {
  // An error page of a proxy says nothing that its status does not.
  return text.startsWith('<') || contentType?.includes('html') ? '' : text.slice(0, 1_000)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text.slice(0, 1_000)
  }
}

function textIn(value: unknown, depth: number): string {
  if (typeof value === 'string') return value
  if (depth === 0 || typeof value !== 'object' || value === null) return ''
  if (Array.isArray(value)) return textIn(value[0], depth - 1)
  const fields = new Map<string, unknown>(Object.entries(value))
  const parts = textKeys.map((key) => textIn(fields.get(key), depth - 1)).filter((part) => part !== '')
  // "RecordInvalid: Subject can't be blank" rather than either half.
  return parts.slice(0, 2).join(': ') || textIn([...fields.values()][0], depth - 1)
}
