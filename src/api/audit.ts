/** Who did what through the API. Rooms that write their own audit lines are not repeated here. */
import { type Db, json } from '#hub/platform/db/database.ts'

/** @param detail no secrets and no texts of people: names of fields, ids, counts. */
export async function audit(
  db: Db,
  actor: string,
  act: string,
  target: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await db
    .insertInto('audit')
    .values({ actor, act, target, detail: json(detail) })
    .execute()
}
