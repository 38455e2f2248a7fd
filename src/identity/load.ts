/**
 * The SQL that loads what a batch of claims may touch: a constant number of statements, whatever the batch. Each look-up
 * is `lateral (… offset 0)`: on a table without statistics the planner would rather read all of it than look up a few
 * hundred keys; a subquery with an offset is looked up key by key.
 */
import { sql } from 'kysely'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import type { DatedFields } from '#hub/platform/db/schema.ts'
import { together } from '#hub/platform/db/together.ts'
import { isOwnKey, type ReadClaim } from './claim.ts'
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

/** Times in ISO 8601, as PostgreSQL writes them in JSON: in the session's time zone, UTC. */
interface Known {
  readonly records: readonly PersonRecord[]
  readonly identities: readonly Identity[]
  readonly leaves: readonly (Omit<Leaf, 'createdAt' | 'updatedAt' | 'vendor'> & {
    readonly createdAt: string
    readonly updatedAt: string
    readonly connectionId: string
    readonly externalId: string
  })[]
}

/** Records and identities of the claims, and all leaves of the roots of their owners: one statement, so that a small batch waits once. */
async function loadPeople(trx: Trx, claims: readonly ReadClaim[]): Promise<Omit<World, 'companies'>> {
  const refs = [...new Map(claims.map((claim) => [recordKey(claim.connectionId, claim.externalId), claim])).values()]
  const keys = [...new Map(claims.flatMap((claim) => claim.keys.map((key) => [keyText(key), key]))).values()]
  const { rows } = await sql<Known>`
    with record as materialized (
      select record.*
      from unnest(${refs.map((ref) => ref.connectionId)}::text[], ${refs.map((ref) => ref.externalId)}::text[])
        as ref(connection_id, external_id),
      lateral (
        select * from person_records where connection_id = ref.connection_id and external_id = ref.external_id offset 0
      ) record
    ), identity as materialized (
      select identity.*
      from unnest(${keys.map((key) => key.kind)}::text[], ${keys.map((key) => key.value)}::text[]) as ref(kind, value),
      lateral (
        select * from identities where kind = ref.kind and value = ref.value and scope = '' offset 0
      ) identity
    ), root as materialized (
      select distinct profile.root_id
      from (select profile_id as id from record union select profile_id from identity) as owner,
      lateral (select root_id from profiles where id = owner.id offset 0) profile
    ), leaf as materialized (
      select leaf.*, owned.emails, owned.phones, record.connection_id, record.external_id,
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
    )
    select
      (select coalesce(json_agg(json_build_object('connectionId', connection_id, 'externalId', external_id,
        'profileId', profile_id, 'companyId', company_id, 'verified', verified, 'facts', facts,
        'observedAt', observed_at)), '[]') from record) as records,
      (select coalesce(json_agg(json_build_object('kind', kind, 'value', value, 'profileId', profile_id,
        'verified', verified, 'connectionId', connection_id, 'externalId', external_id)), '[]')
        from identity) as identities,
      (select coalesce(json_agg(json_build_object('id', id, 'rootId', root_id, 'name', name, 'createdAt', created_at,
        'updatedAt', updated_at, 'connectionId', connection_id, 'externalId', external_id, 'emails', emails,
        'phones', phones, 'blocked', blocked)), '[]') from leaf) as leaves
  `.execute(trx)
  const [known = { records: [], identities: [], leaves: [] }] = rows
  return {
    records: new Map(
      known.records.map((record) => [
        recordKey(record.connectionId, record.externalId),
        { ...record, observedAt: new Date(record.observedAt).toISOString() },
      ]),
    ),
    identities: new Map(known.identities.map((identity) => [keyText(identity), identity])),
    leaves: new Map(
      known.leaves.map(({ createdAt, updatedAt, connectionId, externalId, ...leaf }) => [
        leaf.id,
        {
          ...leaf,
          createdAt: new Date(createdAt),
          updatedAt: new Date(updatedAt),
          vendor: isOwnKey(externalId) ? null : connectionId,
        },
      ]),
    ),
  }
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
