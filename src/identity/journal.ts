/**
 * What people decide about profiles: merge, undo, accept, dismiss. A merge is an edge between two leaves; undoing it takes
 * the edge away, and whoever is still joined by other edges stays together. No record, identity or case is touched.
 */
import { sql } from 'kysely'
import { type Db, json, type Trx } from '#hub/platform/db/database.ts'
import { newId } from '#hub/platform/ids.ts'
import { IdentityError } from './identity-error.ts'
import { isOlder, rootsOf } from './roots.ts'

export interface Merged {
  readonly mergeId: string
  readonly keptRoot: string
  readonly mergedRoot: string
}
export interface JournalEntry {
  readonly id: string
  readonly kept_id: string
  readonly merged_id: string
  /** By the hub: `{ evidence: { keys, record, inbox_seq? }, kept_root, merged_root }`; by a person: `{ reason, … }`. */
  readonly cause: unknown
  /** `hub`, or the person. */
  readonly actor: string
  readonly merged_at: string
  readonly undone_at: string | null
  readonly undone_by: string | null
}
interface Suggestion {
  readonly id: string
  readonly profiles: readonly [SuggestedProfile, SuggestedProfile]
  /** `unverified`, `parted_before`, `limit`, `names_differ`. */
  readonly reason: string
  readonly evidence: unknown
  readonly created_at: string
}
interface SuggestedProfile {
  /** The profile that the leaf belongs to now. */
  readonly id: string
  readonly leaf: string
  readonly name: string | null
}

interface LeafRow {
  readonly id: string
  readonly rootId: string
  readonly createdAt: Date
}

/**
 * Called under the workspace's lock, like everything here that takes a transaction.
 * @param a, b leaves or roots of two profiles; the older profile is kept.
 * @throws IdentityError not_found, already_merged
 */
export async function mergeProfiles(
  trx: Trx,
  a: string,
  b: string,
  { actor, reason }: { readonly actor: string; readonly reason: string },
  now: Date,
): Promise<Merged> {
  const leaves = await leavesOf(trx, [a, b])
  const [first, second] = [find(leaves, a), find(leaves, b)]
  if (first.rootId === second.rootId) {
    throw new IdentityError('already_merged', `profiles ${a} and ${b} are one profile already (${first.rootId})`)
  }
  const isFirstKept = isOlder(find(leaves, first.rootId), find(leaves, second.rootId))
  const [kept, merged] = isFirstKept ? [first, second] : [second, first]
  const keptRoot = kept.rootId
  const mergeId = newId('merge')
  await trx
    .insertInto('merges')
    .values({
      id: mergeId,
      kept_id: kept.id,
      merged_id: merged.id,
      cause: json({ reason, kept_root: keptRoot, merged_root: merged.rootId }),
      actor,
      merged_at: now,
    })
    .execute()
  await trx.updateTable('profiles').set({ root_id: keptRoot }).where('root_id', '=', merged.rootId).execute()
  return { mergeId, keptRoot, mergedRoot: merged.rootId }
}

/**
 * Takes the merge back. The hub never joins the two by itself again.
 * @returns the two profiles that there are now.
 * @throws IdentityError not_found, already_undone
 */
export async function unmerge(
  trx: Trx,
  mergeId: string,
  { actor }: { readonly actor: string },
  now: Date,
): Promise<{ readonly roots: readonly [string, string] }> {
  const merge = await trx.selectFrom('merges').selectAll().where('id', '=', mergeId).executeTakeFirst()
  if (!merge)
    throw new IdentityError('not_found', `merge ${mergeId} does not exist; take an id of the profile's merges`)
  if (merge.undone_at) {
    const when = merge.undone_at.toISOString()
    throw new IdentityError('already_undone', `merge ${mergeId} was undone ${when} by ${merge.undone_by}`)
  }
  await trx.updateTable('merges').set({ undone_at: now, undone_by: actor }).where('id', '=', mergeId).execute()
  const leaves = await leavesOf(trx, [merge.kept_id])
  const edges = await trx
    .selectFrom('merges')
    .select(['kept_id', 'merged_id'])
    .where('kept_id', '=', sql<string>`any(${leaves.map((leaf) => leaf.id)})`)
    .where('undone_at', 'is', null)
    .execute()
  const roots = rootsOf(
    leaves,
    edges.map((edge) => [edge.kept_id, edge.merged_id]),
  )
  const moved = leaves.filter((leaf) => roots.get(leaf.id) !== leaf.rootId)
  await sql`
    update profiles set root_id = moved.root_id
    from unnest(${moved.map((leaf) => leaf.id)}::text[], ${moved.map((leaf) => roots.get(leaf.id) ?? leaf.id)}::text[])
      as moved(id, root_id)
    where profiles.id = moved.id and profiles.id = any(${moved.map((leaf) => leaf.id)})
  `.execute(trx)
  return { roots: [roots.get(merge.kept_id) ?? merge.kept_id, roots.get(merge.merged_id) ?? merge.merged_id] }
}

