/** Zendesk's shapes to the hub's words and back. Pure. */
import type { OutMessage } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type {
  AgentFacts,
  Attachment,
  Author,
  CaseFacts,
  CasePriority,
  CaseStatus,
  Channel,
  CompanyFacts,
  FieldValue,
  MessageFacts,
  PersonFacts,
  RatingFacts,
  Scalar,
} from '#hub/connector/facts.ts'
import { readTimestamp } from '#hub/connector/hmac.ts'
import { agentUrl, type ZendeskConfig } from './config.ts'
import {
  type WireComment,
  type WireOrganization,
  type WirePriority,
  type WireStatus,
  type WireTicket,
  type WireTickets,
  type WireUser,
  wireId,
  wirePriorities,
  wireStatuses,
} from './wire.ts'

const toStatus = {
  new: 'new',
  open: 'open',
  pending: 'pending',
  hold: 'on_hold',
  solved: 'solved',
  closed: 'closed',
} as const satisfies Record<WireStatus, CaseStatus>

export const fromStatus = {
  new: 'new',
  open: 'open',
  pending: 'pending',
  on_hold: 'hold',
  solved: 'solved',
  closed: 'closed',
} as const satisfies Record<CaseStatus, WireStatus>

const toPriority = {
  low: 'low',
  normal: 'normal',
  high: 'high',
  urgent: 'urgent',
} as const satisfies Record<WirePriority, CasePriority>

export const fromPriority = {
  low: 'low',
  normal: 'normal',
  high: 'high',
  urgent: 'urgent',
} as const satisfies Record<CasePriority, WirePriority>

/** https://developer.zendesk.com/documentation/ticketing/reference-guides/via-types/ — the list grows; others stay unsaid. */
const toChannel: ReadonlyMap<string, Channel> = new Map(
  Object.entries({
    email: 'email',
    mail: 'email',
    web: 'web',
    web_form: 'web',
    web_widget: 'web',
    help_center: 'web',
    mobile: 'web',
    mobile_sdk: 'web',
    chat: 'chat',
    chat_transcript: 'chat',
    native_messaging: 'chat',
    sunshine_conversations_api: 'chat',
    whatsapp: 'social',
    line: 'social',
    telegram: 'social',
    instagram_dm: 'social',
    facebook: 'social',
    twitter: 'social',
    any_channel: 'social',
    voice: 'phone',
    phone: 'phone',
    api: 'api',
  } as const satisfies Readonly<Record<string, Channel>>),
)

/** Zendesk writes statuses and priorities in capitals in events and in lower case in REST. */
function statusOf(wire: string): CaseStatus | undefined {
  const status = wireStatuses.find((known) => known === wire.toLowerCase())
  return status && toStatus[status]
}

function priorityOf(wire: string): CasePriority | undefined {
  const priority = wirePriorities.find((known) => known === wire.toLowerCase())
  return priority && toPriority[priority]
}

/** RFC 3339, nanoseconds too, as `2026-11-20T10:15:30.000Z`; undefined when it is none. */
export function utc(time: string | null | undefined): string | undefined {
  const at = time ? readTimestamp(time, 'rfc3339') : undefined
  return at === undefined ? undefined : new Date(at).toISOString()
}

/** Records by id, to find what a ticket or a user points to. */
export function byId<T extends { readonly id: string }>(records: readonly T[]): ReadonlyMap<string, T> {
  return new Map(records.map((record) => [record.id, record]))
}

export interface Sideloads {
  readonly users: ReadonlyMap<string, WireUser>
  readonly groups: ReadonlyMap<string, { readonly name: string }>
  readonly organizations: ReadonlyMap<string, WireOrganization>
}

export function sideloadsOf(page: WireTickets): Sideloads {
  return { users: byId(page.users), groups: byId(page.groups), organizations: byId(page.organizations) }
}

