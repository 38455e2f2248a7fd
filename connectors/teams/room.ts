/** How much goes onto a card. Teams refuses an activity above 28 KB, counted in UTF-16. */
import type { IAdaptiveCard } from '@microsoft/teams.cards'

/** Characters of a text, a line and what a field starts with; numbers of the others. */
export interface Room {
  readonly text: number
  readonly line: number
  readonly items: number
  /** What stands in a field to be edited: whole, or not at all. */
  readonly initial: number
  readonly options: number
  readonly actions: number
  readonly blocks: number
}

/** Texts and long lists give way first, what somebody may press last. */
const rooms: readonly [Room, ...Room[]] = [
  { text: 4000, line: 300, items: 40, initial: 10000, options: 100, actions: 40, blocks: 80 },
  { text: 2000, line: 200, items: 25, initial: 10000, options: 100, actions: 40, blocks: 80 },
  { text: 1000, line: 150, items: 15, initial: 10000, options: 100, actions: 40, blocks: 80 },
  { text: 500, line: 120, items: 10, initial: 10000, options: 100, actions: 40, blocks: 60 },
  { text: 250, line: 80, items: 6, initial: 10000, options: 60, actions: 30, blocks: 40 },
  { text: 120, line: 60, items: 4, initial: 10000, options: 30, actions: 20, blocks: 20 },
  { text: 80, line: 40, items: 3, initial: 10000, options: 15, actions: 12, blocks: 10 },
  { text: 60, line: 30, items: 2, initial: 4000, options: 8, actions: 6, blocks: 5 },
  { text: 40, line: 24, items: 1, initial: 2000, options: 4, actions: 4, blocks: 2 },
  { text: 40, line: 24, items: 1, initial: 0, options: 2, actions: 1, blocks: 0 },
  { text: 40, line: 24, items: 0, initial: 0, options: 0, actions: 0, blocks: 0 },
]

/** UTF-16 code units: 28,000 bytes, less what the activity around a card takes (ids, names, a summary). */
const longestActivity = 14_000
const envelope = 1_500
export const longestCard = longestActivity - envelope

export const sizeOf = (value: unknown): number => JSON.stringify(value).length

/** The roomiest rendering that fits; the last room is that of a title alone and always does. */
export function firstThatFits(render: (room: Room) => IAdaptiveCard): IAdaptiveCard {
  const [widest, ...narrower] = rooms
  return narrower.reduce((drawn, room) => (sizeOf(drawn) <= longestCard ? drawn : render(room)), render(widest))
}

/** The beginning of a text, cut between what a reader sees as characters, at a space if there is one near. */
export function fold(text: string, longest: number): { readonly text: string; readonly isCut: boolean } {
  if (text.length <= longest) return { text, isCut: false }
  const head = text.slice(0, longest)
  const whole = head.replace(/[\ud800-\udbff\u200d]$/, '')
  const space = whole.search(/\s\S*$/)
  return { text: (space > longest * 0.8 ? whole.slice(0, space) : whole).trimEnd(), isCut: true }
}

/** A line that says of itself that it was cut. */
export function foldLine(line: string, longest: number): string {
  const { text, isCut } = fold(line, longest)
  return isCut ? `${text}…` : text
}
