/** The index and the closures against the plainest possible reading of a rule. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compileRules, evaluateRules } from '#hub/rules/index.ts'
import type { RuleContext } from '#hub/rules/plan.ts'
import { cpuTimeMs } from '#kit/cpu-time.ts'
import { contextOf, now, rule, theCase, theProfile } from './examples.ts'

type Written = { readonly [key: string]: unknown }

const words = ['red', 'Green', 'blue', 'x1']
const priorities = ['low', 'normal', 'high', 'urgent']
const word = fc.constantFrom(...words)
const some = <T>(item: fc.Arbitrary<T>) => fc.uniqueArray(item, { minLength: 1, maxLength: 3 })
const priority = fc.constantFrom(...priorities)
const count = fc.integer({ min: 0, max: 4 })
const anything = fc.oneof(word, count, fc.boolean())

const test: fc.Arbitrary<Written> = fc.oneof(
  fc.record({ field: fc.constant('case.priority'), is: priority }),
  fc.record({ field: fc.constant('case.priority'), in: some(priority) }),
  fc.record({ field: fc.constant('case.priority'), not_in: some(priority) }),
  fc.record({ field: fc.constantFrom('case.team', 'case.subject', 'profile.locale'), is: word }),
  fc.record({ field: fc.constantFrom('case.team', 'case.subject'), is_not: word }),
  fc.record({ field: fc.constantFrom('case.team', 'case.subject'), contains: fc.constantFrom('r', 'E', '1') }),
  fc.record({ field: fc.constant('case.tags'), any_of: some(word) }),
  fc.record({ field: fc.constant('case.tags'), none_of: some(word) }),
  fc.record({ field: fc.constant('case.tags'), all_of: some(word) }),
  fc.record({ field: fc.constant('case.tags'), contains: word }),
  fc.record({ field: fc.constant('profile.open_cases'), at_least: count }),
  fc.record({ field: fc.constant('profile.open_cases'), in: some(count) }),
  fc.record({ field: fc.constant('case.custom.c'), is: anything }),
  fc.record({ field: fc.constant('case.custom.c'), any_of: some(anything) }),
  fc.record({ field: fc.constant('case.custom.c'), in: some(anything) }),
  fc.record({ field: fc.constantFrom('case.custom.c', 'case.tags', 'profile.locale'), is_set: fc.boolean() }),
)
const { condition } = fc.letrec<{ condition: Written }>((tie) => {
  const list = fc.array(tie('condition'), { minLength: 1, maxLength: 3 })
  const tree = fc.oneof(
    fc.record({ all: list }),
    fc.record({ any: list }),
    fc.record({ none: list }),
    fc.record({ all: list, none: list }),
  )
  return { condition: fc.oneof({ maxDepth: 2, depthIdentifier: 'tree' }, test, tree) }
})

const context: fc.Arbitrary<RuleContext> = fc
  .record({
    priority: fc.constantFrom(null, 'low' as const, 'normal' as const, 'high' as const),
    team: fc.option(word),
    subject: fc.option(word),
    tags: fc.array(word, { maxLength: 3 }),
    custom: fc.oneof(
      fc.constant({}),
      fc.record({ c: fc.oneof(anything, fc.array(anything, { maxLength: 2 }), fc.constant(null)) }),
    ),
    profile: fc.option(fc.record({ locale: fc.option(word), open_cases: count })),
  })
  .map(({ profile, ...fields }) =>
    contextOf({ case: { ...theCase, ...fields }, profile: profile && { ...theProfile, ...profile } }),
  )

/** Reads a written condition afresh each time, straight from the documentation. */
function holds(written: Written, { case: theCase, profile }: RuleContext): boolean {
  const inner = (list: unknown) =>
    (list as Written[]).map((child) => holds(child, contextOf({ case: theCase, profile })))
  if (!('field' in written)) {
    return (
      (!written['all'] || inner(written['all']).every(Boolean)) &&
      (!written['any'] || inner(written['any']).some(Boolean)) &&
      (!written['none'] || !inner(written['none']).some(Boolean))
    )
  }
  const name = String(written['field'])
  if (name.startsWith('profile.') && !profile) return written['is_set'] === false
  const value = {
    'case.priority': theCase?.priority,
    'case.team': theCase?.team,
    'case.subject': theCase?.subject,
    'case.tags': theCase?.tags,
    'case.custom.c': theCase?.custom['c'],
    'profile.locale': profile?.locale,
    'profile.open_cases': profile?.open_cases,
  }[name]
  const same = (a: unknown, b: unknown) => String(a).toLowerCase() === String(b).toLowerCase()
  const unset = value === null || value === undefined
  const listed: readonly unknown[] = Array.isArray(value) ? value : unset ? [] : [value]
  const single = !Array.isArray(value) && !unset
  const wanted = (key: string) => written[key] as unknown[]
  return Object.keys(written).every((key) => {
    switch (key) {
      case 'field':
        return true
      case 'is':
        return single && same(value, written['is'])
      case 'is_not':
        return !(single && same(value, written['is_not']))
      case 'in':
        return single && wanted('in').some((item) => same(item, value))
      case 'not_in':
        return !(single && wanted('not_in').some((item) => same(item, value)))
      case 'contains':
        return Array.isArray(value)
          ? value.some((item) => same(item, written['contains']))
          : single && String(value).toLowerCase().includes(String(written['contains']).toLowerCase())
      case 'any_of':
        return listed.some((item) => wanted('any_of').some((other) => same(item, other)))
      case 'none_of':
        return !listed.some((item) => wanted('none_of').some((other) => same(item, other)))
      case 'all_of':
        return wanted('all_of').every((other) => listed.some((item) => same(item, other)))
      case 'at_least':
        return typeof value === 'number' && value >= Number(written['at_least'])
      case 'is_set':
        return listed.length > 0 === written['is_set']
      default:
        throw new Error(`the naive reading does not know ${key}`)
    }
  })
}

