/** HubSpot beside a desk: one profile over both, and rules that act there without hearing their own echo. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type HubspotSandbox, startSandbox } from '../../connectors/hubspot/sandbox.ts'
import { startSandbox as startZendesk, type ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'

const database = testDatabase()
let hub: TestHub
let hubspot: HubspotSandbox
let zendesk: ZendeskSandbox
let hubspotId: string

interface List<T> {
  readonly data: readonly T[]
}
interface CaseView {
  readonly id: string
  readonly status: string
  readonly tags: readonly string[]
}

beforeAll(async () => {
  hubspot = await startSandbox()
  zendesk = await startZendesk({ keepBackSeconds: 0 })
  hub = await startTestHub(database, { hosts: [hubspot.url, zendesk.url] })
  hubspotId = await hub.connect('hubspot', 'CRM', hubspot)
  await hub.connect('zendesk', 'Zendesk', zendesk)
})
afterAll(async () => {
  await hub?.stop()
  await hubspot?.close()
  await zendesk?.close()
})

const caseOf = async (ticketId: string) =>
  ((await hub.api('GET', `/cases?link=${encodeURIComponent(`${hubspotId}:${ticketId}`)}`)) as List<CaseView>).data[0]

async function settle() {
  await hub.settled()
  await hubspot.webhooks.settled()
  await hub.settled()
}

describe('a CRM', () => {
  it('joins its contact to the person in the desk by phone, under another address', async () => {
    await zendesk.createUser({ name: 'Ana García', email: 'ana@acme.example', phone: '+34 600 111 222', locale: 'es' })
    await hubspot.createContact({
      email: 'ana@home.example',
      firstname: 'Ana',
      lastname: 'García',
      phone: '+34600111222',
    })
    await hub.until('one profile', async () => {
      const path = `/profiles?identity=${encodeURIComponent('email:ana@home.example')}`
      const [found] = ((await hub.api('GET', path)) as List<{ identities: readonly { value: string }[] }>).data
      return found?.identities.some((one) => one.value === 'ana@acme.example')
    })
  })

  it('takes what a rule writes, once, and the echo changes nothing', async () => {
    await hub.api('PUT', '/rules/escalate', {
      id: 'escalate',
      name: 'escalate',
      mode: 'on',
      on: ['case.updated'],
      if: { field: 'case.priority', changed_to: 'urgent' },
      then: [{ tag: { add: ['vip'] } }, { status: 'pending' }, { note: { text: 'Look at {{ case.subject }}.' } }],
    })
    const contact = await hubspot.createContact({ email: 'bo@acme.example' })
    const ticket = await hubspot.createTicket({ subject: 'Fire', contact })
    await hub.until('the case', () => caseOf(ticket.id))
    await settle()
    await hubspot.change(ticket, { hs_ticket_priority: 'URGENT' }, { duplicate: true })
    await hub.until('the tag', async () => ticket.properties['deskweave_tags'] === 'vip')
    await hub.until('the stage', async () => ticket.properties['hs_pipeline_stage'] === '2')
    await hub.until('the note', async () => hubspot.crm.all('notes').length > 0)
    await settle()
    expect(hubspot.crm.all('notes')).toHaveLength(1)
    const found = await caseOf(ticket.id)
    expect(found).toMatchObject({ status: 'pending', tags: ['vip'] })
    const { data } = (await hub.api('GET', `/events?case=${found?.id}&limit=200`)) as List<{ type: string }>
    // Created; the agent's change, and one event for each field that the rule changed.
    expect(data.map((event) => event.type).toSorted()).toEqual([
      'case.created',
      'case.updated',
      'case.updated',
      'case.updated',
    ])
  })

  it('is read again for what its webhooks lost', async () => {
    const ticket = await hubspot.createTicket({ subject: 'Lost' }, { lose: true })
    await hub.api('POST', `/connections/${hubspotId}/reconcile`, {})
    const found = await hub.until('the case', () => caseOf(ticket.id))
    expect(found.status).toBe('new')
  })
})
