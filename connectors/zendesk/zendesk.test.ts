import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { Context, Http, InboundRequest } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { parseExact } from '#hub/connector/exact-json.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { signHmac } from '#hub/connector/hmac.ts'
import { createSandbox, seededNumbers } from '#hub/connector/sandbox.ts'
import { conformance, fakeClock } from '#kit'
import { testContext } from '#kit/conformance/test-http.ts'
import { publicTestSecret, type ZendeskConfig } from './config.ts'
import { zendesk } from './connector.ts'
import { signature } from './receive.ts'
import { startSandbox, type ZendeskSandbox, type ZendeskSandboxOptions } from './sandbox.ts'
import { wireId } from './wire.ts'

const exampleConfig = {
  subdomain: 'acme',
  access_token: 'example-access-token-1',
  webhook_secret: 'zd_test_signing_secret_0001',
  account_id: '11223344',
  hub_agent_id: '900777',
}

conformance(zendesk, new URL('.', import.meta.url), exampleConfig, {
  // The kit's clock stands still, so nothing would ever leave the minute that the export keeps back.
  sandbox: (options) => startSandbox({ ...options, keepBackSeconds: 0, signIn: 'client' }),
  sign: ({ body }, secret, now) => signHmac({ body }, secret, signature, now),
})

const { receive, changes, readCases, writeCase, writePerson, writeRating } = zendesk.can
const bigId = '9007199254740993'

describe('zendesk settings', () => {
  it.each([
    [{ access_token: undefined }, /set access_token \(OAuth\), or email together with api_token/],
    [{ access_token: undefined, email: 'hub@acme.example' }, /set access_token/],
    [{ access_token: undefined, client_id: 'deskweave' }, /set client_id together with client_secret/],
    [{ access_token: undefined, client_secret: 'example-secret' }, /set client_id together with client_secret/],
    [
      { client_id: 'deskweave', client_secret: 'example-secret' },
      /keep one way to sign in.*client_secret, or access_token/,
    ],
    [{ email: 'hub@acme.example' }, /keep one way to sign in.*access_token, or email with api_token/],
    [{ subdomain: 'acme.zendesk.com' }, /the part before/],
    [{ subdomain: 'x/../y' }, /the part before/],
    [{ webhook_secret: publicTestSecret }, /published test secret/],
    [{ hub_agent_id: 'me' }, /digits only/],
    [{ api_base: 'ftp://acme.zendesk.com' }, /Invalid URL/],
    [{ subdomian: 'acme' }, /subdomian/],
  ])('are refused with what is wrong: %j', (change, problem) => {
    const result = zendesk.config.safeParse({ ...exampleConfig, ...change })
    expect(result.error?.issues.map((issue) => issue.message).join('\n')).toMatch(problem)
  })

  it('may name an OAuth client, whose tokens the hub renews', () => {
    const client = { subdomain: 'acme', client_id: 'deskweave', client_secret: 'example-secret' }
    expect(zendesk.config.parse(client)).toEqual(client)
  })

  it('may use the legacy pair instead of OAuth', () => {
    const legacy = { subdomain: 'acme', email: 'hub@acme.example', api_token: 'legacy-token' }
    expect(zendesk.config.parse(legacy)).toEqual(legacy)
  })
})

