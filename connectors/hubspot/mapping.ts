/** HubSpot's shapes to the hub's words and back. Pure. */
import type {
  AgentFacts,
  CaseFacts,
  CasePriority,
  CaseStatus,
  Channel,
  CompanyFacts,
  FieldValue,
  PersonFacts,
  RatingFacts,
} from '#hub/connector/facts.ts'
import { readTimestamp } from '#hub/connector/hmac.ts'
import { type HubspotConfig, ticketUrl } from './config.ts'
import type { WireObject, WireOwner, WireProperty } from './wire.ts'

/** https://developers.hubspot.com/docs/api-reference/latest/crm/objects/tickets */
const wirePriorities = ['LOW', 'MEDIUM', 'HIGH', 'URGENT'] as const
type WirePriority = (typeof wirePriorities)[number]

const toPriority = {
  LOW: 'low',
  MEDIUM: 'normal',
  HIGH: 'high',
  URGENT: 'urgent',
} as const satisfies Record<WirePriority, CasePriority>

export const fromPriority = {
  low: 'LOW',
  normal: 'MEDIUM',
  high: 'HIGH',
  urgent: 'URGENT',
} as const satisfies Record<CasePriority, WirePriority>

/** The list grows; others stay unsaid. */
const toChannel: ReadonlyMap<string, Channel> = new Map(
  Object.entries({
    EMAIL: 'email',
    CHAT: 'chat',
    FORM: 'web',
    PHONE: 'phone',
    FB_MESSENGER: 'social',
    WHATSAPP: 'social',
  } as const satisfies Readonly<Record<string, Channel>>),
)

export interface Stage {
  readonly id: string
  readonly pipelineId: string
  readonly label: string
  readonly status: CaseStatus
}

/** What the admin says counts most, then whether HubSpot counts the stage as closed, then the words of its label. */
export function statusOfStage(
  stage: { readonly id: string; readonly label: string; readonly ticketState: string | null | undefined },
  config: Pick<HubspotConfig, 'stages'>,
): CaseStatus {
  const said = config.stages[stage.id]
  if (said) return said
  // Closed tickets of HubSpot can be opened again, which is what the hub calls solved.
  if (stage.ticketState === 'CLOSED') return 'solved'
  const label = stage.label.toLowerCase()
  if (/^new\b/.test(label)) return 'new'
  if (/\bhold\b/.test(label)) return 'on_hold'
  if (/\b(waiting on (the )?(contact|customer)|pending)\b/.test(label)) return 'pending'
  return 'open'
}

export const ticketProperties = [
  'subject',
  'hs_pipeline',
  'hs_pipeline_stage',
  'hs_ticket_priority',
  'hubspot_owner_id',
  'source_type',
  'createdate',
  'hs_lastmodifieddate',
] as const
export const contactProperties = [
  'email',
  'hs_additional_emails',
  'firstname',
  'lastname',
  'phone',
  'mobilephone',
  'hs_language',
  'lastmodifieddate',
] as const
export const companyProperties = ['name', 'domain'] as const

/** Properties of tickets that are custom fields to the hub. */
export function customNames(config: HubspotConfig): readonly string[] {
  const { ticket_score_property: score, ticket_properties: more } = config
  return [...new Set([...(score ? [score] : []), ...more])]
}

/** Properties of contacts that are traits to the hub. */
export function traitNames(config: HubspotConfig): readonly string[] {
  const { contact_key_property: key, contact_properties: more } = config
  return [...new Set([...(key ? [key] : []), ...more])]
}

/** HubSpot's times are ISO 8601 in most answers and milliseconds since 1970 in some. */
export function utc(time: string | null | undefined): string | undefined {
  if (!time) return undefined
  const at = /^\d{1,13}$/.test(time) ? Number(time) : readTimestamp(time, 'rfc3339')
  return at === undefined ? undefined : new Date(at).toISOString()
}

/** Values joined with `;`, with or without one at the ends. */
export function valuesOf(joined: string | null | undefined): string[] {
  return (joined ?? '').split(';').filter((value) => value !== '')
}

/** Definitions of properties, by name. */
export type Fields = ReadonlyMap<string, WireProperty>

/** What a ticket's values point to. */
export interface Around {
  readonly stages: ReadonlyMap<string, Stage>
  readonly owners: ReadonlyMap<string, WireOwner>
  /** By ticket. */
  readonly requesters: ReadonlyMap<string, PersonFacts>
  readonly fields: Fields
}

