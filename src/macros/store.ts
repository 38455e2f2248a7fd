/** The SQL of macros. */
import { type Selectable, sql } from 'kysely'
import { type Db, json } from '#hub/platform/db/database.ts'
import type { Schema } from '#hub/platform/db/schema.ts'
import { type Macro, validateMacro } from './definition.ts'

/** In the order in which agents see them. One that no longer fits must not stop the others. */
export async function loadMacros(db: Db): Promise<Macro[]> {
  const rows = await db.selectFrom('macros').selectAll().orderBy('position').orderBy('id').execute()
  return rows.flatMap(toMacro)
}

/** The same without what they do, for menus. */
export async function macroNames(db: Db, limit: number): Promise<{ readonly id: string; readonly name: string }[]> {
  return await db.selectFrom('macros').select(['id', 'name']).orderBy('position').orderBy('id').limit(limit).execute()
}

export async function macroById(db: Db, id: string): Promise<Macro | undefined> {
  const row = await db.selectFrom('macros').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toMacro(row)[0]
}

/** A new one is put last; one that is there keeps its place. */
export async function saveMacro(db: Db, { id, name, actions }: Macro, now: Date): Promise<void> {
  await sql`
    insert into macros (id, name, definition, position, updated_at)
    select ${id}, ${name}, ${json({ actions })}::jsonb, coalesce(max(position) + 1, 0), ${now} from macros
    on conflict (workspace_id, id) do update
      set name = excluded.name, definition = excluded.definition, updated_at = excluded.updated_at`.execute(db)
}

/** These first, in this order; then the others as they were. */
export async function orderMacros(db: Db, ids: readonly string[]): Promise<void> {
  await sql`
    update macros set position = ranked.position from (
      select macros.id, row_number() over (order by wanted.at nulls last, macros.position, macros.id) as position
      from macros left join unnest(${[...ids]}::text[]) with ordinality as wanted (id, at) on wanted.id = macros.id
    ) as ranked where ranked.id = macros.id`.execute(db)
}

export async function removeMacro(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('macros').where('id', '=', id).executeTakeFirst()
  return numDeletedRows === 1n
}

function toMacro({ id, name, definition }: Selectable<Schema['macros']>): Macro[] {
  const read = validateMacro({ ...(typeof definition === 'object' ? definition : {}), id, name })
  return read.ok ? [read.macro] : []
}
