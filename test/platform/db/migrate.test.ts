import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest'
import { loadBook } from '#hub/cases/index.ts'
import { openDatabase } from '#hub/platform/db/database.ts'
import { migrate } from '#hub/platform/db/migrate.ts'
import { quietLog } from '#kit'
import { administer, databaseUrl } from '../../kit/server.ts'

const shipped = fileURLToPath(new URL('../../../src/platform/db/migrations', import.meta.url))
const program = fileURLToPath(new URL('../programs/migrating-hub.ts', import.meta.url))

describe('migrations', () => {
  const server = inject('postgres').url
  const home = mkdtempSync(join(tmpdir(), 'deskweave-migrations-'))
  const databases: string[] = []
  const logins: string[] = []
  const children: ChildProcess[] = []
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    for (const name of databases.splice(0)) await administer(server, `drop database ${name} with (force)`)
    for (const name of logins.splice(0)) await administer(server, `drop role ${name}`)
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  const unique = (kind: string) => `${kind}_${randomBytes(5).toString('hex')}`
  async function emptyDatabase(owner?: string): Promise<string> {
    const name = unique('migrate')
    await administer(server, `create database ${name}${owner ? ` owner ${owner}` : ''}`)
    databases.push(name)
    return databaseUrl(server, name)
  }
  async function login(attributes = ''): Promise<string> {
    const name = unique('login')
    await administer(server, `create role ${name} login ${attributes}`)
    logins.push(name)
    return name
  }
  function as(url: string, user: string): string {
    const own = new URL(url)
    own.username = user
    return own.href
  }
  /** The shipped migrations and these. */
  function folderWith(files: Readonly<Record<string, string>>): string {
    const folder = join(home, unique('folder'))
    cpSync(shipped, folder, { recursive: true })
    for (const [name, sql] of Object.entries(files)) writeFileSync(join(folder, name), sql)
    return folder
  }
  async function ask(url: string, question: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query({ text: question, rowMode: 'array' })).rows.map((row) => row[0])
    } finally {
      await client.end()
    }
  }
  const fingerprint = (url: string) =>
    ask(
      url,
      `select md5(string_agg(format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default), ','
         order by table_name, ordinal_position)) from information_schema.columns where table_schema = 'deskweave'`,
    )
  const names = (url: string) => ask(url, 'select name from deskweave.migrations order by name')
  const test = { workspaceId: 'test' }

  it('runs each file once, in order, and remembers it', async () => {
    const url = await emptyDatabase()
    const folder = folderWith({
      '8001_first.sql': "create table steps (name text); insert into steps values ('first');",
      '8002_second.sql': "insert into steps values ('second');",
    })
    await migrate(url, quietLog, { ...test, folder })
    await migrate(url, quietLog, { ...test, folder })
    expect(await ask(url, 'select name from deskweave.steps')).toEqual(['first', 'second'])
    expect((await names(url)).slice(-2)).toEqual(['8001_first.sql', '8002_second.sql'])
    expect(await ask(url, 'select workspace_id from deskweave.workspaces')).toEqual(['test'])
  })

  it.each([
    ['a superuser', undefined],
    ['an owner whom row-level security binds', 'owner'],
  ])('keeps what older versions stored, for %s', async (_who, kind) => {
    const owner = kind ? await login() : undefined
    const bare = await emptyDatabase(owner)
    const url = owner ? as(bare, owner) : bare
    const first = folderWith({})
    for (const name of readdirSync(first)) if (!name.startsWith('0001')) rmSync(join(first, name))
    const at = '2026-11-22T10:00:00.000Z'
    const source = { kind: 'person', name: 'api' }
    await migrate(url, quietLog, { ...test, folder: first })
    await administer(
      bare,
      `set deskweave.workspace_id = 'test'; insert into deskweave.cases (id, status, provenance, created_at, updated_at)
         values ('case_1', 'open', '${JSON.stringify({ status: { at, source }, team: { at, source } })}', now(), now());
       insert into deskweave.case_links (connection_id, external_id, case_id, base, created_at, updated_at)
         values ('con_1', 'T-1', 'case_1', '${JSON.stringify({ status: { value: 'open', at, undated: true } })}', now(), now()),
           ('con_1', 'T-2', 'case_1', '{}', now(), now())`,
    )
    await migrate(url, quietLog, test)

    const { db, close } = openDatabase({ url, ...test, ...(await migrate(url, quietLog, test)) })
    try {
      const book = await loadBook(db, {
        cases: [{ connectionId: 'con_1', externalId: 'T-1' }],
        caseIds: [],
        messages: [],
      })
      expect(book.cases[0]?.provenance).toEqual({ status: { at, source }, team: { at, source } })
      expect(book.links.map((link) => link.base)).toEqual([{ status: { value: 'open', at, undated: true } }, {}])
    } finally {
      await close()
    }
  })

  it('takes three starters at once', async () => {
    const url = await emptyDatabase()
    const [reference, folder] = [
      await emptyDatabase(),
      folderWith({ '8001_slow.sql': 'create table slow as select 1 as n; select pg_sleep(0.2);' }),
    ]
    await migrate(reference, quietLog, { ...test, folder })
    await Promise.all([1, 2, 3].map(() => migrate(url, quietLog, { ...test, folder })))
    expect(await fingerprint(url)).toEqual(await fingerprint(reference))
    expect(await names(url)).toEqual(await names(reference))
    expect(await ask(url, 'select count(*)::int from deskweave.slow')).toEqual([1])
  })

  it('leaves nothing half done when it is killed in the middle, and goes on at the next start', async () => {
    const url = await emptyDatabase()
    const folder = folderWith({ '8001_killed.sql': 'create table half (n int); select pg_sleep(60);' })
    const child = spawn(process.execPath, [program, url, folder], { stdio: ['ignore', 'ignore', 'inherit'] })
    children.push(child)
    const sleeping = `select count(*)::int from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`
    await expect.poll(() => ask(url, sleeping), { timeout: 10_000 }).toEqual([1])
    child.kill('SIGKILL')
    await once(child, 'exit')
    // What the system does with the connection of a dead machine, without waiting for its keepalive.
    await ask(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
    )
    expect(await ask(url, `select to_regclass('deskweave.half')`)).toEqual([null])

    writeFileSync(join(folder, '8001_killed.sql'), 'create table half (n int);')
    await migrate(url, quietLog, { ...test, folder })
    expect((await names(url)).at(-1)).toBe('8001_killed.sql')
  })

  it('keeps nothing of a file that fails, and names it', async () => {
    const url = await emptyDatabase()
    const folder = folderWith({ '8001_bad.sql': 'create table bad (n int); select 1 / 0;' })
    await expect(migrate(url, quietLog, { ...test, folder })).rejects.toThrow(
      'the migration 8001_bad.sql failed and nothing of it was kept: division by zero',
    )
    expect(await ask(url, `select to_regclass('deskweave.bad')`)).toEqual([null])
    await migrate(url, quietLog, test)
  })

  it('refuses a database that a newer version has migrated', async () => {
    const url = await emptyDatabase()
    await migrate(url, quietLog, { ...test, folder: folderWith({ '9999_future.sql': 'select 1;' }) })
    await expect(migrate(url, quietLog, test)).rejects.toThrow(
      'the database was migrated by a newer version of Deskweave (it has 9999_future.sql): start that version or a later one',
    )
  })

  it('refuses a file that was changed after it ran, whatever the line ends', async () => {
    const url = await emptyDatabase()
    const folder = folderWith({ '8001_some.sql': 'select 1;\nselect 2;\n' })
    await migrate(url, quietLog, { ...test, folder })
    writeFileSync(join(folder, '8001_some.sql'), 'select 1;\r\nselect 2;\r\n')
    await migrate(url, quietLog, { ...test, folder })
    writeFileSync(join(folder, '8001_some.sql'), 'select 3;\n')
    await expect(migrate(url, quietLog, { ...test, folder })).rejects.toThrow(
      'the migration 8001_some.sql is not the one this database was made with',
    )
  })

  it('gives the role all tables, those of later migrations too, but not the list of migrations', async () => {
    const url = await emptyDatabase()
    const { role } = await migrate(url, quietLog, test)
    expect(role).toBe('deskweave_hub')
    await migrate(url, quietLog, {
      ...test,
      folder: folderWith({ '8001_later.sql': 'create table later (id serial, n int);' }),
    })
    const { pool, close } = openDatabase({ url, workspaceId: 'test', role: 'deskweave_hub' })
    try {
      await pool.query('insert into later (n) values (1)')
      await expect(pool.query('delete from migrations')).rejects.toMatchObject({ code: '42501' })
      await expect(pool.query('drop table later')).rejects.toMatchObject({ code: '42501' })
    } finally {
      await close()
    }
  })

  it('works for an ordinary owner, who may make no roles and is bound by row-level security all the same', async () => {
    const owner = await login()
    const url = as(await emptyDatabase(owner), owner)
    expect(await migrate(url, quietLog, test)).toEqual({})
    expect(await migrate(url, quietLog, test)).toEqual({})
    await isBound(url, undefined)
  })

  it('makes and takes the role for an owner who may make roles', async () => {
    const owner = await login('createrole')
    await administer(server, `grant deskweave_hub to ${owner} with admin option, set false, inherit false`)
    const url = as(await emptyDatabase(owner), owner)
    expect(await migrate(url, quietLog, test)).toEqual({ role: 'deskweave_hub' })
    await isBound(url, 'deskweave_hub')
  })

  it('refuses a login that row-level security cannot bind', async () => {
    const owner = await login('bypassrls')
    const url = as(await emptyDatabase(owner), owner)
    await expect(migrate(url, quietLog, test)).rejects.toThrow(
      /exempt from row-level security .* grant deskweave_hub to <login>/,
    )
  })

  async function isBound(url: string, role: string | undefined): Promise<void> {
    const opened = ['test', 'other'].map((workspaceId) => openDatabase({ url, workspaceId, ...(role ? { role } : {}) }))
    try {
      for (const { db } of opened) await db.insertInto('settings').values({ key: 'own', value: '1' }).execute()
      for (const { db } of opened) expect(await db.selectFrom('settings').select('key').execute()).toHaveLength(1)
    } finally {
      for (const { close } of opened) await close()
    }
  }

  it('looks at a database that is up to date and leaves it alone', async () => {
    const url = await emptyDatabase()
    await migrate(url, quietLog, test)
    const blocker = new pg.Client({ connectionString: url })
    await blocker.connect()
    try {
      // Whoever holds this lock changes the shape; an up-to-date start does not ask for it.
      await blocker.query('select pg_advisory_lock($1)', [0x6465736b])
      expect(await migrate(url, quietLog, test)).toEqual({ role: 'deskweave_hub' })
    } finally {
      await blocker.end()
    }
  })
})
