/** A card of the workbench as an Adaptive Card 1.5, the newest version that Teams draws for bots on all its clients. */
import type { IAdaptiveCard } from '@microsoft/teams.cards'
import type { Card, CardMessage } from '#hub/connector/card.ts'
import { drawActions } from './card-actions.ts'
import { type Drawing, drawBlocks, drawFiles, drawTitle, paragraph, run } from './card-blocks.ts'
import { escapeMarkdown, oneLine } from './markdown.ts'
import { firstThatFits, foldLine, type Room } from './room.ts'
import type { SharedFile } from './share-files.ts'
import type { CardWords } from './words.ts'

const longestSummary = 200

/**
 * Pure. Whatever the card holds, the result is within Teams' size for an activity: long texts are folded, and rows, options,
 * actions and blocks that have no room are counted.
 */
export function renderCard(card: Card, words: CardWords): IAdaptiveCard {
  return firstThatFits((room) => draw(card, words, room))
}

function draw(card: Card, words: CardWords, room: Room): IAdaptiveCard {
  const drawing: Drawing = { words, room, ...(card.url === undefined ? {} : { url: card.url }) }
  const { elements, buttons, hidden } = drawActions(card.actions, drawing)
  const summary = foldLine(oneLine(card.summary), longestSummary)
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    lang: words.language,
    fallbackText: escapeMarkdown(summary),
    speak: spoken(summary),
    msteams: { width: 'full' },
    body: [
      ...drawTitle(card.title, card.tone, drawing),
      ...drawBlocks(card.blocks, drawing),
      ...elements,
      ...(hidden > 0 ? [paragraph(run(words.moreItems(hidden), { isSubtle: true }))] : []),
    ],
    ...(buttons.length > 0 ? { actions: [...buttons] } : {}),
  }
}

/** One message of a case's conversation, by itself: who said it, when, and who can read it. */
export function renderSaid(said: CardMessage, words: CardWords, files: readonly SharedFile[] = []): IAdaptiveCard {
  const summary = foldLine(oneLine(`${said.author}: ${said.text}`), longestSummary)
  return firstThatFits((room) => ({
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    lang: words.language,
    fallbackText: escapeMarkdown(summary),
    speak: spoken(summary),
    msteams: { width: 'full' },
    body: [
      ...drawBlocks([{ kind: 'message', message: said }], { words, room: { ...room, blocks: 1 } }),
      ...drawFiles(files, { words, room }),
    ],
  }))
}

/** May be read as SSML, where an angle bracket or an ampersand would be markup. */
const spoken = (text: string) => text.replaceAll(/[<>&]/g, ' ')
