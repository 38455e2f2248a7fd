/** One spelling per mailbox. No tricks with dots or plus signs: they hold for some providers only. */
import { domainToASCII } from 'node:url'

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const unusable = /[\u0000-\u0020\u007f-\u00a0\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff<>()[\]\\,;:"@]/
const plainDomain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/

/**
 * Trimmed, NFC, lower-case, the domain in ASCII (punycode), so that a look-alike domain stays another domain.
 * @returns undefined for what is no address.
 */
export function normaliseEmail(text: string): string | undefined {
  const address = text.trim().normalize('NFC').toLowerCase()
  const at = address.lastIndexOf('@')
  if (at < 1 || address.length > 320) return undefined
  const local = address.slice(0, at)
  const domain = normaliseDomain(address.slice(at + 1))
  if (domain === undefined || unusable.test(local)) return undefined
  return `${local}@${domain}`
}

/** @returns the lower-case host name in ASCII, undefined for what is no domain with a dot. */
export function normaliseDomain(text: string): string | undefined {
  const lower = text.trim().toLowerCase()
  const ascii = plainDomain.test(lower) ? lower : domainToASCII(lower)
  // An address in digits is a machine, not a company's or provider's domain.
  return ascii.length <= 253 && plainDomain.test(ascii) && !/^[\d.]+$/.test(ascii) ? ascii : undefined
}

export function localPart(email: string): string {
  return email.slice(0, email.lastIndexOf('@'))
}

export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1)
}
