/** What came from Teams, in the words that the hub shares with all chat tools. Pure. */
import type { ChatHappening, ChatPlace, ChatWhat } from '#hub/connector/chat.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { botId, type TeamsConfig } from './config.ts'
import { htmlText } from './html-text.ts'
import type { ChatMessage, Incoming, SharedMessage } from './incoming.ts'
import { writeReference } from './reference.ts'

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
      return said(incoming.place, incoming.message, config).flatMap((what) => told(what))
    case 'edited':
    case 'restored':
      return at.message ? told({ kind: 'edited', message: messageOf(at.message, incoming.message) }) : []
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
      const { message } = incoming
      return told({ kind: 'shortcut', name, ...(message ? { message: sharedOf(message) } : {}) }, about(at, message))
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
  const { serviceUrl: service, tenantId: tenant, conversationId: conversation, kind, threadId, activityId } = place
  return {
    channel: conversation,
    // The message that opens a thread does not hang on itself.
    ...(threadId === undefined || threadId === activityId ? {} : { thread: threadId }),
    ...(activityId === undefined ? {} : { message: activityId }),
    reference: writeReference({ service, tenant, conversation, kind }),
  }
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
function said(place: Readable['place'], message: ChatMessage, config: TeamsConfig): readonly ChatWhat[] {
  const id = place.activityId
  if (id === undefined || (message.text === '' && message.files.length === 0)) return []
  const isCustomers = config.channels.some((one) => one.channel === place.conversationId && one.for === 'customer')
  const isAsked = !isCustomers && (place.kind === 'personal' || message.mentionsBot)
  return isAsked
    ? [{ kind: 'asked', text: message.text, messageId: id }]
    : [{ kind: 'message', message: messageOf(id, message) }]
}

const messageOf = (id: string, { text, files }: ChatMessage) => ({ id, text, files: files.map(fileOf) })

const fileOf = ({ name, url }: { readonly name: string; readonly url: string }): Attachment => ({ name, url })

const sharedOf = ({ id, content, isHtml, author, files }: SharedMessage) => ({
  id,
  text: isHtml ? htmlText(content) : content,
  files: files.map(fileOf),
  ...(author ? { authorId: author.aadObjectId, ...(author.name ? { authorName: author.name } : {}) } : {}),
})

/** `like`, or with the emoji's code before its name: `1f440_eyes`. */
const reactionName = (type: string) => type.replace(/^[\da-f]{4,}(?:-[\da-f]+)*_/i, '')

const opening = new Set(['channelCreated', 'channelRestored', 'channelRenamed', 'teamUnarchived', 'teamRestored'])
const closing = new Set(['channelDeleted', 'teamDeleted', 'teamHardDeleted', 'teamArchived'])

function channelNews(
  incoming: Extract<Readable, { kind: 'installed' | 'removed' | 'conversation' }>,
  at: ChatPlace,
  config: TeamsConfig,
): readonly Told[] {
  const { kind, name } = incoming.place
  const news = (state: 'open' | 'gone', where = at.channel, called = name): readonly Told[] => {
    const { thread: _thread, message: _message, ...rest } = at
    const known = { ...(called ? { name: called } : {}), ...(kind === 'personal' ? { isDirect: true } : {}) }
    return [{ what: { kind: 'channel', state, ...known }, at: { ...rest, channel: where } }]
  }
  if (incoming.kind !== 'conversation') {
    if (incoming.kind === 'installed') return news('open')
    // An upgrade takes the old version away and adds the new one at once.
    return incoming.isUpgrade ? [] : news('gone')
  }
  const { event = '', added, removed, channel } = incoming
  if (opening.has(event)) return news('open', channel?.id, channel?.name)
  if (closing.has(event)) return news('gone', channel?.id, channel?.name)
  const isUs = ({ id }: { readonly id: string }) => id === botId(config)
  if (added.some(isUs)) return news('open')
  return removed.some(isUs) ? news('gone') : []
}
