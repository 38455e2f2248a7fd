/** The SQL behind what others read of profiles: a constant number of statements, however many profiles are asked for. */
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import type { DatedFields, IdentityKind } from '#hub/platform/db/schema.ts'
import { together } from '#hub/platform/db/together.ts'
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
  const [owned, order] = await together(loadOwned(db, ids), loadSourceOrder(db))
  const { leaves, records, identities } = owned
  const rootOf = new Map(leaves.map((leaf) => [leaf.id, leaf.rootId]))
  const leavesByRoot = Object.groupBy(leaves, (leaf) => leaf.rootId)
  const recordsByRoot = Object.groupBy(records, (record) => rootOf.get(record.profileId) ?? '')
  const identitiesByRoot = Object.groupBy(identities, (identity) => rootOf.get(identity.profileId) ?? '')
  const holdings = new Map<string, Holdings>()
  for (const [rootId, own = []] of Object.entries(leavesByRoot)) {
    const held = recordsByRoot[rootId] ?? []
    holdings.set(rootId, {
      rootId,
      leaves: own.map(({ id, createdAt, updatedAt }) => {
        return { id, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) }
      }),
      records: held,
      identities: [...(identitiesByRoot[rootId] ?? []), ...held.flatMap(vendorId)].map(toView).toSorted(byKind),
      openCases: own.reduce((sum, leaf) => sum + leaf.openCases, 0),
    })
  }
  const byLeaf = leaves.flatMap(({ id, rootId }) => {
    const held = holdings.get(rootId)
    return held ? [[id, held] as const] : []
  })
  return { byLeaf: new Map(byLeaf), companies: companiesOf(owned), order }
}

interface LoadedRecord {
  readonly connectionId: string
  readonly externalId: string
  readonly profileId: string
  readonly companyId: string | null
  readonly verified: boolean
  readonly facts: DatedFields
}

interface LoadedIdentity {
  readonly profileId: string
  readonly kind: IdentityKind
  readonly value: string
  readonly connectionId?: string
  readonly verified: boolean
}

/** Times in ISO 8601, as PostgreSQL writes them in JSON. */
interface Owned {
  readonly leaves: readonly {
    readonly id: string
    readonly rootId: string
    readonly createdAt: string
    readonly updatedAt: string
    readonly openCases: number
  }[]
  readonly records: readonly LoadedRecord[]
  readonly identities: readonly LoadedIdentity[]
  readonly companies: readonly Company[]
}

/**
 * One statement, so that a small batch waits once. Each table is looked up key by key (`offset 0`), as in load.ts; what comes
 * out is JSON, of which a thousand short rows are read sooner than as rows.
 */
async function loadOwned(db: Db, ids: readonly string[]): Promise<Owned> {
  const { rows } = await sql<Owned>`
    with root as materialized (
      select distinct profile.root_id
      from unnest(${ids}::text[]) as asked(id), lateral (select root_id from profiles where id = asked.id offset 0) profile
    ), leaf as materialized (
      select leaf.* from root, lateral (select * from profiles where root_id = root.root_id offset 0) leaf
    ), record as materialized (
      select record.* from leaf, lateral (select * from person_records where profile_id = leaf.id offset 0) record
    ), identity as materialized (
      select identity.* from leaf, lateral (select * from identities where profile_id = leaf.id offset 0) identity
    ), company as (
      select company.* from (select distinct company_id as id from record where company_id is not null) as asked,
      lateral (select * from companies where id = asked.id offset 0) company
      union
      select company.* from (
        select distinct substring(value from '[^@]*$') as domain from identity where kind = 'email' and verified
      ) as asked,
      lateral (select * from companies where domain = asked.domain offset 0) company
    )
    select
      (select coalesce(json_agg(json_build_object('id', id, 'rootId', root_id, 'createdAt', created_at,
        'updatedAt', updated_at, 'openCases', (
          select count(*) from cases where requester_id = leaf.id and status not in ('solved', 'closed')
        ))), '[]') from leaf) as leaves,
      (select coalesce(json_agg(json_build_object('connectionId', connection_id, 'externalId', external_id,
        'profileId', profile_id, 'companyId', company_id, 'verified', verified, 'facts', facts)), '[]')
        from record) as records,
      (select coalesce(json_agg(json_build_object('profileId', profile_id, 'kind', kind, 'value', value,
        'verified', verified)), '[]') from identity) as identities,
      (select coalesce(json_agg(json_build_object('id', id, 'name', name, 'domain', domain, 'traits', traits)), '[]')
        from company) as companies
  `.execute(db)
  return rows[0] ?? { leaves: [], records: [], identities: [], companies: [] }
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

/** A domain where everybody may have an address is nobody's company. */
function companiesOf({ companies, records, identities }: Owned): Companies {
  const named = new Set(records.map((record) => record.companyId))
  const domains = new Set(identities.flatMap((one) => (one.verified ? (domainOfIdentity(one) ?? []) : [])))
  const isWanted = ({ id, domain }: Company) =>
    named.has(id) || (domain !== null && domains.has(domain) && !isFreeMail(domain))
  const wanted = companies.filter(isWanted)
  return {
    byId: new Map(wanted.map((company) => [company.id, company])),
    byDomain: new Map(
      wanted.flatMap((company) => (company.domain === null ? [] : [[company.domain, company] as const])),
    ),
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
