/** The blocks of a card as Adaptive Card elements. */
import type { CardElement, IRichTextBlock, ITextRun } from '@microsoft/teams.cards'
import type { CardBlock, CardMessage, Fact, ListItem, Tone } from '#hub/connector/card.ts'
import { actionColumn, question } from './card-actions.ts'
import { escapeMarkdown, markdownLink, moment, oneLine, plain, webUrl } from './markdown.ts'
import { fold, foldLine, type Room } from './room.ts'
import type { SharedFile } from './share-files.ts'
import type { CardWords } from './words.ts'

export interface Drawing {
  readonly words: CardWords
  readonly room: Room
  /** Where "more" leads. */
  readonly url?: string
  /** A dialog is answered by its own buttons: any other would submit it too. */
  readonly isForm?: boolean
}

/** A sign beside the colour: colours alone are not seen by everybody. */
const signs: Readonly<Record<Tone, string>> = { neutral: '', good: '✅ ', attention: '⚠️ ', urgent: '🚨 ' }
const styles = {
  neutral: 'default',
  good: 'good',
  attention: 'warning',
  urgent: 'attention',
} as const satisfies Record<Tone, string>

export function drawTitle(title: string, tone: Tone | undefined, drawing: Drawing): readonly CardElement[] {
  const line = foldLine(oneLine(title), drawing.room.line)
  const text = `${signs[tone ?? 'neutral']}${markdownLink(line, drawing.url)}`
  return [{ type: 'TextBlock', text, wrap: true, size: 'Large', weight: 'Bolder', style: 'heading' }]
}

/** All blocks that have room, and how many have not. */
export function drawBlocks(blocks: readonly CardBlock[], drawing: Drawing): readonly CardElement[] {
  const shown = blocks.slice(0, drawing.room.blocks)
  const drawn = shown.flatMap((block, position) => {
    const [first, ...others] = drawBlock(block, `${position}`, drawing)
    if (!first) return []
    return shown[position - 1]?.kind === 'divider' ? [separated(first), ...others] : [first, ...others]
  })
  return shown.length < blocks.length ? [...drawn, paragraph(moreRun(drawing))] : drawn
}

function drawBlock(block: CardBlock, id: string, drawing: Drawing): readonly CardElement[] {
  switch (block.kind) {
    case 'text':
      return [paragraph(...foldedText(block.text, drawing, block.isSubtle ? { isSubtle: true } : {}))]
    case 'heading':
      return [drawHeading(block.text, drawing)]
    case 'facts':
      return drawFacts(block.facts, drawing)
    case 'list':
      return drawList(block.items, block.whenEmpty, id, drawing)
    case 'message':
      return [drawMessage(block.message, drawing)]
    case 'notice':
      return [
        {
          type: 'Container',
          style: styles[block.tone],
          items: [paragraph(...foldedText(`${signs[block.tone]}${block.text}`, drawing))],
        },
      ]
    case 'divider':
      return []
  }
}

/** A divider has no element of its own: it is the line above the next one. */
function separated(element: CardElement): CardElement {
  return { ...element, separator: true, spacing: 'Medium' }
}

function drawHeading(text: string, { room }: Drawing): CardElement {
  const line = escapeMarkdown(foldLine(oneLine(text), room.line))
  return { type: 'TextBlock', text: line, wrap: true, size: 'Medium', weight: 'Bolder', style: 'heading' }
}

function drawFacts(facts: readonly Fact[], drawing: Drawing): readonly CardElement[] {
  const { room } = drawing
  const shown = facts.slice(0, room.items).map(({ label, value, url }) => ({
    title: escapeMarkdown(foldLine(oneLine(label), room.line)),
    value:
      typeof value === 'string'
        ? markdownLink(foldLine(oneLine(value), room.line), url)
        : (moment(value.at) ?? escapeMarkdown(foldLine(value.at, room.line))),
  }))
  return [...(shown.length > 0 ? [{ type: 'FactSet', facts: shown } as const] : []), ...surplus(facts, drawing)]
}

