/** The SQL that saves a plan: one statement for what is new, one for what changed, whatever the batch. */
import { sql } from 'kysely'
import { insertMany, overwrite } from '#hub/platform/db/bulk.ts'
import { json, type Trx } from '#hub/platform/db/database.ts'
import type { CompanyPlan } from './company-plan.ts'
import { hubSource } from './load.ts'
import type { Plan, PlannedMerge, PlannedSuggestion } from './plan.ts'
import type { Identity, Leaf, PersonRecord } from './world.ts'

export async function savePlan(trx: Trx, plan: Plan, now: Date): Promise<void> {
  await saveCompanies(trx, plan.companies, now)
  await insertNew(trx, plan, now)
  await updateChanged(trx, plan)
  await saveSuggestions(trx, plan.suggestions, now)
  await moveToCompanies(trx, plan.companies)
}

/** Without `on conflict`: where another writer was faster, a unique key ends this transaction. */
async function insertNew(trx: Trx, { leaves, records, identities, merges }: Plan, now: Date) {
  if (records.new.length + identities.new.length + merges.length === 0) return
  await sql`
    with leaf as (
      insert into profiles (id, root_id, name, created_at, updated_at)
      select * from jsonb_to_recordset(${json(leaves.new.map(fromLeaf))}::jsonb)
        as row(id text, root_id text, name text, created_at timestamptz, updated_at timestamptz)
    ), record as (
      insert into person_records (connection_id, external_id, profile_id, company_id, verified, facts, observed_at)
      select * from jsonb_to_recordset(${json(records.new.map(fromRecord))}::jsonb)
        as row(connection_id text, external_id text, profile_id text, company_id text, verified boolean, facts jsonb,
          observed_at timestamptz)
    ), identity as (
      insert into identities (kind, value, profile_id, verified, connection_id, external_id, first_seen_at)
      select *, ${now} from jsonb_to_recordset(${json(identities.new.map(fromIdentity))}::jsonb)
        as row(kind text, value text, profile_id text, verified boolean, connection_id text, external_id text)
    )
    insert into merges (id, kept_id, merged_id, cause, actor, merged_at)
    select *, ${hubSource}, ${now} from jsonb_to_recordset(${json(merges.map(fromMerge))}::jsonb)
      as row(id text, kept_id text, merged_id text, cause jsonb)
  `.execute(trx)
}

/** The owner of a record is not among what changes. `any` beside the join keeps a planner without statistics at the index. */
async function updateChanged(trx: Trx, { leaves, records, identities }: Plan) {
  if (leaves.changed.length + records.changed.length + identities.changed.length === 0) return
  await sql`
    with leaf as (
      update profiles set root_id = row.root_id, name = row.name, updated_at = row.updated_at
      from jsonb_to_recordset(${json(leaves.changed.map(fromLeaf))}::jsonb)
        as row(id text, root_id text, name text, updated_at timestamptz)
      where profiles.id = row.id and profiles.id = any(${leaves.changed.map((one) => one.id)})
    ), record as (
      update person_records set company_id = row.company_id, verified = row.verified, facts = row.facts,
        observed_at = row.observed_at
      from jsonb_to_recordset(${json(records.changed.map(fromRecord))}::jsonb)
        as row(connection_id text, external_id text, company_id text, verified boolean, facts jsonb, observed_at timestamptz)
      where person_records.connection_id = row.connection_id and person_records.external_id = row.external_id
        and person_records.connection_id = any(${distinct(records.changed.map((one) => one.connectionId))})
        and person_records.external_id = any(${records.changed.map((one) => one.externalId)})
    )
    update identities set profile_id = row.profile_id, verified = row.verified, connection_id = row.connection_id,
      external_id = row.external_id
    from jsonb_to_recordset(${json(identities.changed.map(fromIdentity))}::jsonb)
      as row(kind text, value text, profile_id text, verified boolean, connection_id text, external_id text)
    where identities.kind = row.kind and identities.value = row.value and identities.scope = ''
      and identities.kind in ('email', 'phone') and identities.value = any(${identities.changed.map((one) => one.value)})
  `.execute(trx)
}

const suggestionColumns = {
  id: 'text',
  profile_a: 'text',
  profile_b: 'text',
  reason: 'text',
  evidence: 'jsonb',
  created_at: 'timestamptz',
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
    from jsonb_to_recordset(${json(rows)}::jsonb)
      as row(connection_id text, external_id text, from_id text, to_id text)
    where person_records.company_id = row.from_id and person_records.connection_id = row.connection_id
      and person_records.facts -> 'company' ->> 'value' = row.external_id
  `.execute(trx)
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
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

function fromIdentity(identity: Identity) {
  return {
    kind: identity.kind,
    value: identity.value,
    profile_id: identity.profileId,
    verified: identity.verified,
    connection_id: identity.connectionId,
    external_id: identity.externalId,
  }
}

function fromMerge(merge: PlannedMerge) {
  return {
    id: merge.id,
    kept_id: merge.keptLeaf,
    merged_id: merge.mergedLeaf,
    cause: { evidence: merge.evidence, kept_root: merge.keptRoot, merged_root: merge.mergedRoot },
  }
}
