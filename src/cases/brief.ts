/** What other rooms need of a case to tell what happened to it, without loading all of it. */
import { sql } from 'kysely'
import type { CasePriority } from '#hub/connector/facts.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { Source } from '#hub/platform/db/schema.ts'
import { eventId } from './book.ts'
import type { DomainEvent, EventType } from './event.ts'

export interface CaseInBrief {
  readonly id: string
  readonly subject: string | null
  readonly priority: CasePriority | null
  /** In lower case. */
  readonly assigneeEmail: string | null
  /** A leaf profile. */
  readonly requesterId: string | null
}

/** By id; cases that there are not are absent. */
export async function casesInBrief(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, CaseInBrief>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('cases')
    .select(['id', 'subject', 'priority', 'assignee_email', 'requester_id'])
    .where('id', '=', sql<string>`any(${[...new Set(ids)]}::text[])`)
    .execute()
  return new Map(
    rows.map(({ id, subject, priority, assignee_email, requester_id }) => [
      id,
      { id, subject, priority, assigneeEmail: assignee_email, requesterId: requester_id },
    ]),
  )
}

/**
 * An event that began in the hub, at a case.
 * @param once what makes it this one and no other: the same gives the same id.
 */
export function eventBy(
  actor: Extract<Source, { kind: 'person' }>,
  type: EventType,
  { id: caseId, requesterId }: Pick<CaseInBrief, 'id' | 'requesterId'>,
  data: Readonly<Record<string, unknown>>,
  once: string,
  now: Date,
): DomainEvent {
  return {
    id: eventId(caseId, type, once),
    type,
    caseId,
    ...(requesterId === null ? {} : { profileId: requesterId }),
    actor,
    data,
    cause: { actor: actor.name, depth: 0 },
    occurredAt: now,
  }
}