function drawList(items: readonly ListItem[], whenEmpty: string, id: string, drawing: Drawing): readonly CardElement[] {
  if (items.length === 0) return [paragraph(...foldedText(whenEmpty, drawing, { isSubtle: true }))]
  const shown = items.slice(0, drawing.room.items)
  return [...shown.flatMap((item, row) => drawItem(item, `${id}-${row}`, drawing)), ...surplus(items, drawing)]
}

function drawItem(item: ListItem, id: string, drawing: Drawing): readonly CardElement[] {
  const title = foldLine(oneLine(item.title), drawing.room.line)
  const detail = item.detail === undefined ? '' : foldLine(oneLine(item.detail), drawing.room.line)
  const text = paragraph(
    run(`${signs[item.tone ?? 'neutral']}${title}`, { weight: 'Bolder', ...linkTo(item.url) }),
    ...(detail ? [run(`\n${detail}`, { isSubtle: true })] : []),
  )
  if (!item.action || drawing.isForm) return [{ ...text, spacing: 'Small' }]
  return [
    {
      type: 'ColumnSet',
      spacing: 'Small',
      columns: [
        { type: 'Column', width: 'stretch', verticalContentAlignment: 'Center', items: [text] },
        actionColumn(item.action, id),
      ],
    },
    ...question(item.action, id, drawing),
  ]
}

/** Who reads it is said by a word and a sign, and the background differs too. */
function drawMessage(message: CardMessage, drawing: Drawing): CardElement {
  const { words, room } = drawing
  const isInternal = message.visibility === 'internal'
  const head = paragraph(
    run(isInternal ? `🔒 ${words.internal}` : `🌐 ${words.public}`, { weight: 'Bolder' }),
    run(` · ${foldLine(oneLine(message.author), room.line)} · `, { isSubtle: true }),
    { type: 'TextRun', text: moment(message.at) ?? plain(foldLine(message.at, room.line)), isSubtle: true },
  )
  return {
    type: 'Container',
    style: isInternal ? 'warning' : 'emphasis',
    items: [
      head,
      paragraph(...foldedText(message.text, drawing)),
      ...drawFiles(
        (message.files ?? []).map((name) => ({ name })),
        drawing,
      ),
    ],
  }
}

/** Each leads to where it lies, where that is known. */
export function drawFiles(files: readonly SharedFile[], drawing: Drawing): readonly CardElement[] {
  const { items, line } = drawing.room
  const shown = files
    .slice(0, items)
    .flatMap(({ name, url }, index) => [
      run(index === 0 ? '📎 ' : ', ', { isSubtle: true }),
      run(foldLine(oneLine(name), line), { isSubtle: true, ...linkTo(url) }),
    ])
  return [...(shown.length > 0 ? [paragraph(...shown)] : []), ...surplus(files, drawing)]
}

type Look = Pick<ITextRun, 'isSubtle' | 'weight' | 'selectAction'>

export const run = (text: string, look: Look = {}): ITextRun => ({ type: 'TextRun', text: plain(text), ...look })

export const paragraph = (...inlines: readonly ITextRun[]): IRichTextBlock => ({
  type: 'RichTextBlock',
  inlines: [...inlines],
})

function foldedText(whole: string, drawing: Drawing, look: Look = {}): readonly ITextRun[] {
  const { text, isCut } = fold(whole, drawing.room.text)
  return isCut ? [run(`${text} `, look), moreRun(drawing)] : [run(text, look)]
}

function moreRun({ words, url }: Drawing): ITextRun {
  return run(words.more, { isSubtle: true, ...linkTo(url) })
}

function surplus(all: readonly unknown[], drawing: Drawing): readonly CardElement[] {
  const count = all.length - drawing.room.items
  if (count <= 0) return []
  return [paragraph(run(drawing.words.moreItems(count), { isSubtle: true, ...linkTo(drawing.url) }))]
}

function linkTo(url: string | undefined): Look {
  const target = webUrl(url)
  return target === undefined ? {} : { selectAction: { type: 'Action.OpenUrl', url: target } }
}
