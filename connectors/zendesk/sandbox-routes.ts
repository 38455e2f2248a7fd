/** The sandbox's REST API, as far as the connector uses it. https://developer.zendesk.com/api-reference/ */
import { z } from 'zod'
import type { SandboxAnswer, SandboxRequest, SandboxRoute } from '#hub/connector/sandbox.ts'
import { type Desk, type DeskAudit, DeskRefusal, type DeskTicket, type DeskUser, stampOf } from './sandbox-desk.ts'
import { fileRoutes } from './sandbox-files.ts'
import { jobRoutes } from './sandbox-jobs.ts'
import { attachmentJson, auditJson, organizationJson, sideloads, ticketJson, userJson } from './sandbox-json.ts'
import { bodyOf, idOf, json, type Route } from './sandbox-route.ts'
import { wireId, wirePriorities, wireStatuses } from './wire.ts'

export interface ApiOptions {
  readonly desk: Desk
  /** The user behind the credential. */
  readonly actorId: string
  readonly now: () => Date
  readonly url: () => string
  /** How much of the newest past the export keeps back; 60 at Zendesk. */
  readonly keepBackSeconds: number
}

const id = z.union([z.string(), z.number().int()]).transform(String)
const Comment = z.object({
  body: z.string().optional(),
  html_body: z.string().optional(),
  public: z.boolean().optional(),
  author_id: id.optional(),
  uploads: z.array(z.string()).optional(),
})
const Patch = z.object({
  subject: z.string().optional(),
  status: z.enum(wireStatuses).optional(),
  priority: z.enum(wirePriorities).nullable().optional(),
  tags: z.array(z.string()).optional(),
  assignee_id: id.nullable().optional(),
  group_id: id.nullable().optional(),
  custom_fields: z.array(z.object({ id, value: z.unknown().optional() })).optional(),
  comment: Comment.optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  safe_update: z.boolean().optional(),
  updated_stamp: z.string().optional(),
})
const NewTicket = Patch.extend({
  requester: z.object({ name: z.string(), email: z.string() }).optional(),
  requester_id: id.optional(),
  external_id: z.string().optional(),
})
const UserPatch = z.object({
  name: z.string().min(1).optional(),
  email: z.string().optional(),
  external_id: z.string().optional(),
  phone: z.string().optional(),
  locale: z.string().optional(),
  organization_id: id.optional(),
  user_fields: z.record(z.string(), z.unknown()).optional(),
})

