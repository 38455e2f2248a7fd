/** The outbox as people see it: what was, will be or could not be done at a vendor. */
import { z } from 'zod'
import { replay } from '#hub/delivery/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { ApiHub } from '../hub.ts'
import { listOf, pageOf, seqKey, toPage } from '../paging.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { type DeliveryRow, deadAmong, getDelivery, listDeliveries } from '../store/ledgers.ts'
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
const Replayed = z.strictObject({ replayed: z.array(Seq).meta({ description: 'Those that wait now.' }) })

async function revive(hub: ApiHub, seqs: readonly number[], actor: string): Promise<string[]> {
  const ids = seqs.map(String)
  await hub.db.transaction().execute(async (trx) => {
    await replay(trx, seqs)
    await audit(trx, actor, 'delivery.replayed', ids.length === 1 ? (ids[0] ?? '') : 'several', { ids })
  })
  hub.signals.raise('outbox')
  return ids
}

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
  route({
    id: 'replayDelivery',
    method: 'POST',
    path: '/deliveries/{id}/replay',
    summary: 'Try a dead letter again, under its own key: what the vendor did once is not done twice',
    tag,
    status: 202,
    params: bySeq,
    response: Replayed,
    async handler(hub, { params, actor }) {
      const row = await getDelivery(hub.db, params.id)
      if (!row) throw notFound()
      if (row.state !== 'dead')
        throw new Problem('conflict', `this delivery is ${row.state}; only a dead one is replayed`)
      return { replayed: await revive(hub, [params.id], actor) }
    },
  }),
  route({
    id: 'replayDeliveries',
    method: 'POST',
    path: '/deliveries/replay',
    summary: 'Try several dead letters again: by id, or all; up to 1,000 at once',
    tag,
    status: 202,
    body: z.union([
      z.strictObject({ ids: z.array(Seq).min(1).max(1000) }),
      z.strictObject({ state: z.literal('dead') }),
    ]),
    response: Replayed,
    async handler(hub, { body, actor }) {
      const seqs = await deadAmong(hub.db, 'ids' in body ? body.ids.map(Number) : undefined)
      return { replayed: await revive(hub, seqs, actor) }
    },
  }),
]
