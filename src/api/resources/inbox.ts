/** What arrived, as it arrived: to be looked at and worked again. */
import { z } from 'zod'
import { audit } from '#hub/platform/db/audit.ts'
import { listOf, pageOf, seqKey, toPage } from '../paging.ts'
import { notFound } from '../problem.ts'
import { route } from '../route.ts'
import { getInbox, type InboxEntry, listInbox, replayInbox } from '../store/ledgers.ts'
import { bySeq, Id, MaybeTime, maybeTime, Seq, Time, time } from '../wire.ts'

const tag = 'inbox'
const states = ['pending', 'done', 'ignored', 'quarantined', 'dead'] as const

const entry = {
  id: Seq,
  connection_id: z.string(),
  dedupe_key: z.string(),
  source: z.enum(['webhook', 'reconcile']),
  state: z.enum(states),
  reason: z.string().nullable(),
  attempts: z.int(),
  duplicates: z.int().meta({ description: 'How often it was sent again.' }),
  repaired: z.boolean().meta({ description: 'No webhook had told it: reading the vendor did.' }),
  bytes: z.int(),
  received_at: Time,
  processed_at: MaybeTime,
}
const InboxItem = z.strictObject(entry).meta({ id: 'InboxItem' })
const InboxItemWithBody = z
  .strictObject({
    ...entry,
    encoding: z.enum(['utf8', 'base64']),
    body: z.string().meta({ description: 'The raw bytes, in `encoding`.' }),
  })
  .meta({ id: 'InboxItemWithBody' })

function toItem(row: InboxEntry): z.input<typeof InboxItem> {
  return {
    id: String(row.seq),
    connection_id: row.connection_id,
    dedupe_key: row.dedupe_key,
    source: row.source,
    state: row.state,
    reason: row.reason,
    attempts: row.attempts,
    duplicates: row.duplicates,
    repaired: row.repaired,
    bytes: row.bytes,
    received_at: time(row.received_at),
    processed_at: maybeTime(row.processed_at),
  }
}

function toText(body: Buffer): { encoding: 'utf8' | 'base64'; body: string } {
  const text = body.toString('utf8')
  return Buffer.from(text).equals(body)
    ? { encoding: 'utf8', body: text }
    : { encoding: 'base64', body: body.toString('base64') }
}

const Replayed = z.strictObject({ replayed: z.array(Seq).meta({ description: 'Those that wait now.' }) })

export const inboxRoutes = [
  route({
    id: 'listInbox',
    method: 'GET',
    path: '/inbox',
    summary: 'What arrived, newest first',
    tag,
    query: z.strictObject({ ...pageOf(seqKey), state: z.enum(states).optional(), connection: Id.optional() }),
    response: listOf(InboxItem),
    async handler(hub, { query: { limit, cursor, state, connection } }) {
      const rows = await listInbox(hub.db, { limit, after: cursor?.[0], state, connectionId: connection })
      return toPage(rows, limit, (row) => [row.seq], toItem)
    },
  }),
  route({
    id: 'getInboxItem',
    method: 'GET',
    path: '/inbox/{id}',
    summary: 'One thing that arrived, with its raw bytes',
    tag,
    params: bySeq,
    response: InboxItemWithBody,
    async handler(hub, { params }) {
      const row = await getInbox(hub.db, params.id)
      if (!row) throw notFound()
      return { ...toItem(row), ...toText(row.body) }
    },
  }),
  route({
    id: 'replayInboxItem',
    method: 'POST',
    path: '/inbox/{id}/replay',
    summary: 'Work one thing again from its raw bytes; what was concluded before stays as it is',
    tag,
    status: 202,
    params: bySeq,
    response: Replayed,
    async handler(hub, { params, actor }) {
      if (!(await getInbox(hub.db, params.id))) throw notFound()
      const seqs = await hub.db.transaction().execute(async (trx) => {
        const replayed = await replayInbox(trx, { seqs: [params.id] })
        await audit(trx, actor, 'inbox.replayed', String(params.id))
        return replayed
      })
      hub.signals.raise('inbox')
      return { replayed: seqs.map(String) }
    },
  }),
  route({
    id: 'replayInbox',
    method: 'POST',
    path: '/inbox/replay',
    summary: 'Work several again: by id, or all that are quarantined or dead',
    tag,
    status: 202,
    body: z.union([
      z.strictObject({ ids: z.array(Seq).min(1).max(1000) }),
      z.strictObject({ state: z.enum(['quarantined', 'dead']) }),
    ]),
    response: Replayed,
    async handler(hub, { body, actor }) {
      const which = 'ids' in body ? { seqs: body.ids.map(Number) } : { state: body.state }
      const seqs = await hub.db.transaction().execute(async (trx) => {
        const replayed = await replayInbox(trx, which)
        await audit(trx, actor, 'inbox.replayed', 'ids' in body ? 'several' : body.state, { count: replayed.length })
        return replayed
      })
      hub.signals.raise('inbox')
      return { replayed: seqs.map(String) }
    },
  }),
]
