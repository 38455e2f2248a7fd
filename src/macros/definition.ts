/** A macro as an admin writes it: the actions of rules under a name, that an agent applies to a case. Pure. */
import type { ActionDefinition } from '#hub/rules/definition.ts'
import {
  checkActions,
  type Issue,
  isMap,
  type Known,
  listOf,
  type Path,
  ruleId,
  shape,
  text,
} from '#hub/rules/index.ts'

export interface Macro {
  readonly id: string
  readonly name: string
  readonly actions: readonly ActionDefinition[]
}

export type ValidatedMacro =
  | { readonly ok: true; readonly macro: Macro }
  | { readonly ok: false; readonly issues: readonly Issue[] }

const macroShape = shape('a macro', {
  id: { required: true, check: ruleId },
  // What the vendors' menus show of it.
  name: { required: true, check: text({ max: 75, noun: 'a name', lines: 'one' }) },
  actions: {
    required: true,
    hint: 'give at least one action, such as "actions: [{ status: pending }]"',
    check: listOf(() => {}, { noun: 'actions', min: 1, max: 20 }),
  },
})

/** @param at where the value stands in its document; issues carry paths from the document's root. */
export function validateMacro(value: unknown, known: Known = {}, at: Path = []): ValidatedMacro {
  const issues: Issue[] = []
  macroShape(value, at, issues)
  const actions: readonly unknown[] = isMap(value) && Array.isArray(value['actions']) ? value['actions'] : []
  checkActions(actions, [...at, 'actions'], issues, [], known)
  const replies = actions.flatMap((action, index) => (isMap(action) && Object.hasOwn(action, 'reply') ? [index] : []))
  for (const index of replies.slice(1)) {
    const path = [...at, 'actions', index, 'reply']
    issues.push({ path, at: 'key', message: 'a macro replies once', hint: 'write both texts into one reply' })
  }
  return issues.length > 0 ? { ok: false, issues } : { ok: true, macro: toMacro(value) }
}

/** The one place where a checked value gets its type. */
function toMacro(checked: unknown): Macro {
  return checked as Macro
}
