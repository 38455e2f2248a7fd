import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentHash } from '#hub/cases/book.ts'
import { createThreads, type NamedCase } from '#hub/cases/threads.ts'
import type { MessageFacts, ThreadFacts } from '#hub/connector/facts.ts'

const connection = 'con_mail'
const known: NamedCase = {
  connectionId: connection,
  caseId: 'case_1',
  externalIds: ['c1'],
  isClosed: false,
  participants: ['Ana@Example.com', 'leo@desk.example'],
  messages: [{ id: 'm1', from: 'ana@example.com', contentHash: contentHash('m1', 'public'), isOurs: false }],
}

const message = (id: string, kind: 'customer' | 'agent' = 'customer'): MessageFacts => ({
  id,
  visibility: 'public',
  author: { kind, email: 'somebody@example.org' },
  text: id,
  sentAt: '2026-11-22T10:00:00Z',
})
const thread = (from: string, rest: Partial<ThreadFacts> = {}): ThreadFacts => ({
  opens: { id: `of-${from}`, subject: 'Invoice', requester: { emails: [from] } },
  proven: [],
  answers: [],
  from,
  automatic: false,
  ...rest,
})

describe('where a message belongs', () => {
  it('opens a case when it names none', () => {
    const placed = createThreads([]).place(connection, message('m2'), thread('ana@example.com'))
    expect(placed).toEqual({ kind: 'opens', case: thread('ana@example.com').opens, message: message('m2') })
  })

  it.each<[string, Partial<ThreadFacts>]>([
    ['proof', { proven: ['c1'] }],
    ['a reference', { answers: ['m1'] }],
    ['the nearest reference that is known', { answers: ['m9', 'm1'] }],
  ])('joins by %s, when its sender takes part, in whatever spelling', (_, evidence) => {
    const placed = createThreads([known]).place(connection, message('m2'), thread('ANA@example.com ', evidence))
    expect(placed).toMatchObject({ kind: 'joins', externalId: 'c1', reopens: true, isSilent: false })
  })

  it('opens a case of its own for a stranger, even with proof, and tells us which one was meant', () => {
    const eve = thread('eve@example.net', { proven: ['c1'], answers: ['m1'] })
    const placed = createThreads([known]).place(connection, message('m2'), eve)
    expect(placed).toEqual({ kind: 'opens', case: eve.opens, message: message('m2'), claims: 'c1' })
  })

  it('lets proof of another connection count for nothing', () => {
    const placed = createThreads([known]).place(
      'con_other',
      message('m2'),
      thread('ana@example.com', { proven: ['c1'] }),
    )
    expect(placed).toMatchObject({ kind: 'opens' })
    expect(placed).not.toHaveProperty('claims')
  })

  it('prefers the case where the sender takes part to one that is named first', () => {
    const other = { ...known, caseId: 'case_2', externalIds: ['c2'], participants: ['bob@example.com'], messages: [] }
    const placed = createThreads([known, other]).place(
      connection,
      message('m2'),
      thread('ana@example.com', { proven: ['c2', 'c1'] }),
    )
    expect(placed).toMatchObject({ kind: 'joins', externalId: 'c1' })
  })

  it('never joins a closed case: it opens one that follows it', () => {
    const closed = createThreads([{ ...known, isClosed: true }])
    const placed = closed.place(connection, message('m2'), thread('ana@example.com', { proven: ['c1'] }))
    expect(placed).toMatchObject({ kind: 'opens', claims: 'c1' })
  })

  it('changes nothing for a message that is known, whatever its thread says', () => {
    const again = thread('ana@example.com', { proven: ['c9'], answers: ['m7'] })
    expect(createThreads([known]).place(connection, message('m1'), again)).toEqual({ kind: 'nowhere' })
    const sent = { id: 'm1', from: null, contentHash: '', isOurs: true }
    const copy = createThreads([{ ...known, messages: [sent] }]).place(connection, message('m1', 'agent'), again)
    expect(copy).toEqual({ kind: 'nowhere' })
  })

  it('loses no message that has the id of another one, and knows it again', () => {
    const first = thread('printer@example.com', { opens: { id: 'c1' } })
    const scan = (text: string) => ({ ...message('scan'), text })
    const threads = createThreads([])
    const placed = ['page 1', 'page 2', 'page 1', 'page 2'].map((text, n) =>
      threads.place(connection, scan(text), { ...first, opens: { id: `c${n}` } }),
    )
    expect(placed.map(({ kind }) => kind)).toEqual(['opens', 'opens', 'nowhere', 'nowhere'])
    const eve = threads.place(connection, scan('page 1'), thread('eve@example.net'))
    if (eve.kind !== 'opens' || placed[1]?.kind !== 'opens') throw new Error('both open cases')
    expect(new Set(['scan', placed[1].message.id, eve.message.id]).size).toBe(3)
  })

  it('keeps what a machine answered as a silent note, and lets it open nothing', () => {
    const auto = { automatic: true } as const
    const threads = createThreads([{ ...known, isClosed: true }])
    expect(threads.place(connection, message('m2'), thread('ana@example.com', { ...auto, answers: ['m1'] }))).toEqual({
      kind: 'joins',
      externalId: 'c1',
      message: { ...message('m2'), visibility: 'internal', author: { kind: 'system', email: 'somebody@example.org' } },
      reopens: false,
      isSilent: true,
      guests: [],
    })
    for (const from of ['robot@example.net', 'ana@example.com'])
      expect(threads.place(connection, message('m3'), thread(from, auto))).toEqual({ kind: 'nowhere' })
  })

  it('joins what an agent wrote in a mail program of their own, and opens nothing for it', () => {
    const threads = createThreads([known])
    const sent = (id: string, evidence: Partial<ThreadFacts>) =>
      threads.place(connection, message(id, 'agent'), thread('support@desk.example', evidence))
    expect(sent('m2', { answers: ['m1'] })).toMatchObject({ kind: 'joins', reopens: false, isSilent: false })
    expect(sent('m3', {})).toEqual({ kind: 'nowhere' })
  })

  it('joins the reply to a message of the same batch, and the colleague whom an agent answered', () => {
    const threads = createThreads([])
    threads.place(connection, message('m1'), thread('ana@example.com', { opens: { id: 'c7' } }))
    const reply = threads.place(connection, message('m2'), thread('ana@example.com', { answers: ['m1'] }))
    expect(reply).toMatchObject({ kind: 'joins', externalId: 'c7' })
    const third = threads.place(connection, message('m3'), thread('bob@example.com', { answers: ['m2'] }))
    expect(third).toMatchObject({ kind: 'opens', claims: 'c7' })
  })

  it('lets in whom an agent wrote to, and nobody on the word of a customer or a machine', () => {
    const place = (id: string, from: string, kind: 'customer' | 'agent', rest: Partial<ThreadFacts>) =>
      threads.place(connection, message(id, kind), thread(from, { answers: ['m1'], ...rest }))
    const guests = [' Bob@Example.com']
    const threads = createThreads([known])
    place('m2', 'ana@example.com', 'customer', { guests })
    place('m3', 'support@desk.example', 'agent', { guests, automatic: true })
    expect(place('m4', 'bob@example.com', 'customer', {})).toMatchObject({ kind: 'opens', claims: 'c1' })
    expect(place('m5', 'support@desk.example', 'agent', { guests })).toMatchObject({ guests: ['bob@example.com'] })
    expect(place('m6', 'bob@example.com', 'customer', {})).toMatchObject({ kind: 'joins', reopens: true })
  })

  it('gives a stranger no way into a case by claiming to be the message that opened it', () => {
    const eve = thread('eve@example.net', { opens: { id: 'c1' } })
    const placed = createThreads([known]).place(connection, message('m2'), eve)
    if (placed.kind !== 'opens') throw new Error(placed.kind)
    expect(placed.case.id).toMatch(/^[a-z0-9]{16}$/)
    expect(placed.claims).toBe('c1')
  })
})

