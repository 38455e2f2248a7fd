import { beforeEach, describe, expect, it } from 'vitest'
import { createInbox, type InboxItem } from '#hub/inbox/index.ts'
import { createDesk } from '#hub/pipeline/desk.ts'
import { claim } from '#hub/platform/ledger.ts'
import { testDatabase } from '#kit'

const database = testDatabase()
beforeEach(() => database.reset())

const item = (key: string, state: InboxItem['state'] = 'pending'): InboxItem => {
  return { connectionId: 'con_1', key, body: Buffer.from(key), source: 'webhook', state }
}
const keysOf = (rows: readonly { readonly dedupe_key: string }[]) => rows.map((row) => row.dedupe_key)

function open(room = 3) {
  const told = { free: 0, woken: 0 }
  const desk = createDesk(room, () => {
    told.woken += 1
  })
  const inbox = createInbox(database.pool, () => (told.free += 1), desk)
  return { desk, inbox, told }
}

describe('the desk', () => {
  it('gets what was stored, once, as a claim would give it; nobody else can claim it', async () => {
    const { desk, inbox, told } = open()
    await inbox.put([item('a'), item('b', 'quarantined')])
    await inbox.put([item('a'), item('c')])
    const rows = desk.next()
    expect(keysOf(rows)).toEqual(['a', 'c'])
    expect(rows[0]).toMatchObject({ source: 'webhook', attempts: 0, connection_id: 'con_1', body: Buffer.from('a') })
    expect(desk.next()).toEqual([])
    expect(told).toEqual({ free: 0, woken: 2 })
    expect((await claim(database.db, 'inbox', { limit: 9 })).rows).toEqual([])
    const stored = await database.db.selectFrom('inbox').select(['state', 'fence', 'attempts']).orderBy('seq').execute()
    const { fence } = desk.hold
    expect(stored).toEqual([
      { state: 'pending', fence, attempts: 1 },
      { state: 'quarantined', fence: null, attempts: 0 },
      { state: 'pending', fence, attempts: 1 },
    ])
  })

  it('takes nothing while there is more than it holds, so that nobody is overtaken', async () => {
    const { desk, inbox, told } = open()
    await inbox.put([item('a'), item('b')])
    await inbox.put([item('c'), item('d')])
    await inbox.put([item('e')])
    expect(keysOf(desk.next())).toEqual(['a', 'b'])
    expect(told.free).toBe(2)
    const { rows } = await claim<{ seq: number; dedupe_key: string }>(database.db, 'inbox', { limit: 9 })
    expect(keysOf(rows)).toEqual(['c', 'd', 'e'])

    desk.claimed(false)
    await inbox.put([item('f')])
    expect(keysOf(desk.next())).toEqual(['f'])
  })

  it('keeps its room when something could not be stored', async () => {
    const { desk, inbox } = open(1)
    await expect(inbox.put([{ ...item('x'), key: 'nul \0 is no text' }])).rejects.toThrow(/invalid byte sequence/)
    await inbox.put([item('a')])
    expect(keysOf(desk.next())).toEqual(['a'])
  })

  it('gives back what lies there when it closes, and takes nothing more', async () => {
    const { desk, inbox, told } = open()
    await inbox.put([item('a')])
    expect(keysOf(desk.close())).toEqual(['a'])
    await inbox.put([item('b')])
    expect(desk.next()).toEqual([])
    expect(told.free).toBe(1)
  })
})
