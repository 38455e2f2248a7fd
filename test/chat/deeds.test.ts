/** What agents do in a chat tool, and what comes of it in the desk. */
import { describe, expect, it } from 'vitest'
import { searchProfiles } from '#hub/identity/index.ts'
import { saveMacro, validateMacro } from '#hub/macros/index.ts'
import { acts, joinValue } from '#hub/workbench/index.ts'
import { testDatabase } from '#kit'
import { caseFacts, chatScene, messageFacts } from './scene.ts'

const database = testDatabase()
const scene = chatScene(database)
const { told } = scene

/** A case of the desk whose card stands in the agents' channel. */
async function arrive(id = 'T-1', more: object = {}): Promise<{ caseId: string; thread: string }> {
  await scene.tell(caseFacts(id, more), messageFacts(id, `m-${id}`, 'The invoice is wrong'))
  const caseId = await scene.caseId(id)
  return { caseId, thread: (await scene.post(`case:${caseId}`))?.message_id ?? '' }
}

const dialogOf = (answer: unknown) =>
  (answer as { form: { act: string; value: string; blocks: object[]; fields: object[] } }).form

describe('a case arrives', () => {
  it('as one card in the channel, with what was said in its thread, and the same news changes nothing', async () => {
    const { caseId, thread } = await arrive()
    const [card, said, ...others] = told.posts
    expect(JSON.stringify(card)).not.toContain('cannot be reached')
    expect(card).toMatchObject({
      place: { channel: 'desk-room' },
      content: { kind: 'card', card: { key: `case:${caseId}`, title: 'Case T-1' } },
    })
    expect(said).toMatchObject({
      place: { channel: 'desk-room', thread },
      content: { kind: 'said', said: { visibility: 'public', text: 'The invoice is wrong' } },
    })
    expect(others).toEqual([])
    await scene.tell(caseFacts('T-1'))
    expect(told.posts).toHaveLength(2)
    expect(told.updates).toEqual([])
  })

  it('and its card is brought up to date in place, not posted again', async () => {
    const { thread } = await arrive()
    await scene.tell(caseFacts('T-1', { priority: 'urgent', updatedAt: '2026-11-22T09:05:00Z' }))
    expect(told.posts).toHaveLength(2)
    expect(told.updates).toMatchObject([
      { place: { channel: 'desk-room', message: thread }, content: { card: { tone: 'urgent' } } },
    ])
  })
})

describe('what is written in the thread of a case', () => {
  it('is an internal note under the name of its author, and nothing the customer sees', async () => {
    const { thread } = await arrive()
    await scene.write('leo', { channel: 'desk-room', thread }, 'She is right, refund it', 'x1')
    expect(told.messages).toEqual([
      {
        caseId: 'T-1',
        message: expect.objectContaining({
          visibility: 'internal',
          text: 'She is right, refund it',
          author: { name: 'Leo Marín', email: 'leo@acme.example' },
        }),
      },
    ])
    // It stands in that thread already.
    expect(told.posts).toHaveLength(2)
  })

  it('is one note however often it is delivered', async () => {
    const { thread } = await arrive()
    const said = {
      user: 'leo',
      place: { channel: 'desk-room', thread, message: 'x1' },
      what: { kind: 'message' as const, message: { id: 'x1', text: 'Once', files: [] } },
    }
    for (let again = 0; again < 3; again += 1) await scene.happens(said, 'same')
    expect(told.messages).toHaveLength(1)
  })

  it('is no note outside a thread of a case', async () => {
    await arrive()
    await scene.write('leo', { channel: 'desk-room' }, 'Lunch?', 'x1')
    await scene.write('leo', { channel: 'desk-room', thread: 'elsewhere' }, 'Lunch?', 'x2')
    expect(told.messages).toEqual([])
  })

  it('follows when it is edited or deleted', async () => {
    const { thread } = await arrive()
    const place = { channel: 'desk-room', thread }
    await scene.write('leo', place, 'Refund 10', 'x1')
    await scene.happens({
      user: 'leo',
      place: { ...place, message: 'x1' },
      what: { kind: 'edited', message: { id: 'x1', text: 'Refund 100', files: [] } },
    })
    await scene.happens({ user: 'leo', place: { ...place, message: 'x1' }, what: { kind: 'deleted', messageId: 'x1' } })
    expect(told.revised.map(({ text }) => text)).toEqual(['Refund 100', undefined])
  })
})

