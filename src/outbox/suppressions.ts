/** Addresses that refuse our messages for good: nothing is sent there by itself until mail comes from there again. */
import { sql } from 'kysely'
import { insertMany } from '#hub/platform/db/bulk.ts'
import type { Db } from '#hub/platform/db/database.ts'

export interface Suppression {
  /** As identities hold it: trimmed, lower-case. */
  readonly address: string
  readonly reason: string
  readonly connectionId: string
  readonly caseId: string
}

const columns = {
  address: 'text',
  reason: 'text',
  connection_id: 'text',
  case_id: 'text',
  suppressed_at: 'timestamptz',
}

export async function suppress(db: Db, suppressions: readonly Suppression[], now: Date): Promise<void> {
  const rows = suppressions.map(({ address, reason, connectionId, caseId }) => ({
    address,
    reason: reason.slice(0, 500),
    connection_id: connectionId,
    case_id: caseId,
    suppressed_at: now,
  }))
  await insertMany(db, 'suppressions', columns, rows, 'on conflict (workspace_id, address) do nothing')
}

/** Somebody writes from there: it exists. */
export async function lift(db: Db, addresses: readonly string[]): Promise<void> {
  if (addresses.length === 0) return
  await db.deleteFrom('suppressions').where('address', '=', sql<string>`any(${addresses})`).execute()
}

export async function suppressedAmong(db: Db, addresses: readonly string[]): Promise<ReadonlySet<string>> {
  if (addresses.length === 0) return new Set()
  const rows = await db
    .selectFrom('suppressions')
    .select('address')
    .where('address', '=', sql<string>`any(${addresses})`)
    .execute()
  return new Set(rows.map((row) => row.address))
}
