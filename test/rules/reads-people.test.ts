/** People are loaded only where a rule could look at one: an oversight would show everybody as one of whom nothing is known. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldNames } from '#hub/rules/field.ts'
import { compileRules, evaluateRules } from '#hub/rules/index.ts'
import { contextOf, now, rule } from './examples.ts'

const setOf = (keys: object) => compileRules([{ version: 1, definition: rule({ ...keys }) }])

describe('people are loaded', () => {
  it.each<[string, object]>([
    ['a condition', { if: { any: [{ none: [{ field: 'profile.traits.plan', is: 'Pro' }] }] } }],
    ['a text', { then: [{ reply: { text: 'Hello {% if profile %}{{ profile.name }}{% endif %}' } }] }],
    ['a text that spells it otherwise', { then: [{ note: { text: '{{ ["pro\\u0066ile"].name }}' } }] }],
    [
      'a text that works the name out',
      { then: [{ note: { text: '{% assign p = "PRO" | append: "file" %}{{ [p].name }}' } }] },
    ],
    ['a text of a body', { then: [{ webhook: { url: 'https://a.example/', body: { a: ['{{ profile.id }}'] } } }] }],
    ['a body that is the whole event', { then: [{ webhook: { url: 'https://a.example/' } }] }],
    ['a case opened for them', { then: [{ create_case: { connection: 'A', subject: 'Call', text: 'Now' } }] }],
    ['a change to them', { then: [{ update_person: { traits: { plan: 'Pro' } } }] }],
    ['a notice, which may be about them', { then: [{ notify: { connection: 'A', to: '#desk', text: 'Look' } }] }],
    ['a question', { then: [{ approval: { connection: 'A', to: '#desk', question: 'Refund?' } }] }],
    ['a rule that is only simulated', { if: { field: 'profile.name', is_set: true }, mode: 'simulate' }],
  ])('for %s', (_what, keys) => {
    expect(setOf(keys).readsPeople).toBe(true)
  })

  it('for one rule among many', () => {
    const rules = [rule({ id: 'a' }), rule({ id: 'b', if: { field: 'profile.locale', is: 'es' } }), rule({ id: 'c' })]
    expect(compileRules(rules.map((definition) => ({ version: 1, definition }))).readsPeople).toBe(true)
  })

  it.each<[string, object]>([
    ['about cases alone', { if: { field: 'case.tags', any_of: ['vip'] }, then: [{ priority: 'urgent' }] }],
    ['that tells of a case', { then: [{ webhook: { url: 'https://a.example/', body: '{{ case.id }}' } }] }],
    ['that is off', { if: { field: 'profile.name', is_set: true }, mode: 'off' }],
  ])('not for a rule %s', (_what, keys) => {
    expect(setOf(keys).readsPeople).toBe(false)
  })
})

it('whether somebody is loaded makes no difference to rules that do not ask for it', () => {
  const field = fc.constantFrom(...fieldNames, 'case.custom.product', 'profile.traits.plan', 'profile.company.plan')
  const text = field.map((name) => `x{{ ${name} }}`)
  const action = fc.oneof(
    text.map((of) => ({ reply: { text: of } })),
    text.map((of) => ({ note: { text: of } })),
    text.map((of) => ({ update_person: { traits: { said: of } } })),
    text.map((of) => ({ create_case: { connection: 'A', subject: of, text: of } })),
    text.map((of) => ({ notify: { connection: 'A', to: '#desk', text: of } })),
    text.map((of) => ({ approval: { connection: 'A', to: '#desk', question: of } })),
    fc.option(text).map((body) => ({ webhook: { url: 'https://a.example/', ...(body === null ? {} : { body }) } })),
    fc.constant({ status: 'pending' }),
    fc.constant({ tag: { add: ['seen'] } }),
  )
  const condition = fc.option(
    field.map((name) => ({ field: name, is_set: true })),
    { nil: undefined },
  )
  let unasked = 0
  fc.assert(
    fc.property(condition, fc.array(action, { minLength: 1, maxLength: 3 }), (when, then) => {
      const set = setOf({ then, ...(when === undefined ? {} : { if: when }) })
      if (set.readsPeople) return
      unasked += 1
      const message = { visibility: 'public', author: 'customer', text: 'Hello' } as const
      const known = contextOf({ message })
      expect(evaluateRules(set, { ...known, profile: null }, now)).toEqual(evaluateRules(set, known, now))
    }),
    { numRuns: 500 },
  )
  expect(unasked).toBeGreaterThan(50)
})
