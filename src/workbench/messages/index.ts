/** The languages that cards speak. A new one is a file beside these and a line here. */
import { fill, type Language } from '#hub/surveys/messages/index.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import type { Messages } from './messages.ts'

export { fill, type Language } from '#hub/surveys/messages/index.ts'
export { type Messages, type Refusal, type ResolveReason, resolveReasons } from './messages.ts'

export const messagesIn: Readonly<Record<Language, Messages>> = { en, es }

/** The words that a renderer itself adds to a card. */
export function drawingWords(language: Language) {
  const { drawing, yes } = messagesIn[language]
  const surplus = (count: number) => fill(drawing.surplus, { count })
  return { ...drawing, language, yes, surplus, moreItems: surplus }
}
