/** What changed for us, derived by comparing facts with what the hub held. Events are appended, never edited. */
import type { Cause, Source } from '#hub/platform/db/schema.ts'

export const eventTypes = [
  'case.created',
  'case.updated',
  'case.solved',
  'case.reopened',
  'case.closed',
  'case.deleted',
  'case.escalated',
  'case.snoozed',
  'case.unsnoozed',
  'case.merged',
  'message.received',
  'message.sent',
  'message.attached',
  'message.bounced',
  'message.held',
  'rating.received',
  'profile.created',
  'profile.updated',
  'profile.merged',
  'survey.answered',
  'survey.low_score',
  'approval.approved',
  'approval.rejected',
] as const
export type EventType = (typeof eventTypes)[number]

export interface Change {
  readonly from: unknown
  readonly to: unknown
}

export interface DomainEvent {
  readonly id: string
  readonly type: EventType
  readonly caseId?: string
  /** The leaf profile it is about. */
  readonly profileId?: string
  /** Where the news came from; absent when it began in the hub. */
  readonly connectionId?: string
  readonly actor: Source
  /**
   * `case.updated`: `{ changes: { field: { from, to } } }`; `message.*`: `{ messageId, visibility, author }`; …
   * `message.attached`: also `{ files }`, the names of files that came after their message.
   * `case.snoozed`: `{ until }`; `approval.*`: `{ approvalId, question }`.
   * `deleted: true`: the hub heard of the case only when it was gone. That is on record, and no rule follows it.
   */
  readonly data: Readonly<Record<string, unknown>>
  readonly cause: Cause
  readonly occurredAt: Date
}
