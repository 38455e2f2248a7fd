/** The secrets that verify a connection's webhooks: one, or two while the old one runs out. Pure but for the random ones. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'

export const WebhookSecret = z.object({
  secret: z.string(),
  /** ISO 8601. Refused from then on; absent for the current one. */
  until: z.string().optional(),
})
export type WebhookSecret = z.output<typeof WebhookSecret>

const minBytes = 24

/** As Standard Webhooks writes them. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/** One of ours, which a vendor that gives out secrets of its own does not know. */
export function isOwnWebhookSecret(secret: string): boolean {
  return /^whsec_[A-Za-z0-9+/]{43}=$/.test(secret)
}

/** @throws TypeError for a secret that could be guessed. */
export function checkWebhookSecret(secret: string): string {
  const text = secret.trim()
  const key = text.startsWith('whsec_') ? Buffer.from(text.slice(6), 'base64') : Buffer.from(text)
  if (key.length >= minBytes && new Set(key).size > 4) return text
  throw new TypeError(
    `webhook secret: ${key.length} bytes, or too few different ones; expected at least ${minBytes} random bytes, such as whsec_ and 32 bytes in base64`,
  )
}

/** Those that are good at `now`, the newest first. */
export function activeSecrets(secrets: readonly WebhookSecret[], now: Date): readonly string[] {
  return secrets.filter(({ until }) => until === undefined || new Date(until) > now).map(({ secret }) => secret)
}

/** The new one is good at once, the former one until the overlap ends, older ones no more. */
export function rotate(
  secrets: readonly WebhookSecret[],
  next: string,
  now: Date,
  overlapHours: number,
): readonly WebhookSecret[] {
  const former = secrets.find(({ until }) => until === undefined)
  if (!former || former.secret === next || overlapHours <= 0) return [{ secret: next }]
  const until = new Date(now.getTime() + overlapHours * 3_600_000).toISOString()
  return [{ secret: next }, { secret: former.secret, until }]
}
