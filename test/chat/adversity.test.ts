/** What goes wrong around a chat tool, and what must not come of it. */
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { savePost } from '#hub/chat/store.ts'
import type { ChatHappening } from '#hub/connector/chat.ts'
import { saveSurvey } from '#hub/surveys/store.ts'
import { acts, joinValue, messagesIn } from '#hub/workbench/index.ts'
import { testDatabase } from '#kit'
import { surveyOf } from '../surveys/survey.ts'
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

  it('offers no case to be put into the conversation there', async () => {
    await arrive()
    const what = { kind: 'search' as const, text: 'T-1', skip: 0, count: 10 }
    const found = await scene.happens({ user: 'leo', place: { channel: 'shared' }, awaits: true, what })
    expect(found).toEqual({ kind: 'results', results: [], whenEmpty: messagesIn.en.chat.customersRead })
  })
})

describe('what is written in a thread', () => {
  const place = (thread: string, message: string) => ({ channel: 'desk-room', thread, message })
  const observed = (happening: ChatHappening) => ({
    type: 'chat' as const,
    occurredAt: scene.clock.now().toISOString(),
    byHub: false,
    happening,
  })
  const writes = (thread: string, id: string, text: string) =>
    observed({
      user: 'leo',
      place: place(thread, id),
      what: { kind: 'message', message: { id, text, files: [] } },
    })
  const edits = (thread: string, id: string, text: string) =>
    observed({ user: 'leo', place: place(thread, id), what: { kind: 'edited', message: { id, text, files: [] } } })
  const deletes = (thread: string, id: string) =>
    observed({ user: 'leo', place: place(thread, id), what: { kind: 'deleted', messageId: id } })
  /** As they are in the end; what was changed before the desk had told its id of it has a correction behind it. */
  const notes = async () => {
    const rows = await database.db.selectFrom('messages').select('text').where('visibility', '=', 'internal').execute()
    return rows.map(({ text }) => text).filter((text) => !/^(?:Correction|Withdrawn): /.test(text))
  }
  const lookAgain = async () => {
    await database.db
      .updateTable('inbox')
      .set({ due_at: new Date(0) })
      .where('state', '=', 'pending')
      .execute()
    await scene.later()
  }

  it('is not lost when the hub does not know yet that its card stands there', async () => {
    scene.away.receipts = true
    await scene.tell(caseFacts('T-1'))
    await scene.store(scene.ids.talk, writes('C-99', 'x1', 'Quick as a flash'))
    await scene.settle()
    expect(told.messages).toEqual([])
    scene.away.receipts = false
    // The tool knows the card by its key: where it stands is told now.
    await database.db.updateTable('outbox').set({ state: 'sent' }).where('state', '=', 'pending').execute()
    const caseId = await scene.caseId('T-1')
    await savePost(
      database.db,
      {
        connectionId: scene.ids.talk,
        channel: 'desk-room',
        cardKey: `case:${caseId}`,
        messageId: 'C-99',
        caseId,
        digest: '',
      },
      scene.clock.now(),
    )
    await lookAgain()
    expect(told.messages).toMatchObject([{ caseId: 'T-1', message: { text: 'Quick as a flash' } }])
  })

  it('is talk about no case when no card comes', async () => {
    scene.away.receipts = true
    await scene.tell(caseFacts('T-1'))
    await scene.store(scene.ids.talk, writes('C-99', 'x1', 'Lunch?'))
    for (let times = 0; times < 14; times += 1) await lookAgain()
    const rows = await database.db.selectFrom('inbox').select('state').where('state', '=', 'pending').execute()
    expect([rows, told.messages]).toEqual([[], []])
  })

  it('is changed and taken back also when that is told in the same breath, or before', async () => {
    const { thread } = await arrive()
    const { talk } = scene.ids
    await scene.store(talk, writes(thread, 'x1', 'Refund 10'))
    await scene.store(talk, edits(thread, 'x1', 'Refund 100'))
    await scene.store(talk, edits(thread, 'x2', 'The truth'))
    await scene.store(talk, writes(thread, 'x3', 'Never said'))
    await scene.store(talk, deletes(thread, 'x3'))
    await scene.settle()
    await scene.store(talk, writes(thread, 'x2', 'A slip'))
    await scene.settle()
    await lookAgain()
    expect((await notes()).toSorted()).toEqual(['Refund 100', 'The truth', messagesIn.en.chat.deleted].toSorted())
  })

  it('is one note also when the tool tells of it under two names', async () => {
    const { thread } = await arrive()
    await scene.store(scene.ids.talk, writes(thread, 'x1', 'Once'), 'a')
    await scene.store(scene.ids.talk, writes(thread, 'x1', 'Once'), 'b')
    await scene.settle()
    await scene.store(scene.ids.talk, writes(thread, 'x1', 'Once'), 'c')
    await scene.settle()
    expect(await notes()).toEqual(['Once'])
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

describe('a reply', () => {
  it('that can leave by no tool any more is given back to who wrote it', async () => {
    const { caseId } = await arrive()
    const answer = await scene.submit('leo', acts.previewReply, caseId, { text: 'It is on its way' })
    const { value } = (answer as { form: { value: string } }).form
    await scene.tell(caseFacts('T-1', { deleted: true, updatedAt: '2026-11-22T09:05:00Z' }))
    await scene.submit('leo', acts.sendReply, value)
    expect(told.messages).toEqual([])
    const last = told.posts.at(-1)
    expect(last?.place.channel).toBe('direct-leo')
    expect(JSON.stringify(last?.content)).toContain('It is on its way')
  })

  it('leaves by no other way than the one that was confirmed', async () => {
    const { caseId } = await arrive()
    const content = { kind: 'reply', text: 'Only there', connectionId: 'con_elsewhere' }
    await scene.draft('draft_1', 'leo@acme.example', caseId, content)
    await scene.submit('leo', acts.sendReply, joinValue(caseId, 'draft_1'))
    expect(told.messages).toEqual([])
    expect(JSON.stringify(told.posts.at(-1)?.content)).toContain('Only there')
  })
})

describe('a case that goes on as another one', () => {
  it('is not asked about: its customer waits for an answer still', async () => {
    await saveSurvey(database.db, surveyOf({}))
    const { caseId } = await arrive()
    await arrive('T-2')
    await scene.submit('leo', acts.merge, caseId, { into: 'T-2' })
    const asked = await database.db.selectFrom('invitations').select(['state', 'reason']).execute()
    expect(asked).toEqual([
      { state: 'skipped', reason: 'it was merged into another case; the customer is asked about that one' },
    ])
  })
})

describe('somebody who has left', () => {
  it('is told nothing more, also of what waited for the end of their quiet hours', async () => {
    const { caseId } = await arrive()
    await scene.press('leo', acts.takeCase, caseId)
    // What is due later is so by the database's clock.
    scene.clock.set(new Date().toISOString())
    const quietHours = JSON.stringify({ from: '00:00', to: '23:59', time_zone: 'UTC' })
    await database.db.updateTable('agents').set({ quiet_hours: quietHours }).execute()
    await scene.tell(messageFacts('T-1', 'm-2', 'My secret is 42'))
    await database.db.updateTable('agents').set({ active: false }).execute()
    await scene.later()
    expect(told.posts.filter(({ place }) => place.channel === 'direct-leo')).toEqual([])
  })
})

describe('text that PostgreSQL cannot hold', () => {
  it('is answered all the same', async () => {
    const { caseId } = await arrive()
    const preview = await scene.submit('leo', acts.previewReply, caseId, { text: 'Half an emoji \ud83d and \0' })
    expect(preview).toMatchObject({ kind: 'form' })
    expect(JSON.stringify(preview)).toContain('Half an emoji \ufffd and \ufffd')
    const asked = await scene.happens({ user: 'leo', what: { kind: 'asked', text: 'find T-1 \0' } })
    expect(asked).toMatchObject({ kind: 'private', card: { key: expect.stringContaining('search') } })
  })
})

describe('names that every object has', () => {
  it('are no emoji, no command and no deed', async () => {
    const { caseId, thread } = await arrive()
    const place = { channel: 'desk-room', message: thread }
    await scene.happens({ user: 'leo', place, what: { kind: 'reaction', name: 'constructor' } })
    const asked = await scene.happens({ user: 'leo', what: { kind: 'asked', text: 'constructor' } })
    expect(asked).toMatchObject({ kind: 'private', card: { title: expect.stringContaining('constructor') } })
    for (const act of ['constructor', '__proto__']) await scene.press('leo', act, caseId)
    await scene.press('leo', acts.snooze, caseId, { chosen: 'constructor' })
    const open = await database.db
      .selectFrom('inbox')
      .select(['state', 'reason'])
      .where('state', '=', 'pending')
      .execute()
    expect(open).toEqual([])
  })
})

it('finds a message by its delivery however many there are', async () => {
  await sql`insert into messages (id, case_id, connection_id, visibility, author, text, sent_at, content_hash, delivery_key)
    select 'msg_' || i, 'case_' || i, 'con_1', 'internal', '{}', '', now(), '', 'dw_' || i
    from generate_series(1, 2000) i`.execute(database.db)
  await sql`analyze messages`.execute(database.db)
  const { rows } = await sql<{ 'QUERY PLAN': string }>`explain select id from messages
    where id = ${'dw_7'} or delivery_key = ${'dw_7'}`.execute(database.db)
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('messages_delivery')
})
