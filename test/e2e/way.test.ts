/** The way, end to end: what happens in one tool becomes one profile, a rule and an answered survey in all of them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { startSandbox as startZendesk, type ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'

const database = testDatabase()
let hub: TestHub
let zendesk: ZendeskSandbox
let desk: LegacyDeskSandbox
let zendeskId: string
let deskId: string

interface List<T> {
  readonly data: readonly T[]
}
interface Profile {
  readonly id: string
  readonly identities: readonly { readonly kind: string; readonly value: string }[]
}
interface CaseView {
  readonly id: string
  readonly status: string
  readonly tags: readonly string[]
  readonly priority: string | null
}
interface EventView {
  readonly type: string
  readonly case_id: string | null
}

beforeAll(async () => {
  zendesk = await startZendesk({ keepBackSeconds: 0 })
  desk = await startDesk()
  hub = await startTestHub(database, { hosts: [zendesk.url, desk.url] })
  zendeskId = await hub.connect('zendesk', 'Zendesk', zendesk)
  deskId = await hub.connect('desk', 'Legacy desk', desk)
})
afterAll(async () => {
  await hub?.stop()
  await zendesk?.close()
  await desk?.close()
})
beforeEach(async () => {
  for (const rule of ((await hub.api('GET', '/rules')) as List<{ id: string }>).data)
    await hub.api('DELETE', `/rules/${rule.id}`)
})

const put = (rule: { readonly id: string } & Readonly<Record<string, unknown>>) =>
  hub.api('PUT', `/rules/${rule.id}`, { name: rule.id, mode: 'on', ...rule })
const profileOf = async (identity: string) =>
  ((await hub.api('GET', `/profiles?identity=${encodeURIComponent(identity)}`)) as List<Profile>).data[0]
const caseOf = async (connectionId: string, externalId: string) =>
  ((await hub.api('GET', `/cases?link=${encodeURIComponent(`${connectionId}:${externalId}`)}`)) as List<CaseView>)
    .data[0]
const eventsOf = async (caseId: string) =>
  ((await hub.api('GET', `/events?case=${caseId}&limit=200`)) as List<EventView>).data.map((event) => event.type)

describe('one profile', () => {
  it('joins a person who writes to two tools under other addresses but with the same phone', async () => {
    await zendesk.createUser({ name: 'Ana García', email: 'ana@acme.example', phone: '+34 600 111 222', locale: 'es' })
    await zendesk.customerWrites({ from: 'ana@acme.example', subject: 'Invoice', text: 'Wrong amount' })
    desk.desk.openCase({
      subject: 'Delivery',
      text: 'Late',
      requester: { name: 'Ana García', emails: ['ana@home.example'], phones: ['+34600111222'] },
    })
    const profile = await hub.until('one profile', async () => {
      const found = await profileOf('email:ana@home.example')
      return found?.identities.some((one) => one.value === 'ana@acme.example') && found
    })
    expect((await profileOf('phone:+34600111222'))?.id).toBe(profile.id)
    expect((await profileOf('email:ana@acme.example'))?.id).toBe(profile.id)
  })
})

describe('rules', () => {
  it('act in the tool of the case and in another one, once, however often the webhook comes', async () => {
    await put({
      id: 'escalate',
      on: ['case.created', 'case.updated'],
      if: {
        all: [
          { field: 'case.priority', is: 'urgent' },
          { field: 'case.tags', none_of: ['vip'] },
        ],
      },
      then: [
        { tag: { add: ['vip'] } },
        { note: { text: 'Look at {{ case.subject }} first.' } },
        {
          create_case: {
            connection: 'Legacy desk',
            subject: 'Help with {{ case.subject }}',
            text: 'See {{ case.url }}',
          },
        },
      ],
    })
    const ticketId = await zendesk.customerWrites(
      { from: 'bo@acme.example', subject: 'Fire', text: 'Now' },
      { duplicate: true },
    )
    await zendesk.agentChanges(ticketId, { priority: 'urgent' }, { duplicate: true })
    await hub.until('the tag in Zendesk', async () => zendesk.desk.ticket(ticketId).tags.includes('vip'))
    const opened = await hub.until('the case in the desk', async () =>
      [...desk.desk.cases.values()].find((one) => one.subject === 'Help with Fire'),
    )
    await zendesk.webhooks.settled()
    await desk.webhooks.settled()
    await hub.settled()
    const ticket = zendesk.desk.ticket(ticketId)
    expect(ticket.comments.filter((comment) => comment.body.startsWith('Look at Fire'))).toMatchObject([
      { isPublic: false },
    ])
    expect([...desk.desk.cases.values()].filter((one) => one.subject === 'Help with Fire')).toHaveLength(1)
    // The case that the rule opened is one case of the hub, not two: its webhook found it by our key or by the receipt.
    expect((await caseOf(deskId, opened.id))?.id).toBeDefined()
    const all = ((await hub.api('GET', '/cases?limit=200')) as List<CaseView & { subject: string }>).data
    expect(all.filter((one) => one.subject === 'Help with Fire')).toHaveLength(1)
  })

  it('hear nothing of our own writes when they come back', async () => {
    await put({
      id: 'tagger',
      on: ['case.updated'],
      if: { field: 'case.priority', changed_to: 'high' },
      then: [{ tag: { add: ['fast'] } }, { status: 'open' }],
    })
    const ticketId = await zendesk.customerWrites({ from: 'cy@acme.example', subject: 'Echo', text: 'Hello' })
    await hub.until('the case', () => caseOf(zendeskId, ticketId))
    await zendesk.agentChanges(ticketId, { priority: 'high' })
    await hub.until('the tag', async () => zendesk.desk.ticket(ticketId).tags.includes('fast'))
    await zendesk.webhooks.settled()
    await hub.settled()
    const one = await caseOf(zendeskId, ticketId)
    const events = await eventsOf(one?.id ?? '')
    // Created, the customer's message, the agent's change, and what the rule changed (one event for each field).
    expect(events.toSorted()).toEqual([
      'case.created',
      'case.updated',
      'case.updated',
      'case.updated',
      'message.received',
    ])
  })

  it('that set each other off are cut and named', async () => {
    const flip = (id: string, from: string, to: string) =>
      put({ id, on: ['case.updated'], if: { field: 'case.priority', is: from }, then: [{ priority: to }] })
    await flip('up', 'low', 'high')
    await flip('down', 'high', 'low')
    const one = desk.desk.openCase({ subject: 'Ring', text: 'x', requester: { emails: ['ring@acme.example'] } })
    desk.desk.changeCase(one.id, { priority: 'low' })
    const why = await hub.until('the cut', async () => {
      const found = await caseOf(deskId, one.id)
      const answer =
        found &&
        ((await hub.api('GET', `/cases/${found.id}/why`)) as { rule_runs: { result: string; detail: unknown }[] })
      return answer?.rule_runs.some((run) => run.result === 'cut') && answer
    })
    const cut = why.rule_runs.find((run) => run.result === 'cut')
    expect(JSON.stringify(cut)).toMatch(/up/)
    expect(JSON.stringify(cut)).toMatch(/down/)
    expect(why.rule_runs.length).toBeLessThanOrEqual(9)
  })
})

describe('a change that was read while a write of ours was under way', () => {
  it('is read again, not lost', async () => {
    await put({
      id: 'flag',
      on: ['case.updated'],
      if: { field: 'case.priority', changed_to: 'urgent' },
      then: [{ tag: { add: ['flagged'] } }],
    })
    const ticketId = await zendesk.customerWrites({ from: 'flo@acme.example', subject: 'Race', text: 'x' })
    await hub.until('the case', () => caseOf(zendeskId, ticketId))
    await zendesk.agentChanges(ticketId, { priority: 'urgent' })
    await hub.until('the tag', async () => zendesk.desk.ticket(ticketId).tags.includes('flagged'))
    await zendesk.webhooks.settled()
    await hub.settled()
    // As if our write had been slow: the vendor has it, and the hub will learn so only in a second.
    const { rowCount } = await hub.running.hub.intake.query(
      `update case_links set base = (
         select jsonb_agg(case when fields -> 'values' ? 'tags' then fields || jsonb_build_object('writtenAt', $2::text) else fields end)
         from jsonb_array_elements(base) fields)
       where external_id = $1`,
      [ticketId, new Date(Date.now() + 1_000).toISOString()],
    )
    expect(rowCount).toBe(1)
    await zendesk.agentChanges(ticketId, { addTags: ['from-agent'] })
    const found = await hub.until('the agent’s tag', async () => {
      const one = await caseOf(zendeskId, ticketId)
      return one?.tags.includes('from-agent') && one
    })
    expect(found.tags).toEqual(['flagged', 'from-agent'])
  })
})

describe('what webhooks do not tell', () => {
  it('is read and counted', async () => {
    const ticketId = await zendesk.customerWrites({ from: 'di@acme.example', subject: 'Lost', text: 'x' })
    await hub.until('the case', () => caseOf(zendeskId, ticketId))
    await hub.settled()
    await zendesk.agentChanges(ticketId, { priority: 'urgent', status: 'open' }, { lose: true })
    await hub.api('POST', `/connections/${zendeskId}/reconcile`, {})
    const repaired = await hub.until('the repair', async () => {
      const found = await caseOf(zendeskId, ticketId)
      return found?.priority === 'urgent' && found
    })
    expect(repaired.status).toBe('open')
    const { data } = (await hub.api('GET', '/insights/lost-events')) as List<{
      connection_id: string
      repaired: number
    }>
    expect(data.find((one) => one.connection_id === zendeskId)?.repaired).toBeGreaterThanOrEqual(1)
    await hub.api('POST', `/connections/${zendeskId}/reconcile`, {})
    await hub.settled()
    const again = (await hub.api('GET', '/insights/lost-events')) as List<{ connection_id: string; repaired: number }>
    expect(again.data).toEqual(data)
  })
})
