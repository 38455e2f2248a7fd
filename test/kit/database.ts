/** A database of its own for each test file, cloned from the migrated template, seen as the hub sees it. */
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { type Database, type Db, openDatabase } from '#hub/platform/db/database.ts'
import { administer, databaseUrl } from './server.ts'

export interface TestDatabase {
  /** The workspace `test`. */
  readonly db: Db
  readonly pool: pg.Pool
  /** A superuser's URL of this file's database. */
  readonly url: string
  /** Passed to `openDatabase` by tests that open their own. */
  readonly role?: string
  /** Empties every table and starts its sequences again; the workspace stays. */
  reset(): Promise<void>
  /** Another handle on the same database; closed with it. */
  open(workspaceId: string): Promise<Database>
}

/** Called at the top of a test file or a describe: it registers the hooks that make and drop the database. */
export function testDatabase(): TestDatabase {
  const server = inject('postgres')
  const name = `test_${randomBytes(6).toString('hex')}`
  const url = databaseUrl(server.url, name)
  const role = server.role ? { role: server.role } : {}
  const opened: Database[] = []
  let main: Database | undefined
  const database = () => {
    if (!main) throw new Error('the test database is there from beforeAll on: use it inside hooks and tests')
    return main
  }
  const open = (workspaceId: string) => {
    const handle = openDatabase({ url, workspaceId, size: 5, ...role })
    opened.push(handle)
    return handle
  }
  beforeAll(async () => {
    await administer(server.url, `create database ${name} template ${server.template}`)
    main = open('test')
  })
  afterAll(async () => {
    await Promise.all(opened.map((handle) => handle.close()))
    await administer(server.url, `drop database if exists ${name} with (force)`)
  })
  return {
    get db() {
      return database().db
    },
    get pool() {
      return database().pool
    },
    url,
    ...role,
    reset: () => administer(url, emptyTables),
    async open(workspaceId) {
      const handle = open(workspaceId)
      await handle.db
        .insertInto('workspaces')
        .values({ name: workspaceId })
        .onConflict((c) => c.doNothing())
        .execute()
      return handle
    },
  }
}

const emptyTables = `do $$ begin
  execute (select 'truncate ' || string_agg(format('deskweave.%I', tablename), ', ') || ' restart identity'
           from pg_tables where schemaname = 'deskweave' and tablename not in ('migrations', 'workspaces'));
  delete from deskweave.workspaces where workspace_id <> 'test';
end $$`
