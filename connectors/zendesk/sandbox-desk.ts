/** The sandbox's state: what a small Zendesk account holds and does, in memory. Ids are strings, times `Date`s. */
import { underRules } from './sandbox-rules.ts'
import type { WirePriority, WireStatus } from './wire.ts'

export interface DeskUser {
  readonly id: string
  readonly role: 'end-user' | 'agent' | 'admin'
  /** 1 is a light agent's. */
  readonly roleType: number | null
  /** An agent's groups, the default one first. */
  readonly groupIds: readonly string[]
  suspended: boolean
  name: string
  email: string | null
  phone: string | null
  locale: string | null
  organizationId: string | null
  externalId: string | null
  verified: boolean
  fields: Record<string, unknown>
  updatedAt: Date
}
export interface DeskOrganization {
  readonly id: string
  readonly name: string
  readonly domains: readonly string[]
  readonly fields: Readonly<Record<string, unknown>>
}
export interface DeskGroup {
  readonly id: string
  readonly name: string
}
export interface DeskFile {
  readonly id: string
  /** Takes it into a comment; also in its address. */
  readonly token: string
  readonly name: string
  readonly contentType: string
  readonly content: Buffer
}
interface NewComment {
  readonly body: string
  readonly isPublic: boolean
  /** The one who made the request when absent. */
  readonly authorId?: string | undefined
  readonly uploads?: readonly string[] | undefined
}
interface DeskComment {
  readonly id: string
  readonly auditId: string
  readonly authorId: string
  readonly body: string
  readonly isPublic: boolean
  readonly files: readonly DeskFile[]
  readonly at: Date
}
export interface DeskAudit {
  readonly id: string
  readonly authorId: string
  readonly at: Date
  readonly custom: Readonly<Record<string, unknown>>
  readonly events: readonly { readonly id: string; readonly type: string }[]
}
export interface DeskTicket {
  readonly id: string
  readonly channel: string
  readonly createdAt: Date
  readonly requesterId: string
  readonly externalId: string | null
  subject: string
  status: WireStatus
  priority: WirePriority | null
  tags: string[]
  assigneeId: string | null
  groupId: string | null
  custom: Map<string, unknown>
  updatedAt: Date
  /** Orders the export: the number and time of the last change. */
  generated: { readonly order: number; readonly at: Date }
  isDeleted: boolean
  readonly comments: DeskComment[]
  readonly audits: DeskAudit[]
}

export interface TicketPatch {
  readonly subject?: string | undefined
  readonly status?: WireStatus | undefined
  readonly priority?: WirePriority | null | undefined
  readonly tags?: readonly string[] | undefined
  readonly addTags?: readonly string[]
  readonly removeTags?: readonly string[]
  readonly assigneeId?: string | null | undefined
  readonly groupId?: string | null | undefined
  readonly custom?: readonly { readonly id: string; readonly value?: unknown }[] | undefined
  readonly comment?: NewComment | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** By the bulk update, which may change the tags of a closed ticket. */
  readonly inBulk?: true
  /** Write only if the ticket still has this `updated_at`. */
  readonly stamp?: string | undefined
}
export interface NewTicket extends Omit<TicketPatch, 'stamp'> {
  readonly requesterId: string
  readonly channel: string
  readonly externalId?: string | undefined
}

/** One thing a webhook tells. */
export interface DeskEvent {
  readonly id: string
  readonly type: string
  readonly at: Date
  readonly actorId: string
  readonly ticket?: DeskTicket
  readonly user?: DeskUser
  readonly change: Readonly<Record<string, unknown>>
}

/** A refusal in Zendesk's words. */
export class DeskRefusal extends Error {
  readonly status: number
  readonly error: string
  /** What it is about, for those that Zendesk sorts by field. */
  readonly field: string | undefined
  constructor(status: number, error: string, description: string, field?: string) {
    super(description)
    this.status = status
    this.error = error
    this.field = field
  }
}

