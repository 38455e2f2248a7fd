/** A macro's actions with one case's values in them. */
import { type CaseBook, eventId, read } from '#hub/cases/index.ts'
import type { Connections } from '#hub/connections/index.ts'
import { profileViewsFor } from '#hub/identity/index.ts'
import type { Macro } from '#hub/macros/index.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { planActions } from '#hub/rules/index.ts'
import type { PlannedAction } from '#hub/rules/plan.ts'
import { contextOf } from './rule-context.ts'

/** @param book has the case; nothing is planned for one that it does not have. @throws TemplateFailed */
export async function planMacro(
  db: Db,
  connections: Connections,
  macro: Macro,
  book: CaseBook,
  caseId: string,
  now: Date,
): Promise<readonly PlannedAction[]> {
  const state = book.get(caseId)
  if (!state) return []
  const profileId = read.requester(state.fields)
  const profiles = await profileViewsFor(db, profileId === null ? [] : [profileId])
  const event = {
    id: eventId(caseId, 'macro', macro.id),
    type: 'case.updated' as const,
    caseId,
    ...(profileId === null ? {} : { profileId }),
    actor: { kind: 'person' as const, name: '' },
    data: {},
    cause: { depth: 0 },
    occurredAt: now,
  }
  return planActions(macro.actions, contextOf(event, book, profiles, connections), now)
}
