/**
 * What every hub process stands on, started in order and stopped in reverse: database, migrations, pool, signals.
 * The rooms are put on top of it in main.ts.
 */

import type { Pool } from 'pg'
import type { Log } from '#hub/connector/contract.ts'
import type { Hub } from '#hub/hub.ts'
import { openDatabase } from './db/database.ts'
import { migrate } from './db/migrate.ts'
import { startEmbedded } from './embedded-postgres.ts'
import type { Env } from './env.ts'
import type { Metrics } from './metrics.ts'
import { createQueue } from './queue.ts'
import { createSecretBox, keyFromFile } from './secret-box.ts'
import { createSignals } from './signals.ts'

/** The queue is made and not started: the rooms define their jobs first. */
export interface Foundation extends Omit<Hub, 'connections'> {
  /** Database and queue, by name. */
  ready(): Promise<Readonly<Record<string, boolean>>>
  stop(): Promise<void>
}

/** One company, one workspace; a hosted hub of many starts one process for each. */
const workspaceId = 'default'
/** The inbox has two writers. */
const intakeConnections = 2
/**
 * One of them stays open: after a quiet night the first webhook must not need a new connection, which a server with many
 * clients may refuse.
 */
const beatMs = 5_000

export interface Ground {
  readonly env: Env
  readonly log: Log
  readonly now: () => Date
  readonly metrics: Metrics
}

/** @throws Error when the database cannot be reached, started or migrated; then nothing is left running. */
export async function layFoundation(ground: Ground): Promise<Foundation> {
  const { env, log } = ground
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const end of stops.splice(0).reverse())
      await end().catch((err: unknown) => log.error({ err }, 'a part did not stop cleanly'))
  }
  try {
    const url = env.databaseUrl ?? (await embedded(env, log, stops))
    const secrets = createSecretBox(env.secretKeys ?? [keyFromFile(env.dataDir)])
    const { role } = await migrate(url, log, { workspaceId })
    const access = { url, workspaceId, ...(role ? { role } : {}) }

    const { db, pool, close } = openDatabase(access)
    const intake = openDatabase({ ...access, size: intakeConnections })
    const canStore = () => check(intake.pool.query('select 1'))
    const beat = setInterval(canStore, beatMs)
    stops.push(close, intake.close, async () => clearInterval(beat))
    const signals = createSignals(access, log)
    stops.push(signals.stop)
    const queue = createQueue(access, log)
    await Promise.all([signals.start(), warnIfNotDurable(pool, log)])

    return {
      ...ground,
      db,
      intake: intake.pool,
      queue,
      secrets,
      signals,
      async ready() {
        // What is asked of a hub that others can do without: whether it can store what is sent to it.
        const [database, jobs] = await Promise.all([canStore(), check(queue.check())])
        return { database, queue: jobs }
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const check = (question: Promise<unknown>) => question.then(() => true).catch(() => false)

async function embedded(env: Env, log: Log, stops: (() => Promise<void>)[]): Promise<string> {
  const server = await startEmbedded({ dataDir: env.dataDir, log })
  stops.push(server.stop)
  log.info({ dataDir: env.dataDir, adopted: server.adopted }, 'embedded PostgreSQL is up')
  return server.url
}

/** Some set-ups trade safety for speed; then an answered webhook may be lost with the power. */
async function warnIfNotDurable(pool: Pool, log: Log): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select name from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'`,
  )
  for (const { name } of rows)
    log.warn(
      { setting: name },
      `PostgreSQL runs with ${name}=off: acknowledged webhooks can be lost in a crash; turn it on`,
    )
}
