/**
 * Many rows in one statement of constant text: the rows travel as one JSON document, so that PostgreSQL parses the same
 * statement again and again and a batch costs one round trip. The text is written out once, when it is declared: that costs
 * more than the rows of a small batch.
 */
import { CompiledQuery } from 'kysely'
import type { Db } from './database.ts'
import type { Schema } from './schema.ts'

/** Properties of the rows and their PostgreSQL types. The property `profileId` is the column `profile_id`. */
export type Columns = Readonly<Record<string, string>>

export interface Target {
  readonly table: keyof Schema & string
  /** What else a row has is left out. */
  readonly columns: Columns
  /** The statement's tail. */
  readonly onConflict?: string
}

/** The function's result: the column `key` of the rows that a `returning key` gives. */
export function inserter<Row extends object>(target: Target): (db: Db, rows: readonly Row[]) => Promise<string[]> {
  const text = statementOf(target, 1)
  return async (db, rows) => {
    if (rows.length === 0) return []
    const result = await db.executeQuery<{ key: string }>(CompiledQuery.raw(text, [JSON.stringify(rows)]))
    return result.rows.map((row) => row.key)
  }
}

/**
 * Into several tables, or into one in several ways, in one round trip: the rows of each target in turn. No row may be in two of
 * them. Those without rows stay in the text, so that it is always the same.
 */
export function togetherInserter<const T extends readonly Target[]>(
  ...targets: T
): (db: Db, ...rows: { readonly [K in keyof T]: readonly object[] }) => Promise<void> {
  const parts = targets.map((target, at) => `part_${at} as (${statementOf(target, at + 1)})`)
  const text = `with ${parts.join(', ')} select`
  return async (db, ...rows) => {
    if (rows.every((own) => own.length === 0)) return
    const documents = rows.map((own) => JSON.stringify(own))
    await db.executeQuery(CompiledQuery.raw(text, documents))
  }
}

function statementOf({ table, columns, onConflict = '' }: Target, parameter: number): string {
  const shape = Object.entries(columns).map(([name, type]) => `"${name}" ${type}`)
  return `
    insert into ${table} (${Object.keys(columns).map(columnOf).join(', ')})
    select * from jsonb_to_recordset($${parameter}::jsonb) as row(${shape.join(', ')})
    ${onConflict}
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
