/** The SQL that saves a plan: a constant number of statements, whatever the batch. */
import { sql } from 'kysely'
import { inserter, overwrite, togetherInserter } from '#hub/platform/db/bulk.ts'
import { json, type Trx } from '#hub/platform/db/database.ts'
import { together } from '#hub/platform/db/together.ts'
import type { CompanyPlan } from './company-plan.ts'
import { hubSource } from './load.ts'
import type { Plan } from './plan.ts'
import type { Identity, Leaf } from './world.ts'

const leafNews = { rootId: 'text', name: 'text', updatedAt: 'timestamptz' }
const leafColumns = { id: 'text', createdAt: 'timestamptz', ...leafNews }
// Not the owner: it never changes.
const recordNews = { companyId: 'text', verified: 'boolean', facts: 'jsonb', observedAt: 'timestamptz' }
const recordColumns = { connectionId: 'text', externalId: 'text', profileId: 'text', ...recordNews }
const identityNews = { profileId: 'text', verified: 'boolean', connectionId: 'text', externalId: 'text' }
const identityColumns = { kind: 'text', value: 'text', firstSeenAt: 'timestamptz', ...identityNews }
const mergeColumns = {
  id: 'text',
  keptId: 'text',
  mergedId: 'text',
  cause: 'jsonb',
  actor: 'text',
  mergedAt: 'timestamptz',
}
const suggestionColumns = {
  id: 'text',
  profileA: 'text',
  profileB: 'text',
  reason: 'text',
  evidence: 'jsonb',
  createdAt: 'timestamptz',
}
/*
 * What changed goes by its key, as `on conflict` does whatever the statistics say: an update that joins the changes would
 * rather read the whole table, or compare each row with each change.
 */
const onLeaf = overwrite(['id'], leafNews)
const onRecord = overwrite(['connection_id', 'external_id'], recordNews)
const onIdentity = overwrite(['kind', 'value', 'scope'], identityNews)
// What a person has answered is not asked again.
const onSuggestion = 'on conflict (workspace_id, profile_a, profile_b) do nothing'

const insertPeople = togetherInserter(
  { table: 'profiles', columns: leafColumns },
  { table: 'profiles', columns: leafColumns, onConflict: onLeaf },
  { table: 'person_records', columns: recordColumns },
  { table: 'person_records', columns: recordColumns, onConflict: onRecord },
  { table: 'identities', columns: identityColumns },
  { table: 'identities', columns: identityColumns, onConflict: onIdentity },
  { table: 'merges', columns: mergeColumns },
  { table: 'merge_suggestions', columns: suggestionColumns, onConflict: onSuggestion },
)

/**
 * New rows without `on conflict`: where another writer was faster, a unique key ends this transaction. All statements are sent
 * before this returns (see transaction.ts), and none waits for another.
 */
export async function savePlan(trx: Trx, { leaves, records, identities, ...plan }: Plan, now: Date): Promise<void> {
  // Times as text, and that of now once: writing a Date out costs as much as all the rest of a row.
  const at = now.toISOString()
  const textOf = (time: Date) => (time === now ? at : time.toISOString())
  const toLeaf = ({ id, rootId, name, createdAt, updatedAt }: Leaf) => {
    return { id, rootId, name, createdAt: textOf(createdAt), updatedAt: textOf(updatedAt) }
  }
  const toIdentity = (identity: Identity) => ({ ...identity, firstSeenAt: at })
  const merges = plan.merges.map(({ id, keptLeaf, mergedLeaf, evidence, keptRoot, mergedRoot }) => {
    const cause = { evidence, kept_root: keptRoot, merged_root: mergedRoot }
    return { id, keptId: keptLeaf, mergedId: mergedLeaf, cause, actor: hubSource, mergedAt: at }
  })
  const suggestions = plan.suggestions.map(({ id, leaves: [profileA, profileB], reason, evidence }) => {
    return { id, profileA, profileB, reason, evidence, createdAt: at }
  })
  // All rows before the first statement: nobody would wait for that if a row could not be written out.
  const people = [
    leaves.new.map(toLeaf),
    leaves.changed.map(toLeaf),
    records.new,
    records.changed,
    identities.new.map(toIdentity),
    identities.changed.map(toIdentity),
    merges,
    suggestions,
  ] as const
  await together(
    ...saveCompanies(trx, plan.companies, at),
    insertPeople(trx, ...people),
    moveToCompanies(trx, plan.companies),
  )
}

const companyColumns = { id: 'text', name: 'text', domain: 'text', traits: 'jsonb', updatedAt: 'timestamptz' }
const companyRecordColumns = {
  connectionId: 'text',
  externalId: 'text',
  companyId: 'text',
  facts: 'jsonb',
  observedAt: 'timestamptz',
}
const insertCompanies = inserter({
  table: 'companies',
  columns: companyColumns,
  onConflict: overwrite(['id'], companyColumns),
})
const insertCompanyRecords = inserter({
  table: 'company_records',
  columns: companyRecordColumns,
  onConflict: overwrite(['connection_id', 'external_id'], companyRecordColumns),
})

function saveCompanies(
  trx: Trx,
  { changedCompanies, changedRecords, removed }: CompanyPlan,
  at: string,
): readonly Promise<unknown>[] {
  if (changedCompanies.length === 0 && changedRecords.length === 0) return []
  const ids = changedCompanies.map((company) => company.id)
  const rows = changedCompanies.map((company) => ({ ...company, updatedAt: at }))
  return [
    sql`delete from companies where id = any(${removed})`.execute(trx),
    // A domain may go from one company to another in one batch: it is let go first.
    sql`update companies set domain = null where id = any(${ids}) and domain is not null`.execute(trx),
    insertCompanies(trx, rows),
    insertCompanyRecords(trx, changedRecords),
  ]
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
