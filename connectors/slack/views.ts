/** Cards and lines as dialogs, for answers to somebody who is in one. Pure. */
import type { ModalView } from '@slack/types'
import type { Card } from '#hub/connector/card.ts'
import { limits, viewRoom } from './limits.ts'
import type { Spoken } from './phrases.ts'
import { renderActions } from './render-actions.ts'
import { renderBlocks, shrink } from './render-blocks.ts'
import { plain, plainLines } from './text.ts'
import type { Place } from './wire.ts'

/** To be looked at and closed; its buttons work as on a card. */
export function cardView(card: Card, spoken: Spoken, place?: Place): ModalView {
  const actions = renderActions(card.actions, viewRoom.characters / 2)
  const body = renderBlocks(card, shrink(viewRoom, actions), spoken.words)
  return {
    ...shell(card.title, spoken),
    private_metadata: JSON.stringify({ value: '', ...(place ? { place } : {}) }),
    // A view without blocks is refused.
    blocks: [{ type: 'section', text: plainLines(card.summary, limits.section) }, ...body, ...actions],
  }
}

export function lineView(title: string, line: string, spoken: Spoken): ModalView {
  return { ...shell(title, spoken), blocks: [{ type: 'section', text: plainLines(line, limits.section) }] }
}

function shell(title: string, { close }: Spoken) {
  return { type: 'modal' as const, title: plain(title, limits.viewTitle), close: plain(close, limits.viewButton) }
}
