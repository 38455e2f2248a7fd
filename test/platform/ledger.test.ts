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
    expect(second.fence).not.toBe(first.fence)
    expect((await claim<Row>(database.db, 'inbox', { limit: 3 })).rows).toEqual([])
  })

  it('never gives one row to two of many claimers at once', async () => {
    await arrive(600)
    const claims = await Promise.all(Array.from({ length: 20 }, () => claim<Row>(database.db, 'inbox', { limit: 30 })))
    const all = claims.flatMap((one) => seqs(one.rows))
    expect(new Set(all).size).toBe(all.length)
  })

  it('settles a row that was changed by somebody else while the settlement waited for it', async () => {
    await arrive(1)
    const { fence } = await claim<Row>(database.db, 'inbox', { limit: 1 })
    let settled: Promise<number> | undefined
    await database.db.transaction().execute(async (trx) => {
      // As a webhook does that comes again.
      await sql`update inbox set duplicates = duplicates + 1`.execute(trx)
      settled = settle(database.db, 'inbox', fence, [{ seq: 1, state: 'done' }])
      await someoneWaits()
    })
    expect(await settled).toBe(1)
  })

  async function someoneWaits(): Promise<void> {
    const waiting = sql<{ found: boolean }>`select exists (select from pg_locks where not granted) as found`
    while (!(await waiting.execute(database.db)).rows[0]?.found) {
      // Asking takes a round trip each time.
    }
  }

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

  describe.each([
    // In this order: statistics outlive the truncation between tests.
    ['without statistics', 'select 1'],
    ['with', 'analyze deskweave.inbox, deskweave.outbox'],
  ])('of many rows done and waiting, %s', (_, statement) => {
    it('reads little more than those it takes, also while a long transaction keeps the dead ones in the way', async () => {
      // The server's own housekeeping would make statistics at any time.
      for (const table of ['inbox', 'outbox'])
        await administer(database.url, `alter table deskweave.${table} set (autovacuum_enabled = off)`)
      await sql`insert into inbox (connection_id, dedupe_key, source, body, state)
        select 'c1', 'k' || n, 'webhook', repeat('x', 500)::bytea, case when n > 30000 then 'pending' else 'done' end
        from generate_series(1, 50000) n`.execute(database.db)
      await sql`insert into outbox (key, lane, order_key, action, cause, state)
        select 'k' || n, 'lane' || n % 4, 'case' || n / 8, '{}', '{"depth":0}', case when n > 20000 then 'pending' else 'sent' end
        from generate_series(1, 50000) n`.execute(database.db)
      await administer(database.url, statement)
      // Any on the server counts, in whatever database: what was updated after it began cannot be cleared away.
      const explained = await database.db.transaction().execute(async (long) => {
        await sql`select txid_current()`.execute(long)
        return await explain(work)
      })
      expect(explained).toHaveLength(5)
      for (const { nodes, blocks } of explained) {
        expect(nodes.filter((node) => /^Seq Scan|^Bitmap|^Sort/.test(node))).toEqual([])
        expect(blocks).toBeLessThan(6_000)
      }
    })
  })

  async function work(db: Db): Promise<void> {
    const inbox = await claim<Row>(db, 'inbox', { limit: 200 })
    const outbox = await claim<Row>(db, 'outbox', { lane: 'lane0', limit: 200 })
    await extend(db, 'inbox', inbox.fence, seqs(inbox.rows))
    await settle(
      db,
      'outbox',
      outbox.fence,
      outbox.rows.map(({ seq }) => ({ seq, state: 'pending', retryInMs: 0 })),
    )
    await release(db, 'inbox', inbox.fence, seqs(inbox.rows))
    expect([inbox.rows.length, outbox.rows.length]).toEqual([200, 200])
  }

  interface Node {
    readonly 'Node Type': string
    readonly 'Relation Name'?: string
    readonly Plans?: readonly Node[]
  }

  /** Runs the work, then each of its statements again under `explain analyze`, in the settings it asked for. */
  async function explain(run: (db: Db) => Promise<void>) {
    const queries: CompiledQuery[] = []
    await run(
      new Kysely({
        dialect: new PostgresDialect({ pool: database.pool }),
        log: (event) => void queries.push(event.query),
      }),
    )
    const explained: { nodes: string[]; blocks: number }[] = []
    const client = await database.pool.connect()
    try {
      await client.query('begin')
      for (const { sql: text, parameters } of queries) {
        if (text.includes('set_config')) await client.query(text, [...parameters])
        if (!/outbox|inbox/.test(text)) continue
        await client.query('savepoint before')
        const { rows } = await client.query(`explain (analyze, buffers, format json) ${text}`, [...parameters])
        await client.query('rollback to savepoint before')
        const plan = rows[0]['QUERY PLAN'][0].Plan
        explained.push({ nodes: nodesOf(plan), blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] })
      }
    } finally {
      client.release(true)
    }
    return explained
  }

  function nodesOf(node: Node): string[] {
    return [`${node['Node Type']} ${node['Relation Name'] ?? ''}`, ...(node.Plans ?? []).flatMap(nodesOf)]
  }
})
