/** The SQL of snoozes: which case is put aside until when. */
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'

export interface Snooze {
  readonly caseId: string
  readonly until: Date
  /** Who put it aside. */
  readonly by: string
}

export async function snoozeOf(db: Db, caseId: string): Promise<Snooze | undefined> {
  const row = await db.selectFrom('snoozes').selectAll().where('case_id', '=', caseId).executeTakeFirst()
  return row && { caseId: row.case_id, until: row.until, by: row.by }
}

export async function snoozedAmong(db: Db, caseIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (caseIds.length === 0) return new Set()
  const rows = await db
    .selectFrom('snoozes')
    .select('case_id')
    .where('case_id', '=', sql<string>`any(${[...caseIds]}::text[])`)
    .execute()
  return new Set(rows.map((row) => row.case_id))
}

export async function saveSnooze(db: Db, { caseId, until, by }: Snooze): Promise<void> {
  await sql`
    insert into snoozes (case_id, until, by) values (${caseId}, ${until}, ${by})
    on conflict (workspace_id, case_id) do update set until = excluded.until, by = excluded.by`.execute(db)
}

export async function deleteSnoozes(db: Db, caseIds: readonly string[]): Promise<Snooze[]> {
  if (caseIds.length === 0) return []
  const rows = await db
    .deleteFrom('snoozes')
    .where('case_id', '=', sql<string>`any(${[...caseIds]}::text[])`)
    .returning(['case_id', 'until', 'by'])
    .execute()
  return rows.map((row) => ({ caseId: row.case_id, until: row.until, by: row.by }))
}

/** Takes those that are over, the longest first. */
export async function takeDue(db: Db, now: Date, limit: number): Promise<Snooze[]> {
  const due = await db
    .selectFrom('snoozes')
    .select('case_id')
    .where('until', '<=', now)
    .orderBy('until')
    .limit(limit)
    .execute()
  return await deleteSnoozes(
    db,
    due.map((row) => row.case_id),
  )
}
