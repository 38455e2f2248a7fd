/**
 * Brings a database to this binary's shape: the .sql files of migrations/ in their order, each once, each in a
 * transaction, under a lock so that any number of hubs may start at once. Forward only.
 *
 * Comes out: the role to work as, so that row-level security binds the hub whoever owns the database.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Log } from '#hub/connector/contract.ts'

const folder = join(import.meta.dirname, 'migrations')
const schema = 'deskweave'
/** Not a superuser and no owner of exceptions; nobody logs in as it. */
const hubRole = 'deskweave_hub'
/** Any constant that nobody else in this database uses. */
const lock = 0x6465736b

export interface Migrated {
  /** Passed to `openDatabase`; absent when the login itself is bound by row-level security and may not become another. */
  readonly role?: string
}

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

/**
 * @param url a login that may create schemas; a superuser's is fine.
 * @param options.folder other migration files, for tests.
 * @throws Error when the database has been migrated by a newer or changed binary, or row-level security cannot bind.
 */
export async function migrate(
  url: string,
  log: Log,
  options: { readonly workspaceId: string; readonly folder?: string },
): Promise<Migrated> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'deskweave-migrate',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    const known = readMigrations(options.folder ?? folder)
    if (
      missing(known, await readApplied(client)).length === 0 &&
      (await worksAs(client, hubRole, options.workspaceId))
    ) {
      return { role: hubRole }
    }
    return await bringUp(client, known, options.workspaceId, log)
  } finally {
    await client.end()
  }
}

async function bringUp(
  client: pg.Client,
  known: readonly Migration[],
  workspaceId: string,
  log: Log,
): Promise<Migrated> {
  await client.query('set statement_timeout = 0')
  await client.query('set lock_timeout = 0')
  await checkServer(client)
  await client.query('select pg_advisory_lock($1)', [lock])
  if (!(await exists(client, `select from pg_namespace where nspname = '${schema}'`)))
    await client.query(`create schema ${schema}`)
  await client.query(`create table if not exists ${schema}.migrations (
    name text primary key, checksum text not null, applied_at timestamptz not null default now())`)
  const hasRole = await prepareRole(client)
  await client.query(`select set_config('deskweave.workspace_id', $1, false)`, [workspaceId])
  // Read again: another hub may have done all of it while we waited for the lock.
  for (const migration of missing(known, await readApplied(client))) await apply(client, migration, log)
  await client.query(`insert into ${schema}.workspaces (name) values ($1) on conflict (workspace_id) do nothing`, [
    workspaceId,
  ])
  return hasRole ? { role: hubRole } : {}
}

function readMigrations(from: string): Migration[] {
  const names = readdirSync(from).filter((name) => name.endsWith('.sql'))
  return names.sort().map((name) => {
    // A checkout on Windows may have other line ends.
    const sql = readFileSync(join(from, name), 'utf8').replaceAll('\r\n', '\n')
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
  })
}

async function readApplied(client: pg.Client): Promise<ReadonlyMap<string, string>> {
  try {
    const { rows } = await client.query<{ name: string; checksum: string }>(
      `select name, checksum from ${schema}.migrations`,
    )
    return new Map(rows.map((row) => [row.name, row.checksum]))
  } catch (error) {
    if (hasCode(error, '42P01')) return new Map()
    throw error
  }
}

function missing(known: readonly Migration[], applied: ReadonlyMap<string, string>): Migration[] {
  const names = new Set(known.map((migration) => migration.name))
  const newer = [...applied.keys()].filter((name) => !names.has(name))
  if (newer.length > 0) {
    throw new Error(
      `the database was migrated by a newer version of Deskweave (it has ${newer.sort().join(', ')}): ` +
        'start that version or a later one; going back needs a backup from before the update.',
    )
  }
  for (const { name, checksum } of known) {
    if ((applied.get(name) ?? checksum) !== checksum) {
      throw new Error(`the migration ${name} is not the one this database was made with: restore the released file`)
    }
  }
  return known.filter((migration) => !applied.has(migration.name))
}

async function apply(client: pg.Client, migration: Migration, log: Log): Promise<void> {
  try {
    await client.query(`begin; set local search_path = ${schema}`)
    await client.query(migration.sql)
    await client.query(`insert into ${schema}.migrations (name, checksum) values ($1, $2)`, [
      migration.name,
      migration.checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`the migration ${migration.name} failed and nothing of it was kept: ${reason}`, { cause: error })
  }
  log.info({ migration: migration.name }, 'database migrated')
}

async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: string; number: number }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number`,
  )
  const [server] = rows
  if (server && server.number < 150_000)
    throw new Error(`DATABASE_URL is a PostgreSQL ${server.version}: Deskweave needs 15 or newer`)
}

/**
 * Superusers, and owners where security is not forced, are not bound by row-level security; the role is. A login that
 * may neither make nor become it works as itself, and forced security binds it as the owner.
 *
 * @throws Error when the login is exempt and there is no way to the role.
 */
async function prepareRole(client: pg.Client): Promise<boolean> {
  if (!(await canBecome(client, hubRole))) {
    // Roles belong to the whole server: another database's hub may make it at the same moment.
    await attempt(client, `create role ${hubRole} nologin nosuperuser nobypassrls`, ['42710', '23505', '42501'])
    await attempt(client, `grant ${hubRole} to current_user`, ['42704', '42501', '23505'])
    if (!(await canBecome(client, hubRole))) {
      if (!(await exists(client, 'select from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)')))
        return false
      throw new Error(
        `the login of DATABASE_URL is exempt from row-level security and may not work as the role ${hubRole}: ` +
          `let an administrator run "create role ${hubRole}; grant ${hubRole} to <login>", or use a login without BYPASSRLS.`,
      )
    }
  }
  const rows = 'select, insert, update, delete'
  const numbers = 'usage, select, update'
  await client.query(`
    grant usage on schema ${schema} to ${hubRole};
    grant ${rows} on all tables in schema ${schema} to ${hubRole};
    grant ${numbers} on all sequences in schema ${schema} to ${hubRole};
    revoke insert, update, delete on ${schema}.migrations from ${hubRole};
    alter default privileges in schema ${schema} grant ${rows} on tables to ${hubRole};
    alter default privileges in schema ${schema} grant ${numbers} on sequences to ${hubRole}`)
  return true
}

async function canBecome(client: pg.Client, role: string): Promise<boolean> {
  const isDone = await attempt(client, `set role ${role}`, ['22023', '42704', '42501'])
  if (isDone) await client.query('reset role')
  return isDone
}

/** Does the role see the workspace, so that nothing is left to do? */
async function worksAs(client: pg.Client, role: string, workspaceId: string): Promise<boolean> {
  if (!(await attempt(client, `set role ${role}`, ['22023', '42704', '42501']))) return false
  try {
    await client.query(`select set_config('deskweave.workspace_id', $1, false)`, [workspaceId])
    return await exists(client, `select from ${schema}.workspaces`)
  } catch (error) {
    if (hasCode(error, '42501')) return false
    throw error
  } finally {
    await client.query('reset role')
  }
}

async function exists(client: pg.Client, query: string): Promise<boolean> {
  const { rowCount } = await client.query(`${query} limit 1`)
  return rowCount === 1
}

/** @returns false when the server refused with one of these codes. */
async function attempt(client: pg.Client, statement: string, refusals: readonly string[]): Promise<boolean> {
  try {
    await client.query(statement)
    return true
  } catch (error) {
    if (refusals.some((code) => hasCode(error, code))) return false
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
