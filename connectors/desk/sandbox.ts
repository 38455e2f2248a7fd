/**
 * The "Legacy desk": a small help desk over real HTTP. Its users act through functions or the backstage routes, the hub
 * talks to `POST /answers`, and its news go out as signed webhooks.
 *
 * Backstage (JSON): `POST /people`, `POST /cases`, `GET /cases`, `GET|PATCH /cases/:id`, `POST /cases/:id/messages`,
 * `POST /cases/:id/rating`, `GET /notices`.
 */

import { z } from 'zod'
import { signStandardWebhook, verifyStandardWebhook } from '#hub/connector/hmac.ts'
import {
  type AttemptResult,
  createSandbox,
  createWebhooks,
  type SandboxAnswer,
  type SandboxRequest,
  seededNumbers,
  type VendorSandbox,
  type VendorSandboxOptions,
} from '#hub/connector/sandbox.ts'
import { type Dialect, oddMapping, writeNews } from './dialects.ts'
import { type DeskNews, DeskRefusal, type LegacyDesk, legacyDesk } from './legacy-desk.ts'

export interface LegacyDeskSandbox extends VendorSandbox {
  /** The desk's own users act here. */
  readonly desk: LegacyDesk
}

const answersSecret = 'whsec_TGVnYWN5RGVza0Fuc3dlcnNTZWNyZXQwMQ=='

export async function startSandbox(
  options: VendorSandboxOptions & { readonly dialect?: Dialect } = {},
): Promise<LegacyDeskSandbox> {
  const { seed = 1, now = () => new Date(), dialect = 'event_format' } = options
  const webhooks = createWebhooks<DeskNews>({
    sign(news, id, sentAt, secret) {
      const body = JSON.stringify(writeNews(news, dialect))
      const headers = signStandardWebhook({ id, sentAt, body, secrets: [secret] })
      return { headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body }
    },
    retryDelayMs,
    timeoutMs: 15_000,
    seed,
    now,
  })
  // News leave one after the other, as from any desk with a queue.
  let lastNews: Promise<unknown> = Promise.resolve()
  const desk = legacyDesk({
    now,
    url: () => server.url,
    tell(news) {
      const then = structuredClone(news)
      lastNews = lastNews.then(() => webhooks.emit(then))
    },
  })
  const backstage = (method: string, path: string, answer: (request: SandboxRequest) => unknown) => ({
    method,
    path,
    backstage: true,
    answer: (request: SandboxRequest) => answered(() => answer(request)),
  })
  const server = await createSandbox({
    seed,
    now,
    idempotencyHeader: 'webhook-id',
    authorise: (request) => (verifyStandardWebhook(request, answersSecret, now()).ok ? undefined : { status: 401 }),
    routes: [
      {
        method: 'POST',
        path: '/answers',
        answer: (request) => answered(() => obey(desk, toldSchema.parse(request.json()))),
      },
      backstage('POST', '/people', (request) => desk.addPerson(request.json())),
      backstage('POST', '/cases', (request) => desk.openCase(request.json())),
      backstage('GET', '/cases', () => [...desk.cases.values()]),
      backstage('GET', '/cases/:id', ({ params }) => desk.cases.get(params['id'] ?? '') ?? refuse(params['id'])),
      backstage('PATCH', '/cases/:id', ({ params, json }) => desk.changeCase(params['id'] ?? '', json())),
      backstage('POST', '/cases/:id/messages', ({ params, json }) => desk.addMessage(params['id'] ?? '', json())),
      backstage('POST', '/cases/:id/rating', ({ params, json }) => desk.rate(params['id'] ?? '', json())),
      backstage('GET', '/notices', () => desk.notices),
    ],
  })
  const draw = seededNumbers(seed)
  return {
    url: server.url,
    config: {
      answers_url: `${server.url}/answers`,
      answers_secret: answersSecret,
      ...(dialect === 'odd' ? { mapping: oddMapping } : {}),
    },
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
    desk,
    async play() {
      playScene(desk, draw)
      await lastNews
    },
    async close() {
      await webhooks.close()
      await server.close()
    },
  }
}

function refuse(id: string | undefined): never {
  throw new DeskRefusal(404, `no case ${id}`)
}

