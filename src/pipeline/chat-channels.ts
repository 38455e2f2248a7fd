/** Channels of chat tools as the hub last heard of them. */
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'

export interface KnownChannel {
  readonly connectionId: string
  readonly channel: string
  /** Without a leading #, in lower case. */
  readonly name: string | null
  readonly state: 'open' | 'gone'
  readonly triedAt: Date | null
}

const triedEveryMs = 6 * 3_600_000

/** Whether nothing goes there: the app is not in it, and it was tried not long ago. */
export function isLeftAlone({ state, triedAt }: Pick<KnownChannel, 'state' | 'triedAt'>, now: Date): boolean {
  return state === 'gone' && triedAt !== null && now.getTime() - triedAt.getTime() < triedEveryMs
}

/** Those that these places could mean, by id or by name. */
export async function knownChannels(
  db: Db,
  places: readonly { readonly connectionId: string; readonly place: string }[],
): Promise<readonly KnownChannel[]> {
  if (places.length === 0) return []
  const { rows } = await sql<KnownChannel>`
    select connection_id as "connectionId", channel, state, tried_at as "triedAt", name from (
      select connection_id, channel, state, tried_at, lower(trim(ltrim(name, '#'))) as name from chat_channels
      where connection_id = any(${[...new Set(places.map(({ connectionId }) => connectionId))]}::text[])
    ) as known
    where channel = any(${places.map(({ place }) => place)}::text[])
      or name = any(${places.map(({ place }) => nameIn(place))}::text[])`.execute(db)
  return rows
}

/** A channel's name as names are compared. */
export function nameIn(place: string): string {
  return place.replace(/^#/, '').trim().toLowerCase()
}
