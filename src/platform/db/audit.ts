/** Who did what, for good: one line for each act of a person or of the hub itself. */
import { type Db, json } from './database.ts'

/** @param detail no secrets and no texts of people: names of fields, ids, counts. */
export async function audit(
  db: Db,
  actor: string,
  act: string,
  target: string | null,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await db
    .insertInto('audit')
    .values({ actor, act, target, detail: json(detail) })
    .execute()
}
