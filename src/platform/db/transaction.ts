/**
 * A transaction whose statements may be under way at the same time. Kysely's own waits for each answer before it sends the
 * next statement, which is most of what a small batch does. They leave, and are worked, in the order in which they are called:
 * what only writes need not be waited for by what comes after it.
 */
import { PostgresDialect, Transaction } from 'kysely'
import type { Db, Trx } from './database.ts'
import type { Schema } from './schema.ts'

/**
 * A beginning that nobody waits for: its answer comes with that to the first statement. Were it refused, what was sent until then
 * would stand alone, so nothing of it may change anything: a lock, and look-ups behind it.
 */
export const unawaitedBegin = 'start transaction read write'

/** What a transaction is never asked for: it has its connection already. */
const dialect = new PostgresDialect({
  pool: () => Promise.reject(new Error('a transaction opens no connections')),
})
const props = { config: { dialect }, dialect, driver: dialect.createDriver() }

/** @param work begins with statements that change nothing, and waits for the first of them before it sends others. */
export async function inTransaction<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  return await db
    .transaction()
    .setAccessMode('read write')
    .execute((outer) => {
      const inTurn = outer.getExecutor()
      return inTurn.provideConnection((connection) => {
        const executor = inTurn.withConnectionProvider({ provideConnection: (consumer) => consumer(connection) })
        return work(new Transaction<Schema>({ ...props, executor }))
      })
    })
}