/** The profile's journal, newest first: what joined its leaves, and what was undone. */
export async function mergesOf(db: Db, profileId: string): Promise<readonly JournalEntry[]> {
  const leaves = (await leavesOf(db, [profileId])).map((leaf) => leaf.id)
  const rows = await db
    .selectFrom('merges')
    .selectAll()
    .where((eb) =>
      eb.or([eb('kept_id', '=', sql<string>`any(${leaves})`), eb('merged_id', '=', sql<string>`any(${leaves})`)]),
    )
    .orderBy('merged_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    kept_id: row.kept_id,
    merged_id: row.merged_id,
    cause: row.cause,
    actor: row.actor,
    merged_at: row.merged_at.toISOString(),
    undone_at: row.undone_at?.toISOString() ?? null,
    undone_by: row.undone_by,
  }))
}

const suggestionsPerPage = 100

/** Open questions whose two profiles are still two, newest first. @param cursor the last id of the page before. */
export async function suggestions(
  db: Db,
  cursor?: string,
): Promise<{ readonly data: readonly Suggestion[]; readonly next: string | null }> {
  const rows = await db
    .selectFrom('merge_suggestions as s')
    .innerJoin('profiles as a', 'a.id', 's.profile_a')
    .innerJoin('profiles as b', 'b.id', 's.profile_b')
    .select(['s.id', 's.profile_a', 's.profile_b', 's.reason', 's.evidence', 's.created_at'])
    .select(['a.root_id as root_a', 'a.name as name_a', 'b.root_id as root_b', 'b.name as name_b'])
    .where('s.state', '=', 'open')
    .whereRef('a.root_id', '<>', 'b.root_id')
    .$if(cursor !== undefined, (query) => query.where('s.id', '<', cursor ?? ''))
    .orderBy('s.id', 'desc')
    .limit(suggestionsPerPage)
    .execute()
  const data = rows.map(
    (row): Suggestion => ({
      id: row.id,
      profiles: [
        { id: row.root_a, leaf: row.profile_a, name: row.name_a },
        { id: row.root_b, leaf: row.profile_b, name: row.name_b },
      ],
      reason: row.reason,
      evidence: row.evidence,
      created_at: row.created_at.toISOString(),
    }),
  )
  return { data, next: rows.length === suggestionsPerPage ? (data.at(-1)?.id ?? null) : null }
}

/** @throws IdentityError not_found, already_decided, already_merged */
export async function acceptSuggestion(
  trx: Trx,
  suggestionId: string,
  { actor }: { readonly actor: string },
  now: Date,
): Promise<Merged> {
  const { profile_a, profile_b, reason } = await decide(trx, suggestionId, 'accepted')
  return await mergeProfiles(trx, profile_a, profile_b, { actor, reason: `suggested: ${reason}` }, now)
}

/** "These are two people": the hub never joins the two by itself. @throws IdentityError not_found, already_decided */
export async function dismissSuggestion(trx: Trx, suggestionId: string): Promise<void> {
  await decide(trx, suggestionId, 'dismissed')
}

async function decide(trx: Trx, id: string, state: 'accepted' | 'dismissed') {
  const suggestion = await trx.selectFrom('merge_suggestions').selectAll().where('id', '=', id).executeTakeFirst()
  if (!suggestion) throw new IdentityError('not_found', `suggestion ${id} does not exist; take an id of the open ones`)
  if (suggestion.state !== 'open') {
    throw new IdentityError('already_decided', `suggestion ${id} is ${suggestion.state} already`)
  }
  await trx.updateTable('merge_suggestions').set({ state }).where('id', '=', id).execute()
  return suggestion
}

/** All leaves of the profiles that these belong to. */
async function leavesOf(db: Db, ids: readonly string[]): Promise<readonly LeafRow[]> {
  return await db
    .selectFrom('profiles')
    .select(['id', 'root_id as rootId', 'created_at as createdAt'])
    .where('root_id', 'in', (eb) =>
      eb.selectFrom('profiles as asked').select('asked.root_id').where('asked.id', 'in', ids),
    )
    .execute()
}

function find(leaves: readonly LeafRow[], id: string): LeafRow {
  const leaf = leaves.find((one) => one.id === id)
  if (!leaf) throw new IdentityError('not_found', `profile ${id} does not exist in this workspace`)
  return leaf
}
