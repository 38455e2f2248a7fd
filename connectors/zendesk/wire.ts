/**
 * Zendesk's shapes, as far as we read them; unknown fields pass. REST writes 64-bit ids as JSON numbers, events as strings:
 * both are strings here, exact to the last digit.
 */
import { z } from 'zod'

declare global {
  interface JSON {
    /** A number of any size, written as it is. https://github.com/tc39/proposal-json-parse-with-source */
    rawJSON(text: string): object
  }
}

/** An id for a request body: a JSON number, exact at any size. */
export function wireId(id: string): number | object {
  const number = Number(id)
  return Number.isSafeInteger(number) ? number : JSON.rawJSON(id)
}

const id = z.union([z.string().min(1), z.number().int()]).transform(String)
const nullableId = id.nullish()
const text = z.string().nullish()
const fields = z.record(z.string(), z.unknown()).nullish()

const meta = z.object({ has_more: z.boolean(), after_cursor: text }).nullish()

/** https://developer.zendesk.com/api-reference/ticketing/organizations/organizations/ */
export const WireOrganization = z.object({
  id,
  name: text,
  domain_names: z.array(z.string()).nullish(),
  organization_fields: fields,
})
export type WireOrganization = z.output<typeof WireOrganization>

/** https://developer.zendesk.com/api-reference/ticketing/users/users/ */
export const WireUser = z.object({
  id,
  name: text,
  email: text,
  phone: text,
  shared_phone_number: z.boolean().nullish(),
  organization_id: nullableId,
  role: text,
  /** https://developer.zendesk.com/api-reference/ticketing/users/users/#json-format: 1 is a light agent. */
  role_type: z.number().nullish(),
  only_private_comments: z.boolean().nullish(),
  suspended: z.boolean().nullish(),
  default_group_id: nullableId,
  locale: text,
  verified: z.boolean().nullish(),
  user_fields: fields,
  updated_at: text,
})
export type WireUser = z.output<typeof WireUser>

/** https://developer.zendesk.com/api-reference/ticketing/users/users/#show-self (id is null when the credential is bad) */
export const WireMe = z.object({ user: z.object({ id: nullableId, email: text, role: text }) })

/** https://developer.zendesk.com/api-reference/ticketing/groups/groups/ */
const WireGroup = z.object({ id, name: z.string() })

export const wireStatuses = ['new', 'open', 'pending', 'hold', 'solved', 'closed'] as const
export type WireStatus = (typeof wireStatuses)[number]

export const wirePriorities = ['low', 'normal', 'high', 'urgent'] as const
export type WirePriority = (typeof wirePriorities)[number]

/** https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/ */
export const WireTicket = z.object({
  id,
  subject: text,
  status: text,
  priority: text,
  tags: z.array(z.string()).nullish(),
  via: z.object({ channel: z.union([z.string(), z.number()]).transform(String).nullish() }).nullish(),
  requester_id: nullableId,
  assignee_id: nullableId,
  group_id: nullableId,
  custom_fields: z.array(z.object({ id, value: z.unknown().optional() })).nullish(),
  created_at: text,
  updated_at: text,
})
export type WireTicket = z.output<typeof WireTicket>

/** Tickets with the records they point to: show_many and the incremental export, with sideloads. */
export const WireTickets = z.object({
  tickets: z.array(WireTicket),
  users: z.array(WireUser).default([]),
  groups: z.array(WireGroup).default([]),
  organizations: z.array(WireOrganization).default([]),
})
export type WireTickets = z.output<typeof WireTickets>

/** https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/ */
export const WireExport = WireTickets.extend({ after_cursor: text, end_of_stream: z.boolean() })

export const WireUsers = z.object({
  users: z.array(WireUser),
  organizations: z.array(WireOrganization).default([]),
})

/** https://developer.zendesk.com/api-reference/ticketing/users/users/#list-users */
export const WireAgents = z.object({ users: z.array(WireUser), meta })

