/** The languages that surveys speak. A new one is a file beside these and a line here. */
import { en } from './en.ts'
import { es } from './es.ts'
import type { Messages } from './messages.ts'

export type { KindMessages, Messages, PageText } from './messages.ts'

export const languages = ['en', 'es'] as const
export type Language = (typeof languages)[number]

export const messagesIn: Readonly<Record<Language, Messages>> = { en, es }

/** @param locale BCP 47, such as `es-MX`. */
export function languageOf(locale: string | null | undefined): Language | undefined {
  const wanted = locale?.toLowerCase().split(/[-_]/, 1)[0]
  return languages.find((language) => language === wanted)
}

/** The first language of an Accept-Language header that there is; for pages that know nobody. */
export function acceptedLanguage(header: string | undefined): Language | undefined {
  for (const part of (header ?? '').split(',').slice(0, 20)) {
    const language = languageOf(part.trim().split(';', 1)[0])
    if (language) return language
  }
  return undefined
}

/** Fills `{name}` in a text of the catalogue. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
