/** The blocks of a card, as many as there is room for; the rest is a link to the card's page. */
import type { ContextBlock, KnownBlock, SectionBlock } from '@slack/types'
import type { Card, CardBlock, CardMessage, Fact, ListItem, Tone } from '#hub/connector/card.ts'
import { limits, type Room } from './limits.ts'
import { renderButton } from './render-actions.ts'
import { bold, clean, escaped, linked, mrkdwn, oneLine, plain, plainLines, time } from './text.ts'
import type { SlackWords } from './words.ts'

/** What a block is drawn with. */
interface Brush {
  readonly words: SlackWords
  readonly url: string | undefined
  /** Characters that one text may have at most. */
  readonly longest: number
}

interface Drawn {
  readonly blocks: readonly KnownBlock[]
  /** Something is missing, and nothing beside it says so. */
  readonly isCut: boolean
  /** There was no place for a whole block. */
  readonly isDropped: boolean
}

/** Marks of different shapes, as colour alone tells some readers nothing. */
export const toneMark = { neutral: 'ℹ️', good: '✅', attention: '⚠️', urgent: '🚨' } as const satisfies Record<
  Tone,
  string
>
const visibilityMark = { internal: '🔒', public: '🌐' } as const satisfies Record<CardMessage['visibility'], string>
/** Texts shorter than this are not worth their place. */
const shortest = 40
/** Tried in turn, until every block has its place: the newest message stands last, and matters more than all of the first. */
const longestTexts = [limits.section, 1_500, 800, 400, 200]
const nothing: Drawn = { blocks: [], isCut: false, isDropped: false }
const dropped: Drawn = { blocks: [], isCut: true, isDropped: true }

export function renderBlocks(card: Pick<Card, 'blocks' | 'url'>, room: Room, words: SlackWords): readonly KnownBlock[] {
  let drawn = nothing
  for (const longest of longestTexts) {
    drawn = drawAll(card.blocks, room, { words, url: card.url, longest })
    if (!drawn.isDropped) break
  }
  return drawn.blocks
}

function drawAll(blocks: readonly CardBlock[], room: Room, brush: Brush): Drawn {
  const ending = more(brush)
  let left = shrink(room, [ending])
  const all = blocks.map((block) => {
    const drawn = renderBlock(block, left, brush)
    left = shrink(left, drawn.blocks)
    return drawn
  })
  const drawn = all.flatMap((one) => one.blocks)
  const isCut = all.some((one) => one.isCut)
  const isSaid = JSON.stringify(drawn.at(-1)) === JSON.stringify(ending)
  return {
    blocks: isCut && !isSaid ? [...drawn, ending] : drawn,
    isCut,
    isDropped: all.some((one) => one.isDropped),
  }
}

/** Characters that blocks take in the JSON of a message. */
export function sizeOf(blocks: readonly KnownBlock[]): number {
  return blocks.reduce((sum, block) => sum + JSON.stringify(block).length + 1, 0)
}

export function shrink(room: Room, blocks: readonly KnownBlock[]): Room {
  return { blocks: room.blocks - blocks.length, characters: room.characters - sizeOf(blocks) }
}

function renderBlock(block: CardBlock, room: Room, brush: Brush): Drawn {
  switch (block.kind) {
    case 'text':
      return renderText(block.text, block.isSubtle ? subtle : section, room, brush)
    case 'facts':
      return renderFacts(block.facts, room, brush)
    case 'heading':
      return whole([{ type: 'header', text: plain(block.text, limits.header) }], room)
    case 'list':
      return renderList(block.items, block.whenEmpty, room, brush)
    case 'message':
      return renderMessage(block.message, room, brush)
    case 'notice':
      return renderText(`${toneMark[block.tone]} ${clean(block.text)}`, section, room, brush)
    case 'divider':
      return whole([{ type: 'divider' }], room)
  }
}

const section = {
  longest: limits.section,
  draw: (text: string, longest: number): KnownBlock => ({ type: 'section', text: plainLines(text, longest) }),
}
const subtle = {
  longest: limits.context,
  draw: (text: string, longest: number): KnownBlock => ({ type: 'context', elements: [plainLines(text, longest)] }),
}

function renderText(text: string, look: typeof section | typeof subtle, room: Room, brush: Brush): Drawn {
  const { length } = clean(text)
  if (length === 0) return nothing
  const longest = Math.min(look.longest, brush.longest)
  const all = whole([look.draw(text, longest)], room)
  if (length <= longest && !all.isDropped) return all
  const below = more(brush)
  const drawn = shortened(longest, (most) => [look.draw(text, most), below], room)
  return drawn ? { ...nothing, blocks: drawn.blocks } : dropped
}

