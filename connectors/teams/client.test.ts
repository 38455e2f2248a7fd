import { describe, expect, it } from 'vitest'
import type { ConnectorErrorCode } from '#hub/connector/errors.ts'
import { post, show, update } from './chat.ts'
import { direct, whoIs } from './conversations.ts'
import { writeReference } from './reference.ts'
import { tenantId, testDoor } from './test-door.ts'

const channel = '19:8f2b6d4c1a0e4f5b9c7d3e2f1a0b9c8d@thread.tacv2'
const service = `https://smba.trafficmanager.net/emea/${tenantId}/`
const reference = writeReference({ service, tenant: tenantId, conversation: channel, kind: 'channel' })
const place = { channel, thread: '1763633700000', reference }
const content = {
  kind: 'said',
  said: { author: 'Ana', visibility: 'public', text: 'Hello', at: '2026-11-20T10:15:30Z' },
} as const
const key = '7c1e0a64f2b94d0e8a35d1c2b3a49586'
const written = () => Response.json({ id: '1763633701000' }, { status: 201 })
const refused = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json({ error: { code, message: 'It is so.' } }, { status, headers })

describe("the bot's token", () => {
  it('is asked for once, however many calls need it, and again five minutes before it ends', async () => {
    const { ctx, clock, asked, authorizations } = testDoor(written)
    await Promise.all([post(ctx, place, content, key), post(ctx, place, content, key)])
    clock.now = new Date(clock.now.getTime() + 54 * 60_000)
    await post(ctx, place, content, key)
    expect(asked()).toBe(1)
    clock.now = new Date(clock.now.getTime() + 60_000)
    await post(ctx, place, content, key)
    expect(asked()).toBe(2)
    expect(authorizations()).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
  })

  it('is asked for anew after Teams has refused it', async () => {
    let isGood = false
    const { ctx, asked } = testDoor(() => (isGood ? written() : refused(401, 'Unauthorized')))
    await expect(post(ctx, place, content, key)).rejects.toMatchObject({ code: 'auth_failed' })
    isGood = true
    await post(ctx, place, content, key)
    expect(asked()).toBe(2)
  })

  it('goes to no address but those of Teams, whatever was kept of a conversation', async () => {
    const addresses = [
      'https://evil.example/emea/',
      'https://smba.trafficmanager.net.evil.example/emea/',
      'https://smba.trafficmanager.net@evil.example/',
      'https://smba.trafficmanager.net:8443/',
      'http://smba.trafficmanager.net/',
      'https://smba.infra.gov.teams.microsoft.us/gcch',
      'http://localhost:56150/_connector',
      'https://smba.trafficmanager.net/emea?to=https://evil.example',
    ]
    for (const address of addresses) {
      const { ctx, calls } = testDoor(written)
      const kept = writeReference({ service: address, tenant: tenantId, conversation: channel, kind: 'channel' })
      await expect(post(ctx, { ...place, reference: kept }, content, key)).rejects.toMatchObject({
        code: 'host_refused',
      })
      await expect(whoIs(ctx, '29:1', kept)).rejects.toMatchObject({ code: 'host_refused' })
      expect(calls).toEqual([])
    }
  })

  it('is never shown to the playground', async () => {
    const { ctx, calls } = testDoor(written, { allow_unsigned: true })
    const kept = writeReference({
      service: 'http://localhost:56150/_connector',
      tenant: 'x',
      conversation: 'p1',
      kind: 'personal',
    })
    await post(ctx, { channel: 'p1', reference: kept }, content, key)
    expect(calls).toMatchObject([{ url: 'http://localhost:56150/_connector/v3/conversations/p1/activities' }])
    expect(calls[0]?.headers).not.toHaveProperty('authorization')
  })
})

