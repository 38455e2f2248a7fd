import { afterEach, describe, expect, it } from 'vitest'
import type { Context, Http } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { fakeClock } from '#kit'
import { testContext } from '#kit/conformance/test-http.ts'
import type { ZendeskConfig } from './config.ts'
import { zendesk } from './connector.ts'
import { startSandbox, type ZendeskSandbox, type ZendeskSandboxOptions } from './sandbox.ts'

const { readCases, readFile, readAgents, writeCase } = zendesk.can
const minute = 60_000
const running: ZendeskSandbox[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((sandbox) => sandbox.close()))
})

async function start(options: ZendeskSandboxOptions = {}, settings: object = {}) {
  const clock = fakeClock('2026-11-20T10:00:00Z')
  const sandbox = await startSandbox({ ...options, now: clock.now })
  running.push(sandbox)
  const config = zendesk.config.parse({ ...sandbox.config, ...settings })
  const parts = testContext(zendesk, config, clock.now(), sandbox.url)
  const ctx: Context<ZendeskConfig> = { ...parts.ctx, config, now: clock.now }
  const asked = () => sandbox.requests.filter((call) => call.path === '/oauth/tokens').length
  const refused = () => sandbox.requests.filter((call) => call.status === 401).length
  return { sandbox, ctx, clock, asked, refused, logged: parts.logged }
}
const letter = { from: 'ana@x.example', name: 'Ana García', subject: 'Invoice', text: 'It is wrong.' }
const draft = {
  subject: 'From the hub',
  text: 'Hello',
  visibility: 'public',
  requester: { name: 'Ana García', emails: ['ana@x.example'] },
} as const
const note = { visibility: 'internal', text: 'Note' } as const
const answeredWith = (ctx: Context<ZendeskConfig>, status: number, json: object): Context<ZendeskConfig> => {
  const fetch: Http['fetch'] = () => Promise.resolve(Response.json(json, { status }))
  return { ...ctx, http: { ...ctx.http, fetch } }
}

describe('a zendesk OAuth client', () => {
  it('gives one token to however many calls wait for it', async () => {
    const { sandbox, ctx, asked, refused, logged } = await start({ signIn: 'client' })
    const id = await sandbox.customerWrites(letter)
    const [checked, cases, agents] = await Promise.all([
      zendesk.check(ctx),
      readCases.get(ctx, [id]),
      readAgents.list(ctx),
      writeCase.message(ctx, id, note, 'key-token-1'),
    ])
    expect(checked).toEqual({ account: 'sandbox.zendesk.com' })
    expect(cases.map((one) => one.id)).toEqual([id])
    expect(agents.map(({ name }) => name)).toEqual(['Leo Ruiz'])
    expect([asked(), refused()]).toEqual([1, 0])
    expect(JSON.stringify([checked, logged])).not.toContain('sandbox-zendesk-token')
  })

  it('gives a new one before the old one ends, so that no call is refused', async () => {
    const { ctx, clock, asked, refused } = await start({ signIn: 'client' })
    await readAgents.list(ctx)
    clock.advance(24 * minute)
    await readAgents.list(ctx)
    expect(asked()).toBe(1)
    clock.advance(2 * minute)
    await readAgents.list(ctx)
    expect([asked(), refused()]).toEqual([2, 0])
    clock.advance(48 * 60 * minute)
    await readAgents.list(ctx)
    expect([asked(), refused()]).toEqual([3, 0])
  })

  it('may give tokens for a shorter time than the hub would renew them before their end', async () => {
    const { ctx, clock, asked, refused } = await start({ signIn: 'client', tokenSeconds: 301 })
    await readAgents.list(ctx)
    clock.advance(2 * minute)
    await readAgents.list(ctx)
    expect(asked()).toBe(1)
    clock.advance(minute)
    await readAgents.list(ctx)
    expect([asked(), refused()]).toEqual([2, 0])
  })

  it('from before tokens had an end is asked once', async () => {
    const { ctx, clock, asked, refused } = await start({ signIn: 'client', tokenSeconds: null })
    await readAgents.list(ctx)
    clock.advance(365 * 24 * 60 * minute)
    await readAgents.list(ctx)
    expect([asked(), refused()]).toEqual([1, 0])
  })

  it('whose tokens were deleted gives one new one, and what was refused is done once', async () => {
    const { sandbox, ctx, asked } = await start({ signIn: 'client' })
    const id = await sandbox.customerWrites(letter)
    await readAgents.list(ctx)
    sandbox.revokeTokens()
    await Promise.all([
      writeCase.message(ctx, id, note, 'key-token-2'),
      writeCase.create(ctx, draft, 'key-token-3'),
      readAgents.list(ctx),
      readCases.get(ctx, [id]),
    ])
    expect(asked()).toBe(2)
    expect(sandbox.desk.ticket(id).comments.map(({ body }) => body)).toEqual(['It is wrong.', 'Note'])
    expect(sandbox.desk.tickets.size).toBe(2)
  })

  it('that is always refused stops the connection after one repeat', async () => {
    const { sandbox, ctx } = await start({ signIn: 'client' })
    await readAgents.list(ctx)
    const forever: Http['fetch'] = async (url, init) => {
      const answer = await ctx.http.fetch(url, init)
      sandbox.revokeTokens()
      return answer
    }
    sandbox.revokeTokens()
    const before = sandbox.requests.length
    const calling = readAgents.list({ ...ctx, http: { ...ctx.http, fetch: forever } })
    await expect(calling).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringMatching(/answered 401.*invalid_token: The access token provided is expired/),
    })
    expect(sandbox.requests.slice(before).map(({ path, status }) => [path, status])).toEqual([
      ['/api/v2/users', 401],
      ['/oauth/tokens', 200],
      ['/api/v2/users', 401],
    ])
  })

  it('signs the download of a file, and not where it leads', async () => {
    const { sandbox, ctx } = await start({ signIn: 'client' })
    const id = await sandbox.customerWrites(letter)
    const files = [{ name: 'a.txt', contentType: 'text/plain', content: Buffer.from('paper jam') }]
    await writeCase.message(ctx, id, { ...note, files }, 'key-token-4')
    sandbox.revokeTokens()
    const [file] = sandbox.desk.files
    const content = await readFile(ctx, { id: file?.id ?? '', name: 'a.txt' }, 100)
    expect(Buffer.from(content).toString()).toBe('paper jam')
  })

  it('with a wrong secret is refused with what to look at', async () => {
    const { ctx } = await start({ signIn: 'client' }, { client_secret: 'not-the-secret' })
    await expect(zendesk.check(ctx)).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringMatching(/\(invalid_client\): client_id must be the client's Identifier .* Confidential/),
    })
    const shown = await zendesk.check(ctx).catch(String)
    expect(shown).not.toContain('not-the-secret')
  })

  it('that may not ask for all scopes is refused with where to allow them', async () => {
    const { ctx } = await start({ signIn: 'client', scopes: ['tickets:read', 'tickets:write'] })
    await expect(zendesk.check(ctx)).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.stringMatching(/\(invalid_scope\): let the allowed scopes .* have read and write/),
    })
  })

  it('leaves no doubt about a write when the answer with its token was lost', async () => {
    const { sandbox, ctx } = await start({ signIn: 'client' })
    sandbox.faults.set({ dropAnswerAfterEffect: 1 })
    await expect(writeCase.create(ctx, draft, 'key-token-5')).rejects.toMatchObject({ code: 'unavailable' })
    sandbox.faults.set({})
    await writeCase.create(ctx, draft, 'key-token-5')
    expect(sandbox.desk.tickets.size).toBe(1)
  })

  it('is asked again by who waits when the one who asked has given up', async () => {
    const { ctx, asked } = await start({ signIn: 'client' })
    const givenUp: Http['fetch'] = () => Promise.reject(new ConnectorError('unavailable', 'given up'))
    const first = readAgents.list({ ...ctx, http: { ...ctx.http, fetch: givenUp } })
    const second = readAgents.list(ctx)
    await expect(first).rejects.toThrow('given up')
    expect((await second).map(({ name }) => name)).toEqual(['Leo Ruiz'])
    expect(asked()).toBe(1)
  })
})

