import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readActivity, readOrigin } from './read-activity.ts'

const folder = new URL('fixtures/activities/', import.meta.url)
const names = readdirSync(folder).map((file) => file.replace('.json', ''))
const activity = (name: string) =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')))
const read = (name: string) => readActivity(activity(name))

const tenantId = '2f0e4b7c-5d1a-4c3e-9b8a-1d2c3e4f5a6b'
const serviceUrl = `https://smba.trafficmanager.net/emea/${tenantId}/`
const channelId = '19:8f2b6d4c1a0e4f5b9c7d3e2f1a0b9c8d@thread.tacv2'
const teamId = '19:0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d@thread.tacv2'
const jo = {
  id: '29:1q2w3e4r5t6z7u8i9o0pAsDfGhJkLyXcVbNm',
  name: 'Jo Weber',
  aadObjectId: 'c1d2e3f4-0a1b-4c2d-8e3f-9a8b7c6d5e4f',
  tenantId,
  isBot: false,
}
const inThread = {
  kind: 'channel',
  tenantId,
  serviceUrl,
  conversationId: channelId,
  threadId: '1763633700000',
  teamId,
  channelId,
}
const shared = {
  id: '1763633730000',
  content: '<div><div>Ana says the invoice is <strong>wrong</strong></div></div>',
  isHtml: true,
  author: { aadObjectId: jo.aadObjectId, name: 'Jo Weber' },
  sentAt: '2026-11-20T10:15:30.123Z',
}

/** What each recorded activity says. */
const expected: Readonly<Record<string, object>> = {
  'message-in-channel': {
    kind: 'message',
    key: `${tenantId}|${channelId};messageid=1763633700000|1763633730000|message|`,
    at: '2026-11-20T10:15:30.123Z',
    user: jo,
    place: { ...inThread, activityId: '1763633730000' },
    locale: 'en-GB',
    timeZone: 'Europe/London',
    message: {
      text: 'ask @Kim Park about 4242 please',
      mentionsBot: true,
      mentions: [{ id: '29:9o8i7u6z5t4r3e2w1q', name: 'Kim Park' }],
      files: [],
    },
  },
  'message-with-files': {
    kind: 'message',
    place: { kind: 'personal', conversationId: 'a:1pL9oK8iJ7uH6yG5tF4rD3eS2wA1q', activityId: '1763633731000' },
    message: {
      text: 'both files',
      mentionsBot: false,
      files: [
        { name: 'log.txt', url: 'https://contoso-my.sharepoint.com/personal/jo/Documents/log.txt' },
        { name: 'image', url: expect.stringContaining('/v3/attachments/') },
      ],
      unnamed: 0,
    },
  },
  'message-with-attachment': {
    kind: 'message',
    place: { ...inThread, activityId: '1763633750000', groupId: '7d6c5b4a-3f2e-4d1c-8b0a-9f8e7d6c5b4a' },
    message: { text: 'The log', files: [], unnamed: 1 },
  },
  'message-edited': { kind: 'edited', message: { text: 'ask about 4243' }, place: { activityId: '1763633730000' } },
  'message-restored': { kind: 'restored', message: { text: 'still true' } },
  'message-deleted': { kind: 'deleted', place: { ...inThread, activityId: '1763633730000' } },
  reaction: {
    kind: 'reaction',
    added: ['like', '1f44d_thumbsup'],
    removed: [],
    place: { activityId: '1763633730000' },
  },
  'reaction-removed': { kind: 'reaction', added: [], removed: ['heart'] },
  'card-pressed': {
    kind: 'act',
    act: { act: 'assign_me', value: 'case_01jd', fields: {} },
    isInvoke: true,
    isRefresh: false,
    user: jo,
    place: { ...inThread, activityId: '1763633701000' },
  },
  'card-chosen': { kind: 'act', act: { act: 'set_priority', value: 'case_01jd', fields: { chosen: 'high' } } },
  'card-refreshed': { kind: 'act', act: { act: 'refresh' }, isRefresh: true },
  'card-of-another-app': { kind: 'unreadable', problem: 'adaptiveCard/action: its data was not written by this hub' },
  'card-submitted-as-message': {
    kind: 'act',
    act: { act: 'take', value: 'case_01jd', fields: {} },
    isInvoke: false,
    place: { activityId: '1763633701000' },
  },
  'dialog-opened': {
    kind: 'open',
    act: { act: 'reply', value: 'case_01jd', fields: {} },
    place: { activityId: '1763633701000' },
  },
  'dialog-submitted': {
    kind: 'submit',
    act: { act: 'reply.send', value: 'case_01jd', fields: { body: 'Dear Ana,\n*sorry*', solve: true, copy: false } },
  },
  'dialog-cancelled': { kind: 'dismiss' },
  search: { kind: 'search', command: 'searchCases', words: { words: 'invoice' }, skip: 25, count: 25 },
  'search-opened': { kind: 'search', command: 'searchCases', words: {}, skip: 0 },
  'link-pasted': { kind: 'link', url: 'https://hub.example.com/cases/case_01jd', isAnonymous: false },
  'link-pasted-without-the-app': { kind: 'link', isAnonymous: true },
  'message-shared': { kind: 'shortcut', command: 'createCase', message: shared },
  'message-shared-and-submitted': {
    kind: 'shortcutSubmit',
    command: 'createCase',
    act: { act: 'create_case', value: '', fields: { subject: 'Invoice wrong' } },
    message: shared,
  },
  installed: { kind: 'installed', isUpgrade: false, place: { kind: 'personal', serviceUrl } },
  upgraded: { kind: 'installed', isUpgrade: true },
  removed: { kind: 'removed', isUpgrade: false, place: { conversationId: channelId } },
  'bot-added-to-team': {
    kind: 'conversation',
    event: 'teamMemberAdded',
    added: [
      { isBot: true, tenantId },
      { isBot: false, aadObjectId: '11111111-2222-4333-8444-555555555555' },
    ],
  },
  'channel-deleted': { kind: 'conversation', event: 'channelDeleted', channel: { id: channelId, name: 'Cases' } },
  typing: { kind: 'other', what: 'typing' },
  'sign-in': { kind: 'other', what: 'invoke signin/verifyState' },
}

