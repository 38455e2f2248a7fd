/** Answers to people in chat tools while many ask at once, and while the hub stops. */
import { beforeEach, describe, expect, it } from 'vitest'
import { type ChatDesk, createChatDesk } from '#hub/chat/index.ts'
import type { ChatHappening } from '#hub/connector/chat.ts'
import { acts } from '#hub/workbench/index.ts'
import { testDatabase } from '#kit'
import { caseFacts, chatScene } from './scene.ts'

const database = testDatabase()
const scene = chatScene(database)
const { told } = scene
const many = Array.from({ length: 40 }, (_, number) => number)
let desk: ChatDesk
let caseId: string

beforeEach(async () => {
  await scene.tell(caseFacts('T-1'))
  caseId = await scene.caseId('T-1')
  desk = createChatDesk(scene.hub())
})

/** @param awaits in the response; otherwise it is shown. @returns what hands it to the desk. */
async function stored(awaits: boolean, sent: () => void = () => {}): Promise<() => Promise<void>> {
  const happening: ChatHappening = {
    user: 'leo',
    place: { channel: 'desk-room' },
    ...(awaits ? { awaits: true } : {}),
    what: { kind: 'press', act: { act: acts.openCase, value: caseId, fields: {} } },
  }
  const news = { type: 'chat' as const, occurredAt: scene.clock.now().toISOString(), byHub: false, happening }
  const { item } = await scene.store(scene.ids.talk, news)
  const connection = await scene.hub().connections.byId(scene.ids.talk)
  if (!connection) throw new Error('no chat tool')
  return () => desk.respond(connection, { stored: item, happening }, true, 60_000, sent)
}

const asks = async (awaits: boolean, sent?: () => void) => await (await stored(awaits, sent))()

describe('answers in a chat tool', () => {
  it('that nobody waits for in a response do not stand behind those that somebody waits for', async () => {
    const order: string[] = []
    await Promise.all([
      ...many.map(() => asks(true).then(() => order.push('awaited'))),
      asks(false).then(() => order.push('shown')),
    ])
    expect(order).toHaveLength(41)
    expect(order.indexOf('shown')).toBeLessThan(20)
  })

  it('are acknowledged before anything is looked up', async () => {
    const order: string[] = []
    await asks(false, () => order.push(told.shows.length === 0 ? 'acknowledged' : 'late'))
    expect(order).toEqual(['acknowledged'])
    expect(told.shows).toHaveLength(1)
  })

  it('look nobody up twice at once, however often they press', async () => {
    const before = told.lookedUp.length
    scene.clock.advance(3_600_000)
    await Promise.all(many.map(() => asks(false)))
    expect(told.shows).toHaveLength(40)
    expect(told.lookedUp.length - before).toBe(1)
  })

  it('are given before the hub stops', async () => {
    const handOver = await Promise.all(many.map(() => stored(false)))
    const handed = handOver.map((hand) => hand())
    await desk.stop()
    expect(told.shows).toHaveLength(40)
    await Promise.all(handed)
  })
})
