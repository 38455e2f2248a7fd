/** A small stateful HubSpot over real HTTP: its API, its batched thin webhooks, and the people who work in it. */

import { signHmac } from '#hub/connector/hmac.ts'
import {
  type AttemptResult,
  createSandbox,
  createWebhooks,
  type Delivery,
  type LimitState,
  type Mischief,
  type SandboxRequest,
  type VendorSandbox,
  type VendorSandboxOptions,
} from '#hub/connector/sandbox.ts'
import manifest from './manifest.json' with { type: 'json' }
import { signature, signedUrl } from './receive.ts'
import { Crm, type CrmEvent, type CrmObject, type CrmOwner } from './sandbox-crm.ts'
import { apiRoutes } from './sandbox-routes.ts'

export interface HubspotSandboxOptions extends VendorSandboxOptions {
  /** How far the search's index is behind; 0 when absent. */
  readonly indexLagMs?: number
}

export interface HubspotSandbox extends VendorSandbox {
  /** What is in the account: the ledger of effects. */
  readonly crm: Crm
  readonly agent: CrmOwner
  /** How far the search's index is behind, from now on. */
  setIndexLag(ms: number): void
  /** All that happens in `work` is told in one request, a hundred events at most. */
  together<T>(work: () => T, mischief?: Mischief): Promise<T>
  /** Sends a request with exactly this body, signed. */
  sendBody(body: string): Promise<Delivery>
  createContact(properties: Readonly<Record<string, string>>, mischief?: Mischief): Promise<CrmObject>
  createCompany(properties: Readonly<Record<string, string>>): CrmObject
  /** A ticket of a contact; with `inbox`, in a conversation that can be answered. */
  createTicket(ticket: NewTicket, mischief?: Mischief): Promise<CrmObject>
  change(object: CrmObject, properties: Readonly<Record<string, string>>, mischief?: Mischief): Promise<void>
  deleteTicket(ticket: CrmObject, mischief?: Mischief): Promise<void>
}

interface NewTicket {
  readonly subject: string
  readonly text?: string
  readonly contact?: CrmObject
  readonly inbox?: boolean
  readonly properties?: Readonly<Record<string, string>>
}

const portalId = '424242'
const appId = '31337'
const token = 'pat-sandbox-hubspot-access-token'