/** Label and value are two fields, as fields stand in two columns and a value of its own can be plain text. */
function renderFacts(facts: readonly Fact[], room: Room, brush: Brush): Drawn {
  const perSection = limits.fieldsPerSection / 2
  const result: KnownBlock[] = []
  let left = room
  let isCut = false
  for (let first = 0; first < facts.length; first += perSection) {
    const part = facts.slice(first, first + perSection)
    const most = Math.min(limits.field, brush.longest)
    const drawn = shortened(most, (longest) => [factSection(part, longest)], left)
    if (!drawn) return { ...dropped, blocks: result }
    isCut ||= part.some(({ value }) => typeof value === 'string' && oneLine(value).length > drawn.longest)
    left = shrink(left, drawn.blocks)
    result.push(...drawn.blocks)
  }
  return { blocks: result, isCut, isDropped: false }
}

function factSection(facts: readonly Fact[], longest: number): SectionBlock {
  return {
    type: 'section',
    fields: facts.flatMap(({ label, value, url }) => [
      mrkdwn(bold(label, Math.min(longest, 100))),
      typeof value === 'object'
        ? mrkdwn(time(value.at, url))
        : url === undefined
          ? plain(value, longest)
          : mrkdwn(linked(value, url, Math.max(longest, 1_200))),
    ]),
  }
}

function renderList(items: readonly ListItem[], whenEmpty: string, room: Room, brush: Brush): Drawn {
  if (items.length === 0) return renderText(whenEmpty, subtle, room, brush)
  const surplus = (count: number): ContextBlock => ({
    type: 'context',
    elements: [mrkdwn(linked(brush.words.surplus(count), brush.url, limits.context))],
  })
  const forTheRest = sizeOf([surplus(items.length)])
  const result: KnownBlock[] = []
  let left = room
  for (const [index, item] of items.entries()) {
    const rest = items.length - index
    const row = renderItem(item)
    const needed = rest === 1 ? { blocks: 1, characters: 0 } : { blocks: 2, characters: forTheRest }
    if (left.blocks < needed.blocks || left.characters < sizeOf([row]) + needed.characters) {
      const note = whole([surplus(rest)], left)
      return { ...note, blocks: [...result, ...note.blocks] }
    }
    left = shrink(left, [row])
    result.push(row)
  }
  return { ...nothing, blocks: result }
}

function renderItem({ title, detail, url, tone, action }: ListItem): SectionBlock {
  const mark = tone === undefined || tone === 'neutral' ? '' : `${toneMark[tone]} `
  const below = detail === undefined ? '' : `\n${escaped(detail, 500)}`
  const button = action && renderButton(action, 0)
  return {
    type: 'section',
    text: mrkdwn(`${mark}${linked(title, url, 1_400)}${below}`),
    ...(button ? { accessory: button } : {}),
  }
}

/** Who and whether the customer sees it in a line of our own making, so that no text of a customer can look like it. */
function renderMessage(message: CardMessage, room: Room, brush: Brush): Drawn {
  const { author, visibility, text, at, files = [] } = message
  const who = [bold(brush.words[visibility], 100), escaped(author, 200), time(at)].join(' · ')
  const head: ContextBlock = { type: 'context', elements: [mrkdwn(`${visibilityMark[visibility]} ${who}`)] }
  const names: KnownBlock[] =
    files.length === 0
      ? []
      : [{ type: 'context', elements: [plain(`📎 ${files.map(oneLine).join(', ')}`, limits.context / 2)] }]
  const around = [head, ...names]
  const frame = whole(around, room)
  if (frame.isDropped) return dropped
  const body = renderText(text, section, shrink(room, around), brush)
  if (body.isDropped) return dropped
  return { ...nothing, blocks: [head, ...body.blocks, ...names] }
}

function more({ words, url }: Brush): ContextBlock {
  return { type: 'context', elements: [mrkdwn(linked(words.more, url, limits.context))] }
}

function whole(blocks: readonly KnownBlock[], room: Room): Drawn {
  const { blocks: rows, characters } = shrink(room, blocks)
  return rows < 0 || characters < 0 ? dropped : { ...nothing, blocks }
}

/** The longest texts that there is room for. */
function shortened(
  longest: number,
  draw: (longest: number) => readonly KnownBlock[],
  room: Room,
): { readonly blocks: readonly KnownBlock[]; readonly longest: number } | undefined {
  for (let length = longest; length >= shortest; ) {
    const blocks = draw(length)
    const { blocks: rows, characters } = shrink(room, blocks)
    if (rows < 0) return undefined
    if (characters >= 0) return { blocks, longest: length }
    /** At most ten texts to a section, each written with two characters at most for each of its own. */
    length -= Math.max(1, Math.ceil(-characters / 20))
  }
  return undefined
}
