import { createHash } from 'node:crypto'
import { type CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely'
import type { PoolClient } from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { hasWork, openLanes } from '#hub/delivery/store.ts'
import { createHandover, type OutboxEntry, putInOutbox } from '#hub/outbox/index.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { claim, extend, FencedOff, newHold, release, settle } from '#hub/platform/ledger.ts'
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

  it('numbers effects in the order they were wanted, also when their cases have had many', async () => {
    await sql`insert into outbox (key, lane, order_key, action, cause, state)
      select n || ' of ' || c, 'c1', 'case' || c, '{}', '{"depth":0}', 'sent'
      from generate_series(1, 1000) c, generate_series(1, 130) n`.execute(database.db)
    await administer(database.url, 'analyze deskweave.outbox')
    const keys = Array.from({ length: 400 }, (_, n) => `new ${n}`)
    const entries = keys.map((key, n): OutboxEntry => {
      const action = { type: 'webhook', url: 'https://crm.example/hook', body: {} } as const
      return { key, lane: 'c1', orderKey: `case${Math.floor(n / 2) + 1}`, action, cause: { depth: 0 } }
    })
    await putInOutbox(database.db, entries)
    const rows = await database.db
      .selectFrom('outbox')
      .select('key')
      .where('state', '=', 'pending')
      .orderBy('seq')
      .execute()
    expect(rows.map((row) => row.key)).toEqual(keys)
  })

  describe.each([
    // In this order: statistics outlive the truncation between tests.
    ['with the first statistics', {}],
    ['with the first statistics and plans of the first moments', { planned: 'first' }],
    ['with statistics of a time when nothing waited', { analyzed: 'before' }],
    ['with statistics and plans of a time when hardly anything waited', { analyzed: 'before', planned: 'before' }],
    ['with statistics', { analyzed: 'after' }],
  ])('of many rows done and waiting, %s', (_, { planned, analyzed }: { planned?: string; analyzed?: string }) => {
    const analyze = () => administer(database.url, 'analyze deskweave.inbox, deskweave.outbox')

    it('reads little more than those it takes, also while a long transaction keeps the dead ones in the way', async () => {
      // The server's own housekeeping would make statistics at any time.
      for (const table of ['inbox', 'outbox'])
        await administer(database.url, `alter table deskweave.${table} set (autovacuum_enabled = off)`)
      const fillDone = async () => {
        await fillInbox(1, 30_000, 'done')
        await fillOutbox(1, 20_000, 'sent')
      }
      if (planned !== 'first') await fillDone()
      if (analyzed === 'before') await analyze()
      await fillInbox(30_001, 30_100, 'pending')
      await fillOutbox(20_001, 20_050, 'pending')
      const client = await database.pool.connect()
      try {
        // At this size the index on order keys has a second page, and a smaller one looks better.
        await fillOutbox(20_051, 20_100, 'pending')
        if (planned !== undefined) await explain(client, work)
        if (planned === 'first') await fillDone()
        await fillInbox(30_101, 50_000, 'pending')
        await fillOutbox(20_101, 50_000, 'pending')
        if (analyzed === 'after') await analyze()
        // Any on the server counts, in whatever database: what was updated after it began cannot be cleared away.
        const { explained, taken } = await database.db.transaction().execute(async (long) => {
          await sql`select txid_current()`.execute(long)
          return await explain(client, work)
        })
        expect(taken).toEqual([200, 200])
        expect(explained).toHaveLength(8)
        for (const { nodes, blocks } of explained) {
          expect(nodes.filter((node) => /^Seq Scan|^Bitmap|^Sort/.test(node))).toEqual([])
          expect(blocks).toBeLessThan(6_000)
        }
      } finally {
        client.release(true)
      }
    })
  })

  const fillInbox = (first: number, last: number, state: string) =>
    sql`insert into inbox (connection_id, dedupe_key, source, body, state)
      select 'c1', 'k' || n, 'webhook', repeat('x', 500)::bytea, ${state}
      from generate_series(${first}::int, ${last}::int) n`.execute(database.db)
  const fillOutbox = (first: number, last: number, state: string) =>
    sql`insert into outbox (key, lane, order_key, action, cause, state)
      select 'k' || n, 'lane' || n % 4, 'case_' || md5((n / 8)::text), '{}', '{"depth":0}', ${state}
      from generate_series(${first}::int, ${last}::int) n`.execute(database.db)

  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  /** Half of them of cases for which something waits already. */
  const fresh: readonly OutboxEntry[] = Array.from({ length: 40 }, (_, n) => ({
    key: `fresh${n}`,
    lane: `lane${n % 4}`,
    orderKey: `case_${md5(`${(n % 2) * 10_000 + 3_000 + n}`)}`,
    action: { type: 'webhook', url: 'https://crm.example/hook', body: {} },
    cause: { depth: 0 },
  }))

  /** @returns how many rows it took of the inbox and of the outbox. */
  async function work(db: Db): Promise<readonly [number, number]> {
    const inbox = await claim<Row>(db, 'inbox', { limit: 200 })
    const outbox = await claim<Row>(db, 'outbox', { lane: 'lane0', limit: 200 })
    await extend(db, 'inbox', inbox.fence, seqs(inbox.rows))
    await settle(
      db,
      'outbox',
      outbox.fence,
      // One at least, so that there is a statement also while nothing waits.
      [{ seq: 0 }, ...outbox.rows].map(({ seq }) => ({ seq, state: 'pending', retryInMs: 0 })),
    )
    await release(db, 'inbox', inbox.fence, seqs(inbox.rows))
    const hold = newHold()
    await putInOutbox(
      db,
      fresh,
      createHandover(() => ({ reserve: () => hold, take() {} })),
    )
    await openLanes(db)
    await hasWork(db, 'me', [])
    return [inbox.rows.length, outbox.rows.length]
  }

  interface Node {
    readonly 'Node Type': string
    readonly 'Relation Name'?: string
    readonly Plans?: readonly Node[]
  }

  /**
   * Runs the work, then each of its statements again under `explain analyze`, in the settings it asked for. A statement that this
   * client has seen before keeps the plan it had.
   */
  async function explain(client: PoolClient, run: (db: Db) => Promise<readonly [number, number]>) {
    const queries: CompiledQuery[] = []
    const taken = await run(
      new Kysely({
        dialect: new PostgresDialect({ pool: database.pool }),
        log: (event) => void queries.push(event.query),
      }),
    )
    const explained: { nodes: string[]; blocks: number }[] = []
    await client.query(`begin; set local plan_cache_mode = 'force_generic_plan'`)
    for (const { sql: text, parameters } of queries) {
      if (text.includes('set_config')) await client.query(text, [...parameters])
      if (!/outbox|inbox/.test(text)) continue
      const name = `q${md5(text)}`
      const { rowCount } = await client.query('select from pg_prepared_statements where name = $1', [name])
      if (rowCount === 0) await client.query(`prepare ${name} as ${text}`)
      const values = parameters.map((value) => literal(client, value))
      await client.query('savepoint before')
      const { rows } = await client.query(
        `explain (analyze, buffers, format json) execute ${name} ${values.length > 0 ? `(${values.join(', ')})` : ''}`,
      )
      await client.query('rollback to savepoint before')
      const plan = rows[0]['QUERY PLAN'][0].Plan
      explained.push({ nodes: nodesOf(plan), blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] })
    }
    await client.query('rollback')
    return { explained, taken }
  }

  function literal(client: PoolClient, value: unknown): string {
    if (value === null) return 'null'
    return client.escapeLiteral(Array.isArray(value) ? `{${value.map((one) => `"${one}"`).join()}}` : String(value))
  }

  function nodesOf(node: Node): string[] {
    return [`${node['Node Type']} ${node['Relation Name'] ?? ''}`, ...(node.Plans ?? []).flatMap(nodesOf)]
  }
})
