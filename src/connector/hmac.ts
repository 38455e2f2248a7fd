/**
 * Webhook signatures. Pure: raw bytes, headers, secret and time come in, a verdict goes out; nothing here throws on bad input.
 *
 * A signature is compared as its full canonical text (lower-case hex, padded base64), in constant time, so a prefix, another
 * case or other padding is never accepted. A timestamp must match its grammar to the letter before it is read as a number,
 * which also keeps the border between timestamp and body where the sender drew it.
 */
import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { InboundRequest, Verdict } from './contract.ts'

export const hmacAlgorithms = ['sha256', 'sha1', 'sha512'] as const
export const signatureEncodings = ['hex', 'base64'] as const
export const secretEncodings = ['utf8', 'base64', 'hex'] as const
export const timestampFormats = ['unix_seconds', 'unix_millis', 'rfc3339'] as const
export type HmacAlgorithm = (typeof hmacAlgorithms)[number]
export type SignatureEncoding = (typeof signatureEncodings)[number]
export type SecretEncoding = (typeof secretEncodings)[number]
export type TimestampFormat = (typeof timestampFormats)[number]

/** What is signed of a request. `url` only matters to schemes that sign it. */
export type SignedParts = Pick<InboundRequest, 'headers' | 'body'> & Partial<Pick<InboundRequest, 'method' | 'url'>>

const accepted: Verdict = { ok: true }
const missing: Verdict = { ok: false, reason: 'missing_header' }
const stale: Verdict = { ok: false, reason: 'stale' }
const forged: Verdict = { ok: false, reason: 'bad_signature' }

/** Constant time in the content; the length of a digest is no secret. */
export function sameText(given: string, expected: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(expected)
  return a.length === b.length && timingSafeEqual(a, b)
}

/** For passwords and tokens, whose length must not show either. An empty secret never matches. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected)) && expected.length > 0
}

/** The key in a secret; undefined when it is empty or not what the encoding says. `whsec_` and url-safe base64 are fine. */
export function decodeSecret(secret: string, encoding: SecretEncoding): Buffer | undefined {
  if (encoding === 'utf8') return secret === '' ? undefined : Buffer.from(secret)
  if (encoding === 'hex') return /^([0-9a-fA-F]{2})+$/.test(secret) ? Buffer.from(secret, 'hex') : undefined
  const text = secret
    .replace(/^whsec_/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/]+$/.test(text) || text.length % 4 === 1) return undefined
  return Buffer.from(text, 'base64')
}

const grammars = {
  unix_seconds: /^\d{10}$/,
  unix_millis: /^\d{13}$/,
  rfc3339: /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/,
} as const satisfies Record<TimestampFormat, RegExp>

