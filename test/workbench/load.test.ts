/** What cards show, read from a real database that the hub itself has filled. */
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { routes } from '#hub/api/routes.ts'
import { suppress } from '#hub/outbox/index.ts'
import { loadCase, loadCustomer, loadQueue, loadSearch, loadSimilar, loadWhy } from '#hub/workbench/index.ts'
import { fakeClock, testDatabase } from '#kit'
import { ana, caseOf, connectDesk, leo, messageOf, tell } from '../api/seed.ts'
import { startApi, type TestApi } from '../api/server.ts'

const database = testDatabase()
const clock = fakeClock()
let api: TestApi
let desk: string
beforeAll(async () => {
  api = await startApi(database, routes, { clock })
})
beforeEach(async () => {
  await database.reset()
  api.hub.signals.raise('rules')
  desk = (await connectDesk(api)).connectionId
})
afterAll(() => api.close())

const agent = { id: 'A-1', name: 'Leo', email: 'Leo@Acme-Support.example' }
const at = (time: string) => `2026-11-22T${time}:00Z`

async function idOf(externalId: string): Promise<string> {
  const link = await database.db
    .selectFrom('case_links')
    .select('case_id')
    .where('external_id', '=', externalId)
    .executeTakeFirstOrThrow()
  return link.case_id
}
const said = (id: string, caseId: string, text: string, time: string, more: object = {}) =>
  messageOf(id, caseId, text, { sent_at: at(time), ...more })
const byAgent = { author: { kind: 'agent', name: 'Leo' } }
const internally = { ...byAgent, visibility: 'internal' }

describe('loading a case for its card', () => {
  it('knows the customer, the last messages in order and since when they have been waiting', async () => {
    const more = { channel: 'email', requester: ana, assignee: agent, tags: ['vip'], url: 'https://desk.example/1' }
    await tell(api, desk, [
      caseOf('1', { ...more, created_at: at('08:00'), custom: { contract: 'C-9' } }),
      said('m1', '1', 'It is broken', '08:00'),
      said('m2', '1', 'Have you restarted it?', '08:10', byAgent),
      said('m3', '1', 'Yes', '08:20', { attachments: [{ name: 'log.txt' }] }),
      said('m4', '1', 'Ask the plumber', '08:30', internally),
      said('m5', '1', 'Hello?', '08:40'),
      said('m6', '1', 'Still there?', '08:50'),
    ])
    const shown = await loadCase(api.hub, await idOf('1'), clock.now())
    expect(shown).toMatchObject({
      subject: 'Case 1',
      status: 'open',
      channel: 'email',
      tags: ['vip'],
      assignee: { name: 'Leo', email: 'Leo@Acme-Support.example' },
      requester: 'Ana García',
      customer: { name: 'Ana García', address: 'ana@acme.example', company: 'Acme', plan: 'pro' },
      waitingSince: '2026-11-22T08:20:00.000Z',
      tools: [{ name: 'Desk', externalId: '1', url: 'https://desk.example/1' }],
      earlierMessages: 1,
      deliveries: { waiting: 0, failed: 0 },
    })
    expect(shown?.messages.map(({ text, visibility, files }) => [text, visibility, files])).toEqual([
      ['Have you restarted it?', 'public', []],
      ['Yes', 'public', ['log.txt']],
      ['Ask the plumber', 'internal', []],
      ['Hello?', 'public', []],
      ['Still there?', 'public', []],
    ])
  })

  it('tells where a reply would go: the requester at her own latest address, not whoever else wrote, nor a dead one', async () => {
    const twice = { ...ana, emails: ['ana@acme.example', 'ana@home.example'] }
    const from = (email: string) => ({ author: { kind: 'customer', email } })
    await tell(api, desk, [
      caseOf('1', { requester: twice }),
      said('m1', '1', 'Hi', '08:00', from('ana@acme.example')),
      said('m2', '1', 'From home', '08:10', from('Ana@home.example')),
      said('m3', '1', 'Me too', '08:20', from('boss@other.example')),
    ])
    const caseId = await idOf('1')
    const way = async () => (await loadCase(api.hub, caseId, clock.now()))?.way
    expect(await way()).toMatchObject({ tool: 'Desk', address: 'Ana@home.example', isDead: false })
    const gone = (address: string) => ({ address, reason: 'gone', connectionId: desk, caseId })
    await suppress(database.db, [gone('ana@home.example')], clock.now())
    expect(await way()).toMatchObject({ address: 'ana@acme.example', isDead: false })
    await suppress(database.db, [gone('ana@acme.example'), gone('boss@other.example')], clock.now())
    expect(await way()).toMatchObject({ address: 'Ana@home.example', isDead: true })
  })

  it('is nobody’s turn while the customer is asked, and nothing there is loaded of an unknown case', async () => {
    await tell(api, desk, [caseOf('1', { status: 'pending' }), said('m1', '1', 'Hi', '08:00')])
    expect(await loadCase(api.hub, await idOf('1'), clock.now())).toMatchObject({ waitingSince: null, customer: null })
    expect(await loadCase(api.hub, 'case_none', clock.now())).toBeUndefined()
  })

  it('says what has not reached the tools: what failed for now, what waits for a minute, what was given up', async () => {
    await tell(api, desk, [caseOf('1')])
    const id = await idOf('1')
    const entry = (key: string, more: object) => ({
      ...{ key, lane: desk, order_key: id, connection_id: desk, case_id: id, action: '{}', cause: '{"depth":0}' },
      ...{ created_at: clock.now(), due_at: clock.now() },
      ...more,
    })
    const earlier = new Date(clock.now().getTime() - 61_000)
    await database.db
      .insertInto('outbox')
      .values([
        entry('just put in', {}),
        entry('failed for now', { attempts: 1, error: '{"code":"unavailable","message":"503"}' }),
        entry('on its way', { attempts: 1, lease_until: clock.now() }),
        entry('waits', { created_at: earlier, due_at: earlier }),
        entry('planned for later', { created_at: earlier }),
        entry('given up', { state: 'dead' }),
        entry('done', { state: 'sent', attempts: 2 }),
      ])
      .execute()
    expect(await loadCase(api.hub, id, clock.now())).toMatchObject({ deliveries: { waiting: 2, failed: 1 } })
  })
})

