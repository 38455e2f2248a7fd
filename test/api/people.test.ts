/** Agents, macros, approvals and snoozes over HTTP. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claim } from '#hub/agents/index.ts'
import { routes } from '#hub/api/routes.ts'
import { insertApprovals } from '#hub/approvals/index.ts'
import { fakeClock, testDatabase } from '#kit'
import { meet, openCase } from '../agents/people.ts'
import { caseOf, connectDesk, tell } from './seed.ts'
import { startApi, type TestApi } from './server.ts'

const database = testDatabase()
const clock = fakeClock()
let api: TestApi
beforeAll(async () => {
  api = await startApi(database, routes, { clock })
})
beforeEach(async () => {
  await database.reset()
  api.hub.signals.raise('rules')
})
afterAll(() => api.close())

/** Asks, and holds the answer against the schema that the route declares. */
async function ask(method: string, path: string, body?: unknown) {
  const answer = await api.ask(method, path, body)
  const [bare = ''] = path.split('?')
  const route = routes.find(
    (one) => one.method === method && new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(bare),
  )
  if (answer.status < 300 && route?.response) route.response.parse(answer.body)
  return answer
}
const acts = async () =>
  (await database.db.selectFrom('audit').select('act').orderBy('seq').execute()).map(({ act }) => act)

describe('agents', () => {
  const leo = { email: 'Leo@desk.example', name: 'Leo Marín' }

  it('are made, changed and deactivated, each with a line in the audit', async () => {
    const quiet_hours = { from: '22:00', to: '07:00', time_zone: 'Europe/Madrid' }
    const made = await ask('POST', '/agents', { ...leo, role: 'lead', language: 'es', quiet_hours })
    expect(made).toMatchObject({
      status: 201,
      body: { email: 'leo@desk.example', role: 'lead', language: 'es', quiet_hours, active: true, accounts: [] },
    })
    const { id } = made.body
    expect(await ask('PATCH', `/agents/${id}`, { role: 'viewer', quiet_hours: null })).toMatchObject({
      status: 200,
      body: { name: 'Leo Marín', role: 'viewer', quiet_hours: null },
    })
    expect((await ask('DELETE', `/agents/${id}`)).status).toBe(204)
    expect(await ask('GET', '/agents')).toMatchObject({ body: { data: [{ id, active: false }], next: null } })
    expect(await ask('GET', `/agents/${id}`)).toMatchObject({ body: { id, active: false } })
    expect(await acts()).toEqual(['agent.created', 'agent.changed', 'agent.deactivated'])
  })

  it('have an address each, and what is wrong is named', async () => {
    await ask('POST', '/agents', leo)
    expect(await ask('POST', '/agents', { ...leo, email: 'leo@DESK.example' })).toMatchObject({
      status: 409,
      body: { field: 'email' },
    })
    const zone = { from: '22:00', to: '07:00', time_zone: 'Mars/Base' }
    for (const [body, field] of [
      [{ ...leo, email: 'leo' }, 'email'],
      [{ ...leo, role: 'boss' }, 'role'],
      [{ ...leo, quiet_hours: zone }, 'quiet_hours.time_zone'],
    ] as const) {
      expect(await ask('POST', '/agents', body)).toMatchObject({ status: 422, body: { field } })
    }
    expect((await ask('PATCH', '/agents/agt_0', { role: 'lead' })).status).toBe(404)
  })

  it('come in pages', async () => {
    for (const name of ['a', 'b', 'c']) await ask('POST', '/agents', { name, email: `${name}@desk.example` })
    const first = await ask('GET', '/agents?limit=2')
    expect(first.body['data']).toMatchObject([{ name: 'a' }, { name: 'b' }])
    expect(await ask('GET', `/agents?limit=2&cursor=${first.body['next']}`)).toMatchObject({
      body: { data: [{ name: 'c' }], next: null },
    })
  })

  it('have accounts, which an admin links and takes away', async () => {
    const { connectionId } = await connectDesk(api)
    const { id } = (await ask('POST', '/agents', leo)).body
    const account = { connection_id: connectionId, external_id: '29:1a-b' }
    expect(await ask('POST', `/agents/${id}/accounts`, account)).toMatchObject({
      status: 201,
      body: { accounts: [{ ...account, proof: 'admin' }] },
    })
    const path = `/agents/${id}/accounts/${connectionId}/${encodeURIComponent('29:1a-b')}`
    expect((await ask('DELETE', path)).status).toBe(204)
    expect((await ask('DELETE', path)).status).toBe(404)
    expect(await ask('POST', `/agents/${id}/accounts`, { ...account, connection_id: 'con_0' })).toMatchObject({
      status: 422,
      body: { field: 'connection_id' },
    })
  })

  it('are those who said so, once an admin confirms it', async () => {
    for (const user of ['U1', 'U2']) {
      await meet(database.db, 'con_chat', { id: user, kind: 'member', name: user })
      const said = { connectionId: 'con_chat', externalId: user, email: 'leo@desk.example' }
      await claim(database.db, said, clock.now())
    }
    const wanted = { id: 'con_chat:U1', name: 'U1', vouched_email: null, claimed_email: 'leo@desk.example' }
    expect(await ask('GET', '/seat-claims?limit=1')).toMatchObject({ body: { data: [wanted] } })
    expect(await ask('POST', '/seat-claims/con_chat:U1/confirm', {})).toMatchObject({ status: 409 })
    await ask('POST', '/agents', leo)
    expect(await ask('POST', '/seat-claims/con_chat:U1/confirm', {})).toMatchObject({
      status: 200,
      body: { email: 'leo@desk.example', accounts: [{ external_id: 'U1', proof: 'admin' }] },
    })
    expect((await ask('POST', '/seat-claims/con_chat:U2/dismiss')).status).toBe(204)
    expect((await ask('POST', '/seat-claims/con_chat:U2/dismiss')).status).toBe(404)
    expect(await ask('GET', '/seat-claims')).toMatchObject({ body: { data: [] } })
    expect(await acts()).toEqual(['agent.created', 'seat_claim.confirmed', 'seat_claim.dismissed'])
  })
})

