/**
 * Work that waits or repeats: timers, schedules, maintenance. A job is sent in the transaction that wants it, so it is
 * there exactly when the rest is. A job may run twice (a worker died): handlers must bear that.
 *
 * Never here: the inbox and the outbox; those are ledgers.
 */
import { randomUUID } from 'node:crypto'
import type { Job, JobInsert, JobResult, PgBoss } from 'pg-boss'
import type { z } from 'zod'
import type { Log } from '#hub/connector/contract.ts'
import type { Db } from './db/database.ts'

interface SendOptions {
  /** Not before; at once when absent. */
  readonly startAfter?: Date
  /** While a job with this key waits, sending another changes nothing. */
  readonly singletonKey?: string
}

type Schedule = { readonly everySeconds: number } | { readonly cron: string }

export interface Queue {
  /**
   * @param handler gets up to 100 jobs at once. If it throws, they are tried one by one, and who fails then is tried again
   * later, up to 10 times within about 4 hours.
   */
  define<T>(name: string, schema: z.ZodType<T>, handler: (jobs: readonly T[]) => Promise<void>): Promise<void>
  send(db: Db, name: string, data: object, options?: SendOptions): Promise<void>
  sendMany(db: Db, name: string, jobs: readonly (SendOptions & { readonly data: object })[]): Promise<void>
  /** With empty data, once for all processes. `cron` is in UTC. */
  schedule(name: string, schedule: Schedule): Promise<void>
  /** With `work: false` this process sends and does not work. */
  start(options?: { readonly work?: boolean }): Promise<void>
  /** @throws when it cannot work now. */
  check(): Promise<void>
  /** Finishes the jobs in hand, up to `timeoutMs`. */
  stop(timeoutMs?: number): Promise<void>
}

export interface QueueOptions {
  /** A login that may create a schema; the queue keeps its tables in `pgboss`. */
  readonly url: string
  /** Part of the queues' names: processes of other workspaces on this database have their own. */
  readonly workspaceId: string
  /** Who sends: the role of the hub's own connections. */
  readonly role?: string
}

const schema = 'pgboss'
const batchSize = 100
const retries = { retryLimit: 10, retryDelay: 5, retryBackoff: true, retryDelayMax: 3600 }
/** A dead worker's jobs go to another within 45 s: no sign of life for 15 s, looked for every 10 s. */
const rescue = { heartbeatSeconds: 15, expireInSeconds: 3600 }
const supervision = { superviseIntervalSeconds: 10, monitorIntervalSeconds: 10, maintenanceIntervalSeconds: 3600 }

interface Definition {
  readonly name: string
  work(jobs: readonly Job<unknown>[]): Promise<JobResult[]>
}

