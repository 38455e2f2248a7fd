/** The languages that cards speak. A new one is a file beside these and a line here. */
import type { Language } from '#hub/surveys/messages/index.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import type { Messages } from './messages.ts'

export { fill, type Language, languages } from '#hub/surveys/messages/index.ts'
export { type Messages, resolveReasons } from './messages.ts'

export const messagesIn: Readonly<Record<Language, Messages>> = { en, es }
