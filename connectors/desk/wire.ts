/**
 * The hub's own event format, as a desk sends it: snake_case, ids as text or whole numbers, times with their offset.
 * Unknown fields are passed over. Documented in README.md.
 */

import { z } from 'zod'
import { casePriorities, caseStatuses, channels, surveyScales, visibilities } from '#hub/connector/facts.ts'

/** Ids are text; a number stays exact, because `exactJson` has already made text of those that are too long for one. */
const id = z.union([z.string().min(1).max(500), z.int().transform(String)])
/** ISO 8601 with `Z` or an offset; told in UTC from here on. */
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())
const text = z.string().max(1_000_000)
const line = z.string().max(2_000)
const scalar = z.union([text, z.number(), z.boolean()])
const fields = z.record(z.string().max(200), z.union([scalar, z.array(scalar), z.null()]))

const wireCompany = z.object({
  id: id.exactOptional(),
  name: line.exactOptional(),
  domain: line.exactOptional(),
  traits: fields.exactOptional(),
})
const wirePerson = z.object({
  id: id.exactOptional(),
  name: line.exactOptional(),
  emails: z.array(line).max(100).exactOptional(),
  phones: z.array(line).max(100).exactOptional(),
  company: wireCompany.exactOptional(),
  locale: line.exactOptional(),
  traits: fields.exactOptional(),
  verified: z.boolean().exactOptional(),
  updated_at: time.exactOptional(),
})
const wireAgent = z.object({ id: id.exactOptional(), name: line.exactOptional(), email: line.exactOptional() })
const wireCase = z.object({
  id,
  subject: text.exactOptional(),
  status: z.enum(caseStatuses).exactOptional(),
  priority: z.enum(casePriorities).nullable().exactOptional(),
  channel: z.enum(channels).exactOptional(),
  tags: z.array(line).max(1_000).exactOptional(),
  requester: wirePerson.exactOptional(),
  assignee: wireAgent.nullable().exactOptional(),
  team: line.nullable().exactOptional(),
  custom: fields.exactOptional(),
  url: line.exactOptional(),
  created_at: time.exactOptional(),
  updated_at: time.exactOptional(),
  version: id.exactOptional(),
  deleted: z.boolean().exactOptional(),
})
const wireAttachment = z.object({
  id: id.exactOptional(),
  name: line,
  content_type: line.exactOptional(),
  size_bytes: z.int().nonnegative().exactOptional(),
  url: line.exactOptional(),
})
const wireMessage = z.object({
  id,
  case_id: id,
  /** A message that does not say who may see it is internal. */
  visibility: z.enum(visibilities).default('internal'),
  author: z.object({
    kind: z.enum(['customer', 'agent', 'system']),
    id: id.exactOptional(),
    name: line.exactOptional(),
    email: line.exactOptional(),
  }),
  text,
  html: text.exactOptional(),
  attachments: z.array(wireAttachment).max(200).exactOptional(),
  sent_at: time.exactOptional(),
})
const highest = { csat_5: [1, 5], nps_11: [0, 10], ces_7: [1, 7] } as const
const wireRating = z
  .object({ case_id: id, scale: z.enum(surveyScales), score: z.int(), comment: text.exactOptional() })
  .refine(({ scale, score }) => score >= highest[scale][0] && score <= highest[scale][1], {
    path: ['score'],
    message: 'outside the scale: csat_5 has 1 to 5, nps_11 0 to 10, ces_7 1 to 7',
  })

const head = { occurred_at: time, by_hub: z.boolean().default(false) }
export const wireEvent = z.discriminatedUnion('type', [
  z.object({ ...head, type: z.literal('case'), case: wireCase }),
  z.object({ ...head, type: z.literal('message'), message: wireMessage }),
  z.object({ ...head, type: z.literal('person'), person: wirePerson }),
  z.object({ ...head, type: z.literal('rating'), rating: wireRating }),
])
export type WireEvent = z.output<typeof wireEvent>
export type WirePerson = z.output<typeof wirePerson>
export type WireCase = z.output<typeof wireCase>
export type WireMessage = z.output<typeof wireMessage>

/** What a desk may answer when the hub told it to do something. */
export const wireReceipt = z.object({
  id: id.exactOptional(),
  url: line.exactOptional(),
  updated_at: time.exactOptional(),
  version: id.exactOptional(),
})
