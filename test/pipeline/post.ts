/** A mailbox's connector that tells what the test wants, and the whole pipeline over a real database. */
import { beforeEach } from 'vitest'
import { z } from 'zod'
import { applyReceipts } from '#hub/cases/index.ts'
import { createConnections } from '#hub/connections/index.ts'
import { type Connector, defineConnector, type Page } from '#hub/connector/contract.ts'
import type { BounceFacts, MessageFacts, Observation, ThreadFacts } from '#hub/connector/facts.ts'
import { createInbox } from '#hub/inbox/index.ts'
import type { Action } from '#hub/outbox/index.ts'
import { command } from '#hub/pipeline/command.ts'
import { inWorkspace, type PipelineHub, workInbox } from '#hub/pipeline/index.ts'
import { createRuleBook } from '#hub/pipeline/rule-book.ts'
import { createMetrics } from '#hub/platform/metrics.ts'
import { createSecretBox } from '#hub/platform/secret-box.ts'
import { createReconciliation } from '#hub/reconcile/index.ts'
import { saveRules, validateRule } from '#hub/rules/index.ts'
import { fakeClock, quietLog, type TestDatabase } from '#kit'
import { chatTool } from '#kit/chat.ts'

export type MailOptions = Partial<ThreadFacts> & {
  readonly kind?: MessageFacts['author']['kind']
  readonly at?: string
  readonly text?: string
  readonly byHub?: boolean
  readonly verified?: boolean
}

/** A mail: its id, its sender, and what it says about where it belongs. It opens the case `of-<id>`. */
export function mail(id: string, from: string, options: MailOptions = {}): Observation {
  const {
    kind = 'customer',
    at = '2026-11-22T09:00:00Z',
    text = `Text of ${id}`,
    byHub = false,
    verified,
    ...thread
  } = options
  const requester = { emails: [from], ...(verified === undefined ? {} : { verified }) }
  return {
    type: 'threaded',
    occurredAt: at,
    byHub,
    message: { id, visibility: 'public', author: { kind, email: from }, text, sentAt: at },
    thread: {
      opens: {
        id: `of-${id}`,
        subject: `About ${id}`,
        status: 'new',
        channel: 'email',
        requester,
        createdAt: at,
        updatedAt: at,
      },
      proven: [],
      answers: [],
      from,
      automatic: false,
      ...thread,
    },
  }
}

export function bounce(facts: Partial<BounceFacts> & Pick<BounceFacts, 'caseId'>): Observation {
  const bounced = { address: 'ana@example.com', permanent: true, reason: '550 5.1.1 user unknown', ...facts }
  return { type: 'bounce', occurredAt: '2026-11-22T09:30:00Z', byHub: false, bounce: bounced }
}