it('match exactly the rules that a naive reading matches, in their order', () => {
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 1, maxLength: 25 }),
      fc.array(context, { minLength: 1, maxLength: 8 }),
      (conditions, contexts) => {
        const rules = compileRules(
          conditions.map((written, index) => ({ version: 1, definition: rule({ id: `r${index}`, if: written }) })),
        )
        for (const seen of contexts) {
          const expected = conditions.flatMap((written, index) => (holds(written, seen) ? [`r${index}`] : []))
          expect(evaluateRules(rules, seen, now).map(({ ruleId }) => ruleId)).toEqual(expected)
        }
      },
    ),
    { numRuns: 300 },
  )
})

it('come to the same outcomes as asking every rule by itself, without a look-up', () => {
  const written = fc.record({
    if: condition,
    on: fc.constantFrom(['case.updated'], ['case.created'], ['case.created', 'case.updated']),
    mode: fc.constantFrom('on', 'simulate', 'off'),
    then: fc.constantFrom([{ tag: { add: ['seen'] } }], [{ note: { text: 'Case {{ case.subject }}' } }]),
  })
  fc.assert(
    fc.property(
      fc.array(written, { minLength: 1, maxLength: 25 }),
      fc.array(context, { minLength: 1, maxLength: 8 }),
      (list, contexts) => {
        const definitions = list.map((keys, index) => rule({ ...keys, id: `r${index}` }))
        const together = compileRules(definitions.map((definition) => ({ version: 1, definition })))
        // What stands in `any` is never a look-up.
        const alone = list.map((keys, index) =>
          compileRules([{ version: 1, definition: rule({ ...keys, id: `r${index}`, if: { any: [keys.if] } }) }]),
        )
        for (const seen of contexts) {
          expect(evaluateRules(together, seen, now)).toEqual(alone.flatMap((one) => evaluateRules(one, seen, now)))
        }
      },
    ),
    { numRuns: 200 },
  )
})

it('compile 1,000 rules of three conditions and a template in under 50 ms of work', () => {
  const rules = Array.from({ length: 1_000 }, (_, index) => ({
    version: 1,
    definition: rule({
      id: `r${index}`,
      if: {
        all: [
          { field: 'case.team', is: `team ${index % 40}` },
          { field: 'profile.open_cases', greater_than: index % 7 },
          { field: 'case.priority', in: ['high', 'urgent'] },
        ],
      },
      then: [{ note: { text: 'Case {{ case.id }} of {{ profile.name }}' } }],
    }),
  }))
  // The best of many: the first ones are not yet compiled themselves.
  const times = Array.from({ length: 12 }, () => {
    const start = cpuTimeMs()
    expect(compileRules(rules).rules).toHaveLength(1_000)
    return cpuTimeMs() - start
  })
  expect(Math.min(...times)).toBeLessThan(50)
})