describe('macros', () => {
  const macro = { id: 'wait', name: 'Wait for them', actions: [{ tag: { add: ['waiting'] } }] }

  it('are made, replaced and taken away', async () => {
    await connectDesk(api)
    expect(await ask('POST', '/macros', macro)).toMatchObject({ status: 201, body: macro })
    expect((await ask('POST', '/macros', macro)).status).toBe(409)
    const { id, ...rest } = macro
    expect(await ask('PUT', `/macros/${id}`, { ...rest, name: 'Wait' })).toMatchObject({ body: { name: 'Wait' } })
    expect((await ask('PUT', '/macros/other', macro)).status).toBe(422)
    expect(await ask('GET', '/macros')).toMatchObject({ body: { data: [{ ...macro, name: 'Wait' }] } })
    expect((await ask('DELETE', `/macros/${id}`)).status).toBe(204)
    expect((await ask('GET', `/macros/${id}`)).status).toBe(404)
    expect((await acts()).slice(1)).toEqual(['macro.saved', 'macro.saved', 'macro.removed'])
  })

  it('are refused with the place of the mistake', async () => {
    const wrong = { ...macro, actions: [{ tag: { add: ['a'] } }, { statos: 'open' }] }
    expect(await ask('POST', '/macros', wrong)).toMatchObject({
      status: 422,
      body: {
        field: 'actions[1].statos',
        detail: expect.stringContaining('"statos" is not an action; did you mean "status"?'),
      },
    })
  })
})

