/**
 * Which company each vendor's company record belongs to. Pure. The newest domain decides: records with one domain are one
 * company, a record without stands for itself. Companies have no journal; their golden values are kept beside them.
 */
import type { FieldValue } from '#hub/connector/facts.ts'
import type { DatedFields } from '#hub/platform/db/schema.ts'
import type { ReadClaim } from './claim.ts'
import { companyDomain } from './company-claim.ts'
import { canonicalJson, takeNews } from './dated-facts.ts'

export interface Company {
  readonly id: string
  readonly name: string | null
  readonly domain: string | null
  readonly traits: Readonly<Record<string, FieldValue>>
}
interface CompanyRecord {
  readonly connectionId: string
  readonly externalId: string
  readonly companyId: string
  readonly facts: DatedFields
  readonly observedAt: string
}
/** Each company comes with all its records. */
export interface CompanyWorld {
  readonly companies: ReadonlyMap<string, Company>
  readonly records: ReadonlyMap<string, CompanyRecord>
}
export interface CompanyPlan {
  readonly world: CompanyWorld
  readonly changedCompanies: readonly Company[]
  readonly changedRecords: readonly CompanyRecord[]
  /** Companies that no record is left of. */
  readonly removed: readonly string[]
  /** Known records that belong to another company now; the people of these records go with them. */
  readonly moved: readonly { readonly record: CompanyRecord; readonly from: string }[]
}

export const emptyCompanyWorld: CompanyWorld = { companies: new Map(), records: new Map() }

/** The record's place in maps; vendors' ids may hold anything but a NUL. */
export function recordKey(connectionId: string, externalId: string): string {
  return `${connectionId}\0${externalId}`
}

export function planCompanies(world: CompanyWorld, claims: readonly ReadClaim[], newId: () => string): CompanyPlan {
  const companies = new Map(world.companies)
  const records = new Map(world.records)
  const members = new Map<string, Set<string>>()
  const byDomain = new Map<string, string>()
  for (const company of companies.values()) if (company.domain !== null) byDomain.set(company.domain, company.id)
  for (const [key, record] of records) membersOf(record.companyId).add(key)
  const changedRecords = new Set<string>()
  const touched = new Set<string>()

  for (const { company, connectionId, at } of claims) {
    if (!company) continue
    const key = recordKey(connectionId, company.externalId)
    const known = records.get(key)
    const { facts } = takeNews(known?.facts ?? {}, company.fields, at)
    if (known && facts === known.facts) continue
    const companyId = homeOf(companyDomain(facts['domain']?.value), known)
    if (known && known.companyId !== companyId) membersOf(known.companyId).delete(key)
    membersOf(companyId).add(key)
    const observedAt = known && known.observedAt > at ? known.observedAt : at
    records.set(key, { connectionId, externalId: company.externalId, companyId, facts, observedAt })
    changedRecords.add(key)
    touched.add(companyId)
    if (known) touched.add(known.companyId)
  }
  return conclude()

  function membersOf(companyId: string): Set<string> {
    const set = members.get(companyId) ?? new Set()
    members.set(companyId, set)
    return set
  }

  function homeOf(domain: string | undefined, known: CompanyRecord | undefined): string {
    const own = known && membersOf(known.companyId).size === 1 ? companies.get(known.companyId) : undefined
    const home = domain === undefined ? undefined : byDomain.get(domain)
    if (home !== undefined) return home
    // It keeps the company that it has for itself, and takes it along to the new domain.
    const id = own?.id ?? newId()
    if (own?.domain) byDomain.delete(own.domain)
    if (domain !== undefined) byDomain.set(domain, id)
    companies.set(id, { id, name: own?.name ?? null, domain: domain ?? null, traits: own?.traits ?? {} })
    return id
  }

  function conclude(): CompanyPlan {
    const changedCompanies: Company[] = []
    const removed: string[] = []
    for (const id of touched) {
      const company = companies.get(id)
      if (!company) continue
      const own = [...membersOf(id)].flatMap((key) => records.get(key) ?? [])
      if (own.length === 0) {
        companies.delete(id)
        if (company.domain !== null && byDomain.get(company.domain) === id) byDomain.delete(company.domain)
        if (world.companies.has(id)) removed.push(id)
        continue
      }
      const golden = { ...company, ...goldenCompany(own) }
      companies.set(id, golden)
      const before = world.companies.get(id)
      if (!before || canonicalJson(before) !== canonicalJson(golden)) changedCompanies.push(golden)
    }
    const changed = [...changedRecords].flatMap((key) => records.get(key) ?? [])
    const moved = changed.flatMap((record) => {
      const before = world.records.get(recordKey(record.connectionId, record.externalId))
      return before && before.companyId !== record.companyId ? [{ record, from: before.companyId }] : []
    })
    return { world: { companies, records }, changedCompanies, changedRecords: changed, removed, moved }
  }
}

/** Newest first; a value beats "empty". */
function goldenCompany(records: readonly CompanyRecord[]): Pick<Company, 'name' | 'traits'> {
  const best = new Map<string, { value: unknown; at: string }>()
  for (const { facts } of records) {
    for (const [field, fact] of Object.entries(facts)) {
      if (fact.value === null || fact.value === '') continue
      const old = best.get(field)
      const isBetter =
        !old || fact.at > old.at || (fact.at === old.at && canonicalJson(fact.value) > canonicalJson(old.value))
      if (isBetter) best.set(field, fact)
    }
  }
  const name = best.get('name')?.value
  const traits = [...best].flatMap(([field, { value }]) =>
    field.startsWith('traits.') ? [[field.slice('traits.'.length), value as FieldValue] as const] : [],
  )
  return { name: typeof name === 'string' ? name : null, traits: Object.fromEntries(traits.toSorted(byName)) }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
