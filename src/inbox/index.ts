/**
 * In: items that ingress verified or reconciliation read. Out: durable rows, each dedupe key once; what was seen before is
 * told apart. Concurrent writers share one statement (group commit), so a commit serves many answers. Never here: what a
 * row means.
 */
import type { Pool } from 'pg'
import type { InboxState } from '#hub/platform/db/schema.ts'
import type { Hold } from '#hub/platform/ledger.ts'

export { digest, isUnreadable, storableKey, storableReason, unreadableKey } from './storable.ts'

export interface InboxItem {
  readonly connectionId: string
  /** Unique per connection; kept 30 days. */
  readonly key: string
  readonly body: Buffer
  readonly source: 'webhook' | 'reconcile'
  readonly state: Extract<InboxState, 'pending' | 'ignored' | 'quarantined'>
  readonly reason?: string
}

export interface Stored {
  /** The row's number: the new one, or the one that the item was seen as before. */
  readonly seq: number
  readonly isNew: boolean
}

export interface Inbox {
  /** Resolves when the items are on disk. @throws when they cannot be stored; then none of them is. */
  put(items: readonly InboxItem[]): Promise<readonly Stored[]>
}

/** A worker in this process that takes rows the moment they are stored. */
export interface Taker {
  /** @returns under what to store so many rows; undefined when they are for anybody. */
  reserve(count: number): Hold | undefined
  /** @param count as reserved; `rows` are those that became its own, as a claim would give them. */
  take(count: number, rows: readonly StoredRow[]): void
}

export interface StoredRow extends Pick<InboxItem, 'source' | 'body'> {
  readonly seq: number
  readonly connection_id: string
  readonly dedupe_key: string
  readonly attempts: number
}

interface Waiting {
  readonly items: readonly InboxItem[]
  readonly done: (stored: readonly Stored[]) => void
  readonly failed: (error: unknown) => void
}

/** Rows in one statement: large enough that the commit is shared, small enough that nobody waits for a stranger's megabytes. */
const maxRows = 500
const maxBytes = 4 * 1024 * 1024

/** @param onStored there are rows to claim. */
export function createInbox(pool: Pool, onStored: () => void, taker?: Taker): Inbox {
  let waiting: Waiting[] = []
  let writing = 0

  function pump() {
    // Two writers: while one waits for its fsync, the other fills.
    while (writing < 2 && waiting.length > 0) {
      const batch = takeBatch()
      writing += 1
      write(batch)
        .catch((error: unknown) => {
          for (const one of batch) one.failed(error)
        })
        .finally(() => {
          writing -= 1
          pump()
        })
    }
  }

  function takeBatch(): Waiting[] {
    let rows = 0
    let bytes = 0
    let count = 0
    for (const { items } of waiting) {
      rows += items.length
      for (const item of items) bytes += item.body.length
      if (count > 0 && (rows > maxRows || bytes > maxBytes)) break
      count += 1
    }
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return batch
  }

  async function write(batch: readonly Waiting[]) {
    const stored = await store(batch.flatMap((one) => one.items))
    let offset = 0
    for (const one of batch) {
      const mine = stored.slice(offset, offset + one.items.length)
      offset += one.items.length
      one.done(mine)
    }
  }

  async function store(items: readonly InboxItem[]): Promise<readonly Stored[]> {
    const hold = taker?.reserve(items.length)
    let own: readonly StoredRow[] = []
    try {
      const stored = await insert(pool, items, hold)
      if (hold) own = stored.flatMap(({ seq, isNew }, at) => (isNew ? rowOf(seq, items[at]) : []))
      else onStored()
      return stored
    } finally {
      if (hold) taker?.take(items.length, own)
    }
  }

  return {
    put: (items) =>
      new Promise((done, failed) => {
        waiting.push({ items, done, failed })
        // Everything that arrives in this turn of the event loop joins the same statement.
        if (waiting.length === 1) setImmediate(pump)
      }),
  }
}

function rowOf(seq: number, item: InboxItem | undefined): StoredRow[] {
  if (item?.state !== 'pending') return []
  const { connectionId, key, source, body } = item
  return [{ seq, connection_id: connectionId, dedupe_key: key, source, body, attempts: 0 }]
}

/**
 * All bodies travel as one binary parameter that the statement cuts up again: PostgreSQL's text form of bytea arrays would
 * double them. A row that was there before counts one more duplicate.
 */
async function insert(pool: Pool, items: readonly InboxItem[], hold?: Hold): Promise<readonly Stored[]> {
  const placeOfKey = new Map<string, number>()
  const unique: InboxItem[] = []
  const copies: number[] = []
  const places = items.map((item) => {
    const key = `${item.connectionId}\n${item.key}`
    const known = placeOfKey.get(key)
    if (known !== undefined) {
      copies[known] = (copies[known] ?? 0) + 1
      return known
    }
    placeOfKey.set(key, unique.length)
    unique.push(item)
    copies.push(0)
    return unique.length - 1
  })
  const starts: number[] = []
  let start = 1
  for (const item of unique) {
    starts.push(start)
    start += item.body.length
  }
  const result = await pool.query<{ seq: number; is_new: boolean; connection_id: string; dedupe_key: string }>({
    name: 'inbox_put',
    text: `
      insert into inbox
        (connection_id, dedupe_key, source, state, reason, duplicates, body, fence, attempts, lease_until)
      select connection_id, dedupe_key, source, state, reason, copies, substring($1::bytea from start for length),
        held.fence, case when held.fence is null then 0 else 1 end,
        case when held.fence is not null then statement_timestamp() + make_interval(secs => $11) end
      from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[])
        as item(connection_id, dedupe_key, source, state, reason, copies, start, length),
      lateral (select case when state = 'pending' then $10::bigint end as fence) held
      on conflict (workspace_id, connection_id, dedupe_key)
        do update set duplicates = inbox.duplicates + 1 + excluded.duplicates
      returning seq, xmax = 0 as is_new, connection_id, dedupe_key`,
    values: [
      Buffer.concat(unique.map((item) => item.body)),
      unique.map((item) => item.connectionId),
      unique.map((item) => item.key),
      unique.map((item) => item.source),
      unique.map((item) => item.state),
      unique.map((item) => item.reason ?? null),
      copies,
      starts,
      unique.map((item) => item.body.length),
      hold?.fence ?? null,
      hold?.leaseSeconds ?? null,
    ],
  })
  const rows = new Map(result.rows.map((row) => [placeOfKey.get(`${row.connection_id}\n${row.dedupe_key}`), row]))
  const answered = new Set<number>()
  return places.map((place) => {
    const row = rows.get(place)
    if (!row) throw new Error(`inbox: no row came back for ${unique[place]?.connectionId}, which must not happen`)
    const isNew = row.is_new && !answered.has(place)
    answered.add(place)
    return { seq: row.seq, isNew }
  })
}
