import { beforeEach, describe, expect, it } from 'vitest'
import { createInbox, type InboxItem } from '#hub/inbox/index.ts'
import { testDatabase } from '#kit'

const database = testDatabase()
beforeEach(() => database.reset())

function item(key: string, body = `body of ${key}`): InboxItem {
  return { connectionId: 'con_1', key, body: Buffer.from(body), source: 'webhook', state: 'pending' }
}

describe('the inbox', () => {
  it('stores what arrives at once in few statements, and gives each writer its own rows', async () => {
    let told = 0
    const inbox = createInbox(database.pool, () => {
      told += 1
    })
    const stored = await Promise.all(Array.from({ length: 300 }, (_, n) => inbox.put([item(`k${n}`)])))
    expect(new Set(stored.map(([one]) => one?.seq)).size).toBe(300)
    expect(stored.every(([one]) => one?.isNew)).toBe(true)
    expect(told).toBeLessThan(5)
  })

  it('keeps the bytes as they came', async () => {
    const inbox = createInbox(database.pool, () => {})
    const bodies = [Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), Buffer.from([0xff, 0x00, 0xfe]), Buffer.alloc(0)]
    await Promise.all(bodies.map((body, n) => inbox.put([{ ...item(`b${n}`), body }])))
    const rows = await database.db.selectFrom('inbox').select(['dedupe_key', 'body']).orderBy('dedupe_key').execute()
    expect(rows.map((row) => row.body.toString('hex'))).toEqual(bodies.map((body) => body.toString('hex')))
  })

  it('stores a key once and counts what comes again, also inside one statement', async () => {
    const inbox = createInbox(database.pool, () => {})
    const first = await Promise.all([inbox.put([item('same')]), inbox.put([item('same')]), inbox.put([item('same')])])
    const again = await inbox.put([item('same'), item('other')])
    expect(first.map(([one]) => one?.isNew)).toEqual([true, false, false])
    expect(new Set([...first, again].map(([one]) => one?.seq)).size).toBe(1)
    expect(again.map((one) => one.isNew)).toEqual([false, true])
    const rows = await database.db.selectFrom('inbox').select(['dedupe_key', 'duplicates']).orderBy('seq').execute()
    expect(rows).toEqual([
      { dedupe_key: 'same', duplicates: 3 },
      { dedupe_key: 'other', duplicates: 0 },
    ])
  })

  it('tells the same key of two connections apart', async () => {
    const inbox = createInbox(database.pool, () => {})
    const stored = await inbox.put([item('k'), { ...item('k'), connectionId: 'con_2' }])
    expect(stored.map((one) => one.isNew)).toEqual([true, true])
  })

  it('refuses everybody in a statement that cannot be written, and works again afterwards', async () => {
    const inbox = createInbox(database.pool, () => {})
    const poison: InboxItem = { ...item('x'), key: 'nul \0 is no text' }
    await expect(inbox.put([poison])).rejects.toThrow(/invalid byte sequence/)
    expect(await inbox.put([item('y')])).toMatchObject([{ isNew: true }])
  })
})
