/** Facts with their times. The newest news per field wins, whatever order it comes in and however often. */
import type { DatedFields } from '#hub/platform/db/schema.ts'

/**
 * Takes what is newer. At equal times the greater text wins, so that every order of the same news ends the same.
 * @param at ISO 8601 in UTC, as `Date.toISOString` writes it.
 * @returns the facts, and the names of the fields whose value is another now.
 */
export function takeNews(
  known: DatedFields,
  news: Readonly<Record<string, unknown>>,
  at: string,
): { readonly facts: DatedFields; readonly changed: readonly string[] } {
  let facts: Record<string, { value: unknown; at: string }> | undefined
  const changed: string[] = []
  for (const [field, value] of Object.entries(news)) {
    const old = known[field]
    const isOther = !old || !isSame(old.value, value)
    if (old && (at < old.at || (at === old.at && !(isOther && canonicalJson(value) > canonicalJson(old.value)))))
      continue
    facts ??= { ...known }
    facts[field] = { value, at }
    if (isOther) changed.push(field)
  }
  return { facts: facts ?? known, changed }
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  return typeof a === 'object' && typeof b === 'object' && canonicalJson(a) === canonicalJson(b)
}

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`
}