export const WireGroups = z.object({ groups: z.array(WireGroup) })

const metadata = z.object({ custom: z.record(z.string(), z.unknown()).nullish() }).nullish()

/** https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/ */
export const WireComment = z.object({
  id,
  author_id: nullableId,
  body: text,
  plain_body: text,
  html_body: text,
  public: z.boolean(),
  attachments: z
    .array(z.object({ id, file_name: text, content_type: text, size: z.number().nullish(), content_url: text }))
    .nullish(),
  created_at: z.string(),
  metadata,
})
export type WireComment = z.output<typeof WireComment>
export const WireComments = z.object({ comments: z.array(WireComment), users: z.array(WireUser).default([]), meta })

/** https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_audits/ */
export const WireAudit = z.object({
  id,
  created_at: text,
  metadata,
  events: z.array(z.object({ id: nullableId, type: text })).nullish(),
})
export type WireAudit = z.output<typeof WireAudit>
export const WireAudits = z.object({ audits: z.array(WireAudit), meta })

/** What a ticket write answers. */
export const WireTicketWritten = z.object({ ticket: WireTicket, audit: WireAudit.nullish() })
export const WireTicketRead = z.object({ ticket: WireTicket })

/** https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/ */
export const WireUploaded = z.object({ upload: z.object({ token: z.string().min(1) }) })
export const WireAttachmentRead = z.object({
  attachment: z.object({ content_url: text, size: z.number().nullish(), malware_scan_result: text }),
})

/** https://developer.zendesk.com/api-reference/ticketing/ticket-management/job_statuses/ */
export const WireJobRead = z.object({
  job_status: z.object({
    id: z.string().min(1),
    status: z.string(),
    message: text,
    results: z
      .array(z.object({ success: z.boolean().nullish(), error: text, errors: text, details: text }))
      .nullish()
      .catch(undefined),
  }),
})
export type WireJob = z.output<typeof WireJobRead>['job_status']

export const WireUserWritten = z.object({ user: WireUser })
export const WireOrganizations = z.object({ organizations: z.array(WireOrganization) })
export const WireOrganizationWritten = z.object({ organization: WireOrganization })

/** For answers of which nothing is needed. */
export const WireAnything = z.unknown()

/** https://developer.zendesk.com/api-reference/ticketing/introduction/#request-format, section errors */
export const WireError = z.object({
  error: z.union([z.string(), z.object({ title: text, message: text })]).optional(),
  description: text,
  /** What refuses a token says it so. */
  error_description: text,
  details: z.unknown().optional(),
})

/** https://developer.zendesk.com/api-reference/webhooks/event-types/webhook-event-types/ */
export const WireEvent = z.object({
  account_id: nullableId,
  id: z.string().min(1).optional(),
  time: text,
  type: z.string().startsWith('zen:event-type:'),
  detail: z.object({
    id,
    actor_id: nullableId,
    requester_id: nullableId,
    updated_at: text,
  }),
  event: z.unknown().optional(),
})
export type WireEvent = z.output<typeof WireEvent>

export const WireEventComment = z.object({
  comment: z.object({
    id,
    body: z.string(),
    is_public: z.boolean(),
    author: z.object({ id: nullableId, is_staff: z.boolean().nullish(), name: text }).nullish(),
  }),
})
export type WireEventComment = z.output<typeof WireEventComment>

export const WireEventFile = z.object({
  comment: z.object({ id, attachment: z.object({ id, filename: z.string(), content_type: text, content_url: text }) }),
})

/** The trigger's own template; README.md shows it. */
export const WireTrigger = z.object({
  ticket_id: id.pipe(z.string().regex(/^\d+$/)),
  updated_at: text,
  /** Empty where nobody acted: an automation. */
  current_user_id: z.preprocess((given) => (given === '' ? null : given), nullableId),
})
export type WireTrigger = z.output<typeof WireTrigger>