export function toCase(
  ticket: WireTicket,
  sideloads: Sideloads,
  config: Pick<ZendeskConfig, 'subdomain' | 'score_field_id'>,
): CaseFacts {
  const createdAt = utc(ticket.created_at)
  const updatedAt = utc(ticket.updated_at)
  const times = { ...(createdAt ? { createdAt } : {}), ...(updatedAt ? { updatedAt } : {}) }
  if (ticket.status === 'deleted') return { id: ticket.id, ...times, deleted: true }

  const status = ticket.status ? statusOf(ticket.status) : undefined
  const priority = ticket.priority ? priorityOf(ticket.priority) : emptyOrUnsaid(ticket.priority)
  const channel = ticket.via?.channel ? toChannel.get(ticket.via.channel) : undefined
  const custom = toFields(
    ticket.custom_fields?.map(({ id, value }) => [id, id === config.score_field_id ? asNumber(value) : value]),
  )
  const team = ticket.group_id ? sideloads.groups.get(ticket.group_id)?.name : emptyOrUnsaid(ticket.group_id)
  return {
    id: ticket.id,
    ...(typeof ticket.subject === 'string' ? { subject: ticket.subject } : {}),
    ...(status ? { status } : {}),
    ...(priority === undefined ? {} : { priority }),
    ...(channel ? { channel } : {}),
    ...(ticket.tags ? { tags: ticket.tags } : {}),
    ...(ticket.requester_id ? { requester: toPersonById(ticket.requester_id, sideloads) } : {}),
    ...(ticket.assignee_id === undefined ? {} : { assignee: toAgentById(ticket.assignee_id, sideloads) }),
    ...(team === undefined ? {} : { team }),
    ...(custom ? { custom } : {}),
    url: agentUrl(config, ticket.id),
    ...times,
    ...(ticket.updated_at ? { version: ticket.updated_at } : {}),
  }
}

/** `null` is news, an absent field (or an empty text, which Zendesk does not send) is none. */
function emptyOrUnsaid(value: string | null | undefined): null | undefined {
  return value === null ? null : undefined
}

function toPersonById(id: string, sideloads: Sideloads): PersonFacts {
  const user = sideloads.users.get(id)
  return user ? toPerson(user, sideloads.organizations) : { id }
}

function toAgentById(id: string | null, sideloads: Sideloads): AgentFacts | null {
  if (id === null) return null
  const user = sideloads.users.get(id)
  return { id, ...(user?.name ? { name: user.name } : {}), ...(user?.email ? { email: user.email } : {}) }
}

export function toPerson(user: WireUser, organizations: ReadonlyMap<string, WireOrganization>): PersonFacts {
  const organization = user.organization_id ? organizations.get(user.organization_id) : undefined
  const traits = toFields(Object.entries(user.user_fields ?? {}))
  const updatedAt = utc(user.updated_at)
  // A shared number (a switchboard) belongs to nobody in particular.
  const phone = user.shared_phone_number ? undefined : user.phone
  return {
    id: user.id,
    ...(user.name ? { name: user.name } : {}),
    ...(user.email ? { emails: [user.email] } : {}),
    ...(phone ? { phones: [phone] } : {}),
    ...(organization ? { company: toCompany(organization) } : {}),
    ...(user.locale ? { locale: user.locale } : {}),
    ...(traits && Object.keys(traits).length > 0 ? { traits } : {}),
    ...(user.verified === false ? { verified: false } : {}),
    ...(updatedAt ? { updatedAt } : {}),
  }
}

function toCompany(organization: WireOrganization): CompanyFacts {
  const traits = toFields(Object.entries(organization.organization_fields ?? {}))
  const domain = organization.domain_names?.[0]?.toLowerCase()
  return {
    id: organization.id,
    ...(organization.name ? { name: organization.name } : {}),
    ...(domain ? { domain } : {}),
    ...(traits && Object.keys(traits).length > 0 ? { traits } : {}),
  }
}

/** Zendesk keeps tags in lower case, and takes a space for the end of one: two words would become two tags. */
export function toTag(tag: string): string {
  return tag.trim().toLowerCase().replaceAll(/\s+/g, '_')
}

