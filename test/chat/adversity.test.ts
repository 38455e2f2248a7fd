/** What goes wrong around a chat tool, and what must not come of it. */
import { describe, expect, it } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import { testDatabase } from '#kit'
import { caseFacts, chatScene, messageFacts } from './scene.ts'

const database = testDatabase()
const scene = chatScene(database)
const { told } = scene

/** A case of the desk whose card stands in the agents' channel. */
async function arrive(id = 'T-1'): Promise<{ caseId: string; thread: string }> {
  await scene.tell(caseFacts(id), messageFacts(id, `m-${id}`, 'The invoice is wrong'))
  const caseId = await scene.caseId(id)
  return { caseId, thread: (await scene.post(`case:${caseId}`))?.message_id ?? '' }
}

describe('a channel that customers read from now on', () => {
  it('shows nothing more of the cases whose cards stand there', async () => {
    const { caseId } = await arrive()
    const before = told.posts.length
    await scene.hub().connections.update(scene.ids.talk, {
      config: { channels: [{ channel: 'desk-room', for: 'customer' }] },
    })
    await scene.press('leo', acts.addNote, caseId, { text: 'hushhush' })
    await scene.press('leo', acts.priority, caseId, { chosen: 'urgent' })
    expect(told.messages).toHaveLength(1)
    expect([told.posts.slice(before), told.updates]).toEqual([[], []])
  })

  it('is one of customers as soon as one line of the settings says so', async () => {
    await scene.hub().connections.update(scene.ids.talk, {
      config: {
        channels: [
          { channel: 'desk-room', for: 'cases' },
          { channel: 'desk-room', for: 'customer' },
        ],
      },
    })
    await scene.tell(caseFacts('T-1'), messageFacts('T-1', 'm-1', 'hushhush', { visibility: 'internal' }))
    expect(told.posts).toEqual([])
  })

  it('unfolds no link to a case that an agent pastes there', async () => {
    const { caseId } = await arrive()
    const place = { channel: 'shared' }
    const urls = [`https://hub.example/cases/${caseId}`]
    expect(await scene.happens({ user: 'leo', place, what: { kind: 'links', urls } })).toBeUndefined()
  })
})

describe('a person of whom the tool can tell nothing', () => {
  it('keeps nobody else waiting', async () => {
    const { thread } = await arrive()
    const said = (user: string, id: string) => ({
      type: 'chat' as const,
      occurredAt: scene.clock.now().toISOString(),
      byHub: false,
      happening: {
        user,
        place: { channel: 'desk-room', thread, message: id },
        what: { kind: 'message' as const, message: { id, text: `By ${user}`, files: [] } },
      },
    })
    await scene.store(scene.ids.talk, said('odd', 'x1'))
    await scene.store(scene.ids.talk, said('leo', 'x2'))
    await scene.settle()
    expect(told.messages.map(({ message }) => message.text)).toEqual(['By leo'])
    const rows = await database.db.selectFrom('inbox').select(['state']).orderBy('seq', 'desc').limit(2).execute()
    expect(rows.map(({ state }) => state)).toEqual(['done', 'quarantined'])
  })
})