export function apiRoutes(options: ApiOptions): SandboxRoute[] {
  const { desk, actorId } = options
  const route: Route = (method, path, answer, budget) => {
    const guarded = async (request: SandboxRequest) => {
      try {
        return await answer(request)
      } catch (error) {
        return refusal(error)
      }
    }
    // Every path also works with `.json`; in a parameter at the end, idOf() takes it off.
    const full = `/api/v2${path}`
    const paths = /:\w+$/.test(full) ? [full] : [full, `${full}.json`]
    return paths.map((one) => ({ method, path: one, ...(budget ? { budget } : {}), answer: guarded }))
  }
  const ticketOf = (request: SandboxRequest) => desk.ticket(idOf(request))
  const written = (ticket: DeskTicket, audit: DeskAudit, status = 200) =>
    json({ ticket: ticketJson(ticket), audit: auditJson(audit) }, status)

  return [
    ...route('GET', '/users', (request) => {
      const roles = request.query.getAll('role[]')
      const users = [...desk.users.values()].filter(({ role }) => roles.length === 0 || roles.includes(role))
      const { rows, meta } = pageOf(request, users.map(userJson))
      return json({ users: rows, meta })
    }),
    ...route('GET', '/users/me', (request) => {
      const user = desk.users.get(actorId)
      return json({ user: request.headers['authorization'] && user ? userJson(user) : { id: null, role: 'end-user' } })
    }),
    ...route('GET', '/users/show_many', (request) => {
      const users = idsOf(request).flatMap((one) => desk.users.get(one) ?? [])
      return json({ users: users.map(userJson), ...sideloads(desk, request, [], users) })
    }),
    ...route('GET', '/users/search', (request) => {
      const email = /^email:(\S+)$/.exec(request.query.get('query') ?? '')?.[1]
      const user = email === undefined ? undefined : desk.userByEmail(email)
      return json({ users: user ? [userJson(user)] : [], next_page: null, count: user ? 1 : 0 })
    }),
    ...route('POST', '/users/create_or_update', (request) => {
      const { user: given } = z.object({ user: UserPatch }).parse(bodyOf(request))
      const known =
        (given.email && desk.userByEmail(given.email)) ||
        desk.users.values().find((user) => given.external_id !== undefined && user.externalId === given.external_id)
      if (known) return json({ user: userJson(desk.changeUser(actorId, known, userFacts(given))) })
      if (!given.name) throw new DeskRefusal(422, 'RecordInvalid', 'Name: cannot be blank')
      const user = desk.addUser(actorId, { verified: false, ...userFacts(given), name: given.name })
      return json({ user: userJson(user) }, 201)
    }),
    ...route('PUT', '/users/:id', (request) => {
      const user = desk.users.get(idOf(request))
      if (!user) throw new DeskRefusal(404, 'RecordNotFound', 'Not found')
      const { user: given } = z.object({ user: UserPatch }).parse(bodyOf(request))
      return json({ user: userJson(desk.changeUser(actorId, user, userFacts(given))) })
    }),
    ...route('GET', '/organizations/search', ({ query }) => {
      const found = desk.organizationCalled(query.get('name') ?? '')
      return json({ organizations: found ? [organizationJson(found)] : [], count: found ? 1 : 0, next_page: null })
    }),
    ...route('POST', '/organizations', (request) => {
      const { organization } = z.object({ organization: z.object({ name: z.string() }) }).parse(bodyOf(request))
      if (desk.organizationCalled(organization.name))
        throw new DeskRefusal(422, 'RecordInvalid', `Name: ${organization.name} has already been taken`)
      return json({ organization: organizationJson(desk.organizationNamed(organization.name)) }, 201)
    }),
    ...route('GET', '/groups', () => {
      const groups = [...desk.groups.values()].map((group) => ({ ...group, id: wireId(group.id) }))
      return json({ groups, meta: { has_more: false }, links: { next: null } })
    }),
    ...route('GET', '/tickets/show_many', (request) => {
      const tickets = idsOf(request).flatMap((one) => {
        const ticket = desk.tickets.get(one)
        return ticket && !ticket.isDeleted ? [ticket] : []
      })
      return json({ tickets: tickets.map(ticketJson), ...sideloads(desk, request, tickets, []) })
    }),
    ...route('GET', '/tickets', (request) => {
      const wanted = request.query.get('external_id')
      const tickets = [...desk.tickets.values()].filter((one) => !one.isDeleted && one.externalId === wanted)
      return json({ tickets: tickets.map(ticketJson), next_page: null, count: tickets.length })
    }),
    ...route(
      'POST',
      '/tickets',
      idempotent(options.now, (request) => {
        const { ticket: given } = z.object({ ticket: NewTicket }).parse(bodyOf(request))
        const requesterId = given.requester_id ?? requesterOf(desk, actorId, given.requester)
        const created = desk.create(actorId, {
          ...patchOf(given),
          requesterId,
          channel: 'api',
          externalId: given.external_id,
        })
        return written(created.ticket, created.audit, 201)
      }),
    ),
    ...jobRoutes(options, route),
    ...route('GET', '/tickets/:id', (request) => json({ ticket: ticketJson(ticketOf(request)) })),
    ...route(
      'PUT',
      '/tickets/:id',
      (request) => {
        const ticket = ticketOf(request)
        const { ticket: given } = z.object({ ticket: Patch }).parse(bodyOf(request))
        return written(ticket, desk.update(actorId, ticket, patchOf(given)).audit)
      },
      'ticket_update',
    ),
    ...(['PUT', 'DELETE'] as const).flatMap((method) =>
      route(
        method,
        '/tickets/:id/tags',
        (request) => {
          const ticket = ticketOf(request)
          const { tags } = z.object({ tags: z.array(z.string()) }).parse(bodyOf(request))
          desk.update(actorId, ticket, method === 'PUT' ? { addTags: tags } : { removeTags: tags })
          return json({ tags: ticket.tags })
        },
        'ticket_update',
      ),
    ),
    ...route('GET', '/tickets/:id/comments', (request) => {
      const ticket = ticketOf(request)
      const comments = ticket.comments.map((comment) => ({
        id: wireId(comment.id),
        type: 'Comment',
        audit_id: wireId(comment.auditId),
        author_id: wireId(comment.authorId),
        body: comment.body,
        plain_body: comment.body,
        public: comment.isPublic,
        attachments: comment.files.map((file) => attachmentJson(file, options.url())),
        created_at: stampOf(comment.at),
        metadata: { system: {}, custom: ticket.audits.find((audit) => audit.id === comment.auditId)?.custom ?? {} },
      }))
      const { rows, meta } = pageOf(request, comments)
      const authors = [...new Set(ticket.comments.map((comment) => comment.authorId))]
      return json({ comments: rows, meta, users: authors.flatMap((one) => desk.users.get(one) ?? []).map(userJson) })
    }),
    ...route('GET', '/tickets/:id/audits', (request) => {
      const { rows, meta } = pageOf(request, ticketOf(request).audits.map(auditJson))
      return json({ audits: rows, meta })
    }),
    ...fileRoutes(options, route),
    ...route('GET', '/incremental/tickets/cursor', (request) => exported(options, request), 'incremental'),
  ]
}

