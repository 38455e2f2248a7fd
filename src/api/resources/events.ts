/** What changed for us, as it happened. */
import type { Selectable } from 'kysely'
import { z } from 'zod'
import { eventTypes } from '#hub/cases/event.ts'
import type { Schema } from '#hub/platform/db/schema.ts'
import { listOf, pageOf, seqKey, toPage } from '../paging.ts'
import { route } from '../route.ts'
import { listEvents } from '../store/ledgers.ts'
import { CauseShape, Id, Plain, SourceShape, snakeCase, Time, time, toCause, toSource } from '../wire.ts'

export const Event = z
  .strictObject({
    seq: z.int().meta({ description: 'Grows with every event; keep the last one to go on from there.' }),
    id: z.string(),
    type: z.string(),
    case_id: z.string().nullable(),
    profile_id: z.string().nullable(),
    connection_id: z.string().nullable(),
    actor: SourceShape,
    data: Plain,
    cause: CauseShape,
    occurred_at: Time,
    recorded_at: Time,
  })
  .meta({ id: 'Event' })

export function toEvent(row: Selectable<Schema['events']>): z.input<typeof Event> {
  const { changes, ...data } = row.data
  return {
    seq: row.seq,
    id: row.id,
    type: row.type,
    case_id: row.case_id,
    profile_id: row.profile_id,
    connection_id: row.connection_id,
    actor: toSource(row.actor),
    // The names below `changes` are fields of cases, also custom ones.
    data: { ...Plain.parse(snakeCase(data)), ...(changes === undefined ? {} : { changes }) },
    cause: toCause(row.cause),
    occurred_at: time(row.occurred_at),
    recorded_at: time(row.recorded_at),
  }
}

export const eventRoutes = [
  route({
    id: 'listEvents',
    method: 'GET',
    path: '/events',
    summary: 'Events in the order they happened; follow them with `after`',
    tag: 'events',
    query: z.strictObject({
      ...pageOf(seqKey),
      after: z.coerce.number<string>().int().min(0).optional().meta({ description: 'The last `seq` that you have.' }),
      type: z.enum(eventTypes).optional(),
      case: Id.optional(),
    }),
    response: listOf(Event),
    async handler(hub, { query }) {
      const { limit, type, cursor } = query
      const rows = await listEvents(hub.db, { limit, type, caseId: query.case, after: cursor?.[0] ?? query.after })
      return toPage(rows, limit, (row) => [row.seq], toEvent)
    },
  }),
]
