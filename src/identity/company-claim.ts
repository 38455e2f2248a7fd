/** What a connection says about a person's company. */
import type { CompanyFacts } from '#hub/connector/facts.ts'
import { normaliseDomain } from './email.ts'
import { isFreeMail } from './free-mail.ts'

export interface CompanyClaim {
  readonly externalId: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** @returns undefined for a company without id, domain and name. */
export function readCompany(company: CompanyFacts): CompanyClaim | undefined {
  const domain = companyDomain(company.domain)
  const name = company.name?.trim().normalize('NFC').toLowerCase()
  const externalId = company.id ?? (domain ? `domain:${domain}` : name ? `name:${name}` : undefined)
  if (externalId === undefined) return undefined
  const fields: Record<string, unknown> = {}
  if (company.name !== undefined) fields['name'] = company.name
  if (company.domain !== undefined) fields['domain'] = company.domain
  for (const [trait, value] of Object.entries(company.traits ?? {})) fields[`traits.${trait}`] = value
  return { externalId, fields }
}

/** The domain as a key; undefined where it says nothing about a company. */
export function companyDomain(domain: unknown): string | undefined {
  const ascii = typeof domain === 'string' ? normaliseDomain(domain) : undefined
  return ascii === undefined || isFreeMail(ascii) ? undefined : ascii
}
