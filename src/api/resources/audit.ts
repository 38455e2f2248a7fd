/** Who did what. */
import { z } from 'zod'
import { listOf, pageOf, seqKey, toPage } from '../paging.ts'
import { route } from '../route.ts'
import { listAudit } from '../store/ledgers.ts'
import { Id, Plain, Time, time } from '../wire.ts'

const AuditEntry = z
  .strictObject({
    id: z.string(),
    at: Time,
    actor: z.string(),
    act: z.string(),
    target: z.string().nullable(),
    detail: Plain,
  })
  .meta({ id: 'AuditEntry' })

export const auditRoutes = [
  route({
    id: 'listAudit',
    method: 'GET',
    path: '/audit',
    summary: 'Every act of a person or a program, newest first',
    tag: 'audit',
    query: z.strictObject({ ...pageOf(seqKey), actor: Id.optional(), act: Id.optional(), target: Id.optional() }),
    response: listOf(AuditEntry),
    async handler(hub, { query: { limit, cursor, ...filter } }) {
      const rows = await listAudit(hub.db, { ...filter, limit, after: cursor?.[0] })
      return toPage(
        rows,
        limit,
        (row) => [row.seq],
        ({ seq, at, actor, act, target, detail }) => ({ id: String(seq), at: time(at), actor, act, target, detail }),
      )
    },
  }),
]
