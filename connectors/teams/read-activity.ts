/** What an activity from Teams says. Pure; nothing here decides who may do what. */
import { isForm, readCarried } from './carried.ts'
import type { ChatMessage, ChatPlace, ChatUser, Content, Happening, Incoming, SharedMessage } from './incoming.ts'
import { namedFile } from './named-file.ts'
import {
  type WireAccount,
  WireActivity,
  WireExecute,
  WireLink,
  WireQuery,
  type WireSharedMessage,
  WireShortcut,
  WireTask,
} from './wire.ts'

export function readActivity(activity: unknown): Incoming {
  const read = WireActivity.safeParse(activity)
  if (!read.success) return { kind: 'unreadable', problem: problemOf('activity', read.error) }
  const wire = read.data
  const tenantId = tenantOf(wire)
  if (tenantId === undefined)
    return { kind: 'unreadable', problem: 'activity: no tenant in channelData or conversation' }
  const content = wire.type === 'invoke' ? contentOfInvoke(wire) : contentOf(wire, tenantId)
  if (content.kind === 'unreadable') return content
  return { ...happeningOf(wire, tenantId), ...content }
}

/** What the token of a request must agree with; nothing for a body that is no activity. */
export function readOrigin(
  activity: unknown,
): { serviceUrl: string; channelId: string; tenantId?: string } | undefined {
  const wire = WireActivity.pick({ serviceUrl: true, channelId: true, conversation: true, channelData: true })
  const read = wire.safeParse(activity).data
  if (!read) return undefined
  const tenantId = tenantOf(read)
  return { serviceUrl: read.serviceUrl, channelId: read.channelId, ...(tenantId === undefined ? {} : { tenantId }) }
}

/** Of the conversation: in a shared channel the other one may be that of whoever writes. */
const tenantOf = ({ channelData, conversation }: Pick<WireActivity, 'channelData' | 'conversation'>) =>
  conversation.tenantId ?? channelData?.tenant?.id

type Read = Content | { readonly kind: 'unreadable'; readonly problem: string }

function contentOf(wire: WireActivity, tenantId: string): Read {
  switch (wire.type) {
    case 'message': {
      const carried = wire.value === undefined || wire.value === null ? undefined : readCarried(wire.value)
      if (carried === 'dismissed') return { kind: 'dismiss' }
      if (!carried) return { kind: 'message', message: messageOf(wire) }
      return isForm(wire.value) ? { kind: 'submit', act: carried } : { kind: 'act', act: carried, isRefresh: false }
    }
    case 'messageUpdate': {
      const isRestored = wire.channelData?.eventType === 'undeleteMessage'
      return { kind: isRestored ? 'restored' : 'edited', message: messageOf(wire) }
    }
    case 'messageDelete':
      return { kind: 'deleted' }
    case 'messageReaction':
      return {
        kind: 'reaction',
        added: wire.reactionsAdded.map(({ type }) => type),
        removed: wire.reactionsRemoved.map(({ type }) => type),
      }
    case 'installationUpdate': {
      const [verb, suffix] = wire.action?.split('-') ?? []
      if (verb !== 'add' && verb !== 'remove') return { kind: 'other', what: `installationUpdate ${wire.action}` }
      return { kind: verb === 'add' ? 'installed' : 'removed', isUpgrade: suffix === 'upgrade' }
    }
    case 'conversationUpdate': {
      const event = wire.channelData?.eventType
      const channel = wire.channelData?.channel
      return {
        kind: 'conversation',
        ...(event === undefined ? {} : { event }),
        added: wire.membersAdded.map((member) => userOf(member, tenantId)),
        removed: wire.membersRemoved.map((member) => userOf(member, tenantId)),
        ...(channel ? { channel: named(channel) } : {}),
      }
    }
    default:
      return { kind: 'other', what: wire.type }
  }
}

function contentOfInvoke(wire: WireActivity): Read {
  const unreadable = (error: { readonly issues: readonly Issue[] } | undefined): Read => ({
    kind: 'unreadable',
    problem: error ? problemOf(`${wire.name} value`, error) : `${wire.name}: its data was not written by this hub`,
  })
  switch (wire.name) {
    case 'adaptiveCard/action': {
      const { data, error } = WireExecute.safeParse(wire.value)
      const act = readCarried(data?.action.data)
      if (!data || !act || act === 'dismissed') return unreadable(error)
      return { kind: 'act', act, isRefresh: data.trigger === 'automatic' }
    }
    case 'task/fetch':
    case 'task/submit': {
      const { data, error } = WireTask.safeParse(wire.value)
      const act = readCarried(data?.data)
      if (act === 'dismissed') return { kind: 'dismiss' }
      if (!act) return unreadable(error)
      if (wire.name === 'task/fetch') return { kind: 'open', act }
      // A card may stand in a dialog, too: its buttons send it.
      return isForm(data?.data) ? { kind: 'submit', act } : { kind: 'act', act, isRefresh: false }
    }
    case 'composeExtension/query': {
      const { data, error } = WireQuery.safeParse(wire.value)
      if (!data) return unreadable(error)
      const words = data.parameters.filter(({ name }) => name !== 'initialRun')
      return {
        kind: 'search',
        command: data.commandId,
        words: Object.fromEntries(words.map(({ name, value }) => [name, value.trim()])),
        skip: data.queryOptions?.skip ?? 0,
        count: data.queryOptions?.count ?? 25,
      }
    }
    case 'composeExtension/queryLink':
    case 'composeExtension/anonymousQueryLink': {
      const { data, error } = WireLink.safeParse(wire.value)
      if (!data) return unreadable(error)
      return { kind: 'link', url: data.url, isAnonymous: wire.name === 'composeExtension/anonymousQueryLink' }
    }
    case 'composeExtension/fetchTask': {
      const { data, error } = WireShortcut.safeParse(wire.value)
      return data ? { kind: 'shortcut', command: data.commandId, ...shared(data.messagePayload) } : unreadable(error)
    }
    case 'composeExtension/submitAction': {
      const { data, error } = WireShortcut.safeParse(wire.value)
      const act = readCarried(data?.data)
      if (!data || !act) return unreadable(error)
      const isPress = !isForm(data.data)
      return { kind: 'shortcutSubmit', command: data.commandId, act, isPress, ...shared(data.messagePayload) }
    }
    default:
      return { kind: 'other', what: `invoke ${wire.name ?? 'without a name'}` }
  }
}

