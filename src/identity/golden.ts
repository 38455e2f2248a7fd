/**
 * The value that counts among those of several records. Pure: worked out whenever it is read, so that a merge and its undoing
 * change no record. First the order of sources, then the newest, then the greater text: the same records, the same answer.
 */
import type { DatedFields } from '#hub/platform/db/schema.ts'
import { canonicalJson } from './dated-facts.ts'
import { normaliseEmail } from './email.ts'

export interface SourceRecord {
  readonly connectionId: string
  readonly externalId: string
  readonly facts: DatedFields
}

export interface Sourced {
  readonly value: unknown
  readonly source: { readonly connection_id: string; readonly record: string; readonly at: string }
}
export interface Trait extends Sourced {
  /** What other records say, best first; the same value may be there twice. */
  readonly others: readonly Sourced[]
}
/** Connection ids, the most trusted first, for a trait by its bare name. */
export type SourceOrder = (trait: string) => readonly string[]

const traitPrefix = 'traits.'

/** `traits.plan` → `plan`; undefined for the vendor's own fields. */
export function traitName(field: string): string | undefined {
  return field.startsWith(traitPrefix) ? field.slice(traitPrefix.length) : undefined
}

/** By field: `name`, `locale`, `company`, `traits.<name>`; and `emails`, `phones`, of which all are kept, the best first. */
export function goldenTraits(records: readonly SourceRecord[], order: SourceOrder): ReadonlyMap<string, Trait> {
  const said = new Map<string, Sourced[]>()
  for (const { connectionId, externalId, facts } of records) {
    for (const [field, { value, at }] of Object.entries(facts)) {
      // "Empty" is no value: what another source knows counts.
      if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) continue
      const list = said.get(field) ?? []
      list.push({ value, source: { connection_id: connectionId, record: externalId, at } })
      said.set(field, list)
    }
  }
  const golden = new Map<string, Trait>()
  for (const [field, list] of said) {
    const [best, ...others] = list.toSorted(betterFirst(order(traitName(field) ?? field)))
    if (!best) continue
    const value = field === 'emails' || field === 'phones' ? union([best, ...others]) : best.value
    golden.set(field, { ...best, value, others })
  }
  return golden
}

function betterFirst(sources: readonly string[]): (a: Sourced, b: Sourced) => number {
  const rank = ({ source }: Sourced) => {
    const place = sources.indexOf(source.connection_id)
    return place === -1 ? sources.length : place
  }
  return (a, b) =>
    rank(a) - rank(b) ||
    compare(b.source.at, a.source.at) ||
    compare(canonicalJson(b.value), canonicalJson(a.value)) ||
    compare(a.source.connection_id, b.source.connection_id) ||
    compare(a.source.record, b.source.record)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Every address once, in the spelling of the best source. */
function union(list: readonly Sourced[]): readonly string[] {
  const all = new Map<string, string>()
  for (const { value } of list) {
    for (const text of Array.isArray(value) ? value : []) {
      if (typeof text !== 'string') continue
      const key = normaliseEmail(text) ?? text.replaceAll(/[\s().-]/g, '')
      if (!all.has(key)) all.set(key, text.trim())
    }
  }
  return [...all.values()]
}
