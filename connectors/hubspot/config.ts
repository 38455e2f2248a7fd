import { z } from 'zod'
import { caseStatuses } from '#hub/connector/facts.ts'

/**
 * HubSpot's versions are dates: generally available each March and September, supported for 18 months. Everything is called in
 * this one. https://developers.hubspot.com/docs/developer-tooling/platform/versioning
 */
export const apiVersion = '2026-03'
/** Conversations had no dated version before. */
export const conversationsVersion = '2026-09'

export const numericId = z.string().regex(/^\d{1,20}$/, 'digits only, as HubSpot shows the id')
const secret = z.string().min(1).meta({ secret: true })
const property = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,99}$/, "a property's internal name: lower-case letters, digits and _")

export const config = z.strictObject({
  /** Token of a private app, or an OAuth access token. */
  access_token: secret.meta({ secret: true, description: 'of a private app' }),
  /** The app's client secret, which signs its webhooks. */
  webhook_secret: secret.optional(),
  /** The account (Hub ID). One app's webhooks come from all accounts that installed it; only this one's are taken. */
  portal_id: numericId.meta({ description: 'the Hub ID' }),
  /** The app's id: changes that it made are our own echo. */
  hub_app_id: numericId.optional(),
  /** Where new tickets go; HubSpot's first pipeline is "0". */
  pipeline_id: z.string().min(1).default('0'),
  /** What a stage means, by its id, where state and label of the stage do not tell. */
  stages: z.record(z.string(), z.enum(caseStatuses)).default({}),
  /** Ticket property with unique values: the hub's key of a ticket that it opened. */
  key_property: property.optional(),
  /** Ticket property of type "multiple checkboxes": the tags. HubSpot's tickets have none of their own. */
  tags_property: property.optional(),
  /** Number properties for the survey score: on the ticket, and on the contact. */
  ticket_score_property: property.optional(),
  contact_score_property: property.optional(),
  /** Further ticket properties to read as custom fields. */
  ticket_properties: z.array(property).max(50).default([]),
  /** Further contact properties to read as traits. */
  contact_properties: z.array(property).max(50).default([]),
  /** Contact property with unique values: who a person without an e-mail address is, by the trait of this name. */
  contact_key_property: property.optional(),
  /** `A-` and the user id of the agent in whose name public replies are sent. */
  sender_actor_id: z
    .string()
    .regex(/^A-\d{1,20}$/, 'A- and a user id, such as A-55')
    .optional(),
  /** Only for sandboxes and proxies; the host must be one the hub may call. */
  api_base: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
})

export type HubspotConfig = z.output<typeof config>

/** Without a slash at the end. */
export function apiBase(value: Pick<HubspotConfig, 'api_base'>): string {
  return value.api_base ?? 'https://api.hubapi.com'
}

/** Where an agent opens the ticket. */
export function ticketUrl(value: Pick<HubspotConfig, 'portal_id'>, ticketId: string): string {
  return `https://app.hubspot.com/contacts/${value.portal_id}/record/0-5/${ticketId}`
}