function happeningOf(wire: WireActivity, tenantId: string): Happening {
  const timeZone = wire.entities.flatMap((entity) => (entity.type === 'clientInfo' ? (entity.timezone ?? []) : []))[0]
  return {
    ...keyOf(wire, tenantId),
    isInvoke: wire.type === 'invoke',
    ...(wire.timestamp === undefined ? {} : { at: wire.timestamp }),
    user: userOf(wire.from, tenantId),
    place: placeOf(wire, tenantId),
    ...(wire.locale === undefined ? {} : { locale: wire.locale }),
    ...(timeZone === undefined ? {} : { timeZone }),
  }
}

/** What happens to a message again and again (an edit, a reaction) bears the message's id: there the time tells one from the next. */
function keyOf(wire: WireActivity, tenantId: string): { readonly key?: string } {
  if (wire.id === undefined) return {}
  const isRepeated = /^message./.test(wire.type)
  const parts = [tenantId, wire.conversation.id, wire.id, wire.type, wire.name ?? '']
  return { key: [...parts, ...(isRepeated ? [wire.timestamp ?? ''] : [])].join('|') }
}

/** In a shared channel a person may be of another tenant than the conversation. */
function userOf(account: WireAccount, tenantId: string): ChatUser {
  return {
    ...named(account),
    ...(account.aadObjectId === undefined ? {} : { aadObjectId: account.aadObjectId }),
    tenantId: account.tenantId ?? tenantId,
    isBot: account.id.startsWith('28:'),
  }
}

const placeKinds = { personal: 'personal', groupChat: 'group', channel: 'channel' } as const

function placeOf(wire: WireActivity, tenantId: string): ChatPlace {
  const [conversationId = wire.conversation.id, threadId] = wire.conversation.id.split(';messageid=')
  const type = wire.conversation.conversationType
  const { team, channel } = wire.channelData ?? {}
  const name = channel?.name ?? wire.conversation.name
  // A new message is about itself, everything else about the message or card that it answers.
  const isMessage = ['message', 'messageUpdate', 'messageDelete'].includes(wire.type) && wire.value == null
  const activityId = isMessage ? wire.id : wire.replyToId
  return {
    kind:
      type === 'personal' || type === 'groupChat' || type === 'channel'
        ? placeKinds[type]
        : team
          ? 'channel'
          : 'personal',
    tenantId,
    serviceUrl: wire.serviceUrl,
    conversationId,
    ...(threadId === undefined ? {} : { threadId }),
    ...(activityId === undefined ? {} : { activityId }),
    ...(team ? { teamId: team.id, ...(team.aadGroupId === undefined ? {} : { groupId: team.aadGroupId }) } : {}),
    ...(channel ? { channelId: channel.id } : {}),
    ...(name ? { name } : {}),
  }
}

function messageOf(wire: WireActivity): ChatMessage {
  const mentioned = wire.entities.filter((entity) => entity.type === 'mention')
  const isBot = (id: string) => id === wire.recipient?.id
  const text = mentioned.reduce(
    (rest, { text: tag, mentioned: { id, name } }) => rest.replace(tag, () => (isBot(id) ? '' : `@${name ?? id}`)),
    wire.text ?? '',
  )
  return {
    text: text.replaceAll('\u00a0', ' ').trim(),
    mentionsBot: mentioned.some(({ mentioned: { id } }) => isBot(id)),
    mentions: mentioned.filter(({ mentioned: { id } }) => !isBot(id)).map((mention) => named(mention.mentioned)),
    files: wire.attachments.flatMap((one) => ('contentUrl' in one ? [namedFile(one)] : [])),
    unnamed: wire.attachments.reduce((sum, one) => sum + ('content' in one ? countAttached(one.content) : 0), 0),
  }
}

/** The words of a message as HTML show where something attached belongs, and no more of it than an id. */
const countAttached = (html: string) => html.match(/<attachment\b/gi)?.length ?? 0

function shared(message: WireSharedMessage | undefined): { readonly message?: SharedMessage } {
  if (!message) return {}
  const author = message.from?.user
  return {
    message: {
      id: message.id,
      content: message.body.content,
      isHtml: message.body.contentType === 'html',
      ...(author
        ? { author: { aadObjectId: author.id, ...(author.displayName ? { name: author.displayName } : {}) } }
        : {}),
      ...(message.createdDateTime === undefined ? {} : { sentAt: message.createdDateTime }),
      ...(message.linkToMessage === undefined ? {} : { url: message.linkToMessage }),
      files: message.attachments.map(namedFile),
    },
  }
}

const named = ({ id, name }: { readonly id: string; readonly name?: string | undefined }) => ({
  id,
  ...(name ? { name } : {}),
})

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

const problemOf = (what: string, { issues }: { readonly issues: readonly Issue[] }) =>
  `${what}: ${issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`
