/** The outbox as people see it: what was, will be or could not be done at a vendor. */
import { z } from 'zod'
import { listOf, pageOf, seqKey, toPage } from '../paging.ts'
import { notFound } from '../problem.ts'
import { route } from '../route.ts'
import { type DeliveryRow, getDelivery, listDeliveries } from '../store/ledgers.ts'
import { bySeq, CauseShape, Id, MaybeTime, maybeTime, Plain, Seq, snakeCase, Time, time, toCause } from '../wire.ts'

const states = ['pending', 'sent', 'dead', 'cancelled'] as const

export const Delivery = z
  .strictObject({
    id: Seq,
    key: z.string().meta({ description: 'The idempotency key of the effect: the same for every attempt.' }),
    lane: z.string(),
    connection_id: z.string().nullable(),
    case_id: z.string().nullable(),
    action: Plain.meta({ description: 'What is to be done, by `type`.' }),
    cause: CauseShape,
    state: z.enum(states),
    attempts: z.int(),
    possibly_sent: z.boolean().meta({ description: 'An answer was lost: it may have happened twice.' }),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    receipt: z.unknown().meta({ description: 'What the vendor answered; null until then.' }),
    created_at: Time,
    due_at: MaybeTime,
    sent_at: MaybeTime,
  })
  .meta({ id: 'Delivery' })

export function toDelivery(row: DeliveryRow): z.input<typeof Delivery> {
  return {
    id: String(row.seq),
    key: row.key,
    lane: row.lane,
    connection_id: row.connection_id,
    case_id: row.case_id,
    action: Plain.parse(snakeCase(row.action)),
    cause: toCause(row.cause),
    state: row.state,
    attempts: row.attempts,
    possibly_sent: row.possibly_sent,
    error: row.error && { code: row.error.code, message: row.error.message },
    receipt: snakeCase(row.receipt) ?? null,
    created_at: time(row.created_at),
    due_at: row.due_at instanceof Date ? time(row.due_at) : null,
    sent_at: maybeTime(row.sent_at),
  }
}

const tag = 'deliveries'

export const deliveryRoutes = [
  route({
    id: 'listDeliveries',
    method: 'GET',
    path: '/deliveries',
    summary: 'Effects at vendors, newest first',
    tag,
    query: z.strictObject({
      ...pageOf(seqKey),
      state: z.enum(states).optional(),
      lane: Id.optional().meta({ description: 'A connection id, or `webhook:<host>`.' }),
      case: Id.optional(),
    }),
    response: listOf(Delivery),
    async handler(hub, { query }) {
      const { limit, cursor, state, lane } = query
      const rows = await listDeliveries(hub.db, { limit, after: cursor?.[0], state, lane, caseId: query.case })
      return toPage(rows, limit, (row) => [row.seq], toDelivery)
    },
  }),
  route({
    id: 'getDelivery',
    method: 'GET',
    path: '/deliveries/{id}',
    summary: 'One effect, with its attempts and what the vendor answered',
    tag,
    params: bySeq,
    response: Delivery,
    async handler(hub, { params }) {
      const row = await getDelivery(hub.db, params.id)
      if (!row) throw notFound()
      return toDelivery(row)
    },
  }),
]
