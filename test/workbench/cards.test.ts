/** Cards and forms from hand-made data: what they say, what they offer, and that nothing internal slips out. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Card, CardBlock, Form } from '#hub/workbench/card.ts'
import { byUrgency } from '#hub/workbench/case-line.ts'
import {
  acts,
  approvalCard,
  assignForm,
  caseCard,
  confirmReplyForm,
  createCaseForm,
  customerCard,
  joinValue,
  messagesIn,
  noteForm,
  noticeCard,
  queueCard,
  replyForm,
  resolveForm,
  searchCard,
  similarCard,
  splitValue,
  surveyCard,
  tagsForm,
  whyCard,
} from '#hub/workbench/index.ts'
import type { ShownCase, ShownMessage, ShownRow } from '#hub/workbench/shown.ts'

const { en, es } = messagesIn
const now = new Date('2026-11-22T10:00:00Z')
const leo = { name: 'Leo', email: 'leo@acme.example' }
const desk = { connectionId: 'c1', name: 'Desk', externalId: '7', url: 'https://desk.example/7', takesMessages: true }
const row: ShownRow = {
  id: 'case_1',
  subject: 'Broken',
  status: 'open',
  priority: 'high',
  assignee: leo,
  requester: 'Ana',
  waitingSince: '2026-11-22T06:30:00Z',
  updatedAt: '2026-11-22T09:00:00Z',
  tools: [desk],
}
const question: ShownMessage = {
  author: { kind: 'customer', name: 'Ana' },
  visibility: 'public',
  text: 'Hello\nThe printer is broken',
  at: '2026-11-22T06:30:00Z',
  files: ['photo.jpg'],
}
const note: ShownMessage = {
  author: { kind: 'agent', name: null },
  visibility: 'internal',
  text: 'Between us: she is angry',
  at: '2026-11-22T07:00:00Z',
  files: [],
}
const shown: ShownCase = {
  ...row,
  channel: 'email',
  team: 'Hardware',
  tags: ['vip', 'printer'],
  category: null,
  snoozedUntil: null,
  customer: { id: 'prof_1', name: 'Ana', address: 'ana@acme.example', company: 'Acme', plan: 'pro' },
  way: { connectionId: 'con_1', tool: 'Desk', address: 'ana@acme.example', name: 'Ana', isDead: false },
  createdAt: '2026-11-22T06:30:00Z',
  messages: [question, note],
  earlierMessages: 1,
  deliveries: { waiting: 0, failed: 0 },
}
const offers = { macros: [] }
const actsOf = (card: Card) => card.actions.map((action) => (action.kind === 'link' ? action.url : action.act))

describe('the card of a case', () => {
  it('says everything known, in the order of its importance', () => {
    expect(caseCard(shown, offers, now, en)).toMatchObject({
      key: 'case:case_1',
      title: 'Broken',
      url: 'https://desk.example/7',
      tone: 'attention',
      summary: 'Case “Broken” of Ana · Open · Priority: High · waiting for 3 h · with Leo',
      blocks: [
        {
          kind: 'facts',
          facts: [
            { label: 'Status', value: 'Open' },
            { label: 'Priority', value: 'High' },
            { label: 'Assignee', value: 'Leo' },
            { label: 'Waiting since', value: { at: '2026-11-22T06:30:00Z' } },
            { label: 'Team', value: 'Hardware' },
            { label: 'Customer', value: 'Ana <ana@acme.example>' },
            { label: 'Company', value: 'Acme' },
            { label: 'Plan', value: 'pro' },
            { label: 'Channel', value: 'E-mail' },
            { label: 'Tags', value: 'vip, printer' },
            { label: 'Opened', value: { at: '2026-11-22T06:30:00Z' } },
            { label: 'In', value: 'Desk 7', url: 'https://desk.example/7' },
          ],
        },
        { kind: 'heading', text: 'Conversation' },
        { kind: 'text', text: 'One earlier message is in the desk.', isSubtle: true },
        { kind: 'message', message: { author: 'Ana', visibility: 'public', files: ['photo.jpg'] } },
        { kind: 'message', message: { author: 'Agent', visibility: 'internal', text: 'Between us: she is angry' } },
      ],
    })
  })

  it('offers every act, those with a dialog or a card of their own marked, the reply first', () => {
    const card = caseCard(shown, { macros: [{ value: 'm1', label: 'Thanks' }] }, now, en)
    expect(actsOf(card)).toEqual([
      acts.replyForm,
      acts.noteForm,
      acts.takeCase,
      acts.resolveForm,
      acts.assignForm,
      acts.status,
      acts.priority,
      acts.tagsForm,
      acts.categoryForm,
      acts.escalate,
      acts.snooze,
      acts.macro,
      acts.customer,
      acts.similar,
      acts.mergeForm,
      acts.why,
      'https://desk.example/7',
    ])
    const opening = card.actions.flatMap((action) => (action.kind === 'button' && action.opensForm ? [action.act] : []))
    expect(opening).toEqual([
      acts.replyForm,
      acts.noteForm,
      acts.resolveForm,
      acts.assignForm,
      acts.tagsForm,
      acts.categoryForm,
      acts.customer,
      acts.similar,
      acts.mergeForm,
      acts.why,
    ])
    expect(card.actions).toContainEqual(expect.objectContaining({ act: acts.macro, opensForm: true }))
    expect(card.actions).toContainEqual(expect.objectContaining({ act: acts.status, chosen: 'open', value: 'case_1' }))
    expect(card.actions).toContainEqual(expect.objectContaining({ act: acts.customer, value: 'prof_1' }))
  })

  it('of a solved case offers to reopen it, and nothing that only an open one needs', () => {
    const card = caseCard({ ...shown, status: 'solved' }, offers, now, en)
    expect(actsOf(card)).toContain(acts.reopen)
    for (const act of [acts.resolveForm, acts.escalate, acts.snooze]) expect(actsOf(card)).not.toContain(act)
    expect(card.tone).toBe('good')
    expect(card.summary).toBe('Case “Broken” of Ana · Solved · Priority: High · with Leo')
  })

  it('says in words that a tool is away, refused, or takes no replies, and then offers none', () => {
    const cut = { ...shown, deliveries: { waiting: 2, failed: 1 }, tools: [{ ...desk, takesMessages: false }] }
    const card = caseCard(cut, { macros: [{ value: 'm1', label: 'Thanks' }] }, now, en)
    expect(card.blocks.flatMap((block) => (block.kind === 'notice' ? [[block.tone, block.text]] : []))).toEqual([
      ['urgent', 'Changes that a tool refused: 1. An administrator finds them under “Deliveries”.'],
      ['attention', 'A tool cannot be reached right now. Changes waiting to reach it: 2. Nothing is lost.'],
      ['neutral', 'This case lives in no tool that takes replies from here.'],
    ])
    for (const act of [acts.replyForm, acts.noteForm, acts.macro]) expect(actsOf(card)).not.toContain(act)
  })

  it('manages with nothing known, in Spanish', () => {
    const bare: ShownCase = {
      ...shown,
      ...{ subject: '  ', priority: null, assignee: null, requester: null, customer: null, channel: null, team: null },
      ...{ tags: [], messages: [], earlierMessages: 0, tools: [], waitingSince: null },
    }
    const card = caseCard(bare, offers, now, es)
    expect([card.title, card.summary, card.url]).toEqual([
      'Caso sin asunto',
      'Caso sin asunto de Cliente desconocido · Abierto',
      undefined,
    ])
    expect(card.blocks).toContainEqual({ kind: 'text', text: 'Aún no se ha dicho nada.', isSubtle: true })
  })
})

describe('lists', () => {
  it('are ordered by priority, then by who has waited longest, then by what has not moved', () => {
    const rows = [
      { ...row, id: 'moved', priority: null, waitingSince: null, updatedAt: '2026-11-22T09:00:00Z' },
      { ...row, id: 'still', priority: null, waitingSince: null, updatedAt: '2026-11-20T09:00:00Z' },
      { ...row, id: 'waits', priority: 'normal' },
      { ...row, id: 'waits longer', priority: 'normal', waitingSince: '2026-11-01T00:00:00Z' },
      { ...row, id: 'urgent', priority: 'urgent', waitingSince: null },
      { ...row, id: 'low', priority: 'low', waitingSince: '2026-01-01T00:00:00Z' },
    ] as const
    expect([...rows].sort(byUrgency).map(({ id }) => id)).toEqual([
      'urgent',
      'waits longer',
      'waits',
      'still',
      'moved',
      'low',
    ])
  })

  it('show the agent’s figures and tell when there is more than they show', () => {
    const figures = { open: 3, waiting: 1, pressing: 1, solvedLast7Days: 4, satisfaction: 4.25 }
    const card = queueCard('a1', { rows: [row], figures }, now, en)
    expect(card.blocks).toMatchObject([
      { kind: 'heading' },
      { facts: [{ value: '3' }, { value: '1' }, { value: '1' }, { value: '4' }, { label: 'Satisfaction (of 5)' }] },
      { kind: 'heading' },
      {
        items: [
          {
            title: 'Broken',
            detail: 'Ana · Open · Priority: High · waiting for 3 h · Desk',
            tone: 'attention',
            action: { act: acts.openCase, value: 'case_1' },
          },
        ],
      },
      { kind: 'text', text: 'Showing 1 of 3.' },
    ])
    const none = queueCard('a1', { rows: [], figures: { ...figures, open: 0, satisfaction: null } }, now, en)
    expect(none.blocks.at(-1)).toMatchObject({ kind: 'list', items: [], whenEmpty: 'No open case is assigned to you.' })
  })

  it('of a search and of similar cases say what they were asked', () => {
    expect(searchCard({ text: 'ink', rows: [row] }, now, en)).toMatchObject({
      title: 'Search: “ink”',
      summary: 'Found for “ink”: 1',
    })
    expect(similarCard(row, [], now, es).title).toBe('Casos resueltos parecidos a «Broken»')
  })
})

describe('the other cards', () => {
  it('tell of a customer who they are, where values come from and how they fared', () => {
    const card = customerCard(
      {
        id: 'prof_1',
        name: null,
        identities: [
          { kind: 'email', value: 'ana@acme.example', isVerified: false, tool: null },
          { kind: 'external', value: '9', isVerified: true, tool: 'Desk' },
        ],
        company: { name: null, domain: 'acme.example', plan: 'pro' },
        traits: [{ name: 'seats', value: '40', source: 'CRM' }],
        openCases: [row],
        scores: [{ scale: 'nps_11', score: 8, comment: 'Fine', at: '2026-11-02T10:00:00Z' }],
        journey: [{ kind: 'solved', at: '2026-11-01T10:00:00Z', subject: 'Old' }],
      },
      now,
      en,
    )
    expect(card.title).toBe('Customer: ana@acme.example')
    expect(card.blocks.flatMap((block) => (block.kind === 'facts' ? block.facts : []))).toEqual([
      { label: 'E-mail', value: 'ana@acme.example (not verified)' },
      { label: 'Number in Desk', value: '9' },
      { label: 'Company', value: 'acme.example' },
      { label: 'Plan', value: 'pro' },
      { label: 'seats', value: '40 (from CRM)' },
      { label: 'NPS 2026-11-02', value: '8 of 10: “Fine”' },
      { label: '2026-11-01', value: 'Case solved: Old' },
    ])
  })

  it('tell why: rules with what they did, values with their source', () => {
    const card = whyCard(
      {
        caseId: 'case_1',
        subject: 'Broken',
        values: [
          { field: 'status', value: 'open', at: '2026-11-22T09:00:00Z', source: { kind: 'tool', name: 'Desk' } },
          { field: 'custom.size', value: 4, at: '2026-11-22T09:00:00Z', source: { kind: 'rule', name: 'Measure' } },
          { field: 'tags', value: [], at: '2026-11-22T09:00:00Z', source: { kind: 'person', name: 'Eva' } },
        ],
        runs: [
          { rule: 'VIPs', result: 'matched', actions: ['note', 'tag', 'note'], at: '2026-11-22T09:00:00.123Z' },
          { rule: 'Broken rule', result: 'failed', actions: [], at: '2026-11-22T09:00:00Z' },
        ],
        survey: null,
      },
      en,
    )
    expect(card.blocks).toMatchObject([
      { kind: 'heading' },
      {
        items: [
          { title: 'VIPs', detail: 'acted · added an internal note, changed the tags · 2026-11-22 09:00 UTC' },
          { title: 'Broken rule', tone: 'attention' },
        ],
      },
      { kind: 'heading' },
      {
        facts: [
          { label: 'Status', value: 'Open (from Desk)' },
          { label: 'size', value: '4 (from rule “Measure”)' },
          { label: 'Tags', value: '– (from Eva)' },
        ],
      },
    ])
  })

  it('ask for an approval once, and then say who gave it', () => {
    const asked = {
      ...{ id: 'ap_1', caseId: 'case_1', subject: 'Broken', question: 'Refund?', askedBy: 'Refunds' },
      ...{ askedAt: '2026-11-22T09:00:00Z', decision: null },
    }
    expect(approvalCard(asked, en).actions).toMatchObject([
      { act: acts.approve, value: 'ap_1', style: 'primary' },
      { act: acts.reject, value: 'ap_1', style: 'danger', confirm: { title: 'Reject this?' } },
      { act: acts.openCase, value: 'case_1' },
    ])
    const decision = { isApproved: false, by: 'Eva', at: '2026-11-22T09:30:00Z' }
    const decided = approvalCard({ ...asked, decision }, en)
    expect([decided.key, decided.title, actsOf(decided)]).toEqual(['approval:ap_1', 'Rejected by Eva', [acts.openCase]])
  })

  it.each([
    ['csat', ['1 – Very dissatisfied', '5 – Very satisfied'], 5],
    ['nps', ['0', '10'], 11],
    ['ces', ['1', '7'], 7],
  ] as const)('ask for a score with a button each: %s', (kind, [first, last], count) => {
    const card = surveyCard({ invitationId: 'inv_1', kind, subject: 'Broken' }, 'en', en)
    expect(card.actions).toHaveLength(count)
    expect([card.actions[0]?.label, card.actions.at(-1)?.label]).toEqual([first, last])
    const answered = surveyCard({ invitationId: 'inv_1', kind, subject: 'Broken', score: 5 }, 'en', en)
    expect(answered.actions).toEqual([])
    expect(answered.key).toBe(card.key)
  })

  it('say one thing and lead to its case', () => {
    const card = noticeCard('n1', { title: 'Assigned', text: 'To you', tone: 'attention', caseId: 'case_1' }, en)
    expect([card.key, card.summary, actsOf(card)]).toEqual(['notice:n1', 'Assigned: To you', [acts.openCase]])
  })
})

describe('forms', () => {
  it('show before a reply to whom, from whom and by which way, and then the exact text once more', () => {
    const way = [
      { label: 'To', value: 'Ana <ana@acme.example>' },
      { label: 'From', value: 'Leo' },
      { label: 'By', value: 'E-mail · Desk' },
      { label: 'Subject', value: 'Broken' },
    ]
    const form = replyForm(shown, leo, en)
    expect(form.blocks).toContainEqual({ kind: 'facts', facts: way })
    const dead = replyForm(
      { ...shown, way: { connectionId: 'con_1', tool: 'Desk', address: 'old@acme.example', name: null, isDead: true } },
      leo,
      en,
    )
    expect(dead.blocks).toContainEqual({ kind: 'notice', text: en.forms.deadAddress, tone: 'urgent' })
    expect(dead.blocks.at(-1)).toMatchObject({ facts: [{ value: 'Ana <old@acme.example>' }, {}, {}, {}] })
    expect(form.fields).toEqual([
      { name: 'text', label: 'Your reply', kind: 'text', isLong: true, isRequired: true, longest: 3000 },
    ])
    const text = 'Hello Ana,\n\n  two  spaces\n'
    const confirm = confirmReplyForm(
      shown,
      leo,
      { id: 'd1', text, files: ['plan.pdf'], at: '2026-11-22T10:00:00Z' },
      en,
    )
    expect(splitValue(confirm.value)).toEqual(['case_1', 'd1'])
    expect(confirm.blocks).toEqual([
      { kind: 'facts', facts: way },
      { kind: 'text', text: 'This is exactly what the customer will see:' },
      {
        kind: 'message',
        message: { author: 'Leo', visibility: 'public', text, files: ['plan.pdf'], at: '2026-11-22T10:00:00Z' },
      },
      {
        kind: 'list',
        items: [
          { title: 'Not right yet?', action: expect.objectContaining({ act: acts.editReply, value: confirm.value }) },
        ],
        whenEmpty: '',
      },
    ])
    expect(confirm.fields).toEqual([])
    const changed = replyForm(shown, leo, en, { text, id: 'd1', files: ['plan.pdf', 'bill.pdf'] })
    expect(splitValue(changed.value)).toEqual(['case_1', 'd1'])
    expect(changed.blocks).toContainEqual({
      kind: 'facts',
      facts: [...way, { label: 'Files', value: 'plan.pdf, bill.pdf' }],
    })
    const whole = confirmReplyForm(
      shown,
      leo,
      { id: 'd2', text: 'x'.repeat(3_001), files: [], at: '2026-11-22T10:00:00Z' },
      en,
    )
    expect(JSON.stringify(whole)).not.toContain(acts.editReply)
  })

  it('begin with what the case has now, where that helps', () => {
    const agents = [{ value: 'leo@acme.example', label: 'Leo' }]
    expect(assignForm(shown, agents, en).fields[0]).toMatchObject({ initial: 'leo@acme.example' })
    expect(assignForm({ ...shown, assignee: null }, agents, en).fields[0]).not.toHaveProperty('initial')
    expect(tagsForm(shown, en).fields[0]).toMatchObject({ initial: 'vip, printer' })
    expect(resolveForm(shown, en).fields.map(({ name }) => name)).toEqual(['reason', 'note'])
  })

  it('take a new case’s subject from a public message, past its greeting, and never from an internal one', () => {
    const tools = [{ value: 'c1', label: 'Desk' }]
    const subjectOf = (message: ShownMessage) =>
      createCaseForm({ id: 'msg_1', message }, tools, en).fields.find(({ name }) => name === 'subject')
    expect(subjectOf(question)).toMatchObject({ initial: 'The printer is broken' })
    expect(subjectOf({ ...question, text: `${'x'.repeat(300)}` })).toMatchObject({ initial: `${'x'.repeat(199)}…` })
    expect(subjectOf({ ...question, visibility: 'internal' })).not.toHaveProperty('initial')
  })

  it('have titles and buttons that fit into the smallest dialog, and values that a button can carry', () => {
    const message = question
    for (const words of [en, es]) {
      const forms = [
        replyForm(shown, leo, words),
        confirmReplyForm(shown, leo, { id: 'd1', text: 'x', files: ['plan.pdf'], at: '2026-11-22T10:00:00Z' }, words),
        noteForm(shown, words),
        assignForm(shown, [], words),
        tagsForm(shown, words),
        resolveForm(shown, words),
        createCaseForm({ id: 'msg_1', message }, [], words),
      ]
      for (const { title, submit, cancel } of forms) {
        expect([title, submit, cancel].filter((text) => text.length > 24)).toEqual([])
      }
    }
    expect(joinValue('case_1', 5)).toBe('case_1|5')
  })
})

describe('internal words', () => {
  const marker = 'INTERNAL-ONLY'

  it('stand in messages marked internal and nowhere else, whatever a case holds', () => {
    const message = fc.record({
      author: fc.record({
        kind: fc.constantFrom('customer', 'agent', 'system'),
        name: fc.option(fc.string(), { nil: null }),
      }),
      visibility: fc.constantFrom('public', 'internal'),
      text: fc.string(),
      at: fc.constant('2026-11-22T09:00:00Z'),
      files: fc.array(fc.string(), { maxLength: 2 }),
    })
    const states = fc.record({
      messages: fc.array(message, { maxLength: 6 }),
      status: fc.constantFrom('new', 'open', 'pending', 'on_hold', 'solved', 'closed'),
      draft: fc.option(fc.string(), { nil: undefined }),
      language: fc.constantFrom('en', 'es'),
    })
    fc.assert(
      fc.property(states, ({ messages, status, draft, language }) => {
        const words = messagesIn[language]
        const marked = messages.map((one): ShownMessage => {
          if (one.visibility === 'public') return one
          return { ...one, text: `${marker} ${one.text}`, files: [`${marker}.pdf`] }
        })
        const one: ShownCase = { ...shown, status, messages: marked }
        const cards = [caseCard(one, offers, now, words), similarCard(one, [one], now, words)]
        const forms = [
          replyForm(one, leo, words, { ...(draft === undefined ? {} : { text: draft }), id: 'd', files: ['plan.pdf'] }),
          confirmReplyForm(one, leo, { id: 'd', text: draft ?? '', files: ['plan.pdf'], at: one.createdAt }, words),
          noteForm(one, words),
          assignForm(one, [], words),
          tagsForm(one, words),
          resolveForm(one, words),
          ...marked.map((first) => createCaseForm({ id: 'm', message: first }, [], words)),
        ]
        for (const card of cards) expect(JSON.stringify(withoutInternal(card))).not.toContain(marker)
        for (const form of forms) expect(JSON.stringify(withoutInternal(form))).not.toContain(marker)
        for (const form of forms.slice(0, 2)) expect(JSON.stringify(form)).not.toContain(marker)
        const internal = marked.filter(({ visibility }) => visibility === 'internal').length
        expect(JSON.stringify(cards).split(`"${marker} `).length - 1).toBe(internal)
      }),
      { numRuns: 300 },
    )
  })
})

function withoutInternal<T extends Card | Form>(whole: T): T {
  const isPublic = (block: CardBlock) => block.kind !== 'message' || block.message.visibility === 'public'
  return { ...whole, blocks: whole.blocks.filter(isPublic) }
}
