/**
 * The SQL of a batch of claims: a constant number of statements, whatever the batch. Each look-up is `lateral (… offset 0)`:
 * on a table without statistics the planner would rather read all of it than look up a few hundred keys; a subquery with
 * an offset is looked up key by key.
 */
import { sql } from 'kysely'
import { insertMany, overwrite } from '#hub/platform/db/bulk.ts'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import type { DatedFields } from '#hub/platform/db/schema.ts'
import type { Key, ReadClaim } from './claim.ts'
import { companyDomain } from './company-claim.ts'
import { type Company, type CompanyPlan, type CompanyWorld, emptyCompanyWorld, recordKey } from './company-plan.ts'
import type { Plan, PlannedMerge, PlannedSuggestion } from './plan.ts'
import { type IdentitySettings, readSettings } from './policy.ts'
import { type Identity, keyText, type Leaf, type PersonRecord, type World } from './world.ts'

/** The source of what rules say about a person, beside the connections. */
export const hubSource = 'hub'

export async function loadSettings(db: Db): Promise<IdentitySettings> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', 'identity').executeTakeFirst()
  return readSettings(row?.value)
}

export async function loadWorld(trx: Trx, claims: readonly ReadClaim[]): Promise<World> {
  const records = await loadRecords(trx, claims)
  const identities = await loadIdentities(trx, distinctKeys(claims))
  const owners = [...records.values(), ...identities.values()].map((one) => one.profileId)
  return {
    records,
    identities,
    leaves: await loadLeaves(trx, [...new Set(owners)]),
    companies: await loadCompanies(trx, claims),
  }
}

async function loadRecords(trx: Trx, claims: readonly ReadClaim[]): Promise<Map<string, PersonRecord>> {
  const refs = [...new Map(claims.map((claim) => [recordKey(claim.connectionId, claim.externalId), claim])).values()]
  const { rows } = await sql<{
    connection_id: string
    external_id: string
    profile_id: string
    company_id: string | null
    verified: boolean
    facts: DatedFields
    observed_at: Date
  }>`
    select record.connection_id, record.external_id, record.profile_id, record.company_id, record.verified, record.facts,
      record.observed_at
    from unnest(${refs.map((ref) => ref.connectionId)}::text[], ${refs.map((ref) => ref.externalId)}::text[])
      as ref(connection_id, external_id),
    lateral (
      select * from person_records where connection_id = ref.connection_id and external_id = ref.external_id offset 0
    ) record
  `.execute(trx)
  return new Map(
    rows.map((row): [string, PersonRecord] => [
      recordKey(row.connection_id, row.external_id),
      {
        connectionId: row.connection_id,
        externalId: row.external_id,
        profileId: row.profile_id,
        companyId: row.company_id,
        verified: row.verified,
        facts: row.facts,
        observedAt: row.observed_at.toISOString(),
      },
    ]),
  )
}

function distinctKeys(claims: readonly ReadClaim[]): readonly Key[] {
  return [...new Map(claims.flatMap((claim) => claim.keys.map((key) => [keyText(key), key]))).values()]
}

