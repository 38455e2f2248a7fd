/**
 * The workspace-bound handle on PostgreSQL. Every connection of its pool carries `deskweave.workspace_id`, so columns fill
 * themselves and row-level security hides every other workspace: a query cannot forget it.
 *
 * Never here: queries of any room.
 */
import { Socket } from 'node:net'
import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { preparing } from './prepared-statements.ts'
import type { Schema } from './schema.ts'

export type Db = Kysely<Schema>
export type Trx = Transaction<Schema>

/** Sequences and counts stay below 2^53, so bigint is read as a number; vendor ids are text and stay exact. */
const parsers = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, (text) => Number(text)],
  [pg.types.builtins.DATE, (text) => text],
])
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    return parsers.get(oid) ?? pg.types.getTypeParser(oid, format ?? 'text')
  },
}

export interface DatabaseOptions {
  readonly url: string
  readonly workspaceId: string
  /** The role to work as, from `migrate`: one that row-level security binds. */
  readonly role?: string
  /** Connections in the pool. */
  readonly size?: number
  readonly applicationName?: string
  /** The server gives up on a statement after this time; a connection silent for 2 s more is taken for dead. */
  readonly statementTimeoutMs?: number
}

const defaultStatementTimeoutMs = 12_000
const silenceMs = 2_000

/** Connection settings of one workspace's sessions; also for the bare LISTEN connection. */
export function sessionConfig(options: DatabaseOptions): pg.ClientConfig {
  const url = new URL(options.url)
  // What stands in the URL would win over what is given beside it.
  const given = url.searchParams.get('options')
  url.searchParams.delete('options')
  return {
    connectionString: url.href,
    application_name: options.applicationName ?? 'deskweave',
    options: [
      ...(given ? [given] : []),
      '-c search_path=deskweave',
      `-c deskweave.workspace_id=${options.workspaceId}`,
      ...(options.role ? [`-c role=${options.role}`] : []),
      // Times in JSON are written in it, and of some zones' history JavaScript cannot read the offsets.
      '-c timezone=UTC',
      // A paused process must not hold the workspace's lock for ever.
      '-c idle_in_transaction_session_timeout=15000',
      // A plan made while a table was small must not read all of it when it has grown.
      '-c enable_seqscan=off',
      `-c statement_timeout=${options.statementTimeoutMs ?? defaultStatementTimeoutMs}`,
    ].join(' '),
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    types,
  }
}

export interface Database {
  readonly db: Db
  /** The same pool, for statements that are hot enough to be written by hand. */
  readonly pool: pg.Pool
  close(): Promise<void>
}

export function openDatabase(options: DatabaseOptions): Database {
  if (!/^[a-z0-9_-]{1,64}$/.test(options.workspaceId)) {
    throw new TypeError(`workspace id "${options.workspaceId}": use 1 to 64 of a-z, 0-9, _ and -`)
  }
  const deadAfterMs = (options.statementTimeoutMs ?? defaultStatementTimeoutMs) + silenceMs
  const pool = new pg.Pool({
    ...sessionConfig(options),
    max: options.size ?? 10,
    // Statements that need not wait for each other travel together: see together.ts.
    pipeline: true,
    stream: () => impatientSocket(deadAfterMs),
  })
  // A connection that dies while idle, or between two statements of a transaction, must not end the process: whoever
  // uses it next is told, and the pool opens a new one.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: preparing(pool) }) })
  return { db, pool, close: () => db.destroy() }
}

/** A half-open connection (a silent firewall, a vanished host) would hold a statement for a quarter of an hour. */
function impatientSocket(deadAfterMs: number): Socket {
  const socket = new Socket()
  return socket.setTimeout(deadAfterMs, () => {
    socket.destroy(new Error(`Connection terminated: the database was silent for ${deadAfterMs} ms`))
  })
}

/** A jsonb parameter. */
export function json(value: unknown): string {
  return JSON.stringify(value)
}
