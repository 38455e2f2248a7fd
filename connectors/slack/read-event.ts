/** What happened, as the Events API tells it. Pure; the request's signature was checked before. */
import { z } from 'zod'
import type { ChatHappening, ChatMessage, ChatPlace, ChatWhat } from '#hub/connector/chat.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import { textOf, withoutMention } from './text-of.ts'
import { type FilesAt, seenFiles, toldFiles } from './told-files.ts'
import {
  WireChannelNews,
  WireComposed,
  type WireEnvelope,
  WireHome,
  WireJoined,
  WireLinks,
  WireMention,
  WireMessage,
  WireReaction,
  WireTokens,
} from './wire-event.ts'

/** Whom the event is for. */
export interface Addressee {
  /** The workspace, or the organisation, whose token answers. */
  readonly reference: string
  /** The app's own user there. */
  readonly botUser?: string
  /** Where customers read along. */
  readonly customerChannels: ReadonlySet<string>
  /** "attachment", as the readers of a channel say it. */
  readonly fileWord: (channel: string) => string
}

export interface Told {
  /** Slack's time, in seconds with a fraction, where the event has one of its own. */
  readonly at?: string
  readonly happening: ChatHappening
}

type Reader = (event: unknown, to: Addressee) => Told | undefined

/** Events that are not here say nothing to the hub. */
const readers: Readonly<Record<string, Reader>> = {
  message: readMessage,
  app_mention: readMention,
  reaction_added: readReaction,
  link_shared: readLinks,
  app_home_opened: readHome,
  channel_archive: channel('gone'),
  channel_deleted: channel('gone'),
  channel_left: channel('gone'),
  channel_rename: channel('open'),
  channel_unarchive: channel('open'),
  group_archive: channel('gone'),
  group_deleted: channel('gone'),
  group_left: channel('gone'),
  group_rename: channel('open'),
  group_unarchive: channel('open'),
  member_joined_channel: readJoined,
  app_uninstalled: (_event, { reference }) => uninstalled(reference),
  tokens_revoked: readTokens,
}

/** @returns undefined for what is of no interest, our own doing included. @throws UnreadableInput */
export function readEvent({ event }: WireEnvelope, to: Addressee): Told | undefined {
  if (!event || !Object.hasOwn(readers, event.type)) return undefined
  return readers[event.type]?.(event, to)
}

/** Things that people write; all other subtypes are lines that Slack itself adds. */
const written = new Set([undefined, null, '', 'file_share', 'thread_broadcast', 'me_message'])

function readMessage(event: unknown, to: Addressee): Told | undefined {
  const message = parse(WireMessage, event, 'message')
  const { subtype, user, bot_id: bot, text, ts, files } = message
  if (subtype === 'message_changed') return readChange(message, to)
  if (subtype === 'message_deleted') return readDeletion(message, message.deleted_ts, to)
  // Apps and bots, ourselves among them: answering one would begin a loop.
  if (!written.has(subtype) || bot || !user || !ts || user === to.botUser) return undefined
  const place = placeOf(message, ts, to)
  if (isDirect(message) && !files?.length) {
    return told(ts, user, place, { kind: 'asked', text: textOf(text ?? ''), messageId: ts })
  }
  // Slack tells of a mention twice. A question to the app is no note; where customers read along it is a message like any other.
  if (mentions(text, to) && !to.customerChannels.has(place.channel)) return undefined
  return told(ts, user, place, { kind: 'message', message: chatMessage(ts, message, place, to) })
}

/** Slack also tells so of links it has unfolded, and of a thread that has grown: then the words are the same. */
function readChange(event: WireMessage, to: Addressee): Told | undefined {
  const { message: now, previous_message: before, event_ts: at } = event
  // The head of a thread stays, as an empty place.
  if (now?.subtype === 'tombstone') return readDeletion(event, now.ts, to)
  if (!now?.ts || !now.user || now.bot_id || now.user === to.botUser || isDirect(event)) return undefined
  const isSame = now.text === before?.text && fileIds(now.files) === fileIds(before?.files)
  if (isSame || (before && !now.edited && now.text === before.text)) return undefined
  const place = placeOf({ ...event, thread_ts: now.thread_ts }, now.ts, to)
  return told(at ?? undefined, now.user, place, { kind: 'edited', message: chatMessage(now.ts, now, place, to) })
}

function readDeletion(event: WireMessage, ts: string | null | undefined, to: Addressee): Told | undefined {
  const { previous_message: before } = event
  if (!ts || before?.bot_id || (before?.user && before.user === to.botUser)) return undefined
  const place = placeOf({ ...event, thread_ts: before?.thread_ts }, ts, to)
  return told(event.event_ts ?? undefined, before?.user ?? '', place, { kind: 'deleted', messageId: ts })
}

function mentions(text: string | null | undefined, { botUser }: Addressee): boolean {
  return botUser !== undefined && new RegExp(`<@${botUser}[|>]`).test(text ?? '')
}

