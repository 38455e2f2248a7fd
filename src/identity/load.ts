/**
 * The SQL that loads what a batch of claims may touch: a constant number of statements, whatever the batch. Each look-up
 * is `lateral (… offset 0)`: on a table without statistics the planner would rather read all of it than look up a few
 * hundred keys; a subquery with an offset is looked up key by key.
 */
import { sql } from 'kysely'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import type { DatedFields } from '#hub/platform/db/schema.ts'
import { together } from '#hub/platform/db/together.ts'
import { isOwnKey, type Key, type ReadClaim } from './claim.ts'
import { companyDomain } from './company-claim.ts'
import { type Company, type CompanyWorld, emptyCompanyWorld, recordKey } from './company-plan.ts'
import { type IdentitySettings, readSettings } from './policy.ts'
import { type Identity, keyText, type Leaf, type PersonRecord, type World } from './world.ts'

/** The source of what rules say about a person, beside the connections. */
export const hubSource = 'hub'

export async function loadSettings(db: Db): Promise<IdentitySettings> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', 'identity').executeTakeFirst()
  return readSettings(row?.value)
}

export async function loadWorld(trx: Trx, claims: readonly ReadClaim[]): Promise<World> {
  const [people, companies] = await together(loadPeople(trx, claims), loadCompanies(trx, claims))
  return { ...people, companies }
}

async function loadPeople(trx: Trx, claims: readonly ReadClaim[]): Promise<Omit<World, 'companies'>> {
  const known = await loadKnown(trx, claims)
  const owners = [...known.records.values(), ...known.identities.values()].map((one) => one.profileId)
  return { ...known, leaves: await loadLeaves(trx, [...new Set(owners)]) }
}

type KnownRow = { readonly connection_id: string; readonly external_id: string; readonly profile_id: string } & (
  | { readonly kind: null; readonly company_id: string | null; readonly facts: DatedFields; readonly observed_at: Date }
  | { readonly kind: Key['kind']; readonly value: string }
) & { readonly verified: boolean }

/** Records and identities in one round trip. */
async function loadKnown(trx: Trx, claims: readonly ReadClaim[]): Promise<Pick<World, 'records' | 'identities'>> {
  const refs = [...new Map(claims.map((claim) => [recordKey(claim.connectionId, claim.externalId), claim])).values()]
  const keys = [...new Map(claims.flatMap((claim) => claim.keys.map((key) => [keyText(key), key]))).values()]
  const { rows } = await sql<KnownRow>`
    select null as kind, null as value, record.connection_id, record.external_id, record.profile_id, record.verified,
      record.company_id, record.facts, record.observed_at
    from unnest(${refs.map((ref) => ref.connectionId)}::text[], ${refs.map((ref) => ref.externalId)}::text[])
      as ref(connection_id, external_id),
    lateral (
      select * from person_records where connection_id = ref.connection_id and external_id = ref.external_id offset 0
    ) record
    union all
    select identity.kind, identity.value, identity.connection_id, identity.external_id, identity.profile_id,
      identity.verified, null, null, null
    from unnest(${keys.map((key) => key.kind)}::text[], ${keys.map((key) => key.value)}::text[]) as ref(kind, value),
    lateral (
      select * from identities where kind = ref.kind and value = ref.value and scope = '' offset 0
    ) identity
  `.execute(trx)
  const records = new Map<string, PersonRecord>()
  const identities = new Map<string, Identity>()
  for (const row of rows) {
    const owned = {
      connectionId: row.connection_id,
      externalId: row.external_id,
      profileId: row.profile_id,
      verified: row.verified,
    }
    if (row.kind !== null) {
      identities.set(keyText(row), { ...owned, kind: row.kind, value: row.value })
      continue
    }
    records.set(recordKey(row.connection_id, row.external_id), {
      ...owned,
      companyId: row.company_id,
      facts: row.facts,
      observedAt: row.observed_at.toISOString(),
    })
  }
  return { records, identities }
}

