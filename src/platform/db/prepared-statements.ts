/**
 * Statements that come again and again are prepared once per connection: for most of ours, planning costs more than
 * running. Sits between Kysely and the pool; of what a statement says, only one way to begin a transaction is known here.
 */
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely'
import type pg from 'pg'
import { stalePlan } from './passing-errors.ts'
import { unawaitedBegin } from './transaction.ts'

/** A text seen less often is not worth a place in the server's memory. */
const worthAfter = 5
/** Texts with lists of changing length would fill it up. */
const mostNames = 300

export function preparing(pool: pg.Pool): PostgresPool {
  const nameOf = createNames()
  const known = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  return {
    async connect() {
      const client = await pool.connect()
      const wrapped = known.get(client) ?? wrap(client, nameOf)
      known.set(client, wrapped)
      return wrapped
    },
    end: () => pool.end(),
    options: pool.options,
  }
}

function wrap(client: pg.PoolClient, nameOf: (text: string) => string | undefined): PostgresPoolClient {
  let isStale = false
  let beginning: Promise<unknown> | undefined
  function query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>
  function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>
  function query(text: unknown, values: readonly unknown[] = []): unknown {
    if (typeof text !== 'string') throw new TypeError('cursors are not used here')
    const name = nameOf(text)
    const running = client.query({ ...(name === undefined ? {} : { name }), text, values: [...values] })
    running.catch((error: unknown) => {
      // A newer hub changed a table under a prepared statement: this connection has to go, the next one prepares anew.
      isStale ||= error instanceof Error && error.message === stalePlan
    })
    if (text === unawaitedBegin) {
      beginning = running
      return Promise.resolve({ command: 'BEGIN', rowCount: 0, rows: [] })
    }
    if (!beginning) return running
    const begun = beginning
    beginning = undefined
    return begun.then(() => running)
  }
  return { query, release: () => client.release(isStale) }
}

function createNames(): (text: string) => string | undefined {
  const seen = new Map<string, number>()
  const names = new Map<string, string>()
  return (text) => {
    const name = names.get(text)
    if (name !== undefined || names.size >= mostNames) return name
    const times = (seen.get(text) ?? 0) + 1
    if (times < worthAfter) {
      if (seen.size < 10 * mostNames) seen.set(text, times)
      return undefined
    }
    seen.delete(text)
    names.set(text, `dw_${names.size}`)
    return names.get(text)
  }
}
