/**
 * The effects the hub can want at a vendor. An action is written to the outbox in the transaction that concluded it, and
 * performed later by its lane; its key comes from its cause, so that one cause has one effect.
 */
import type { CaseChange, CaseDraft, Notice, OutMessage } from '#hub/connector/contract.ts'
import type { Author, PersonFacts, RatingFacts } from '#hub/connector/facts.ts'
import type { Cause } from '#hub/platform/db/schema.ts'

export type Action =
  /** A case that the hub opens elsewhere: its receipt becomes a link of `caseId`. */
  | { readonly type: 'case.create'; readonly caseId: string; readonly draft: CaseDraft }
  | { readonly type: 'case.update'; readonly externalId: string; readonly change: CaseChange }
  | {
      readonly type: 'case.message'
      readonly externalId: string
      readonly message: OutMessage
      readonly author: Author
    }
  | { readonly type: 'person.upsert'; readonly person: PersonFacts }
  | { readonly type: 'rating.record'; readonly externalId: string; readonly rating: RatingFacts }
  | { readonly type: 'person.rating'; readonly externalId: string; readonly rating: RatingFacts }
  | { readonly type: 'notify'; readonly notice: Notice }
  /** A free URL named in a rule: signed with Standard Webhooks, guarded against internal targets. */
  | { readonly type: 'webhook'; readonly url: string; readonly body: unknown }

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
