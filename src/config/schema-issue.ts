/** What a schema finds wrong, for the person who wrote the file: what stands there, and what was probably meant. Pure. */
import type { z } from 'zod'
import { type Issue, type Path, show, suggestOneOf } from '#hub/rules/index.ts'

/** @param root what the schema was given. @param at where that stands in the file. */
export function schemaIssue(issue: z.core.$ZodIssue, root: unknown, at: Path): Issue {
  const inside = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const path = [...at, ...inside]
  const value = inside.reduce<unknown>(child, root)
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return { path, message: `"${inside.at(-1)}" is missing` }
  }
  // One value alone is a literal, whose schema says better what it stands for.
  if (issue.code === 'invalid_value' && issue.values.length > 1) {
    const known = issue.values.map(String)
    return { path, message: `${show(value)} is not possible here`, ...suggestOneOf(String(value), known) }
  }
  return { path, message: issue.message }
}

function child(place: unknown, part: string | number): unknown {
  if (typeof place !== 'object' || place === null || !Object.hasOwn(place, part)) return undefined
  return Reflect.get(place, part)
}
