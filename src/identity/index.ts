/**
 * In: what connections say about people, and what people decide about profiles. Out: who is it, what changed, what became
 * one, what somebody should decide; profiles with the source of every value.
 * Never here: changing a record because of a merge; joining what a person has parted; writing to vendors.
 */
import { sql } from 'kysely'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import { newId } from '#hub/platform/ids.ts'
import type { ProfileView } from '#hub/rules/plan.ts'
import { type PersonClaim, readClaim } from './claim.ts'
import { searchRoots } from './find.ts'
import { goldenTraits, type Sourced, type Trait, traitName } from './golden.ts'
import { type JournalEntry, mergesOf } from './journal.ts'
import { loadSettings, loadWorld } from './load.ts'
import { phoneReader } from './phone.ts'
import { planIdentity, type ResolvedPerson } from './plan.ts'
import { policyOf, readSettings } from './policy.ts'
import { loadHoldings } from './read.ts'
import { ruleOf } from './rule-traits.ts'
import { savePlan } from './save.ts'
import { type ProfileDetails, toProfileDetails, toProfileView } from './view.ts'
import { mergesBetween } from './why.ts'

export type { ProfileView } from '#hub/rules/plan.ts'
export type { PersonClaim } from './claim.ts'
export { normaliseEmail } from './email.ts'
export { findByIdentity, type PersonRecord, personRecords } from './find.ts'
export { IdentityError } from './identity-error.ts'
export {
  acceptSuggestion,
  dismissSuggestion,
  type Merged,
  mergeProfiles,
  mergesOf,
  suggestions,
  unmerge,
} from './journal.ts'
export type { ResolvedPerson } from './plan.ts'
export { IdentitySettings } from './policy.ts'
export { setTraits } from './rule-traits.ts'
export type { ProfileDetails } from './view.ts'

export interface Resolution {
  /** In the order of the claims; `undefined` for a person without id, address and number. */
  readonly people: readonly (ResolvedPerson | undefined)[]
  /**
   * On its way to the server, before whatever this transaction sends next. Rejects with a unique violation when a writer without
   * the lock came in between: nothing is written, run the batch again.
   */
  readonly saved: Promise<void>
}

/**
 * Finds or makes the profile of each claim's person, a whole batch with a constant number of statements. Called under the
 * workspace's lock.
 * @param stored the settings key `identity`, where the caller has read it; null when there is none.
 * @throws also where the settings cannot be read
 */
export async function resolvePeople(
  trx: Trx,
  claims: readonly PersonClaim[],
  now: Date,
  stored?: unknown,
): Promise<Resolution> {
  if (claims.length === 0) return { people: [], saved: Promise.resolve() }
  const policy = policyOf(stored === undefined ? await loadSettings(trx) : readSettings(stored))
  const readPhone = claims.some(({ person }) => person.phones?.length) ? await phoneReader() : () => undefined
  const read = claims.map((claim) => readClaim(claim, policy, readPhone))
  const readable = read.flatMap((claim) => claim ?? [])
  const plan = planIdentity(await loadWorld(trx, readable), readable, { policy, now, newId })
  let next = 0
  return { people: read.map((claim) => (claim ? plan.resolved[next++] : undefined)), saved: savePlan(trx, plan, now) }
}

/** What rules and templates see. @param leafIds leaves or roots; the unknown are left out. */
export async function profileViewsFor(db: Db, leafIds: readonly string[]): Promise<ReadonlyMap<string, ProfileView>> {
  if (leafIds.length === 0) return new Map()
  const { byLeaf, companies, order } = await loadHoldings(db, leafIds)
  return new Map(
    leafIds.flatMap((id) => {
      const holdings = byLeaf.get(id)
      return holdings ? [[id, toProfileView(holdings, companies, order)] as const] : []
    }),
  )
}

/** Profiles with the source of every value, by the id that was asked for. @param ids leaves or roots. */
export async function profileDetails(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, ProfileDetails>> {
  if (ids.length === 0) return new Map()
  const { byLeaf, companies, order } = await loadHoldings(db, ids)
  return new Map(
    ids.flatMap((id) => {
      const holdings = byLeaf.get(id)
      return holdings ? [[id, toProfileDetails(holdings, companies, order)] as const] : []
    }),
  )
}

const profilesPerPage = 50

/** Newest first. @param text part of a name, or the beginning of an address or number; empty: all. */
export async function searchProfiles(
  db: Db,
  text: string,
  cursor?: string,
): Promise<{ readonly data: readonly ProfileDetails[]; readonly next: string | null }> {
  const roots = await searchRoots(db, text, { after: cursor, limit: profilesPerPage })
  const details = await profileDetails(db, roots)
  return {
    data: roots.flatMap((root) => details.get(root) ?? []),
    next: roots.length === profilesPerPage ? (roots.at(-1) ?? null) : null,
  }
}

export interface TraitReason extends Trait {
  readonly trait: string
  /** The rule that set it, where one did. */
  readonly rule_id: string | null
  /** The merges by which the source record became this profile's. */
  readonly merges: readonly JournalEntry[]
}

/** Why a trait has its value. @returns undefined when there is no such profile, or nobody says anything about the trait. */
export async function whyTrait(db: Db, profileId: string, trait: string): Promise<TraitReason | undefined> {
  const { byLeaf, order } = await loadHoldings(db, [profileId])
  const holdings = byLeaf.get(profileId)
  if (!holdings) return undefined
  const golden = goldenTraits(holdings.records, order)
  const found = golden.get(`traits.${trait}`) ?? (traitName(trait) === undefined ? golden.get(trait) : undefined)
  if (!found) return undefined
  const leaf = leafOf(found, holdings.records)
  return {
    trait,
    ...found,
    rule_id: ruleOf(found.source.connection_id, found.source.record) ?? null,
    merges: leaf === undefined ? [] : mergesBetween(leaf, holdings.rootId, await mergesOf(db, profileId)),
  }
}

function leafOf(
  { source }: Sourced,
  records: readonly { readonly connectionId: string; readonly externalId: string; readonly profileId: string }[],
): string | undefined {
  return records.find((one) => one.connectionId === source.connection_id && one.externalId === source.record)?.profileId
}

/** Which profile each leaf belongs to now. */
export async function rootsOfLeaves(db: Db, leafIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (leafIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('profiles')
    .select(['id', 'root_id'])
    .where('id', '=', sql<string>`any(${[...new Set(leafIds)]})`)
    .execute()
  return new Map(rows.map((row) => [row.id, row.root_id]))
}
