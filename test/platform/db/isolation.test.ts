import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'

describe('a workspace-bound handle', () => {
  const database = testDatabase()

  it('is no superuser and not exempt from row-level security', async () => {
    const { rows } = await database.pool.query(
      'select rolsuper or rolbypassrls as exempt, current_user as name from pg_roles where rolname = current_user',
    )
    expect(rows).toEqual([{ exempt: false, name: 'deskweave_hub' }])
  })

  it('neither sees nor changes the rows of another workspace', async () => {
    const other = await database.open('other')
    await other.db.insertInto('settings').values({ key: 'secret', value: '"theirs"' }).execute()
    await database.db.insertInto('settings').values({ key: 'own', value: '"ours"' }).execute()

    expect(await database.db.selectFrom('settings').select('key').execute()).toEqual([{ key: 'own' }])
    const updated = await database.db
      .updateTable('settings')
      .set({ value: '"stolen"' })
      .where('key', '=', 'secret')
      .executeTakeFirst()
    expect(updated.numUpdatedRows).toBe(0n)
    const deleted = await database.db.deleteFrom('settings').where('key', '=', 'secret').executeTakeFirst()
    expect(deleted.numDeletedRows).toBe(0n)
    expect(await other.db.selectFrom('settings').select(['key', 'value']).execute()).toEqual([
      { key: 'secret', value: 'theirs' },
    ])
  })

  it('is refused when it writes a row for another workspace', async () => {
    const foreign = sql`insert into settings (workspace_id, key, value) values ('other', 'x', '1')`.execute(database.db)
    await expect(foreign).rejects.toMatchObject({ code: '42501' })
  })

  it('binds every table that has rows of workspaces', async () => {
    const { rows } = await database.pool.query(`
      select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'deskweave' and c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity)`)
    expect(rows).toEqual([{ relname: 'migrations' }])
  })

  it('empties every table on reset and keeps its workspace', async () => {
    await database.db.insertInto('settings').values({ key: 'left', value: '1' }).execute()
    await database.reset()
    expect(await database.db.selectFrom('settings').select('key').execute()).toEqual([])
    expect(await database.db.selectFrom('workspaces').select('name').execute()).toEqual([{ name: 'test' }])
  })
})
