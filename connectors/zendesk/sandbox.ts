/** A small stateful Zendesk over real HTTP: its API, its webhooks, and the people who work in it. */

import { signHmac } from '#hub/connector/hmac.ts'
import {
  type AttemptResult,
  createSandbox,
  createWebhooks,
  type Delivery,
  type LimitState,
  type Mischief,
  type SignedPost,
  type VendorSandbox,
  type VendorSandboxOptions,
} from '#hub/connector/sandbox.ts'
import manifest from './manifest.json' with { type: 'json' }
import { signature } from './receive.ts'
import { Desk, type DeskEvent, type DeskTicket, type DeskUser, stampOf, type TicketPatch } from './sandbox-desk.ts'
import { createOAuth, lastingToken, type OAuthOptions, oauthClient } from './sandbox-oauth.ts'
import { apiRoutes } from './sandbox-routes.ts'
import { wireId } from './wire.ts'

export interface ZendeskSandboxOptions extends VendorSandboxOptions, Pick<OAuthOptions, 'scopes' | 'tokenSeconds'> {
  /** `client`: by an OAuth client, whose tokens end. A token that lasts when absent. */
  readonly signIn?: 'client'
  /** `9007199254740993` is the first number that JSON.parse would get wrong. */
  readonly firstTicketId?: string
  /** Event subscription, or a trigger with the template of the README. */
  readonly webhook?: 'events' | 'trigger'
  /** How much of the newest past the export keeps back; 60 when absent, as at Zendesk. 0 for a clock that stands still. */
  readonly keepBackSeconds?: number
}

export interface ZendeskSandbox extends VendorSandbox {
  /** What is in the account: the ledger of effects. */
  readonly desk: Desk
  readonly hubAgentId: string
  /** Ends what the OAuth client was given. */
  revokeTokens(): void
  /** A request by e-mail; with `ticketId`, an answer to that ticket. @returns the ticket's id. */
  customerWrites(letter: Letter, mischief?: Mischief): Promise<string>
  agentReplies(
    ticketId: string,
    text: string,
    options?: { readonly internal?: boolean },
    mischief?: Mischief,
  ): Promise<void>
  agentSolves(ticketId: string, text?: string, mischief?: Mischief): Promise<void>
  agentChanges(ticketId: string, patch: TicketPatch, mischief?: Mischief): Promise<void>
  agentDeletes(ticketId: string, mischief?: Mischief): Promise<void>
  agentRestores(ticketId: string, mischief?: Mischief): Promise<void>
  createUser(facts: Partial<DeskUser> & { readonly name: string }, mischief?: Mischief): Promise<DeskUser>
}

interface Letter {
  readonly from: string
  readonly text: string
  readonly name?: string
  readonly subject?: string
  readonly ticketId?: string
}

const accountId = '11223344'

