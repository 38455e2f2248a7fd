/** What the connector itself says to a person, and the words that drawing adds, in the reader's language. */
import type { ChatLanguage } from '#hub/connector/chat.ts'
import { drawingWords } from '#hub/connector/drawing-words.ts'
import type { SlackConfig } from './config.ts'
import type { SlackWords } from './words.ts'

export interface Phrases {
  /** Slack lets a dialog open for three seconds only. */
  readonly pressAgain: string
  readonly goesOn: string
  readonly notTaken: string
  readonly working: string
  readonly close: string
  /** A file that Slack does not name. */
  readonly attachment: string
}

const phrases: Readonly<Record<ChatLanguage, Phrases>> = {
  en: {
    pressAgain: 'That took too long for Slack to open the dialog. Please press again.',
    goesOn: 'This takes a moment. It goes on in the background; you will see the result on the card.',
    notTaken: 'This could not be taken:',
    working: 'Working on it',
    close: 'Close',
    attachment: 'attachment',
  },
  es: {
    pressAgain: 'Ha tardado demasiado y Slack no abre el diálogo. Pulse otra vez, por favor.',
    goesOn: 'Esto tarda un momento. Sigue en segundo plano; verá el resultado en la tarjeta.',
    notTaken: 'No se ha podido aceptar:',
    working: 'En ello',
    close: 'Cerrar',
    attachment: 'adjunto',
  },
}

export interface Spoken extends Phrases {
  readonly words: SlackWords
}

/** @param locale of the reader, as Slack tells it: `es-ES`. */
export function spokenIn(config: SlackConfig, channel?: string, locale?: string): Spoken {
  const language =
    languageOf(locale) ?? config.channels.find((one) => one.channel === channel)?.language ?? config.language
  return { ...phrases[language], words: drawingWords(language) }
}

function languageOf(locale: string | undefined): ChatLanguage | undefined {
  const language = locale?.slice(0, 2).toLowerCase()
  return language === 'en' || language === 'es' ? language : undefined
}
