/**
 * Many rows in one statement of constant text: the rows travel as one JSON document, so that PostgreSQL parses the same
 * statement again and again and a batch costs one round trip.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Db } from './database.ts'
import type { Schema } from './schema.ts'

/** Properties of the rows and their PostgreSQL types. The property `profileId` is the column `profile_id`. */
export type Columns = Readonly<Record<string, string>>

export interface Insert {
  readonly table: keyof Schema & string
  readonly columns: Columns
  /** What else a row has is left out. */
  readonly rows: readonly object[]
  /** The statement's tail. */
  readonly onConflict?: string
}

/** @param onConflict the statement's tail. @returns the column `key` of the rows that a `returning key` gives. */
export async function insertMany(
  db: Db,
  table: Insert['table'],
  columns: Columns,
  rows: readonly object[],
  onConflict = '',
): Promise<string[]> {
  if (rows.length === 0) return []
  const result = await statementOf({ table, columns, rows, onConflict }).execute(db)
  return result.rows.map((row) => row.key)
}

/**
 * Into several tables, or into one in several ways, in one round trip. No row may be in two of the inserts. Those without
 * rows stay in the text, so that it is always the same.
 */
export async function insertTogether(db: Db, inserts: readonly Insert[]): Promise<void> {
  if (inserts.every(({ rows }) => rows.length === 0)) return
  const parts = inserts.map((insert, index) => sql`${sql.raw(`part_${index}`)} as (${statementOf(insert)})`)
  await sql`with ${sql.join(parts)} select`.execute(db)
}

/** Written out by hand: as Kysely's nodes, so many names would cost more than the rows. */
function statementOf({ table, columns, rows, onConflict = '' }: Insert): RawBuilder<{ key: string }> {
  const shape = Object.entries(columns).map(([name, type]) => `"${name}" ${type}`)
  return sql`
    insert into ${sql.raw(table)} (${sql.raw(Object.keys(columns).map(columnOf).join(', '))})
    select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(${sql.raw(shape.join(', '))})
    ${sql.raw(onConflict)}
  `
}

/** `do update set` for every column that is not part of the key. */
export function overwrite(key: readonly string[], columns: Columns): string {
  const rest = Object.keys(columns)
    .map(columnOf)
    .filter((name) => !key.includes(name))
  return `on conflict (workspace_id, ${key.join(', ')}) do update set ${rest.map((name) => `${name} = excluded.${name}`).join(', ')}`
}

function columnOf(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
