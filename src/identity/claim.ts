/** What a connection says about a person, as the planner takes it: the record's key, its fields, its identity keys. */
import type { PersonFacts } from '#hub/connector/facts.ts'
import type { IdentityKind } from '#hub/platform/db/schema.ts'
import { type CompanyClaim, readCompany } from './company-claim.ts'
import { normaliseEmail } from './email.ts'
import { countryOf, type ReadPhone } from './phone.ts'
import type { Policy } from './policy.ts'

export interface PersonClaim {
  readonly connectionId: string
  readonly person: PersonFacts
  /** ISO 8601: orders facts. */
  readonly at: string
  readonly inboxSeq?: number
}

export interface Key {
  readonly kind: Exclude<IdentityKind, 'external'>
  readonly value: string
}

/** A trait's field is `traits.<name>`; the others are the vendor's own. */
export interface ReadClaim {
  readonly connectionId: string
  readonly externalId: string
  readonly verified: boolean
  readonly at: string
  readonly fields: Readonly<Record<string, unknown>>
  /** E-mail addresses first: they are the stronger keys. */
  readonly keys: readonly Key[]
  readonly company: CompanyClaim | undefined
  readonly inboxSeq: number | undefined
}

/** @returns undefined for a person without id, address and number: nobody can tell who that is. */
export function readClaim(claim: PersonClaim, policy: Policy, readPhone: ReadPhone): ReadClaim | undefined {
  const { person, connectionId } = claim
  const country = countryOf(person.locale) ?? policy.defaultCountry
  const emails = distinct(person.emails, normaliseEmail)
  const phones = distinct(person.phones, (text) => readPhone(text, country))
  const verified = person.verified !== false
  const externalId = person.id ?? ownKey(emails, phones, verified)
  if (externalId === undefined) return undefined
  const company = person.company && readCompany(person.company)
  const at = new Date(claim.at).toISOString()
  return {
    connectionId,
    externalId,
    verified,
    at,
    fields: fieldsOf(person, company),
    keys: [
      ...emails.filter((email) => !policy.isBlocked(email)).map((value): Key => ({ kind: 'email', value })),
      ...phones.map((value): Key => ({ kind: 'phone', value })),
    ],
    company,
    inboxSeq: claim.inboxSeq,
  }
}

/**
 * A vendor without directory (plain mail) knows people by address. What nobody has verified is a record of its own: else
 * a forged sender would write into the real person's record.
 */
function ownKey(emails: readonly string[], phones: readonly string[], verified: boolean): string | undefined {
  const key = emails[0] === undefined ? phones[0] && `phone:${phones[0]}` : `email:${emails[0]}`
  return key === undefined || verified ? key : `unverified:${key}`
}

/** Is this record known by its address, for want of a vendor's id? */
export function isOwnKey(externalId: string): boolean {
  return /^(unverified:)?(email|phone):/.test(externalId)
}

function fieldsOf(person: PersonFacts, company: CompanyClaim | undefined): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if (person.name !== undefined) fields['name'] = person.name
  if (person.emails !== undefined) fields['emails'] = person.emails
  if (person.phones !== undefined) fields['phones'] = person.phones
  if (person.locale !== undefined) fields['locale'] = person.locale
  if (company) fields['company'] = company.externalId
  for (const [name, value] of Object.entries(person.traits ?? {})) fields[`traits.${name}`] = value
  return fields
}

function distinct(
  texts: readonly string[] | undefined,
  normalise: (text: string) => string | undefined,
): readonly string[] {
  if (!texts || texts.length === 0) return []
  return [...new Set(texts.flatMap((text) => normalise(text) ?? []))]
}