describe('approvals', () => {
  beforeEach(async () => {
    await openCase(database.db, { id: 'case_1' })
    const askedBy = { kind: 'rule', ruleId: 'refund', version: 1 } as const
    const about = { caseId: 'case_1', askedBy, connectionId: 'con_chat', askedOf: 'C1', askedAt: clock.now() }
    await insertApprovals(
      database.db,
      ['apr_1', 'apr_2', 'apr_3'].map((id) => ({ ...about, id, question: `Refund ${id}?` })),
    )
  })

  it('are listed, newest first and in pages, and by what is open', async () => {
    const first = await ask('GET', '/approvals?limit=2&case=case_1')
    expect(first.body['data']).toMatchObject([{ id: 'apr_3' }, { id: 'apr_2', decision: null }])
    expect(await ask('GET', `/approvals?limit=2&cursor=${first.body['next']}`)).toMatchObject({
      body: { data: [{ id: 'apr_1' }], next: null },
    })
    await ask('POST', '/approvals/apr_2/decide', { decision: 'rejected' })
    expect(await ask('GET', '/approvals?state=decided')).toMatchObject({ body: { data: [{ id: 'apr_2' }] } })
    expect(await ask('GET', '/approvals?state=open')).toMatchObject({
      body: { data: [{ id: 'apr_3' }, { id: 'apr_1' }] },
    })
    expect(await ask('GET', '/approvals?case=case_2')).toMatchObject({ body: { data: [] } })
  })

  it('are decided once; the card that asked says so, and rules follow', async () => {
    const then = [{ webhook: { url: 'https://x.example/', body: '{{ approval.by }}: {{ approval.question }}' } }]
    const condition = { field: 'approval.decision', is: 'approved' }
    const rule = {
      id: 'pay',
      name: 'Pay',
      on: ['approval.approved', 'approval.rejected'],
      if: condition,
      then,
      mode: 'on',
    }
    expect((await ask('POST', '/rules', rule)).status).toBe(201)
    const decided = await ask('POST', '/approvals/apr_1/decide', { decision: 'approved' })
    expect(decided).toMatchObject({ status: 200, body: { decision: { decision: 'approved', by: 'admin' } } })
    expect(await ask('POST', '/approvals/apr_1/decide', { decision: 'rejected' })).toMatchObject({
      status: 409,
      body: { detail: 'admin approved this already' },
    })
    const outbox = await database.db.selectFrom('outbox').select('action').orderBy('seq').execute()
    expect(outbox.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        { type: 'chat.show', show: { what: 'approval', approvalId: 'apr_1', to: { channel: 'C1' } } },
        { type: 'webhook', url: 'https://x.example/', body: 'admin: Refund apr_1?' },
      ]),
    )
    expect(await ask('GET', '/events?case=case_1')).toMatchObject({
      body: { data: [{ type: 'approval.approved', data: { approval_id: 'apr_1', question: 'Refund apr_1?' } }] },
    })
    expect((await ask('GET', '/approvals/apr_0')).status).toBe(404)
    expect(await acts()).toContain('approval.approved')
  })

  it('leave a note on the case in its tool', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(api, connectionId, [caseOf('T-1')])
    const { case_id } = await database.db.selectFrom('case_links').select('case_id').executeTakeFirstOrThrow()
    await database.db.updateTable('approvals').set({ case_id }).where('id', '=', 'apr_1').execute()
    await ask('POST', '/approvals/apr_1/decide', { decision: 'approved' })
    expect(await ask('GET', `/cases/${case_id}/messages`)).toMatchObject({
      body: { data: [{ visibility: 'internal', text: 'Approved by admin: Refund apr_1?' }] },
    })
  })
})

describe('a case', () => {
  it('is put aside until a time, and taken back', async () => {
    await openCase(database.db, { id: 'case_1' })
    const until = '2026-11-23T10:00:00.000Z'
    expect(await ask('POST', '/cases/case_1/snooze', { until: '2026-11-23T11:00:00+01:00' })).toMatchObject({
      status: 200,
      body: { snoozed_until: until },
    })
    expect(await ask('GET', '/cases')).toMatchObject({ body: { data: [{ snoozed_until: until }] } })
    expect((await ask('DELETE', '/cases/case_1/snooze')).status).toBe(204)
    expect((await ask('DELETE', '/cases/case_1/snooze')).status).toBe(404)
    expect(await ask('GET', '/cases/case_1')).toMatchObject({ body: { snoozed_until: null } })
    expect(await ask('GET', '/events?case=case_1')).toMatchObject({
      body: { data: [{ type: 'case.snoozed', data: { until } }, { type: 'case.unsnoozed' }] },
    })
    expect(await acts()).toEqual(['case.snoozed', 'case.unsnoozed'])
  })

  it.each(['2026-11-22T10:00:00Z', '2028-01-01T00:00:00Z', 'tomorrow'])('is not put aside until %s', async (until) => {
    await openCase(database.db, { id: 'case_1' })
    expect(await ask('POST', '/cases/case_1/snooze', { until })).toMatchObject({
      status: 422,
      body: { field: 'until' },
    })
  })

  it('that there is not is not put aside', async () => {
    expect((await ask('POST', '/cases/case_0/snooze', { until: '2026-11-23T10:00:00Z' })).status).toBe(404)
  })
})