describe('any sequence of messages', () => {
  const people = ['ana@example.com', 'bob@example.com', 'eve@example.net']
  const step = fc.record({
    id: fc.integer({ min: 0, max: 30 }).map((n) => `m${n}`),
    from: fc.constantFrom(...people),
    automatic: fc.boolean(),
    kind: fc.constantFrom('customer' as const, 'agent' as const),
    answers: fc.array(
      fc.integer({ min: 0, max: 30 }).map((n) => `m${n}`),
      { maxLength: 3 },
    ),
    proven: fc.array(
      fc.integer({ min: 0, max: 30 }).map((n) => `c-m${n}`),
      { maxLength: 2 },
    ),
  })

  it('lets customers into cases only that they take part in, and each message once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const threads = createThreads([])
        const inside = new Map<string, Set<string>>()
        const seen = new Set<string>()
        for (const { id, from, automatic, kind, answers, proven } of steps) {
          const facts = thread(from, { opens: { id: `c-${id}` }, automatic, answers, proven })
          const placed = threads.place(connection, message(id, kind), facts)
          if (placed.kind === 'nowhere') continue
          expect(seen.has(placed.message.id)).toBe(false)
          seen.add(placed.message.id)
          if (placed.kind === 'opens') {
            expect([automatic, kind]).toEqual([false, 'customer'])
            expect(inside.has(placed.case.id)).toBe(false)
            inside.set(placed.case.id, new Set([from]))
            continue
          }
          const members = inside.get(placed.externalId)
          if (kind === 'customer') expect(members).toContain(from)
          if (!automatic) members?.add(from)
          expect(placed.reopens).toBe(kind === 'customer' && !automatic)
        }
      }),
    )
  })
})
