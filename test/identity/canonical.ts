/** What must be equal between two runs whose ids differ: who is one person, whose key is whose, what counts of them. */
import { sql } from 'kysely'
import { profileDetails } from '#hub/identity/index.ts'
import type { Db } from '#hub/platform/db/database.ts'

export async function canonicalProfiles(db: Db): Promise<readonly unknown[]> {
  const roots = await db.selectFrom('profiles').select('root_id').distinct().execute()
  const details = await profileDetails(
    db,
    roots.map((row) => row.root_id),
  )
  const owners = await sql<{ leaf: string; record: string }>`
    select profile_id as leaf, connection_id || '/' || external_id as record from person_records`.execute(db)
  const recordOf = new Map(owners.rows.map((row) => [row.leaf, row.record]))
  const shapes = [...details.values()].map((profile) => ({
    name: profile.name,
    records: profile.leaves.map((leaf) => recordOf.get(leaf)).toSorted(),
    identities: profile.identities,
    traits: profile.traits,
    company: profile.company && { ...profile.company, id: undefined },
    open_cases: profile.open_cases,
  }))
  return shapes
    .map(sortedJson)
    .toSorted()
    .map((text): unknown => JSON.parse(text))
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