describe('loading a queue', () => {
  it('has the agent’s open cases of all tools by priority, then by waiting time, and their figures', async () => {
    const other = (await connectDesk(api, 'Other desk')).connectionId
    const mine = (priority: string, more: object = {}) => ({ assignee: agent, priority, requester: ana, ...more })
    await tell(api, desk, [
      caseOf('late', mine('normal')),
      said('m1', 'late', 'Hi', '08:30'),
      caseOf('early', mine('normal')),
      said('m2', 'early', 'Hi', '08:00'),
      caseOf('answered', mine('normal')),
      said('m3', 'answered', 'Hi', '07:00'),
      said('m4', 'answered', 'Hello', '07:10', byAgent),
      caseOf('done', mine('urgent', { status: 'solved' })),
      caseOf('theirs', { assignee: { name: 'Eva', email: 'eva@acme.example' } }),
    ])
    await tell(api, other, [caseOf('pressing', mine('urgent'))])
    const queue = await loadQueue(api.hub, ['leo@acme-support.EXAMPLE'], clock.now())
    expect(queue.rows.map(({ subject, tools }) => [subject, tools[0]?.name])).toEqual([
      ['Case pressing', 'Other desk'],
      ['Case early', 'Desk'],
      ['Case late', 'Desk'],
      ['Case answered', 'Desk'],
    ])
    expect(queue.figures).toEqual({ open: 4, waiting: 2, pressing: 1, solvedLast7Days: 1, satisfaction: null })
    expect((await loadQueue(api.hub, [], clock.now())).rows).toEqual([])
  })

  it('uses the index of assignees also under row-level security', async () => {
    const { rows } = await sql<{ 'QUERY PLAN': string }>`explain select id from cases
      where assignee_email = any(${['leo@acme.example']}::text[]) and solved_at is null`.execute(database.db)
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/cases_assignee[\s\S]*Index Cond: .*assignee_email/)
  })
})

describe('searching', () => {
  beforeEach(async () => {
    await tell(api, desk, [
      caseOf('4711', { subject: 'The invoice shows a wrong amount', requester: ana }),
      said('m1', '4711', 'I was charged twice in October', '08:00'),
      caseOf('4712', { subject: 'No puedo iniciar sesión', requester: leo }),
      said('m2', '4712', 'secretword', '08:00', internally),
    ])
  })
  const found = async (text: string) => (await loadSearch(api.hub, text)).rows.map(({ subject }) => subject)
  const [invoice, login] = ['The invoice shows a wrong amount', 'No puedo iniciar sesión']

  it.each([
    ['a number of a case', '#4711', [invoice]],
    ['an address', 'Leo@other.example', [login]],
    ['part of a name', 'garc', [invoice]],
    ['words of a subject, in another form', 'invoices amounts', [invoice]],
    ['words of a public message', 'charged October', [invoice]],
    ['Spanish words', 'inicio sesiones', [login]],
    ['nothing', '  ', []],
    ['words of an internal note', 'secretword', []],
    ['signs', "' & | :* \\ !", []],
  ])('finds cases by %s', async (_, text, expected) => {
    expect(await found(text)).toEqual(expected)
  })
})

