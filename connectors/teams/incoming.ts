/** What came from Teams, in words of the hub. */
import type { Act } from '#hub/connector/card.ts'

/** `id` is the bot's own name for a person; with `tenantId`, `aadObjectId` is the same for all bots. */
export interface ChatUser {
  readonly id: string
  readonly aadObjectId?: string
  readonly name?: string
  readonly tenantId: string
  readonly isBot: boolean
}

/**
 * Where it happened. `conversationId` is without a thread, `threadId` the message that opened it, `activityId` the message
 * or the card that it is about. Answers go to `serviceUrl`, once the token has vouched for it.
 */
export interface ChatPlace {
  readonly kind: 'personal' | 'group' | 'channel'
  readonly tenantId: string
  readonly serviceUrl: string
  readonly conversationId: string
  readonly threadId?: string
  readonly activityId?: string
  readonly teamId?: string
  /** What Microsoft Graph calls the team. */
  readonly groupId?: string
  readonly channelId?: string
  /** Of the channel or the group. */
  readonly name?: string
}

export interface ChatMessage {
  /** Plain: the mention of the bot is gone, others stand as @name. */
  readonly text: string
  readonly mentionsBot: boolean
  readonly mentions: readonly { readonly id: string; readonly name?: string }[]
  readonly files: readonly { readonly name: string; readonly url: string }[]
  /** How many more things are attached. What they are Teams does not say: files, cards, quoted messages. */
  readonly unnamed: number
}

/** A message that somebody chose in the message's own menu. */
export interface SharedMessage {
  readonly id: string
  readonly content: string
  readonly isHtml: boolean
  readonly author?: { readonly aadObjectId: string; readonly name?: string }
  readonly sentAt?: string
  readonly url?: string
  /** Where files lie; they can be opened by those who may. */
  readonly files: readonly { readonly name: string; readonly url: string }[]
}

export interface Happening {
  /** The same for each redelivery; absent where Teams gave the activity no id. */
  readonly key?: string
  readonly at?: string
  /** Teams waits for what the response's body says. */
  readonly isInvoke: boolean
  readonly user: ChatUser
  readonly place: ChatPlace
  readonly locale?: string
  readonly timeZone?: string
}

export type Content =
  | { readonly kind: 'message' | 'edited' | 'restored'; readonly message: ChatMessage }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'reaction'; readonly added: readonly string[]; readonly removed: readonly string[] }
  /** `isRefresh`: the client asked for a newer card, nobody pressed anything. */
  | { readonly kind: 'act'; readonly act: Act; readonly isRefresh: boolean }
  | { readonly kind: 'open' | 'submit'; readonly act: Act }
  | { readonly kind: 'dismiss' }
  | {
      readonly kind: 'search'
      readonly command: string
      /** Parameters by name; empty when the list opens. */
      readonly words: Readonly<Record<string, string>>
      readonly skip: number
      readonly count: number
    }
  | { readonly kind: 'link'; readonly url: string; readonly isAnonymous: boolean }
  | { readonly kind: 'shortcut'; readonly command: string; readonly message?: SharedMessage }
  | {
      readonly kind: 'shortcutSubmit'
      readonly command: string
      readonly act: Act | 'dismissed'
      /** A button of a card that stands in the dialog, not the form sent. */
      readonly isPress: boolean
      readonly message?: SharedMessage
    }
  | { readonly kind: 'installed' | 'removed'; readonly isUpgrade: boolean }
  | {
      readonly kind: 'conversation'
      /** Teams' own word: `teamMemberAdded`, `channelDeleted`, … */
      readonly event?: string
      readonly added: readonly ChatUser[]
      readonly removed: readonly ChatUser[]
      readonly channel?: { readonly id: string; readonly name?: string }
    }
  /** Known and of no interest: typing, a sign-in, a file consent, … */
  | { readonly kind: 'other'; readonly what: string }

export type Incoming = (Happening & Content) | { readonly kind: 'unreadable'; readonly problem: string }
