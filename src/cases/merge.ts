/**
 * Three-way merge, like git: *base* is the last known remote state, *theirs* what the vendor says now, *ours* what the hub
 * holds. Only fields where theirs differs from the base are changes, so an echo of our own write is empty.
 */
import type { Dated, DatedFields, Source } from '#hub/platform/db/schema.ts'
import type { Change } from './event.ts'
import { type CaseState, type Fields, read, sameValue, solvedStatuses, tagSet } from './fields.ts'

export interface Conflict {
  readonly field: string
  readonly ours: unknown
  readonly theirs: unknown
  readonly kept: 'ours' | 'theirs'
}

export interface Merged {
  readonly state: CaseState
  readonly base: DatedFields
  readonly changes: Readonly<Record<string, Change>>
  readonly conflicts: readonly Conflict[]
  /** Fields of older news than the base: dropped. */
  readonly stale: readonly string[]
  /** Read while a write of ours was under way, and it says something else: nobody can tell which was first. Read it anew. */
  readonly unsure: boolean
}

/**
 * @param at ISO 8601 UTC: when theirs was true at the vendor. Older than a field's base: that field is dropped. Equal: the
 * later arrival counts, for vendors with times by the second.
 * @param readAt by the hub's clock, for what the hub read itself: when it began to.
 */
export function mergeCase(
  ours: CaseState,
  base: DatedFields,
  theirs: Fields,
  at: string,
  source: Source,
  readAt?: string,
): Merged {
  const nextBase: Record<string, Dated> = { ...base }
  const accepted: Record<string, unknown> = {}
  const conflicts: Conflict[] = []
  const stale: string[] = []
  let unsure = false
  for (const [field, value] of Object.entries(theirs)) {
    const known = base[field]
    if (known && isReadEarlier(known, at, readAt)) {
      stale.push(field)
      continue
    }
    if (known && (at < known.at || predatesOurWrite(field, ours, known, at, readAt))) {
      stale.push(field)
      if (at >= known.at && readAt !== undefined && !sameValue(field, known.value, value)) unsure = true
      continue
    }
    nextBase[field] = { value, at, ...(readAt === undefined ? {} : { readAt }) }
    if (known && sameValue(field, known.value, value)) continue
    const result = mergeField(field, ours, known, value, at)
    if (result.conflict) conflicts.push(result.conflict)
    if (!sameValue(field, ours.fields[field], result.value)) accepted[field] = result.value
  }
  const { state, changes } = setFields(ours, accepted, at, source)
  return { state, base: nextBase, changes, conflicts, stale, unsure }
}

/** Reconciliation's reads wait in the inbox and may be passed by a later read with the same time. */
function isReadEarlier(base: Dated, at: string, readAt: string | undefined): boolean {
  return base.readAt !== undefined && readAt !== undefined && readAt < base.readAt && at <= base.at
}

/**
 * Old news in spite of its time: read before our write was done; or, where the vendor confirmed the write without a time of
 * its own, from before we wanted it. (Many vendors tell whole seconds: within that second the later arrival counts.)
 */
function predatesOurWrite(
  field: string,
  ours: CaseState,
  base: Dated,
  at: string,
  readAt: string | undefined,
): boolean {
  if (base.writtenAt !== undefined && readAt !== undefined) return readAt <= base.writtenAt
  const provenance = ours.provenance[field]
  return base.undated === true && provenance !== undefined && at.slice(0, 19) < provenance.at.slice(0, 19)
}

function mergeField(
  field: string,
  ours: CaseState,
  base: Dated | undefined,
  theirs: unknown,
  at: string,
): { value: unknown; conflict?: Conflict } {
  const mine = ours.fields[field]
  if (field === 'tags') return { value: mergeTags(mine, base?.value, theirs) }
  const provenance = ours.provenance[field]
  const weChangedIt = provenance !== undefined && !sameValue(field, mine, base?.value)
  if (!weChangedIt || sameValue(field, mine, theirs)) return { value: theirs }
  const kept = at >= provenance.at ? 'theirs' : 'ours'
  return { value: kept === 'theirs' ? theirs : mine, conflict: { field, ours: mine, theirs, kept } }
}

/** What they added and removed since the base, applied to ours. */
function mergeTags(ours: unknown, base: unknown, theirs: unknown): readonly string[] {
  const [o, b, t] = [ours, base, theirs].map((list) => new Set((list ?? []) as readonly string[])) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ]
  return tagSet([...o.union(t.difference(b)).difference(b.difference(t))])
}

/** Sets fields on the hub's own account (a rule, a person) or after a merge. Equal values are no change. */
export function setFields(
  state: CaseState,
  values: Fields,
  at: string,
  source: Source,
): { state: CaseState; changes: Readonly<Record<string, Change>> } {
  const changes: Record<string, Change> = {}
  for (const [field, value] of Object.entries(values)) {
    if (!sameValue(field, state.fields[field], value)) changes[field] = { from: state.fields[field] ?? null, to: value }
  }
  if (Object.keys(changes).length === 0) return { state, changes }
  const fields = { ...state.fields, ...Object.fromEntries(Object.keys(changes).map((name) => [name, values[name]])) }
  const provenance = {
    ...state.provenance,
    ...Object.fromEntries(Object.keys(changes).map((name) => [name, { at, source }])),
  }
  const time = new Date(at)
  const solved = solvedStatuses.has(read.status(fields))
  const solvedAt = solved ? (state.solvedAt ?? time) : null
  const updatedAt = time > state.updatedAt ? time : state.updatedAt
  return { state: { ...state, fields, provenance, solvedAt, updatedAt }, changes }
}
