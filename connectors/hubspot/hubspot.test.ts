import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { Context, InboundRequest } from '#hub/connector/contract.ts'
import { ConnectorError, UnreadableInput } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { signHmac } from '#hub/connector/hmac.ts'
import { conformance, fakeClock } from '#kit'
import { testContext } from '#kit/conformance/test-http.ts'
import type { HubspotConfig } from './config.ts'
import { hubspot } from './connector.ts'
import { statusOfStage } from './mapping.ts'
import { signature, signedUrl } from './receive.ts'
import { type HubspotSandbox, type HubspotSandboxOptions, startSandbox } from './sandbox.ts'

const exampleConfig = {
  access_token: 'pat-example-access-token-1',
  webhook_secret: '11111111-2222-4333-8444-555555555555',
  portal_id: '424242',
  hub_app_id: '31337',
}

conformance(hubspot, new URL('.', import.meta.url), exampleConfig, {
  sandbox: startSandbox,
  sign: ({ method, url, body }, secret, now) => signHmac({ method, url: signedUrl(url), body }, secret, signature, now),
})

const { receive, changes, readCases, readPeople, writeCase, writePerson, writePersonRating, writeRating } = hubspot.can
const sentAt = new Date(1_795_169_730_000)
const example = { config: hubspot.config.parse(exampleConfig), now: () => sentAt }

describe('hubspot settings', () => {
  it.each([
    [{ access_token: '' }, /Too small/],
    [{ portal_id: 'acme' }, /digits only/],
    [{ key_property: 'Deskweave Key' }, /internal name/],
    [{ sender_actor_id: '55' }, /A- and a user id/],
    [{ stages: { 4: 'done' } }, /Invalid option/],
    [{ portal: '1' }, /portal/],
  ])('are refused with what is wrong: %j', (change, problem) => {
    const result = hubspot.config.safeParse({ ...exampleConfig, ...change })
    expect(result.error?.issues.map((issue) => issue.message).join('\n')).toMatch(problem)
  })
})