describe('a call to Teams', () => {
  it('keeps an id in its place in the path, whatever is in it', async () => {
    const { ctx, calls } = testDoor(() => Response.json({ id: '29:1', tenantId }))
    const hostile = '../../v3/attachments?x=1#/../%2e%2e'
    const kept = writeReference({ service, tenant: tenantId, conversation: hostile, kind: 'personal' })
    await whoIs(ctx, hostile, kept)
    const id = encodeURIComponent(hostile)
    expect(calls.at(-1)?.url).toBe(`${service}v3/conversations/${id}/members/${id}`)
  })

  it('spends the budget of its thread', async () => {
    const { ctx, calls } = testDoor(written)
    await post(ctx, place, content, key)
    await update(ctx, { channel, message: '1763633709000', reference }, content, key)
    expect(calls.slice(1)).toMatchObject([
      { method: 'POST', budget: 'conversation', budgetKey: `${channel};messageid=1763633700000` },
      { method: 'PUT', budget: 'conversation', budgetKey: `${channel};messageid=1763633709000` },
    ])
  })

  it('understands a refusal in a private conversation, whose code stands within its message', async () => {
    const message = JSON.stringify({ subCode: 'MessageWritesBlocked', details: 'Thread is not writable.' })
    const { ctx } = testDoor(() => Response.json({ errorCode: 209, message }, { status: 403 }))
    await expect(post(ctx, place, content, key)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('the person has blocked or removed the app'),
    })
  })

  const meanings: readonly (readonly [number, string, ConnectorErrorCode])[] = [
    [401, 'Unauthorized', 'auth_failed'],
    [403, 'BotDisabledByAdmin', 'auth_failed'],
    [403, 'BotNotInConversationRoster', 'not_found'],
    [403, 'MessageWritesBlocked', 'not_found'],
    [403, 'ConversationBlockedByUser', 'not_found'],
    [403, 'ForbiddenOperationException', 'not_found'],
    [403, 'NotEnoughPermissions', 'rejected'],
    [403, 'SomethingNew', 'rejected'],
    [404, 'ConversationNotFound', 'not_found'],
    [404, 'ActivityNotFoundInConversation', 'not_found'],
    [412, 'PreconditionFailed', 'unavailable'],
    [413, 'MessageSizeTooBig', 'rejected'],
    [502, 'BadGateway', 'outcome_unknown'],
    [503, 'ServiceUnavailable', 'unavailable'],
    [504, 'GatewayTimeout', 'outcome_unknown'],
  ]
  it.each(meanings)('says what %i %s means: %s', async (status, code, expected) => {
    const { ctx } = testDoor(() => refused(status, code))
    await expect(post(ctx, place, content, key)).rejects.toMatchObject({
      code: expected,
      message: expect.stringContaining(code),
    })
  })

  it('waits as long as Teams says', async () => {
    const { ctx } = testDoor(() => refused(429, 'Throttled', { 'retry-after': '3' }))
    await expect(post(ctx, place, content, key)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 3_000 })
  })

  it('takes an answer without a message id for one that may have been carried out', async () => {
    const { ctx } = testDoor(() => new Response('<html>', { status: 200 }))
    await expect(post(ctx, place, content, key)).rejects.toMatchObject({ code: 'outcome_unknown' })
  })
})

describe('who somebody is', () => {
  const roster = (member: object) => testDoor(() => Response.json({ id: '29:1', name: 'Gus', ...member })).ctx
  it.each([
    [
      { tenantId, email: 'Gus@acme.example' },
      { kind: 'member', email: 'gus@acme.example' },
    ],
    [
      { tenantId: tenantId.toUpperCase(), userPrincipalName: 'gus@acme.example' },
      { kind: 'member', email: 'gus@acme.example' },
    ],
    [{ tenantId, userRole: 'guest', email: 'gus@partner.example' }, { kind: 'guest' }],
    [{ tenantId, userRole: 'anonymous' }, { kind: 'stranger' }],
    [{ tenantId: '99999999-2222-4333-8444-555555555555', email: 'leo@acme.example' }, { kind: 'stranger' }],
    [{ email: 'leo@acme.example' }, { kind: 'stranger' }],
  ])('%j is %j', async (member, expected) => {
    expect(await whoIs(roster(member), '29:1', reference)).toMatchObject(expected)
  })

  it('has no address that Microsoft made up for a guest', async () => {
    const person = await whoIs(
      roster({ tenantId, userPrincipalName: 'gus_partner.example#EXT#@acme.example' }),
      '29:1',
      reference,
    )
    expect(person).not.toHaveProperty('email')
  })

  it('is not asked of Teams for a bot', async () => {
    const { ctx, calls } = testDoor(written)
    expect(await whoIs(ctx, '28:another-app', reference)).toEqual({ id: '28:another-app', kind: 'bot' })
    expect(calls).toEqual([])
  })
})

describe('an answer in private', () => {
  it('stays in the private conversation where it was asked for', async () => {
    const { ctx, calls } = testDoor(written)
    const personal = writeReference({ service, tenant: tenantId, conversation: 'a:1', kind: 'personal' })
    const here = { channel: 'a:1', message: '1', reference: personal }
    await show(
      ctx,
      { user: '29:1', place: here, what: { kind: 'asked', text: 'x' } },
      { kind: 'errors', errors: { a: 'Wrong.' } },
    )
    expect(calls.slice(1)).toMatchObject([{ url: `${service}v3/conversations/a%3A1/activities` }])
    expect(JSON.parse(String(calls[1]?.body))).toEqual({ type: 'message', textFormat: 'plain', text: 'Wrong.' })
  })

  it('cannot be given to somebody who has not added the app', async () => {
    const { ctx } = testDoor(() => refused(403, 'ForbiddenOperationException'))
    await expect(direct(ctx, '29:1', reference)).rejects.toMatchObject({ code: 'not_found' })
  })
})
