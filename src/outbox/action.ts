/**
 * The effects the hub can want at a vendor. An action is written to the outbox in the transaction that concluded it, and
 * performed later by its lane; its key comes from its cause, so that one cause has one effect.
 */
import type { CaseChange, CaseDraft, Notice, OutMessage } from '#hub/connector/contract.ts'
import type { Author, PersonFacts, RatingFacts } from '#hub/connector/facts.ts'
import type { Cause } from '#hub/platform/db/schema.ts'

export type Action =
  /** A case that the hub opens elsewhere: its receipt becomes a link of `caseId`. */
  | {
      readonly type: 'case.create'
      readonly caseId: string
      readonly draft: CaseDraft
      /** What follows as a note once the case is there: files travel with messages. */
      readonly note?: { readonly message: OutMessage; readonly author: Author }
    }
  | { readonly type: 'case.update'; readonly externalId: string; readonly change: CaseChange }
  | {
      readonly type: 'case.message'
      readonly externalId: string
      readonly message: OutMessage
      readonly author: Author
    }
  /** A message of ours that was changed, or, without `text`, taken back. */
  | {
      readonly type: 'case.revise'
      readonly externalId: string
      /** The vendor's. */
      readonly messageId: string
      readonly text?: string
    }
  | { readonly type: 'case.merge'; readonly externalId: string; readonly intoExternalId: string }
  | { readonly type: 'person.upsert'; readonly person: PersonFacts }
  | { readonly type: 'rating.record'; readonly externalId: string; readonly rating: RatingFacts }
  | { readonly type: 'person.rating'; readonly externalId: string; readonly rating: RatingFacts }
  | { readonly type: 'notify'; readonly notice: Notice }
  | { readonly type: 'chat.show'; readonly show: ChatShow }
  /** A free URL named in a rule: signed with Standard Webhooks, guarded against internal targets. */
  | { readonly type: 'webhook'; readonly url: string; readonly body: unknown }

/** What is to be seen in a chat tool. It is drawn when it leaves, so that it shows what is so then. */
export type ChatShow =
  /** Posts the case's card in a channel, or brings the one that stands there up to date. */
  | { readonly what: 'case'; readonly caseId: string; readonly channel: string }
  /** A message of the hub's, in the case's thread. */
  | { readonly what: 'said'; readonly caseId: string; readonly channel: string; readonly messageId: string }
  | { readonly what: 'approval'; readonly approvalId: string; readonly to: ChatTarget }
  /** In the customer's own thread. */
  | { readonly what: 'survey'; readonly invitationId: string; readonly channel: string; readonly thread: string }
  | {
      readonly what: 'notice'
      readonly to: ChatTarget
      /** A newer notice of the same key replaces this one. */
      readonly key: string
      readonly title: string
      readonly text: string
      readonly tone: 'neutral' | 'good' | 'attention' | 'urgent'
      readonly caseId?: string
    }
  /** Somebody who has no seat is asked, once, under which address the desk knows them. */
  | { readonly what: 'seat'; readonly user: string }

/** A channel, or a person's private conversation with the app (the vendor's id of the person, or an agent's address). */
export type ChatTarget =
  | { readonly channel: string; readonly thread?: string }
  | { readonly user: string }
  | { readonly agent: string }

export interface OutboxEntry {
  /** The same cause and the same effect give the same key; the ledger holds each key once. */
  readonly key: string
  /** The connection that performs it, or `webhook:<host>`. */
  readonly lane: string
  /** Entries with the same order key are performed one after the other: the case, or the person. */
  readonly orderKey: string
  readonly connectionId?: string
  readonly caseId?: string
  readonly action: Action
  readonly cause: Cause
  /** Not before this time; at once when absent. */
  readonly dueAt?: Date
}

/** Who speaks when a rule or a survey does. */
export const hubAuthor: Author = { kind: 'system', name: 'Deskweave' }
