/** Reads of cases, for lists and single ones. */
import { type SelectQueryBuilder, sql } from 'kysely'
import type { CaseStatus, Visibility } from '#hub/connector/facts.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { microseconds, type TimeKey, timeOf } from '../paging.ts'

export interface CaseFilter {
  readonly status?: CaseStatus | undefined
  /** Any profile that was merged with the one who asked. */
  readonly requester?: string | undefined
  readonly link?: { readonly connectionId: string; readonly externalId: string } | undefined
  readonly updatedSince?: Date | undefined
  readonly limit: number
  readonly after?: TimeKey | undefined
}

function cases(db: Db) {
  return db
    .selectFrom('cases')
    .leftJoin('profiles as leaf', 'leaf.id', 'cases.requester_id')
    .leftJoin('profiles as root', 'root.id', 'leaf.root_id')
    .leftJoin('snoozes', 'snoozes.case_id', 'cases.id')
    .selectAll('cases')
    .select(['root.id as profile_id', 'root.name as profile_name', 'snoozes.until as snoozed_until'])
    .select(microseconds('cases.updated_at').as('updated_us'))
}
export type CaseRow = Rows<ReturnType<typeof cases>>
type Rows<Q> = Q extends SelectQueryBuilder<infer _DB, infer _TB, infer O> ? O : never

/**
 * Last changed first. With `updatedSince` the other way round, so that a case which changes while a client follows the
 * pages comes again at the end instead of slipping past.
 */
export async function listCases(db: Db, filter: CaseFilter): Promise<readonly CaseRow[]> {
  const { status, requester, link, updatedSince, after } = filter
  let query = cases(db).limit(filter.limit + 1)
  if (status) query = query.where('cases.status', '=', status)
  if (requester) {
    query = query.where('cases.requester_id', 'in', (q) =>
      q
        .selectFrom('profiles as asked')
        .innerJoin('profiles as same', 'same.root_id', 'asked.root_id')
        .where('asked.id', '=', requester)
        .select('same.id'),
    )
  }
  if (link) {
    query = query.where('cases.id', 'in', (q) =>
      q
        .selectFrom('case_links')
        .where('connection_id', '=', link.connectionId)
        .where('external_id', '=', link.externalId)
        .select('case_id'),
    )
  }
  if (updatedSince) query = query.where('cases.updated_at', '>=', updatedSince)
  const direction = updatedSince ? 'asc' : 'desc'
  if (after) {
    const [us, id] = after
    const order = sql.raw(direction === 'asc' ? '>' : '<')
    query = query.where(sql<boolean>`(cases.updated_at, cases.id) ${order} (${timeOf(us)}, ${id})`)
  }
  return await query.orderBy('cases.updated_at', direction).orderBy('cases.id', direction).execute()
}

export async function getCase(db: Db, id: string): Promise<CaseRow | undefined> {
  return await cases(db).where('cases.id', '=', id).executeTakeFirst()
}

export async function linksOf(db: Db, caseIds: readonly string[]) {
  if (caseIds.length === 0) return []
  return await db
    .selectFrom('case_links')
    .select(['case_id', 'connection_id', 'external_id', 'url', 'deleted_at'])
    .where('case_id', 'in', caseIds)
    .orderBy('created_at')
    .orderBy('connection_id')
    .execute()
}

export async function caseExists(db: Db, id: string): Promise<boolean> {
  return (await db.selectFrom('cases').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

export interface MessageFilter {
  readonly caseId: string
  readonly visibility?: Visibility | undefined
  readonly limit: number
  readonly after?: TimeKey | undefined
}

/** As they were said: oldest first. */
export async function listMessages(db: Db, filter: MessageFilter) {
  let query = db
    .selectFrom('messages')
    .selectAll()
    .select(microseconds('messages.sent_at').as('sent_us'))
    .where('case_id', '=', filter.caseId)
    .orderBy('sent_at')
    .orderBy('id')
    .limit(filter.limit + 1)
  if (filter.visibility) query = query.where('visibility', '=', filter.visibility)
  if (filter.after) {
    const [us, id] = filter.after
    query = query.where(sql<boolean>`(sent_at, id) > (${timeOf(us)}, ${id})`)
  }
  return await query.execute()
}

/** How many of each kind `why` tells; the whole story is in the lists of events and deliveries. */
const told = 200

export async function whyOf(db: Db, caseId: string) {
  const [events, runs, deliveries] = await Promise.all([
    db.selectFrom('events').selectAll().where('case_id', '=', caseId).orderBy('seq', 'desc').limit(told).execute(),
    db.selectFrom('rule_runs').selectAll().where('case_id', '=', caseId).orderBy('seq', 'desc').limit(told).execute(),
    db.selectFrom('outbox').selectAll().where('case_id', '=', caseId).orderBy('seq', 'desc').limit(told).execute(),
  ])
  return { events, runs, deliveries }
}
