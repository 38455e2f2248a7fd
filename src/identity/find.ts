/** The SQL of looking for profiles. */
import { sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import { isOwnKey, type Key } from './claim.ts'
import { normaliseEmail } from './email.ts'
import { loadSettings } from './load.ts'
import { phoneReader } from './phone.ts'

/**
 * @param identity `email:…`, `phone:…` or `<connection id>:<the vendor's id>`, in any spelling of address and number.
 * @returns the root of the profile; undefined when nobody has it, or when it belongs to nobody (`info@…`).
 */
export async function findByIdentity(db: Db, identity: string): Promise<string | undefined> {
  const colon = identity.indexOf(':')
  if (colon < 1) return undefined
  const [kind, value] = [identity.slice(0, colon), identity.slice(colon + 1)]
  if (kind === 'email' || kind === 'phone') {
    const normal = kind === 'email' ? normaliseEmail(value) : await normalisePhone(db, value)
    return normal === undefined ? undefined : await ownerOf(db, { kind, value: normal })
  }
  const row = await db
    .selectFrom('person_records as record')
    .innerJoin('profiles as profile', 'profile.id', 'record.profile_id')
    .select('profile.root_id')
    .where('record.connection_id', '=', kind)
    .where('record.external_id', '=', value)
    .executeTakeFirst()
  return row?.root_id
}

async function normalisePhone(db: Db, text: string): Promise<string | undefined> {
  const readPhone = await phoneReader()
  return readPhone(text, (await loadSettings(db)).default_country)
}

async function ownerOf(db: Db, { kind, value }: Key): Promise<string | undefined> {
  const row = await db
    .selectFrom('identities as identity')
    .innerJoin('profiles as profile', 'profile.id', 'identity.profile_id')
    .select('profile.root_id')
    .where('identity.kind', '=', kind)
    .where('identity.value', '=', value)
    .where('identity.scope', '=', '')
    .executeTakeFirst()
  return row?.root_id
}

/**
 * Profiles with this text in a name, or an address or number that begins with it; the newest first.
 * @returns roots.
 */
export async function searchRoots(
  db: Db,
  text: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly string[]> {
  const literal = text.trim().replaceAll(/[\\%_]/g, '\\$&')
  const begin = `${literal.toLowerCase()}%`
  const { rows } = await sql<{ root_id: string }>`
    select root_id from (
      select root_id from profiles where name ilike ${`%${literal}%`} or ${literal} = ''
      union
      select profile.root_id from identities identity join profiles profile on profile.id = identity.profile_id
      where identity.value like ${begin} or identity.value like ${`+${begin}`}
    ) found
    where ${page.after ?? null}::text is null or root_id < ${page.after ?? null}::text
    order by root_id desc
    limit ${page.limit}
  `.execute(db)
  return rows.map((row) => row.root_id)
}

/** A vendor's record of a person, by the vendor's id. */
export interface PersonRecord {
  readonly connectionId: string
  readonly externalId: string
}

/** Of all profiles that are merged with this one; those that a vendor knows by an id. */
export async function personRecords(db: Db, profileId: string): Promise<readonly PersonRecord[]> {
  const { rows } = await sql<PersonRecord>`
    select record.connection_id as "connectionId", record.external_id as "externalId" from profiles own
    join profiles leaf on leaf.root_id = own.root_id
    join person_records record on record.profile_id = leaf.id
    where own.id = ${profileId}
    order by record.connection_id, record.external_id`.execute(db)
  return rows.filter(({ externalId }) => !isOwnKey(externalId))
}