async function loadIdentities(trx: Trx, keys: readonly Key[]): Promise<Map<string, Identity>> {
  if (keys.length === 0) return new Map()
  const { rows } = await sql<{
    kind: Key['kind']
    value: string
    profile_id: string
    verified: boolean
    connection_id: string
    external_id: string
  }>`
    select identity.kind, identity.value, identity.profile_id, identity.verified, identity.connection_id,
      identity.external_id
    from unnest(${keys.map((key) => key.kind)}::text[], ${keys.map((key) => key.value)}::text[]) as ref(kind, value),
    lateral (
      select * from identities where kind = ref.kind and value = ref.value and scope = '' offset 0
    ) identity
  `.execute(trx)
  return new Map(
    rows.map((row): [string, Identity] => [
      keyText(row),
      {
        kind: row.kind,
        value: row.value,
        profileId: row.profile_id,
        verified: row.verified,
        connectionId: row.connection_id,
        externalId: row.external_id,
      },
    ]),
  )
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
    connection_id: string | null
    emails: number
    phones: number
    blocked: string[]
  }>`
    with root as materialized (
      select distinct profile.root_id
      from unnest(${ids}::text[]) as leaf(id), lateral (select root_id from profiles where id = leaf.id offset 0) profile
    )
    select leaf.id, leaf.root_id, leaf.name, leaf.created_at, leaf.updated_at, owned.emails, owned.phones,
      (select connection_id from person_records
       where profile_id = leaf.id and connection_id <> ${hubSource} limit 1) as connection_id,
      array(select merged_id from merges where kept_id = leaf.id and undone_at is not null
            union all
            select profile_b from merge_suggestions where profile_a = leaf.id and state = 'dismissed') as blocked
    from root,
    lateral (select * from profiles where root_id = root.root_id offset 0) leaf,
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
        connectionId: row.connection_id ?? '',
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

const profileColumns = {
  id: 'text',
  root_id: 'text',
  name: 'text',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
}
const recordColumns = {
  connection_id: 'text',
  external_id: 'text',
  profile_id: 'text',
  company_id: 'text',
  verified: 'boolean',
  facts: 'jsonb',
  observed_at: 'timestamptz',
}
const identityColumns = {
  kind: 'text',
  value: 'text',
  profile_id: 'text',
  verified: 'boolean',
  connection_id: 'text',
  external_id: 'text',
  first_seen_at: 'timestamptz',
}
const mergeColumns = {
  id: 'text',
  kept_id: 'text',
  merged_id: 'text',
  cause: 'jsonb',
  actor: 'text',
  merged_at: 'timestamptz',
}
const suggestionColumns = {
  id: 'text',
  profile_a: 'text',
  profile_b: 'text',
  reason: 'text',
  evidence: 'jsonb',
  created_at: 'timestamptz',
}
const companyColumns = { id: 'text', name: 'text', domain: 'text', traits: 'jsonb', updated_at: 'timestamptz' }
const companyRecordColumns = {
  connection_id: 'text',
  external_id: 'text',
  company_id: 'text',
  facts: 'jsonb',
  observed_at: 'timestamptz',
}
const onCompany = overwrite(['id'], companyColumns)
const onCompanyRecord = overwrite(['connection_id', 'external_id'], companyRecordColumns)

/**
 * New rows go in without `on conflict`: where another writer was faster, a unique key ends this transaction.
 * @throws the database's unique violation: run the batch again.
 */
export async function savePlan(trx: Trx, plan: Plan, now: Date): Promise<void> {
  await saveCompanies(trx, plan.companies, now)
  await insertMany(trx, 'profiles', profileColumns, plan.leaves.new.map(fromLeaf))
  await saveChangedLeaves(trx, plan.leaves.changed)
  await insertMany(trx, 'person_records', recordColumns, plan.records.new.map(fromRecord))
  await saveChangedRecords(trx, plan.records.changed)
  await insertMany(
    trx,
    'identities',
    identityColumns,
    plan.identities.new.map((one) => fromIdentity(one, now)),
  )
  await saveChangedIdentities(trx, plan.identities.changed)
  await insertMany(
    trx,
    'merges',
    mergeColumns,
    plan.merges.map((one) => fromMerge(one, now)),
  )
  await saveSuggestions(trx, plan.suggestions, now)
  await moveToCompanies(trx, plan.companies)
}

async function saveChangedLeaves(trx: Trx, leaves: readonly Leaf[]) {
  if (leaves.length === 0) return
  await sql`
    update profiles set root_id = row.root_id, name = row.name, updated_at = row.updated_at
    from jsonb_to_recordset(${JSON.stringify(leaves.map(fromLeaf))}::jsonb)
      as row(id text, root_id text, name text, updated_at timestamptz)
    where profiles.id = row.id and profiles.id = any(${leaves.map((leaf) => leaf.id)})
  `.execute(trx)
}

/** A record never changes its leaf. */
async function saveChangedRecords(trx: Trx, records: readonly PersonRecord[]) {
  if (records.length === 0) return
  await sql`
    update person_records set company_id = row.company_id, verified = row.verified, facts = row.facts,
      observed_at = row.observed_at
    from jsonb_to_recordset(${JSON.stringify(records.map(fromRecord))}::jsonb)
      as row(connection_id text, external_id text, company_id text, verified boolean, facts jsonb, observed_at timestamptz)
    where person_records.connection_id = row.connection_id and person_records.external_id = row.external_id
      and person_records.external_id = any(${records.map((record) => record.externalId)})
  `.execute(trx)
}

async function saveChangedIdentities(trx: Trx, identities: readonly Identity[]) {
  if (identities.length === 0) return
  const rows = identities.map((one) => fromIdentity(one, null))
  await sql`
    update identities set profile_id = row.profile_id, verified = row.verified, connection_id = row.connection_id,
      external_id = row.external_id
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as row(kind text, value text, profile_id text, verified boolean, connection_id text, external_id text)
    where identities.kind = row.kind and identities.value = row.value and identities.scope = ''
      and identities.value = any(${identities.map((one) => one.value)})
  `.execute(trx)
}

async function saveSuggestions(trx: Trx, suggestions: readonly PlannedSuggestion[], now: Date) {
  const rows = suggestions.map(({ id, leaves: [a, b], reason, evidence }) => ({
    id,
    profile_a: a,
    profile_b: b,
    reason,
    evidence,
    created_at: now,
  }))
  // What a person has answered is not asked again.
  const once = 'on conflict (workspace_id, profile_a, profile_b) do nothing'
  await insertMany(trx, 'merge_suggestions', suggestionColumns, rows, once)
}

async function saveCompanies(trx: Trx, { changedCompanies, changedRecords, removed }: CompanyPlan, now: Date) {
  if (changedCompanies.length === 0 && changedRecords.length === 0) return
  if (removed.length > 0) await trx.deleteFrom('companies').where('id', 'in', removed).execute()
  // A domain may go from one company to another in one batch: it is let go first.
  const ids = changedCompanies.map((company) => company.id)
  await sql`update companies set domain = null where id = any(${ids}) and domain is not null`.execute(trx)
  const rows = changedCompanies.map((company) => ({ ...company, updated_at: now }))
  await insertMany(trx, 'companies', companyColumns, rows, onCompany)
  const records = changedRecords.map((record) => ({
    connection_id: record.connectionId,
    external_id: record.externalId,
    company_id: record.companyId,
    facts: record.facts,
    observed_at: record.observedAt,
  }))
  await insertMany(trx, 'company_records', companyRecordColumns, records, onCompanyRecord)
}

/** The people of a company record go with it to its other company. */
async function moveToCompanies(trx: Trx, { moved }: CompanyPlan) {
  if (moved.length === 0) return
  const rows = moved.map(({ record, from }) => ({
    connection_id: record.connectionId,
    external_id: record.externalId,
    from_id: from,
    to_id: record.companyId,
  }))
  await sql`
    update person_records set company_id = row.to_id
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as row(connection_id text, external_id text, from_id text, to_id text)
    where person_records.company_id = row.from_id and person_records.connection_id = row.connection_id
      and person_records.facts -> 'company' ->> 'value' = row.external_id
  `.execute(trx)
}

function fromLeaf(leaf: Leaf) {
  return {
    id: leaf.id,
    root_id: leaf.rootId,
    name: leaf.name,
    created_at: leaf.createdAt,
    updated_at: leaf.updatedAt,
  }
}

function fromRecord(record: PersonRecord) {
  return {
    connection_id: record.connectionId,
    external_id: record.externalId,
    profile_id: record.profileId,
    company_id: record.companyId,
    verified: record.verified,
    facts: record.facts,
    observed_at: record.observedAt,
  }
}

function fromIdentity(identity: Identity, now: Date | null) {
  return {
    kind: identity.kind,
    value: identity.value,
    profile_id: identity.profileId,
    verified: identity.verified,
    connection_id: identity.connectionId,
    external_id: identity.externalId,
    first_seen_at: now,
  }
}

function fromMerge(merge: PlannedMerge, now: Date) {
  return {
    id: merge.id,
    kept_id: merge.keptLeaf,
    merged_id: merge.mergedLeaf,
    cause: { evidence: merge.evidence, kept_root: merge.keptRoot, merged_root: merge.mergedRoot },
    actor: hubSource,
    merged_at: now,
  }
}