/** Zendesk tells whole seconds. */
export function stampOf(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`
}

export interface DeskOptions {
  readonly now: () => Date
  readonly firstTicketId: string
  /** Called for each event, in the order of things. */
  tell(event: DeskEvent): void
}

export class Desk {
  readonly users = new Map<string, DeskUser>()
  readonly organizations = new Map<string, DeskOrganization>()
  readonly groups = new Map<string, DeskGroup>()
  readonly tickets = new Map<string, DeskTicket>()
  /** Ids of ticket fields that keep whatever is written as text. */
  readonly textFields = new Set(['36002'])
  readonly files: DeskFile[] = []
  readonly #options: DeskOptions
  #nextTicket: bigint
  #nextId = 7_000_000_001n
  #events = 0
  #changes = 0

  constructor(options: DeskOptions) {
    this.#options = options
    this.#nextTicket = BigInt(options.firstTicketId)
  }

  addGroup(name: string): DeskGroup {
    const group = { id: this.#id(), name }
    this.groups.set(group.id, group)
    return group
  }

  /** Names are unique, in capitals or not. */
  organizationCalled(name: string): DeskOrganization | undefined {
    return this.organizations.values().find((one) => one.name.toLowerCase() === name.toLowerCase())
  }

  organizationNamed(name: string, more: Partial<Pick<DeskOrganization, 'domains' | 'fields'>> = {}): DeskOrganization {
    const known = this.organizationCalled(name)
    if (known) return known
    const organization = { id: this.#id(), name, domains: more.domains ?? [], fields: more.fields ?? {} }
    this.organizations.set(organization.id, organization)
    return organization
  }

  addUser(actorId: string, facts: Partial<DeskUser> & { readonly name: string }): DeskUser {
    const user: DeskUser = {
      id: this.#id(),
      role: 'end-user',
      roleType: null,
      groupIds: [],
      suspended: false,
      email: null,
      phone: null,
      locale: 'en-US',
      organizationId: null,
      externalId: null,
      verified: true,
      fields: {},
      updatedAt: this.#options.now(),
      // Whoever joins is in the account's first group, if nobody says another.
      ...(facts.role && facts.role !== 'end-user' ? { groupIds: [...this.groups.keys()].slice(0, 1) } : {}),
      ...facts,
    }
    this.users.set(user.id, user)
    this.#tell({ type: 'user.created', actorId, user, change: {} })
    return user
  }

  changeUser(
    actorId: string,
    user: DeskUser,
    facts: Partial<Omit<DeskUser, 'id' | 'role' | 'roleType' | 'groupIds'>>,
  ): DeskUser {
    const before = user.name
    Object.assign(user, facts, { updatedAt: this.#options.now() })
    const change = { current: user.name, previous: before }
    if (user.name !== before) this.#tell({ type: 'user.name_changed', actorId, user, change })
    return user
  }

  userByEmail(email: string): DeskUser | undefined {
    return this.users.values().find((user) => user.email === email.toLowerCase())
  }

  ticket(id: string): DeskTicket {
    const ticket = this.tickets.get(id)
    if (!ticket || ticket.isDeleted) throw new DeskRefusal(404, 'RecordNotFound', 'Not found')
    return ticket
  }

  create(actorId: string, given: NewTicket): { readonly ticket: DeskTicket; readonly audit: DeskAudit } {
    const now = this.#options.now()
    const ticket: DeskTicket = {
      id: String(this.#nextTicket++),
      channel: given.channel,
      createdAt: now,
      requesterId: given.requesterId,
      externalId: given.externalId ?? null,
      subject: given.subject ?? '',
      status: 'new',
      priority: null,
      tags: [],
      assigneeId: null,
      groupId: null,
      custom: new Map(),
      updatedAt: now,
      generated: { order: 0, at: now },
      isDeleted: false,
      comments: [],
      audits: [],
    }
    const ruled = underRules(this, ticket, given)
    this.tickets.set(ticket.id, ticket)
    const authorId = given.channel === 'api' ? actorId : given.requesterId
    const { audit, events } = this.#apply(authorId, ticket, ruled)
    this.#tell({ type: 'ticket.created', actorId: authorId, ticket, change: {} })
    for (const event of events) if (event.change['comment'] !== undefined) this.#tell(event)
    return { ticket, audit }
  }

  update(actorId: string, ticket: DeskTicket, patch: TicketPatch): { readonly audit: DeskAudit } {
    if (patch.stamp !== undefined && patch.stamp !== stampOf(ticket.updatedAt)) {
      throw new DeskRefusal(409, 'UpdateConflict', 'Safe Update prevented the update due to outdated ticket data')
    }
    if (ticket.status === 'closed' && !patch.inBulk) {
      throw new DeskRefusal(422, 'RecordInvalid', 'Status: closed prevents ticket update', 'status')
    }
    const lost = patch.comment?.uploads?.find((token) => !this.files.some((file) => file.token === token))
    if (lost !== undefined) throw new DeskRefusal(422, 'RecordInvalid', `Upload token ${lost} is not valid`)
    const { audit, events } = this.#apply(actorId, ticket, underRules(this, ticket, patch))
    for (const event of events) this.#tell(event)
    return { audit }
  }

  addFile(name: string, contentType: string, content: Buffer): DeskFile {
    const id = this.#id()
    const file = { id, token: `upload${id}`, name, contentType, content }
    this.files.push(file)
    return file
  }

  /** The source's conversation goes on in the target; the source is closed for good. */
  merge(actorId: string, source: DeskTicket, target: DeskTicket, comments: { source: NewComment; target: NewComment }) {
    this.update(actorId, target, { comment: comments.target })
    this.update(actorId, source, { comment: comments.source, status: 'closed', addTags: ['closed_by_merge'] })
  }

  /** In the trash: the export still shows it, as deleted. */
  remove(actorId: string, ticket: DeskTicket): void {
    this.#setDeleted(actorId, ticket, true, 'ticket.soft_deleted')
  }

  restore(actorId: string, ticket: DeskTicket): void {
    this.#setDeleted(actorId, ticket, false, 'ticket.undeleted')
  }

  #setDeleted(actorId: string, ticket: DeskTicket, isDeleted: boolean, type: string): void {
    ticket.isDeleted = isDeleted
    ticket.updatedAt = this.#options.now()
    ticket.generated = { order: ++this.#changes, at: ticket.updatedAt }
    this.#tell({ type, actorId, ticket, change: {} })
  }

  #apply(actorId: string, ticket: DeskTicket, patch: TicketPatch): { audit: DeskAudit; events: NewEvent[] } {
    const now = this.#options.now()
    const events: NewEvent[] = []
    const changed = (type: string, change: NewEvent['change']) =>
      events.push({ type: `ticket.${type}`, actorId, ticket, change })
    const set = <K extends 'subject' | 'status' | 'priority' | 'assigneeId' | 'groupId'>(
      field: K,
      value: DeskTicket[K] | undefined,
      type: string,
    ) => {
      if (value === undefined || value === ticket[field]) return
      const told = field === 'status' || field === 'priority' ? inCapitals : (text: string | null) => text
      changed(type, { current: told(value), previous: told(ticket[field]) })
      ticket[field] = value
    }
    set('subject', patch.subject, 'subject_changed')
    set('status', patch.status, 'status_changed')
    set('priority', patch.priority, 'priority_changed')
    set('assigneeId', patch.assigneeId, 'agent_assignment_changed')
    set('groupId', patch.groupId, 'group_assignment_changed')

    const before = ticket.tags
    const gone = tagsIn(patch.removeTags)
    const kept = (patch.tags ? tagsIn(patch.tags) : before).filter((tag) => !gone.includes(tag))
    ticket.tags = [...new Set([...kept, ...tagsIn(patch.addTags)])].sort()
    const added = ticket.tags.filter((tag) => !before.includes(tag))
    const removed = before.filter((tag) => !ticket.tags.includes(tag))
    if (added.length + removed.length > 0) changed('tags_changed', { tags_added: added, tags_removed: removed })

    for (const { id, value: given } of patch.custom ?? []) {
      const value = typeof given === 'number' && this.textFields.has(id) ? String(given) : given
      if (ticket.custom.get(id) !== value) changed('custom_field_changed', { current: value, field: { id } })
      ticket.custom.set(id, value)
    }

    const auditId = this.#id()
    const comment = patch.comment && this.#comment(actorId, ticket, auditId, patch.comment)
    if (comment) changed('comment_added', { comment: commentInEvent(comment, this.users.get(comment.authorId)) })
    for (const file of comment?.files ?? []) {
      const attachment = { id: file.id, filename: file.name, content_type: file.contentType }
      changed('attachment_linked_to_comment', { comment: { id: comment?.id, attachment } })
    }
    const audit: DeskAudit = {
      id: auditId,
      authorId: comment?.authorId ?? actorId,
      at: now,
      custom: patch.metadata ?? {},
      events: [
        ...(comment ? [{ id: comment.id, type: 'Comment' }] : []),
        ...events.map(() => ({ id: this.#id(), type: 'Change' })),
      ],
    }
    ticket.audits.push(audit)
    ticket.updatedAt = now
    ticket.generated = { order: ++this.#changes, at: now }
    return { audit, events }
  }

  #comment(actorId: string, ticket: DeskTicket, auditId: string, given: NewComment): DeskComment {
    const { body, isPublic, authorId = actorId, uploads = [] } = given
    const files = this.files.filter(({ token }) => uploads.includes(token))
    const comment = { id: this.#id(), auditId, authorId, body, isPublic, files, at: this.#options.now() }
    ticket.comments.push(comment)
    return comment
  }

  #tell(event: NewEvent): void {
    this.#events += 1
    const id = `00000000-0000-4000-8000-${String(this.#events).padStart(12, '0')}`
    this.#options.tell({ ...event, id, at: this.#options.now() })
  }

  #id(): string {
    return String(this.#nextId++)
  }
}

type NewEvent = Omit<DeskEvent, 'id' | 'at'>

/** Lower case, and a space ends a tag. */
function tagsIn(given: readonly string[] = []): readonly string[] {
  return given.flatMap((tag) => tag.toLowerCase().split(/\s+/)).filter(Boolean)
}

function inCapitals(value: string | null): string | null {
  return value === null ? null : value.toUpperCase()
}

function commentInEvent(comment: DeskComment, author: DeskUser | undefined) {
  const isStaff = author !== undefined && author.role !== 'end-user'
  return {
    id: comment.id,
    body: comment.body,
    is_public: comment.isPublic,
    author: { id: comment.authorId, is_staff: isStaff, name: author?.name ?? 'System' },
  }
}
