/** What differs between two versions of a rule, in plain words. */
import { isDeepStrictEqual } from 'node:util'
import { isMap } from './check.ts'
import { type ConditionDefinition, isGroup, type RuleDefinition } from './definition.ts'
import { actionWords, conditionWords } from './words.ts'

/** @returns one sentence for each difference; empty when the rules are the same. */
export function describeChange(earlier: RuleDefinition, later: RuleDefinition): string[] {
  const [before, after] = [inKeyOrder(earlier), inKeyOrder(later)]
  const lines: string[] = []
  if (before.name !== after.name) lines.push(`name: "${before.name}" becomes "${after.name}"`)
  if (before.owner !== after.owner) lines.push(`owner: ${before.owner ?? 'nobody'} becomes ${after.owner ?? 'nobody'}`)
  if (before.mode !== after.mode) lines.push(`mode: ${before.mode} becomes ${after.mode}`)
  lines.push(...differences('event', before.on, after.on))
  const conditions = differences('condition', conditionLines(before.if), conditionLines(after.if))
  lines.push(...conditions)
  const sameConditions = isDeepStrictEqual(before.if, after.if)
  if (conditions.length === 0 && !sameConditions) lines.push('the conditions are grouped or ordered differently')
  const actions = differences('action', before.then.map(actionWords), after.then.map(actionWords))
  lines.push(...actions)
  if (actions.length === 0 && !isDeepStrictEqual(before.then, after.then)) {
    const reordered = isDeepStrictEqual(before.then.map(actionWords), after.then.map(actionWords))
    lines.push(reordered ? 'a text in an action changed' : 'the actions run in another order')
  }
  if (lines.length === 0 && !isDeepStrictEqual(before.on, after.on))
    lines.push('the events are listed in another order')
  return lines
}

function conditionLines(condition: ConditionDefinition | undefined, group = ''): string[] {
  if (condition === undefined) return []
  if (!isGroup(condition)) return [group + conditionWords(condition)]
  return [
    ...(condition.all ?? []).flatMap((child) => conditionLines(child, group)),
    ...(condition.any ?? []).flatMap((child) => conditionLines(child, `${group}any of: `)),
    ...(condition.none ?? []).flatMap((child) => conditionLines(child, `${group}none of: `)),
  ]
}

function differences(noun: string, before: readonly string[], after: readonly string[]): string[] {
  const removed = without(before, after).map((line) => `removes the ${noun} ${line}`)
  const added = without(after, before).map((line) => `adds the ${noun} ${line}`)
  return [...removed, ...added]
}
/** What is left of a list when the other's items are taken out, each as often as it is there. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const rest = [...other]
  return list.filter((item) => {
    const found = rest.indexOf(item)
    if (found >= 0) rest.splice(found, 1)
    return found < 0
  })
}

/** The table keeps no order of keys, so order must not show as a difference. */
function inKeyOrder<T>(value: T): T
function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inKeyOrder)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, inKeyOrder(value[key])]),
  )
}
