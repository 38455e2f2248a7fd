import { type CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Db } from '#hub/platform/db/database.ts'
import { claim, extend, FencedOff, release, settle } from '#hub/platform/ledger.ts'
import { testDatabase } from '#kit'
import { administer } from '../kit/server.ts'

interface Row {
  readonly seq: number
  readonly attempts: number
}

describe('the ledger', () => {
  const database = testDatabase()
  beforeEach(() => database.reset())

  async function arrive(count: number): Promise<void> {
    await sql`insert into inbox (connection_id, dedupe_key, source, body, state)
      select 'c1', 'k' || n, 'webhook', 'x', 'pending' from generate_series(1, ${count}::int) n`.execute(database.db)
  }
  async function want(entries: readonly { key: string; orderKey: string; lane?: string }[]): Promise<void> {
    const rows = entries.map((e) => ({
      key: e.key,
      order_key: e.orderKey,
      lane: e.lane ?? 'c1',
      action: '{}',
      cause: '{"depth":0}',
    }))
    await database.db.insertInto('outbox').values(rows).execute()
  }
  const expire = (table: 'inbox' | 'outbox') =>
    sql`update ${sql.table(table)} set lease_until = now() - interval '1 second' where lease_until is not null`.execute(
      database.db,
    )
  const seqs = (rows: readonly Row[]) => rows.map((row) => row.seq)

  it('hands out the oldest rows first and each row once', async () => {
    await arrive(5)
    const first = await claim<Row>(database.db, 'inbox', { limit: 3 })
    const second = await claim<Row>(database.db, 'inbox', { limit: 3 })
    expect(seqs(first.rows)).toEqual([1, 2, 3])
    expect(seqs(second.rows)).toEqual([4, 5])
    expect(second.fence).toBeGreaterThan(first.fence)
    expect(await claim<Row>(database.db, 'inbox', { limit: 3 })).toEqual({ fence: 0, rows: [] })
  })

  it('never gives one row to two of many claimers at once', async () => {
    await arrive(600)
    const claims = await Promise.all(Array.from({ length: 20 }, () => claim<Row>(database.db, 'inbox', { limit: 30 })))
    const all = claims.flatMap((one) => seqs(one.rows))
    expect(new Set(all).size).toBe(all.length)
  })

  it('gives the rows of a dead worker to the next one and refuses what the dead one writes later', async () => {
    await arrive(2)
    const dead = await claim<Row>(database.db, 'inbox', { limit: 2 })
    await expire('inbox')
    const alive = await claim<Row>(database.db, 'inbox', { limit: 2 })
    expect(alive.rows.map((row) => row.attempts)).toEqual([1, 1])
    expect(await extend(database.db, 'inbox', dead.fence, [1, 2])).toBe(0)
    expect(
      await settle(database.db, 'inbox', dead.fence, [
        { seq: 1, state: 'dead' },
        { seq: 2, state: 'dead' },
      ]),
    ).toBe(0)
    expect(
      await settle(database.db, 'inbox', alive.fence, [
        { seq: 1, state: 'done' },
        { seq: 2, state: 'quarantined', reason: 'no' },
      ]),
    ).toBe(2)
    const rows = await database.db
      .selectFrom('inbox')
      .select(['state', 'reason', 'fence', 'lease_until'])
      .orderBy('seq')
      .execute()
    expect(rows).toEqual([
      { state: 'done', reason: null, fence: null, lease_until: null },
      { state: 'quarantined', reason: 'no', fence: null, lease_until: null },
    ])
  })

  it('keeps rows whose lease is extended', async () => {
    await arrive(1)
    const { fence } = await claim<Row>(database.db, 'inbox', { limit: 1, leaseSeconds: 0 })
    expect(await extend(database.db, 'inbox', fence, [1])).toBe(1)
    expect((await claim<Row>(database.db, 'inbox', { limit: 1 })).rows).toEqual([])
  })

  it('hands out released rows at once, and the try does not count', async () => {
    await arrive(1)
    const { fence } = await claim<Row>(database.db, 'inbox', { limit: 1 })
    await release(database.db, 'inbox', fence, [1])
    const again = await claim<Row>(database.db, 'inbox', { limit: 1 })
    expect(again.rows.map((row) => row.attempts)).toEqual([0])
  })

  it('holds a row back until its retry is due', async () => {
    await arrive(2)
    const { fence } = await claim<Row>(database.db, 'inbox', { limit: 1 })
    await settle(database.db, 'inbox', fence, [
      { seq: 1, state: 'pending', retryInMs: 60_000, reason: 'vendor is away' },
    ])
    expect(seqs((await claim<Row>(database.db, 'inbox', { limit: 2 })).rows)).toEqual([2])
    await sql`update inbox set due_at = now() where seq = 1`.execute(database.db)
    expect(seqs((await claim<Row>(database.db, 'inbox', { limit: 2 })).rows)).toEqual([1])
  })

  it('rolls back everything that a fenced-off worker did in its transaction', async () => {
    await arrive(1)
    const { fence } = await claim<Row>(database.db, 'inbox', { limit: 1 })
    await expire('inbox')
    await claim<Row>(database.db, 'inbox', { limit: 1 })
    const work = database.db.transaction().execute(async (trx) => {
      await trx.insertInto('settings').values({ key: 'effect', value: '1' }).execute()
      if ((await settle(trx, 'inbox', fence, [{ seq: 1, state: 'done' }])) < 1) throw new FencedOff('inbox')
    })
    await expect(work).rejects.toBeInstanceOf(FencedOff)
    expect(await database.db.selectFrom('settings').selectAll().execute()).toEqual([])
  })

  it('gives out the first pending row of each order key, of the asked lane only', async () => {
    await want([
      { key: 'a1', orderKey: 'a' },
      { key: 'a2', orderKey: 'a' },
      { key: 'b1', orderKey: 'b' },
      { key: 'x1', orderKey: 'a', lane: 'other' },
    ])
    const { rows, fence } = await claim<Row & { key: string }>(database.db, 'outbox', { lane: 'c1', limit: 10 })
    expect(rows.map((row) => row.key)).toEqual(['a1', 'b1'])
    expect((await claim<Row>(database.db, 'outbox', { lane: 'c1', limit: 10 })).rows).toEqual([])

    await settle(database.db, 'outbox', fence, [
      { seq: 1, state: 'pending', retryInMs: 60_000, error: { code: 'unavailable', message: '503' } },
      { seq: 3, state: 'sent', receipt: { externalId: '9' } },
    ])
    expect((await claim<Row>(database.db, 'outbox', { lane: 'c1', limit: 10 })).rows).toEqual([])

    await sql`update outbox set due_at = now() where seq = 1`.execute(database.db)
    const retry = await claim<Row>(database.db, 'outbox', { lane: 'c1', limit: 10 })
    expect(seqs(retry.rows)).toEqual([1])
    await settle(database.db, 'outbox', retry.fence, [{ seq: 1, state: 'dead' }])
    expect(seqs((await claim<Row>(database.db, 'outbox', { lane: 'c1', limit: 10 })).rows)).toEqual([2])
  })

  it('keeps error and receipt of what became of an effect', async () => {
    await want([{ key: 'a1', orderKey: 'a' }])
    const one = await claim<Row>(database.db, 'outbox', { lane: 'c1', limit: 1 })
    await settle(database.db, 'outbox', one.fence, [
      {
        seq: 1,
        state: 'pending',
        retryInMs: 0,
        outcomeUnknown: true,
        error: { code: 'outcome_unknown', message: 'cut' },
      },
    ])
    const two = await claim<Row>(database.db, 'outbox', { lane: 'c1', limit: 1 })
    expect(two.rows).toMatchObject([{ outcome_unknown: true, error: { code: 'outcome_unknown' }, attempts: 1 }])
    await settle(database.db, 'outbox', two.fence, [
      { seq: 1, state: 'sent', possiblySent: true, receipt: { externalId: '7' } },
    ])
    const [row] = await database.db.selectFrom('outbox').selectAll().execute()
    expect(row).toMatchObject({
      state: 'sent',
      error: null,
      receipt: { externalId: '7' },
      possibly_sent: true,
      attempts: 2,
    })
    expect(row?.sent_at).toBeInstanceOf(Date)
  })

  it('finds its rows by index, however many are done', async () => {
    await sql`insert into inbox (connection_id, dedupe_key, source, body, state)
      select 'c1', 'k' || n, 'webhook', 'x', case when n % 1000 = 0 then 'pending' else 'done' end
      from generate_series(1, 50000) n`.execute(database.db)
    await sql`insert into outbox (key, lane, order_key, action, cause, state)
      select 'k' || n, 'lane' || n % 10, 'case' || n % 5000, '{}', '{"depth":0}', case when n % 100 = 0 then 'pending' else 'sent' end
      from generate_series(1, 50000) n`.execute(database.db)
    for (const statement of ['select', 'analyze inbox, outbox']) {
      await administer(database.url, `set search_path = deskweave; ${statement}`)
      for (const query of await queriesOf(work)) {
        const { rows } = await database.pool.query(`explain ${query.sql}`, [...query.parameters])
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        expect(plan).toMatch(/on (inbox|outbox) item/)
        expect(plan).not.toMatch(/Seq Scan on (inbox|outbox)/)
      }
    }
  })

  async function work(db: Db): Promise<void> {
    const inbox = await claim<Row>(db, 'inbox', { limit: 200 })
    const outbox = await claim<Row>(db, 'outbox', { lane: 'lane0', limit: 50 })
    await extend(db, 'inbox', inbox.fence, seqs(inbox.rows))
    await settle(
      db,
      'outbox',
      outbox.fence,
      outbox.rows.map(({ seq }) => ({ seq, state: 'pending', retryInMs: 0 })),
    )
    await settle(
      db,
      'inbox',
      inbox.fence,
      inbox.rows.map(({ seq }) => ({ seq, state: 'pending', retryInMs: 0 })),
    )
    await release(db, 'inbox', inbox.fence, seqs(inbox.rows))
    expect([inbox.rows.length, outbox.rows.length]).toEqual([50, 50])
  }

  async function queriesOf(run: (db: Db) => Promise<void>): Promise<CompiledQuery[]> {
    const queries: CompiledQuery[] = []
    const dialect = new PostgresDialect({ pool: database.pool })
    await run(new Kysely({ dialect, log: (event) => void queries.push(event.query) }))
    return queries
  }
})
