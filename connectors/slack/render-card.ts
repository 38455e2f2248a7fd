/** Card → Block Kit. Pure, never throws, and always within what Slack takes. */
import type { HomeView, KnownBlock } from '@slack/types'
import type { Card } from '#hub/connector/card.ts'
import { limits, messageRoom, type Room, viewRoom } from './limits.ts'
import { renderActions } from './render-actions.ts'
import { renderBlocks, shrink, toneMark } from './render-blocks.ts'
import { bold, escaped, mrkdwn, oneLine, plain, webAddress } from './text.ts'
import type { SlackWords } from './words.ts'

export interface SlackMessage {
  /** For notifications and screen readers. */
  readonly text: string
  readonly blocks: KnownBlock[]
}

/** A message for `chat.postMessage`, `chat.update` and a `response_url`. */
export function renderCard(card: Card, words: SlackWords): SlackMessage {
  const text = escaped(card.summary, 500)
  const envelope = JSON.stringify({ text, blocks: [] }).length
  const room = { blocks: messageRoom.blocks, characters: messageRoom.characters - envelope }
  return { text, blocks: renderAll(card, room, words) }
}

/** The app's home tab, for `views.publish`. */
export function renderHome(card: Card, words: SlackWords): HomeView & { readonly blocks: KnownBlock[] } {
  return { type: 'home', blocks: renderAll(card, viewRoom, words) }
}

/** The title and the actions come first: a card without its buttons is of no use, a text can be read elsewhere. */
function renderAll(card: Card, room: Room, words: SlackWords): KnownBlock[] {
  const title = renderTitle(card)
  const actions = renderActions(card.actions, room.characters / 2)
  const body = renderBlocks(card, shrink(room, [title, ...actions]), words)
  return [title, ...body, ...actions]
}

/** A header cannot be a link. */
function renderTitle({ title, url, tone = 'neutral' }: Card): KnownBlock {
  const mark = tone === 'neutral' ? '' : `${toneMark[tone]} `
  return webAddress(url) === undefined
    ? { type: 'header', text: plain(`${mark}${oneLine(title) || '–'}`, limits.header) }
    : { type: 'section', text: mrkdwn(`${mark}${bold(title, 1_400, url)}`) }
}