export function createQueue(options: QueueOptions, log: Log): Queue {
  const definitions = new Map<string, Definition>()
  const schedules = new Map<string, Schedule>()
  const timers = new Set<NodeJS.Timeout>()
  let running: { boss: PgBoss; fromKysely: typeof import('pg-boss').fromKysely; work: boolean } | undefined

  const fullName = (name: string) => `${options.workspaceId}.${name}`

  function started() {
    if (!running) throw new Error('the queue has not been started: send after start()')
    return running
  }

  async function begin(definition: Definition): Promise<void> {
    const { boss, work } = started()
    // Policy `short`: one waiting job per singleton key. Jobs without a key of their own get one each.
    await boss.createQueue(definition.name, { policy: 'short', ...retries, ...rescue })
    if (!work) return
    const polling = { batchSize, burstWhenBatchFull: true, pollingIntervalSeconds: 1, perJobResults: true } as const
    await boss.work<unknown, unknown, typeof polling>(definition.name, polling, definition.work)
  }

  async function beginSchedule(name: string, schedule: Schedule): Promise<void> {
    const { boss, work } = started()
    if (!work) return
    if ('cron' in schedule) return await boss.schedule(name, schedule.cron, {}, { tz: 'UTC', missed: 'once' })
    const { everySeconds } = schedule
    // Every process asks, and the slot lets one through.
    const slot = { singletonKey: 'every', singletonSeconds: everySeconds }
    const ask = () =>
      boss
        .send(name, {}, slot)
        .catch((err: unknown) => log.warn({ err, queue: name }, 'a repeating job could not be sent'))
    timers.add(setInterval(ask, everySeconds * 1000).unref())
    await ask()
  }

  return {
    async define(name, schema, handler) {
      const definition: Definition = { name: fullName(name), work: workOf(name, schema, handler, log) }
      definitions.set(name, definition)
      if (running) await begin(definition)
    },
    async send(db, name, data, { startAfter, singletonKey = randomUUID() } = {}) {
      const { boss, fromKysely } = started()
      await boss.send(fullName(name), data, { db: fromKysely(db), singletonKey, ...(startAfter ? { startAfter } : {}) })
    },
    async sendMany(db, name, jobs) {
      if (jobs.length === 0) return
      const { boss, fromKysely } = started()
      const rows = jobs.map(({ data, startAfter, singletonKey = randomUUID() }): JobInsert => {
        return { data, singletonKey, ...(startAfter ? { startAfter } : {}) }
      })
      await boss.insert(fullName(name), rows, { db: fromKysely(db), returnId: false })
    },
    async schedule(name, schedule) {
      schedules.set(name, schedule)
      if (running) await beginSchedule(fullName(name), schedule)
    },
    async start({ work = true } = {}) {
      // Loaded here, so that what needs no queue starts without it.
      const { PgBoss, fromKysely } = await import('pg-boss')
      const boss = new PgBoss({
        connectionString: options.url,
        application_name: 'deskweave-queue',
        schema,
        max: 3,
        supervise: work,
        schedule: work,
        ...supervision,
      })
      boss.on('error', (err) => log.warn({ err }, 'the queue had a problem; it goes on by itself'))
      await boss.start()
      running = { boss, fromKysely, work }
      if (options.role) await grantTo(boss, options.role)
      for (const definition of definitions.values()) await begin(definition)
      for (const [name, schedule] of schedules) await beginSchedule(fullName(name), schedule)
    },
    async check() {
      await started().boss.getDb().executeSql(`select from ${schema}.version`)
    },
    async stop(timeoutMs = 10_000) {
      for (const timer of timers) clearInterval(timer)
      timers.clear()
      const boss = running?.boss
      running = undefined
      await boss?.stop({ graceful: true, timeout: timeoutMs })
    },
  }
}

/** The hub's role sends in its own transactions. Under a lock: grants of two starting hubs would collide. */
async function grantTo(boss: PgBoss, role: string): Promise<void> {
  const { rows } = await boss
    .getDb()
    .executeSql(`select has_table_privilege('${role}', '${schema}.job', 'insert') as granted`)
  if (rows[0]?.granted) return
  await boss.getDb().executeSql(`
    select pg_advisory_xact_lock(${0x71756575});
    grant usage on schema ${schema} to ${role};
    grant select, insert, update, delete on all tables in schema ${schema} to ${role};
    alter default privileges in schema ${schema} grant select, insert, update, delete on tables to ${role}`)
}

/** One bad job stops one job: when a batch fails, each of it is tried alone. */
function workOf<T>(
  name: string,
  schema: z.ZodType<T>,
  handler: (jobs: readonly T[]) => Promise<void>,
  log: Log,
): Definition['work'] {
  async function attempt(jobs: readonly Job<unknown>[]): Promise<JobResult[]> {
    try {
      await handler(jobs.map((job) => schema.parse(job.data)))
      return jobs.map(({ id }) => ({ id, status: 'completed' }))
    } catch (err) {
      if (jobs.length > 1) return (await mapInTurn(jobs, (job) => attempt([job]))).flat()
      log.error({ err, queue: name, job: jobs[0]?.id }, 'a job failed; it is tried again later')
      const message = err instanceof Error ? err.message : String(err)
      return jobs.map(({ id }) => ({ id, status: 'failed', output: { message } }))
    }
  }
  return attempt
}

async function mapInTurn<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = []
  for (const item of items) results.push(await work(item))
  return results
}
