/**
 * A desk and a chat tool that write down everything they are told, and the whole way between them over a real database:
 * stored, worked, delivered. What their people do is given in the hub's own words; vendors' words have tests of their own.
 */
import { beforeEach } from 'vitest'
import { z } from 'zod'
import { createAgent, WrittenAgent } from '#hub/agents/index.ts'
import { createChatDesk, isRead } from '#hub/chat/index.ts'
import { createConnections, type Registry } from '#hub/connections/index.ts'
import type { Act } from '#hub/connector/card.ts'
import {
  type ChatAnswer,
  type ChatContent,
  type ChatHappening,
  type ChatPerson,
  type ChatPlace,
  type ChatSettings,
  chatSettings,
} from '#hub/connector/chat.ts'
import {
  type Capabilities,
  type CaseChange,
  type Connector,
  defineConnector,
  type InboundItem,
  type OutMessage,
} from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { MessageFacts, Observation, PersonFacts } from '#hub/connector/facts.ts'
import { createDelivery } from '#hub/delivery/index.ts'
import { createInbox } from '#hub/inbox/index.ts'
import { afterDelivery } from '#hub/pipeline/after-delivery.ts'
import { type PipelineHub, workInbox } from '#hub/pipeline/index.ts'
import { createRuleBook } from '#hub/pipeline/rule-book.ts'
import { createMetrics } from '#hub/platform/metrics.ts'
import { createSecretBox } from '#hub/platform/secret-box.ts'
import { saveRules, validateRule } from '#hub/rules/index.ts'
import { fakeClock, quietLog, type TestDatabase } from '#kit'
import { passTime } from '../delivery/till.ts'

export interface Posted {
  readonly place: ChatPlace
  readonly content: ChatContent
}

/** What the tools were told, in order. */
interface Told {
  readonly messages: { readonly caseId: string; readonly message: OutMessage }[]
  readonly changes: { readonly caseId: string; readonly change: CaseChange }[]
  readonly opened: { readonly subject: string; readonly text: string }[]
  /** Of what was opened. */
  readonly requesters: PersonFacts[]
  readonly revised: { readonly messageId: string; readonly text: string | undefined }[]
  readonly customers: { readonly caseId: string; readonly message: OutMessage }[]
  readonly posts: Posted[]
  /** Posts that the tool refused, since the app is not in the channel. */
  readonly refused: Posted[]
  readonly updates: Posted[]
  readonly shows: { readonly user: string; readonly answer: ChatAnswer }[]
  /** Who the chat tool was asked about. */
  readonly lookedUp: string[]
}

export const people: Readonly<Record<string, ChatPerson>> = {
  leo: { id: 'leo', name: 'Leo Marín', email: 'leo@acme.example', kind: 'member' },
  eva: { id: 'eva', name: 'Eva Ruiz', email: 'eva@acme.example', kind: 'member', locale: 'es-ES' },
  vic: { id: 'vic', name: 'Vic', email: 'vic@acme.example', kind: 'member' },
  newcomer: { id: 'newcomer', name: 'New', email: 'new@acme.example', kind: 'member' },
  guest: { id: 'guest', name: 'Guest', email: 'leo@acme.example', kind: 'guest' },
  ana: { id: 'ana', name: 'Ana García', email: 'ana@customer.example', kind: 'stranger' },
  bob: { id: 'bob', name: 'Bob', email: 'bob@customer.example', kind: 'stranger' },
}

/** Read by a customer. */
export const sharedChannel = 'shared'

/** A connector's intake that is told in the hub's own words. */
export const observing = {
  verify: () => ({ ok: true as const }),
  items: () => [],
  normalise: ({ body }: InboundItem): Observation[] => [JSON.parse(body)],
}

interface SceneOptions {
  readonly settings?: Partial<ChatSettings>
  /** What this desk does in its own way. */
  readonly desk?: Partial<NonNullable<Capabilities<unknown>['writeCase']>>
  /** In place of one desk and one chat tool; each is connected once, under its id. */
  readonly connectors?: Registry
}