describe('a public reply', () => {
  async function preview(caseId: string, text = 'You are right, we refund it.') {
    const answer = await scene.submit('leo', acts.previewReply, caseId, { text })
    return dialogOf(answer)
  }

  it('is seen as the customer will see it, and sent only when that is confirmed', async () => {
    const { caseId } = await arrive()
    const form = await preview(caseId)
    expect(form.act).toBe(acts.sendReply)
    expect(JSON.stringify(form.blocks)).toContain('You are right, we refund it.')
    expect(told.messages).toEqual([])
    await scene.submit('leo', acts.sendReply, form.value)
    expect(told.messages).toMatchObject([
      { caseId: 'T-1', message: { visibility: 'public', text: 'You are right, we refund it.' } },
    ])
    expect(told.posts.at(-1)).toMatchObject({ content: { said: { visibility: 'public', author: 'Leo Marín' } } })
  })

  it('can be changed once more from its preview', async () => {
    const { caseId } = await arrive()
    const { value } = await preview(caseId, 'You are wrong.')
    const again = await scene.press('leo', acts.editReply, value)
    expect(again).toMatchObject({ kind: 'form', replaces: true })
    expect(dialogOf(again)).toMatchObject({ act: acts.previewReply, fields: [{ initial: 'You are wrong.' }] })
    expect(told.messages).toEqual([])
  })

  it('leaves as it was changed only, though the first preview still stands somewhere', async () => {
    const { caseId } = await arrive()
    const first = await preview(caseId, 'You are wrong.')
    for (const _ of ['first', 'asked once more'])
      expect(dialogOf(await scene.press('leo', acts.editReply, first.value)).fields).toMatchObject([
        { initial: 'You are wrong.' },
      ])
    const second = await preview(caseId, 'You are right.')
    await scene.submit('leo', acts.sendReply, first.value)
    await scene.submit('leo', acts.sendReply, second.value)
    expect(told.messages).toMatchObject([{ message: { text: 'You are right.' } }])
  })

  it('takes the files of the message that it is made from, shows them, and keeps them when the text is changed', async () => {
    const { thread } = await arrive()
    const files = [{ id: 'F1', name: 'plan.pdf', url: 'https://talk.example/F1' }]
    const message = { id: 'x1', text: 'The plan', files }
    const place = { channel: 'desk-room', thread, message: 'x1' }
    const what = { kind: 'shortcut', name: 'public_reply', message } as const
    const first = dialogOf(await scene.happens({ user: 'leo', place, awaits: true, what }))
    expect(first).toMatchObject({
      act: acts.sendReply,
      blocks: expect.arrayContaining([
        expect.objectContaining({ message: expect.objectContaining({ files: ['plan.pdf'] }) }),
      ]),
    })
    const form = dialogOf(await scene.press('leo', acts.editReply, first.value))
    expect(JSON.stringify(form.blocks)).toContain('plan.pdf')
    const second = dialogOf(await scene.submit('leo', acts.previewReply, form.value, { text: 'Our plan' }))
    expect(JSON.stringify(second.blocks)).toContain('plan.pdf')
    // What somebody typed has no files for others.
    const strange = await scene.submit('eva', acts.previewReply, form.value, { text: 'Our plan' })
    expect(JSON.stringify(strange)).not.toContain('plan.pdf')
    await scene.submit('leo', acts.sendReply, second.value)
    const { messages } = told
    expect(messages).toMatchObject([{ caseId: 'T-1', message: { visibility: 'public', text: 'Our plan' } }])
    expect(messages[0]?.message.attachments).toMatchObject([{ name: 'plan.pdf', id: 'F1', source: scene.ids.talk }])
    expect(JSON.stringify(messages[0])).not.toContain('talk.example')
  })

  it('is spent when another was sent meanwhile, rather than sent without its files', async () => {
    const { caseId, thread } = await arrive()
    const message = { id: 'x1', text: 'The plan', files: [{ id: 'F1', name: 'plan.pdf' }] }
    const what = { kind: 'shortcut', name: 'public_reply', message } as const
    const place = { channel: 'desk-room', thread, message: 'x1' }
    const first = dialogOf(await scene.happens({ user: 'leo', place, awaits: true, what }))
    const form = dialogOf(await scene.press('leo', acts.editReply, first.value))
    await scene.submit('leo', acts.sendReply, (await preview(caseId)).value)
    const spent = { kind: 'private', card: { title: 'This preview is no longer good' } }
    expect(await scene.submit('leo', acts.previewReply, form.value, { text: 'Our plan' })).toMatchObject(spent)
  })

  it('of a message that says nothing is none', async () => {
    const { thread } = await arrive()
    const what = { kind: 'shortcut', name: 'public_reply', message: { id: 'x1', text: '', files: [] } } as const
    const place = { channel: 'desk-room', thread, message: 'x1' }
    const nothing = { kind: 'private', card: { title: 'There is nothing to send' } }
    expect(await scene.happens({ user: 'leo', place, awaits: true, what })).toMatchObject(nothing)
  })

  it('that is a file alone says its name', async () => {
    const { thread } = await arrive()
    const message = { id: 'x1', text: '', files: [{ id: 'F1', name: 'plan.pdf' }] }
    const what = { kind: 'shortcut', name: 'public_reply', message } as const
    const place = { channel: 'desk-room', thread, message: 'x1' }
    const form = dialogOf(await scene.happens({ user: 'leo', place, awaits: true, what }))
    expect(form.blocks).toContainEqual(
      expect.objectContaining({ message: expect.objectContaining({ text: 'plan.pdf' }) }),
    )
  })

  it('says so when there is nothing to change any more: sent, of another case, of somebody else', async () => {
    const { caseId } = await arrive()
    const other = await arrive('T-2')
    const { value } = await preview(caseId)
    const draftId = value.split('|')[1] ?? ''
    const spent = { kind: 'private', card: { title: 'This preview is no longer good' } }
    const inSpanish = { kind: 'private', card: { title: 'Esta vista previa ya no vale' } }
    expect(await scene.press('eva', acts.editReply, value)).toMatchObject(inSpanish)
    expect(await scene.press('leo', acts.editReply, joinValue(other.caseId, draftId))).toMatchObject(spent)
    await scene.submit('leo', acts.sendReply, value)
    expect(told.messages).toHaveLength(1)
    expect(await scene.press('leo', acts.editReply, value)).toMatchObject(spent)
  })

  it('leaves once, however often the button is pressed', async () => {
    const { caseId } = await arrive()
    const { value } = await preview(caseId)
    await Promise.all([1, 2, 3].map((n) => scene.submit('leo', acts.sendReply, value, {}, `press-${n}`)))
    await scene.settle()
    expect(told.messages).toHaveLength(1)
    expect(told.posts.some(({ content }) => JSON.stringify(content).includes('sent before'))).toBe(true)
  })

  it("cannot be sent by somebody else's hand", async () => {
    const { caseId } = await arrive()
    const { value } = await preview(caseId)
    await scene.submit('eva', acts.sendReply, value)
    expect(told.messages).toEqual([])
  })
})