describe('what Teams sends', () => {
  it.each(names)('is understood: %s', (name) => {
    expect(expected[name], `no expectation for fixtures/activities/${name}.json`).toBeDefined()
    expect(read(name)).toMatchObject(expected[name] ?? {})
  })

  it('has a recorded activity for every expectation', () => {
    expect(Object.keys(expected).sort()).toEqual([...names].sort())
  })

  it('is told apart by its own key, and a redelivery has the same', () => {
    const keys = names.flatMap((name) => {
      const one = read(name)
      return 'key' in one ? [one.key] : []
    })
    expect(read('card-pressed')).toEqual(read('card-pressed'))
    expect(new Set(keys).size).toBeGreaterThan(20)
  })

  it('loses a mention by its entity, not by what looks like one', () => {
    const said = { ...activity('message-in-channel'), text: '<at>Acme Support</at> write <at>nobody</at> & <b>x</b>' }
    expect(readActivity(said)).toMatchObject({ message: { text: 'write <at>nobody</at> & <b>x</b>' } })
  })

  it('keeps a guest apart from the tenant of the channel', () => {
    const from = { ...jo, tenantId: 'another-tenant' }
    expect(readActivity({ ...activity('card-pressed'), from })).toMatchObject({
      user: { tenantId: 'another-tenant', aadObjectId: jo.aadObjectId },
      place: { tenantId },
    })
  })

  it('takes the conversation’s tenant for its own, where somebody of another company writes in a shared channel', () => {
    const theirs = { ...activity('message-in-channel') }
    const channelData = { ...Object(theirs['channelData']), tenant: { id: 'their-tenant' } }
    expect(readOrigin({ ...theirs, channelData })).toMatchObject({ tenantId })
    expect(readActivity({ ...theirs, channelData })).toMatchObject({ place: { tenantId } })
  })

  it('survives null, other types and anything new where something optional was expected', () => {
    const optional = [
      'id',
      'timestamp',
      'recipient',
      'replyToId',
      'text',
      'locale',
      'entities',
      'attachments',
      'value',
      'name',
      'action',
      'membersAdded',
      'reactionsAdded',
    ]
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.subarray(optional), fc.anything(), (name, keys, thing) => {
        const broken = { ...activity(name), ...Object.fromEntries(keys.map((key) => [key, thing])), brandNew: thing }
        expect(readActivity(broken)).toHaveProperty('kind')
      }),
    )
  })

  it('is called unreadable, with the place and never the content, when it means nothing', () => {
    const { from: _from, ...anonymous } = activity('message-in-channel')
    const { value: _value, ...empty } = activity('search')
    expect(readActivity(anonymous)).toEqual({ kind: 'unreadable', problem: expect.stringContaining('from') })
    expect(readActivity(empty)).toEqual({
      kind: 'unreadable',
      problem: expect.stringContaining('composeExtension/query'),
    })
    fc.assert(
      fc.property(fc.anything(), (thing) => {
        expect(readActivity(thing).kind).toBe('unreadable')
      }),
    )
  })

  it('tells its origin for the token check', () => {
    expect(readOrigin(activity('card-pressed'))).toEqual({ serviceUrl, channelId: 'msteams', tenantId })
    expect(readOrigin({ serviceUrl })).toBeUndefined()
    expect(readOrigin('no activity')).toBeUndefined()
  })
})
