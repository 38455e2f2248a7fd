/** What saving rules would do to those that are stored. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { RuleDefinition } from './definition.ts'
import { describeChange } from './describe-change.ts'
import type { RuleRow } from './store.ts'
import { validateRule } from './validate.ts'

export interface RulesPlan {
  readonly created: readonly RuleDefinition[]
  readonly changed: readonly { readonly definition: RuleDefinition; readonly words: readonly string[] }[]
  readonly unchanged: readonly string[]
  readonly removed: readonly string[]
  /** The same rules would run in another order. */
  readonly reordered: boolean
}

/** @throws TypeError when two of the definitions have one id. */
export function compareRules(
  current: readonly RuleRow[],
  definitions: readonly RuleDefinition[],
  source: string,
  complete: boolean,
): RulesPlan {
  const rows = new Map(current.map((row) => [row.id, row]))
  const wanted = new Set(definitions.map(({ id }) => id))
  if (wanted.size < definitions.length) throw new TypeError('two of these rules have the same id; give each its own')
  const created = definitions.filter(({ id }) => !rows.has(id))
  const changed = definitions.flatMap((definition) => {
    const row = rows.get(definition.id)
    if (!row || isDeepStrictEqual(row.definition, plain(definition))) return []
    const before = validateRule(row.definition)
    const words = before.ok
      ? describeChange(before.rule, definition)
      : ['replaces a definition that cannot be read any more']
    return [{ definition, words }]
  })
  const differing = new Set([...created, ...changed.map(({ definition }) => definition)].map(({ id }) => id))
  const removed = complete
    ? current.filter((row) => row.source === source && !wanted.has(row.id)).map(({ id }) => id)
    : []
  const kept = current.filter(({ id }) => wanted.has(id)).map(({ id }) => id)
  const asWanted = definitions.map(({ id }) => id).filter((id) => rows.has(id))
  return {
    created,
    changed,
    unchanged: definitions.map(({ id }) => id).filter((id) => !differing.has(id)),
    removed,
    reordered: complete && !isDeepStrictEqual(kept, asWanted),
  }
}

/** As it comes back from jsonb. */
function plain(definition: RuleDefinition): unknown {
  return JSON.parse(JSON.stringify(definition))
}

export function positionsFor(
  current: readonly RuleRow[],
  definitions: readonly RuleDefinition[],
  complete: boolean,
): ReadonlyMap<string, number> {
  if (complete) return new Map(definitions.map(({ id }, index) => [id, index]))
  const held = new Map(current.map((row) => [row.id, row.position]))
  const end = Math.max(-1, ...held.values()) + 1
  return new Map(definitions.map(({ id }, index) => [id, held.get(id) ?? end + index]))
}
