/** A small stateful Acme Desk over real HTTP: tickets, comments, webhooks. Only what its documentation says. */

import { z } from 'zod'
import { signHmac } from '#hub/connector/hmac.ts'
import {
  createSandbox,
  createWebhooks,
  type SandboxRequest,
  type VendorSandbox,
  type VendorSandboxOptions,
} from '#hub/connector/sandbox.ts'
import manifest from './manifest.json' with { type: 'json' }
import { profile } from './receive.ts'
import { wireStates } from './wire.ts'

const token = 'acme-sandbox-token'
const patch = z.object({
  subject: z.string().exactOptional(),
  state: z.enum(wireStates).exactOptional(),
  add_tags: z.array(z.string()).default([]),
  remove_tags: z.array(z.string()).default([]),
})
const draft = z.object({
  subject: z.string(),
  text: z.string(),
  tags: z.array(z.string()).default([]),
  requester_email: z.string().exactOptional(),
})
const comment = z.object({
  is_public: z.boolean(),
  text: z.string(),
  by: z.enum(['requester', 'agent']).default('agent'),
})

interface Ticket {
  readonly id: number
  subject: string
  state: (typeof wireStates)[number]
  tags: string[]
  readonly requester: { readonly id: number; readonly email?: string }
  readonly created_at: string
  updated_at: string
}
type News = {
  readonly event: string
  readonly event_id: string
  readonly at: string
  readonly via_api: boolean
} & object

export async function startSandbox(options: VendorSandboxOptions = {}): Promise<VendorSandbox> {
  const { seed = 1, now = () => new Date() } = options
  const tickets: Ticket[] = []
  let comments = 0
  let events = 0
  let lastMs = 0
  let lastNews: Promise<unknown> = Promise.resolve()

  const webhooks = createWebhooks<News>({
    sign(news, _id, sentAt, secret) {
      const body = JSON.stringify(news)
      return { headers: { 'content-type': 'application/json', ...signHmac({ body }, secret, profile, sentAt) }, body }
    },
    // https://developers.acme-desk.example/webhooks/retries, read <date>: after 10 s and 60 s.
    retryDelayMs: ({ attempt }) => [10_000, 60_000][attempt - 1],
    timeoutMs: 10_000,
    seed,
    now,
  })

  /** No two things happen in the same millisecond. */
  function moment(): string {
    lastMs = Math.max(now().getTime(), lastMs + 1)
    return new Date(lastMs).toISOString()
  }
  function tell(event: string, what: object, viaApi: boolean): void {
    events += 1
    const news = structuredClone({ event, event_id: `e${events}`, at: moment(), via_api: viaApi, ...what })
    lastNews = lastNews.then(() => webhooks.emit(news))
  }

  function openTicket(input: unknown, viaApi: boolean): Ticket {
    const { text, requester_email: email, ...given } = draft.parse(input)
    const at = moment()
    const requester = { id: 1, ...(email === undefined ? {} : { email }) }
    const ticket: Ticket = { id: tickets.length + 1, ...given, state: 'new', requester, created_at: at, updated_at: at }
    tickets.push(ticket)
    tell('ticket', { ticket }, viaApi)
    say(ticket, { is_public: true, text, by: viaApi ? 'agent' : 'requester' }, viaApi)
    return ticket
  }
  function change(ticket: Ticket, input: unknown, viaApi: boolean): Ticket {
    const { add_tags, remove_tags, ...given } = patch.parse(input)
    const tags = [...new Set([...ticket.tags, ...add_tags])].filter((tag) => !remove_tags.includes(tag))
    Object.assign(ticket, given, { tags, updated_at: moment() })
    tell('ticket', { ticket }, viaApi)
    return ticket
  }
  function say(ticket: Ticket, input: unknown, viaApi: boolean): { readonly id: number } {
    comments += 1
    const said = { id: comments, ticket_id: ticket.id, ...comment.parse(input), created_at: moment() }
    tell('comment', { comment: said }, viaApi)
    return said
  }

  const onTicket = (act: (ticket: Ticket, body: unknown) => object) => (request: SandboxRequest) => {
    const ticket = tickets.find(({ id }) => String(id) === request.params['id'])
    return ticket ? { status: 200, json: act(ticket, request.json()) } : { status: 404 }
  }
  const server = await createSandbox({
    seed,
    now,
    limits: manifest.limits,
    idempotencyHeader: 'idempotency-key',
    authorise: ({ headers }) => (headers['authorization'] === `Bearer ${token}` ? undefined : { status: 401 }),
    routes: [
      { method: 'GET', path: '/me', answer: () => ({ status: 200, json: { account: 'sandbox' } }) },
      {
        method: 'GET',
        path: '/tickets',
        answer({ query }) {
          const from = query.get('updated_since') ?? ''
          const found = tickets
            .filter((ticket) => ticket.updated_at > from)
            .sort((a, b) => (a.updated_at < b.updated_at ? -1 : 1))
          return { status: 200, json: { tickets: found, next: found.at(-1)?.updated_at ?? from } }
        },
      },
      {
        method: 'POST',
        path: '/tickets',
        answer: (request) => ({ status: 201, json: openTicket(request.json(), true) }),
      },
      { method: 'PATCH', path: '/tickets/:id', answer: onTicket((ticket, body) => change(ticket, body, true)) },
      { method: 'POST', path: '/tickets/:id/comments', answer: onTicket((ticket, body) => say(ticket, body, true)) },
    ],
  })
  return {
    url: server.url,
    config: { subdomain: 'sandbox', api_token: token, base_url: server.url },
    requests: server.requests,
    faults: server.faults,
    webhooks: {
      faults: webhooks.faults,
      counters: webhooks.counters,
      async sendLate() {
        await lastNews
        await webhooks.sendLate()
      },
      async settled() {
        await lastNews
        await webhooks.settled()
      },
    },
    connect: (hook) => webhooks.connect(hook),
    async play() {
      const ticket = openTicket(
        { subject: 'Cannot sign in', text: 'My link has expired.', requester_email: 'ana@acme.example' },
        false,
      )
      change(ticket, { state: 'open', add_tags: ['login'] }, false)
      say(ticket, { is_public: false, text: 'Same as last week.' }, false)
      say(ticket, { is_public: true, text: 'Please try again.' }, false)
      change(ticket, { state: 'done' }, false)
      await lastNews
    },
    async close() {
      await webhooks.close()
      await server.close()
    },
  }
}