export async function startSandbox(options: HubspotSandboxOptions = {}): Promise<HubspotSandbox> {
  const now = options.now ?? (() => new Date())
  const clock = options.now ? { now: options.now } : {}
  const seed = options.seed === undefined ? {} : { seed: options.seed }
  let hookUrl = ''
  let indexLagMs = options.indexLagMs ?? 0
  // HubSpot signs the address it calls.
  const webhooks = createWebhooks<string>({
    ...clock,
    ...seed,
    timeoutMs: 5_000,
    retryDelayMs,
    sign: (body, _deliveryId, sentAt, secret) => ({
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)',
        ...signHmac({ method: 'POST', url: signedUrl(hookUrl), body }, secret, signature, sentAt),
      },
    }),
  })

  let eventId = 100
  /** What is told together, while somebody's act or a call goes on. */
  let gathered: string[] | undefined
  const tell = (event: CrmEvent) => {
    eventId += 1
    gathered?.push(eventJson(event, eventId))
  }
  const crm = new Crm({ now, tell })
  const gather = <T>(work: () => T): { result: T; events: readonly string[] } => {
    const events: string[] = []
    gathered = events
    try {
      return { result: work(), events }
    } finally {
      gathered = undefined
    }
  }
  const send = async (events: readonly string[], how?: Mischief): Promise<void> => {
    for (let start = 0; start < events.length; start += 100) {
      await webhooks.emit(`[${events.slice(start, start + 100).join(',')}]`, how)
    }
  }
  const together = async <T>(work: () => T, how?: Mischief): Promise<T> => {
    const { result, events } = gather(work)
    await send(events, how)
    return result
  }

  const agent = crm.addOwner({ email: 'leo@crm.example', firstName: 'Leo', lastName: 'Ruiz' })
  crm.addOwner({ email: 'eva@crm.example', firstName: 'Eva', lastName: 'Lang' })
  const person = { changeSource: 'CRM_UI', sourceId: `userId:${agent.userId}` }

  const routes = apiRoutes({
    crm,
    portalId,
    now,
    doer: { changeSource: 'INTEGRATION', sourceId: appId },
    indexLagMs: () => indexLagMs,
  })
  const server = await createSandbox({
    ...clock,
    ...seed,
    // What a call of the API does is told without the call waiting for it.
    routes: routes.map((route) => ({
      ...route,
      answer(request) {
        const { result, events } = gather(() => route.answer(request))
        void send(events)
        return result
      },
    })),
    limits: manifest.limits,
    limitHeaders,
    authorise,
  })

  const createTicket: HubspotSandbox['createTicket'] = (ticket, how) =>
    together(() => {
      const given = { hs_pipeline: '0', hs_pipeline_stage: '1', source_type: 'EMAIL', ...ticket.properties }
      const properties = { subject: ticket.subject, content: ticket.text ?? '', ...given }
      const made = crm.create('tickets', properties, person)
      if (ticket.contact) crm.associate(made, ticket.contact, person)
      if (ticket.contact && ticket.inbox) crm.openThread(made.id, ticket.contact.id)
      return made
    }, how)
  const createContact: HubspotSandbox['createContact'] = (properties, how) =>
    together(() => crm.create('contacts', properties, person), how)
  const change: HubspotSandbox['change'] = (object, properties, how) =>
    together(() => crm.update(object, properties, person), how)

  let scene = 0
  return {
    url: server.url,
    config: {
      access_token: token,
      webhook_secret: '11111111-2222-4333-8444-555555555555',
      portal_id: portalId,
      hub_app_id: appId,
      key_property: 'deskweave_key',
      tags_property: 'deskweave_tags',
      ticket_score_property: 'hub_csat_score',
      contact_score_property: 'hub_csat_score',
      contact_key_property: 'customer_number',
      sender_actor_id: `A-${agent.userId}`,
      api_base: server.url,
    },
    requests: server.requests,
    faults: server.faults,
    webhooks,
    crm,
    agent,
    setIndexLag(ms) {
      indexLagMs = ms
    },
    together,
    sendBody: (body) => webhooks.emit(body),
    connect(hook) {
      hookUrl = hook.url
      webhooks.connect(hook)
    },
    createContact,
    createCompany: (properties) => crm.create('companies', properties, person),
    createTicket,
    change,
    deleteTicket: (ticket, how) => together(() => crm.archive(ticket, person), how),
    async play() {
      scene += 1
      const email = `ana.${options.seed ?? 1}.${scene}@customer.example`
      const contact = await createContact({ email, firstname: 'Ana', lastname: `García ${scene}` })
      const ticket = await createTicket({ subject: `Invoice ${scene} is wrong`, contact, inbox: true })
      await change(ticket, { hs_pipeline_stage: '3', hubspot_owner_id: agent.id })
      await change(ticket, { hs_pipeline_stage: '4' })
    },
    async close() {
      await webhooks.close()
      await server.close()
    },
  }
}

function authorise(request: SandboxRequest) {
  if (request.headers['authorization'] === `Bearer ${token}`) return undefined
  const problem = { category: 'INVALID_AUTHENTICATION', message: 'Authentication credentials not found' }
  return { status: 401, json: { status: 'error', correlationId: 'sandbox', ...problem } }
}

/** The search has a limit of its own and no headers. */
function limitHeaders({ limit, remaining, named }: LimitState): Record<string, string> {
  if (named?.budget === 'search') return {}
  return {
    'x-hubspot-ratelimit-max': String(limit),
    'x-hubspot-ratelimit-remaining': String(Math.max(remaining, 0)),
    'x-hubspot-ratelimit-interval-milliseconds': '10000',
  }
}

/** Up to 10 times in 24 hours at HubSpot; here the pauses are short. */
function retryDelayMs({ attempt, retryAfterMs }: AttemptResult): number | undefined {
  return attempt <= 10 ? (retryAfterMs ?? 500) : undefined
}

function eventJson({ at, type, doer, ...more }: CrmEvent, eventId: number): string {
  return JSON.stringify({
    eventId,
    subscriptionId: 7,
    portalId: Number(portalId),
    appId: Number(appId),
    occurredAt: at.getTime(),
    subscriptionType: type,
    attemptNumber: 0,
    ...more,
    ...doer,
  })
}