export function toCase(ticket: WireObject, around: Around, config: HubspotConfig): CaseFacts {
  const { properties } = ticket
  const createdAt = utc(properties['createdate'] ?? ticket.createdAt)
  const updatedAt = utc(properties['hs_lastmodifieddate'] ?? ticket.updatedAt)
  const times = { ...(createdAt ? { createdAt } : {}), ...(updatedAt ? { updatedAt } : {}) }
  if (ticket.archived) return { id: ticket.id, ...times, deleted: true }

  const status = around.stages.get(properties['hs_pipeline_stage'] ?? '')?.status
  const priority = priorityOf(properties['hs_ticket_priority'])
  const channel = toChannel.get(properties['source_type'] ?? '')
  const tags = config.tags_property === undefined ? undefined : properties[config.tags_property]
  const key = config.key_property === undefined ? undefined : properties[config.key_property]
  const owner = properties['hubspot_owner_id']
  const requester = around.requesters.get(ticket.id)
  return {
    id: ticket.id,
    ...(properties['subject'] ? { subject: properties['subject'] } : {}),
    ...(status ? { status } : {}),
    ...(priority === undefined ? {} : { priority }),
    ...(channel ? { channel } : {}),
    ...(tags === undefined ? {} : { tags: valuesOf(tags) }),
    ...(requester ? { requester } : {}),
    ...(owner === undefined ? {} : { assignee: toAgent(owner, around.owners) }),
    ...fieldsIn(properties, around.fields, 'custom'),
    url: ticketUrl(config, ticket.id),
    ...times,
    ...(key ? { createdByKey: key } : {}),
  }
}

function priorityOf(wire: string | null | undefined): CasePriority | null | undefined {
  if (wire === undefined) return undefined
  if (wire === null || wire === '') return null
  const priority = wirePriorities.find((known) => known === wire)
  return priority && toPriority[priority]
}

export function toAgent(id: string | null, owners: Around['owners']): AgentFacts | null {
  if (!id) return null
  const owner = owners.get(id)
  const name = nameOf(owner?.firstName, owner?.lastName)
  return { id, ...(name ? { name } : {}), ...(owner?.email ? { email: owner.email } : {}) }
}

function nameOf(first: string | null | undefined, last: string | null | undefined): string {
  return [first, last].filter(Boolean).join(' ')
}

export function toPerson(contact: WireObject, company: WireObject | undefined, fields: Fields): PersonFacts {
  const { properties } = contact
  const name = nameOf(properties['firstname'], properties['lastname'])
  const emails = [properties['email'], ...valuesOf(properties['hs_additional_emails'])].filter((one) => !!one)
  const phones = [properties['phone'], properties['mobilephone']].filter((one) => !!one)
  const locale = localeOf(properties['hs_language'])
  const updatedAt = utc(properties['lastmodifieddate'] ?? contact.updatedAt)
  return {
    id: contact.id,
    ...(name ? { name } : {}),
    ...(emails.length > 0 ? { emails: unique(emails) } : {}),
    ...(phones.length > 0 ? { phones: unique(phones) } : {}),
    ...(company ? { company: toCompany(company) } : {}),
    ...(locale ? { locale } : {}),
    ...fieldsIn(properties, fields, 'traits'),
    ...(updatedAt ? { updatedAt } : {}),
  }
}

function unique(values: readonly (string | null | undefined)[]): string[] {
  return [...new Set(values.filter((value) => typeof value === 'string'))]
}

/** HubSpot writes `en-us`. */
function localeOf(language: string | null | undefined): string | undefined {
  if (!language) return undefined
  try {
    return Intl.getCanonicalLocales(language.replaceAll('_', '-'))[0]
  } catch {
    return undefined
  }
}

function toCompany(company: WireObject): CompanyFacts {
  const { name, domain } = company.properties
  return { id: company.id, ...(name ? { name } : {}), ...(domain ? { domain: domain.toLowerCase() } : {}) }
}

/** HubSpot tells every value as text; the property's definition says what it is. */
function fieldsIn<K extends 'custom' | 'traits'>(
  properties: WireObject['properties'],
  fields: Fields,
  as: K,
): { readonly [P in K]?: Record<string, FieldValue> } {
  const found = [...fields].flatMap(([name, field]): [string, FieldValue][] => {
    const value = properties[name]
    return value === undefined ? [] : [[name, typedValue(value, field)]]
  })
  const result: { [P in K]?: Record<string, FieldValue> } = {}
  if (found.length > 0) result[as] = Object.fromEntries(found)
  return result
}

function typedValue(text: string | null, field: WireProperty): FieldValue {
  if (text === null || text === '') return null
  if (field.fieldType === 'checkbox') return valuesOf(text)
  if (field.type === 'bool') return text === 'true'
  return field.type === 'number' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** A value for a property; an empty text empties it. */
export function fromValue(value: FieldValue): string {
  if (value === null) return ''
  return Array.isArray(value) ? value.map(String).join(';') : String(value)
}

/** The first word is the first name: all that can be said about a name in one piece. */
export function fromName(name: string | undefined): Record<string, string> {
  const [first = '', ...rest] = (name ?? '').trim().split(/\s+/)
  return { ...(first ? { firstname: first } : {}), ...(rest.length > 0 ? { lastname: rest.join(' ') } : {}) }
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (char) => entities[char] ?? char)
}
export function htmlOf(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((part) => `<p>${escaped(part).replaceAll('\n', '<br>')}</p>`)
    .join('')
}

const scaleWords = {
  csat_5: { name: 'CSAT', best: 5 },
  nps_11: { name: 'NPS', best: 10 },
  ces_7: { name: 'CES', best: 7 },
} as const satisfies Record<RatingFacts['scale'], { name: string; best: number }>

export function ratingNote(rating: RatingFacts): string {
  const { name, best } = scaleWords[rating.scale]
  return [`${name}: ${rating.score} of ${best}`, ...(rating.comment ? [rating.comment] : [])].join('\n\n')
}
