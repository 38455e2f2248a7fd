/** The shapes of facts.ts, checked at run time: a connector's answer must be exactly that, with nothing else in it. */

import { z } from 'zod'
import {
  type CaseFacts,
  casePriorities,
  caseStatuses,
  channels,
  type Observation,
  type PersonFacts,
  surveyScales,
  visibilities,
} from '#hub/connector/facts.ts'

const id = z.string().min(1)
const time = z.iso.datetime({ offset: false })
const scalar = z.union([z.string(), z.number(), z.boolean()])
const fields = z.record(z.string(), z.union([scalar, z.array(scalar), z.null()]))

const company = z.strictObject({
  id: id.exactOptional(),
  name: z.string().exactOptional(),
  domain: z.string().exactOptional(),
  traits: fields.exactOptional(),
})
const person: z.ZodType<PersonFacts> = z.strictObject({
  id: id.exactOptional(),
  name: z.string().exactOptional(),
  emails: z.array(z.string()).exactOptional(),
  phones: z.array(z.string()).exactOptional(),
  company: company.exactOptional(),
  locale: z.string().exactOptional(),
  traits: fields.exactOptional(),
  verified: z.boolean().exactOptional(),
  updatedAt: time.exactOptional(),
})
const agent = z.strictObject({
  id: id.exactOptional(),
  name: z.string().exactOptional(),
  email: z.string().exactOptional(),
})
const caseFacts = z.strictObject({
  id,
  subject: z.string().exactOptional(),
  status: z.enum(caseStatuses).exactOptional(),
  priority: z.enum(casePriorities).nullable().exactOptional(),
  channel: z.enum(channels).exactOptional(),
  tags: z.array(z.string()).exactOptional(),
  requester: person.exactOptional(),
  assignee: agent.nullable().exactOptional(),
  team: z.string().nullable().exactOptional(),
  custom: fields.exactOptional(),
  url: z.string().exactOptional(),
  createdAt: time.exactOptional(),
  updatedAt: time.exactOptional(),
  version: z.string().exactOptional(),
  deleted: z.boolean().exactOptional(),
  createdByKey: z.string().exactOptional(),
} satisfies Record<keyof CaseFacts, z.ZodType>)
const attachment = z.strictObject({
  id: id.exactOptional(),
  name: z.string(),
  contentType: z.string().exactOptional(),
  sizeBytes: z.number().int().nonnegative().exactOptional(),
  url: z.string().exactOptional(),
})
const author = z.strictObject({
  kind: z.enum(['customer', 'agent', 'system']),
  id: id.exactOptional(),
  name: z.string().exactOptional(),
  email: z.string().exactOptional(),
  verified: z.literal(false).exactOptional(),
})
const message = z.strictObject({
  id,
  visibility: z.enum(visibilities),
  author,
  text: z.string(),
  html: z.string().exactOptional(),
  attachments: z.array(attachment).exactOptional(),
  sentAt: time,
})
const rating = z.strictObject({
  scale: z.enum(surveyScales),
  score: z.number().int(),
  comment: z.string().exactOptional(),
})
const thread = z.strictObject({
  opens: caseFacts,
  proven: z.array(id),
  answers: z.array(id),
  from: z.string().min(1),
  guests: z.array(z.string().min(1)).exactOptional(),
  automatic: z.boolean(),
})
const bounce = z.strictObject({
  caseId: id,
  messageId: id.exactOptional(),
  address: z.string().min(1),
  permanent: z.boolean(),
  reason: z.string(),
})
const place = z.strictObject({
  channel: id,
  thread: id.exactOptional(),
  message: id.exactOptional(),
  reference: z.string().exactOptional(),
})
const act = z.strictObject({
  act: z.string(),
  value: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.boolean()])),
})
const unnamed = z.strictObject({ at: z.string().min(1), seen: z.array(attachment).min(1) })
const chatMessage = z.strictObject({
  id,
  text: z.string(),
  files: z.array(attachment),
  unnamed: unnamed.exactOptional(),
})
const what = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('press'), act, isRefresh: z.literal(true).exactOptional() }),
  z.strictObject({ kind: z.literal('submit'), act }),
  z.strictObject({ kind: z.enum(['message', 'edited']), message: chatMessage }),
  z.strictObject({ kind: z.literal('deleted'), messageId: id }),
  z.strictObject({ kind: z.literal('reaction'), name: z.string() }),
  z.strictObject({ kind: z.literal('asked'), text: z.string(), messageId: id.exactOptional() }),
  z.strictObject({
    kind: z.literal('shortcut'),
    name: z.enum(['create_case', 'public_reply', 'find_case']),
    message: chatMessage
      .extend({ authorId: id.exactOptional(), authorName: z.string().exactOptional() })
      .exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('search'),
    text: z.string(),
    skip: z.number().int().nonnegative(),
    count: z.number().int().positive(),
  }),
  z.strictObject({ kind: z.literal('links'), urls: z.array(z.string()) }),
  z.strictObject({ kind: z.literal('home') }),
  z.strictObject({
    kind: z.literal('channel'),
    state: z.enum(['open', 'gone']),
    name: z.string().exactOptional(),
    isDirect: z.boolean().exactOptional(),
    group: id.exactOptional(),
  }),
  z.strictObject({ kind: z.literal('uninstalled'), install: id }),
])
const happening = z.strictObject({
  user: z.string(),
  userName: z.string().exactOptional(),
  place: place.exactOptional(),
  locale: z.string().exactOptional(),
  timeZone: z.string().exactOptional(),
  handle: z.string().exactOptional(),
  awaits: z.literal(true).exactOptional(),
  what,
})
const head = { occurredAt: time, byHub: z.boolean() }

export const observationSchema: z.ZodType<Observation> = z.discriminatedUnion('type', [
  z.strictObject({ ...head, type: z.literal('case'), case: caseFacts }),
  z.strictObject({ ...head, type: z.literal('message'), caseId: id, message }),
  z.strictObject({ ...head, type: z.literal('file'), caseId: id, messageId: id, file: attachment }),
  z.strictObject({ ...head, type: z.literal('threaded'), message, thread }),
  z.strictObject({ ...head, type: z.literal('bounce'), bounce }),
  z.strictObject({ ...head, type: z.literal('person'), person }),
  z.strictObject({ ...head, type: z.literal('chat'), happening }),
  z.strictObject({ ...head, type: z.literal('rating'), caseId: id, rating }),
  z.strictObject({ ...head, type: z.literal('pointer'), entity: z.enum(['case', 'person']), id }),
])
