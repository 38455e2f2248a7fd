import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CaseState } from '#hub/cases/fields.ts'
import { mergeCase, setFields } from '#hub/cases/merge.ts'
import type { DatedFields, Source } from '#hub/platform/db/schema.ts'

const desk: Source = { kind: 'connection', connectionId: 'con_desk', record: 'T-1' }
const rule: Source = { kind: 'rule', ruleId: 'urgent', version: 1 }

const empty: CaseState = {
  id: 'case_1',
  parentId: null,
  fields: { status: 'new', priority: null, tags: [] },
  provenance: {},
  createdAt: new Date('2026-11-22T09:00:00Z'),
  updatedAt: new Date('2026-11-22T09:00:00Z'),
  solvedAt: null,
}
const minute = (n: number) => new Date(Date.UTC(2026, 10, 22, 10, n)).toISOString()

describe('three-way merge of a case', () => {
  it('takes what the vendor changed and names it', () => {
    const merged = mergeCase(empty, {}, { status: 'open', priority: 'high' }, minute(1), desk)
    expect(merged.changes).toEqual({
      status: { from: 'new', to: 'open' },
      priority: { from: null, to: 'high' },
    })
    expect(merged.state.fields).toMatchObject({ status: 'open', priority: 'high' })
    expect(merged.state.provenance['status']).toEqual({ at: minute(1), source: desk })
  })

  it('finds no change in the echo of our own write, before and after its receipt', () => {
    const first = mergeCase(empty, {}, { status: 'open', tags: ['a'] }, minute(1), desk)
    const ours = setFields(first.state, { status: 'pending', tags: ['a', 'vip'] }, minute(2), rule)
    const echo = mergeCase(ours.state, first.base, { status: 'pending', tags: ['a', 'vip'] }, minute(3), desk)
    expect(echo.changes).toEqual({})
    expect(echo.conflicts).toEqual([])
    const again = mergeCase(echo.state, echo.base, { status: 'pending', tags: ['a', 'vip'] }, minute(4), desk)
    expect(again.changes).toEqual({})
  })

  it('drops news from before a write of ours that the vendor confirmed without a time', () => {
    const first = mergeCase(empty, {}, { status: 'open' }, minute(1), desk)
    const ours = setFields(first.state, { status: 'pending' }, minute(3), rule)
    const confirmed = { ...first.base, status: { value: 'pending', at: minute(1), undated: true as const } }
    const late = mergeCase(ours.state, confirmed, { status: 'open' }, minute(2), desk)
    expect(late.stale).toEqual(['status'])
    expect(mergeCase(ours.state, confirmed, { status: 'solved' }, minute(4), desk).state.fields['status']).toBe(
      'solved',
    )
  })

  it('drops what it had read before its own write was done, whatever time the vendor gives it', () => {
    const second = '2026-11-22T10:03:00.000Z'
    const first = mergeCase(empty, {}, { tags: [] }, minute(1), desk)
    const ours = setFields(first.state, { tags: ['vip'] }, '2026-11-22T10:03:00.100Z', rule)
    const confirmed = { tags: { value: ['vip'], at: second, writtenAt: '2026-11-22T10:03:00.400Z' } }
    const early = mergeCase(ours.state, confirmed, { tags: [] }, second, desk, '2026-11-22T10:03:00.300Z')
    expect(early).toMatchObject({ changes: {}, unsure: true })
    const same = mergeCase(ours.state, confirmed, { tags: ['vip'] }, second, desk, '2026-11-22T10:03:00.300Z')
    expect(same).toMatchObject({ changes: {}, unsure: false })
    const later = mergeCase(ours.state, confirmed, { tags: [] }, second, desk, '2026-11-22T10:03:00.500Z')
    expect(later.changes).toEqual({ tags: { from: ['vip'], to: [] } })
  })

  it('drops an earlier read that comes later, in the same second of the vendor', () => {
    const second = '2026-11-22T10:03:00.000Z'
    const read = (state: CaseState, base: DatedFields, tags: readonly string[], readAt: string) =>
      mergeCase(state, base, { tags }, second, desk, readAt)
    const fresh = read(empty, {}, ['vip', 'warehouse'], '2026-11-22T10:03:00.500Z')
    const late = read(fresh.state, fresh.base, ['vip'], '2026-11-22T10:03:00.200Z')
    expect(late).toMatchObject({ changes: {}, stale: ['tags'], unsure: false })
    const next = read(late.state, late.base, ['vip'], '2026-11-22T10:03:00.700Z')
    expect(next.changes).toEqual({ tags: { from: ['vip', 'warehouse'], to: ['vip'] } })
  })

  it('hears a change in the same second as our own write, from a vendor that tells whole seconds', () => {
    const second = '2026-11-22T10:03:00.000Z'
    const first = mergeCase(empty, {}, { tags: ['a'] }, minute(1), desk)
    const ours = setFields(first.state, { tags: ['a', 'vip'] }, '2026-11-22T10:03:00.600Z', rule)
    const confirmed = { tags: { value: ['a', 'vip'], at: minute(1), undated: true as const } }
    const news = mergeCase(ours.state, confirmed, { tags: ['a', 'b', 'vip'] }, second, desk)
    expect(news.changes).toMatchObject({ tags: { to: ['a', 'b', 'vip'] } })
  })

  it('drops news older than what it holds, field by field', () => {
    const newer = mergeCase(empty, {}, { status: 'solved' }, minute(5), desk)
    const older = mergeCase(newer.state, newer.base, { status: 'open', subject: 'Invoice' }, minute(4), desk)
    expect(older.stale).toEqual(['status'])
    expect(older.state.fields).toMatchObject({ status: 'solved', subject: 'Invoice' })
  })

  it('keeps the newer side of a conflict and tells what both sides said', () => {
    const first = mergeCase(empty, {}, { priority: 'low' }, minute(1), desk)
    const ours = setFields(first.state, { priority: 'urgent' }, minute(3), rule)
    const behind = mergeCase(ours.state, first.base, { priority: 'high' }, minute(2), desk)
    expect(behind.state.fields['priority']).toBe('urgent')
    expect(behind.conflicts).toEqual([{ field: 'priority', ours: 'urgent', theirs: 'high', kept: 'ours' }])
    const ahead = mergeCase(ours.state, first.base, { priority: 'high' }, minute(4), desk)
    expect(ahead.state.fields['priority']).toBe('high')
    expect(ahead.conflicts).toEqual([{ field: 'priority', ours: 'urgent', theirs: 'high', kept: 'theirs' }])
  })

  it('merges tags as sets: both sides keep what they added', () => {
    const first = mergeCase(empty, {}, { tags: ['billing'] }, minute(1), desk)
    const ours = setFields(first.state, { tags: ['billing', 'vip'] }, minute(2), rule)
    const theirs = mergeCase(ours.state, first.base, { tags: ['refund'] }, minute(3), desk)
    expect(theirs.state.fields['tags']).toEqual(['refund', 'vip'])
  })

  it('knows an agent by e-mail, whatever id a tool gives', () => {
    const first = mergeCase(empty, {}, { assignee: { id: '7', email: 'Leo@desk.example' } }, minute(1), desk)
    const other = mergeCase(
      first.state,
      first.base,
      { assignee: { id: '99', email: 'leo@desk.example' } },
      minute(2),
      desk,
    )
    expect(other.changes).toEqual({})
  })

  it('ends in the same fields however deliveries are shuffled and repeated', () => {
    const fields = fc.record(
      {
        status: fc.constantFrom('new', 'open', 'pending', 'solved'),
        priority: fc.constantFrom('low', 'high', null),
        tags: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')).map((tags) => tags.toSorted()),
        'custom.plan': fc.constantFrom('free', 'pro'),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        fc.array(fields, { minLength: 1, maxLength: 8 }).chain((states) => {
          const news = states.map((theirs, index) => ({ theirs, at: minute(index) }))
          const copies = fc.array(fc.constantFrom(...news), { maxLength: 8 })
          return fc.tuple(
            fc.constant(news),
            copies.chain((extra) =>
              fc.shuffledSubarray([...news, ...extra], { minLength: news.length + extra.length }),
            ),
          )
        }),
        ([ordered, shuffled]) => {
          expect(play(shuffled).state.fields).toEqual(play(ordered).state.fields)
          expect(play(shuffled).base).toEqual(play(ordered).base)
        },
      ),
    )
  })
})

function play(news: readonly { theirs: Record<string, unknown>; at: string }[]) {
  let state = empty
  let base: DatedFields = {}
  for (const { theirs, at } of news) ({ state, base } = mergeCase(state, base, theirs, at, desk))
  return { state, base }
}