/** With each leaf all leaves of its root, as the planner needs them. */
async function loadLeaves(trx: Trx, ids: readonly string[]): Promise<Map<string, Leaf>> {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<{
    id: string
    root_id: string
    name: string | null
    created_at: Date
    updated_at: Date
    connection_id: string
    external_id: string
    emails: number
    phones: number
    blocked: string[]
  }>`
    with root as materialized (
      select distinct profile.root_id
      from unnest(${ids}::text[]) as leaf(id), lateral (select root_id from profiles where id = leaf.id offset 0) profile
    )
    select leaf.id, leaf.root_id, leaf.name, leaf.created_at, leaf.updated_at, owned.emails, owned.phones,
      record.connection_id, record.external_id,
      array(select merged_id from merges where kept_id = leaf.id and undone_at is not null
            union all
            select profile_b from merge_suggestions where profile_a = leaf.id and state = 'dismissed') as blocked
    from root,
    lateral (select * from profiles where root_id = root.root_id offset 0) leaf,
    lateral (
      select connection_id, external_id from person_records
      where profile_id = leaf.id and connection_id <> ${hubSource} limit 1
    ) record,
    lateral (
      select count(*) filter (where kind = 'email') as emails, count(*) filter (where kind = 'phone') as phones
      from identities where profile_id = leaf.id
    ) owned
  `.execute(trx)
  return new Map(
    rows.map((row): [string, Leaf] => [
      row.id,
      {
        id: row.id,
        rootId: row.root_id,
        name: row.name,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
        vendor: isOwnKey(row.external_id) ? null : row.connection_id,
        emails: row.emails,
        phones: row.phones,
        blocked: row.blocked,
      },
    ]),
  )
}

interface CompanyRecordRow {
  readonly connection_id: string
  readonly external_id: string
  readonly company_id: string
  readonly facts: DatedFields
  readonly observed_at: Date
}

/** The companies of the claims' records and of their domains, each with all its records. */
async function loadCompanies(trx: Trx, claims: readonly ReadClaim[]): Promise<CompanyWorld> {
  const refs = new Map<string, readonly [string, string]>()
  const domains = new Set<string>()
  for (const { connectionId, company } of claims) {
    if (!company) continue
    refs.set(recordKey(connectionId, company.externalId), [connectionId, company.externalId])
    const domain = companyDomain(company.fields['domain'])
    if (domain !== undefined) domains.add(domain)
  }
  if (refs.size === 0) return emptyCompanyWorld
  const pairs = [...refs.values()]
  const { rows } = await sql<
    CompanyRecordRow & { id: string; name: string | null; domain: string | null; traits: Company['traits'] }
  >`
    with known as materialized (
      select record.company_id as id
      from unnest(${pairs.map(([connection]) => connection)}::text[], ${pairs.map(([, id]) => id)}::text[])
        as ref(connection_id, external_id),
      lateral (
        select company_id from company_records
        where connection_id = ref.connection_id and external_id = ref.external_id offset 0
      ) record
      union
      select company.id
      from unnest(${[...domains]}::text[]) as ref(domain),
      lateral (select id from companies where domain = ref.domain offset 0) company
    )
    select company.id, company.name, company.domain, company.traits, record.connection_id, record.external_id,
      record.company_id, record.facts, record.observed_at
    from known,
    lateral (select * from companies where id = known.id offset 0) company,
    lateral (select * from company_records where company_id = known.id offset 0) record
  `.execute(trx)
  return {
    companies: new Map(rows.map(({ id, name, domain, traits }) => [id, { id, name, domain, traits }])),
    records: new Map(
      rows.map((row) => [
        recordKey(row.connection_id, row.external_id),
        {
          connectionId: row.connection_id,
          externalId: row.external_id,
          companyId: row.company_id,
          facts: row.facts,
          observedAt: row.observed_at.toISOString(),
        },
      ]),
    ),
  }
}
