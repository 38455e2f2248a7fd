/** Which case a happening is about, and who reads along there. */
import type { ChatPlace, ChatSettings } from '#hub/connector/chat.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { splitValue } from '#hub/workbench/index.ts'
import { casesAt, type SpotKey, spotKey } from './store.ts'

/** The message itself, then the thread it stands in. */
export function spotsOf(connectionId: string, place: ChatPlace | undefined): readonly SpotKey[] {
  if (!place) return []
  const { channel, message, thread } = place
  return [message, thread].flatMap((messageId) =>
    messageId === undefined ? [] : [{ connectionId, channel, messageId }],
  )
}

export async function caseHere(
  db: Db,
  connectionId: string,
  place: ChatPlace | undefined,
): Promise<string | undefined> {
  const spots = spotsOf(connectionId, place)
  const cases = await casesAt(db, spots)
  return spots.map((spot) => cases.get(spotKey(spot))).find((id) => id !== undefined)
}

/** The case in the value of an act on one: it stands first. */
export function caseOfValue(value: string): string {
  return splitValue(value)[0] ?? ''
}

/** One line of the settings that says so is enough, whatever others say of the same channel. */
export function customersRead({ channels }: Pick<ChatSettings, 'channels'>, channel: string | undefined): boolean {
  return channels.some((one) => one.channel === channel && one.for === 'customer')
}
