import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createQueue, type Queue } from '#hub/platform/queue.ts'
import { quietLog, testDatabase } from '#kit'

const Job = z.object({ n: z.number() })

describe('the queue', () => {
  const database = testDatabase()
  const started: Queue[] = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map((queue) => queue.stop()))
  })

  function makeQueue(workspaceId = 'test'): Queue {
    const queue = createQueue(
      { url: database.url, workspaceId, ...(database.role ? { role: database.role } : {}) },
      quietLog,
    )
    started.push(queue)
    return queue
  }
  /** Resolves when this many jobs have been handled. */
  function collector(count: number) {
    const seen: number[] = []
    const batches: number[] = []
    const { promise: done, resolve } = Promise.withResolvers<void>()
    async function handler(jobs: readonly { n: number }[]) {
      batches.push(jobs.length)
      seen.push(...jobs.map((job) => job.n))
      if (seen.length >= count) resolve()
    }
    return { seen, batches, done, handler }
  }

  it('works jobs in batches', async () => {
    const queue = makeQueue()
    const { handler, done, seen, batches } = collector(250)
    await queue.start()
    await queue.define('bulk', Job, handler)
    await queue.sendMany(
      database.db,
      'bulk',
      Array.from({ length: 250 }, (_, n) => ({ data: { n } })),
    )
    await done
    expect(new Set(seen).size).toBe(250)
    expect(Math.max(...batches)).toBeGreaterThan(50)
  })

  it('sends nothing when the transaction is rolled back', async () => {
    const queue = makeQueue()
    const { handler, done, seen } = collector(1)
    await queue.define('rollback', Job, handler)
    await queue.start()
    const failing = database.db.transaction().execute(async (trx) => {
      await queue.send(trx, 'rollback', { n: 1 })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await database.db.transaction().execute((trx) => queue.send(trx, 'rollback', { n: 2 }))
    await done
    expect(seen).toEqual([2])
  })

  it('keeps a job until its time', async () => {
    const queue = makeQueue()
    const { handler, done, seen } = collector(1)
    await queue.define('timer', Job, handler)
    await queue.start()
    await queue.send(database.db, 'timer', { n: 1 }, { startAfter: new Date(Date.now() + 3_600_000) })
    await queue.send(database.db, 'timer', { n: 2 }, { startAfter: new Date(Date.now() - 1_000) })
    await done
    expect(seen).toEqual([2])
    const { rows } = await database.pool.query(
      `select data, state, start_after > now() + interval '59 minutes' as later from pgboss.job where name = 'test.timer' and state = 'created'`,
    )
    expect(rows).toEqual([{ data: { n: 1 }, state: 'created', later: true }])
  })

  it('keeps one waiting job per singleton key, and all without one', async () => {
    const queue = makeQueue()
    const startAfter = new Date(Date.now() + 3_600_000)
    await queue.define('single', Job, async () => {})
    await queue.start()
    for (const n of [1, 2]) await queue.send(database.db, 'single', { n }, { startAfter, singletonKey: 'case_1' })
    for (const n of [3, 4]) await queue.send(database.db, 'single', { n }, { startAfter })
    const { rows } = await database.pool.query(
      `select data from pgboss.job where name = 'test.single' order by created_on`,
    )
    expect(rows.map((row) => row.data.n)).toEqual([1, 3, 4])
  })

  it('retries the one bad job of a batch and completes the others', async () => {
    const queue = makeQueue()
    const { handler, done, seen } = collector(2)
    await queue.define('poison', Job, async (jobs) => {
      if (jobs.some((job) => job.n === 2)) throw new Error('poison')
      await handler(jobs)
    })
    await queue.start({ work: false })
    await queue.sendMany(
      database.db,
      'poison',
      [1, 2, 3].map((n) => ({ data: { n } })),
    )
    await queue.stop()
    await queue.start()
    await done
    await queue.stop()
    expect(seen.sort()).toEqual([1, 3])
    const { rows } = await database.pool.query(
      `select data, state from pgboss.job where name = 'test.poison' order by data ->> 'n'`,
    )
    expect(rows.map((row) => row.state)).toEqual(['completed', 'retry', 'completed'])
  })

  it('runs a repeating job once for two processes', async () => {
    const runs = collector(1)
    for (const queue of [makeQueue(), makeQueue()]) {
      await queue.define('tick', z.object({}), (jobs) => runs.handler(jobs.map(() => ({ n: 0 }))))
      await queue.schedule('tick', { everySeconds: 3600 })
      await queue.start()
    }
    await runs.done
    const { rows } = await database.pool.query(`select count(*) as jobs from pgboss.job where name = 'test.tick'`)
    expect(rows).toEqual([{ jobs: 1 }])
  })

  it("leaves another workspace's jobs alone", async () => {
    const other = makeQueue('other')
    const mine = collector(1)
    const theirs = collector(1)
    const queue = makeQueue()
    await queue.define('shared', Job, mine.handler)
    await other.define('shared', Job, theirs.handler)
    await Promise.all([queue.start(), other.start()])
    await queue.send(database.db, 'shared', { n: 1 })
    await other.send(database.db, 'shared', { n: 2 })
    await Promise.all([mine.done, theirs.done])
    expect([mine.seen, theirs.seen]).toEqual([[1], [2]])
  })
})
