/** The sandbox's records as Zendesk's REST API writes them. */
import type { SandboxRequest } from '#hub/connector/sandbox.ts'
import { type Desk, type DeskAudit, type DeskFile, type DeskTicket, type DeskUser, stampOf } from './sandbox-desk.ts'
import { lightAgent } from './sandbox-rules.ts'
import { wireId } from './wire.ts'

function orNull(id: string | null) {
  return id === null ? null : wireId(id)
}

export function ticketJson(ticket: DeskTicket) {
  return {
    id: wireId(ticket.id),
    external_id: ticket.externalId,
    via: { channel: ticket.channel },
    subject: ticket.subject,
    raw_subject: ticket.subject,
    description: ticket.comments[0]?.body ?? '',
    status: ticket.isDeleted ? 'deleted' : ticket.status,
    priority: ticket.priority,
    tags: ticket.tags,
    requester_id: wireId(ticket.requesterId),
    submitter_id: wireId(ticket.requesterId),
    assignee_id: orNull(ticket.assigneeId),
    group_id: orNull(ticket.groupId),
    custom_fields: [...ticket.custom].map(([field, value]) => ({ id: wireId(field), value })),
    created_at: stampOf(ticket.createdAt),
    updated_at: stampOf(ticket.updatedAt),
  }
}

export function auditJson(audit: DeskAudit) {
  return {
    id: wireId(audit.id),
    author_id: wireId(audit.authorId),
    created_at: stampOf(audit.at),
    metadata: { system: {}, custom: audit.custom },
    via: { channel: 'api' },
    events: audit.events.map((event) => ({ ...event, id: wireId(event.id) })),
  }
}

export function attachmentJson({ id, token, name, contentType, content }: DeskFile, url: string) {
  return {
    id: wireId(id),
    file_name: name,
    content_type: contentType,
    size: content.length,
    content_url: `${url}/attachments/token/${token}/?name=${encodeURIComponent(name)}`,
    malware_scan_result: 'malware_not_found',
  }
}

export function userJson(user: DeskUser) {
  return {
    id: wireId(user.id),
    name: user.name,
    email: user.email,
    phone: user.phone,
    shared_phone_number: null,
    role: user.role,
    role_type: user.roleType,
    only_private_comments: user.roleType === lightAgent,
    suspended: user.suspended,
    default_group_id: orNull(user.groupIds[0] ?? null),
    locale: user.locale,
    verified: user.verified,
    external_id: user.externalId,
    organization_id: orNull(user.organizationId),
    user_fields: user.fields,
    updated_at: stampOf(user.updatedAt),
  }
}

export function organizationJson(organization: {
  readonly id: string
  readonly name: string
  readonly domains: readonly string[]
  readonly fields: object
}) {
  const { id, name, domains, fields } = organization
  return { id: wireId(id), name, domain_names: domains, organization_fields: fields }
}

/** The records that the rows point to, as far as `include` asks for them. */
export function sideloads(
  desk: Desk,
  request: SandboxRequest,
  tickets: readonly DeskTicket[],
  users: readonly DeskUser[],
) {
  const wanted = new Set((request.query.get('include') ?? '').split(','))
  const people = new Set(tickets.flatMap((one) => [one.requesterId, ...(one.assigneeId ? [one.assigneeId] : [])]))
  const found = [...people].flatMap((one) => desk.users.get(one) ?? [])
  const groups = new Set(tickets.flatMap((one) => one.groupId ?? []))
  const organizations = new Set([...found, ...users].flatMap((one) => one.organizationId ?? []))
  return {
    ...(wanted.has('users') ? { users: found.map(userJson) } : {}),
    ...(wanted.has('groups')
      ? {
          groups: [...groups]
            .flatMap((one) => desk.groups.get(one) ?? [])
            .map((one) => ({ ...one, id: wireId(one.id) })),
        }
      : {}),
    ...(wanted.has('organizations')
      ? { organizations: [...organizations].flatMap((one) => desk.organizations.get(one) ?? []).map(organizationJson) }
      : {}),
  }
}
