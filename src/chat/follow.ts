/** Which cards are to be posted or brought up to date after what happened to cases; and what their threads are to show. */
import { type CaseBook, type CaseState, type DomainEvent, read } from '#hub/cases/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { ChatChannel, ChatSettings } from '#hub/connector/chat.ts'
import { profileViewsFor } from '#hub/identity/index.ts'
import type { ChatShow } from '#hub/outbox/action.ts'
import { effectKey, type OutboxEntry } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Cause } from '#hub/platform/db/schema.ts'
import type { ProfileView } from '#hub/rules/plan.ts'
import { type Post, postsOfCases } from './store.ts'
import { tellAgents } from './tell-agents.ts'

export interface Happened {
  readonly book: CaseBook
  readonly connections: readonly LoadedConnection[]
  readonly events: readonly DomainEvent[]
  /** What leaves for the cases' tools: messages of ours are shown in threads too. */
  readonly outgoing: readonly OutboxEntry[]
}

interface Tool {
  readonly connection: LoadedConnection
  readonly settings: ChatSettings
}

export async function followInChat(trx: Trx, happened: Happened, now: Date): Promise<readonly OutboxEntry[]> {
  const { book, events, outgoing } = happened
  const tools = chatTools(happened.connections)
  const caseIds = [...new Set([...events, ...outgoing].flatMap(({ caseId }) => caseId ?? []))]
  if (tools.length === 0 || caseIds.length === 0) return []
  const posts = Map.groupBy(await postsOfCases(trx, caseIds), ({ caseId }) => caseId ?? '')
  const profiles = await profilesFor(trx, book, caseIds, tools)
  const told = await tellAgents(trx, happened.connections, book, events, now)
  const shown = caseIds.flatMap((caseId) => {
    const state = book.get(caseId)
    if (!state) return []
    const own = {
      events: events.filter((event) => event.caseId === caseId),
      outgoing: outgoing.filter((entry) => entry.caseId === caseId),
    }
    const profile = profiles.get(read.requester(state.fields) ?? '')
    return tools.flatMap((tool) =>
      channelsFor(tool, state, posts.get(caseId) ?? [], profile, happened).flatMap((channel) =>
        entriesIn(tool, caseId, channel, own),
      ),
    )
  })
  return [...shown, ...told]
}

/** A case's tool is away, or back: its cards say so. @param turns `key` is the same for the same turn. */
export async function refreshCards(
  trx: Trx,
  connections: readonly LoadedConnection[],
  turns: readonly { readonly caseId: string; readonly key: string }[],
): Promise<readonly OutboxEntry[]> {
  if (chatTools(connections).length === 0) return []
  const posts = await postsOfCases(
    trx,
    turns.map(({ caseId }) => caseId),
  )
  return turns.flatMap(({ caseId, key }) =>
    posts.flatMap(({ connectionId, channel, ...post }) =>
      post.caseId === caseId && post.cardKey === `case:${caseId}`
        ? [showEntry(connectionId, { what: 'case', caseId, channel }, { depth: 0 }, key, 'turn', channel)]
        : [],
    ),
  )
}

function showEntry(
  connectionId: string,
  show: Extract<ChatShow, { caseId: string }>,
  cause: Cause,
  ...what: readonly string[]
): OutboxEntry {
  const { caseId } = show
  return {
    key: effectKey(...what, connectionId),
    lane: connectionId,
    orderKey: caseId,
    connectionId,
    caseId,
    action: { type: 'chat.show', show },
    cause,
  }
}

function chatTools(connections: readonly LoadedConnection[]): readonly Tool[] {
  return connections.flatMap((connection) => {
    const { chat } = connection.connector.can
    return chat && connection.status !== 'paused' ? [{ connection, settings: chat.settings(connection.config) }] : []
  })
}

/** Only where a channel asks who the customer is. */
async function profilesFor(
  trx: Trx,
  book: CaseBook,
  caseIds: readonly string[],
  tools: readonly Tool[],
): Promise<ReadonlyMap<string, ProfileView>> {
  const asks = tools.some(({ settings }) => settings.channels.some((channel) => channel.when?.customers))
  if (!asks) return new Map()
  const leaves = caseIds.flatMap((id) => {
    const state = book.get(id)
    return (state && read.requester(state.fields)) ?? []
  })
  return await profileViewsFor(trx, [...new Set(leaves)])
}

