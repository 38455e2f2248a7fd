/** One message of a case's conversation, for its thread: under its author's name, marked as internal or public. Pure. */
import type { KnownBlock } from '@slack/types'
import type { CardMessage } from '#hub/connector/card.ts'
import { messageRoom } from './limits.ts'
import { renderBlocks } from './render-blocks.ts'
import { escaped, oneLine } from './text.ts'
import type { SlackWords } from './words.ts'

export interface SaidMessage {
  readonly text: string
  readonly blocks: KnownBlock[]
  /** Shown in place of the app's name; beside it Slack says that an app wrote it. */
  readonly username: string | undefined
}

export function renderSaid(said: CardMessage, words: SlackWords): SaidMessage {
  const text = escaped(`${words[said.visibility]} · ${said.author}: ${said.text}`, 500)
  const room = { ...messageRoom, characters: messageRoom.characters - JSON.stringify({ text, blocks: [] }).length }
  return {
    text,
    blocks: [...renderBlocks({ blocks: [{ kind: 'message', message: said }] }, room, words)],
    username: authorName(said.author),
  }
}

/** Up to 80 characters, as of the bot's own name. */
export function authorName(name: string | undefined): string | undefined {
  return (
    oneLine(name ?? '')
      .slice(0, 80)
      .toWellFormed() || undefined
  )
}
