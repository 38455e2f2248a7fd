/** Reads of surveys as they are stored, also those that can no longer be read as one. */
import type { Selectable } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import type { Schema } from '#hub/platform/db/schema.ts'

export type SurveyRow = Selectable<Schema['surveys']>

export async function listSurveys(db: Db): Promise<readonly SurveyRow[]> {
  return await db.selectFrom('surveys').selectAll().orderBy('id').execute()
}

export async function getSurvey(db: Db, id: string): Promise<SurveyRow | undefined> {
  return await db.selectFrom('surveys').selectAll().where('id', '=', id).executeTakeFirst()
}
