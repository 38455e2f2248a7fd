import { sql } from 'kysely'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { openDatabase, sessionConfig } from '#hub/platform/db/database.ts'
import { isPassing } from '#hub/platform/db/passing-errors.ts'
import { testDatabase } from '#kit'
import { administer } from '../../kit/server.ts'
import { blackHole } from '../black-hole.ts'

describe('the database handle', () => {
  const database = testDatabase()
  const role = () => (database.role ? { role: database.role } : {})

  it('keeps what the URL sets for the session, and puts its own after it', () => {
    const config = sessionConfig({
      url: 'postgresql://db/x?options=-c%20geqo%3Doff&sslmode=disable',
      workspaceId: 'w',
      role: 'r',
    })
    expect(config.options).toMatch(/^-c geqo=off -c search_path=deskweave -c deskweave.workspace_id=w -c role=r /)
    expect(config.connectionString).toBe('postgresql://db/x?sslmode=disable')
  })

  it('refuses a workspace id that could carry settings of its own', () => {
    expect(() => openDatabase({ url: database.url, workspaceId: 'a -c role=postgres' })).toThrow('use 1 to 64 of')
  })

  it('counts a pool that has no connection left as something that passes', async () => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1, connectionTimeoutMillis: 20 })
    const held = await pool.connect()
    const error = await pool.connect().catch((thrown: unknown) => thrown)
    held.release()
    await pool.end()
    expect(isPassing(error)).toBe(true)
  })

  it('survives the end of its connections, idle or in a transaction, and goes on', async () => {
    const { db, close } = openDatabase({ url: database.url, workspaceId: 'cut', applicationName: 'cut', ...role() })
    const cut = () =>
      administer(database.url, `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut'`)
    try {
      const work = db.transaction().execute(async (trx) => {
        await sql`select 1`.execute(trx)
        await cut()
        await sql`select 2`.execute(trx)
      })
      const error = await work.catch((thrown: unknown) => thrown)
      expect(isPassing(error)).toBe(true)
      await sql`select 1`.execute(db)
      await cut()
      await expect
        .poll(() =>
          sql`select 1`.execute(db).then(
            () => 'back',
            () => 'away',
          ),
        )
        .toBe('back')
    } finally {
      await close()
    }
  })

  it('gives up on a connection that has turned silent, and works on a new one', async () => {
    await using proxy = await blackHole(database.url)
    const { db, close } = openDatabase({
      url: proxy.url,
      workspaceId: 'test',
      statementTimeoutMs: 100,
      size: 1,
      ...role(),
    })
    try {
      await sql`select 1`.execute(db)
      proxy.swallow()
      const error = await sql`select 1`.execute(db).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ message: expect.stringContaining('silent for 2100 ms') })
      expect(isPassing(error)).toBe(true)
      const { rows } = await sql<{ answer: number }>`select 42 as answer`.execute(db)
      expect(rows).toEqual([{ answer: 42 }])
    } finally {
      await close()
    }
  })

  it('reads counts as numbers, days as text and times as dates', async () => {
    const { rows } = await database.pool.query(
      `select 9007199254740991 as n, date '2026-11-22' as day, timestamptz '2026-11-22T10:00Z' as at`,
    )
    expect(rows).toEqual([{ n: 9007199254740991, day: '2026-11-22', at: new Date('2026-11-22T10:00:00Z') }])
  })
})
