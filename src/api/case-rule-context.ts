/** What a rule would see of a case as it stands now. */
import { type Selectable, sql } from 'kysely'
import { type DomainEvent, type EventType, eventTypes } from '#hub/cases/event.ts'
import { createCaseBook, loadBook, read } from '#hub/cases/index.ts'
import { profileViewsFor } from '#hub/identity/index.ts'
import { contextOf } from '#hub/pipeline/rule-context.ts'
import type { Schema } from '#hub/platform/db/schema.ts'
import { newId } from '#hub/platform/ids.ts'
import type { RuleContext } from '#hub/rules/plan.ts'
import type { ApiHub } from './hub.ts'

/**
 * The context of the case's last event of one of these types; where there was none, of the first type, as if it happened now.
 * @returns undefined when there is no such case.
 */
export async function caseRuleContext(
  hub: ApiHub,
  caseId: string,
  types: readonly EventType[],
): Promise<{ readonly eventId: string | null; readonly context: RuleContext } | undefined> {
  return await hub.db.transaction().execute(async (trx) => {
    const book = createCaseBook(await loadBook(trx, { cases: [], caseIds: [caseId], messages: [] }), newId)
    const state = book.get(caseId)
    if (!state) return undefined
    const row = await trx
      .selectFrom('events')
      .selectAll()
      .where('case_id', '=', caseId)
      .where('type', '=', sql<string>`any(${[...types]})`)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    const profileId = read.requester(state.fields)
    const event = row ? toEvent(row) : assumed(caseId, types[0] ?? 'case.updated', profileId, hub.now())
    const profiles = await profileViewsFor(trx, event.profileId === undefined ? [] : [event.profileId])
    return { eventId: row?.id ?? null, context: contextOf(event, book, profiles, hub.connections) }
  })
}

function toEvent(row: Selectable<Schema['events']>): DomainEvent {
  return {
    id: row.id,
    type: eventTypes.find((type) => type === row.type) ?? 'case.updated',
    ...(row.case_id === null ? {} : { caseId: row.case_id }),
    ...(row.profile_id === null ? {} : { profileId: row.profile_id }),
    ...(row.connection_id === null ? {} : { connectionId: row.connection_id }),
    actor: row.actor,
    data: row.data,
    cause: row.cause,
    occurredAt: row.occurred_at,
  }
}

function assumed(caseId: string, type: EventType, profileId: string | null, now: Date): DomainEvent {
  return {
    id: 'assumed',
    type,
    caseId,
    ...(profileId === null ? {} : { profileId }),
    actor: { kind: 'person', name: 'explain' },
    data: {},
    cause: { depth: 0 },
    occurredAt: now,
  }
}
