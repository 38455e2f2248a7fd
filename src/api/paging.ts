/**
 * Lists by keyset: a cursor names the last row of a page, so rows that come or go meanwhile neither repeat nor hide others.
 * Clients see an opaque text.
 */
import { type RawBuilder, sql } from 'kysely'
import { z } from 'zod'

const limit = z.coerce.number<string>().int().min(1).max(200).default(50).meta({ description: 'Entries on a page.' })

/** What a list of this order may be asked for, beside its filters. */
export function pageOf<K extends z.ZodType>(key: K) {
  return { limit, cursor: cursorOf(key).optional() }
}

function cursorOf<K extends z.ZodType>(key: K) {
  return z
    .string()
    .max(500)
    .transform((text, ctx): z.output<K> => {
      const parsed = key.safeParse(fromCursor(text))
      if (parsed.success) return parsed.data
      ctx.addIssue({ code: 'custom', message: 'this is no cursor of this list; take `next` of its last page' })
      return z.NEVER
    })
    .meta({ description: '`next` of the page before.' })
}

function fromCursor(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

export function toCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

/** Rows numbered by a sequence. */
export const seqKey = z.tuple([z.int().min(0)])
/** Rows by time and id. Microseconds since 1970: a `Date` would lose the digits that keep rows apart. */
export const timeKey = z.tuple([z.int().min(-1e14).max(4e15), z.string().max(200)])
export type TimeKey = z.output<typeof timeKey>

export function microseconds(column: string): RawBuilder<number> {
  return sql<number>`(extract(epoch from ${sql.ref(column)}) * 1000000)::bigint`
}

export function timeOf(us: number): RawBuilder<Date> {
  return sql<Date>`(timestamptz 'epoch' + ${us}::float8 * interval '1 microsecond')`
}

export function listOf<T extends z.ZodType>(item: T) {
  return z.strictObject({
    data: z.array(item),
    next: z.string().nullable().meta({ description: 'The cursor of the next page; null on the last one.' }),
  })
}

/** @param rows one more than `limit` where there is another page. */
export function toPage<Row, T>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly (string | number)[],
  toWire: (row: Row) => T,
): { data: T[]; next: string | null } {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return { data: page.map(toWire), next: last && rows.length > limit ? toCursor(keyOf(last)) : null }
}

/** Pages of the size that was asked for, from a room whose pages have their own; a cursor is the id of the last row. */
export async function cutPage<Row extends { readonly id: string }, T>(
  limit: number,
  cursor: string | undefined,
  read: (after: string | undefined) => Promise<{ readonly data: readonly Row[]; readonly next: string | null }>,
  toWire: (row: Row) => T,
): Promise<{ data: T[]; next: string | null }> {
  const rows: Row[] = []
  let after: string | null | undefined = cursor
  do {
    const page = await read(after)
    rows.push(...page.data)
    after = page.next
  } while (rows.length <= limit && after !== null)
  return toPage(rows, limit, (row) => [row.id], toWire)
}
