/**
 * What Teams sends, as far as it is used. Tolerant: what is missing, null or of another type counts as absent, unless an
 * activity means nothing without it.
 * https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference (read 2026-11)
 */
import { z } from 'zod'

const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined)
const listOf = <T extends z.ZodType>(schema: T) =>
  z
    .array(z.unknown())
    .catch([])
    .transform((items) => items.flatMap((item) => schema.safeParse(item).data ?? []))
const id = z.string().min(1)

const WireAccount = z.object({ id, name: maybe(z.string()), aadObjectId: maybe(id), tenantId: maybe(id) })
export type WireAccount = z.output<typeof WireAccount>

const WireMention = z.object({
  type: z.literal('mention'),
  text: id,
  mentioned: z.object({ id, name: maybe(z.string()) }),
})
export type WireMention = z.output<typeof WireMention>

const WireClientInfo = z.object({ type: z.literal('clientInfo'), timezone: maybe(z.string()) })

const WireHtml = z.object({ contentType: z.literal('text/html'), content: z.string() })
/** In private conversations with the app only. */
const WireFile = z.object({
  contentType: z.literal('application/vnd.microsoft.teams.file.download.info'),
  name: maybe(z.string()),
  contentUrl: z.url(),
})
const WireImage = z.object({
  contentType: z.string().startsWith('image/'),
  name: maybe(z.string()),
  contentUrl: z.url(),
})
/** As Microsoft Graph and the menu of a message tell of a file: where it lies in SharePoint. */
export const WireReference = z.object({
  contentType: z.literal('reference'),
  name: maybe(z.string().min(1)),
  contentUrl: z.url(),
})

export const WireActivity = z.object({
  type: id,
  id: maybe(id),
  name: maybe(id),
  action: maybe(id),
  timestamp: maybe(id),
  serviceUrl: z.url(),
  channelId: id,
  from: WireAccount,
  recipient: maybe(WireAccount),
  conversation: z.object({ id, conversationType: maybe(id), tenantId: maybe(id), name: maybe(z.string()) }),
  replyToId: maybe(id),
  text: maybe(z.string()),
  locale: maybe(id),
  entities: listOf(z.union([WireMention, WireClientInfo])),
  attachments: listOf(z.union([WireHtml, WireFile, WireImage])),
  membersAdded: listOf(WireAccount),
  membersRemoved: listOf(WireAccount),
  reactionsAdded: listOf(z.object({ type: id })),
  reactionsRemoved: listOf(z.object({ type: id })),
  value: z.unknown().optional(),
  channelData: maybe(
    z.object({
      tenant: maybe(z.object({ id })),
      team: maybe(z.object({ id, aadGroupId: maybe(id), name: maybe(z.string()) })),
      channel: maybe(z.object({ id, name: maybe(z.string()) })),
      eventType: maybe(id),
    }),
  ),
})
export type WireActivity = z.output<typeof WireActivity>

/** The values of invokes. */
export const WireExecute = z.object({
  action: z.object({ verb: maybe(z.string()), data: z.unknown().optional() }),
  trigger: maybe(z.enum(['manual', 'automatic'])),
})
export const WireTask = z.object({ data: z.unknown().optional() })
export const WireLink = z.object({ url: z.url() })
export const WireQuery = z.object({
  commandId: id,
  parameters: listOf(z.object({ name: id, value: z.string() })),
  queryOptions: maybe(z.object({ skip: z.int().nonnegative(), count: z.int().positive() })),
})
const WireSharedMessage = z.object({
  id,
  createdDateTime: maybe(id),
  linkToMessage: maybe(z.url()),
  from: maybe(z.object({ user: maybe(z.object({ id, displayName: maybe(z.string()) })) })),
  body: z.object({ contentType: z.enum(['html', 'text']).catch('text'), content: z.string() }),
  attachments: listOf(WireReference),
})
export type WireSharedMessage = z.output<typeof WireSharedMessage>
export const WireShortcut = z.object({
  commandId: id,
  commandContext: maybe(id),
  data: z.unknown().optional(),
  messagePayload: maybe(WireSharedMessage),
})
