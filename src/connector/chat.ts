/**
 * Chat tools (Slack, Teams) in the hub's words: what happens there, what is shown there. A connector turns the one into
 * the other and decides nothing: who may act, on which case, and who may see what, is the hub's to say.
 */
import { z } from 'zod'
import type { Act, Card, CardMessage, Form } from './card.ts'
import type { OutFile } from './contract.ts'
import type { Attachment } from './facts.ts'
import { casePriorities } from './facts.ts'

/** Where in a chat tool. Each part is the vendor's own id, as text; the hub compares it and gives it back. */
export interface ChatPlace {
  /** A channel, a group, or one person's conversation with the app. */
  readonly channel: string
  /** The message that the thread hangs on. */
  readonly thread?: string
  /** The message or card it is about. */
  readonly message?: string
  /**
   * What the connector needs to get there again beside the ids (a service address, the workspace whose token answers). The
   * hub keeps the newest for each channel and person, and gives it back; absent for a channel that was never heard of.
   */
  readonly reference?: string
}

/** Whom the vendor says it is. */
export interface ChatPerson {
  readonly id: string
  readonly name?: string
  /** As the vendor vouches for it: never what somebody typed. */
  readonly email?: string
  /** `guest`: let into the company's workspace for some channels. `stranger`: of another company. */
  readonly kind: 'member' | 'guest' | 'stranger' | 'bot'
  readonly locale?: string
  readonly timeZone?: string
}

export interface ChatMessage {
  readonly id: string
  /** Plain text: mentions as names, links as addresses. */
  readonly text: string
  readonly files: readonly Attachment[]
  /**
   * More files, of which the tool said only that they are there. `at`: what the connector needs to find out which
   * (`chat.filesOf`). `seen`: how they are spoken of when that cannot be found out.
   */
  readonly unnamed?: { readonly at: string; readonly seen: readonly Attachment[] }
}

/** `handle` is what the connector needs to answer this person in private for a short time: it is never stored elsewhere. */
export interface ChatHappening {
  /** The vendor's id of who did it. */
  readonly user: string
  readonly userName?: string
  readonly place?: ChatPlace
  readonly locale?: string
  readonly timeZone?: string
  readonly handle?: string
  /** Somebody waits for the answer in this request's own response. Otherwise it is acknowledged, then answered. */
  readonly awaits?: true
  readonly what: ChatWhat
}

export type ChatWhat =
  /** A button or a menu. `isRefresh`: the vendor asks for a newer card, nobody pressed. */
  | { readonly kind: 'press'; readonly act: Act; readonly isRefresh?: true }
  /** A dialog, sent. */
  | { readonly kind: 'submit'; readonly act: Act }
  /** Written in a channel; in a thread when `place.thread` is there. */
  | { readonly kind: 'message'; readonly message: ChatMessage }
  | { readonly kind: 'edited'; readonly message: ChatMessage }
  | { readonly kind: 'deleted'; readonly messageId: string }
  /** On the message `place.message`. */
  | { readonly kind: 'reaction'; readonly name: string }
  /** Said to the app itself: a command, a mention, a line in the private conversation with it. */
  | { readonly kind: 'asked'; readonly text: string; readonly messageId?: string }
  /** Chosen in the menu of a message. */
  | {
      readonly kind: 'shortcut'
      readonly name: 'create_case' | 'public_reply' | 'find_case'
      readonly message?: ChatMessage & { readonly authorId?: string; readonly authorName?: string }
    }
  | { readonly kind: 'search'; readonly text: string; readonly skip: number; readonly count: number }
  /** A link of ours was pasted. */
  | { readonly kind: 'links'; readonly urls: readonly string[] }
  /** The person opened their own page of the app. */
  | { readonly kind: 'home' }
  /**
   * The state of `place.channel` as the app sees it; `gone` when it was removed, archived or deleted. `group`: so it is with
   * all channels of this larger whole (a team), by the id that `chat.groupOf` finds in their references.
   */
  | {
      readonly kind: 'channel'
      readonly state: 'open' | 'gone'
      readonly name?: string
      readonly isDirect?: boolean
      readonly group?: string
    }
  /** The whole app was taken away, or its tokens were. */
  | { readonly kind: 'uninstalled'; readonly install: string }

