/** Companies that profiles belong to. */
import { z } from 'zod'
import { listOf, pageOf, timeKey, toPage } from '../paging.ts'
import { notFound } from '../problem.ts'
import { route } from '../route.ts'
import { type CompanyRow, companyDetail, getCompany, listCompanies } from '../store/companies.ts'
import { byId, Time, Traits, time } from '../wire.ts'

const tag = 'companies'

const summary = {
  id: z.string(),
  name: z.string().nullable(),
  domain: z.string().nullable(),
  traits: Traits,
  created_at: Time,
  updated_at: Time,
}
const Company = z.strictObject(summary).meta({ id: 'Company' })
const CompanyDetail = z
  .strictObject({
    ...summary,
    people: z.int().meta({ description: 'Profiles that belong to it.' }),
    records: z.array(z.strictObject({ connection_id: z.string(), external_id: z.string(), observed_at: Time })),
  })
  .meta({ id: 'CompanyDetail' })

function toCompany(row: CompanyRow): z.input<typeof Company> {
  const { id, name, domain, traits } = row
  return { id, name, domain, traits, created_at: time(row.created_at), updated_at: time(row.updated_at) }
}

export const companyRoutes = [
  route({
    id: 'listCompanies',
    method: 'GET',
    path: '/companies',
    summary: 'Companies, newest first',
    tag,
    query: z.strictObject({
      ...pageOf(timeKey),
      domain: z.string().min(1).max(253).optional(),
      q: z.string().min(1).max(200).optional().meta({ description: 'Part of the name.' }),
    }),
    response: listOf(Company),
    async handler(hub, { query: { limit, cursor, domain, q } }) {
      const rows = await listCompanies(hub.db, { limit, after: cursor, domain, q })
      return toPage(rows, limit, (row) => [row.created_us, row.id], toCompany)
    },
  }),
  route({
    id: 'getCompany',
    method: 'GET',
    path: '/companies/{id}',
    summary: "One company, with the vendors' records behind it",
    tag,
    params: byId,
    response: CompanyDetail,
    async handler(hub, { params }) {
      const row = await getCompany(hub.db, params.id)
      if (!row) throw notFound()
      const { people, records } = await companyDetail(hub.db, row.id)
      return {
        ...toCompany(row),
        people,
        records: records.map((record) => ({ ...record, observed_at: time(record.observed_at) })),
      }
    },
  }),
]
