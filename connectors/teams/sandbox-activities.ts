/** Activities as Teams sends them, about what people do in the sandbox's world. */
import { textHtml } from './html-text.ts'
import {
  bot,
  channels,
  type Json,
  people,
  type SandboxChannel,
  type SandboxMessage,
  type SandboxPerson,
  type SandboxReference,
  team,
} from './sandbox-world.ts'

export interface ActivityStage {
  readonly serviceUrl: string
  readonly now: () => Date
  /** A fresh id, such as invokes and events have. */
  nextEventId(): string
}

/** @param thread of a channel. */
function envelope(stage: ActivityStage, channel: SandboxChannel, from: SandboxPerson, thread?: string): Json {
  const inChannel = channel.kind === 'channel'
  return {
    timestamp: stage.now().toISOString(),
    serviceUrl: stage.serviceUrl,
    channelId: 'msteams',
    from: { id: from.id, name: from.name, aadObjectId: from.aadObjectId },
    recipient: { id: `28:${bot.appId}`, name: bot.name },
    conversation: {
      id: inChannel && thread !== undefined ? `${channel.id};messageid=${thread}` : channel.id,
      conversationType: { channel: 'channel', group: 'groupChat', personal: 'personal' }[channel.kind],
      tenantId: bot.tenantId,
      ...(channel.kind === 'personal' ? {} : { isGroup: true }),
    },
    channelData: {
      tenant: { id: from.tenantId },
      ...(inChannel ? { team, channel: { id: channel.id, name: channel.name } } : {}),
    },
    locale: 'en-GB',
    entities: [{ type: 'clientInfo', locale: 'en-GB', country: 'GB', platform: 'Web', timezone: 'Europe/London' }],
  }
}

export interface Written {
  readonly text: string
  readonly mentionsBot?: boolean
  /** With `url`: a link to what lies somewhere already, whoever may see it. */
  readonly files?: readonly (
    | { readonly name: string; readonly content: string }
    | { readonly name: string; readonly url: string }
  )[]
}

/** In a private conversation Teams names files to the app; elsewhere it gives only the places where something is attached. */
export function messageBody(
  { text, mentionsBot }: Written,
  kind: SandboxChannel['kind'],
  attached: readonly SandboxReference[],
): Json {
  const tag = `<at>${bot.name}</at>`
  const places = attached.map(({ id }) => `<attachment id="${id}"></attachment>`).join('')
  return {
    text: mentionsBot ? `${tag} ${text}` : text,
    textFormat: 'plain',
    ...(mentionsBot
      ? { entities: [{ type: 'mention', text: tag, mentioned: { id: `28:${bot.appId}`, name: bot.name } }] }
      : {}),
    attachments:
      kind === 'personal'
        ? attached.map(({ id, name, contentUrl }) => ({
            contentType: 'application/vnd.microsoft.teams.file.download.info',
            contentUrl,
            name,
            content: { downloadUrl: contentUrl, uniqueId: id, fileType: name.split('.').at(-1) ?? '' },
          }))
        : [{ contentType: 'text/html', content: `<div>${textHtml(text)}</div>${places}` }],
  }
}

export type Change = 'editMessage' | 'undeleteMessage' | 'softDeleteMessage'

export function messageActivity(
  stage: ActivityStage,
  message: SandboxMessage,
  by: SandboxPerson,
  change?: Change,
): Json {
  const base = envelope(stage, message.channel, by, message.thread)
  const { attachments, text, textFormat, entities } = message.activity
  const content = change === 'softDeleteMessage' ? {} : { attachments, text, textFormat }
  return {
    ...base,
    ...content,
    type: change === undefined ? 'message' : change === 'softDeleteMessage' ? 'messageDelete' : 'messageUpdate',
    id: message.id,
    ...(Array.isArray(entities) ? { entities: [...entities, ...listOf(base['entities'])] } : {}),
    channelData: { ...recordOf(base['channelData']), ...(change === undefined ? {} : { eventType: change }) },
  }
}

export function reactionActivity(stage: ActivityStage, message: SandboxMessage, by: SandboxPerson, type: string): Json {
  return {
    ...envelope(stage, message.channel, by, message.thread),
    type: 'messageReaction',
    id: stage.nextEventId(),
    replyToId: message.id,
    reactionsAdded: [{ type }],
  }
}

/** @param on the card or message that it is about. */
export function invokeActivity(
  stage: ActivityStage,
  by: SandboxPerson,
  where: { readonly channel: SandboxChannel; readonly thread?: string | undefined; readonly on?: string | undefined },
  name: string,
  value: Json,
): Json {
  return {
    ...envelope(stage, where.channel, by, where.thread),
    type: 'invoke',
    id: stage.nextEventId(),
    name,
    value,
    ...(where.on === undefined ? {} : { replyToId: where.on }),
  }
}

/** A button of the older kind, on a card in the conversation: a message with data in place of words. */
export function submitActivity(stage: ActivityStage, by: SandboxPerson, on: SandboxMessage, value: Json): Json {
  return {
    ...envelope(stage, on.channel, by, on.thread),
    type: 'message',
    id: stage.nextEventId(),
    replyToId: on.id,
    value,
  }
}

export function installationActivity(stage: ActivityStage, channel: SandboxChannel, action: string): Json {
  const by = channel.members[0] ?? people.jo
  return { ...envelope(stage, channel, by), type: 'installationUpdate', id: stage.nextEventId(), action }
}

export type TeamEvent = 'teamMemberAdded' | 'teamMemberRemoved' | 'teamArchived' | 'teamUnarchived'

/** What happens to the app in a team, or to the team: one event, in the conversation that has the team's id. */
export function teamActivity(stage: ActivityStage, event: TeamEvent): Json {
  const app = [{ id: `28:${bot.appId}` }]
  const { general } = channels
  return {
    ...envelope(stage, general, people.jo),
    type: 'conversationUpdate',
    id: stage.nextEventId(),
    channelData: {
      tenant: { id: bot.tenantId },
      team,
      eventType: event,
      ...(event === 'teamMemberAdded' ? { settings: { selectedChannel: { id: general.id } } } : {}),
    },
    ...(event === 'teamMemberAdded' ? { membersAdded: app } : {}),
    ...(event === 'teamMemberRemoved' ? { membersRemoved: app } : {}),
  }
}

/** As a message's own menu gives it to the app. */
export function messagePayload(message: SandboxMessage): Json {
  const { author, activity, id } = message
  return {
    id,
    createdDateTime: new Date(Number(id)).toISOString(),
    deleted: false,
    body: { contentType: 'text', content: String(activity['text'] ?? '') },
    from: author ? { user: { userIdentityType: 'aadUser', id: author.aadObjectId, displayName: author.name } } : {},
    attachments: message.attached,
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const recordOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})
