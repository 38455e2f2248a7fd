/** The SQL of connections. */
import { type Selectable, sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import { json } from '#hub/platform/db/database.ts'
import type { ConnectionStatus, Schema } from '#hub/platform/db/schema.ts'

export type ConnectionRow = Selectable<Schema['connections']>

export async function workspaceOf(db: Db): Promise<string> {
  const { rows } = await sql<{ id: string }>`select current_setting('deskweave.workspace_id') as id`.execute(db)
  const [row] = rows
  if (!row) throw new Error('the database session carries no workspace')
  return row.id
}

export function selectAll(db: Db): Promise<ConnectionRow[]> {
  return db.selectFrom('connections').selectAll().orderBy('created_at').orderBy('id').execute()
}

export function selectOne(db: Db, id: string): Promise<ConnectionRow | undefined> {
  return db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst()
}

export interface Kept {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly sealed: Buffer
  readonly account: string | null
}

export async function insertOne(
  db: Db,
  row: Kept & { readonly id: string; readonly connector: string },
): Promise<void> {
  await db
    .insertInto('connections')
    .values({ ...row, config: json(row.config), status: 'connected' })
    .execute()
}

/** @returns false when there is no such connection, or it was changed since `seen` was read. */
export async function updateOne(db: Db, seen: ConnectionRow, kept: Kept): Promise<boolean> {
  const updated = await db
    .updateTable('connections')
    .set({ ...kept, config: json(kept.config), updated_at: sql`clock_timestamp()` })
    .where('id', '=', seen.id)
    .where('sealed', '=', seen.sealed)
    .executeTakeFirst()
  return updated.numUpdatedRows > 0n
}

/** Channels of a chat tool that the app was not in: the next new card tries each of them once more. */
export async function tryChannelsAgain(db: Db, id: string): Promise<void> {
  await db
    .updateTable('chat_channels')
    .set({ tried_at: null })
    .where('connection_id', '=', id)
    .where('state', '=', 'gone')
    .execute()
}

/** A lane without a reason to rest is worked. @returns false when the status was another one by now. */
export async function moveStatus(
  db: Db,
  id: string,
  from: readonly ConnectionStatus[],
  to: ConnectionStatus,
  reason: string | null,
): Promise<boolean> {
  const moved = await db
    .updateTable('connections')
    .set({ status: to, status_reason: reason })
    .where('id', '=', id)
    .where('status', 'in', from)
    .executeTakeFirst()
  if (moved.numUpdatedRows === 0n) return false
  const rest = to === 'paused' || to === 'needs_attention' ? (reason ?? to) : null
  await sql`
    insert into lanes (lane, paused_reason) values (${id}, ${rest})
    on conflict (workspace_id, lane) do update set paused_reason = excluded.paused_reason
  `.execute(db)
  return true
}

/** Its effects that have not left are cancelled; cases and profiles keep what it told. */
export async function deleteOne(db: Db, id: string): Promise<boolean> {
  const deleted = await db.deleteFrom('connections').where('id', '=', id).executeTakeFirst()
  if (deleted.numDeletedRows === 0n) return false
  await db
    .updateTable('outbox')
    .set({ state: 'cancelled', error: json({ code: 'removed', message: 'its connection was removed' }) })
    .where('lane', '=', id)
    .where('state', '=', 'pending')
    .execute()
  await db.deleteFrom('lanes').where('lane', '=', id).execute()
  return true
}

export async function noteInbound(db: Db, seen: ReadonlyMap<string, Date>): Promise<void> {
  const ids = [...seen.keys()]
  const times = [...seen.values()].map((time) => time.toISOString())
  await sql`
    update connections set last_inbound_at = greatest(last_inbound_at, seen.at)
    from unnest(${ids}::text[], ${times}::timestamptz[]) as seen(id, at) where connections.id = seen.id
  `.execute(db)
}
