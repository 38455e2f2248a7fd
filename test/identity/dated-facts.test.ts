import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, takeNews } from '#hub/identity/dated-facts.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 10, minute)).toISOString()

describe('dated facts', () => {
  it('drop older news field by field', () => {
    const first = takeNews({}, { name: 'Ana', locale: 'es' }, at(2))
    const older = takeNews(first.facts, { name: 'Anna', 'traits.plan': 'pro' }, at(1))
    expect(older.facts).toEqual({
      name: { value: 'Ana', at: at(2) },
      locale: { value: 'es', at: at(2) },
      'traits.plan': { value: 'pro', at: at(1) },
    })
    expect(older.changed).toEqual(['traits.plan'])
  })

  it('remember the later time of an unchanged value, and call it no change', () => {
    const { facts } = takeNews({}, { emails: ['a@x.example'] }, at(1))
    expect(takeNews(facts, { emails: ['a@x.example'] }, at(3))).toEqual({
      facts: { emails: { value: ['a@x.example'], at: at(3) } },
      changed: [],
    })
    expect(takeNews(facts, { emails: ['a@x.example'] }, at(1)).facts).toBe(facts)
  })

  it('end the same in every order, with repetitions', () => {
    const value = fc.oneof(fc.constantFrom('a', 'b', null, 1), fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }))
    const news = fc.record({
      fields: fc.dictionary(fc.constantFrom('name', 'plan'), value),
      minute: fc.integer({ min: 0, max: 3 }),
    })
    const end = (all: readonly { fields: Record<string, unknown>; minute: number }[]) =>
      canonicalJson(all.reduce((facts, one) => takeNews(facts, one.fields, at(one.minute)).facts, {}))
    fc.assert(
      fc.property(
        fc
          .array(news, { maxLength: 8 })
          .chain((all) =>
            fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })),
          ),
        ([all, shuffled]) => {
          expect(end(shuffled)).toBe(end(all))
        },
      ),
    )
  })
})
