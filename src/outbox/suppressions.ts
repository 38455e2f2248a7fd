/** Addresses that refuse our messages for good: nothing is sent there by itself until mail comes from there again. */
import { sql } from 'kysely'
import { inserter } from '#hub/platform/db/bulk.ts'
import type { Db } from '#hub/platform/db/database.ts'

export interface Suppression {
  /** As identities hold it: trimmed, lower-case. */
  readonly address: string
  readonly reason: string
  readonly connectionId: string
  readonly caseId: string
}

/** A message that came back for now: the mailbox is full, the server is away. */
export interface SoftBounce extends Suppression {
  /** What came back, the same in every report about it. */
  readonly message: string
  readonly bouncedAt: Date
}

/** So many messages that came back for now within so many days: the address is given up. */
const softBouncesAllowed = 5
const softBounceDays = 14

const insertSuppressions = inserter({
  table: 'suppressions',
  columns: {
    address: 'text',
    reason: 'text',
    connection_id: 'text',
    case_id: 'text',
    suppressed_at: 'timestamptz',
  },
  onConflict: 'on conflict (workspace_id, address) do nothing',
})

export async function suppress(db: Db, suppressions: readonly Suppression[], now: Date): Promise<void> {
  const rows = suppressions.map(({ address, reason, connectionId, caseId }) => ({
    address,
    reason: reason.slice(0, 500),
    connection_id: connectionId,
    case_id: caseId,
    suppressed_at: now,
  }))
  await insertSuppressions(db, rows)
}

const insertSoftBounces = inserter({
  table: 'soft_bounces',
  columns: { address: 'text', message: 'text', bounced_at: 'timestamptz' },
  onConflict: 'on conflict (workspace_id, address, message) do nothing',
})

/** Counts messages, not reports, and suppresses the addresses that have had enough of them. */
export async function noteSoftBounces(db: Db, bounces: readonly SoftBounce[], now: Date): Promise<void> {
  if (bounces.length === 0) return
  const since = new Date(now.getTime() - softBounceDays * 24 * 3_600_000)
  const rows = bounces
    .filter(({ bouncedAt }) => bouncedAt > since)
    .map(({ address, message, bouncedAt }) => ({ address, message, bounced_at: bouncedAt }))
  await db.deleteFrom('soft_bounces').where('bounced_at', '<=', since).execute()
  await insertSoftBounces(db, rows)
  const addresses = rows.map(({ address }) => address)
  const full = await db
    .selectFrom('soft_bounces')
    .select('address')
    .where('address', '=', sql<string>`any(${addresses})`)
    .groupBy('address')
    .having((q) => q.fn.countAll<number>(), '>=', softBouncesAllowed)
    .execute()
  const givenUp = new Set(full.map(({ address }) => address))
  const why = `${softBouncesAllowed} messages came back within ${softBounceDays} days, the last one with`
  // The latest reason of each address.
  const last = new Map(bounces.filter(({ address }) => givenUp.has(address)).map((one) => [one.address, one]))
  await suppress(
    db,
    [...last.values()].map((one) => ({ ...one, reason: `${why} ${one.reason}` })),
    now,
  )
}

/** Somebody writes from there, or a person knows better: what came back before counts no more. @returns those that were suppressed. */
export async function lift(db: Db, addresses: readonly string[]): Promise<readonly string[]> {
  if (addresses.length === 0) return []
  await db.deleteFrom('soft_bounces').where('address', '=', sql<string>`any(${addresses})`).execute()
  const lifted = await db
    .deleteFrom('suppressions')
    .where('address', '=', sql<string>`any(${addresses})`)
    .returning('address')
    .execute()
  return lifted.map(({ address }) => address)
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
