/** What Acme Desk sends and answers. Only fields we read; unknown ones are passed over. */
import { z } from 'zod'

/** Ids are numbers at the vendor and text here. Beyond 2^53 they are refused: where they are so long, read with `parseExact`. */
const id = z.union([z.string().min(1), z.int().transform(String)])
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

export const wireStates = ['new', 'open', 'waiting', 'done'] as const

// https://developers.acme-desk.example/api/tickets, read <date>
const wireTicket = z.object({
  id,
  subject: z.string(),
  state: z.enum(wireStates),
  tags: z.array(z.string()),
  requester: z.object({ id, name: z.string().exactOptional(), email: z.string().exactOptional() }),
  created_at: time,
  updated_at: time,
})
export type WireTicket = z.output<typeof wireTicket>
export type WireState = WireTicket['state']

// https://developers.acme-desk.example/api/comments, read <date>
const wireComment = z.object({
  id,
  ticket_id: id,
  is_public: z.boolean(),
  by: z.enum(['requester', 'agent']),
  text: z.string(),
  created_at: time,
})
export type WireComment = z.output<typeof wireComment>

// https://developers.acme-desk.example/webhooks, read <date>
const head = { event_id: id, at: time, via_api: z.boolean() }
export const wireEvent = z.discriminatedUnion('event', [
  z.object({ ...head, event: z.literal('ticket'), ticket: wireTicket }),
  z.object({ ...head, event: z.literal('comment'), comment: wireComment }),
])
export type WireEvent = z.output<typeof wireEvent>

export const wireAccount = z.object({ account: z.string() })
export const wireTicketPage = z.object({ tickets: z.array(wireTicket), next: z.string() })
export const wireCreated = z.object({ id, updated_at: time.exactOptional() })
