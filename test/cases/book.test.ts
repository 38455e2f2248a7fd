import { describe, expect, it } from 'vitest'
import { contentHash, createCaseBook, type LoadedBook } from '#hub/cases/book.ts'

const nothing: LoadedBook = { cases: [], links: [], messages: [], reports: [] }
const news = { connectionId: 'con_desk', at: '2026-11-22T10:00:00.000Z', cause: { inboxSeq: 1, depth: 0 } }
const at = (n: number) => ({ ...news, at: `2026-11-22T10:0${n}:00.000Z`, cause: { inboxSeq: n, depth: 0 } })

function ids() {
  let n = 0
  return (kind: 'case' | 'msg') => {
    n += 1
    return `${kind}_${n}`
  }
}
const book = (loaded: LoadedBook = nothing) => createCaseBook(loaded, ids())
const types = (events: readonly { type: string }[]) => events.map((event) => event.type)

describe('the case book', () => {
  it('opens a case for a vendor case it has not seen, and finds it again by its link', () => {
    const cases = book()
    const { events } = cases.observe({ id: 'T-1', subject: 'Invoice', status: 'open' }, 'pro_ana', news)
    expect(types(events)).toEqual(['case.created'])
    expect(events[0]).toMatchObject({ profileId: 'pro_ana', connectionId: 'con_desk' })
    expect(cases.caseOf('con_desk', 'T-1')?.fields).toMatchObject({ subject: 'Invoice', requester: 'pro_ana' })
    expect(cases.caseOf('con_other', 'T-1')).toBeUndefined()
  })

  it('tells solving, closing and reopening apart from other changes', () => {
    const cases = book()
    cases.observe({ id: 'T-1', status: 'open' }, undefined, at(0))
    expect(types(cases.observe({ id: 'T-1', status: 'solved' }, undefined, at(1)).events)).toEqual([
      'case.updated',
      'case.solved',
    ])
    expect(types(cases.observe({ id: 'T-1', status: 'closed' }, undefined, at(2)).events)).toEqual([
      'case.updated',
      'case.closed',
    ])
    expect(types(cases.observe({ id: 'T-1', status: 'open' }, undefined, at(3)).events)).toEqual([
      'case.updated',
      'case.reopened',
    ])
    expect(cases.caseOf('con_desk', 'T-1')?.solvedAt).toBeNull()
  })

  it('raises the solution of a case that it first sees when it is solved', () => {
    expect(types(book().observe({ id: 'T-1', status: 'solved' }, undefined, news).events)).toEqual([
      'case.created',
      'case.solved',
    ])
  })

  it('raises nothing for the same facts again', () => {
    const cases = book()
    cases.observe({ id: 'T-1', status: 'open', tags: ['b', 'a'] }, 'pro_ana', at(0))
    expect(cases.observe({ id: 'T-1', status: 'open', tags: ['a', 'b'] }, 'pro_ana', at(1)).events).toEqual([])
  })

  it('gives the same news the same event id', () => {
    const [one, other] = [book(), book()].map(
      (cases) => cases.observe({ id: 'T-1', status: 'open' }, undefined, news).events[0],
    )
    expect(one?.id).toBe(other?.id)
  })

  it('marks a deleted case once', () => {
    const cases = book()
    cases.observe({ id: 'T-1', status: 'open' }, undefined, at(0))
    expect(types(cases.observe({ id: 'T-1', deleted: true }, undefined, at(1)).events)).toEqual(['case.deleted'])
    expect(cases.observe({ id: 'T-1', deleted: true }, undefined, at(2)).events).toEqual([])
    expect(cases.linksOf('case_1')[0]?.deletedAt).toEqual(new Date('2026-11-22T10:01:00Z'))
  })

  it('is not brought back by late news', () => {
    const cases = book()
    cases.observe({ id: 'T-1', status: 'open' }, undefined, at(0))
    cases.observe({ id: 'T-1', deleted: true }, undefined, at(5))
    expect(cases.observe({ id: 'T-1', status: 'pending' }, undefined, at(4)).events).toEqual([])
    expect(cases.linksOf('case_1')[0]?.deletedAt).not.toBeNull()
  })

  it('takes from late news of a deleted case what was still unknown, and raises nothing', () => {
    const cases = book()
    cases.observe({ id: 'T-1', deleted: true }, undefined, at(5))
    expect(cases.observe({ id: 'T-1', subject: 'Invoice' }, undefined, at(4)).events).toEqual([])
    expect(cases.caseOf('con_desk', 'T-1')?.fields).toMatchObject({ subject: 'Invoice' })
    expect(cases.linksOf('case_1')[0]?.deletedAt).not.toBeNull()
  })

  it('says of a case that is heard of only now that it is gone that nobody need follow it', () => {
    const cases = book()
    const { events } = cases.observe({ id: 'T-1', status: 'solved', deleted: true }, undefined, at(5))
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['case.created', { deleted: true }],
      ['case.deleted', { deleted: true }],
    ])
    expect(cases.linksOf('case_1')[0]?.deletedAt).not.toBeNull()
    expect(cases.observe({ id: 'T-1', deleted: true }, undefined, at(6)).events).toEqual([])
  })

  it('is not taken away again by news from before it was restored', () => {
    const cases = book()
    cases.observe({ id: 'T-1', status: 'open', deleted: false }, undefined, at(5))
    expect(cases.observe({ id: 'T-1', deleted: true }, undefined, at(4)).events).toEqual([])
    expect(cases.linksOf('case_1')[0]?.deletedAt).toBeNull()
  })

  it('learns from late news when a case began', () => {
    const cases = book()
    cases.observe({ id: 'T-1', status: 'open' }, undefined, at(5))
    const later = book({ ...nothing, cases: cases.changed().cases, links: cases.changed().links })
    later.observe({ id: 'T-1', status: 'open' }, undefined, at(4))
    expect(later.changed().cases.map((one) => one.createdAt)).toEqual([new Date(at(4).at)])
  })

  it('keeps the newest address of a case, whatever comes late', () => {
    const cases = book()
    cases.observe({ id: 'T-1', url: 'https://desk.example/new' }, undefined, at(5))
    cases.observe({ id: 'T-1', url: 'https://desk.example/old' }, undefined, at(4))
    expect(cases.linksOf('case_1')[0]?.url).toBe('https://desk.example/new')
  })

  it('does not let late news undo an edit of a message, nor show what was hidden since', () => {
    const cases = book()
    cases.observe({ id: 'T-1' }, 'pro_ana', at(0))
    const first = {
      id: 'M-1',
      visibility: 'public',
      author: { kind: 'agent' },
      text: 'Our price list',
      sentAt: at(1).at,
    } as const
    cases.observeMessage('case_1', { ...first, visibility: 'internal', text: 'Withdrawn' }, false, at(3))
    cases.observeMessage('case_1', first, false, at(1))
    expect(cases.changed().messages.map((one) => one.facts)).toMatchObject([
      { visibility: 'internal', text: 'Withdrawn' },
    ])
  })

  it('notes a message once, and follows an edit without raising it again', () => {
    const cases = book()
    cases.observe({ id: 'T-1' }, 'pro_ana', at(0))
    const message = {
      id: 'M-1',
      visibility: 'public',
      author: { kind: 'customer' },
      text: 'Help',
      sentAt: at(1).at,
    } as const
    expect(types(cases.observeMessage('case_1', message, false, at(1)))).toEqual(['message.received'])
    expect(cases.observeMessage('case_1', message, false, at(2))).toEqual([])
    expect(cases.observeMessage('case_1', { ...message, text: 'Help!' }, false, at(3))).toEqual([])
    expect(cases.changed().messages.map((one) => one.facts.text)).toEqual(['Help!'])
  })

  it('adds a file that is told after its message, once, and keeps it when the message is told again without it', () => {
    const cases = book()
    cases.observe({ id: 'T-1' }, 'pro_ana', at(0))
    const message = {
      id: 'M-1',
      visibility: 'public',
      author: { kind: 'customer' },
      text: 'A',
      sentAt: at(1).at,
    } as const
    const scan = { id: '7', name: 'scan.pdf' }
    expect(cases.observeFile('case_1', 'M-1', scan, at(1))).toEqual([])
    cases.observeMessage('case_1', message, false, at(1))
    expect(cases.observeFile('case_1', 'M-1', scan, at(1))).toMatchObject([
      { type: 'message.attached', data: { files: ['scan.pdf'], visibility: 'public' } },
    ])
    expect(cases.observeFile('case_1', 'M-1', scan, at(2))).toEqual([])
    expect(cases.observeMessage('case_1', { ...message, attachments: [scan] }, false, at(1))).toEqual([])
    cases.observeMessage('case_1', { ...message, text: 'B' }, false, at(3))
    expect(cases.changed().messages.map((one) => one.facts)).toMatchObject([{ text: 'B', attachments: [scan] }])
    // Read later: another one is there, of the same name.
    const both = [scan, { id: '8', name: 'scan.pdf' }]
    const events = cases.observeMessage('case_1', { ...message, text: 'B', attachments: both }, false, at(3))
    expect(types(events)).toEqual(['message.attached'])
    expect(cases.changed().messages.map((one) => one.facts.attachments)).toEqual([both])
  })

  it('knows its own message when it comes back, by what it says', () => {
    const cases = book({
      ...nothing,
      cases: [
        {
          id: 'case_9',
          parentId: null,
          fields: { status: 'open', tags: [] },
          provenance: {},
          createdAt: new Date(news.at),
          updatedAt: new Date(news.at),
          solvedAt: null,
        },
      ],
      messages: [
        {
          id: 'msg_ours',
          caseId: 'case_9',
          connectionId: 'con_desk',
          externalId: null,
          facts: { visibility: 'public', author: { kind: 'system' }, text: 'We look into it.', sentAt: news.at },
          contentHash: contentHash('We look into it.', 'public'),
          toldAt: new Date(0).toISOString(),
          deliveryKey: 'dw_1',
        },
      ],
    })
    const echo = {
      id: 'M-7',
      visibility: 'public',
      author: { kind: 'agent' },
      text: 'We  look\ninto it.\n',
      sentAt: news.at,
    } as const
    expect(cases.observeMessage('case_9', echo, false, news)).toEqual([])
    expect(cases.changed().messages).toMatchObject([{ id: 'msg_ours', externalId: 'M-7' }])
    const edited = { ...echo, text: 'We look into it today.' }
    expect(cases.observeMessage('case_9', edited, false, at(5))).toEqual([])
    expect(cases.changed().messages).toMatchObject([{ facts: { author: { kind: 'system' }, text: edited.text } }])
  })

  it('raises a rating once, in however many deliveries it comes', () => {
    const cases = book()
    cases.observe({ id: 'T-1', status: 'solved' }, undefined, at(0))
    const rating = { scale: 'csat_5', score: 5 } as const
    const [received] = cases.observeRating('case_1', rating, at(1))
    expect(received).toMatchObject({ type: 'rating.received', data: { rating } })
    expect(cases.observeRating('case_1', rating, { ...at(1), cause: { inboxSeq: 9, depth: 0 } })).toEqual([])
    expect(types(cases.observeRating('case_1', rating, at(2)))).toEqual(['rating.received'])
    const [state] = cases.changed().cases
    const again = book({ ...nothing, cases: state ? [state] : [], reports: [received?.id ?? ''] })
    expect(again.observeRating('case_1', rating, at(1))).toEqual([])
  })

  it('hears the echo of a case that it opened itself, with what the vendor filled in, as no news', () => {
    const cases = book()
    cases.observe({ id: 'T-1', status: 'open' }, 'pro_ana', at(0))
    const [parent] = cases.changed().cases
    if (!parent) throw new Error('no case')
    const opened = cases.open(parent, { subject: 'Help' }, { kind: 'rule', ruleId: 'help', version: 1 }, at(1).at)
    cases.link('con_other', 'X-1', opened.id, undefined, at(1).at)
    const other = (n: number) => ({ ...at(n), connectionId: 'con_other' })
    const filled = { id: 'X-1', subject: 'Help', status: 'open', priority: 'normal', channel: 'api' } as const
    expect(cases.observe(filled, 'pro_ana', other(2)).events).toEqual([])
    expect(types(cases.observe({ ...filled, priority: 'high' }, 'pro_ana', other(3)).events)).toEqual(['case.updated'])
  })

  it('never takes an internal note for the public message of the same words', () => {
    expect(contentHash('same', 'internal')).not.toBe(contentHash('same', 'public'))
  })
})
