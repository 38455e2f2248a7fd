/** Reads of suppressed addresses. */
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import { microseconds, type TimeKey, timeOf } from '../paging.ts'

export interface SuppressionFilter {
  readonly address?: string | undefined
  readonly limit: number
  readonly after?: TimeKey | undefined
}

/** Newest first. */
export async function listSuppressions(db: Db, { address, limit, after }: SuppressionFilter) {
  let query = db
    .selectFrom('suppressions')
    .selectAll()
    .select(microseconds('suppressed_at').as('suppressed_us'))
    .limit(limit + 1)
  if (address !== undefined) query = query.where('address', '=', address)
  if (after) {
    const [us, last] = after
    query = query.where(sql<boolean>`(suppressed_at, address) < (${timeOf(us)}, ${last})`)
  }
  return await query.orderBy('suppressed_at', 'desc').orderBy('address', 'desc').execute()
}
