/** HubSpot through the running hub: batches are taken apart, each event counts once, records are read a hundred at a time. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type HubspotSandbox, startSandbox } from '../../connectors/hubspot/sandbox.ts'
import type { CrmObject } from '../../connectors/hubspot/sandbox-crm.ts'

const database = testDatabase()
let hub: TestHub
let hubspot: HubspotSandbox
let connectionId: string
let hook: { readonly url: string; readonly secret: string }

beforeAll(async () => {
  hubspot = await startSandbox()
  // A reading on its minute would bring the tickets before their webhooks do.
  hub = await startTestHub(database, { hosts: [hubspot.url], repeats: false })
  connectionId = await hub.connect('hubspot', 'CRM', {
    config: hubspot.config,
    connect(given) {
      hook = given
    },
  })
})
afterAll(async () => {
  await hub?.stop()
  await hubspot?.close()
})

const portalId = 424_242

/** A request as HubSpot sends it, signed by hand. */
async function send(
  batch: readonly unknown[],
  forged: { readonly url?: string; readonly secret?: string } = {},
): Promise<{ status: number; answer: unknown }> {
  const body = JSON.stringify(batch)
  const timestamp = String(Date.now())
  const { url, secret } = { ...hook, ...forged }
  const signature = createHmac('sha256', secret).update(`POST${url}${body}${timestamp}`).digest('base64')
  const response = await fetch(hook.url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-hubspot-request-timestamp': timestamp,
      'x-hubspot-signature-v3': signature,
    },
  })
  return { status: response.status, answer: await response.json() }
}

function eventOf(ticket: CrmObject, more: Readonly<Record<string, unknown>> = {}) {
  return {
    // HubSpot's event ids are not unique; here they are all the same.
    eventId: 100,
    subscriptionId: 7,
    portalId,
    appId: 31_337,
    occurredAt: ticket.createdAt.getTime(),
    subscriptionType: 'ticket.creation',
    attemptNumber: 0,
    objectId: Number(ticket.id),
    changeFlag: 'CREATED',
    changeSource: 'CRM_UI',
    ...more,
  }
}

async function inboxStates(): Promise<Record<string, number>> {
  const { rows } = await hub.running.hub.intake.query<{ state: string; count: number }>(
    'select state, count(*)::int as count from inbox where connection_id = $1 group by state',
    [connectionId],
  )
  return Object.fromEntries(rows.map((row) => [row.state, row.count]))
}

interface CaseView {
  readonly subject: string
  readonly requester: { readonly name: string | null } | null
}
async function batchCases(): Promise<readonly CaseView[]> {
  const { data } = (await hub.api('GET', '/cases?limit=200')) as { data: readonly CaseView[] }
  return data.filter((one) => one.subject.startsWith('Batch'))
}

describe('a batch of 100', () => {
  const tickets: CrmObject[] = []
  const unreadable = [
    null,
    'text',
    { portalId },
    { portalId, occurredAt: 'now', subscriptionType: 'ticket.creation' },
    7,
  ]

  it('with 37 known and 5 unreadable events: 58 processed, 5 quarantined, 37 dropped', async () => {
    for (let count = 0; count < 95; count += 1) {
      const contact = await hubspot.createContact({ email: `batch${count}@acme.example`, firstname: `Person ${count}` })
      tickets.push(await hubspot.createTicket({ subject: `Batch ${count}`, contact }))
    }
    const known = tickets.slice(0, 37).map((ticket) => eventOf(ticket))
    expect(await send(known)).toMatchObject({ status: 202, answer: { items: { accepted: 37 } } })
    await hub.settled()
    expect(await batchCases()).toHaveLength(37)
    const before = hubspot.requests.length

    const events = tickets.map((ticket) => eventOf(ticket, { attemptNumber: 1 }))
    const batch = events.flatMap((event, at) => (at < 5 ? [unreadable[at], event] : [event]))
    expect(batch).toHaveLength(100)
    expect(await send(batch)).toMatchObject({
      status: 202,
      answer: { status: 'accepted', items: { accepted: 58, quarantined: 5, duplicate: 37, ignored: 0 } },
    })
    await hub.settled()
    expect(await inboxStates()).toEqual({ done: 95, quarantined: 5 })
    const cases = await batchCases()
    expect(cases).toHaveLength(95)
    expect(cases.filter((one) => one.requester?.name !== one.subject.replace('Batch', 'Person'))).toEqual([])

    // However the 58 were claimed, tickets, associations, contacts and companies are read in batches, not one by one.
    const calls = hubspot.requests.slice(before).map((call) => call.path)
    const reads = (path: string) => calls.filter((one) => one === path).length
    expect(reads('/crm/objects/2026-03/tickets/batch/read')).toBeLessThanOrEqual(3)
    expect(reads('/crm/objects/2026-03/contacts/batch/read')).toBeLessThanOrEqual(3)
    expect(calls.length).toBeLessThanOrEqual(15)
  })

  it('sent again as a whole changes nothing', async () => {
    const before = hubspot.requests.length
    const batch = tickets.slice(0, 60).map((ticket) => eventOf(ticket, { eventId: 7, attemptNumber: 2 }))
    expect(await send(batch)).toMatchObject({ status: 202, answer: { status: 'duplicate', items: { duplicate: 60 } } })
    await hub.settled()
    // Who works there is asked at its own time.
    const calls = hubspot.requests.slice(before).filter(({ path }) => !path.startsWith('/crm/owners/'))
    expect(calls).toEqual([])
  })

  it('of other accounts leaves nothing behind', async () => {
    const { rows } = await hub.running.hub.intake.query('select 1 from inbox')
    const foreign = tickets.slice(0, 3).map((ticket) => eventOf(ticket, { portalId: 99, subscriptionId: 8 }))
    expect((await send(foreign)).status).toBe(202)
    expect((await hub.running.hub.intake.query('select 1 from inbox')).rows).toHaveLength(rows.length)
  })

  it('is refused when it is signed for another URL or with another secret', async () => {
    expect((await send([])).status).toBe(202)
    expect((await send([], { url: `${hook.url}x` })).status).toBe(401)
    expect((await send([], { secret: 'another-client-secret-0001' })).status).toBe(401)
  })
})
