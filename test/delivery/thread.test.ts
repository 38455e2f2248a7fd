import { beforeEach, describe, expect, it } from 'vitest'
import type { Capabilities } from '#hub/connector/contract.ts'
import { conversationOf } from '#hub/delivery/store.ts'
import { inItsThread, threadOf } from '#hub/delivery/thread.ts'
import { type Action, suppress } from '#hub/outbox/index.ts'
import { type Db, json } from '#hub/platform/db/database.ts'
import { testDatabase } from '#kit'

const database = testDatabase()
let db: Db

const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 10, minute))

beforeEach(async () => {
  await database.reset()
  db = database.db
  await db
    .insertInto('profiles')
    .values([
      { id: 'ana', root_id: 'ana', name: 'Ana García' },
      { id: 'ana2', root_id: 'ana', name: 'Ana G.' },
      { id: 'leo', root_id: 'leo', name: 'Leo' },
    ])
    .execute()
  await identity('ana@work.example', 'ana', true, 1)
  await identity('ana@home.example', 'ana2', true, 0)
  await identity('leo@work.example', 'leo', true, 0)
  await db
    .insertInto('cases')
    .values({
      id: 'case_1',
      subject: 'Boxes',
      status: 'open',
      channel: 'email',
      requester_id: 'ana',
      custom: json({}),
      provenance: json([]),
      tags: [],
      created_at: at(0),
      updated_at: at(0),
    })
    .execute()
  await db
    .insertInto('case_links')
    .values({
      connection_id: 'con_mail',
      external_id: 'm1',
      case_id: 'case_1',
      base: json({}),
      created_at: at(0),
      updated_at: at(0),
    })
    .execute()
})

async function identity(value: string, profile: string, verified: boolean, minute: number): Promise<void> {
  await db
    .insertInto('identities')
    .values({
      kind: 'email',
      value,
      profile_id: profile,
      verified,
      connection_id: 'con_mail',
      external_id: value,
      first_seen_at: at(minute),
    })
    .execute()
}

interface Said {
  readonly id: string
  readonly minute: number
  readonly kind?: 'customer' | 'agent' | 'system'
  readonly email?: string
  readonly visibility?: 'public' | 'internal'
  readonly connection?: string
}

async function said({ id, minute, kind = 'customer', email, visibility = 'public', connection }: Said): Promise<void> {
  await db
    .insertInto('messages')
    .values({
      id: `msg_${id}`,
      case_id: 'case_1',
      connection_id: connection ?? 'con_mail',
      external_id: id,
      visibility,
      author: json({ kind, name: id, ...(email ? { email } : {}) }),
      text: id,
      attachments: json([]),
      sent_at: at(minute),
      content_hash: id,
    })
    .execute()
}

async function thread() {
  const conversation = await conversationOf(db, 'con_mail', 'm1')
  if (!conversation) throw new Error('the case is there')
  return threadOf(conversation)
}

const receipt = async () => ({})
const needs: Capabilities<unknown>['writeCase'] = {
  fields: [],
  needsThread: true,
  create: receipt,
  update: receipt,
  message: receipt,
  effects: { create: 'keyed', update: 'keyed', message: 'keyed' },
}

describe('the thread of a message that leaves', () => {
  it('goes to the requester at the address she last wrote from, not to whoever else wrote', async () => {
    await said({ id: '<a@x>', minute: 1, email: 'Ana@Home.example' })
    await said({ id: '<b@x>', minute: 2, kind: 'agent', email: 'support@acme.example' })
    await said({ id: '<c@x>', minute: 3, email: 'ana@work.example' })
    await said({ id: '<d@x>', minute: 4, email: 'leo@work.example' })
    expect(await thread()).toEqual({
      subject: 'Boxes',
      to: { email: 'ana@work.example', name: '<c@x>' },
      earlier: ['<a@x>', '<b@x>', '<c@x>', '<d@x>'],
      answers: '<d@x>',
    })
  })

  it('goes to whoever opened the case when that address is nobody’s proven one', async () => {
    await said({ id: '<a@x>', minute: 1, email: 'stranger@open.example' })
    await said({ id: '<b@x>', minute: 2, email: 'leo@work.example' })
    expect(await thread()).toMatchObject({ to: { email: 'stranger@open.example' } })
  })

  it('goes to the profile’s address when she has not written in this case', async () => {
    await said({ id: '<b@x>', minute: 2, kind: 'agent', email: 'support@acme.example' })
    const found = await thread()
    expect(found).toEqual({
      subject: 'Boxes',
      to: { email: 'ana@home.example', name: 'Ana G.' },
      earlier: ['<b@x>'],
    })
  })

  it('knows only what was said in public on this connection', async () => {
    await said({ id: '<note@x>', minute: 1, visibility: 'internal', email: 'ana@work.example' })
    await said({ id: '77', minute: 2, connection: 'con_desk', email: 'ana@work.example' })
    expect(await thread()).toMatchObject({ earlier: [], to: { email: 'ana@home.example' } })
  })

  it('goes to another address of hers when mail to the first one came back, and nowhere when all did', async () => {
    await said({ id: '<a@x>', minute: 1, email: 'Ana@Work.example' })
    const bounced = (address: string) =>
      suppress(db, [{ address, reason: '5.1.1 no such user', connectionId: 'con_mail', caseId: 'case_1' }], at(5))
    await bounced('ana@work.example')
    expect(await thread()).toMatchObject({ to: { email: 'ana@home.example' } })
    await bounced('ana@home.example')
    await expect(thread()).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('Ana@Work.example came back (5.1.1 no such user)'),
    })
  })

  it('is refused for a requester without an address, with the way out', async () => {
    await db.deleteFrom('identities').execute()
    await expect(thread()).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('has no e-mail address'),
    })
  })

  it('is looked up only for public messages and connectors that need it', async () => {
    const action = (visibility: 'public' | 'internal'): Action => ({
      type: 'case.message',
      externalId: 'm1',
      message: { visibility, text: 'Hello' },
      author: { kind: 'agent' },
    })
    expect(await inItsThread(db, needs, 'con_mail', action('internal'))).toEqual(action('internal'))
    expect(await inItsThread(db, undefined, 'con_mail', action('public'))).toEqual(action('public'))
    expect(await inItsThread(db, needs, 'con_mail', action('public'))).toMatchObject({
      message: { thread: { subject: 'Boxes' } },
    })
    await expect(inItsThread(db, needs, 'con_other', action('public'))).rejects.toMatchObject({ code: 'not_found' })
  })
})