describe('acts on a case', () => {
  it('change it in its desk under the name of the agent', async () => {
    const { caseId } = await arrive()
    await scene.press('leo', acts.takeCase, caseId)
    await scene.press('leo', acts.status, caseId, { chosen: 'pending' })
    await scene.press('leo', acts.priority, caseId, { chosen: 'high' })
    await scene.submit('leo', acts.setTags, caseId, { tags: 'refund, vip, refund' })
    await scene.submit('leo', acts.setCategory, caseId, { category: 'Billing' })
    expect(told.changes.map(({ change }) => change)).toEqual([
      { assigneeEmail: 'leo@acme.example' },
      { status: 'pending' },
      { priority: 'high' },
      { addTags: ['refund', 'vip'], removeTags: [] },
      { custom: { category: 'Billing' } },
    ])
    const why = await database.db.selectFrom('cases').select('provenance').executeTakeFirstOrThrow()
    expect(JSON.stringify(why.provenance)).toContain('Leo Marín')
  })

  it('resolve with a reason, and reopen', async () => {
    const { caseId } = await arrive()
    await scene.submit('leo', acts.resolve, caseId, { reason: 'fixed', note: 'Restarted the printer' })
    expect(told.messages.map(({ message }) => [message.visibility, message.text])).toEqual([
      ['internal', 'Resolved: Problem fixed.\nRestarted the printer'],
    ])
    expect(told.changes.at(-1)?.change).toMatchObject({ status: 'solved', custom: { resolution: 'fixed' } })
    await scene.press('leo', acts.reopen, caseId)
    expect(told.changes.at(-1)?.change).toMatchObject({ status: 'open' })
  })

  it('escalate: urgent, noted, and an event for the rules', async () => {
    await scene.rule({ id: 'esc', name: 'Escalated', on: ['case.escalated'], then: [{ tag: { add: ['escalated'] } }] })
    const { caseId } = await arrive()
    for (let press = 0; press < 3; press += 1) await scene.press('leo', acts.escalate, caseId)
    expect(told.messages).toHaveLength(1)
    expect(told.changes.map(({ change }) => change)).toContainEqual(expect.objectContaining({ priority: 'urgent' }))
    expect(JSON.stringify(told.changes)).toContain('escalated')
    expect(told.messages.at(-1)?.message).toMatchObject({ visibility: 'internal', text: 'Escalated by Leo Marín.' })
  })

  it('give it to a colleague, who is told in private', async () => {
    const { caseId } = await arrive()
    // Eva has used the app before.
    await scene.happens({ user: 'eva', place: { channel: 'desk-room' }, what: { kind: 'home' } })
    await scene.submit('leo', acts.assign, caseId, { agent: 'eva@acme.example' })
    expect(told.changes.at(-1)?.change).toEqual({ assigneeEmail: 'eva@acme.example' })
    expect(told.posts.at(-1)).toMatchObject({
      place: { channel: 'direct-eva' },
      content: { card: { title: 'Un caso es suyo ahora' } },
    })
  })

  it('put it aside', async () => {
    const { caseId } = await arrive()
    await scene.press('leo', acts.snooze, caseId, { chosen: '4h' })
    const rows = await database.db.selectFrom('snoozes').selectAll().execute()
    expect(rows).toMatchObject([{ case_id: caseId, until: new Date('2026-11-22T14:00:00Z'), by: 'Leo Marín' }])
    expect(JSON.stringify(told.updates.at(-1)?.content)).toContain('Snoozed until')
  })

  it('merge it into another, which says so, and this one is closed', async () => {
    const { caseId } = await arrive('T-1')
    await arrive('T-2')
    await scene.submit('leo', acts.merge, caseId, { into: 'T-2' })
    const said = told.messages.map(({ caseId: id, message }) => [id, message.visibility, message.text])
    expect(said.toSorted()).toEqual([
      ['T-1', 'internal', 'Merged into “Case T-2”.'],
      ['T-2', 'internal', '“Case T-1” was merged into this case.'],
    ])
    expect(told.changes.at(-1)).toMatchObject({ caseId: 'T-1', change: { status: 'closed' } })
  })

  it('are done by an emoji that the settings name', async () => {
    const { thread } = await arrive()
    const place = { channel: 'desk-room', message: thread }
    await scene.happens({ user: 'leo', place, what: { kind: 'reaction', name: 'eyes' } })
    await scene.happens({ user: 'leo', place, what: { kind: 'reaction', name: 'tada' } })
    expect(told.changes.map(({ change }) => change)).toEqual([{ assigneeEmail: 'leo@acme.example' }])
  })

  it('make a case of a message, with the message as its first entry', async () => {
    const answer = await scene.happens({
      user: 'leo',
      place: { channel: 'desk-room', message: 'x9' },
      what: {
        kind: 'shortcut',
        name: 'create_case',
        message: {
          id: 'x9',
          text: 'The printer on floor 3 is on fire',
          files: [{ id: 'F1', name: 'fire.jpg', contentType: 'image/jpeg' }],
          authorName: 'Eva Ruiz',
        },
      },
    })
    const fields = { tool: scene.ids.desk, subject: 'Printer', requester: 'ana@customer.example', priority: 'urgent' }
    await scene.submit('leo', acts.createCase, dialogOf(answer).value, fields)
    expect(told.opened).toEqual([{ subject: 'Printer', text: 'Eva Ruiz: The printer on floor 3 is on fire' }])
    // Its files follow, once the desk has said which case it is.
    expect(told.messages).toMatchObject([
      {
        caseId: expect.stringMatching(/^T-/),
        message: { visibility: 'internal', text: 'fire.jpg', attachments: [{ id: 'F1', source: scene.ids.talk }] },
      },
    ])
  })

  it('tell what is wrong with what was typed, and change nothing', async () => {
    const { caseId } = await arrive()
    const noText = await scene.submit('leo', acts.addNote, caseId, {})
    expect(noText).toEqual({ kind: 'errors', errors: { text: 'Please fill this in.' } })
    const nowhere = await scene.submit('leo', acts.merge, caseId, { into: 'T-99' })
    expect(nowhere).toEqual({ kind: 'errors', errors: { into: 'There is no other case with this number.' } })
    await scene.submit('leo', acts.resolve, caseId, {})
    await scene.submit('leo', acts.assign, caseId, {})
    expect([told.messages, told.changes]).toEqual([[], []])
  })

  it('keep a message for the case that it is to become until nothing is wrong any more', async () => {
    const answer = await scene.happens({
      user: 'leo',
      place: { channel: 'desk-room', message: 'x9' },
      what: { kind: 'shortcut', name: 'create_case', message: { id: 'x9', text: 'Fire', files: [] } },
    })
    const { value } = dialogOf(answer)
    const fields = { tool: scene.ids.desk, subject: 'Fire', requester: 'ana', priority: 'urgent' }
    expect(await scene.submit('leo', acts.createCase, value, fields)).toMatchObject({ kind: 'errors' })
    expect(told.opened).toEqual([])
    await scene.submit('leo', acts.createCase, value, { ...fields, requester: 'ana@customer.example' })
    expect(told.opened).toEqual([{ subject: 'Fire', text: 'Fire' }])
  })
})