/** Where the card stands already, and where it belongs as soon as it fits. */
function channelsFor(
  { connection, settings }: Tool,
  state: CaseState,
  posts: readonly Post[],
  profile: ProfileView | undefined,
  { book, connections }: Happened,
): readonly string[] {
  const standing = posts.filter((post) => post.connectionId === connection.id && post.cardKey === `case:${state.id}`)
  const names = book
    .linksOf(state.id)
    .flatMap((link) => connections.find(({ id }) => id === link.connectionId)?.name ?? [])
  const fitting = settings.channels.filter(
    (channel) => channel.for === 'cases' && channel.post === 'arrival' && fits(channel, state, names, profile),
  )
  return [...new Set([...standing.map(({ channel }) => channel), ...fitting.map(({ channel }) => channel)])]
}

/** @param tools names of the connections where the case lives. */
export function fits(
  { when }: Pick<ChatChannel, 'when'>,
  { fields }: Pick<CaseState, 'fields'>,
  tools: readonly string[],
  profile: Pick<ProfileView, 'emails' | 'company'> | undefined,
): boolean {
  if (!when) return true
  const { connections, teams, priorities, tags, customers } = when
  const [team, priority] = [read.team(fields), read.priority(fields)]
  return (
    (!connections || connections.some((name) => tools.includes(name))) &&
    (!teams || (team !== null && teams.some((name) => same(name, team)))) &&
    (!priorities || (priority !== null && priorities.includes(priority))) &&
    (!tags || read.tags(fields).some((tag) => tags.includes(tag))) &&
    (!customers || customers.some((wanted) => isCustomer(wanted, profile)))
  )
}

function isCustomer(wanted: string, profile: Pick<ProfileView, 'emails' | 'company'> | undefined): boolean {
  if (!profile) return false
  const { emails, company } = profile
  return (
    emails.some((email) => same(email, wanted) || same(email.slice(email.indexOf('@') + 1), wanted)) ||
    [company?.['name'], company?.['domain']].some((name) => typeof name === 'string' && same(name, wanted))
  )
}

const same = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase()

/** A burst of changes makes one card: what has the same look is not sent again. */
function entriesIn(
  { connection }: Tool,
  caseId: string,
  channel: string,
  own: Pick<Happened, 'events' | 'outgoing'>,
): readonly OutboxEntry[] {
  const last = own.events.at(-1)
  const lastOut = own.outgoing.at(-1)
  const cause: Cause = last?.cause ?? lastOut?.cause ?? { depth: 0 }
  const entry = (show: Extract<ChatShow, { caseId: string }>, ...what: readonly string[]) =>
    showEntry(connection.id, show, cause, ...what, channel)
  const card = entry({ what: 'case', caseId, channel }, last?.id ?? lastOut?.key ?? caseId, 'card')
  const said = [...messagesIn(own.events), ...leaving(own.outgoing)].map((messageId) =>
    entry({ what: 'said', caseId, channel, messageId }, messageId, 'said'),
  )
  // Drawn after the message itself, which shows those that are there by then.
  const attached = own.events.flatMap(({ id, type, data: { messageId } }) =>
    type === 'message.attached' && typeof messageId === 'string'
      ? [entry({ what: 'said', caseId, channel, messageId }, id, 'attached')]
      : [],
  )
  return [card, ...said, ...attached]
}

function messagesIn(events: readonly DomainEvent[]): readonly string[] {
  return events.flatMap(({ type, data }) => {
    const id = data['messageId']
    return (type === 'message.received' || type === 'message.sent') && typeof id === 'string' ? [id] : []
  })
}

/** Known by the key of their delivery until they have an id. */
function leaving(outgoing: readonly OutboxEntry[]): readonly string[] {
  return outgoing.flatMap(({ key, action }) => (action.type === 'case.message' ? [key] : []))
}
