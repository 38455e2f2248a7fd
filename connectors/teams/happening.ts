/** What came from Teams, in the words that the hub shares with all chat tools. Pure. */
import type { ChatHappening, ChatPlace, ChatWhat, ChatMessage as HubMessage } from '#hub/connector/chat.ts'
import { botId, endpointsOf, type TeamsConfig } from './config.ts'
import type { FilesAt } from './files-at.ts'
import { htmlText } from './html-text.ts'
import { inPath } from './in-path.ts'
import type { Incoming, SharedMessage } from './incoming.ts'
import { spokenIn } from './phrases.ts'
import { type Reference, writeReference } from './reference.ts'

type Readable = Exclude<Incoming, { kind: 'unreadable' }>

/** One for each thing that happened; none for what is of no interest, was done by a bot, or came from outside the app. */
export function happeningsOf(incoming: Readable, config: TeamsConfig): readonly ChatHappening[] {
  const { user, locale, timeZone, isInvoke } = incoming
  return whatOf(incoming, config).map(({ what, at }) => ({
    user: user.id,
    ...(user.name === undefined ? {} : { userName: user.name }),
    place: at,
    ...(locale === undefined ? {} : { locale }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(isInvoke ? { awaits: true as const } : {}),
    what,
  }))
}

interface Told {
  readonly what: ChatWhat
  readonly at: ChatPlace
}

function whatOf(incoming: Readable, config: TeamsConfig): readonly Told[] {
  const at = placeOf(incoming)
  const told = (what: ChatWhat, where = at): readonly Told[] => [{ what, at: where }]
  // Who adds and removes the app may be a bot; nothing else that a bot does is news.
  if (incoming.kind === 'installed' || incoming.kind === 'removed' || incoming.kind === 'conversation') {
    return channelNews(incoming, at, config)
  }
  if (incoming.user.isBot) return []
  switch (incoming.kind) {
    case 'message':
      return said(incoming, config).flatMap((what) => told(what))
    case 'edited':
    case 'restored':
      return at.message ? told({ kind: 'edited', message: messageOf(at.message, incoming, config) }) : []
    case 'deleted':
      return at.message ? told({ kind: 'deleted', messageId: at.message }) : []
    case 'reaction':
      return incoming.added.flatMap((name) => told({ kind: 'reaction', name: reactionName(name) }))
    case 'act':
      return told({ kind: 'press', act: incoming.act, ...(incoming.isRefresh ? { isRefresh: true } : {}) })
    case 'open':
      return told({ kind: 'press', act: incoming.act })
    case 'submit':
      return told({ kind: 'submit', act: incoming.act })
    case 'search': {
      const text = Object.values(incoming.words).join(' ').trim()
      return told({ kind: 'search', text, skip: incoming.skip, count: Math.min(incoming.count, mostResults) })
    }
    case 'link':
      // Without the app nobody says who it is.
      return incoming.isAnonymous ? [] : told({ kind: 'links', urls: [incoming.url] })
    case 'shortcut': {
      const name = shortcuts.get(incoming.command)
      if (!name) return []
      const { message, place } = incoming
      const what = message ? { message: sharedOf(message, place) } : {}
      return told({ kind: 'shortcut', name, ...what }, about(at, message))
    }
    case 'shortcutSubmit': {
      const { act, isPress, message } = incoming
      return act === 'dismissed' ? [] : told({ kind: isPress ? 'press' : 'submit', act }, about(at, message))
    }
    case 'dismiss':
    case 'other':
      return []
  }
}

/** What Teams shows of a search. */
export const mostResults = 25

/** By the ids of the app's manifest. */
const shortcuts: ReadonlyMap<string, 'create_case' | 'public_reply'> = new Map([
  ['createCase', 'create_case'],
  ['publicReply', 'public_reply'],
] as const)

function placeOf({ place }: Readable): ChatPlace {
  const { conversationId, threadId, activityId } = place
  return {
    channel: conversationId,
    // The message that opens a thread does not hang on itself.
    ...(threadId === undefined || threadId === activityId ? {} : { thread: threadId }),
    ...(activityId === undefined ? {} : { message: activityId }),
    reference: writeReference(referenceTo(place)),
  }
}

function referenceTo(place: Readable['place']): Reference {
  const { serviceUrl: service, tenantId: tenant, conversationId: conversation, kind, teamId, groupId } = place
  const team = teamId === undefined ? {} : { team: teamId }
  return { service, tenant, conversation, kind, ...team, ...(groupId === undefined ? {} : { group: groupId }) }
}

/** A message chosen from its menu, in the thread where it stands. */
function about(at: ChatPlace, message: SharedMessage | undefined): ChatPlace {
  if (!message) return at
  const { thread, ...rest } = at
  return { ...rest, ...(thread === undefined || thread === message.id ? {} : { thread }), message: message.id }
}

/**
 * A line to the app itself, or one among people. Where customers read along a mention is how they reach a bot that may not
 * read everything, so it is a message like any other.
 */
function said(incoming: Said, config: TeamsConfig): readonly ChatWhat[] {
  const { place, message } = incoming
  const id = place.activityId
  if (id === undefined || (message.text === '' && message.files.length + message.unnamed === 0)) return []
  const isAsked = !isCustomers(place, config) && (place.kind === 'personal' || message.mentionsBot)
  return isAsked
    ? [{ kind: 'asked', text: message.text, messageId: id }]
    : [{ kind: 'message', message: messageOf(id, incoming, config) }]
}

type Said = Extract<Readable, { kind: 'message' | 'edited' | 'restored' }>

/** Quotations and cards count among them. */
const mostSeen = 10

const isCustomers = ({ conversationId }: Readable['place'], { channels }: TeamsConfig) =>
  channels.some((one) => one.channel === conversationId && one.for === 'customer')

function messageOf(id: string, incoming: Said, config: TeamsConfig): HubMessage {
  const { place, message, locale } = incoming
  const { text, files, unnamed } = message
  const at = filesAt(place, id)
  // Elsewhere what is written belongs to no case, and of a note that is changed only the words count.
  const isRevised = incoming.kind !== 'message' && !isCustomers(place, config)
  const isOfCase = isCustomers(place, config) || (place.threadId !== undefined && place.threadId !== id)
  if (unnamed === 0 || !isOfCase || isRevised) return { id, text, files }
  const { attachment } = spokenIn(config, { locale, channel: place.conversationId })
  const url = linkTo(place, id, config)
  const seen = Array.from({ length: Math.min(unnamed, mostSeen) }, (_, index) => ({
    name: unnamed === 1 ? attachment : `${attachment} ${index + 1}`,
    url,
  }))
  return { id, text, files, unnamed: { at, seen } }
}

const sharedOf = ({ id, content, isHtml, author, files }: SharedMessage, place: Readable['place']) => ({
  id,
  text: isHtml ? htmlText(content) : content,
  files: files.map((file) => ({ ...file, id: filesAt(place, id) })),
  ...(author ? { authorId: author.aadObjectId, ...(author.name ? { authorName: author.name } : {}) } : {}),
})

/** Where Microsoft Graph has the message. */
function filesAt(place: Readable['place'], message: string): string {
  const opener = place.threadId
  const at: FilesAt = { ...referenceTo(place), message, ...(opener === undefined ? {} : { opener }) }
  return JSON.stringify(at)
}

/** Where people find it: https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/deep-link-teams */
function linkTo({ conversationId, tenantId, groupId, threadId }: Readable['place'], id: string, config: TeamsConfig) {
  const url = new URL(`/l/message/${inPath(conversationId)}/${inPath(id)}`, endpointsOf(config).app)
  url.searchParams.set('tenantId', tenantId)
  if (groupId !== undefined) url.searchParams.set('groupId', groupId)
  if (threadId !== undefined) url.searchParams.set('parentMessageId', threadId)
  return url.href
}

/** `like`, or with the emoji's code before its name: `1f440_eyes`. */
const reactionName = (type: string) => type.replace(/^[\da-f]{4,}(?:-[\da-f]+)*_/i, '')

/** By `eventType` in lower case: Microsoft's own examples write `teamArchived` and `teamarchived`. */
const events: ReadonlyMap<string, { readonly state: 'open' | 'gone'; readonly of: 'channel' | 'team' }> = new Map([
  ['channelcreated', { state: 'open', of: 'channel' }],
  ['channelrestored', { state: 'open', of: 'channel' }],
  ['channelrenamed', { state: 'open', of: 'channel' }],
  ['channeldeleted', { state: 'gone', of: 'channel' }],
  ['teamunarchived', { state: 'open', of: 'team' }],
  ['teamrestored', { state: 'open', of: 'team' }],
  ['teamarchived', { state: 'gone', of: 'team' }],
  ['teamdeleted', { state: 'gone', of: 'team' }],
  ['teamharddeleted', { state: 'gone', of: 'team' }],
] as const)

/**
 * An app is added to a team as a whole, and told so for one channel of it: the one chosen at the installation, else the one
 * that has the team's own id (General). https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/subscribe-to-conversation-events
 */
function channelNews(
  incoming: Extract<Readable, { kind: 'installed' | 'removed' | 'conversation' }>,
  at: ChatPlace,
  config: TeamsConfig,
): readonly Told[] {
  const { kind, name, teamId, channelId, conversationId } = incoming.place
  const news = (state: 'open' | 'gone', isOfTeam: boolean, where = at.channel, called = name): readonly Told[] => {
    const { thread: _thread, message: _message, ...rest } = at
    const known = { ...(called ? { name: called } : {}), ...(kind === 'personal' ? { isDirect: true } : {}) }
    const group = isOfTeam && teamId !== undefined ? { group: teamId } : {}
    const reference = writeReference({ ...referenceTo(incoming.place), conversation: where })
    return [{ what: { kind: 'channel', state, ...known, ...group }, at: { ...rest, channel: where, reference } }]
  }
  // Shared and private channels take the app in and out by themselves, and the rest of the team keeps it. That more is tried
  // than the app is in costs one refusal; what is closed too much stays silent.
  const isWholeTeam = conversationId === teamId && (channelId === undefined || channelId === teamId)
  if (incoming.kind !== 'conversation') {
    if (incoming.kind === 'installed') return news('open', true)
    // An upgrade takes the old version away and adds the new one at once.
    return incoming.isUpgrade ? [] : news('gone', isWholeTeam)
  }
  const { event = '', added, removed, channel } = incoming
  const known = events.get(event.toLowerCase())
  if (known) return news(known.state, known.of === 'team', channel?.id, channel?.name)
  const isUs = ({ id }: { readonly id: string }) => id === botId(config)
  if (added.some(isUs)) return news('open', true)
  return removed.some(isUs) ? news('gone', isWholeTeam) : []
}
