/** Reads of companies. */
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import { microseconds, type TimeKey, timeOf } from '../paging.ts'

export interface CompanyFilter {
  readonly domain?: string | undefined
  /** Part of the name. */
  readonly q?: string | undefined
  readonly limit: number
  readonly after?: TimeKey | undefined
}

function companies(db: Db) {
  return db.selectFrom('companies').selectAll().select(microseconds('companies.created_at').as('created_us'))
}
export type CompanyRow = Awaited<ReturnType<typeof listCompanies>>[number]

/** Newest first. */
export async function listCompanies(db: Db, filter: CompanyFilter) {
  let query = companies(db).limit(filter.limit + 1)
  if (filter.domain) query = query.where('domain', '=', filter.domain.toLowerCase())
  if (filter.q) query = query.where('name', 'ilike', `%${filter.q.replace(/[\\%_]/g, '\\$&')}%`)
  if (filter.after) {
    const [us, id] = filter.after
    query = query.where(sql<boolean>`(created_at, id) < (${timeOf(us)}, ${id})`)
  }
  return await query.orderBy('created_at', 'desc').orderBy('id', 'desc').execute()
}

export async function getCompany(db: Db, id: string) {
  return await companies(db).where('id', '=', id).executeTakeFirst()
}

/** The vendors' records behind a company, and how many people belong to it. */
export async function companyDetail(db: Db, id: string) {
  const [records, people] = await Promise.all([
    db
      .selectFrom('company_records')
      .select(['connection_id', 'external_id', 'observed_at'])
      .where('company_id', '=', id)
      .orderBy('connection_id')
      .orderBy('external_id')
      .execute(),
    db
      .selectFrom('person_records')
      .innerJoin('profiles', 'profiles.id', 'person_records.profile_id')
      .select((q) => q.fn.count<number>('profiles.root_id').distinct().as('count'))
      .where('person_records.company_id', '=', id)
      .executeTakeFirstOrThrow(),
  ])
  return { records, people: people.count }
}