export async function startSandbox(options: ZendeskSandboxOptions = {}): Promise<ZendeskSandbox> {
  const now = options.now ?? (() => new Date())
  const clock = options.now ? { now: options.now } : {}
  const seed = options.seed === undefined ? {} : { seed: options.seed }
  const asTrigger = options.webhook === 'trigger'
  // A webhook tells how things were when it happened, however late it is sent: events are bodies from the start.
  const webhooks = createWebhooks<string>({
    ...clock,
    ...seed,
    timeoutMs: 12_000,
    retryDelayMs,
    sign: signed,
  })

  /** The act of a person that is going on, if any; what the API does tells without anybody waiting for it. */
  let going: { readonly how: Mischief; readonly told: Promise<Delivery>[] } | undefined
  const desk = new Desk({
    now,
    firstTicketId: options.firstTicketId ?? '4201',
    tell: (event) => {
      if (asTrigger && !event.ticket) return
      const delivery = webhooks.emit(asTrigger ? triggerBody(event) : eventBody(event), going?.how)
      going?.told.push(delivery)
    },
  })
  const act = async <T>(how: Mischief | undefined, work: () => T): Promise<T> => {
    const told: Promise<Delivery>[] = []
    going = { how: how ?? {}, told }
    try {
      return work()
    } finally {
      going = undefined
      await Promise.all(told)
    }
  }

  const support = desk.addGroup('Support')
  desk.addGroup('Billing')
  const hub = desk.addUser('-1', { name: 'Deskweave', email: 'hub@desk.example', role: 'admin' })
  const agent = desk.addUser('-1', { name: 'Leo Ruiz', email: 'leo@desk.example', role: 'agent' })

  const oauth = createOAuth({ ...options, now })
  const server = await createSandbox({
    ...clock,
    ...seed,
    routes: [
      ...oauth.routes,
      ...apiRoutes({
        desk,
        actorId: hub.id,
        now,
        url: () => server.url,
        keepBackSeconds: options.keepBackSeconds ?? 60,
      }),
    ],
    limits: manifest.limits,
    limitHeaders,
    authorise: oauth.authorise,
  })

  const customerWrites: ZendeskSandbox['customerWrites'] = (letter, how) =>
    act(how, () => {
      const email = letter.from.toLowerCase()
      const customer = desk.userByEmail(email) ?? desk.addUser('-1', { name: letter.name ?? email, email })
      const comment = { body: letter.text, isPublic: true }
      if (letter.ticketId === undefined) {
        const subject = letter.subject ?? letter.text.slice(0, 60)
        return desk.create(customer.id, { requesterId: customer.id, channel: 'email', subject, comment }).ticket.id
      }
      const ticket = desk.ticket(letter.ticketId)
      const isWaiting = ticket.status === 'pending' || ticket.status === 'hold' || ticket.status === 'solved'
      desk.update(customer.id, ticket, { comment, ...(isWaiting ? { status: 'open' } : {}) })
      return ticket.id
    })
  const agentChanges: ZendeskSandbox['agentChanges'] = (id, patch, how) =>
    act(how, () => {
      desk.update(agent.id, desk.ticket(id), patch)
    })
  const taken = (ticket: DeskTicket) =>
    ticket.assigneeId === null ? { assigneeId: agent.id, groupId: support.id } : {}
  const agentReplies: ZendeskSandbox['agentReplies'] = (id, text, how = {}, sent) => {
    const comment = { body: text, isPublic: how.internal !== true }
    const isFirst = desk.ticket(id).status === 'new'
    return agentChanges(id, { ...taken(desk.ticket(id)), comment, ...(isFirst ? { status: 'open' } : {}) }, sent)
  }
  const agentSolves: ZendeskSandbox['agentSolves'] = (id, text, how) => {
    const comment = text === undefined ? {} : { comment: { body: text, isPublic: true } }
    return agentChanges(id, { ...taken(desk.ticket(id)), ...comment, status: 'solved' }, how)
  }

  let scene = 0
  return {
    url: server.url,
    config: {
      subdomain: 'sandbox',
      ...(options.signIn === 'client' ? oauthClient : { access_token: lastingToken }),
      webhook_secret: 'sandbox-zendesk-signing-secret',
      account_id: accountId,
      hub_agent_id: hub.id,
      score_field_id: '36001',
      comment_field_id: '36002',
      api_base: `${server.url}/api/v2`,
    },
    requests: server.requests,
    faults: server.faults,
    webhooks,
    desk,
    hubAgentId: hub.id,
    revokeTokens: oauth.revokeTokens,
    connect: (hook) => webhooks.connect(hook),
    customerWrites,
    agentReplies,
    agentSolves,
    agentChanges,
    agentDeletes: (id, how) => act(how, () => desk.remove(agent.id, desk.ticket(id))),
    agentRestores: (id, how) =>
      act(how, () => {
        const ticket = desk.tickets.get(id)
        if (ticket) desk.restore(agent.id, ticket)
      }),
    createUser: (facts, how) => act(how, () => desk.addUser(agent.id, facts)),
    async play() {
      scene += 1
      const from = `ana.${options.seed ?? 1}.${scene}@customer.example`
      const ticketId = await customerWrites({
        from,
        name: `Ana García ${scene}`,
        subject: `Invoice ${scene} is wrong`,
        text: 'The total on my invoice is not what we agreed.',
      })
      await agentReplies(ticketId, 'Thank you, I am looking into it.')
      await agentReplies(ticketId, 'Billing confirmed the mistake.', { internal: true })
      await agentSolves(ticketId, 'The invoice is corrected.')
    },
    async close() {
      await webhooks.close()
      await server.close()
    },
  }
}

