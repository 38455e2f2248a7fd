/**
 * Many rows in one statement of constant text: the rows travel as one JSON document, so that PostgreSQL parses the same
 * statement again and again and a batch costs one round trip.
 */
import { sql } from 'kysely'
import type { Db } from './database.ts'
import type { Schema } from './schema.ts'

/** Column names and their PostgreSQL types, as the JSON document spells them. */
export type Columns = Readonly<Record<string, string>>

/** @param onConflict the statement's tail. @returns the column `key` of the rows that a `returning key` gives. */
export async function insertMany(
  db: Db,
  table: keyof Schema & string,
  columns: Columns,
  rows: readonly object[],
  onConflict = '',
): Promise<string[]> {
  if (rows.length === 0) return []
  const names = Object.keys(columns)
  const list = sql.join(names.map((name) => sql.ref(name)))
  const shape = sql.join(names.map((name) => sql`${sql.ref(name)} ${sql.raw(columns[name] ?? 'text')}`))
  const result = await sql<{ key: string }>`
    insert into ${sql.table(table)} (${list})
    select ${list} from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(${shape})
    ${sql.raw(onConflict)}
  `.execute(db)
  return result.rows.map((row) => row.key)
}

/** `do update set` for every column that is not part of the key. */
export function overwrite(key: readonly string[], columns: Columns): string {
  const rest = Object.keys(columns).filter((name) => !key.includes(name))
  return `on conflict (workspace_id, ${key.join(', ')}) do update set ${rest.map((name) => `${name} = excluded.${name}`).join(', ')}`
}
