/** The database: can it be reached, is it safe, has it this version's shape? Reads only. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type Check, counted, notice, ok, words, wrong } from './check.ts'

export interface Inspected {
  readonly checks: readonly Check[]
  /** The rooms can be opened. */
  readonly isCurrent: boolean
}

const name = 'database'
const migrations = fileURLToPath(new URL('../../platform/db/migrations', import.meta.url))

export async function inspectDatabase(url: string): Promise<Inspected> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'deskweave-doctor',
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    const todo = 'check that it runs, and host, port, user and password in DATABASE_URL'
    return { checks: [wrong(name, `cannot be reached: ${words(error)}`, todo)], isCurrent: false }
  }
  try {
    const shape = await checkShape(client)
    return { checks: [await checkVersion(client), await checkSafety(client), shape], isCurrent: shape.state === 'ok' }
  } catch (error) {
    return { checks: [wrong(name, words(error), 'look into the log of PostgreSQL')], isCurrent: false }
  } finally {
    await client.end().catch(() => {})
  }
}

async function checkVersion(client: pg.Client): Promise<Check> {
  const { rows } = await client.query<{ version: string; number: number }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number`,
  )
  const { version = 'unknown', number = 0 } = rows[0] ?? {}
  if (number < 150_000) return wrong(name, `PostgreSQL ${version}`, 'Deskweave needs PostgreSQL 15 or newer')
  return ok(name, `PostgreSQL ${version}`)
}

async function checkSafety(client: pg.Client): Promise<Check> {
  const { rows } = await client.query<{ name: string }>(
    `select name from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'`,
  )
  const off = rows.map((row) => row.name)
  if (off.length === 0) return ok('durability', 'what is acknowledged is on disk')
  return wrong('durability', `${off.join(', ')} off: acknowledged webhooks can be lost`, `turn ${off.join(', ')} on`)
}

async function checkShape(client: pg.Client): Promise<Check> {
  const known = readdirSync(migrations).filter((file) => file.endsWith('.sql'))
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('deskweave.migrations') is not null as there`,
  )
  if (!rows[0]?.there) return notice('migrations', 'none yet', 'deskweave start or deskweave migrate runs them')
  const applied = (await client.query<{ name: string }>('select name from deskweave.migrations')).rows.map(
    (row) => row.name,
  )
  const newer = applied.filter((file) => !known.includes(file))
  if (newer.length > 0) {
    const todo = 'run that version or a later one; going back needs a backup from before the update'
    return wrong('migrations', `the database belongs to a newer version (${newer.join(', ')})`, todo)
  }
  const missing = known.filter((file) => !applied.includes(file))
  if (missing.length === 0) return ok('migrations', `all ${known.length} done`)
  return notice(
    'migrations',
    `${counted(missing.length, 'one is', 'are')} missing`,
    'deskweave start or deskweave migrate runs them',
  )
}