describe('looking for similar solved cases', () => {
  it('ranks by subject before text, in both languages, and leaves out open cases and stop words', async () => {
    const solved = { status: 'solved' }
    await tell(api, desk, [
      caseOf('new', { subject: 'The printer is printing blank pages' }),
      said('m0', 'new', 'The pages are blank', '08:00'),
      caseOf('a', { subject: 'Printer prints blank page', ...solved }),
      caseOf('b', { subject: 'Question', ...solved }),
      said('m1', 'b', 'My old printer is broken', '08:00'),
      caseOf('c', { subject: 'The is a the', ...solved }),
      caseOf('d', { subject: 'Printer blank pages' }),
      caseOf('e', { subject: 'Note', ...solved }),
      said('m2', 'e', 'printer blank pages', '08:00', internally),
    ])
    const rows = await loadSimilar(api.hub, await idOf('new'))
    expect(rows.map(({ subject }) => subject)).toEqual(['Printer prints blank page', 'Question'])
    expect(await loadSimilar(api.hub, 'case_none')).toEqual([])
  })
})

describe('loading a customer', () => {
  it('joins identities, company, traits with their source, open cases of all tools and the journey', async () => {
    const other = (await connectDesk(api, 'Other desk')).connectionId
    await tell(api, desk, [
      caseOf('1', { requester: ana, created_at: at('07:00'), subject: 'First' }),
      said('m1', '1', 'private words', '08:00'),
      said('m2', '1', 'internal words', '08:10', internally),
    ])
    const rating = { scale: 'csat_5', score: 4, comment: 'Quick' }
    await tell(api, other, [
      caseOf('2', { requester: { ...ana, id: 'X-9' }, subject: 'Second', priority: 'urgent' }),
      { type: 'rating', occurred_at: at('09:00'), rating: { case_id: '2', ...rating } },
    ])
    const { customer } = (await loadCase(api.hub, await idOf('1'), clock.now())) ?? {}
    const shown = await loadCustomer(api.hub, customer?.id ?? '')
    expect(shown).toMatchObject({
      name: 'Ana García',
      company: { name: 'Acme', domain: 'acme.example' },
      // Their own desk has asked.
      scores: [{ ...rating, at: '2026-11-22T09:00:00.000Z' }],
    })
    expect(shown?.identities).toContainEqual({ kind: 'external', value: 'X-9', isVerified: true, tool: 'Other desk' })
    expect(shown?.traits).toContainEqual({ name: 'plan', value: 'pro', source: expect.stringMatching(/desk/i) })
    expect(shown?.openCases.map(({ subject }) => subject)).toEqual(['Second', 'First'])
    expect(shown?.journey.map(({ kind, subject }) => [kind, subject])).toEqual(
      expect.arrayContaining([
        ['created', 'First'],
        ['created', 'Second'],
        ['wrote', 'First'],
      ]),
    )
    expect(JSON.stringify(shown)).not.toMatch(/private words|internal words/)
    expect(await loadCustomer(api.hub, 'prof_none')).toBeUndefined()
  })
})

describe('loading why', () => {
  it('names the rules that acted and where values came from, without what they wrote', async () => {
    const { status } = await api.ask('POST', '/rules', {
      id: 'vip',
      name: 'VIPs first',
      on: ['case.created'],
      if: { field: 'case.priority', is: 'normal' },
      then: [{ priority: 'urgent' }, { note: { text: 'the secret reason' } }],
      mode: 'on',
    })
    expect(status).toBe(201)
    await tell(api, desk, [caseOf('1', { requester: ana })])
    const why = await loadWhy(api.hub, await idOf('1'))
    expect(why?.runs).toMatchObject([{ rule: 'VIPs first', result: 'matched', actions: ['priority', 'note'] }])
    expect(why?.values).toContainEqual(
      expect.objectContaining({ field: 'priority', value: 'urgent', source: { kind: 'rule', name: 'VIPs first' } }),
    )
    expect(why?.values).toContainEqual(
      expect.objectContaining({ field: 'requester', value: 'Ana García', source: { kind: 'tool', name: 'Desk' } }),
    )
    expect(JSON.stringify(why)).not.toContain('secret reason')
    expect(await loadWhy(api.hub, 'case_none')).toBeUndefined()
  })
})
