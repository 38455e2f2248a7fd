/** What is posted, as an activity. */
import type { IAdaptiveCard } from '@microsoft/teams.cards'
import type { ChatContent } from '#hub/connector/chat.ts'
import { oneLine } from './markdown.ts'
import { renderCard, renderSaid } from './render-card.ts'
import { foldLine } from './room.ts'
import type { SharedFile } from './share-files.ts'
import type { CardWords } from './words.ts'

export const cardType = 'application/vnd.microsoft.card.adaptive'

export const asAttachment = (content: IAdaptiveCard) => ({ contentType: cardType, content }) as const

/** @param summary what notifications show. */
export function cardActivity(card: IAdaptiveCard, summary: string) {
  return { type: 'message', summary: foldLine(oneLine(summary), 200), attachments: [asAttachment(card)] } as const
}

export function contentActivity(content: ChatContent, words: CardWords, files: readonly SharedFile[] = []) {
  if (content.kind === 'card') return cardActivity(renderCard(content.card, words), content.card.summary)
  const { said } = content
  return cardActivity(renderSaid(said, words, files), `${said.author}: ${said.text}`)
}