describe('zendesk signatures', () => {
  const secret = exampleConfig.webhook_secret
  const sentAt = new Date('2026-11-20T10:15:30Z')
  const body = '{"type":"zen:event-type:ticket.status_changed","detail":{"id":"4242"}}'
  const headerOf = (timestamp: string, text: string, key: string) =>
    createHmac('sha256', key)
      .update(timestamp + text)
      .digest('base64')

  interface Given {
    readonly timestamp?: string
    readonly signature?: string
    readonly body?: string
    readonly headers?: Readonly<Record<string, string>>
  }
  function verify(given: Given, options: { now?: Date; secret?: string; config?: object } = {}) {
    const timestamp = given.timestamp ?? '2026-11-20T10:15:30Z'
    const request: InboundRequest = {
      method: 'POST',
      url: '/hooks/c_1',
      headers: {
        'x-zendesk-webhook-signature-timestamp': timestamp,
        'x-zendesk-webhook-signature': given.signature ?? headerOf(timestamp, given.body ?? body, secret),
        ...given.headers,
      },
      body: Buffer.from(given.body ?? body),
    }
    const config = zendesk.config.parse({ ...exampleConfig, ...options.config })
    return receive.verify(request, options.secret ?? secret, { config, now: () => options.now ?? sentAt })
  }
  const good = 'EntCLEbNnvqXJlx/tlChIDzK1lBzA/WEAL1nmJgKuhU='

  it('accepts the published vector', () => {
    expect(verify({ signature: good })).toEqual({ ok: true })
  })

  it.each([
    ['hex instead of base64', { signature: Buffer.from(good, 'base64').toString('hex') }],
    ['truncated', { signature: good.slice(0, 20) }],
    ['without padding', { signature: good.slice(0, -1) }],
    ['url-safe base64', { signature: good.replaceAll('/', '_') }],
    ['other bits behind the padding', { signature: good.replace('U=', 'V=') }],
    ['twice in one header', { signature: `${good}, ${good}` }],
    ['of another body', { signature: good, body: body.replace('4242', '4243') }],
    ['of another time', { signature: good, timestamp: '2026-11-20T10:15:31Z' }],
  ])('refuses a signature that is %s', (_, given) => {
    expect(verify(given)).toEqual({ ok: false, reason: 'bad_signature' })
  })

  it('refuses every slide of the border between timestamp and body', () => {
    const signed = `2026-11-20T10:15:30Z${body}`
    for (let border = 0; border <= signed.length; border += 1) {
      const slid = { timestamp: signed.slice(0, border), body: signed.slice(border), signature: good }
      expect(verify(slid).ok, `border at ${border}`).toBe(border === 20)
    }
  })

  it.each([
    '1795169730',
    '2026-11-20 10:15:30Z',
    '2026-11-20T10:15:30',
    '20261120T101530Z',
    'NaN',
    '2026-11-20T10:15Z',
  ])('refuses a timestamp "%s", signed as it is', (timestamp) => {
    expect(verify({ timestamp })).toEqual({ ok: false, reason: 'bad_signature' })
  })

  it.each([
    [-301, { ok: false, reason: 'stale' }],
    [-300, { ok: true }],
    [300, { ok: true }],
    [301, { ok: false, reason: 'stale' }],
  ])('at %i s from the signed time answers %j', (seconds, expected) => {
    expect(verify({}, { now: new Date(sentAt.getTime() + seconds * 1000) })).toEqual(expected)
  })

  it('never takes the published test secret, whatever the connection holds', () => {
    const forged = headerOf('2026-11-20T10:15:30Z', body, publicTestSecret)
    expect(verify({ signature: forged }, { secret: publicTestSecret })).toEqual({ ok: false, reason: 'bad_signature' })
  })

  it('refuses another account, in the signed body or else in the header', () => {
    const ofAccount = (id: number) => `{"account_id":${id},${body.slice(1)}`
    expect(verify({ body: ofAccount(11223344) }).ok).toBe(true)
    expect(verify({ body: ofAccount(99) }).ok).toBe(false)
    expect(verify({ body: ofAccount(99), headers: { 'x-zendesk-account-id': '11223344' } }).ok).toBe(false)
    // The small vector has no account in its body.
    expect(verify({ headers: { 'x-zendesk-account-id': '11223344' } }).ok).toBe(true)
    expect(verify({ headers: { 'x-zendesk-account-id': '99' } }).ok).toBe(false)
  })

  it('counts the same signed bytes once, whatever the invocation id says', () => {
    const trigger = Buffer.from('{"ticket_id":"4242"}')
    const signed = signHmac({ body: trigger }, secret, signature, sentAt)
    const keys = Array.from({ length: 1000 }, (_, index) => {
      const headers = { ...signed, 'x-zendesk-webhook-invocation-id': `01H${index}` }
      return receive.items({ method: 'POST', url: '/', headers, body: trigger })[0]?.key
    })
    expect(new Set(keys).size).toBe(1)
  })
})

describe('zendesk ids', () => {
  it('stay exact in JSON, both ways', () => {
    const parsed = parseExact(`{"id":${bigId},"small":42,"half":0.5,"text":"9007199254740993","e":1e300}`)
    expect(parsed).toEqual({ id: bigId, small: 42, half: 0.5, text: bigId, e: 1e300 })
    expect(JSON.stringify({ id: wireId(bigId), small: wireId('42') })).toBe(`{"id":${bigId},"small":42}`)
  })
})

