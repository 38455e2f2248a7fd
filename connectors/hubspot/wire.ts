/** HubSpot's shapes, as far as we read them; unknown fields pass. Ids are strings here, exact to the last digit. */
import { z } from 'zod'

const id = z
  .union([z.string(), z.number().int().nonnegative()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,20}$/))
const text = z.string().nullish()
const paging = z.object({ next: z.object({ after: z.string() }).nullish() }).nullish()

/** https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis — values of properties are text or null. */
export const WireObject = z.object({
  id,
  properties: z.record(z.string(), z.string().nullable()).default({}),
  createdAt: text,
  updatedAt: text,
  archived: z.boolean().nullish(),
  /** Answers to an upsert: it was not there before. */
  new: z.boolean().nullish(),
})
export type WireObject = z.output<typeof WireObject>

/** All of it is optional. https://developers.hubspot.com/docs/api-reference/error-handling */
export const WireProblem = z.object({
  message: text,
  category: text,
  errors: z.array(z.object({ message: text })).nullish(),
})

/** Answers of batches: 200, or 207 when some inputs failed. */
export const WireBatch = z.object({
  results: z.array(WireObject).default([]),
  errors: z.array(WireProblem).nullish(),
})

export const WireFound = z.object({ results: z.array(WireObject), paging })

/** https://developers.hubspot.com/docs/api-reference/latest/crm/associations */
export const WireAssociations = z.object({
  results: z
    .array(z.object({ from: z.object({ id }), to: z.array(z.object({ toObjectId: id })).default([]) }))
    .default([]),
})

/** https://developers.hubspot.com/docs/api-reference/latest/crm/owners */
export const WireOwners = z.object({
  results: z.array(z.object({ id, userId: id.nullish(), email: text, firstName: text, lastName: text })),
  paging,
})
export type WireOwner = z.output<typeof WireOwners>['results'][number]

/** https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines */
export const WirePipelines = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      label: z.string().default(''),
      stages: z
        .array(
          z.object({
            id: z.string(),
            label: z.string().default(''),
            displayOrder: z.number().default(0),
            metadata: z.object({ ticketState: text }).nullish(),
          }),
        )
        .default([]),
    }),
  ),
})

/** https://developers.hubspot.com/docs/api-reference/latest/crm/properties */
export const WireProperty = z.object({
  name: z.string(),
  type: text,
  fieldType: text,
  hasUniqueValue: z.boolean().nullish(),
})
export type WireProperty = z.output<typeof WireProperty>

/** https://developers.hubspot.com/docs/api-reference/latest/account/account-information */
export const WireAccount = z.object({ portalId: id, uiDomain: text })

/** https://developers.hubspot.com/docs/api-reference/latest/conversations/inbox-and-messages */
export const WireThread = z.object({
  id: z.string(),
  status: text,
  originalChannelId: text,
  originalChannelAccountId: text,
  latestMessageTimestamp: text,
  threadAssociations: z.object({ associatedTicketId: text }).nullish(),
})
export const WireThreads = z.object({ results: z.array(WireThread), paging })
export type WireThread = z.output<typeof WireThread>

export const WireThreadMessage = z.object({ id: z.string(), createdAt: text })

/** https://developers.hubspot.com/docs/api-reference/latest/files */
export const WireFile = z.object({ id })

export const WireAnything = z.unknown()

/** 253402300799999 is the last millisecond of the year 9999. */
const epochMs = z.number().int().min(0).max(253_402_300_799_999)

/** What every event has. https://developers.hubspot.com/docs/api-reference/latest/webhooks */
export const WireEventHead = z.object({
  portalId: id,
  subscriptionId: id.nullish(),
  occurredAt: epochMs,
  subscriptionType: text,
  /** The name of the type in some deliveries. */
  eventType: text,
})

export const WireEvent = WireEventHead.extend({
  objectId: id.nullish(),
  objectTypeId: text,
  propertyName: text,
  messageId: text,
  changeSource: text,
  sourceId: z.union([z.string(), z.number()]).transform(String).nullish(),
  fromObjectId: id.nullish(),
  toObjectId: id.nullish(),
  fromObjectTypeId: text,
  toObjectTypeId: text,
  associationTypeId: id.nullish(),
  associationType: text,
  associationRemoved: z.boolean().nullish(),
  primaryObjectId: id.nullish(),
  newObjectId: id.nullish(),
  mergedObjectIds: z.array(id).nullish(),
})
export type WireEvent = z.output<typeof WireEvent>

export const WirePortal = z.object({ portalId: id })