describe('while the desk is away', () => {
  it('the card says so, and catches up when it is back', async () => {
    const { caseId } = await arrive()
    scene.away.desk = true
    await scene.press('leo', acts.priority, caseId, { chosen: 'urgent' })
    await scene.settle()
    expect(JSON.stringify(told.updates.at(-1)?.content)).toContain('cannot be reached right now')
    scene.away.desk = false
    await scene.later()
    expect(told.changes.map(({ change }) => change)).toEqual([{ priority: 'urgent' }])
    expect(JSON.stringify(told.updates.at(-1)?.content)).not.toContain('cannot be reached right now')
  })
})

describe('a channel that the app was taken out of', () => {
  it('is left alone, holds nothing up, and gets the card when the app is back', async () => {
    scene.away.channel = true
    await arrive()
    expect(told.posts).toEqual([])
    const rows = await database.db.selectFrom('outbox').select(['state']).execute()
    expect(rows.every(({ state }) => state === 'sent')).toBe(true)
    const channels = await database.db.selectFrom('chat_channels').select(['channel', 'state']).execute()
    expect(channels).toEqual([{ channel: 'desk-room', state: 'gone' }])
    scene.away.channel = false
    const place = { channel: 'desk-room' }
    await scene.happens({ user: '', place, what: { kind: 'channel', state: 'open' } })
    await scene.tell(caseFacts('T-1', { priority: 'urgent', updatedAt: '2026-11-22T09:05:00Z' }))
    expect(told.posts).toMatchObject([{ place, content: { card: { title: 'Case T-1' } } }])
  })
})