/** A comment read from the API; `author` is its record where the sideload has it. */
export function toMessage(comment: WireComment, author: WireUser | undefined): MessageFacts {
  const attachments = (comment.attachments ?? []).map(
    (file): Attachment => ({
      id: file.id,
      name: file.file_name ?? file.id,
      ...(file.content_type ? { contentType: file.content_type } : {}),
      ...(typeof file.size === 'number' ? { sizeBytes: file.size } : {}),
      ...(file.content_url ? { url: file.content_url } : {}),
    }),
  )
  return {
    id: comment.id,
    visibility: comment.public ? 'public' : 'internal',
    author: toAuthor(comment, author),
    text: comment.body ?? comment.plain_body ?? '',
    ...(comment.html_body ? { html: comment.html_body } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
    sentAt: utc(comment.created_at) ?? comment.created_at,
  }
}

function toAuthor(comment: WireComment, author: WireUser | undefined): Author {
  // Zendesk itself writes as user -1.
  if (!comment.author_id || comment.author_id === '-1' || !author?.role) {
    return { kind: 'system', ...(comment.author_id ? { id: comment.author_id } : {}) }
  }
  return {
    kind: author.role === 'end-user' ? 'customer' : 'agent',
    id: author.id,
    ...(author.name ? { name: author.name } : {}),
    ...(author.email ? { email: author.email } : {}),
  }
}

function toFields(entries: readonly (readonly [string, unknown])[] | undefined) {
  if (!entries) return undefined
  const known = entries.flatMap(([name, value]): [string, FieldValue][] => (isFieldValue(value) ? [[name, value]] : []))
  return Object.fromEntries(known)
}

/** A score is a number; a text field gives it back as text. */
function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
}

function isFieldValue(value: unknown): value is FieldValue {
  return value === null || isScalar(value) || (Array.isArray(value) && value.every(isScalar))
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/**
 * `public` is always said: left out, the ticket's first comment decides for all later ones. A note that stands under the
 * hub's account begins with its author's name; a public reply stays as it was written.
 */
export function fromMessage(
  { visibility, text, html, author }: Pick<OutMessage, 'visibility' | 'text' | 'html' | 'author'>,
  { isOwnAccount } = { isOwnAccount: false },
): { body: string; public: boolean } | { html_body: string; public: boolean } {
  const isPublic = visibility === 'public'
  const name = isPublic || isOwnAccount ? undefined : (author?.name ?? author?.email)
  const by = name === undefined ? '' : `${name} (via Deskweave):`
  if (html) return { html_body: `${by && `<p>${escaped(by)}</p>`}${html}`, public: isPublic }
  return { body: `${by && `${by}\n`}${text}`, public: isPublic }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** @throws ConnectorError rejected when a field is not named by its id. */
export function fromCustom(custom: Readonly<Record<string, FieldValue>>) {
  return Object.entries(custom).map(([id, value]) => {
    if (/^\d+$/.test(id)) return { id: wireId(id), value }
    throw new ConnectorError(
      'rejected',
      `custom field "${id}": Zendesk's fields go by their ids; find it in Admin Center > Objects and rules > Tickets > Fields`,
    )
  })
}

const scaleWords = {
  csat_5: { tag: 'csat', name: 'CSAT', best: 5 },
  nps_11: { tag: 'nps', name: 'NPS', best: 10 },
  ces_7: { tag: 'ces', name: 'CES', best: 7 },
} as const satisfies Record<RatingFacts['scale'], { tag: string; name: string; best: number }>

export function ratingNote(rating: RatingFacts): string {
  const { name, best } = scaleWords[rating.scale]
  return [`${name}: ${rating.score} of ${best}`, ...(rating.comment ? ['', rating.comment] : [])].join('\n')
}

/** The ticket's tags after the rating: one tag of this scale, whatever the customer answered before. */
export function ratedTags(tags: readonly string[], rating: RatingFacts): readonly string[] {
  const prefix = `deskweave_${scaleWords[rating.scale].tag}_`
  return [...tags.filter((tag) => !tag.startsWith(prefix)), `${prefix}${rating.score}`]
}