function refusal(error: unknown): SandboxAnswer {
  if (error instanceof DeskRefusal && error.field !== undefined) {
    const details = { [error.field]: [{ description: error.message }] }
    return json({ error: error.error, description: 'Record validation errors', details }, error.status)
  }
  if (error instanceof DeskRefusal) {
    return json({ error: error.error, description: error.message }, error.status)
  }
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return json({ error: 'RecordInvalid', description: error.message }, 422)
  }
  throw error
}

function idsOf(request: SandboxRequest): readonly string[] {
  const ids = (request.query.get('ids') ?? '').split(',').filter(Boolean)
  if (ids.length > 100) throw new DeskRefusal(400, 'TooManyIds', 'at most 100 ids')
  return ids
}

/** Cursor paging; the cursor is the place in the list. */
function pageOf<T>(request: SandboxRequest, all: readonly T[]) {
  const size = Number(request.query.get('page[size]') ?? 100)
  const from = Number(request.query.get('page[after]') ?? 0)
  const ordered = request.query.get('sort') === '-created_at' ? all.toReversed() : all
  const end = from + size
  const rows = ordered.slice(from, end)
  return { rows, meta: { has_more: end < all.length, after_cursor: end < all.length ? String(end) : null } }
}

/** https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency: two hours, for the same body only. */
function idempotent(now: () => Date, answer: (request: SandboxRequest) => SandboxAnswer) {
  const known = new Map<string, { readonly body: string; readonly until: number; readonly answer: SandboxAnswer }>()
  return (request: SandboxRequest): SandboxAnswer => {
    const key = request.headers['idempotency-key']
    if (key === undefined) return answer(request)
    const body = request.body.toString()
    const first = known.get(key)
    if (first && first.until > now().getTime()) {
      if (first.body === body) return { ...first.answer, headers: { 'x-idempotency-lookup': 'hit' } }
      return json({ error: 'IdempotentRequestError', description: 'this key came with another body before' }, 400)
    }
    const given = answer(request)
    known.set(key, { body, until: now().getTime() + 2 * 60 * 60_000, answer: given })
    return { ...given, headers: { 'x-idempotency-lookup': 'miss' } }
  }
}

function exported({ desk, now, keepBackSeconds }: ApiOptions, request: SandboxRequest): SandboxAnswer {
  const latest = now().getTime() - keepBackSeconds * 1000
  const perPage = Number(request.query.get('per_page') ?? 1000)
  const cursor = request.query.get('cursor')
  const startMs = Number(request.query.get('start_time')) * 1000
  if (cursor === null && startMs > latest) {
    throw new DeskRefusal(422, 'InvalidValue', 'Too recent start_time. Use a start_time older than 60 seconds')
  }
  const all = [...desk.tickets.values()]
  const older = all.flatMap(({ generated }) => (generated.at.getTime() < startMs ? [generated.order] : []))
  const position = cursor === null ? Math.max(0, ...older) : Number(Buffer.from(cursor, 'base64url').toString())
  const waiting = all
    .filter(({ generated }) => generated.at.getTime() <= latest && generated.order > position)
    .sort((a, b) => a.generated.order - b.generated.order)
  const tickets = waiting.slice(0, perPage)
  const end = tickets.at(-1)?.generated.order ?? position
  return json({
    tickets: tickets.map(ticketJson),
    ...sideloads(desk, request, tickets, []),
    after_cursor: Buffer.from(String(end)).toString('base64url'),
    before_cursor: null,
    end_of_stream: tickets.length === waiting.length,
  })
}

function patchOf(given: z.output<typeof Patch>) {
  const body = given.comment?.html_body ?? given.comment?.body
  return {
    subject: given.subject,
    status: given.status,
    priority: given.priority,
    tags: given.tags,
    assigneeId: given.assignee_id,
    groupId: given.group_id,
    custom: given.custom_fields,
    comment:
      body === undefined
        ? undefined
        : {
            body,
            isPublic: given.comment?.public ?? true,
            authorId: given.comment?.author_id,
            uploads: given.comment?.uploads,
          },
    metadata: given.metadata,
    stamp: given.safe_update === undefined ? undefined : given.updated_stamp,
  }
}

function requesterOf(desk: Desk, actorId: string, given: { name: string; email: string } | undefined): string {
  if (!given) return actorId
  const email = given.email.toLowerCase()
  return (desk.userByEmail(email) ?? desk.addUser(actorId, { name: given.name, email, verified: false })).id
}

function userFacts(
  given: z.output<typeof UserPatch>,
): Partial<Omit<DeskUser, 'id' | 'role' | 'roleType' | 'groupIds'>> {
  return {
    ...(given.name ? { name: given.name } : {}),
    ...(given.email ? { email: given.email.toLowerCase() } : {}),
    ...(given.external_id ? { externalId: given.external_id } : {}),
    ...(given.phone ? { phone: given.phone } : {}),
    ...(given.locale ? { locale: given.locale } : {}),
    ...(given.organization_id ? { organizationId: given.organization_id } : {}),
    ...(given.user_fields ? { fields: given.user_fields } : {}),
  }
}
