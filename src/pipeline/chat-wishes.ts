/**
 * What rules want to be seen in chat tools: their places are looked up here, in the batch's transaction, and become outbox
 * entries. Rules speak to colleagues: nothing of theirs goes where a customer reads along.
 */
import { isAddress } from '#hub/agents/address.ts'
import { type Agent, findAgents, toldAt } from '#hub/agents/index.ts'
import { type Approval, insertApprovals } from '#hub/approvals/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { ChatSettings } from '#hub/connector/chat.ts'
import type { CasePriority } from '#hub/connector/facts.ts'
import { normaliseEmail } from '#hub/identity/index.ts'
import type { ChatShow } from '#hub/outbox/action.ts'
import { effectKey, type OutboxEntry } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Cause, Source } from '#hub/platform/db/schema.ts'
import { isLeftAlone, type KnownChannel, knownChannels, nameIn } from './chat-channels.ts'

export interface ChatWish {
  readonly cause: Cause
  readonly connection: LoadedConnection
  /** A channel's id, its name, or an agent's address, as the rule has it. */
  readonly to: string
  readonly show:
    | { readonly what: 'case'; readonly caseId: string }
    | { readonly what: 'notice'; readonly text: string }
    | { readonly what: 'approval'; readonly question: string; readonly askedBy: Source }
  readonly about: {
    readonly orderKey: string
    readonly caseId?: string
    /** The case's subject, or the person's name. */
    readonly title: string | null
    readonly priority: CasePriority | null
  }
}

export interface Shown {
  readonly entries: readonly OutboxEntry[]
  readonly refused: readonly RefusedWish[]
}

export interface RefusedWish extends Pick<ChatWish, 'cause'> {
  readonly caseId?: string
  readonly reason: string
}

export async function showInChat(trx: Trx, wishes: readonly ChatWish[], now: Date): Promise<Shown> {
  if (wishes.length === 0) return { entries: [], refused: [] }
  const [people, places] = [wishes.filter(({ to }) => isAddress(to)), wishes.filter(({ to }) => !isAddress(to))]
  const agents = await findAgents(
    trx,
    people.map(({ to }) => to),
  )
  const channels = await knownChannels(
    trx,
    places.map(({ connection, to }) => ({ connectionId: connection.id, place: to })),
  )
  const entries: OutboxEntry[] = []
  const asked: Omit<Approval, 'decided'>[] = []
  const refused: RefusedWish[] = []
  for (const wish of wishes) {
    const { settings } = wish.connection.connector.can.chat ?? {}
    if (!settings) continue
    const here = channels.filter(({ connectionId }) => connectionId === wish.connection.id)
    const target = findTarget(wish, agents, here, settings(wish.connection.config), now)
    const { cause, about } = wish
    if ('refused' in target) {
      refused.push({ cause, ...(about.caseId ? { caseId: about.caseId } : {}), reason: target.refused })
    } else {
      const shown = showFor(wish, target)
      if (shown.what === 'approval') asked.push(...approvalsOf(wish, shown.approvalId, target, now))
      entries.push(entryOf(wish, target, shown, now))
    }
  }
  await insertApprovals(trx, asked)
  return { entries, refused }
}

type Target = { readonly channel: string } | { readonly agent: Agent }

