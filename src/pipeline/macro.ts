/** A macro's actions with one case's values in them. */
import { createCaseBook, eventId, loadBook, read } from '#hub/cases/index.ts'
import type { Connections } from '#hub/connections/index.ts'
import { profileViewsFor } from '#hub/identity/index.ts'
import { macroById } from '#hub/macros/index.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { newId } from '#hub/platform/ids.ts'
import { planActions } from '#hub/rules/index.ts'
import type { PlannedAction } from '#hub/rules/plan.ts'
import { contextOf } from './rule-context.ts'

/** @returns nothing when there is no such macro or case. @throws TemplateFailed */
export async function planMacro(
  db: Db,
  connections: Connections,
  macroId: string,
  caseId: string,
  now: Date,
): Promise<readonly PlannedAction[]> {
  const macro = await macroById(db, macroId)
  if (!macro) return []
  const book = createCaseBook(await loadBook(db, { cases: [], caseIds: [caseId], messages: [] }), newId)
  const state = book.get(caseId)
  if (!state) return []
  const profileId = read.requester(state.fields)
  const profiles = await profileViewsFor(db, profileId === null ? [] : [profileId])
  const event = {
    id: eventId(caseId, 'macro', macroId),
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