export function postScene(database: TestDatabase) {
  const clock = fakeClock('2026-11-22T10:00:00Z')
  const going = new AbortController().signal
  let pages: Page[] = []
  let n = 0
  const can = {
    changes: {
      async *since() {
        yield* pages.splice(0)
      },
    },
    writeCase: {
      needsThread: true as const,
      fields: [],
      create: async () => ({}),
      update: async () => ({}),
      message: async () => ({}),
      effects: { create: 'keyed', update: 'keyed', message: 'keyed' } as const,
    },
  }
  const post: Connector = defineConnector({
    manifest: { id: 'post', name: 'Post', docs: 'https://post.example', hosts: [], limits: [] },
    config: z.object({}),
    check: async () => ({ account: 'support@desk.example' }),
    can,
  })
  /** The same with webhooks beside. */
  const pushing: Connector = defineConnector({
    ...post,
    can: { ...can, receive: { verify: () => ({ ok: true as const }), items: () => [], normalise: () => [] } },
  })
  const heard = new Map<string, () => void>()
  const signals = {
    raise: (topic: string) => heard.get(topic)?.(),
    on(topic: string, listener: () => void) {
      heard.set(topic, listener)
      return () => {}
    },
  }
  let connections: ReturnType<typeof createConnections>
  let hub: PipelineHub
  let rules: ReturnType<typeof createRuleBook>
  let reconciliation: ReturnType<typeof createReconciliation>
  let id = ''

  beforeEach(async () => {
    await database.reset()
    pages = []
    clock.set('2026-11-22T10:00:00Z')
    const noQueue = {
      async define() {},
      async send() {},
      async sendMany() {},
      async schedule() {},
      async start() {},
      async check() {},
      async stop() {},
    }
    const all = {
      ...signals,
      notifySql: () => {
        throw new Error('not used')
      },
      async start() {},
      async stop() {},
    }
    connections = createConnections({
      db: database.db,
      log: quietLog,
      now: clock.now,
      secrets: createSecretBox(['a passphrase that is long enough to be one']),
      signals: all,
      env: { baseUrl: 'https://hub.example', extraHosts: [] },
      connectors: { post: async () => post, pushing: async () => pushing, slack: async () => chatTool('slack') },
    })
    hub = {
      db: database.db,
      log: quietLog,
      now: clock.now,
      connections,
      metrics: createMetrics(),
      signals: all,
      queue: noQueue,
    }
    rules = createRuleBook(all)
    const inbox = createInbox(database.pool, () => {})
    reconciliation = createReconciliation({ ...hub, queue: noQueue }, inbox, going)
    await connections.start()
    id = await install('post')
  })

  async function install(connector: string, config: object = {}, name = connector): Promise<string> {
    const installed = await connections.install(connector, name, { ...config })
    return installed.id
  }

  async function work() {
    await workInbox(hub, rules, going)
  }

  async function tell(page: Omit<Page, 'cursor'>, connectionId = id) {
    n += 1
    pages.push({ ...page, cursor: String(n) })
    await reconciliation.run(connectionId)
    await work()
  }

  const cases = () => database.db.selectFrom('cases').selectAll().orderBy('id').execute()
  const messages = () => database.db.selectFrom('messages').selectAll().orderBy('sent_at').orderBy('id').execute()
  const events = async () => await database.db.selectFrom('events').selectAll().orderBy('seq').execute()
  const outbox = () => database.db.selectFrom('outbox').selectAll().orderBy('seq').execute()

  return {
    clock,
    tell,
    work,
    install,
    cases,
    messages,
    events,
    outbox,
    suppressed: async () =>
      (await database.db.selectFrom('suppressions').select('address').execute()).map((row) => row.address),
    /** One page for each call, worked at once. */
    deliver: (...observations: readonly Observation[]) => tell({ observations }),
    types: async () => (await events()).flatMap(({ type }) => (type.startsWith('profile.') ? [] : type)),
    inboxRows: () => database.db.selectFrom('inbox').selectAll().orderBy('seq').execute(),
    runs: () => database.db.selectFrom('rule_runs').selectAll().orderBy('seq').execute(),
    async caseOf(externalId: string) {
      const link = await database.db
        .selectFrom('case_links')
        .select('case_id')
        .where('external_id', '=', externalId)
        .executeTakeFirst()
      return (await cases()).find((one) => one.id === link?.case_id)
    },
    async replay() {
      await database.db.updateTable('inbox').set({ state: 'pending', attempts: 0, reason: null }).execute()
      await work()
    },
    person: (caseId: string, act: Pick<Parameters<typeof command>[2], 'change' | 'message'>) =>
      command(hub, rules, { caseId, actor: 'leo@desk.example', ...act }),
    /** The vendor took what waits, and gave the messages ids. */
    async sendAll() {
      const waiting = (await outbox()).filter((row) => row.state === 'pending')
      const sent = waiting.map((row, index) => ({
        key: row.key,
        connectionId: id,
        action: row.action as Action,
        receipt: { externalId: `sent-${row.seq}-${index}` },
      }))
      await inWorkspace(database.db, (trx) => applyReceipts(trx, sent, clock.now()))
      await database.db.updateTable('outbox').set({ state: 'sent' }).where('state', '=', 'pending').execute()
      return sent.map(({ receipt }) => receipt.externalId)
    },
    async rule(definition: object) {
      const checked = validateRule({ mode: 'on', ...definition })
      if (!checked.ok) throw new Error(JSON.stringify(checked.issues))
      const by = { author: 'test', source: 'test', now: clock.now() }
      await database.db.transaction().execute((trx) => saveRules(trx, [checked.rule], by))
      signals.raise('rules')
    },
  }
}
