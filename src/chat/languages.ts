/** Which language somebody reads. Pure. */
import type { ChatLanguage, ChatSettings } from '#hub/connector/chat.ts'
import { languageOf } from '#hub/surveys/messages/index.ts'

/** The agent's own choice, then what their chat tool says of them, then the channel's, then the connection's. */
export function languageFor(
  settings: ChatSettings,
  reader: { readonly agent?: ChatLanguage | null; readonly locale?: string; readonly channel?: string },
): ChatLanguage {
  const { agent, locale, channel } = reader
  const ofChannel = settings.channels.find((one) => one.channel === channel)?.language
  return agent ?? languageOf(locale) ?? ofChannel ?? settings.language
}