describe('who may not act', () => {
  it.each([
    ['newcomer', 'You have no seat here yet'],
    ['guest', 'Guests cannot act on cases'],
    ['vic', 'You may look, not act'],
    ['ana', 'Guests cannot act on cases'],
  ])('%s is told so in private, and nothing changes', async (user, title) => {
    const { caseId, thread } = await arrive()
    const answer = await scene.press(user, acts.priority, caseId, { chosen: 'urgent' })
    expect(answer).toMatchObject({ kind: 'private', card: { title } })
    await scene.write(user, { channel: 'desk-room', thread }, 'psst', 'x1')
    await scene.submit(user, acts.addNote, caseId, { text: 'psst' })
    expect([told.changes, told.messages]).toEqual([[], []])
  })

  it('somebody without a seat says once who they are, and an administrator decides', async () => {
    await arrive()
    const dialog = await scene.press('newcomer', acts.claimSeatForm, '')
    expect(dialog).toMatchObject({ kind: 'form', form: { act: acts.claimSeat } })
    await scene.submit('newcomer', acts.claimSeat, '', { email: 'nora@acme.example' })
    const rows = await database.db
      .selectFrom('chat_people')
      .select(['external_id', 'claimed_email'])
      .where('claimed_email', 'is not', null)
      .execute()
    expect(rows).toEqual([{ external_id: 'newcomer', claimed_email: 'nora@acme.example' }])
  })
})