/** What the hub answers to one person, from its own data. A connector that cannot show a kind does not compile. */
export type ChatAnswer =
  /** A dialog; `replaces` the one that it was sent from. */
  | { readonly kind: 'form'; readonly form: Form; readonly replaces: boolean }
  /** What was typed cannot be taken: the dialog stays open. By field name. */
  | { readonly kind: 'errors'; readonly errors: Readonly<Record<string, string>> }
  /** For the eyes of the one who asked. */
  | { readonly kind: 'private'; readonly card: Card }
  /** The card that was pressed, as it is now. */
  | { readonly kind: 'card'; readonly card: Card }
  /** One line that passes: "Noted." */
  | { readonly kind: 'toast'; readonly text: string }
  /** Of a search: `line` is what the list shows, `card` what is put into the conversation. */
  | { readonly kind: 'results'; readonly results: readonly ChatResult[]; readonly whenEmpty: string }
  /** Pasted links, by address. */
  | { readonly kind: 'unfurls'; readonly cards: Readonly<Record<string, Card>> }
  | { readonly kind: 'home'; readonly card: Card }
  | { readonly kind: 'nothing' }

export interface ChatResult {
  readonly title: string
  readonly detail: string
  readonly card: Card
}

/** What is posted where others see it. */
export type ChatContent =
  | { readonly kind: 'card'; readonly card: Card }
  /** One message of a case's conversation, in its thread, under its author's name. */
  | {
      readonly kind: 'said'
      readonly said: CardMessage
      readonly files?: readonly OutFile[]
      /** As in `OutMessage`. */
      readonly filesMayWait?: true
    }

export const chatLanguages = ['en', 'es'] as const
export type ChatLanguage = (typeof chatLanguages)[number]

/** What an emoji on a case's card or message can do. */
export const reactionActs = ['take', 'resolve', 'reopen', 'escalate', 'urgent'] as const
export type ReactionAct = (typeof reactionActs)[number]

const names = z.array(z.string().trim().min(1)).min(1)

/** One channel's part in the work. Settings of every chat connector hold a list of them, under `channels`. */
export const ChatChannel = z.strictObject({
  /** The vendor's id of the channel. */
  channel: z.string().min(1),
  /** What rules may call it, beside the names that the tool tells. */
  name: z.string().trim().min(1).optional(),
  /** `cases`: agents work there, nothing said there leaves. `customer`: a customer reads along; what is said there is public. */
  for: z.enum(['cases', 'customer']),
  /** Which cases are posted there; all when absent. Several kinds must all fit, of one kind one is enough. */
  when: z
    .strictObject({
      /** Names of connections: the inbox a case came in by. */
      connections: names,
      teams: names,
      priorities: z.array(z.enum(casePriorities)).min(1),
      tags: names,
      /** The customer's e-mail address, its domain, or the company's name. */
      customers: names,
    })
    .partial()
    .optional(),
  /** `arrival`: as soon as a case fits. `rule`: only when a rule says so. */
  post: z.enum(['arrival', 'rule']).default('arrival'),
  /** For `customer`: the company that sits there. */
  company: z.string().trim().min(1).optional(),
  language: z.enum(chatLanguages).optional(),
})
export type ChatChannel = z.output<typeof ChatChannel>

/** The settings that all chat connectors share; spread into their own. */
export const chatSettings = {
  channels: z.array(ChatChannel).max(500).default([]),
  /** Of cards and dialogs; an agent's own language goes before. */
  language: z.enum(chatLanguages).default('en'),
  /** What an emoji does, by its name without colons. */
  reactions: z.record(z.string().min(1), z.enum(reactionActs)).default({}),
  /** Surveys are asked in customer channels, as a card, after a case there is solved. */
  surveys: z.boolean().default(true),
} as const
export type ChatSettings = z.output<z.ZodObject<typeof chatSettings>>

/** A chat tool's id of the case whose thread hangs on a message in a customer's channel. */
export function threadCaseId(channel: string, thread: string): string {
  return `${channel}|${thread}`
}

export function threadOfCaseId(externalId: string): { readonly channel: string; readonly thread: string } {
  const bar = externalId.lastIndexOf('|')
  return { channel: externalId.slice(0, Math.max(0, bar)), thread: externalId.slice(bar + 1) }
}