function readMention(event: unknown, to: Addressee): Told | undefined {
  const mention = parse(WireMention, event, 'app_mention')
  const { user, bot_id: bot, ts, text } = mention
  if (!user || bot || to.customerChannels.has(mention.channel)) return undefined
  const asked = textOf(withoutMention(text ?? '', to.botUser))
  return told(ts, user, placeOf(mention, ts, to), { kind: 'asked', text: asked, messageId: ts })
}

function readReaction(event: unknown, to: Addressee): Told | undefined {
  const { user, reaction, item } = parse(WireReaction, event, 'reaction_added')
  if (item.type !== 'message' || !item.channel || !item.ts || user === to.botUser) return undefined
  const place = { channel: item.channel, message: item.ts, reference: to.reference }
  // "+1::skin-tone-2" is "+1".
  return told(undefined, user, place, { kind: 'reaction', name: reaction.split('::')[0] ?? reaction })
}

function readLinks(event: unknown, to: Addressee): Told | undefined {
  // Before it is sent nobody knows who will read along; then Slack tells of it once more, with its place.
  if (WireComposed.safeParse(event).success) return undefined
  const links = parse(WireLinks, event, 'link_shared')
  if (links.user === to.botUser) return undefined
  const urls = links.links.flatMap(({ url }) => (url ? [url] : []))
  if (urls.length === 0) return undefined
  return told(undefined, links.user, placeOf(links, links.message_ts, to), { kind: 'links', urls })
}

function readHome(event: unknown, { reference }: Addressee): Told | undefined {
  const { user, channel, tab } = parse(WireHome, event, 'app_home_opened')
  if (tab && tab !== 'home') return undefined
  return told(undefined, user, { channel: channel || user, reference }, { kind: 'home' })
}

function channel(state: 'open' | 'gone'): Reader {
  return (event, { reference }) => {
    const { channel: news, user, actor_id: actor } = parse(WireChannelNews, event, 'channel')
    const { id, name } = typeof news === 'string' ? { id: news, name: undefined } : news
    return told(
      undefined,
      user ?? actor ?? '',
      { channel: id, reference },
      { kind: 'channel', state, ...(name ? { name } : {}) },
    )
  }
}

/** Told of everybody who joins a channel of ours; that the app itself was invited is news of the channel. */
function readJoined(event: unknown, { botUser, reference }: Addressee): Told | undefined {
  const { user, channel: id, inviter } = parse(WireJoined, event, 'member_joined_channel')
  if (user !== botUser) return undefined
  return told(undefined, inviter ?? '', { channel: id, reference }, { kind: 'channel', state: 'open' })
}

/** Tokens of people are none of ours: the hub asks for the bot's alone. */
function readTokens(event: unknown, { reference }: Addressee): Told | undefined {
  const { tokens } = parse(WireTokens, event, 'tokens_revoked')
  return tokens?.bot?.length ? uninstalled(reference) : undefined
}

function uninstalled(install: string): Told {
  return { happening: { user: '', what: { kind: 'uninstalled', install } } }
}

function told(at: string | undefined, user: string, place: ChatPlace, what: ChatWhat): Told {
  return { ...(at ? { at } : {}), happening: { user, place, what } }
}

interface Placed {
  readonly channel: string
  readonly thread_ts?: string | null | undefined
}

/** The head of a thread carries its own time as the thread's. */
function placeOf({ channel, thread_ts: thread }: Placed, message: string, { reference }: Addressee): ChatPlace {
  return { channel, ...(thread && thread !== message ? { thread } : {}), message, reference }
}

function isDirect({ channel, channel_type: type }: WireMessage): boolean {
  return type === 'im' || (!type && channel.startsWith('D'))
}

function chatMessage(id: string, { text, files }: Written, place: ChatPlace, to: Addressee): ChatMessage {
  const { named, heldBack } = toldFiles(files)
  const said = { id, text: textOf(text ?? ''), files: named }
  // Elsewhere what is written belongs to no case, and is nothing to ask Slack about.
  const isOfCase = to.customerChannels.has(place.channel) || place.thread !== undefined
  if (heldBack.length === 0 || !isOfCase) return said
  const at: FilesAt = { reference: to.reference, channel: place.channel, files: [...heldBack] }
  return { ...said, unnamed: { at: JSON.stringify(at), seen: seenFiles(heldBack, to.fileWord(place.channel)) } }
}

type Written = Pick<WireMessage, 'text' | 'files'>

function fileIds(files: WireMessage['files']): string {
  return (files ?? []).flatMap((file) => (file ? [file.id] : [])).join()
}

function parse<T extends z.ZodType>(schema: T, event: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(event)
  if (parsed.success) return parsed.data
  throw new UnreadableInput(`${what}: ${z.prettifyError(parsed.error).slice(0, 500)}`)
}