/** Pure. */
export function findTarget(
  { to, show, connection: { name: tool } }: Pick<ChatWish, 'to' | 'show' | 'connection'>,
  agents: readonly Agent[],
  channels: readonly KnownChannel[],
  settings: Pick<ChatSettings, 'channels'>,
  now: Date,
): Target | { readonly refused: string } {
  if (isAddress(to)) {
    const agent = agents.find(({ email, active }) => active && email === normaliseEmail(to))
    if (!agent) return { refused: `no active agent has the address ${to}` }
    return show.what === 'case' ? { refused: `a card goes to a channel, and ${to} is a person` } : { agent }
  }
  const ids = idsFor(to, channels, settings)
  if (ids.length > 1) return { refused: `${tool} has ${ids.length} channels called ${to}: give the id of one` }
  // A name that the hub does not know may be one that the tool knows: a channel where customers read.
  if (ids.length === 0 && !looksLikeId(to)) return { refused: `no channel called ${to} is known in ${tool}` }
  const [channel = to] = ids
  const isGone = channels.some((one) => one.channel === channel && isLeftAlone(one, now))
  if (isGone) return { refused: `the app is no longer in ${to} of ${tool}` }
  const isRead = settings.channels.some((one) => one.channel === channel && one.for === 'customer')
  return isRead ? { refused: `in ${to} of ${tool} a customer reads along` } : { channel }
}

/** By id; else by the names of the settings; else by those that the tool told, of which one that is gone counts least. */
function idsFor(
  to: string,
  channels: readonly KnownChannel[],
  settings: Pick<ChatSettings, 'channels'>,
): readonly string[] {
  if ([...channels, ...settings.channels].some(({ channel }) => channel === to)) return [to]
  const set = settings.channels.filter(({ name }) => name !== undefined && nameIn(name) === nameIn(to))
  const told = channels.filter(({ name }) => name === nameIn(to))
  const open = told.filter(({ state }) => state === 'open')
  const best = [set, open, told].find((some) => some.length > 0) ?? []
  return [...new Set(best.map(({ channel }) => channel))]
}

/** Vendors' ids have capitals or colons and no spaces; names of channels are lower-case, or words. */
function looksLikeId(place: string): boolean {
  return /[A-Z:]/.test(place) && !/[#\s]/.test(place)
}

function showFor({ show, about, ...wish }: ChatWish, target: Target): ChatShow {
  const to = 'agent' in target ? { agent: target.agent.email } : { channel: target.channel }
  const key = effectKey(...causeOf(wish.cause), wish.connection.id, JSON.stringify(to), JSON.stringify(show))
  switch (show.what) {
    case 'case':
      return { what: 'case', caseId: show.caseId, channel: placeOf(target) }
    case 'approval':
      return { what: 'approval', approvalId: key.replace('dw_', 'apr_'), to }
    case 'notice':
      return {
        what: 'notice',
        to,
        key,
        title: about.title ?? wish.connection.name,
        text: show.text,
        tone: about.priority === 'urgent' ? 'urgent' : about.priority === 'high' ? 'attention' : 'neutral',
        ...(about.caseId === undefined ? {} : { caseId: about.caseId }),
      }
  }
}

function entryOf({ cause, connection, about }: ChatWish, target: Target, show: ChatShow, now: Date): OutboxEntry {
  const dueAt = 'agent' in target ? toldAt(target.agent, now, about.priority === 'urgent') : undefined
  return {
    key: effectKey(...causeOf(cause), connection.id, 'chat.show', JSON.stringify(show)),
    lane: connection.id,
    orderKey: about.orderKey,
    connectionId: connection.id,
    ...(about.caseId === undefined ? {} : { caseId: about.caseId }),
    action: { type: 'chat.show', show },
    cause,
    ...(dueAt ? { dueAt } : {}),
  }
}

function approvalsOf(
  { show, about, connection }: ChatWish,
  id: string,
  target: Target,
  askedAt: Date,
): readonly Omit<Approval, 'decided'>[] {
  if (show.what !== 'approval' || about.caseId === undefined) return []
  const { question, askedBy } = show
  const askedOf = placeOf(target)
  return [{ id, caseId: about.caseId, question, askedBy, connectionId: connection.id, askedOf, askedAt }]
}

function placeOf(target: Target): string {
  return 'agent' in target ? target.agent.email : target.channel
}

function causeOf({ eventId, actor, ruleId }: Cause): readonly string[] {
  return [eventId ?? actor ?? '', ruleId ?? '']
}
