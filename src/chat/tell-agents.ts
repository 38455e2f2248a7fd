/** Whom something about their own case is told, in private and outside their quiet hours. */
import { type Agent, accountsOf, findAgents, toldAt } from '#hub/agents/index.ts'
import { type CaseBook, type DomainEvent, read } from '#hub/cases/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { AgentFacts } from '#hub/connector/facts.ts'
import { effectKey, type OutboxEntry } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { fill, type Messages, messagesIn } from '#hub/workbench/index.ts'
import { languageFor } from './languages.ts'

interface News {
  readonly event: DomainEvent
  readonly caseId: string
  readonly email: string
  readonly kind: 'assigned' | 'answered'
}

/** Of the texts of people, what fits in a notification. */
const longestQuote = 300

export async function tellAgents(
  trx: Trx,
  connections: readonly LoadedConnection[],
  book: CaseBook,
  events: readonly DomainEvent[],
  now: Date,
): Promise<readonly OutboxEntry[]> {
  const tools = new Map(connections.flatMap((one) => (one.connector.can.chat ? [[one.id, one] as const] : [])))
  const news = tools.size === 0 ? [] : events.flatMap((event) => newsIn(event, book))
  if (news.length === 0) return []
  const agents = await findAgents(
    trx,
    news.map(({ email }) => email),
  )
  const accounts = await accountsOf(
    trx,
    agents.map(({ id }) => id),
  )
  return news.flatMap((one) => {
    const agent = agents.find(({ email, active }) => active && email === one.email.toLowerCase())
    // Who did it themselves knows.
    if (!agent || one.event.cause.actor === agent.email) return []
    const account = accounts.findLast(({ agentId, connectionId }) => agentId === agent.id && tools.has(connectionId))
    const connection = account && tools.get(account.connectionId)
    return connection ? [noticeOf(one, agent, connection, book, now)] : []
  })
}

function newsIn(event: DomainEvent, book: CaseBook): readonly News[] {
  const { caseId, type, data } = event
  const state = caseId === undefined ? undefined : book.get(caseId)
  const email = state && read.assignee(state.fields)?.email
  if (caseId === undefined || !email) return []
  if (type === 'message.received') return [{ event, caseId, email, kind: 'answered' }]
  const changes = (data['changes'] ?? {}) as Readonly<Record<string, { readonly to: AgentFacts | null }>>
  const isAssigned = type === 'case.created' || (type === 'case.updated' && changes['assignee'] !== undefined)
  return isAssigned ? [{ event, caseId, email, kind: 'assigned' }] : []
}

function noticeOf(
  { event, caseId, kind }: News,
  agent: Agent,
  { id: connectionId, connector, config }: LoadedConnection,
  book: CaseBook,
  now: Date,
): OutboxEntry {
  const settings = connector.can.chat?.settings(config)
  const words = messagesIn[settings ? languageFor(settings, { agent: agent.language }) : 'en']
  const fields = book.get(caseId)?.fields ?? {}
  const key = effectKey(event.id, 'told', kind, agent.id)
  const dueAt = toldAt(agent, now, read.priority(fields) === 'urgent')
  const { title, text } = saidOf(kind, event, read.subject(fields), words)
  return {
    key,
    lane: connectionId,
    orderKey: key,
    connectionId,
    caseId,
    action: {
      type: 'chat.show',
      show: { what: 'notice', to: { agent: agent.email }, key, title, text, tone: 'attention', caseId },
    },
    cause: event.cause,
    ...(dueAt ? { dueAt } : {}),
  }
}

function saidOf(kind: News['kind'], { data, actor }: DomainEvent, about: string | null, { chat, ...words }: Messages) {
  const subject = about?.trim() || words.case.noSubject
  if (kind === 'assigned') {
    const by = actor.kind === 'person' ? actor.name : ''
    return { title: chat.assigned.title, text: fill(by ? chat.assigned.by : chat.assigned.text, { subject, by }) }
  }
  const said = typeof data['text'] === 'string' ? data['text'].replaceAll(/\s+/g, ' ').trim() : ''
  const text = said.length > longestQuote ? `${said.slice(0, longestQuote - 1).toWellFormed()}…` : said
  return { title: chat.answered.title, text: fill(chat.answered.text, { subject, text }) }
}
