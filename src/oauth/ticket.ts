/** Signed texts that go out with a browser and come back: links that were given out, and states. Pure. */
import { z } from 'zod'
import type { SecretBox } from '#hub/platform/secret-box.ts'

const Ticket = z.strictObject({
  connection: z.string(),
  /** The same for the link and for all that began with it: one installation comes of it. */
  once: z.string(),
  /** ms since 1970. */
  until: z.number(),
  /** Who gave the link out. */
  actor: z.string(),
  /** Digest of the secret of the browser that it belongs to. */
  browser: z.string().exactOptional(),
})
export type Ticket = z.output<typeof Ticket>

type Purpose = 'oauth link' | 'oauth state'

export function ticketText(secrets: Pick<SecretBox, 'sign'>, purpose: Purpose, ticket: Ticket): string {
  const text = Buffer.from(JSON.stringify(ticket)).toString('base64url')
  return `${text}.${secrets.sign(purpose, text).toString('base64url')}`
}

/** @returns undefined for what was not signed here for this purpose, was changed, or is over. */
export function readTicket(
  secrets: Pick<SecretBox, 'verify'>,
  purpose: Purpose,
  given: unknown,
  now: Date,
): Ticket | undefined {
  const [, text, signature] =
    /^([A-Za-z0-9_-]{1,2000})\.([A-Za-z0-9_-]{43})$/.exec(typeof given === 'string' ? given : '') ?? []
  if (!text || !signature || !secrets.verify(purpose, text, Buffer.from(signature, 'base64url'))) return undefined
  const ticket = Ticket.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  return ticket.until > now.getTime() ? ticket : undefined
}

/** The first of that name; a browser sends each once. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name) return value
  }
  return undefined
}