describe('zendesk scopes', () => {
  const narrow = ['tickets:read', 'tickets:write', 'users:read', 'users:write']

  it.each([
    [narrow, ['scope read']],
    [['write', 'tickets:read'], ['scope read']],
    [['read', 'write'], undefined],
  ])('%j are checked before the connection is saved', async (scopes, missingScopes) => {
    const { ctx } = await start({ scopes })
    expect((await zendesk.check(ctx)).missingScopes).toEqual(missingScopes)
  })

  it('that are missing later refuse what needs them, in words, and nothing else', async () => {
    const { sandbox, ctx } = await start({ scopes: narrow })
    const id = await sandbox.customerWrites(letter)
    await expect(writeCase.update(ctx, id, { team: 'Support' }, 'key-scope-1')).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/GET \S+\/groups.json answered 403; the credential lacks the scope read: give/),
    })
    const files = [{ name: 'a.txt', contentType: 'text/plain', content: Buffer.from('a') }]
    await expect(writeCase.message(ctx, id, { ...note, files }, 'key-scope-2')).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/POST \S+\/uploads answered 403; the credential lacks the scope write: give/),
    })
    await writeCase.message(ctx, id, note, 'key-scope-3')
    expect(sandbox.desk.ticket(id).comments.map(({ body }) => body)).toEqual(['It is wrong.', 'Note'])
  })

  const forbidden = { error: 'Forbidden', description: 'You do not have access to this page.' }
  it('are not what one record that the user may not touch is about: it alone is refused', async () => {
    const { ctx } = await start()
    const refused = answeredWith(ctx, 403, forbidden)
    await expect(writeCase.update(refused, '4242', { status: 'open' }, 'key-403-1')).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/\/tickets\/4242.json answered 403; .* this record.*You do not have access/),
    })
  })

  it.each([
    ['everything', () => forbidden],
    ['an account', () => ({ error: 'Account suspended' })],
  ])('that would not help where Zendesk refuses %s stop the connection', async (_, body) => {
    const { ctx } = await start()
    await expect(readAgents.list(answeredWith(ctx, 403, body()))).rejects.toMatchObject({ code: 'auth_failed' })
  })
})
