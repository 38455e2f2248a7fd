/** Profiles as others read them, shaped from what the records say. Pure. */
import type { FieldValue } from '#hub/connector/facts.ts'
import type { IdentityKind } from '#hub/platform/db/schema.ts'
import type { ProfileView } from '#hub/rules/plan.ts'
import type { Company } from './company-plan.ts'
import { goldenTraits, type SourceOrder, type SourceRecord, type Trait, traitName } from './golden.ts'

export interface IdentityView {
  readonly kind: IdentityKind
  readonly value: string
  /** For ids of a vendor. */
  readonly connection_id?: string
  readonly verified: boolean
}

/** A profile with the sources of everything; names as on the wire. */
export interface ProfileDetails {
  /** Of the root. */
  readonly id: string
  readonly name: string | null
  readonly identities: readonly IdentityView[]
  /** Also `name`, `locale`, `emails` and `phones`, unless a trait of the same name is there. */
  readonly traits: Readonly<Record<string, Trait>>
  readonly company: Company | null
  readonly open_cases: number
  readonly leaves: readonly string[]
  readonly created_at: string
  readonly updated_at: string
}

/** All that the leaves of one root own. */
export interface Holdings {
  readonly rootId: string
  readonly leaves: readonly { readonly id: string; readonly createdAt: Date; readonly updatedAt: Date }[]
  readonly records: readonly (SourceRecord & { readonly profileId: string; readonly companyId: string | null })[]
  readonly identities: readonly IdentityView[]
  readonly openCases: number
}

export interface Companies {
  readonly byId: ReadonlyMap<string, Company>
  readonly byDomain: ReadonlyMap<string, Company>
}

export function toProfileView(holdings: Holdings, companies: Companies, order: SourceOrder): ProfileView {
  const golden = goldenTraits(holdings.records, order)
  const company = companyOf(holdings, golden, companies)
  const traits = [...golden].flatMap(([field, { value }]) => {
    const name = traitName(field)
    return name === undefined ? [] : [[name, value as FieldValue] as const]
  })
  return {
    id: holdings.rootId,
    name: text(golden.get('name')),
    emails: texts(golden.get('emails')),
    phones: texts(golden.get('phones')),
    locale: text(golden.get('locale')),
    traits: Object.fromEntries(traits),
    company: company && { ...company.traits, name: company.name, domain: company.domain },
    open_cases: holdings.openCases,
  }
}

export function toProfileDetails(holdings: Holdings, companies: Companies, order: SourceOrder): ProfileDetails {
  const golden = goldenTraits(holdings.records, order)
  const times = (pick: (leaf: Holdings['leaves'][number]) => Date) =>
    holdings.leaves.map((leaf) => pick(leaf).getTime())
  const own = [...golden].flatMap(([field, trait]) =>
    field === 'company' || traitName(field) ? [] : [[field, trait] as const],
  )
  const custom = [...golden].flatMap(([field, trait]) => {
    const name = traitName(field)
    return name === undefined ? [] : [[name, trait] as const]
  })
  return {
    id: holdings.rootId,
    name: text(golden.get('name')),
    identities: holdings.identities,
    traits: Object.fromEntries([...own, ...custom]),
    company: companyOf(holdings, golden, companies),
    open_cases: holdings.openCases,
    leaves: holdings.leaves.map((leaf) => leaf.id).toSorted(),
    created_at: new Date(Math.min(...times((leaf) => leaf.createdAt))).toISOString(),
    updated_at: new Date(Math.max(...times((leaf) => leaf.updatedAt))).toISOString(),
  }
}

/** Where no source names a company: the one whose domain a verified address has. */
function companyOf(holdings: Holdings, golden: ReadonlyMap<string, Trait>, companies: Companies): Company | null {
  const named = golden.get('company')?.source
  const record = holdings.records.find(
    (one) => one.connectionId === named?.connection_id && one.externalId === named.record,
  )
  if (record?.companyId) return companies.byId.get(record.companyId) ?? null
  for (const identity of holdings.identities) {
    const company = identity.verified ? companies.byDomain.get(domainOfIdentity(identity) ?? '') : undefined
    if (company) return company
  }
  return null
}

export function domainOfIdentity({ kind, value }: Pick<IdentityView, 'kind' | 'value'>): string | undefined {
  return kind === 'email' ? value.slice(value.lastIndexOf('@') + 1) : undefined
}

function text(trait: Trait | undefined): string | null {
  return typeof trait?.value === 'string' ? trait.value : null
}

function texts(trait: Trait | undefined): readonly string[] {
  return Array.isArray(trait?.value) ? trait.value : []
}
