/**
 * Who is it? Pure: the same world and the same claims give the same plan. A new record is a leaf of its own; a verified key
 * that another leaf owns joins the two, and the journal keeps on which evidence. What speaks against a join makes it a
 * suggestion to a person.
 *
 * Every order and repetition of the same claims ends in the same profiles, as long as no join is refused: refusals (names,
 * limits, parted pairs) look at profiles as they are at that moment.
 */
import { isOwnKey, type Key, type ReadClaim } from './claim.ts'
import { type CompanyPlan, planCompanies, recordKey } from './company-plan.ts'
import { takeNews } from './dated-facts.ts'
import { createForest, type Tree } from './forest.ts'
import { clearlyDiffer, fitTogether } from './names.ts'
import type { Policy } from './policy.ts'
import { type Identity, keyText, type Leaf, type PersonRecord, type World } from './world.ts'

export interface ResolvedPerson {
  /** The leaf of the record: it never changes. */
  readonly profileId: string
  /** The profile that the leaf belongs to after the whole batch. */
  readonly rootId: string
  /** This claim made a profile that was not there. */
  readonly created: boolean
  /** Fields of this record with another value now: `name`, `emails`, `phones`, `locale`, `company`, `traits.<name>`. */
  readonly changed: readonly string[]
  /** Profiles that had been there and are one because of this claim. */
  readonly merged: readonly { readonly keptRoot: string; readonly mergedRoot: string; readonly mergeId: string }[]
  readonly companyId?: string
}

type Refusal = 'unverified' | 'parted_before' | 'limit' | 'names_differ'

interface Evidence {
  readonly keys: readonly Key[]
  readonly record: { readonly connection_id: string; readonly external_id: string }
  readonly inbox_seq?: number
}
/** An edge between the two leaves that the evidence is about; their roots at the time are told beside. */
export interface PlannedMerge {
  readonly id: string
  readonly keptLeaf: string
  readonly mergedLeaf: string
  readonly keptRoot: string
  readonly mergedRoot: string
  readonly evidence: Evidence
}
export interface PlannedSuggestion {
  readonly id: string
  /** The lesser id first: a pair is suggested once. */
  readonly leaves: readonly [string, string]
  readonly reason: Refusal
  readonly evidence: Evidence
}

interface Changes<T> {
  readonly new: readonly T[]
  readonly changed: readonly T[]
}

export interface Plan {
  readonly resolved: readonly ResolvedPerson[]
  readonly world: World
  readonly leaves: Changes<Leaf>
  readonly records: Changes<PersonRecord>
  /** Changed: a key is verified now, or went from an unverified owner to a verified one. */
  readonly identities: Changes<Identity>
  readonly merges: readonly PlannedMerge[]
  readonly suggestions: readonly PlannedSuggestion[]
  readonly companies: CompanyPlan
}

export interface Tools {
  readonly policy: Policy
  readonly now: Date
  readonly newId: (kind: 'prof' | 'merge' | 'sugg' | 'comp') => string
}