describe('zendesk over HTTP', () => {
  const running: ZendeskSandbox[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((sandbox) => sandbox.close()))
  })

  async function start(options: ZendeskSandboxOptions = {}) {
    const clock = fakeClock('2026-11-20T10:00:00Z')
    const sandbox = await startSandbox({ firstTicketId: bigId, ...options, now: clock.now })
    running.push(sandbox)
    const config = zendesk.config.parse(sandbox.config)
    const parts = testContext(zendesk, config, clock.now(), sandbox.url)
    const ctx: Context<ZendeskConfig> = { ...parts.ctx, config, now: clock.now }
    return { sandbox, ctx, clock }
  }
  const letter = { from: 'ana@x.example', name: 'Ana García', subject: 'Invoice', text: 'It is wrong.' }
  const draft = {
    subject: 'From the hub',
    text: 'Hello',
    visibility: 'public',
    requester: { name: 'Ana García', emails: ['ana@x.example'] },
  } as const
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'no error',
      (error: unknown) => (error instanceof ConnectorError ? error.code : String(error)),
    )

  async function observed(ctx: Context<ZendeskConfig>, cursor: string | undefined) {
    const observations: Observation[] = []
    let next = cursor
    for await (const page of changes.since(ctx, cursor)) {
      observations.push(...page.observations)
      next = page.cursor
    }
    return { observations, cursor: next }
  }

  it('keeps a ticket id beyond 2^53 exact through reading, writing and telling', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    await sandbox.customerWrites({ ...letter, from: 'eve@x.example' })
    expect(id).toBe(bigId)
    await writeCase.message(ctx, id, { visibility: 'internal', text: 'Note' }, 'key-exact-1')
    expect(sandbox.desk.ticket(id).comments.map((comment) => [comment.body, comment.isPublic])).toEqual([
      ['It is wrong.', true],
      ['Note', false],
    ])
    const [facts] = await readCases.get(ctx, [id])
    expect(facts).toMatchObject({ id, requester: { name: 'Ana García', emails: ['ana@x.example'] }, assignee: null })
  })

  it('refuses a wrong credential, and the anonymous visitor behind a missing one', async () => {
    const { ctx } = await start()
    const wrong = { ...ctx, config: { ...ctx.config, access_token: 'wrong-token' } }
    expect(await codeOf(zendesk.check(wrong))).toBe('auth_failed')
    const stripped: Http = { ...ctx.http, fetch: (url, init) => ctx.http.fetch(url, { ...init, headers: {} }) }
    await expect(zendesk.check({ ...ctx, http: stripped })).rejects.toThrow(/anonymous visitor; set access_token/)
  })

  it('creates one ticket when the answer is lost, by the key within two hours and by the external id after them', async () => {
    const { sandbox, ctx, clock } = await start()
    sandbox.faults.set({ dropAnswerAfterEffect: 1 })
    expect(await codeOf(writeCase.create(ctx, draft, 'key-create-1'))).toBe('outcome_unknown')
    sandbox.faults.set({})
    const found = await writeCase.find(ctx, 'create', '', 'key-create-1')
    const again = await writeCase.create(ctx, draft, 'key-create-1')
    expect(sandbox.desk.tickets.size).toBe(1)
    expect(found).toEqual(again)
    clock.advance(3 * 60 * 60_000)
    expect(await writeCase.find(ctx, 'create', '', 'key-create-1')).toEqual(found)
    expect(await writeCase.find(ctx, 'create', '', 'key-create-2')).toBeUndefined()
  })

  it('refuses a key that comes again with another ticket', async () => {
    const { ctx } = await start()
    await writeCase.create(ctx, draft, 'key-create-3')
    await expect(writeCase.create(ctx, { ...draft, subject: 'Other' }, 'key-create-3')).rejects.toThrow(
      /answered 400.*IdempotentRequestError/,
    )
  })

  it('finds a message whose answer was lost, and no message that never left', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    sandbox.faults.set({ dropAnswerAfterEffect: 1 })
    const reply = { visibility: 'public', text: 'We are on it.' } as const
    expect(await codeOf(writeCase.message(ctx, id, reply, 'key-message-1'))).toBe('outcome_unknown')
    sandbox.faults.set({})
    const receipt = await writeCase.find(ctx, 'message', id, 'key-message-1')
    expect(receipt?.externalId).toBe(sandbox.desk.ticket(id).comments.at(-1)?.id)
    expect(await writeCase.find(ctx, 'message', id, 'key-message-2')).toBeUndefined()
  })

  it('writes only onto the version it has seen', async () => {
    const { sandbox, ctx, clock } = await start()
    const id = await sandbox.customerWrites(letter)
    const [seen] = await readCases.get(ctx, [id])
    clock.advance(2000)
    await sandbox.agentReplies(id, 'Mine')
    const change = { status: 'solved', ...(seen?.version ? { ifVersion: seen.version } : {}) } as const
    expect(await codeOf(writeCase.update(ctx, id, change, 'key-update-1'))).toBe('conflict')
    expect(sandbox.desk.ticket(id).status).toBe('open')
    const [fresh] = await readCases.get(ctx, [id])
    await writeCase.update(ctx, id, { ...change, ifVersion: fresh?.version ?? '' }, 'key-update-1')
    expect(sandbox.desk.ticket(id).status).toBe('solved')
  })

  it('adds and removes tags without touching what others added in the same second', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    await sandbox.agentChanges(id, { addTags: ['vip', 'old'] })
    await Promise.all([
      writeCase.update(ctx, id, { addTags: ['from_hub'], removeTags: ['old'] }, 'key-tags-1'),
      sandbox.agentChanges(id, { addTags: ['by_agent'] }),
    ])
    expect(sandbox.desk.ticket(id).tags).toEqual(['by_agent', 'from_hub', 'vip'])
  })

  it.each([
    ['VIP', 'vip'],
    [' Big  Customer ', 'big_customer'],
    ['Größe', 'größe'],
  ])('knows the form that Zendesk keeps a tag in: "%s"', async (tag, kept) => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    expect(writeCase.normaliseTag(tag)).toBe(kept)
    await writeCase.update(ctx, id, { addTags: [writeCase.normaliseTag(tag)] }, 'key-form-1')
    expect((await readCases.get(ctx, [id]))[0]?.tags).toEqual([kept])
    await sandbox.agentChanges(id, { tags: [tag] })
    expect(sandbox.desk.ticket(id).tags).toEqual(tag.toLowerCase().trim().split(/\s+/))
  })

  it('says why a closed ticket, an unknown agent, team or field is refused', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    await expect(writeCase.update(ctx, id, { assigneeEmail: 'nobody@x.example' }, 'key-1')).rejects.toThrow(
      /no agent of sandbox.zendesk.com has this e-mail address/,
    )
    await expect(writeCase.update(ctx, id, { custom: { plan: 'pro' } }, 'key-4')).rejects.toThrow(
      /"plan".* by their ids/,
    )
    await expect(writeCase.update(ctx, id, { team: 'Legal' }, 'key-2')).rejects.toThrow(/it has "Support", "Billing"/)
    await sandbox.agentChanges(id, { status: 'closed' })
    await expect(writeCase.update(ctx, id, { status: 'open' }, 'key-3')).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/closed prevents ticket update/),
    })
  })

  it.each([
    ['a light agent', { roleType: 1 }, /"lia@desk.example": a light agent.*give them a full role/],
    ['a suspended one', { suspended: true }, /"lia@desk.example": suspended in sandbox.zendesk.com/],
  ])('assigns no ticket to %s, and says why', async (_, facts, words) => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    const lia = await sandbox.createUser({ name: 'Lia', email: 'lia@desk.example', role: 'agent', ...facts })
    const assign = writeCase.update(ctx, id, { assigneeEmail: 'lia@desk.example' }, 'key-1')
    await expect(assign).rejects.toMatchObject({ code: 'rejected', message: expect.stringMatching(words) })
    await expect(sandbox.agentChanges(id, { assigneeId: lia.id })).rejects.toThrow('Assignee: is invalid')
  })

  it('solves no ticket that nobody has, and says what to do', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    await expect(writeCase.update(ctx, id, { status: 'solved' }, 'key-1')).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/assigned to nobody; assign it first and solve it again/),
    })
    await expect(writeCase.create(ctx, { ...draft, status: 'solved' }, 'key-2')).rejects.toThrow(/assign it first/)
    expect(sandbox.desk.ticket(id).status).toBe('new')
    await writeCase.update(ctx, id, { status: 'solved', assigneeEmail: 'leo@desk.example' }, 'key-3')
    expect(sandbox.desk.ticket(id).status).toBe('solved')
    await expect(writeCase.update(ctx, id, { status: 'new' }, 'key-4')).rejects.toThrow(/set it to open instead/)
  })

  it('moves a ticket to a group of its new agent, unless somebody said which team it should be', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    const billing = sandbox.desk.groups.values().find((group) => group.name === 'Billing')?.id ?? ''
    await sandbox.createUser({ name: 'Mia', email: 'mia@desk.example', role: 'agent', groupIds: [billing] })
    await writeCase.update(ctx, id, { assigneeEmail: 'leo@desk.example' }, 'key-1')
    expect((await readCases.get(ctx, [id]))[0]).toMatchObject({ status: 'open', team: 'Support' })
    await writeCase.update(ctx, id, { assigneeEmail: 'mia@desk.example' }, 'key-2')
    const [facts] = await readCases.get(ctx, [id])
    expect(facts).toMatchObject({ assignee: { email: 'mia@desk.example' }, team: 'Billing' })
    expect(await writeCase.find(ctx, 'update', id, 'key-2')).toMatchObject({ externalId: id })
    await expect(
      writeCase.update(ctx, id, { assigneeEmail: 'mia@desk.example', team: 'Support' }, 'key-3'),
    ).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining('not a member of the group') })
  })

  it.each(['pending', 'hold', 'solved'] as const)('sees a ticket on %s opened by the customer', async (status) => {
    const { sandbox, ctx } = await start()
    const ticketId = await sandbox.customerWrites(letter)
    await sandbox.agentReplies(ticketId, 'Looking')
    await sandbox.agentChanges(ticketId, { status })
    await sandbox.customerWrites({ ...letter, text: 'And?', ticketId })
    expect((await readCases.get(ctx, [ticketId]))[0]?.status).toBe('open')
  })

  it('looks an agent up once for many updates', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    for (const key of ['key-1', 'key-2', 'key-3']) {
      await writeCase.update(ctx, id, { assigneeEmail: 'Leo@desk.example' }, key)
    }
    expect(sandbox.requests.filter((call) => call.path.includes('/users/search')).length).toBe(1)
  })

  it('records a rating once: fields, one tag of its scale, one internal note', async () => {
    const { sandbox, ctx, clock } = await start()
    const id = await sandbox.customerWrites(letter)
    await sandbox.agentSolves(id)
    clock.advance(60_000)
    await writeRating.record(ctx, id, { scale: 'csat_5', score: 2 }, 'key-rating-1')
    sandbox.faults.set({ dropAnswerAfterEffect: 1 })
    const better = { scale: 'csat_5', score: 5, comment: 'Now it works.' } as const
    const write = () => writeRating.record(ctx, id, better, 'key-rating-2')
    expect(await codeOf(write())).toBe('outcome_unknown')
    sandbox.faults.set({})
    await write()
    await write()
    const ticket = sandbox.desk.ticket(id)
    expect(ticket.tags).toEqual(['deskweave_csat_5'])
    expect(Object.fromEntries(ticket.custom)).toEqual({ '36001': 5, '36002': 'Now it works.' })
    const notes = ticket.comments.filter((comment) => !comment.isPublic).map((comment) => comment.body)
    expect(notes).toEqual(['CSAT: 2 of 5', 'CSAT: 5 of 5\n\nNow it works.'])
    expect(ticket.status).toBe('solved')
  })

  it('tags a closed ticket with its score, which is all that Zendesk still takes', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    await sandbox.agentSolves(id)
    await sandbox.agentChanges(id, { status: 'closed', addTags: ['deskweave_csat_1', 'billing'] })
    const write = () => writeRating.record(ctx, id, { scale: 'csat_5', score: 4, comment: 'Fine.' }, 'key-rating-5')
    expect(await write()).toMatchObject({ externalId: id })
    expect(sandbox.desk.ticket(id)).toMatchObject({ status: 'closed', tags: ['billing', 'deskweave_csat_4'] })
    await write()
    expect(sandbox.requests.filter(({ path }) => path.includes('/update_many')).length).toBe(1)
    await expect(writeCase.update(ctx, id, { addTags: ['late'] }, 'key-late-1')).rejects.toThrow(/closed prevents/)
  })

  it('reads a score as the number that was written, from a text field too', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    sandbox.desk.textFields.add('36001')
    const rating = { scale: 'csat_5', score: 5 } as const
    await writeRating.record(ctx, id, rating, 'key-rating-4')
    expect(sandbox.desk.ticket(id).custom.get('36001')).toBe('5')
    const [facts] = await readCases.get(ctx, [id])
    expect(facts?.custom).toEqual(writeRating.changes(ctx.config, rating).custom)
    await sandbox.agentChanges(id, { custom: [{ id: '36001', value: 'asked again' }] })
    expect((await readCases.get(ctx, [id]))[0]?.custom).toEqual({ '36001': 'asked again' })
  })

  it('writes a rating again on top of what came in between', async () => {
    const { sandbox, ctx, clock } = await start()
    const id = await sandbox.customerWrites(letter)
    let isDisturbed = false
    const fetch: Http['fetch'] = async (url, init) => {
      if (init?.method === 'PUT' && !isDisturbed) {
        isDisturbed = true
        clock.advance(5000)
        await sandbox.agentChanges(id, { addTags: ['meanwhile'] })
      }
      return ctx.http.fetch(url, init)
    }
    await writeRating.record(
      { ...ctx, http: { ...ctx.http, fetch } },
      id,
      { scale: 'nps_11', score: 0 },
      'key-rating-3',
    )
    expect(sandbox.desk.ticket(id).tags).toEqual(['deskweave_nps_0', 'meanwhile'])
  })

  it('updates the person that an address belongs to and keeps their name when it brings none', async () => {
    const { sandbox, ctx } = await start()
    await sandbox.createUser({ name: 'Ana García', email: 'ana@x.example' })
    const known = await writePerson.upsert(ctx, { emails: ['ana@x.example'], traits: { plan: 'pro' } }, 'key-person-1')
    const fresh = await writePerson.upsert(
      ctx,
      { emails: ['new@x.example'], company: { name: 'Acme' } },
      'key-person-2',
    )
    expect(sandbox.desk.users.get(known.externalId ?? '')).toMatchObject({
      name: 'Ana García',
      fields: { plan: 'pro' },
    })
    expect(sandbox.desk.users.get(fresh.externalId ?? '')).toMatchObject({ name: 'new@x.example' })
    expect([...sandbox.desk.organizations.values()].map((one) => one.name)).toEqual(['Acme'])
  })

  it('puts all people of a company into one organisation, whatever capitals it is written in', async () => {
    const { sandbox, ctx } = await start()
    for (const [index, name] of ['Acme', 'Acme', 'ACME'].entries()) {
      const person = { name: `P${index}`, emails: [`p${index}@x.example`], company: { name } }
      const { externalId = '' } = await writePerson.upsert(ctx, person, `key-company-${index}`)
      const [organization] = sandbox.desk.organizations.keys()
      expect(sandbox.desk.users.get(externalId)?.organizationId).toBe(organization)
    }
    expect([...sandbox.desk.organizations.values()].map((one) => one.name)).toEqual(['Acme'])
  })

  it('takes the organisation that somebody else has made in the same moment', async () => {
    const { sandbox, ctx } = await start()
    const { fetch: send } = ctx.http
    const fetch: typeof send = async (url, init) => {
      if (init?.method === 'POST' && String(url).includes('/organizations')) sandbox.desk.organizationNamed('Acme')
      return await send(url, init)
    }
    const person = { name: 'Ana', emails: ['ana@x.example'], company: { name: 'Acme' } }
    const { externalId = '' } = await writePerson.upsert({ ...ctx, http: { ...ctx.http, fetch } }, person, 'key-race-1')
    expect(sandbox.desk.users.get(externalId)?.organizationId).toBe([...sandbox.desk.organizations.keys()][0])
  })

  it('marks its own writes: in the export by the audit, in webhooks by the acting user', async () => {
    const { sandbox, ctx, clock } = await start()
    const { cursor } = await observed(ctx, undefined)
    const id = await sandbox.customerWrites(letter)
    await writeCase.message(ctx, id, { visibility: 'internal', text: 'Note' }, 'key-echo-1')
    clock.advance(120_000)
    const { observations } = await observed(ctx, cursor)
    const messages = observations.flatMap((one) => (one.type === 'message' ? [[one.message.text, one.byHub]] : []))
    expect(messages).toEqual([
      ['It is wrong.', false],
      ['Note', true],
    ])
  })

  it('finds what webhooks lost: comments, changes, deletions; and nothing twice without need', async () => {
    const { sandbox, ctx, clock } = await start()
    sandbox.webhooks.faults.set({ loseRate: 1 })
    const start0 = await observed(ctx, undefined)
    expect(start0.observations).toEqual([])
    const ids: string[] = []
    for (let count = 0; count < 130; count += 1) {
      ids.push(await sandbox.customerWrites({ ...letter, from: `person${count}@x.example` }))
    }
    await sandbox.agentReplies(ids[3] ?? '', 'Internal', { internal: true })
    await sandbox.agentDeletes(ids[4] ?? '')
    clock.advance(30_000)
    expect((await observed(ctx, start0.cursor)).observations).toEqual([])
    clock.advance(60_000)
    const first = await observed(ctx, start0.cursor)
    const cases = first.observations.flatMap((one) => (one.type === 'case' ? [one.case] : []))
    expect(cases.map((one) => one.id).sort()).toEqual([...ids].sort())
    expect(cases.filter((one) => one.deleted).map((one) => one.id)).toEqual([ids[4]])
    const messages = first.observations.flatMap((one) => (one.type === 'message' ? [one] : []))
    expect(messages.length).toBe(130)
    expect(messages.filter((one) => one.caseId === ids[3]).map((one) => one.message.visibility)).toEqual([
      'public',
      'internal',
    ])
    expect((await observed(ctx, first.cursor)).observations).toEqual([])
  })

  it('asks for less when an answer is too long for the door', async () => {
    const { sandbox, ctx, clock } = await start()
    const { cursor } = await observed(ctx, undefined)
    const ids: string[] = []
    for (let count = 0; count < 9; count += 1) ids.push(await sandbox.customerWrites(letter))
    clock.advance(120_000)
    const fetch: Http['fetch'] = async (url, init) => {
      const answer = await ctx.http.fetch(url, init)
      const text = await answer.text()
      if (text.length > 3000) throw new ConnectorError('malformed', 'the answer is longer than 3000 bytes')
      return new Response(text, answer)
    }
    const narrow = { ...ctx, http: { ...ctx.http, fetch } }
    const { observations } = await observed(narrow, cursor)
    expect(new Set(observations.flatMap((one) => (one.type === 'case' ? [one.case.id] : [])))).toEqual(new Set(ids))
    expect((await readCases.get(narrow, ids)).map((one) => one.id)).toEqual(ids)
  })

  const leo = { name: 'Leo Ruiz', email: 'Leo@desk.example' }
  const ofComment = (sandbox: ZendeskSandbox, id: string) => {
    const comment = sandbox.desk.ticket(id).comments.at(-1)
    return [comment && sandbox.desk.users.get(comment.authorId)?.name, comment?.body]
  }

  it('writes under the name of whom it is from, and says who it was where they have no user', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    const note = { visibility: 'internal', text: 'Plan Pro.' } as const
    await writeCase.message(ctx, id, { ...note, author: leo }, 'key-author-1')
    expect(ofComment(sandbox, id)).toEqual(['Leo Ruiz', 'Plan Pro.'])
    await writeCase.message(ctx, id, { ...note, author: { ...leo, accountId: '1' } }, 'key-author-2')
    expect(ofComment(sandbox, id)).toEqual(['Leo Ruiz', 'Plan Pro.'])

    const noor = { name: 'Noor <N>', email: letter.from }
    await writeCase.message(ctx, id, { ...note, author: noor }, 'key-author-3')
    expect(ofComment(sandbox, id)).toEqual(['Deskweave', 'Noor <N> (via Deskweave):\nPlan Pro.'])
    await writeCase.message(ctx, id, { ...note, html: '<b>Pro</b>', author: noor }, 'key-author-4')
    expect(ofComment(sandbox, id)).toEqual(['Deskweave', '<p>Noor &lt;N&gt; (via Deskweave):</p><b>Pro</b>'])
    const reply = { visibility: 'public', text: 'Done.' } as const
    await writeCase.message(ctx, id, { ...reply, author: noor }, 'key-author-5')
    expect(ofComment(sandbox, id)).toEqual(['Deskweave', 'Done.'])

    const lookups = sandbox.requests.filter(({ path }) => path.startsWith('/api/v2/users/'))
    expect(lookups.map(({ path }) => path.replace('.json', ''))).toEqual([
      '/api/v2/users/search',
      '/api/v2/users/show_many',
      '/api/v2/users/search',
      '/api/v2/users/search',
    ])
  })

  it('never lets a public reply become a note: who may not reply there has it sent by the hub', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    await sandbox.createUser({ name: 'Lia Luz', email: 'lia@desk.example', role: 'agent', roleType: 1 })
    await sandbox.createUser({ name: 'Sol Sanz', email: 'sol@desk.example', role: 'agent', suspended: true })
    const write = async (visibility: 'public' | 'internal', email: string, key: string) => {
      await writeCase.message(ctx, id, { visibility, text: 'Hello', author: { name: 'Me', email } }, key)
      return [...ofComment(sandbox, id), sandbox.desk.ticket(id).comments.at(-1)?.isPublic]
    }
    expect(await write('public', 'lia@desk.example', 'key-light-1')).toEqual(['Deskweave', 'Hello', true])
    expect(await write('internal', 'lia@desk.example', 'key-light-2')).toEqual(['Lia Luz', 'Hello', false])
    expect(await write('public', 'sol@desk.example', 'key-light-3')).toEqual(['Deskweave', 'Hello', true])
    const note = 'Me (via Deskweave):\nHello'
    expect(await write('internal', 'sol@desk.example', 'key-light-4')).toEqual(['Deskweave', note, false])
  })

  it('takes the user that an administrator named, whatever address they have', async () => {
    const { sandbox, ctx } = await start()
    const id = await sandbox.customerWrites(letter)
    const accountId = sandbox.desk.userByEmail('leo@desk.example')?.id ?? ''
    const author = { name: 'Leo', email: 'leo@private.example', accountId }
    await writeCase.message(ctx, id, { visibility: 'public', text: 'Hello', author }, 'key-author-6')
    expect(ofComment(sandbox, id)).toEqual(['Leo Ruiz', 'Hello'])
  })

  it('sends files with a comment, and reads those of others, up to the size that is asked for', async () => {
    const { sandbox, ctx, clock } = await start()
    const { cursor } = await observed(ctx, undefined)
    const id = await sandbox.customerWrites(letter)
    const content = Buffer.from([0, 255, 10, 13, 128])
    const files = [
      { name: 'día & 1.bin', contentType: 'application/octet-stream', content },
      { name: 'b.txt', contentType: 'text/plain', content: Buffer.from('b') },
    ]
    await writeCase.message(ctx, id, { visibility: 'public', text: 'Here', files }, 'key-files-1')
    clock.advance(120_000)
    const { observations } = await observed(ctx, cursor)
    const told = observations.flatMap((one) => (one.type === 'message' ? (one.message.attachments ?? []) : []))
    expect(told.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ['día & 1.bin', 5],
      ['b.txt', 1],
    ])
    const [file] = told
    if (!file) throw new Error('no file')
    expect(Buffer.from(await zendesk.can.readFile(ctx, file, 5))).toEqual(content)
    await expect(zendesk.can.readFile(ctx, file, 4)).rejects.toMatchObject({ code: 'rejected' })
    await expect(zendesk.can.readFile(ctx, { ...file, id: '../1' }, 5)).rejects.toMatchObject({ code: 'not_found' })
  })

  it.each([
    ['of another host', { content_url: 'https://evil.example/x' }, undefined, 'host_refused'],
    ['that lead to another host', {}, 'https://evil.example/x', 'host_refused'],
    ['that lead out of TLS', {}, 'http://p1.zdusercontent.com/x', 'host_refused'],
    ['with malware in it', { malware_scan_result: 'malware_found' }, undefined, 'rejected'],
    ['that are not scanned yet', { malware_scan_result: 'not_scanned' }, undefined, 'unavailable'],
  ])('reads no files %s', async (_, told, location, code) => {
    const called: string[] = []
    const fetch: Http['fetch'] = async (url) => {
      called.push(String(url))
      const content_url = 'https://acme.zendesk.com/attachments/1'
      if (!String(url).endsWith('/attachments/1')) throw new Error('called')
      if (!String(url).includes('/api/'))
        return new Response('', { status: 302, headers: { location: location ?? '' } })
      return Response.json({ attachment: { size: 3, malware_scan_result: 'malware_not_found', content_url, ...told } })
    }
    const { ctx } = testContext(zendesk, zendesk.config.parse(exampleConfig), new Date(), 'http://127.0.0.1:1')
    const door = { ...(ctx as Context<ZendeskConfig>), http: { ...ctx.http, fetch } }
    await expect(zendesk.can.readFile(door, { id: '1', name: 'x' }, 9)).rejects.toMatchObject({ code })
    expect(called.filter((url) => url.includes('evil'))).toEqual([])
  })

  it('merges two tickets by their own ids, and knows a merge again whose answer was lost', async () => {
    const { sandbox, ctx } = await start()
    const source = await sandbox.customerWrites(letter)
    const target = await sandbox.customerWrites(letter)
    expect(source).toBe(bigId)
    expect(await writeCase.find(ctx, 'merge', source, 'key-merge-1')).toBeUndefined()
    await writeCase.merge(ctx, source, target)
    expect(sandbox.desk.ticket(source)).toMatchObject({ status: 'closed', tags: ['closed_by_merge'] })
    expect(sandbox.desk.ticket(target).comments.at(-1)).toMatchObject({ isPublic: false })
    expect(await writeCase.find(ctx, 'merge', source, 'key-merge-1')).toEqual({
      url: `https://sandbox.zendesk.com/agent/tickets/${source}`,
    })
    await expect(writeCase.merge(ctx, source, target)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('closed prevents ticket update'),
    })
    await expect(writeCase.merge(ctx, '1/../2', target)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('tells who can be assigned, beside the hub itself', async () => {
    const { sandbox, ctx } = await start()
    const id = sandbox.desk.userByEmail('leo@desk.example')?.id
    expect(await zendesk.can.readAgents.list(ctx)).toEqual([{ id, name: 'Leo Ruiz', email: 'leo@desk.example' }])
  })

  const scene = async (sandbox: ZendeskSandbox) => {
    const id = await sandbox.customerWrites(letter)
    await sandbox.agentReplies(id, 'Looking')
    await sandbox.agentSolves(id, 'Done')
  }

  it('ends at the same facts and messages in whatever order events arrive', async () => {
    const { sandbox, ctx } = await start()
    const events = await heard(sandbox, ctx, scene)
    const random = seededNumbers(7)
    const order = events.map((event) => ({ event, at: random() })).sort((a, b) => a.at - b.at)
    const cases = new Map<string, string | undefined>()
    const messages = new Set<string>()
    for (const observation of order.flatMap(({ event }) => event.observations)) {
      if (observation.type === 'message') messages.add(observation.message.text)
      if (observation.type !== 'pointer' || observation.entity !== 'case') continue
      for (const facts of await readCases.get(ctx, [observation.id])) cases.set(facts.id, facts.status)
    }
    expect([...cases]).toEqual([[bigId, 'solved']])
    expect([...messages].sort()).toEqual(['Done', 'It is wrong.', 'Looking'])
    expect(order.flatMap(({ event }) => event.observations).filter((one) => one.type === 'case')).toEqual([])
  })

  it('is told by an automation, in which nobody acted, too', () => {
    const body = Buffer.from('{"ticket_id":"4242","updated_at":"","current_user_id":""}')
    const [item] = receive.items({ method: 'POST', url: '/', headers: {}, body })
    const context = { config: { subdomain: 'x' }, now: () => new Date('2026-11-20T10:15:30Z') }
    expect(item && receive.normalise(item, context as never)).toMatchObject([
      { type: 'pointer', id: '4242', byHub: false },
    ])
  })

  it('is told by a trigger what to read, and whose update it was', async () => {
    const { sandbox, ctx } = await start({ webhook: 'trigger' })
    const hints = await heard(sandbox, ctx, async (desk) => {
      await scene(desk)
      await writeCase.update(ctx, bigId, { addTags: ['seen'] }, 'key-trigger-1')
    })
    const pointers = hints.flatMap((hint) => hint.observations)
    expect(new Set(pointers.map((one) => one.type))).toEqual(new Set(['pointer']))
    expect(pointers.map((one) => one.byHub)).toEqual([...pointers.slice(1).map(() => false), true])
  })

  /** What the hub would understand of a scene's webhooks, by item key. */
  async function heard(
    sandbox: ZendeskSandbox,
    ctx: Context<ZendeskConfig>,
    scene: (sandbox: ZendeskSandbox) => Promise<void>,
  ) {
    const found: { key: string; observations: readonly Observation[] }[] = []
    const hub = await createSandbox({
      routes: [
        {
          method: 'POST',
          path: '*',
          answer: async ({ headers, body, method, path }) => {
            const request = { method, url: path, headers, body }
            expect(receive.verify(request, ctx.config.webhook_secret ?? '', ctx)).toEqual({ ok: true })
            for (const item of receive.items(request)) {
              found.push({ key: item.key, observations: await receive.normalise(item, ctx) })
            }
            return { status: 202 }
          },
        },
      ],
    })
    try {
      sandbox.connect({ url: `${hub.url}/hooks/c_1`, secret: ctx.config.webhook_secret ?? '' })
      await scene(sandbox)
      await sandbox.webhooks.settled()
    } finally {
      await hub.close()
    }
    return found
  }
})
