import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import { inserter } from '#hub/platform/db/bulk.ts'
import { together } from '#hub/platform/db/together.ts'
import { inTransaction } from '#hub/platform/db/transaction.ts'
import { testDatabase } from '#kit'

const database = testDatabase()
beforeEach(() => database.reset())

const put = (key: string) => sql`insert into settings (key, value) values (${key}, '1')`
const keys = async () => {
  const found = await database.db.selectFrom('settings').select('key').orderBy('key').execute()
  return found.map(({ key }) => key)
}

describe('a transaction whose statements travel together', () => {
  it('commits all of them', async () => {
    await inTransaction(database.db, async (trx) => {
      await sql`select 1`.execute(trx)
      await together(put('a').execute(trx), put('b').execute(trx))
    })
    expect(await keys()).toEqual(['a', 'b'])
  })

  it('commits none when one fails, names the one that failed, and leaves a connection that works', async () => {
    const failing = inTransaction(database.db, async (trx) => {
      await sql`select 1`.execute(trx)
      await together(put('a').execute(trx), sql`select 1 / 0`.execute(trx), put('b').execute(trx))
    })
    await expect(failing).rejects.toThrow('division by zero')
    expect(await keys()).toEqual([])
    await inTransaction(database.db, (trx) => put('c').execute(trx))
    expect(await keys()).toEqual(['c'])
  })

  it('sends them in the order in which they are called, in whatever way: each sees what those before it wrote', async () => {
    const insert = inserter({ table: 'settings', columns: { key: 'text', value: 'jsonb' } })
    const seen = await inTransaction(database.db, async (trx) => {
      const count = async () => (await sql<{ n: number }>`select count(*) as n from settings`.execute(trx)).rows[0]?.n
      const [none, , one, , two, , three, all] = await together(
        count(),
        put('a').execute(trx),
        count(),
        trx.insertInto('settings').values({ key: 'b', value: '1' }).execute(),
        count(),
        insert(trx, [{ key: 'c', value: 1 }]),
        count(),
        trx.selectFrom('settings').select('key').orderBy('key').execute(),
        trx.deleteFrom('settings').execute(),
      )
      return [none, one, two, three, all.map(({ key }) => key)]
    })
    expect(seen).toEqual([0, 1, 2, 3, ['a', 'b', 'c']])
    expect(await keys()).toEqual([])
  })

  it('takes no statement after its end', async () => {
    const late = await inTransaction(database.db, async (trx) => {
      await sql`select 1`.execute(trx)
      return () => put('late').execute(trx)
    })
    await expect(late()).rejects.toThrow()
    expect(await keys()).toEqual([])
  })

  it('is rolled back by what is thrown in it', async () => {
    const failing = inTransaction(database.db, async (trx) => {
      await put('a').execute(trx)
      throw new Error('on second thoughts')
    })
    await expect(failing).rejects.toThrow('on second thoughts')
    expect(await keys()).toEqual([])
  })
})
