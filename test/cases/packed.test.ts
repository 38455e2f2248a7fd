import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packFields, packProvenance, unpackFields, unpackProvenance } from '#hub/cases/packed.ts'
import type { Dated, Provenance } from '#hub/platform/db/schema.ts'

const time = fc.constantFrom('2026-11-22T10:00:00.000Z', '2026-11-22T11:00:00.000Z')
const field = fc.constantFrom('subject', 'status', 'tags', 'custom.plan', 'custom.a b')
const dated: fc.Arbitrary<Dated> = fc.record(
  {
    value: fc.constantFrom<unknown>('open', null, 3, ['a', 'b']),
    at: time,
    undated: fc.constant(true as const),
    writtenAt: time,
    readAt: time,
  },
  { requiredKeys: ['value', 'at'] },
)
const provenance: fc.Arbitrary<Provenance> = fc.record({
  at: time,
  source: fc.constantFrom<Provenance['source']>(
    { kind: 'connection', connectionId: 'con_1', record: 'T-1' },
    { kind: 'connection', connectionId: 'con_2', record: 'T-1' },
    { kind: 'rule', ruleId: 'vip', version: 2 },
  ),
})

describe('packed fields', () => {
  it('give back what was packed, whatever the fields share', () => {
    fc.assert(
      fc.property(fc.dictionary(field, dated), fc.dictionary(field, provenance), (fields, sources) => {
        expect(unpackFields(packFields(fields))).toEqual(fields)
        expect(unpackProvenance(packProvenance(sources))).toEqual(sources)
      }),
    )
  })

  it('write once what came at once', () => {
    const at = '2026-11-22T10:00:00.000Z'
    expect(packFields({ subject: { value: 'Invoice', at }, status: { value: 'open', at } })).toEqual([
      { at, values: { subject: 'Invoice', status: 'open' } },
    ])
  })
})