function limitHeaders({ limit, remaining, resetSeconds, named }: LimitState): Record<string, string> {
  const left = String(Math.max(remaining, 0))
  return {
    ...(named ? { [`zendesk-ratelimit-${named.budget.replace('_', '-')}`]: inOneHeader(named) } : {}),
    'x-rate-limit': String(limit),
    'x-rate-limit-remaining': left,
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': left,
    'ratelimit-reset': String(resetSeconds),
  }
}

function inOneHeader({ limit, remaining, resetSeconds }: LimitState) {
  return `total=${limit}; remaining=${Math.max(remaining, 0)}; resets=${resetSeconds}`
}

/** https://developer.zendesk.com/api-reference/webhooks/introduction/ — nothing else is repeated; the pauses are not documented. */
function retryDelayMs({ attempt, status, retryAfterMs }: AttemptResult): number | undefined {
  const pauseMs = 500
  if (status === undefined) return attempt <= 5 ? pauseMs : undefined
  if (status === 409) return attempt <= 3 ? pauseMs : undefined
  const isBusy = status === 429 || status === 503
  return isBusy && attempt <= 5 && retryAfterMs !== undefined && retryAfterMs < 60_000 ? retryAfterMs : undefined
}

function signed(body: string, deliveryId: string, sentAt: Date, secret: string): SignedPost {
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'x-zendesk-account-id': accountId,
      'x-zendesk-webhook-id': '01SANDBOXWEBHOOK',
      'x-zendesk-webhook-invocation-id': deliveryId,
      ...signHmac({ body }, secret, signature, sentAt),
    },
  }
}

function triggerBody(event: DeskEvent): string {
  return JSON.stringify({
    ticket_id: event.ticket?.id,
    updated_at: stampOf(event.ticket?.updatedAt ?? event.at),
    current_user_id: event.actorId,
  })
}

function eventBody(event: DeskEvent): string {
  const subject = event.ticket ? `zen:ticket:${event.ticket.id}` : `zen:user:${event.user?.id}`
  return JSON.stringify({
    account_id: wireId(accountId),
    id: event.id,
    time: event.at.toISOString(),
    type: `zen:event-type:${event.type}`,
    zendesk_event_version: '2022-11-06',
    subject,
    detail: event.ticket ? ticketDetail(event.ticket, event.actorId) : userDetail(event.user),
    event: { ...event.change, meta: { sequence: { id: event.id, position: 1 } } },
  })
}

function ticketDetail(ticket: DeskTicket, actorId: string) {
  return {
    id: ticket.id,
    subject: ticket.subject,
    status: ticket.isDeleted ? 'DELETED' : ticket.status.toUpperCase(),
    priority: ticket.priority?.toUpperCase() ?? null,
    actor_id: actorId,
    assignee_id: ticket.assigneeId,
    requester_id: ticket.requesterId,
    group_id: ticket.groupId,
    external_id: ticket.externalId,
    tags: ticket.tags,
    via: { channel: ticket.channel },
    created_at: stampOf(ticket.createdAt),
    updated_at: stampOf(ticket.updatedAt),
  }
}

function userDetail(user: DeskUser | undefined) {
  return {
    id: user?.id,
    email: user?.email,
    role: user?.role,
    updated_at: stampOf(user?.updatedAt ?? new Date(0)),
  }
}