describe('hubspot signatures', () => {
  const secret = exampleConfig.webhook_secret
  const uri = 'https://hub.example.com/webhooks/hubspot'
  const body =
    '[{"eventId":100,"subscriptionId":7,"portalId":424242,"appId":31337,"occurredAt":1795169729000,"subscriptionType":"ticket.propertyChange","attemptNumber":0,"objectId":9001,"propertyName":"hs_pipeline_stage","propertyValue":"4","changeSource":"CRM_UI"}]'
  const good = 'Sug57DOYKwKtrd4sNtrwNsUQLEoMustlkfArjIb253E='

  interface Given {
    readonly method?: string
    readonly url?: string
    readonly body?: string
    readonly timestamp?: string
    readonly signature?: string
  }
  const request = (given: Given): InboundRequest => ({
    method: given.method ?? 'POST',
    url: given.url ?? uri,
    headers: {
      'x-hubspot-request-timestamp': given.timestamp ?? '1795169730000',
      'x-hubspot-signature-v3': given.signature ?? good,
    },
    body: Buffer.from(given.body ?? body),
  })
  const verify = (given: Given, now = sentAt) => receive.verify(request(given), secret, { ...example, now: () => now })
  const signed = (text: string) => createHmac('sha256', secret).update(text).digest('base64')

  it('accepts the vector', () => {
    expect(verify({})).toEqual({ ok: true })
  })

  it.each([
    ['of another method', { method: 'PUT' }],
    ['of another host', { url: 'https://evil.example.com/webhooks/hubspot' }],
    ['of the same address without TLS', { url: 'http://hub.example.com/webhooks/hubspot' }],
    ['of an address with a query', { url: `${uri}?a=1` }],
    ['of another time', { timestamp: '1795169730001' }],
    ['of a body written anew', { body: JSON.stringify(JSON.parse(body), null, 1) }],
    ['in hex', { signature: Buffer.from(good, 'base64').toString('hex') }],
    ['of version 2', { signature: '8f33ed6f44f1fb500e90bfe74a893aae1602d3ad111e755212e15c46518599ed' }],
    ['of version 1', { signature: '8cb63aad965d34cb0fbc697cc78eb9ba05db0855e24a7c085b1b88a1c17c70aa' }],
  ])('refuses a signature %s', (_, given) => {
    expect(verify(given)).toEqual({ ok: false, reason: 'bad_signature' })
  })

  it.each(['179516973000', '17951697300000', '1795169730e3', ' 1795169730000', '1795169730.00', '-795169730000', '٣'])(
    'refuses a timestamp "%s", signed as it is',
    (timestamp) => {
      expect(verify({ timestamp, signature: signed(`POST${uri}${body}${timestamp}`) }).ok).toBe(false)
    },
  )

  it('refuses digits that slid from the body into the timestamp', () => {
    const whole = `${body}1795169730000`
    for (let border = 0; border <= whole.length; border += 1) {
      const slid = { body: whole.slice(0, border), timestamp: whole.slice(border) }
      expect(verify(slid).ok, `border at ${border}`).toBe(border === body.length)
    }
  })

  it.each([
    [-300_001, false],
    [-300_000, true],
    [300_000, true],
    [300_001, false],
  ])('at %i ms from the signed time is accepted: %s', (ms, ok) => {
    expect(verify({}, new Date(sentAt.getTime() + ms)).ok).toBe(ok)
  })

  it('decodes in the URL what HubSpot decodes, and nothing else', () => {
    const encoded = '%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B'
    expect(signedUrl(`https://h.example/${encoded}`)).toBe("https://h.example/:/?@!$'()*,;")
    expect(signedUrl('https://h.example/%3a%20%25%26%3D%2B%C3%A9')).toBe('https://h.example/:%20%25%26%3D%2B%C3%A9')
    const url = `${uri}?to=a%40b.example&x=%20`
    const text = `POST${uri}?to=a@b.example&x=%20${body}1795169730000`
    expect(verify({ url, signature: signed(text) }).ok).toBe(true)
  })
})

describe('hubspot events', () => {
  const event = (more: object) => ({
    eventId: 100,
    subscriptionId: 7,
    portalId: 424242,
    occurredAt: 1_795_169_729_000,
    subscriptionType: 'ticket.propertyChange',
    objectId: 9001,
    ...more,
  })
  const itemsOf = (batch: readonly unknown[]) =>
    receive.items({ method: 'POST', url: '', headers: {}, body: Buffer.from(JSON.stringify(batch)) }, example)

  it('with one eventId are told apart by what they are about, and a repetition is known again', () => {
    const different = [
      event({}),
      event({ objectId: 9002 }),
      event({ propertyName: 'subject' }),
      event({ occurredAt: 1_795_169_729_001 }),
      event({ subscriptionType: 'ticket.creation' }),
      event({ subscriptionId: 8 }),
      event({ subscriptionType: 'conversation.newMessage', messageId: 'a' }),
      event({ subscriptionType: 'conversation.newMessage', messageId: 'b' }),
    ]
    const keys = itemsOf(different).map((item) => item.key)
    expect(new Set(keys).size).toBe(different.length)
    const repeated = different.map((one) => ({ ...one, eventId: 7, attemptNumber: 3 }))
    expect(itemsOf(repeated).map((item) => item.key)).toEqual(keys)
  })

  it('keep ids beyond 2^53 exact', () => {
    const body = Buffer.from(JSON.stringify([event({ objectId: 'big' })]).replace('"big"', '9007199254740993'))
    const [item] = receive.items({ method: 'POST', url: '', headers: {}, body }, example)
    expect(receive.normalise(item ?? { key: '', body: '' }, example)).toMatchObject([{ id: '9007199254740993' }])
  })

  it.each(['31337', 'appId:31337'])('of the hub’s own app, by source "%s", are its echo', (sourceId) => {
    const told = (more: object) => receive.normalise({ key: 'k', body: JSON.stringify(event(more)) }, example)
    expect(told({ changeSource: 'INTEGRATION', sourceId })).toMatchObject([{ byHub: true }])
    expect(told({ changeSource: 'CRM_UI', sourceId })).toMatchObject([{ byHub: false }])
    expect(told({ changeSource: 'INTEGRATION', sourceId: `9${sourceId}`.replace('9appId', 'app9') })).toMatchObject([
      { byHub: sourceId.includes(':') },
    ])
  })

  it.each([
    [{ objectId: undefined }, /no objectId/],
    [{ subscriptionType: 'ticket.merge', objectId: undefined }, /no newObjectId/],
    [{ subscriptionType: 'object.associationChange', fromObjectId: 1 }, /no fromObjectId and toObjectId/],
    [{ occurredAt: 1e300 }, /expected an event/],
    [{ subscriptionType: undefined }, /expected an event/],
  ])('that lack something say what: %j', (more, problem) => {
    const read = () => receive.normalise({ key: 'k', body: JSON.stringify(event(more)) }, example)
    expect(read).toThrow(UnreadableInput)
    expect(read).toThrow(problem)
  })
})

