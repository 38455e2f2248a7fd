/** Channels of chat tools as the hub last heard of them. */
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'

export interface KnownChannel {
  readonly connectionId: string
  readonly channel: string
  /** Without a leading #, in lower case. */
  readonly name: string | null
  readonly state: 'open' | 'gone'
}

/** Those that these places could mean, by id or by name. */
export async function knownChannels(
  db: Db,
  places: readonly { readonly connectionId: string; readonly place: string }[],
): Promise<readonly KnownChannel[]> {
  if (places.length === 0) return []
  const { rows } = await sql<KnownChannel>`
    select connection_id as "connectionId", channel, state, name from (
      select connection_id, channel, state, lower(trim(ltrim(name, '#'))) as name from chat_channels
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
