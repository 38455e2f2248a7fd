import { sql } from 'kysely'
import { inserter } from '#hub/platform/db/bulk.ts'
import { type Db, json, type Trx } from '#hub/platform/db/database.ts'
import type { RuleMode } from '#hub/platform/db/schema.ts'

export interface RuleRow {
  readonly id: string
  readonly version: number
  readonly is_current: boolean
  readonly mode: RuleMode
  readonly position: number
  readonly name: string
  readonly definition: unknown
  readonly source: string
  readonly author: string
  readonly created_at: Date
}

/** Savers of rules wait for each other, so that versions follow one another without gaps or clashes. */
export async function lockRules(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('deskweave rules'), hashtext(current_setting('deskweave.workspace_id')))`.execute(
    trx,
  )
}

export async function currentRules(db: Db | Trx): Promise<RuleRow[]> {
  return await db
    .selectFrom('rules')
    .selectAll()
    .where('is_current', '=', true)
    .orderBy('position')
    .orderBy('id')
    .execute()
}

export async function currentRule(db: Db | Trx, id: string): Promise<RuleRow | undefined> {
  return await db.selectFrom('rules').selectAll().where('id', '=', id).where('is_current', '=', true).executeTakeFirst()
}

export async function versionsOf(db: Db | Trx, id: string): Promise<RuleRow[]> {
  return await db.selectFrom('rules').selectAll().where('id', '=', id).orderBy('version', 'desc').execute()
}

/** Of each of these rules the highest version there ever was, also of removed ones: their history goes on. */
export async function lastVersions(trx: Trx, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map()
  const rows = await trx
    .selectFrom('rules')
    .select(['id', (e) => e.fn.max('version').as('version')])
    .where('id', 'in', [...ids])
    .groupBy('id')
    .execute()
  return new Map(rows.map(({ id, version }) => [id, version]))
}

export async function retire(trx: Trx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await trx
    .updateTable('rules')
    .set({ is_current: false })
    .where('id', 'in', [...ids])
    .where('is_current', '=', true)
    .execute()
}

export type NewVersion = Omit<RuleRow, 'is_current'>

export async function insertVersions(trx: Trx, versions: readonly NewVersion[]): Promise<void> {
  if (versions.length === 0) return
  await trx
    .insertInto('rules')
    .values(versions.map((row) => ({ ...row, is_current: true, definition: json(row.definition) })))
    .execute()
}

export async function setPositions(
  trx: Trx,
  positions: readonly { readonly id: string; readonly position: number }[],
): Promise<void> {
  if (positions.length === 0) return
  await sql`
    update rules set position = wanted.position
    from unnest(${positions.map(({ id }) => id)}::text[], ${positions.map(({ position }) => position)}::int[]) as wanted (id, position)
    where rules.id = wanted.id and rules.is_current`.execute(trx)
}

/** Changes whenever a current rule or the order of rules does. */
export async function stampOf(db: Db | Trx): Promise<string> {
  const { rows } = await sql<{ stamp: string }>`
    select md5(coalesce(string_agg(id || ' ' || version, ',' order by position, id), '')) as stamp
    from rules where is_current`.execute(db)
  return rows[0]?.stamp ?? ''
}

export interface RuleRun {
  readonly ruleId: string
  readonly ruleVersion: number
  readonly eventId: string
  readonly caseId?: string
  readonly result: 'matched' | 'simulated' | 'failed' | 'cut'
  /** The planned actions, or the problem. */
  readonly detail: Readonly<Record<string, unknown>>
  readonly ranAt: Date
}

const insertNewRuns = inserter({
  table: 'rule_runs',
  columns: {
    ruleId: 'text',
    ruleVersion: 'int',
    eventId: 'text',
    caseId: 'text',
    result: 'text',
    detail: 'jsonb',
    ranAt: 'timestamptz',
  },
})

export async function insertRuns(trx: Trx, runs: readonly RuleRun[]): Promise<void> {
  const rows = runs.map((run) => ({ ...run, caseId: run.caseId ?? null, ranAt: run.ranAt.toISOString() }))
  await insertNewRuns(trx, rows)
}

export async function selectRuns(db: Db | Trx, caseId: string, limit: number): Promise<RuleRun[]> {
  const rows = await db
    .selectFrom('rule_runs')
    .selectAll()
    .where('case_id', '=', caseId)
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    ruleId: row.rule_id,
    ruleVersion: row.rule_version,
    eventId: row.event_id,
    ...(row.case_id === null ? {} : { caseId: row.case_id }),
    result: row.result,
    detail: row.detail,
    ranAt: row.ran_at,
  }))
}

/** Runs since a time, by case; cases without any are absent. */
export async function countRuns(
  db: Db | Trx,
  caseIds: readonly string[],
  since: Date,
): Promise<ReadonlyMap<string, number>> {
  if (caseIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('rule_runs')
    .select(['case_id', (e) => e.fn.countAll<number>().as('runs')])
    .where('case_id', '=', sql<string>`any(${caseIds})`)
    .where('result', '=', 'matched')
    .where('ran_at', '>', since)
    .groupBy('case_id')
    .execute()
  return new Map(rows.flatMap(({ case_id, runs }) => (case_id === null ? [] : [[case_id, Number(runs)] as const])))
}
