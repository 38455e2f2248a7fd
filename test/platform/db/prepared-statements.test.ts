import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { isPassing } from '#hub/platform/db/passing-errors.ts'
import { testDatabase } from '#kit'
import { administer } from '../../kit/server.ts'

const database = testDatabase()

describe('statements that come again and again', () => {
  it('are prepared once per connection, whatever their parameters', async () => {
    await database.db.connection().execute(async (db) => {
      for (let n = 0; n < 8; n += 1) {
        expect((await sql<{ twice: number }>`select ${n}::int * 2 as twice`.execute(db)).rows).toEqual([
          { twice: n * 2 },
        ])
      }
      const { rows } = await sql<{ statement: string }>`
        select statement from pg_prepared_statements where statement like '%as twice%' and statement not like '%pg_prepared%'
      `.execute(db)
      expect(rows).toEqual([{ statement: 'select $1::int * 2 as twice' }])
    })
  })

  it('outlive a change of their table: the work is tried again on a fresh connection', async () => {
    const read = () => sql`select * from changing_table`.execute(database.db)
    await administer(
      database.url,
      'create table deskweave.changing_table (a int); grant select on deskweave.changing_table to public',
    )
    for (let n = 0; n < 8; n += 1) await read()
    await administer(database.url, 'alter table deskweave.changing_table add column b int')

    const failure = await read().then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(isPassing(failure)).toBe(true)
    expect((await read()).rows).toEqual([])
  })
})
