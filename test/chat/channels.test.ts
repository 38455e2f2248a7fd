/** Channels that the app is not in yet, or not any more: cards stand there again as soon as they can, and nothing is tried in vain. */
import { describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { caseFacts, chatScene } from './scene.ts'

const database = testDatabase()
const scene = chatScene(database)
const { told } = scene
const hour = 3_600_000

describe('a channel that is named before the app is in it', () => {
  const refusals = () => told.refused.length

  it('is tried by one new card every six hours, and stays open from the first that is taken', async () => {
    scene.away.channel = true
    await scene.tell(caseFacts('T-1'))
    expect(refusals()).toBe(1)
    scene.clock.advance(5 * hour)
    await scene.tell(caseFacts('T-2'))
    expect(refusals()).toBe(1)
    scene.clock.advance(hour)
    await scene.tell(caseFacts('T-3'))
    await scene.tell(caseFacts('T-4'))
    expect(refusals()).toBe(2)
    scene.away.channel = false
    scene.clock.advance(6 * hour)
    await scene.tell(caseFacts('T-5'))
    await scene.tell(caseFacts('T-6'))
    expect(told.posts).toMatchObject([
      { content: { card: { title: 'Case T-5' } } },
      { content: { card: { title: 'Case T-6' } } },
    ])
    const rows = await database.db.selectFrom('outbox').select(['state']).execute()
    expect(rows.every(({ state }) => state === 'sent')).toBe(true)
  })

  it.each([
    ['saved', () => scene.hub().connections.update(scene.ids.talk, { config: scene.settings })],
    ['resumed', () => scene.hub().connections.resume(scene.ids.talk)],
  ])('is tried at once when the connection is %s', async (_how, act) => {
    scene.away.channel = true
    await scene.tell(caseFacts('T-1'))
    scene.away.channel = false
    await scene.tell(caseFacts('T-2'))
    expect(told.posts).toEqual([])
    await act()
    await scene.tell(caseFacts('T-3'))
    expect(told.posts).toMatchObject([{ content: { card: { title: 'Case T-3' } } }])
  })

  it('is tried by what a rule says, too', async () => {
    await scene.rule({
      id: 'vip',
      name: 'VIP',
      on: ['case.created'],
      then: [{ notify: { connection: 'Talk', to: 'C-RULE', text: 'Look' } }],
    })
    scene.away.channel = true
    await scene.tell(caseFacts('T-1'))
    scene.away.channel = false
    await scene.tell(caseFacts('T-2'))
    expect(told.posts).toEqual([])
    scene.clock.advance(6 * hour)
    await scene.tell(caseFacts('T-3'))
    expect(told.posts.map(({ place }) => place.channel)).toContain('C-RULE')
  })

  it('keeps the cards that stand there: each is brought up to date where it was', async () => {
    await scene.tell(caseFacts('T-1'))
    const before = await database.db.selectFrom('chat_posts').select(['channel', 'message_id']).execute()
    scene.away.channel = true
    await scene.tell(caseFacts('T-1', { priority: 'urgent', updatedAt: '2026-11-22T09:05:00Z' }))
    scene.away.channel = false
    await scene.happens({ user: '', place: { channel: 'desk-room' }, what: { kind: 'channel', state: 'open' } })
    await scene.tell(caseFacts('T-1', { priority: 'high', updatedAt: '2026-11-22T09:06:00Z' }))
    expect(told.posts).toHaveLength(1)
    expect(told.updates.at(-1)?.place).toMatchObject({ channel: 'desk-room', message: before[0]?.message_id })
    expect(await database.db.selectFrom('chat_posts').select(['channel', 'message_id']).execute()).toEqual(before)
  })
})

describe('news of a whole team', () => {
  const team = (state: 'open' | 'gone', more: object = {}) =>
    scene.happens({
      user: '',
      place: { channel: 'general', reference: 'support/general' },
      what: { kind: 'channel', state, group: 'support', ...more },
    })
  const states = async () =>
    Object.fromEntries(
      (await database.db.selectFrom('chat_channels').select(['channel', 'state']).execute()).map((one) => [
        one.channel,
        one.state,
      ]),
    )

  it('closes and opens the channels that are known to be of it, and no others', async () => {
    await scene.write('leo', { channel: 'desk-room', reference: 'support/desk-room' }, 'Good morning', 'x1')
    await scene.write('leo', { channel: 'canteen', reference: 'kitchen/canteen' }, 'Good morning', 'x2')
    await team('gone')
    expect(await states()).toEqual({ general: 'gone', 'desk-room': 'gone', canteen: 'open' })
    await scene.tell(caseFacts('T-1'))
    expect(told.posts).toEqual([])
    await team('open')
    expect(await states()).toEqual({ general: 'open', 'desk-room': 'open', canteen: 'open' })
    await scene.tell(caseFacts('T-2'))
    expect(told.posts).toMatchObject([{ content: { card: { title: 'Case T-2' } } }])
  })

  it('that the app is there lets a channel be tried of which nobody has told whose it is', async () => {
    scene.away.channel = true
    await scene.tell(caseFacts('T-1'))
    scene.away.channel = false
    await team('open')
    await scene.tell(caseFacts('T-2'))
    expect(told.posts).toMatchObject([{ content: { card: { title: 'Case T-2' } } }])
  })
})
