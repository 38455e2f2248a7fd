/** The SQL behind what others read of profiles: a constant number of statements, however many profiles are asked for. */
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import type { DatedFields, IdentityKind } from '#hub/platform/db/schema.ts'
import { isOwnKey } from './claim.ts'
import type { Company } from './company-plan.ts'
import { isFreeMail } from './free-mail.ts'
import type { SourceOrder } from './golden.ts'
import { hubSource, loadSettings } from './load.ts'
import { type Companies, domainOfIdentity, type Holdings, type IdentityView } from './view.ts'

export interface Loaded {
  /** By leaf: all leaves of a root have the same holdings. */
  readonly byLeaf: ReadonlyMap<string, Holdings>
  readonly companies: Companies
  readonly order: SourceOrder
}

/** @param ids leaves or roots; unknown ones are left out. */
export async function loadHoldings(db: Db, ids: readonly string[]): Promise<Loaded> {
  const leaves = await loadLeaves(db, ids)
  const all = leaves.map((leaf) => leaf.id)
  const rootOf = new Map(leaves.map((leaf) => [leaf.id, leaf.rootId]))
  const records = await loadRecords(db, all)
  const identities = await loadIdentities(db, all)
  const openCases = await countOpenCases(db, all)
  const leavesByRoot = Object.groupBy(leaves, (leaf) => leaf.rootId)
  const recordsByRoot = Object.groupBy(records, (record) => rootOf.get(record.profileId) ?? '')
  const identitiesByRoot = Object.groupBy(identities, (identity) => rootOf.get(identity.profileId) ?? '')
  const holdings = new Map<string, Holdings>()
  for (const [rootId, own = []] of Object.entries(leavesByRoot)) {
    const held = recordsByRoot[rootId] ?? []
    holdings.set(rootId, {
      rootId,
      leaves: own,
      records: held,
      identities: [...(identitiesByRoot[rootId] ?? []), ...held.flatMap(vendorId)].map(toView).toSorted(byKind),
      openCases: own.reduce((sum, leaf) => sum + (openCases.get(leaf.id) ?? 0), 0),
    })
  }
  const companies = await loadCompanies(
    db,
    records.flatMap((record) => record.companyId ?? []),
    identities.flatMap((identity) => (identity.verified ? (domainOfIdentity(identity) ?? []) : [])),
  )
  const byLeaf = leaves.flatMap(({ id, rootId }) => {
    const held = holdings.get(rootId)
    return held ? [[id, held] as const] : []
  })
  return { byLeaf: new Map(byLeaf), companies, order: await loadSourceOrder(db) }
}

async function loadLeaves(db: Db, ids: readonly string[]) {
  const { rows } = await sql<{ id: string; rootId: string; createdAt: Date; updatedAt: Date }>`
    with root as materialized (
      select distinct profile.root_id
      from unnest(${ids}::text[]) as asked(id), lateral (select root_id from profiles where id = asked.id offset 0) profile
    )
    select leaf.id, leaf.root_id as "rootId", leaf.created_at as "createdAt", leaf.updated_at as "updatedAt"
    from root, lateral (select * from profiles where root_id = root.root_id offset 0) leaf
  `.execute(db)
  return rows
}

interface LoadedRecord {
  readonly connectionId: string
  readonly externalId: string
  readonly profileId: string
  readonly companyId: string | null
  readonly verified: boolean
  readonly facts: DatedFields
}

async function loadRecords(db: Db, leaves: readonly string[]): Promise<readonly LoadedRecord[]> {
  const { rows } = await sql<LoadedRecord>`
    select record.connection_id as "connectionId", record.external_id as "externalId", record.profile_id as "profileId",
      record.company_id as "companyId", record.verified, record.facts
    from unnest(${leaves}::text[]) as leaf(id),
    lateral (select * from person_records where profile_id = leaf.id offset 0) record
  `.execute(db)
  return rows
}

interface LoadedIdentity {
  readonly profileId: string
  readonly kind: IdentityKind
  readonly value: string
  readonly connectionId?: string
  readonly verified: boolean
}

async function loadIdentities(db: Db, leaves: readonly string[]): Promise<readonly LoadedIdentity[]> {
  const { rows } = await sql<LoadedIdentity>`
    select identity.profile_id as "profileId", identity.kind, identity.value, identity.verified
    from unnest(${leaves}::text[]) as leaf(id),
    lateral (select * from identities where profile_id = leaf.id offset 0) identity
  `.execute(db)
  return rows
}

/** A vendor's id is its record's key; it stands beside the addresses only where it is read. */
function vendorId({ connectionId, externalId, profileId, verified }: LoadedRecord): LoadedIdentity[] {
  if (connectionId === hubSource || isOwnKey(externalId)) return []
  return [{ profileId, kind: 'external', value: externalId, connectionId, verified }]
}

function toView({ kind, value, connectionId, verified }: LoadedIdentity): IdentityView {
  return { kind, value, ...(connectionId === undefined ? {} : { connection_id: connectionId }), verified }
}

const kinds: readonly IdentityKind[] = ['email', 'phone', 'external']
function byKind(a: IdentityView, b: IdentityView): number {
  if (a.kind !== b.kind) return kinds.indexOf(a.kind) - kinds.indexOf(b.kind)
  if (a.value !== b.value) return a.value < b.value ? -1 : 1
  return (a.connection_id ?? '') < (b.connection_id ?? '') ? -1 : 1
}

async function countOpenCases(db: Db, leaves: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ id: string; count: number }>`
    select leaf.id, own.count
    from unnest(${leaves}::text[]) as leaf(id),
    lateral (
      select count(*) from cases where requester_id = leaf.id and status not in ('solved', 'closed') offset 0
    ) own
    where own.count > 0
  `.execute(db)
  return new Map(rows.map((row) => [row.id, row.count]))
}

async function loadCompanies(db: Db, ids: readonly string[], domains: readonly string[]): Promise<Companies> {
  const askedIds = [...new Set(ids)]
  const askedDomains = [...new Set(domains)].filter((domain) => !isFreeMail(domain))
  if (askedIds.length === 0 && askedDomains.length === 0) return { byId: new Map(), byDomain: new Map() }
  const { rows } = await sql<Company>`
    select company.id, company.name, company.domain, company.traits from unnest(${askedIds}::text[]) as asked(id),
    lateral (select * from companies where id = asked.id offset 0) company
    union
    select company.id, company.name, company.domain, company.traits from unnest(${askedDomains}::text[]) as asked(domain),
    lateral (select * from companies where domain = asked.domain offset 0) company
  `.execute(db)
  return {
    byId: new Map(rows.map((company) => [company.id, company])),
    byDomain: new Map(rows.flatMap((company) => (company.domain === null ? [] : [[company.domain, company] as const]))),
  }
}

/** The settings name connections by name or id. */
async function loadSourceOrder(db: Db): Promise<SourceOrder> {
  const settings = await loadSettings(db)
  if (settings.sources.length === 0 && Object.keys(settings.trait_sources).length === 0) return () => []
  const connections = await db.selectFrom('connections').select(['id', 'name']).execute()
  const idOf = new Map(connections.flatMap(({ id, name }) => [[name, id] as const, [id, id] as const]))
  const toIds = (sources: readonly string[]) => sources.map((source) => idOf.get(source) ?? source)
  const general = toIds(settings.sources)
  const special = new Map(Object.entries(settings.trait_sources).map(([trait, sources]) => [trait, toIds(sources)]))
  return (trait) => special.get(trait) ?? general
}
