/** What must be equal between two runs whose ids differ: who is one person, whose key is whose, what counts of them. */
import { sql } from 'kysely'
import { profileDetails } from '#hub/identity/index.ts'
import type { Db } from '#hub/platform/db/database.ts'

/** @param prefix of the connection ids that a run used; it is left out of the answer. */
export async function canonicalProfiles(db: Db, prefix: string): Promise<readonly unknown[]> {
  const roots = await sql<{ root_id: string }>`
    select distinct profile.root_id from person_records record join profiles profile on profile.id = record.profile_id
    where record.connection_id like ${`${prefix}%`}`.execute(db)
  const details = await profileDetails(
    db,
    roots.rows.map((row) => row.root_id),
  )
  const owners = await sql<{ leaf: string; record: string }>`
    select profile_id as leaf, connection_id || '/' || external_id as record from person_records
    where connection_id like ${`${prefix}%`}`.execute(db)
  const recordOf = new Map(owners.rows.map((row) => [row.leaf, row.record]))
  const shapes = [...details.values()].map((profile) => ({
    name: profile.name,
    records: profile.leaves.map((leaf) => recordOf.get(leaf)).toSorted(),
    identities: profile.identities,
    traits: profile.traits,
    company: profile.company && { ...profile.company, id: undefined },
    open_cases: profile.open_cases,
  }))
  const texts = shapes.map((shape) => sortedJson(shape).replaceAll(prefix, ''))
  return texts.toSorted().map((text): unknown => JSON.parse(text))
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