/** Milliseconds since 1970; undefined when the text is not exactly in the format. */
export function readTimestamp(text: string, format: TimestampFormat): number | undefined {
  if (!grammars[format].test(text)) return undefined
  if (format !== 'rfc3339') return Number(text) * (format === 'unix_seconds' ? 1000 : 1)
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

function writeTimestamp(at: Date, format: TimestampFormat): string {
  if (format === 'unix_millis') return String(at.getTime())
  const seconds = Math.floor(at.getTime() / 1000)
  return format === 'unix_seconds' ? String(seconds) : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
}

export const defaultToleranceSeconds = 300

/** Both ways: a clock may be ahead or behind. */
function isTimely(atMs: number, now: Date, toleranceSeconds = defaultToleranceSeconds): boolean {
  return Math.abs(now.getTime() - atMs) <= toleranceSeconds * 1000
}

// --- Standard Webhooks 1.0.0 -----------------------------------------------------------------------------------------
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, read 2026-11

const standardNames = ['id', 'timestamp', 'signature'] as const

/** The header strings as they came; `svix-` is the older name of the same scheme. Undefined when one is missing. */
export function standardWebhookParts(
  headers: InboundRequest['headers'],
  acceptSvix = false,
): { readonly id: string; readonly timestamp: string; readonly signature: string } | undefined {
  for (const prefix of acceptSvix ? ['webhook', 'svix'] : ['webhook']) {
    const [id, timestamp, signature] = standardNames.map((name) => headers[`${prefix}-${name}`])
    if (id && timestamp && signature) return { id, timestamp, signature }
  }
  return undefined
}

/**
 * Version 1 (HMAC-SHA256). One good signature among several is enough, unknown versions are passed over, and the time may
 * be 300 s off, both ways.
 */
export function verifyStandardWebhook(
  request: SignedParts,
  secret: string,
  now: Date,
  options: { readonly acceptSvix?: boolean } = {},
): Verdict {
  const parts = standardWebhookParts(request.headers, options.acceptSvix)
  if (parts === undefined) return missing
  const sentAt = readTimestamp(parts.timestamp, 'unix_seconds')
  const key = standardKey(secret)
  if (sentAt === undefined || key === undefined) return forged
  const expected = `v1,${standardDigest(key, parts.id, parts.timestamp, request.body)}`
  // Every candidate is compared, so that the time does not tell which one matched.
  const matches = parts.signature.split(' ').filter((candidate) => sameText(candidate, expected))
  if (matches.length === 0) return forged
  return isTimely(sentAt, now) ? accepted : stale
}

/** Making a key from a secret costs as much as signing with it, and a hub has few secrets. */
const standardKeys = new Map<string, KeyObject>()
const keptKeys = 1_000

function standardKey(secret: string): KeyObject | undefined {
  const kept = standardKeys.get(secret)
  if (kept) return kept
  const bytes = decodeSecret(secret, 'base64')
  if (bytes === undefined) return undefined
  if (standardKeys.size >= keptKeys) standardKeys.clear()
  const key = createSecretKey(bytes)
  standardKeys.set(secret, key)
  return key
}

function standardDigest(key: KeyObject, id: string, timestamp: string, body: string | Buffer): string {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
}

export interface StandardWebhook {
  /** The same for every attempt: the receiver's deduplication key. */
  readonly id: string
  readonly sentAt: Date
  readonly body: string | Buffer
  /** Every active secret signs, so that receivers can rotate. @throws TypeError when one is empty or not base64 */
  readonly secrets: readonly string[]
}

/** The three headers of a Standard Webhook; the body must be sent byte for byte as given. */
export function signStandardWebhook(webhook: StandardWebhook): Record<string, string> {
  const timestamp = writeTimestamp(webhook.sentAt, 'unix_seconds')
  const signatures = webhook.secrets.map((secret) => {
    const key = standardKey(secret)
    if (key === undefined) {
      throw new TypeError(
        'webhook secret: expected whsec_ and base64; make one with: echo whsec_$(openssl rand -base64 32)',
      )
    }
    return `v1,${standardDigest(key, webhook.id, timestamp, webhook.body)}`
  })
  return { 'webhook-id': webhook.id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

// --- Any other HMAC scheme -------------------------------------------------------------------------------------------

/**
 * How a sender signs. Zendesk, Slack, HubSpot, GitHub and most scripts fit:
 * - Zendesk `{ header: 'x-zendesk-webhook-signature', encoding: 'base64', template: '{ts}{body}', timestamp: { …, format: 'rfc3339' } }`
 * - Slack `{ header: 'x-slack-signature', encoding: 'hex', prefix: 'v0=', template: 'v0:{ts}:{body}', timestamp: { …, format: 'unix_seconds' } }`
 * - GitHub `{ header: 'x-hub-signature-256', encoding: 'hex', prefix: 'sha256=', template: '{body}' }`
 */
export interface HmacProfile {
  /** Lower-case name of the header with the signature. */
  readonly header: string
  readonly algorithm: HmacAlgorithm
  readonly encoding: SignatureEncoding
  /** Stands before the signature: `sha256=`. */
  readonly prefix?: string
  /** What is signed, of `{body}` `{ts}` `{id}` `{method}` `{url}` and literal text. */
  readonly template: string
  readonly timestamp?: { readonly header: string; readonly format: TimestampFormat; readonly toleranceSeconds?: number }
  /** Header with the delivery's id. Only an id in the template is signed, and only a signed id can be trusted as a key. */
  readonly idHeader?: string
  readonly secretEncoding?: SecretEncoding
}

/** Why a profile cannot work, in words for an admin; undefined when it can. */
export function profileProblem(profile: HmacProfile): string | undefined {
  const used = [...profile.template.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '')
  const unknown = used.find((name) => !['body', 'ts', 'id', 'method', 'url'].includes(name))
  if (unknown !== undefined)
    return `template "${profile.template}": unknown part {${unknown}}; use {body}, {ts}, {id}, {method}, {url}`
  if (!used.includes('body'))
    return `template "${profile.template}": {body} is missing, so the content would not be signed`
  if (used.includes('ts') && !profile.timestamp)
    return `template "${profile.template}": {ts} needs the name of the timestamp header`
  if (profile.timestamp && !used.includes('ts')) {
    return `template "${profile.template}": {ts} is missing, so the timestamp would not be signed and protects from nothing`
  }
  if (used.includes('id') && !profile.idHeader)
    return `template "${profile.template}": {id} needs the name of the id header`
  return undefined
}

/** The bytes that the sender signed; undefined when a header they need is missing. */
function signedBytes(request: SignedParts, profile: HmacProfile): Buffer | undefined {
  const values: Record<string, string | Buffer | undefined> = {
    body: request.body,
    ts: profile.timestamp && request.headers[profile.timestamp.header],
    id: profile.idHeader && request.headers[profile.idHeader],
    method: request.method,
    url: request.url,
  }
  const parts: Buffer[] = []
  // Split on placeholders and fill in one pass, so that a value which contains "{body}" is never filled in again.
  for (const [index, part] of profile.template.split(/\{(body|ts|id|method|url)\}/).entries()) {
    const value = index % 2 === 0 ? part : values[part]
    if (value === undefined) return undefined
    parts.push(Buffer.isBuffer(value) ? value : Buffer.from(value))
  }
  return Buffer.concat(parts)
}

function hmacText(profile: HmacProfile, key: Buffer, content: Buffer): string {
  return `${profile.prefix ?? ''}${createHmac(profile.algorithm, key).update(content).digest(profile.encoding)}`
}

export function verifyHmac(request: SignedParts, secret: string, profile: HmacProfile, now: Date): Verdict {
  const signature = request.headers[profile.header]
  const content = signedBytes(request, profile)
  if (!signature || content === undefined) return missing
  const key = decodeSecret(secret, profile.secretEncoding ?? 'utf8')
  if (key === undefined || !sameText(signature, hmacText(profile, key, content))) return forged
  if (!profile.timestamp) return accepted
  const sentAt = readTimestamp(request.headers[profile.timestamp.header] ?? '', profile.timestamp.format)
  if (sentAt === undefined) return forged
  return isTimely(sentAt, now, profile.timestamp.toleranceSeconds) ? accepted : stale
}

/**
 * A key that survives redelivery and cannot be changed without the secret: the signed id, else a digest of the signed
 * bytes. An id outside the signature is not used, because whoever replays a request could replace it.
 */
export function signedKey(request: SignedParts, profile: HmacProfile): string {
  const id = profile.idHeader && profile.template.includes('{id}') ? request.headers[profile.idHeader] : undefined
  if (id) return id
  return createHash('sha256')
    .update(signedBytes(request, profile) ?? request.body)
    .digest('hex')
}

/** The headers of a request signed by this profile: for sandboxes, fixtures and tests. */
export function signHmac(
  request: { readonly body: string | Buffer; readonly method?: string; readonly url?: string; readonly id?: string },
  secret: string,
  profile: HmacProfile,
  now: Date,
): Record<string, string> {
  const headers: Record<string, string> = {}
  if (profile.timestamp) headers[profile.timestamp.header] = writeTimestamp(now, profile.timestamp.format)
  if (profile.idHeader && request.id) headers[profile.idHeader] = request.id
  const content = signedBytes({ ...request, headers, body: Buffer.from(request.body) }, profile)
  const key = decodeSecret(secret, profile.secretEncoding ?? 'utf8')
  if (content === undefined || key === undefined) {
    throw new TypeError(`cannot sign with template "${profile.template}": the secret is empty or a part has no value`)
  }
  return { ...headers, [profile.header]: hmacText(profile, key, content) }
}