export function planIdentity(world: World, claims: readonly ReadClaim[], { policy, now, newId }: Tools): Plan {
  const companies = planCompanies(world.companies, claims, () => newId('comp'))
  const leaves = new Map(world.leaves)
  const records = new Map(world.records)
  const identities = new Map(world.identities)
  const forest = createForest(leaves.values())
  const touched = { leaves: new Set<string>(), records: new Set<string>(), identities: new Set<string>() }
  const merges: PlannedMerge[] = []
  const suggestions = new Map<string, PlannedSuggestion>()

  const taken = claims.map(take)
  for (const id of touched.leaves) {
    const leaf = leafOf(id)
    const rootId = forest.rootOf(id)
    if (leaf.rootId !== rootId) leaves.set(id, { ...leaf, rootId })
  }
  return {
    resolved: taken.map((one) => ({ ...one, rootId: forest.rootOf(one.profileId) })),
    world: { leaves, records, identities, companies: companies.world },
    leaves: changesOf(touched.leaves, world.leaves, leaves),
    records: changesOf(touched.records, world.records, records),
    identities: changesOf(touched.identities, world.identities, identities),
    merges,
    suggestions: [...suggestions.values()].filter(({ leaves: [a, b] }) => forest.rootOf(a) !== forest.rootOf(b)),
    companies,
  }

  function take(claim: ReadClaim): Omit<ResolvedPerson, 'rootId'> {
    const key = recordKey(claim.connectionId, claim.externalId)
    const known = records.get(key)
    const news = takeNews(known?.facts ?? {}, claim.fields, claim.at)
    const record: PersonRecord = {
      connectionId: claim.connectionId,
      externalId: claim.externalId,
      profileId: known?.profileId ?? newId('prof'),
      companyId: companyOf(claim.connectionId, news.facts['company']?.value) ?? known?.companyId ?? null,
      verified: claim.verified || known?.verified === true,
      facts: news.facts,
      observedAt: known && known.observedAt > claim.at ? known.observedAt : claim.at,
    }
    const isNews =
      !known ||
      news.facts !== known.facts ||
      record.verified !== known.verified ||
      record.companyId !== known.companyId ||
      record.observedAt !== known.observedAt
    if (isNews) {
      records.set(key, record)
      touched.records.add(key)
    }
    if (!known) addLeaf(record)
    else if (news.changed.length > 0) changeLeaf(record.profileId, { name: nameOf(record), updatedAt: now })
    const isNew = !known
    const joins = claim.keys.flatMap((one) => claimKey(claim, record.profileId, one) ?? [])
    return {
      profileId: record.profileId,
      created: isNew && joins.length === 0,
      changed: news.changed,
      // The first join of a new record only finds its place: no profile that was there went into another.
      merged: (isNew ? joins.slice(1) : joins).map(({ keptRoot, mergedRoot, id }) => ({
        keptRoot,
        mergedRoot,
        mergeId: id,
      })),
      ...(record.companyId === null ? {} : { companyId: record.companyId }),
    }
  }

  function claimKey(claim: ReadClaim, leafId: string, key: Key): PlannedMerge | undefined {
    const text = keyText(key)
    const identity = identities.get(text)
    if (!identity) {
      own(claim, leafId, key)
      return undefined
    }
    if (identity.profileId === leafId) {
      if (claim.verified && !identity.verified) setIdentity({ ...identity, verified: true })
      return undefined
    }
    if (!claim.verified || !identity.verified) {
      // Among claimants whom nobody verified, the lesser record shows the key: whoever came first must not matter.
      const isDue = claim.verified || (!identity.verified && isLesser(claim, identity))
      if (isDue) takeOver(identity, claim, leafId)
      suggest('unverified', claim, leafId, identity.profileId, [key])
      return undefined
    }
    return join(claim, leafId, identity.profileId, key)
  }

  function own(claim: ReadClaim, leafId: string, key: Key) {
    const tree = forest.of(leafId)
    // Beyond the limit it stays a trait of its record: a list this long is no person's.
    if (key.kind === 'email' ? tree.emails >= policy.limits.email : tree.phones >= policy.limits.phone) return
    const { connectionId, externalId, verified } = claim
    setIdentity({ ...key, profileId: leafId, verified, connectionId, externalId })
    count(leafId, key, 1)
  }

  function takeOver(identity: Identity, claim: ReadClaim, leafId: string) {
    count(identity.profileId, identity, -1)
    count(leafId, identity, 1)
    const { connectionId, externalId } = claim
    setIdentity({ ...identity, profileId: leafId, verified: claim.verified, connectionId, externalId })
  }

  function join(claim: ReadClaim, leafId: string, ownerId: string, key: Key): PlannedMerge | undefined {
    const [own, other] = [forest.of(leafId), forest.of(ownerId)]
    if (own === other) return undefined
    const keys = claim.keys.filter((one) => {
      const owner = identities.get(keyText(one))
      return owner?.verified && forest.of(owner.profileId) === other
    })
    const refusal = refusalOf(own, other, key)
    if (refusal) {
      suggest(refusal, claim, leafId, ownerId, keys)
      return undefined
    }
    const { kept, merged } = forest.join(own, other)
    const isOwnKept = kept === own.root
    for (const id of (isOwnKept ? other : own).members) touched.leaves.add(id)
    const merge = {
      id: newId('merge'),
      keptLeaf: isOwnKept ? leafId : ownerId,
      mergedLeaf: isOwnKept ? ownerId : leafId,
      keptRoot: kept.id,
      mergedRoot: merged.id,
      evidence: evidenceOf(claim, keys),
    }
    merges.push(merge)
    return merge
  }

  function refusalOf(a: Tree, b: Tree, key: Key): Refusal | undefined {
    if (forest.isParted(a, b)) return 'parted_before'
    if (a.emails + b.emails > policy.limits.email || a.phones + b.phones > policy.limits.phone) return 'limit'
    for (const [connection, count] of a.vendorIds) {
      if (count + (b.vendorIds.get(connection) ?? 0) > policy.limits.external_per_connection) return 'limit'
    }
    if (a.names.length === 0 || b.names.length === 0) return undefined
    const agree = a.names.some((one) =>
      b.names.some((other) => (key.kind === 'phone' ? fitTogether(one, other) : !clearlyDiffer(one, other))),
    )
    return agree ? undefined : 'names_differ'
  }

  function suggest(reason: Refusal, claim: ReadClaim, a: string, b: string, keys: readonly Key[]) {
    const pair = a < b ? ([a, b] as const) : ([b, a] as const)
    const place = pair.join('\0')
    if (suggestions.has(place)) return
    suggestions.set(place, { id: newId('sugg'), leaves: pair, reason, evidence: evidenceOf(claim, keys) })
  }

  function addLeaf(record: PersonRecord) {
    const { profileId: id, connectionId, externalId } = record
    const vendor = isOwnKey(externalId) ? null : connectionId
    const owned = { emails: 0, phones: 0, blocked: [] }
    const leaf: Leaf = { id, rootId: id, name: nameOf(record), createdAt: now, updatedAt: now, vendor, ...owned }
    leaves.set(id, leaf)
    forest.add(leaf)
    touched.leaves.add(id)
  }

  function changeLeaf(id: string, change: Partial<Leaf>) {
    const before = leafOf(id)
    const after = { ...before, ...change }
    leaves.set(id, after)
    forest.change(before, after)
    if ('updatedAt' in change) touched.leaves.add(id)
  }

  function count(leafId: string, { kind }: Key, by: number) {
    const leaf = leafOf(leafId)
    changeLeaf(leafId, kind === 'email' ? { emails: leaf.emails + by } : { phones: leaf.phones + by })
  }

  function setIdentity(identity: Identity) {
    identities.set(keyText(identity), identity)
    touched.identities.add(keyText(identity))
  }

  function leafOf(id: string): Leaf {
    const leaf = leaves.get(id)
    if (!leaf) throw new Error(`profile ${id} is not loaded; load the owners of all keys and records of the claims`)
    return leaf
  }

  function companyOf(connectionId: string, externalId: unknown): string | undefined {
    if (typeof externalId !== 'string') return undefined
    return companies.world.records.get(recordKey(connectionId, externalId))?.companyId
  }
}

function changesOf<T>(
  touched: ReadonlySet<string>,
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): Changes<T> {
  const changes: { new: T[]; changed: T[] } = { new: [], changed: [] }
  for (const key of touched) {
    const value = after.get(key)
    if (value) changes[before.has(key) ? 'changed' : 'new'].push(value)
  }
  return changes
}

function isLesser(a: ReadClaim, b: Identity): boolean {
  return recordKey(a.connectionId, a.externalId) < recordKey(b.connectionId, b.externalId)
}

function nameOf(record: PersonRecord): string | null {
  const name = record.facts['name']?.value
  return typeof name === 'string' && name !== '' ? name : null
}

function evidenceOf({ connectionId, externalId, inboxSeq }: ReadClaim, keys: readonly Key[]): Evidence {
  return {
    keys,
    record: { connection_id: connectionId, external_id: externalId },
    ...(inboxSeq === undefined ? {} : { inbox_seq: inboxSeq }),
  }
}
