/**
 * In: macros as admins write them. Out: the same, checked, in the order in which agents see them. Never here: what one does
 * on a case; that is worked out when an agent presses.
 */
export { type Macro, validateMacro } from './definition.ts'
export { loadMacros, macroById, macroNames, orderMacros, removeMacro, saveMacro } from './store.ts'
