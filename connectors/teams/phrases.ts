/** What the connector says by itself, and the words that drawing adds, in the reader's language. */
import type { ChatLanguage } from '#hub/connector/chat.ts'
import { drawingWords } from '#hub/connector/drawing-words.ts'
import type { TeamsConfig } from './config.ts'
import type { CardWords } from './words.ts'

interface Phrases {
  /** When the hub's answer is late: it follows in private. */
  readonly workingOnIt: string
  /** To what came from a card or a dialog that nobody can read any more. */
  readonly notOurs: string
  /** Something attached that Teams does not name. */
  readonly attachment: string
}

const phrases: Readonly<Record<ChatLanguage, Phrases>> = {
  en: {
    workingOnIt: 'Working on it. What comes of it follows in your chat with the app.',
    notOurs: 'This could not be read. Please open the card or the dialog anew.',
    attachment: 'attachment',
  },
  es: {
    workingOnIt: 'En ello. El resultado llegará a su chat con la aplicación.',
    notOurs: 'No se ha podido leer. Vuelva a abrir la tarjeta o el diálogo, por favor.',
    attachment: 'adjunto',
  },
}

export interface Spoken extends Phrases {
  readonly words: CardWords
}

/** The reader's own language where there is one of ours for it, else the channel's, else the connection's. */
export function spokenIn(
  config: TeamsConfig,
  reader: { readonly locale?: string | undefined; readonly channel?: string | undefined },
): Spoken {
  const kept = config.channels.find(({ channel }) => channel === reader.channel)?.language
  const language = languageOf(reader.locale) ?? kept ?? config.language
  return { ...phrases[language], words: drawingWords(language) }
}

function languageOf(locale: string | undefined): ChatLanguage | undefined {
  const language = locale?.slice(0, 2).toLowerCase()
  return language === 'en' || language === 'es' ? language : undefined
}
