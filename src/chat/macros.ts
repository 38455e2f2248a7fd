/** Macros as agents meet them: a menu on the card, a reply to look at before it is sent. */
import { createCaseBook, loadBook } from '#hub/cases/index.ts'
import type { Option } from '#hub/connector/card.ts'
import type { Hub } from '#hub/hub.ts'
import { macroById, macroNames } from '#hub/macros/index.ts'
import { planMacro } from '#hub/pipeline/macro.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { newId } from '#hub/platform/ids.ts'
import { TemplateFailed } from '#hub/rules/template.ts'

export async function loadOffers(db: Db): Promise<{ readonly macros: readonly Option[] }> {
  return { macros: (await macroNames(db, 100)).map(({ id, name }) => ({ value: id, label: name })) }
}

/**
 * The macro's reply with this case's values in it; undefined when it has none, or none that this case can fill in: the
 * pipeline, which applies the macro, says so.
 */
export async function replyOfMacro(
  hub: Pick<Hub, 'db' | 'connections' | 'now'>,
  macroId: string,
  caseId: string,
): Promise<string | undefined> {
  const macro = await macroById(hub.db, macroId)
  if (!macro?.actions.some((action) => 'reply' in action)) return undefined
  const book = createCaseBook(await loadBook(hub.db, { cases: [], caseIds: [caseId], messages: [] }), newId)
  const planned = await planMacro(hub.db, hub.connections, macro, book, caseId, hub.now()).catch(withoutReply)
  return planned.flatMap((action) => (action.type === 'reply' ? action.text : []))[0]
}

function withoutReply(error: unknown): readonly [] {
  if (error instanceof TemplateFailed) return []
  throw error
}
