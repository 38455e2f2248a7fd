/** One bad record stops one record, whatever of it the database refuses, and however much is under way by then. */
import pg from 'pg'
import { afterEach, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { caseFacts, chatScene } from '../chat/scene.ts'

const database = testDatabase()
const scene = chatScene(database)

/** The database refuses new rows with "trouble" in this column. */
async function refuse(table: string, column: string): Promise<void> {
  await asSuperuser(`
    create function deskweave.refuse() returns trigger language plpgsql as
      $$ begin raise exception 'this % is refused', '${table}'; end $$;
    create trigger refuse before insert on deskweave.${table}
      for each row when (new.${column} like '%trouble%') execute function deskweave.refuse()`)
}

async function asSuperuser(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(text)
  await client.end()
}

afterEach(() => asSuperuser('drop function if exists deskweave.refuse cascade'))

const from = (id: string, word: string) =>
  caseFacts(id, { subject: word, requester: { id: `U-${id}`, name: word, emails: [`${id}@customer.example`] } })

it.each([
  ['profiles', 'name'],
  ['cases', 'subject'],
])('of %s', async (table, column) => {
  await refuse(table, column)
  for (const [id, word] of [
    ['a', 'fine'],
    ['b', 'trouble'],
    ['c', 'fine'],
  ] as const) {
    await scene.store(scene.ids.desk, from(id, word))
  }
  await scene.settle()
  const rows = await database.db.selectFrom('inbox').select(['state', 'reason', 'attempts']).orderBy('seq').execute()
  expect(rows).toEqual([
    { state: 'done', reason: null, attempts: 1 },
    { state: 'pending', reason: expect.stringContaining(`this ${table} is refused`), attempts: 1 },
    { state: 'done', reason: null, attempts: 1 },
  ])
  const stored = (of: 'cases' | 'profiles') => database.db.selectFrom(of).select('id').execute()
  expect([await stored('cases'), await stored('profiles')].map(({ length }) => length)).toEqual([2, 2])
})