function answered(act: () => unknown): SandboxAnswer {
  try {
    return { status: 200, json: act() ?? {} }
  } catch (error) {
    if (error instanceof DeskRefusal) return { status: error.status, json: { error: error.message } }
    if (error instanceof z.ZodError) return { status: 422, json: { error: z.prettifyError(error) } }
    throw error
  }
}

const toldSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('case.create'), case: z.unknown() }),
  z.object({ type: z.literal('case.update'), case_id: z.string(), change: z.unknown() }),
  z.object({ type: z.literal('case.message'), case_id: z.string(), message: z.unknown() }),
  z.object({
    type: z.literal('message.updated'),
    case_id: z.string(),
    message: z.object({ id: z.string(), text: z.string() }),
  }),
  z.object({ type: z.literal('message.deleted'), case_id: z.string(), message: z.object({ id: z.string() }) }),
  z.object({ type: z.literal('person.upsert'), person: z.unknown() }),
  z.object({ type: z.literal('rating.record'), case_id: z.string(), rating: z.unknown() }),
  z.object({ type: z.literal('notify'), notice: z.unknown() }),
])

/** Does what the hub asks, and answers with the record's id and state. */
function obey(desk: LegacyDesk, told: z.output<typeof toldSchema>): object {
  switch (told.type) {
    case 'ping':
      return {}
    case 'case.create':
      return stateOf(desk.openCase(told.case, true))
    case 'case.update':
      return stateOf(desk.changeCase(told.case_id, told.change, true))
    case 'case.message': {
      const { id, sent_at } = desk.addMessage(told.case_id, told.message, true)
      return { id, updated_at: sent_at }
    }
    case 'message.updated':
    case 'message.deleted':
      desk.reviseMessage(told.case_id, told.message)
      return { id: told.message.id }
    case 'person.upsert':
      return { id: desk.addPerson(told.person, true).id }
    case 'rating.record':
      return stateOf(desk.rate(told.case_id, told.rating, true))
    case 'notify':
      desk.notify(told.notice)
      return {}
  }
}

function stateOf({
  id,
  url,
  updated_at,
  version,
}: {
  id: string
  url: string
  updated_at: string
  version: string
}): object {
  return { id, url, updated_at, version }
}

/** The example schedule of the Standard Webhooks specification; 410 ends it. */
const retrySeconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
function retryDelayMs({ attempt, status, retryAfterMs = 0 }: AttemptResult): number | undefined {
  const planned = retrySeconds[attempt - 1]
  return status === 410 || planned === undefined ? undefined : Math.max(planned * 1000, retryAfterMs)
}

const callers = [
  {
    name: 'Ana García',
    emails: ['ana@acme.example'],
    company: { id: 'C-1', name: 'Acme', domain: 'acme.example' },
    locale: 'es-ES',
  },
  { name: 'Jonas Weber', emails: ['jonas@nordlicht.example'], phones: ['+4930901820'], locale: 'de-DE' },
  {
    name: 'Priya Nair',
    emails: ['priya@lotus.example'],
    company: { id: 'C-2', name: 'Lotus', domain: 'lotus.example' },
    locale: 'en-GB',
  },
]
const troubles = [
  ['Invoice is wrong', 'The invoice of this month counts two seats too many.'],
  ['Cannot sign in', 'The sign-in page says that my link has expired.'],
  ['Export stops halfway', 'The CSV export ends after 1,000 rows.'],
] as const

function playScene(desk: LegacyDesk, draw: () => number): void {
  const caller = callers[Math.floor(draw() * callers.length)] ?? callers[0]
  const [subject, text] = troubles[Math.floor(draw() * troubles.length)] ?? troubles[0]
  const { id } = desk.openCase({ subject, text, requester: caller, priority: draw() < 0.3 ? 'high' : 'normal' })
  desk.changeCase(id, { status: 'open', assignee_email: draw() < 0.5 ? 'leo@desk.example' : 'noor@desk.example' })
  desk.addMessage(id, { visibility: 'internal', text: 'Looks like the same thing as last week.' })
  desk.addMessage(id, { visibility: 'public', text: 'Thank you, we are on it.' })
  desk.addMessage(id, { visibility: 'public', text: 'It works again, thank you!', by: 'customer' })
  desk.changeCase(id, { status: 'solved', add_tags: ['fixed'] })
  desk.rate(id, { score: 3 + Math.floor(draw() * 3), comment: 'Quick and friendly.' })
}