describe("a customer's channel", () => {
  const write = (user: string, id: string, text: string, thread?: string) =>
    scene.write(user, { channel: 'shared', ...(thread ? { thread } : {}) }, text, id)

  it('opens a case with each new thread, and carries on what is said in it', async () => {
    await write('ana', '1', 'Our shipment is late')
    await write('ana', '2', 'Order 77', '1')
    await write('leo', '3', 'On it!', '1')
    await write('leo', '4', 'Good morning everybody')
    const cases = await database.db.selectFrom('cases').selectAll().execute()
    expect(cases.map(({ subject }) => subject)).toEqual(['Our shipment is late'])
    const messages = await database.db.selectFrom('messages').selectAll().orderBy('id').execute()
    expect(messages.map(({ author, visibility, text }) => [author.kind, visibility, text])).toEqual([
      ['customer', 'public', 'Our shipment is late'],
      ['customer', 'public', 'Order 77'],
      ['agent', 'public', 'On it!'],
    ])
    const [profile] = await database.db.selectFrom('profiles').selectAll().execute()
    expect(profile?.name).toBe('Ana García')
  })

  it('opens none with what has neither words nor files: a card passed on, a quotation', async () => {
    await write('ana', '1', '')
    expect(await database.db.selectFrom('cases').selectAll().execute()).toEqual([])
  })

  it('takes the answer to a survey without telling a customer what only agents may do', async () => {
    await write('ana', '1', 'Our shipment is late')
    for (const user of ['ana', 'guest', 'newcomer', 'leo']) {
      const answer = await scene.happens({
        user,
        place: { channel: 'shared', thread: '1' },
        what: { kind: 'press', act: { act: acts.answerSurvey, value: 'inv_1|5', fields: {} } },
      })
      expect([user, answer ?? { kind: 'nothing' }]).toEqual([user, { kind: 'nothing' }])
    }
  })

  it('gets replies in its thread, and never a note', async () => {
    await write('ana', '1', 'Our shipment is late')
    const caseId = await scene.caseId('shared|1')
    const thread = (await scene.post(`case:${caseId}`))?.message_id ?? ''
    await scene.write('leo', { channel: 'desk-room', thread }, 'hushhush', 'x1')
    const form = dialogOf(await scene.submit('leo', acts.previewReply, caseId, { text: 'It arrives today' }))
    await scene.submit('leo', acts.sendReply, form.value)
    const sent = told.customers.filter(({ message }) => message.visibility === 'public')
    expect(sent).toMatchObject([{ caseId: 'shared|1', message: { text: 'It arrives today' } }])
    const shown = [...told.posts, ...told.updates].filter(({ place }) => place.channel === 'shared')
    expect(JSON.stringify(shown)).not.toContain('hushhush')
  })
})

