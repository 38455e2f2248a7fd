/** One bad record stops one record, whatever of it the database refuses, and however much is under way by then. */
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { caseFacts, chatScene } from '../chat/scene.ts'

const database = testDatabase()
const scene = chatScene(database)

/** The database refuses new rows with "trouble" in this column. */
async function refuse(table: string, column: string, code = 'P0001'): Promise<void> {
  await asSuperuser(`
    create function deskweave.refuse() returns trigger language plpgsql as
      $$ begin raise exception 'this % is refused', '${table}' using errcode = '${code}'; end $$;
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

/** Cases a, b and c in one batch, of which the second is trouble. @param by who asks: somebody else each time. */
async function store(by: string): Promise<void> {
  for (const id of ['a', 'b', 'c']) {
    const word = id === 'b' ? 'trouble' : 'fine'
    const requester = { id: `${by}-${id}`, name: word, emails: [`${by}.${id}@customer.example`] }
    await scene.store(scene.ids.desk, caseFacts(id, { subject: word, requester, updatedAt: '2026-11-22T09:05:00Z' }))
  }
}

const rows = () => database.db.selectFrom('inbox').select(['state', 'reason', 'attempts']).orderBy('seq').execute()
const count = async (of: 'cases' | 'profiles') => (await database.db.selectFrom(of).select('id').execute()).length

describe.each([
  ['profiles', 'name'],
  ['cases', 'subject'],
])('one of three %s that the database refuses', (table, column) => {
  const reason = expect.stringContaining(`this ${table} is refused`)
  const done = { state: 'done', reason: null, attempts: 1 }

  it('is tried again, for this reason, and the others are done', async () => {
    await refuse(table, column)
    await store('U')
    await scene.settle()
    expect(await rows()).toEqual([done, { state: 'pending', reason, attempts: 1 }, done])
    expect([await count('cases'), await count('profiles')]).toEqual([2, 2])
  })

  it('is so also where their cases are known, and looked up meanwhile', async () => {
    await store('U')
    await scene.settle()
    await refuse(table, column)
    await store('V')
    await scene.settle()
    expect((await rows()).slice(3)).toEqual([done, { state: 'pending', reason, attempts: 1 }, done])
  })

  it('for a reason that passes, is nobody’s fault: all three are tried again', async () => {
    await store('U')
    await scene.settle()
    await refuse(table, column, '40P01')
    await store('V')
    await expect(scene.settle()).rejects.toMatchObject({ code: '40P01' })
    const waiting = { state: 'pending', reason: null, attempts: 1 }
    expect((await rows()).slice(3)).toEqual([waiting, waiting, waiting])
  })
})
