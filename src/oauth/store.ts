/** What was used up, in the table of leases: it is one process's, for as long as anybody could try again. */
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import { takeLease } from '#hub/platform/lease.ts'

const prefix = 'oauth:'
/** Longer than a link is good. */
const keptSeconds = 48 * 3_600

/** @returns false when it was used before, here or in another process. */
export async function use(db: Db, once: string): Promise<boolean> {
  await sql`delete from leases where starts_with(name, ${prefix}) and lease_until < statement_timestamp()`.execute(db)
  return await takeLease(db, { name: `${prefix}${once}`, owner: randomUUID() }, keptSeconds)
}
