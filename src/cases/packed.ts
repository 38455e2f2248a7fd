/**
 * How the times and sources of fields stand in the database. Most fields of a record come at once: what they share is
 * written once, which makes a new case a third of the size.
 */
import type { Dated, DatedFields, PackedFields, PackedProvenance, Provenance } from '#hub/platform/db/schema.ts'

type ProvenanceOfFields = Readonly<Record<string, Provenance>>

export function packProvenance(provenance: ProvenanceOfFields): readonly PackedProvenance[] {
  const groups = Map.groupBy(Object.entries(provenance), ([, { at, source }]) => `${at} ${JSON.stringify(source)}`)
  return inOrder(groups).flatMap((group) => {
    const [first] = group
    return first ? [{ ...first[1], fields: group.map(([field]) => field) }] : []
  })
}

export function unpackProvenance(packed: readonly PackedProvenance[]): ProvenanceOfFields {
  return Object.fromEntries(packed.flatMap(({ at, source, fields }) => fields.map((field) => [field, { at, source }])))
}

export function packFields(fields: DatedFields): readonly PackedFields[] {
  const groups = Map.groupBy(
    Object.entries(fields),
    ([, { at, undated, writtenAt, readAt }]) => `${at} ${undated} ${writtenAt} ${readAt}`,
  )
  return inOrder(groups).flatMap((group) => {
    const [first] = group
    if (!first) return []
    const { value: _, ...age } = first[1]
    return [{ ...age, values: Object.fromEntries(group.map(([field, { value }]) => [field, value])) }]
  })
}

export function unpackFields(packed: readonly PackedFields[]): DatedFields {
  return Object.fromEntries(
    packed.flatMap(({ values, ...age }) =>
      Object.entries(values).map(([field, value]): [string, Dated] => [field, { value, ...age }]),
    ),
  )
}

/** The same state is the same text, in whatever order it came about. */
function inOrder<T>(groups: ReadonlyMap<string, T>): readonly T[] {
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}
