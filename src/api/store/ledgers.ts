/** Reads of the ledgers: inbox, outbox, events, audit; and giving their failed rows another turn. */
import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import type { InboxState, Schema } from '#hub/platform/db/schema.ts'

interface Window {
  readonly limit: number
  /** The number of the last row of the page before. */
  readonly after?: number | undefined
}

type DeliveryState = Selectable<Schema['outbox']>['state']
export type DeliveryRow = Selectable<Schema['outbox']>

export interface DeliveryFilter extends Window {
  readonly state?: DeliveryState | undefined
  readonly lane?: string | undefined
  readonly caseId?: string | undefined
}

/** Newest first. */
export async function listDeliveries(db: Db, filter: DeliveryFilter): Promise<readonly DeliveryRow[]> {
  let query = db
    .selectFrom('outbox')
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(filter.limit + 1)
  if (filter.state) query = query.where('state', '=', filter.state)
  if (filter.lane) query = query.where('lane', '=', filter.lane)
  if (filter.caseId) query = query.where('case_id', '=', filter.caseId)
  if (filter.after !== undefined) query = query.where('seq', '<', filter.after)
  return await query.execute()
}

export async function getDelivery(db: Db, seq: number): Promise<DeliveryRow | undefined> {
  return await db.selectFrom('outbox').selectAll().where('seq', '=', seq).executeTakeFirst()
}

/** Dead letters, the oldest first; up to 1,000. @param seqs absent: any. */
export async function deadAmong(db: Db, seqs: readonly number[] | undefined): Promise<readonly number[]> {
  let query = db.selectFrom('outbox').select('seq').where('state', '=', 'dead').orderBy('seq').limit(1000)
  if (seqs) query = query.where('seq', '=', sql<number>`any(${[...seqs]}::bigint[])`)
  return (await query.execute()).map(({ seq }) => seq)
}

/** Without the body, which can be a megabyte. */
const inboxColumns = [
  'seq',
  'connection_id',
  'dedupe_key',
  'source',
  'state',
  'reason',
  'attempts',
  'duplicates',
  'repaired',
  'received_at',
  'processed_at',
  'due_at',
] as const

export interface InboxFilter extends Window {
  readonly state?: InboxState | undefined
  readonly connectionId?: string | undefined
}

const bytes: RawBuilder<number> = sql<number>`octet_length(body)`

/** Newest first. */
export async function listInbox(db: Db, filter: InboxFilter) {
  let query = db
    .selectFrom('inbox')
    .select(inboxColumns)
    .select(bytes.as('bytes'))
    .orderBy('seq', 'desc')
    .limit(filter.limit + 1)
  if (filter.state) query = query.where('state', '=', filter.state)
  if (filter.connectionId) query = query.where('connection_id', '=', filter.connectionId)
  if (filter.after !== undefined) query = query.where('seq', '<', filter.after)
  return await query.execute()
}
export type InboxEntry = Awaited<ReturnType<typeof listInbox>>[number]

export async function getInbox(db: Db, seq: number) {
  return await db
    .selectFrom('inbox')
    .select([...inboxColumns, 'body'])
    .select(bytes.as('bytes'))
    .where('seq', '=', seq)
    .executeTakeFirst()
}

/**
 * Works a row again from its raw bytes; also one that was done, since what was concluded before is no change the second
 * time. @returns the numbers of those that wait now.
 */
export async function replayInbox(
  db: Db,
  which: { readonly seqs: readonly number[] } | { readonly state: 'quarantined' | 'dead' },
): Promise<readonly number[]> {
  const wanted = 'seqs' in which ? sql`seq = any(${[...which.seqs]}::bigint[])` : sql`state = ${which.state}`
  const { rows } = await sql<{ seq: number }>`
    update inbox set state = 'pending', attempts = 0, due_at = now(), reason = null, processed_at = null,
      lease_until = null, fence = null
    where ${wanted} and state <> 'pending'
    returning seq
  `.execute(db)
  return rows.map(({ seq }) => seq)
}

export interface EventFilter extends Window {
  readonly type?: string | undefined
  readonly caseId?: string | undefined
}

/** As they happened: a client that keeps the last `seq` misses none. */
export async function listEvents(db: Db, filter: EventFilter) {
  let query = db
    .selectFrom('events')
    .selectAll()
    .orderBy('seq')
    .limit(filter.limit + 1)
  if (filter.type) query = query.where('type', '=', filter.type)
  if (filter.caseId) query = query.where('case_id', '=', filter.caseId)
  if (filter.after !== undefined) query = query.where('seq', '>', filter.after)
  return await query.execute()
}

export interface AuditFilter extends Window {
  readonly actor?: string | undefined
  readonly act?: string | undefined
  readonly target?: string | undefined
}

/** Newest first. */
export async function listAudit(db: Db, filter: AuditFilter) {
  let query = db
    .selectFrom('audit')
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(filter.limit + 1)
  if (filter.actor) query = query.where('actor', '=', filter.actor)
  if (filter.act) query = query.where('act', '=', filter.act)
  if (filter.target) query = query.where('target', '=', filter.target)
  if (filter.after !== undefined) query = query.where('seq', '<', filter.after)
  return await query.execute()
}

/** What webhooks brought and what reading had to repair, by connection. */
export async function lostEvents(db: Db, since: Date) {
  return await db
    .selectFrom('connections')
    .leftJoin('inbox', (join) =>
      join.onRef('inbox.connection_id', '=', 'connections.id').on('inbox.received_at', '>=', since),
    )
    .select((q) => [
      'connections.id',
      'connections.name',
      q.fn.count<number>('inbox.seq').filterWhere('inbox.source', '=', 'webhook').as('received'),
      sql<number>`coalesce(sum(inbox.duplicates) filter (where inbox.source = 'webhook'), 0)::bigint`.as('duplicates'),
      q.fn.count<number>('inbox.seq').filterWhere('inbox.state', '=', 'quarantined').as('quarantined'),
      q.fn.count<number>('inbox.seq').filterWhere('inbox.repaired', '=', true).as('repaired'),
    ])
    .groupBy(['connections.id', 'connections.name'])
    .orderBy('connections.name')
    .execute()
}