describe('what an agent asks', () => {
  it('is answered for their eyes: queue, search, why, customer, similar, help', async () => {
    const { caseId, thread } = await arrive()
    await scene.press('leo', acts.takeCase, caseId)
    const ask = (text: string) =>
      scene.happens({ user: 'leo', place: { channel: 'desk-room', thread }, what: { kind: 'asked', text } })
    const titles = []
    for (const text of ['queue', 'find invoice', 'why', 'customer', 'similar', 'help', 'case', 'T-1']) {
      const answer = await ask(text)
      titles.push(answer?.kind === 'private' ? answer.card.title : answer?.kind)
    }
    expect(titles).toEqual([
      'My cases',
      'Search: “invoice”',
      'Why is it so? “Case T-1”',
      'Customer: Ana García',
      'Solved cases like “Case T-1”',
      'What I can do',
      'Case T-1',
      'Search: “T-1”',
    ])
  })

  it('comes in their own language', async () => {
    await arrive()
    const answer = await scene.happens({ user: 'eva', what: { kind: 'asked', text: 'cola' } })
    expect(answer).toMatchObject({ kind: 'private', card: { title: 'Mis casos' } })
  })

  it.each(['why?', 'porqué', 'por qué', '¿Por qué?'])('is understood as people write a question: %s', async (text) => {
    const { thread } = await arrive()
    const answer = await scene.happens({
      user: 'leo',
      place: { channel: 'desk-room', thread },
      what: { kind: 'asked', text },
    })
    expect(answer).toMatchObject({ kind: 'private', card: { title: 'Why is it so? “Case T-1”' } })
  })

  it('finds cases for a search, and unfurls links to them', async () => {
    const { caseId } = await arrive()
    const found = await scene.happens({
      user: 'leo',
      awaits: true,
      what: { kind: 'search', text: 'T-1', skip: 0, count: 10 },
    })
    expect(found).toMatchObject({ kind: 'results', results: [{ title: 'Case T-1' }] })
    const url = `https://hub.example/cases/${caseId}`
    const links = await scene.happens({
      user: 'leo',
      place: { channel: 'desk-room' },
      what: { kind: 'links', urls: [url, 'https://elsewhere.example/cases/x'] },
    })
    expect(links).toMatchObject({ kind: 'unfurls', cards: { [url]: { title: 'Case T-1' } } })
  })
})

it('joins case and draft in a value that comes back whole', () => {
  expect(joinValue('case_1', 'draft_1')).toBe('case_1|draft_1')
})

describe('a macro', () => {
  const macro = (id: string, text: string) => macroOf(id, [{ note: { text } }, { priority: 'high' }])
  const macroOf = async (id: string, actions: readonly object[]) => {
    const read = validateMacro({ id, name: id, actions })
    if (!read.ok) throw new Error(JSON.stringify(read.issues))
    await saveMacro(database.db, read.macro, scene.clock.now())
  }

  it('sees what was pressed right before it, in the same batch', async () => {
    await macro('tell', 'It is {{ case.status }} and {{ case.priority }}')
    const { caseId } = await arrive()
    const pressed = (user: string, act: string, chosen: string) =>
      scene.store(scene.ids.talk, {
        type: 'chat',
        occurredAt: scene.clock.now().toISOString(),
        byHub: false,
        happening: {
          user,
          place: { channel: 'desk-room' },
          what: { kind: 'press', act: { act, value: caseId, fields: { chosen } } },
        },
      })
    await pressed('leo', acts.status, 'pending')
    await pressed('leo', acts.macro, 'tell')
    await pressed('eva', acts.macro, 'tell')
    await scene.settle()
    expect(told.messages.map(({ message }) => message.text)).toEqual([
      'It is pending and normal',
      'It is pending and high',
    ])
  })

  it('knows whose case it is, also where no rule asks about people', async () => {
    await macroOf('vip', [
      { update_person: { traits: { plan: 'gold' } } },
      { create_case: { connection: 'Desk', subject: 'Call {{ profile.name }}', text: 'Today' } },
    ])
    const { caseId } = await arrive()
    await scene.press('leo', acts.macro, caseId, { chosen: 'vip' })
    const {
      data: [profile],
    } = await searchProfiles(database.db, 'Ana')
    expect(profile?.traits['plan']).toMatchObject({ value: 'gold' })
    expect(told.opened).toEqual([{ subject: 'Call Ana García', text: 'Today' }])
    expect(told.requesters).toMatchObject([{ name: 'Ana García', emails: ['ana@customer.example'] }])
  })

  it('that this case cannot fill in is not done, then or later, and whoever pressed is told', async () => {
    await macro('broken', '{{ case.custom.missing | upcase }}')
    const { caseId } = await arrive()
    await scene.press('leo', acts.macro, caseId, { chosen: 'broken' })
    const said = JSON.stringify(told.posts.at(-1))
    expect(said).toContain('The macro was not applied')
    expect(said).toContain('“broken” has a text that this case cannot fill in')
    expect(await database.db.selectFrom('inbox').select('state').where('state', '<>', 'done').execute()).toEqual([])
    expect([told.messages, told.changes]).toEqual([[], []])
  })
})