export function chatScene(database: TestDatabase, options: SceneOptions = {}) {
  const clock = fakeClock('2026-11-22T10:00:00Z')
  const going = new AbortController().signal
  const heard = new Map<string, () => void>()
  const signals = {
    raise: (topic: string) => heard.get(topic)?.(),
    on(topic: string, listener: () => void) {
      heard.set(topic, listener)
      return () => {}
    },
    notifySql: () => {
      throw new Error('not used')
    },
    async start() {},
    async stop() {},
  }
  const told: Told = {
    messages: [],
    changes: [],
    opened: [],
    requesters: [],
    revised: [],
    customers: [],
    posts: [],
    refused: [],
    updates: [],
    shows: [],
    lookedUp: [],
  }
  /** While set: the desk refuses every write; the tool tells of nobody; takes no posts; takes them, and its answer is lost. */
  const away = { desk: false, chat: false, channel: false, receipts: false }
  let number = 0
  const next = (kind: string) => `${kind}-${++number}`
  const deskIsThere = () => {
    if (away.desk) throw new ConnectorError('unavailable', 'desk: 503')
  }
  const desk: Connector = defineConnector({
    manifest: { id: 'desk', name: 'Desk', docs: 'https://desk.example', hosts: [], limits: [] },
    config: z.object({}),
    check: async () => ({ account: 'desk' }),
    can: {
      receive: observing,
      writeCase: {
        fields: ['status', 'priority', 'subject', 'tags', 'assignee', 'team', 'custom'],
        async create(_ctx, { subject, text, requester }) {
          deskIsThere()
          told.opened.push({ subject, text })
          told.requesters.push(requester)
          return { externalId: next('T') }
        },
        async update(_ctx, caseId, change) {
          deskIsThere()
          told.changes.push({ caseId, change })
          return {}
        },
        async message(_ctx, caseId, message) {
          deskIsThere()
          told.messages.push({ caseId, message })
          return { externalId: next('M') }
        },
        revise: {
          takes: ['internal'],
          async run(_ctx, _id, messageId, text) {
            told.revised.push({ messageId, text })
            return {}
          },
        },
        effects: { create: 'keyed', update: 'keyed', message: 'keyed', revise: 'keyed' },
        ...options.desk,
      },
    },
  })
  const can: Capabilities<ChatSettings> = {
    receive: observing,
    chat: {
      settings: (config) => config,
      reply: (_item, answer) => ({ status: 200, headers: {}, body: JSON.stringify(answer ?? null) }),
      async show(_ctx, { user }, answer) {
        told.shows.push({ user, answer })
      },
      async whoIs(_ctx, user) {
        told.lookedUp.push(user)
        if (away.chat) throw new ConnectorError('unavailable', 'chat: 503')
        if (user === 'odd') throw new ConnectorError('malformed', 'chat: a person of another shape')
        const person = people[user]
        if (!person) throw new ConnectorError('not_found', `no ${user}`)
        return person
      },
      direct: async (_ctx, user) => ({ channel: `direct-${user}` }),
      // As `team/channel`.
      groupOf: (reference) => reference.split('/')[0],
      async post(_ctx, place, content) {
        if (away.channel) {
          told.refused.push({ place, content })
          throw new ConnectorError('not_found', 'not_in_channel')
        }
        if (away.receipts) throw new ConnectorError('outcome_unknown', 'the answer was lost')
        told.posts.push({ place, content })
        return { externalId: next('C') }
      },
      async update(_ctx, place, content) {
        if (away.channel) throw new ConnectorError('not_found', 'not_in_channel')
        told.updates.push({ place, content })
        return {}
      },
      effects: { post: 'keyed', update: 'keyed' },
    },
    writeCase: {
      isConversation: true,
      fields: [],
      create: async () => ({}),
      update: async () => ({}),
      async message(_ctx, caseId, message) {
        told.customers.push({ caseId, message })
        return { externalId: `shared|${next('S')}` }
      },
      effects: { create: 'keyed', update: 'keyed', message: 'keyed' },
    },
  }
  const talk: Connector = defineConnector({
    manifest: { id: 'talk', name: 'Talk', docs: 'https://talk.example', hosts: [], limits: [] },
    config: z.strictObject(chatSettings),
    check: async () => ({ account: 'talk' }),
    can,
  })
  const settings = {
    channels: [
      { channel: 'desk-room', for: 'cases' },
      { channel: sharedChannel, for: 'customer', company: 'Customer Ltd' },
    ],
    reactions: { eyes: 'take', white_check_mark: 'resolve' },
    ...options.settings,
  }

  let hub: PipelineHub & Parameters<typeof createChatDesk>[0] & Parameters<typeof createDelivery>[0]
  let rules: ReturnType<typeof createRuleBook>
  let inbox: ReturnType<typeof createInbox>
  let delivery: ReturnType<typeof createDelivery>
  const ids = { desk: '', talk: '' }
  const byConnector = new Map<string, string>()

  beforeEach(async () => {
    await database.reset()
    clock.set('2026-11-22T10:00:00Z')
    for (const list of Object.values(told)) list.length = 0
    Object.assign(away, { desk: false, chat: false, channel: false, receipts: false })
    const secrets = createSecretBox(['a passphrase that is long enough to be one'])
    const env = { baseUrl: 'https://hub.example', extraHosts: [] }
    const base = { db: database.db, log: quietLog, now: clock.now, secrets, signals }
    const registry = options.connectors ?? { desk: async () => desk, talk: async () => talk }
    const connections = createConnections({ ...base, env, connectors: registry })
    const queue = {
      async define() {},
      async send() {},
      async sendMany() {},
      async schedule() {},
      async start() {},
      async check() {},
      async stop() {},
    }
    hub = { ...base, env, connections, metrics: createMetrics(), queue } as unknown as typeof hub
    rules = createRuleBook(signals)
    inbox = createInbox(database.pool, () => {})
    await connections.start()
    for (const [id, load] of Object.entries(registry)) {
      const { chat } = (await load()).can
      const name = options.connectors ? id : id === 'desk' ? 'Desk' : 'Talk'
      byConnector.set(id, (await connections.install(id, name, chat ? settings : {})).id)
    }
    Object.assign(ids, { desk: byConnector.get('desk') ?? '', talk: byConnector.get('talk') ?? '' })
    delivery = createDelivery(hub, afterDelivery(hub))
    await hire('leo@acme.example', 'Leo Marín')
    await hire('eva@acme.example', 'Eva Ruiz', { language: 'es' })
    await hire('vic@acme.example', 'Vic', { role: 'viewer' })
  })

  async function hire(email: string, name: string, more: object = {}) {
    await createAgent(database.db, WrittenAgent.parse({ email, name, ...more }), clock.now())
  }

  async function store(connectionId: string, observation: Observation, key = next('in')) {
    const isNothing = observation.type === 'chat' && isRead(observation.happening)
    const body = Buffer.from(JSON.stringify(observation))
    const state = isNothing ? ('ignored' as const) : ('pending' as const)
    const item = { connectionId, key, body, source: 'webhook' as const, state }
    const [stored] = await inbox.put([item])
    return { item, isNew: stored?.isNew === true }
  }

  /** Works and delivers until nothing is left to do, waiting times passed over. */
  async function settle() {
    await workInbox(hub, rules, going)
    await delivery.drain()
  }

  async function happens(happening: ChatHappening, key?: string): Promise<ChatAnswer | undefined> {
    const observation: Observation = { type: 'chat', occurredAt: clock.now().toISOString(), byHub: false, happening }
    const { item, isNew } = await store(ids.talk, observation, key)
    const connection = await hub.connections.byId(ids.talk)
    if (!connection) throw new Error('no chat tool')
    const shown = told.shows.length
    let body = ''
    await createChatDesk(hub).respond(connection, { stored: item, happening }, isNew, 5_000, (reply) => {
      body = reply.body
    })
    await settle()
    const late = told.shows[shown]?.answer
    return late ?? (JSON.parse(body) as ChatAnswer | null) ?? undefined
  }

  return {
    clock,
    told,
    away,
    ids,
    settings,
    settle,
    store,
    hire,
    happens,
    hub: () => hub,
    connectionOf: (connector: string) => byConnector.get(connector) ?? '',
    async draft(id: string, email: string, caseId: string | null, content: object) {
      const agent = await database.db
        .selectFrom('agents')
        .select('id')
        .where('email', '=', email)
        .executeTakeFirstOrThrow()
      const row = { id, agent_id: agent.id, case_id: caseId, content: JSON.stringify(content), created_at: clock.now() }
      await database.db.insertInto('drafts').values(row).execute()
    },
    /** The desk tells something. */
    async tell(...observations: readonly Observation[]) {
      for (const one of observations) await store(ids.desk, one)
      await settle()
    },
    press: (user: string, act: string, value: string, fields: Act['fields'] = {}, more: Partial<ChatHappening> = {}) =>
      happens({ user, place: { channel: 'desk-room' }, what: { kind: 'press', act: { act, value, fields } }, ...more }),
    submit: (user: string, act: string, value: string, fields: Act['fields'] = {}, key?: string) =>
      happens(
        {
          user,
          place: { channel: 'desk-room' },
          awaits: true,
          what: { kind: 'submit', act: { act, value, fields } },
        },
        key,
      ),
    write: (user: string, place: ChatPlace, text: string, id: string, files: MessageFacts['attachments'] = []) =>
      happens({ user, place: { ...place, message: id }, what: { kind: 'message', message: { id, text, files } } }),
    async rule(definition: object) {
      const checked = validateRule({ mode: 'on', ...definition })
      if (!checked.ok) throw new Error(JSON.stringify(checked.issues))
      const by = { author: 'test', source: 'test', now: clock.now() }
      await database.db.transaction().execute((trx) => saveRules(trx, [checked.rule], by))
      signals.raise('rules')
    },
    /** Waiting deliveries become due. */
    async later() {
      await passTime(database.db)
      await settle()
    },
    async caseId(externalId: string): Promise<string> {
      const row = await database.db
        .selectFrom('case_links')
        .select('case_id')
        .where('external_id', '=', externalId)
        .executeTakeFirstOrThrow()
      return row.case_id
    },
    async post(cardKey: string) {
      return await database.db.selectFrom('chat_posts').selectAll().where('card_key', '=', cardKey).executeTakeFirst()
    },
  }
}

export const caseFacts = (id: string, more: object = {}): Observation => ({
  type: 'case',
  occurredAt: '2026-11-22T09:00:00Z',
  byHub: false,
  case: {
    id,
    subject: `Case ${id}`,
    status: 'open',
    priority: 'normal',
    channel: 'email',
    tags: [],
    requester: { id: `U-${id}`, name: 'Ana García', emails: ['ana@customer.example'] },
    createdAt: '2026-11-22T09:00:00Z',
    updatedAt: '2026-11-22T09:00:00Z',
    ...more,
  },
})

export const messageFacts = (caseId: string, id: string, text: string, more: object = {}): Observation => ({
  type: 'message',
  occurredAt: '2026-11-22T09:01:00Z',
  byHub: false,
  caseId,
  message: {
    id,
    visibility: 'public',
    author: { kind: 'customer', id: `U-${caseId}`, name: 'Ana García' },
    text,
    sentAt: '2026-11-22T09:01:00Z',
    ...more,
  },
})