describe('hubspot stages', () => {
  it.each([
    ['New', 'OPEN', 'new'],
    ['New York office', 'OPEN', 'new'],
    ['Renewals', 'OPEN', 'open'],
    ['Waiting on contact', 'OPEN', 'pending'],
    ['Waiting on the customer', 'OPEN', 'pending'],
    ['Waiting on us', 'OPEN', 'open'],
    ['On hold', 'OPEN', 'on_hold'],
    ['Threshold', 'OPEN', 'open'],
    ['Abierto', null, 'open'],
    ['New but done', 'CLOSED', 'solved'],
  ])('"%s" in state %s is %s', (label, ticketState, status) => {
    expect(statusOfStage({ id: '1', label, ticketState }, { stages: {} })).toBe(status)
    expect(statusOfStage({ id: '1', label, ticketState }, { stages: { 1: 'closed' } })).toBe('closed')
  })
})

describe('hubspot over HTTP', () => {
  const running: HubspotSandbox[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((sandbox) => sandbox.close()))
  })

  async function start(options: HubspotSandboxOptions & { readonly config?: Partial<HubspotConfig> } = {}) {
    const clock = fakeClock('2026-11-20T10:00:00Z')
    const sandbox = await startSandbox({ ...options, now: clock.now })
    running.push(sandbox)
    const config = hubspot.config.parse({ ...sandbox.config, ...options.config })
    const parts = testContext(hubspot, config, clock.now(), sandbox.url)
    const ctx: Context<HubspotConfig> = { ...parts.ctx, config, now: clock.now }
    const calls = (path: RegExp) => sandbox.requests.filter((call) => path.test(call.path)).length
    return { sandbox, ctx, clock, calls }
  }
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'no error',
      (error: unknown) => (error instanceof ConnectorError ? error.code : String(error)),
    )
  const draft = {
    subject: 'From the hub',
    text: 'Hello',
    visibility: 'public',
    requester: { name: 'Ana García', emails: ['Ana@x.example'] },
  } as const

  async function observed(ctx: Context<HubspotConfig>, cursor: string | undefined) {
    const observations: Observation[] = []
    let next = cursor
    for await (const page of changes.since(ctx, cursor)) {
      observations.push(...page.observations)
      next = page.cursor
    }
    return { observations, cursor: next }
  }
  const caseIds = (observations: readonly Observation[]) =>
    observations.flatMap((one) => (one.type === 'case' ? [one.case.id] : []))

  it('reads 150 tickets of 120 people in batches: the calls are counted', async () => {
    const { sandbox, ctx, calls } = await start()
    const company = sandbox.createCompany({ name: 'Acme', domain: 'acme.example' })
    const ids: string[] = []
    for (let count = 0; count < 150; count += 1) {
      const email = `p${count % 120}@acme.example`
      const contact = sandbox.crm.find('contacts', email, 'email') ?? (await sandbox.createContact({ email }))
      sandbox.crm.associate(contact, company, { changeSource: 'CRM_UI', sourceId: 'userId:1' })
      ids.push((await sandbox.createTicket({ subject: `Ticket ${count}`, contact })).id)
    }
    await sandbox.change(sandbox.crm.get('tickets', ids[0] ?? ''), { hubspot_owner_id: sandbox.agent.id })
    const cases = await readCases.get(ctx, ids)
    expect(cases.map((one) => one.id)).toEqual(ids)
    expect(cases[149]?.requester).toMatchObject({ emails: ['p29@acme.example'], company: { domain: 'acme.example' } })
    expect(cases[0]?.assignee).toEqual({ id: sandbox.agent.id, name: 'Leo Ruiz', email: 'leo@crm.example' })
    expect(calls(/tickets\/batch\/read$/)).toBe(2)
    expect(calls(/tickets\/contacts\/batch\/read$/)).toBe(2)
    expect(calls(/objects\/2026-03\/contacts\/batch\/read$/)).toBe(2)
    expect(calls(/companies\/batch\/read$/)).toBe(4)
    expect([calls(/owners/), calls(/pipelines/)]).toEqual([1, 1])
    expect(calls(/properties/)).toBe(2)
    expect(calls(/./)).toBe(14)
  })

  it('leaves out what is not there, and reads stages anew when one is unknown', async () => {
    const { sandbox, ctx, calls } = await start()
    const ticket = await sandbox.createTicket({ subject: 'One' })
    expect((await readCases.get(ctx, ['1', ticket.id])).map((one) => one.id)).toEqual([ticket.id])
    await sandbox.change(ticket, { hs_pipeline_stage: '77' })
    const [facts] = await readCases.get(ctx, [ticket.id])
    expect(facts).not.toHaveProperty('status')
    expect(calls(/pipelines/)).toBe(2)
  })

  it('creates one ticket when the answer is lost, told by the unique property while the search is late', async () => {
    const { sandbox, ctx } = await start({ indexLagMs: 60_000 })
    const fetch: typeof ctx.http.fetch = async (url, init) => {
      const isCreate = String(url).endsWith('/tickets') && init?.method === 'POST'
      sandbox.faults.set(isCreate ? { dropAnswerAfterEffect: 1 } : {})
      return ctx.http.fetch(url, init)
    }
    const lossy = { ...ctx, http: { ...ctx.http, fetch } }
    expect(await codeOf(writeCase.create(lossy, draft, 'key-create-1'))).toBe('outcome_unknown')
    sandbox.faults.set({})
    const tickets = sandbox.crm.all('tickets')
    expect(tickets).toHaveLength(1)
    expect(await writeCase.find(ctx, 'create', '', 'key-create-1')).toMatchObject({ externalId: tickets[0]?.id })
    expect(await writeCase.find(ctx, 'create', '', 'key-create-2')).toBeUndefined()
    // Even a blind repetition makes no second one: the property is unique.
    expect(await codeOf(writeCase.create(ctx, draft, 'key-create-1'))).toBe('conflict')
    expect(sandbox.crm.all('tickets')).toHaveLength(1)
    const [facts] = await readCases.get(ctx, [tickets[0]?.id ?? ''])
    expect(facts).toMatchObject({ createdByKey: 'key-create-1', requester: { name: 'Ana García' } })
  })

  it('without the unique property says that nobody can tell', async () => {
    const { ctx } = await start()
    const { key_property: _, ...config } = ctx.config
    expect(await writeCase.find({ ...ctx, config }, 'create', '', 'key-create-1')).toBe('unknown')
  })

  it('keeps the name of somebody known when they ask', async () => {
    const { sandbox, ctx } = await start()
    const contact = await sandbox.createContact({ email: 'ana@x.example', firstname: 'Anita' })
    const { externalId } = await writeCase.create(ctx, draft, 'key-create-1')
    expect(sandbox.crm.associated(externalId ?? '', 'contacts')).toEqual([contact.id])
    expect(contact.properties['firstname']).toBe('Anita')
  })

  it('writes status, priority, tags and assignee, and keeps a stage that already means the status', async () => {
    const { sandbox, ctx } = await start({ config: { stages: { 2: 'open' } } })
    const ticket = await sandbox.createTicket({ subject: 'One', properties: { deskweave_tags: 'old;kept' } })
    const write = (change: Parameters<typeof writeCase.update>[2]) => writeCase.update(ctx, ticket.id, change)
    await write({ status: 'open', priority: 'urgent', addTags: ['vip', 'old'], assigneeEmail: 'LEO@crm.example' })
    expect(ticket.properties).toMatchObject({
      hs_pipeline_stage: '2',
      hs_ticket_priority: 'URGENT',
      deskweave_tags: 'old;kept;vip',
      hubspot_owner_id: sandbox.agent.id,
    })
    await sandbox.change(ticket, { hs_pipeline_stage: '3' })
    await write({ status: 'open', addTags: ['new'], removeTags: ['old'], assigneeEmail: null })
    expect(ticket.properties).toMatchObject({
      hs_pipeline_stage: '3',
      deskweave_tags: 'kept;vip;new',
      hubspot_owner_id: null,
    })
    await write({ status: 'closed' })
    expect(ticket.properties['hs_pipeline_stage']).toBe('4')
  })

  it('says why a status, tag, assignee or reply is refused', async () => {
    const { sandbox, ctx } = await start()
    const { id } = await sandbox.createTicket({ subject: 'One' })
    const { tags_property: _, sender_actor_id: __, ...bare } = ctx.config
    const plain = { ...ctx, config: bare }
    const reply = { visibility: 'public', text: 'Hi' } as const
    await expect(writeCase.update(ctx, id, { status: 'on_hold' })).rejects.toThrow(/no stage .* means it.*"New"/)
    await expect(writeCase.update(ctx, id, { assigneeEmail: 'no@x.example' })).rejects.toThrow(/no owner/)
    await expect(writeCase.update(ctx, id, { addTags: ['a;b'] })).rejects.toThrow(/separates values/)
    await expect(writeCase.update(plain, id, { addTags: ['a'] })).rejects.toThrow(/tags_property/)
    await expect(writeCase.message(plain, id, reply, 'k')).rejects.toThrow(/sender_actor_id/)
    await expect(writeCase.message(ctx, id, reply, 'k')).rejects.toThrow(/no conversation to answer in/)
    await expect(writeCase.update(ctx, '4', { subject: 'x' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(writePerson.upsert(ctx, { name: 'Nobody' }, 'k')).rejects.toThrow(/no e-mail address and no trait/)
  })

  const notesOf = (sandbox: HubspotSandbox) => sandbox.crm.all('notes').map(({ properties }) => properties)

  it('writes under the name of whom it is from, and says who it was where they are no owner', async () => {
    const { sandbox, ctx } = await start()
    const contact = await sandbox.createContact({ email: 'ana@x.example' })
    const { id } = await sandbox.createTicket({ subject: 'One', contact, inbox: true })
    const note = { visibility: 'internal', text: 'Plan Pro' } as const
    const [, eva] = sandbox.crm.owners
    await writeCase.message(ctx, id, { ...note, author: { name: 'Eva', email: 'EVA@crm.example' } }, 'key-eva')
    await writeCase.message(ctx, id, { ...note, author: { email: 'noor@crm.example' } }, 'key-noor')
    expect(notesOf(sandbox)).toMatchObject([
      { hs_note_body: '<p>Plan Pro</p><p>Deskweave key-eva</p>', hubspot_owner_id: eva?.id },
      { hs_note_body: '<p>noor@crm.example (via Deskweave):</p><p>Plan Pro</p><p>Deskweave key-noor</p>' },
    ])
    const reply = { visibility: 'public', text: 'Done' } as const
    await writeCase.message(ctx, id, { ...reply, author: { email: 'eva@crm.example' } }, 'key-r1')
    await writeCase.message(ctx, id, { ...reply, author: { email: 'noor@crm.example' } }, 'key-r2')
    expect(sandbox.crm.threads[0]?.messages.map(({ body }) => [body['senderActorId'], body['text']])).toEqual([
      [`A-${eva?.userId}`, 'Done'],
      [ctx.config.sender_actor_id, 'Done'],
    ])
  })

  it('keeps files byte for byte and shows them with the note and the reply', async () => {
    const { sandbox, ctx } = await start()
    const contact = await sandbox.createContact({ email: 'ana@x.example' })
    const { id } = await sandbox.createTicket({ subject: 'One', contact, inbox: true })
    const content = Buffer.from([0, 13, 10, 13, 10, 255, 45, 45])
    const files = [{ name: 'día "1"\r\n.bin', contentType: 'application/octet-stream\r\nx: 1', content }]
    await writeCase.message(ctx, id, { visibility: 'internal', text: 'See', files }, 'key-note')
    await writeCase.message(ctx, id, { visibility: 'public', text: 'See', files }, 'key-reply')
    const [first, second] = sandbox.crm.files
    expect(sandbox.crm.files.map((file) => [file.name, file.content])).toEqual([
      ['día %221%22 .bin', content],
      ['día %221%22 .bin', content],
    ])
    expect(notesOf(sandbox)).toMatchObject([{ hs_attachment_ids: first?.id }])
    expect(sandbox.crm.threads[0]?.messages[0]?.body).toMatchObject({
      attachments: [{ type: 'FILE', fileId: second?.id }],
    })
  })

  it('corrects and deletes its notes, and finds no harm in doing so twice', async () => {
    const { sandbox, ctx } = await start()
    const { id } = await sandbox.createTicket({ subject: 'One' })
    const out = { visibility: 'internal', text: 'Plan Pro', author: { name: 'Noor' } } as const
    const { externalId = '' } = await writeCase.message(ctx, id, out, 'key-1')
    const { revise } = writeCase
    expect(revise.takes).toEqual(['internal'])
    await revise.run(ctx, id, externalId, 'Plan Basic', 'key-2')
    await revise.run(ctx, id, externalId, 'Plan Basic', 'key-2')
    const by = '<p>Noor (via Deskweave):</p>'
    expect(notesOf(sandbox)).toMatchObject([{ hs_note_body: `${by}<p>Plan Basic</p><p>Deskweave key-2</p>` }])
    await revise.run(ctx, id, externalId, undefined, 'key-3')
    await revise.run(ctx, id, externalId, undefined, 'key-3')
    expect(notesOf(sandbox)).toEqual([])
    await expect(revise.run(ctx, id, externalId, 'x', 'key-4')).rejects.toMatchObject({ code: 'not_found' })
    await expect(revise.run(ctx, id, 'm-1', 'x', 'key-5')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('answers in the conversation of the ticket and writes notes beside it', async () => {
    const { sandbox, ctx } = await start()
    const contact = await sandbox.createContact({ email: 'ana@x.example' })
    await sandbox.createTicket({ subject: 'Other', contact, inbox: true })
    const { id } = await sandbox.createTicket({ subject: 'One', contact, inbox: true })
    await writeCase.message(ctx, id, { visibility: 'public', text: 'Hi <Ana>' }, 'key-1')
    await writeCase.message(ctx, id, { visibility: 'internal', text: 'Careful' }, 'key-2')
    const thread = sandbox.crm.threads.find((one) => one.ticketId === id)
    expect(thread?.messages.map((message) => message.body)).toMatchObject([
      { type: 'MESSAGE', text: 'Hi <Ana>', richText: '<p>Hi &lt;Ana&gt;</p>', channelId: '1002' },
    ])
    const notes = sandbox.crm.all('notes')
    expect(notes.map((note) => note.properties['hs_note_body'])).toEqual(['<p>Careful</p><p>Deskweave key-2</p>'])
    expect(await writeCase.find(ctx, 'message', id, 'key-2')).toMatchObject({ externalId: notes[0]?.id })
    expect(await writeCase.find(ctx, 'message', id, 'key-1')).toBe('unknown')
  })

  it('writes a rating to the ticket and to the contact, with one note on both however often it is sent', async () => {
    const { sandbox, ctx } = await start()
    const contact = await sandbox.createContact({ email: 'ana@x.example' })
    const ticket = await sandbox.createTicket({ subject: 'One', contact })
    const rating = { scale: 'csat_5', score: 4, comment: 'Quick & kind.' } as const
    await writeRating.record(ctx, ticket.id, rating, 'key-rating-1')
    await writeRating.record(ctx, ticket.id, rating, 'key-rating-1')
    await writePersonRating.record(ctx, contact.id, rating, 'key-rating-2')
    expect([ticket.properties['hub_csat_score'], contact.properties['hub_csat_score']]).toEqual(['4', '4'])
    const notes = sandbox.crm.all('notes')
    expect(notes.map((note) => note.properties['hs_note_body'])).toEqual([
      '<p>CSAT: 4 of 5</p><p>Quick &amp; kind.</p><p>Deskweave key-rating-1</p>',
    ])
    expect(sandbox.crm.associated(notes[0]?.id ?? '')).toEqual([ticket.id, contact.id])
    const [facts] = await readCases.get(ctx, [ticket.id])
    expect(facts?.custom).toEqual(writeRating.changes(ctx.config, rating).custom)
  })

  it('upserts people by e-mail or by the unique property, one contact each', async () => {
    const { sandbox, ctx } = await start()
    const first = await writePerson.upsert(ctx, { name: 'Jo Dijk', emails: ['Jo@x.example'] }, 'key-1')
    const again = await writePerson.upsert(ctx, { name: 'Jo van Dijk', emails: ['jo@x.example'] }, 'key-2')
    expect(again.externalId).toBe(first.externalId)
    const byNumber = { name: 'Kim', traits: { customer_number: 'K-17' } }
    await writePerson.upsert(ctx, byNumber, 'key-3')
    await writePerson.upsert(ctx, byNumber, 'key-4')
    expect(sandbox.crm.all('contacts').map((one) => one.properties['lastname'] ?? one.properties['firstname'])).toEqual(
      ['van Dijk', 'Kim'],
    )
    const [jo] = await readPeople.get(ctx, [first.externalId ?? ''])
    expect(jo).toMatchObject({ name: 'Jo van Dijk', emails: ['jo@x.example'], traits: { customer_number: null } })
  })

  it('finds every change once the late index shows it, and walks more than one page', async () => {
    const { sandbox, ctx, clock } = await start({ indexLagMs: 30_000 })
    const begun = await observed(ctx, undefined)
    const ids: string[] = []
    for (let count = 0; count < 230; count += 1) ids.push((await sandbox.createTicket({ subject: `T${count}` })).id)
    const contact = await sandbox.createContact({ email: 'late@x.example' })
    clock.advance(10_000)
    const early = await observed(ctx, begun.cursor)
    expect(early.observations).toEqual([])
    clock.advance(60_000)
    const found = await observed(ctx, early.cursor)
    expect(caseIds(found.observations)).toEqual(ids)
    expect(found.observations.at(-1)).toMatchObject({ type: 'person', person: { id: contact.id } })
    const searches = sandbox.requests.filter((call) => call.path.endsWith('/search'))
    expect(searches.slice(-3).map((call) => JSON.parse(call.body.toString()).limit)).toEqual([200, 200, 200])
  })

  it('goes on where a run was cut, and finds what changed behind its back in the next one', async () => {
    const { sandbox, ctx, clock } = await start()
    const { cursor } = await observed(ctx, undefined)
    const tickets = []
    for (let count = 0; count < 210; count += 1) tickets.push(await sandbox.createTicket({ subject: `T${count}` }))
    clock.advance(1000)
    const pages = changes.since(ctx, cursor)
    const first = await pages[Symbol.asyncIterator]().next()
    if (first.done) throw new Error('no page')
    expect(caseIds(first.value.observations)).toHaveLength(200)
    const [early] = tickets
    if (!early) throw new Error('no ticket')
    await sandbox.change(early, { subject: 'Changed behind it' })
    clock.advance(1000)
    const rest = await observed(ctx, first.value.cursor)
    expect(caseIds(rest.observations)).toHaveLength(10)
    clock.advance(600_000)
    const next = await observed(ctx, rest.cursor)
    expect(next.observations).toContainEqual(
      expect.objectContaining({ case: expect.objectContaining({ id: early.id, subject: 'Changed behind it' }) }),
    )
  })

  it('asks for less when an answer is too long for the door', async () => {
    const { sandbox, ctx, clock } = await start()
    const { cursor } = await observed(ctx, undefined)
    const ids: string[] = []
    for (let count = 0; count < 20; count += 1) ids.push((await sandbox.createTicket({ subject: `T${count}` })).id)
    clock.advance(10_000)
    const fetch: typeof ctx.http.fetch = async (url, init) => {
      // The search's limit of five in a second is not what this is about.
      clock.advance(1000)
      const answer = await ctx.http.fetch(url, init)
      const text = await answer.text()
      if (String(url).endsWith('/search') && text.length > 6000) {
        throw new ConnectorError('malformed', 'the answer is longer than 6000 bytes')
      }
      return new Response(text, answer)
    }
    const { observations } = await observed({ ...ctx, http: { ...ctx.http, fetch } }, cursor)
    expect(caseIds(observations)).toEqual(ids)
  })

  it('refuses another account’s token, names missing scopes and properties that do not exist', async () => {
    const { sandbox, ctx } = await start()
    const wrong = (change: Partial<HubspotConfig>) => ({ ...ctx, config: { ...ctx.config, ...change } })
    await expect(hubspot.check(wrong({ portal_id: '1' }))).rejects.toThrow(/belongs to HubSpot account 424242/)
    await expect(hubspot.check(wrong({ access_token: 'no' }))).rejects.toMatchObject({ code: 'auth_failed' })
    await expect(hubspot.check(wrong({ tags_property: 'labels' }))).rejects.toThrow(
      /"labels" of tickets does not exist/,
    )
    await expect(hubspot.check(wrong({ key_property: 'hub_csat_score' }))).rejects.toThrow(/is not unique/)
    const scopeless: typeof ctx.http.fetch = async (url, init) =>
      /owners|companies/.test(String(url))
        ? Response.json({ status: 'error', category: 'MISSING_SCOPES', message: 'no' }, { status: 403 })
        : ctx.http.fetch(url, init)
    const { missingScopes } = await hubspot.check({ ...ctx, http: { ...ctx.http, fetch: scopeless } })
    expect(missingScopes).toEqual(['scope crm.objects.companies.read', 'scope crm.objects.owners.read'])
    expect(sandbox.requests.every((call) => call.path.includes('/2026-0'))).toBe(true)
  })

  it.each([
    [423, {}, 2_000],
    [477, { 'retry-after': '30' }, 30_000],
    [477, {}, 60_000],
  ])('waits when a record is locked or the account moves: %i %j', async (status, headers, retryAfterMs) => {
    const { ctx } = await start()
    const fetch = async () => Response.json({ message: 'later' }, { status, headers })
    const busy = { ...ctx, http: { ...ctx.http, fetch } }
    await expect(readCases.get(busy, ['1'])).rejects.toMatchObject({ code: 'unavailable', retryAfterMs })
  })
})
