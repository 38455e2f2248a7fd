/** What a workspace says about identity: settings key `identity`. */
import { z } from 'zod'
import { domainOf, localPart, normaliseEmail } from './email.ts'
import { isRoleAddress } from './role-addresses.ts'

const Address = z.string().transform((text, issue) => {
  const email = normaliseEmail(text)
  if (email === undefined) issue.addIssue({ code: 'custom', message: `"${text}" is no e-mail address` })
  return email ?? ''
})
const Domain = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[^\s@]+\.[^\s@]+$/, 'expected a domain such as "acme.example"')
const Sources = z.array(z.string().min(1)).describe('Connections by name or id, the most trusted first.')

export const IdentitySettings = z.strictObject({
  blocked_emails: z.array(Address).default([]).describe('Shared mailboxes: never a key.'),
  blocked_domains: z.array(Domain).default([]).describe('Every address below these domains is no key.'),
  own_agents: z.array(Address).default([]).describe('Your own agents, who also appear as requesters.'),
  default_country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'expected an ISO 3166 country such as "ES"')
    .optional()
    .describe('Where phone numbers without country code belong, for people whose locale names no country.'),
  limits: z
    .strictObject({
      email: z.int().min(1).default(20),
      phone: z.int().min(1).default(10),
      external_per_connection: z.int().min(1).default(5),
    })
    .prefault({})
    .describe('A profile with more than this is a sign of strangers glued together: the merge becomes a suggestion.'),
  sources: Sources.default([]),
  trait_sources: z.record(z.string(), Sources).default({}).describe('Another order for single traits.'),
})
export type IdentitySettings = z.output<typeof IdentitySettings>

export interface Policy {
  readonly isBlocked: (email: string) => boolean
  readonly defaultCountry: string | undefined
  readonly limits: IdentitySettings['limits']
}

export function policyOf(settings: IdentitySettings): Policy {
  const emails = new Set([...settings.blocked_emails, ...settings.own_agents])
  const domains = new Set(settings.blocked_domains)
  return {
    isBlocked: (email) => emails.has(email) || domains.has(domainOf(email)) || isRoleAddress(localPart(email)),
    defaultCountry: settings.default_country,
    limits: settings.limits,
  }
}

/** @throws Error naming the place of what the settings should not say. */
export function readSettings(value: unknown): IdentitySettings {
  const read = IdentitySettings.safeParse(value ?? {})
  if (read.success) return read.data
  const places = read.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`)
  throw new Error(`settings "identity" cannot be read (${places.join('; ')}); correct them under that key`)
}
