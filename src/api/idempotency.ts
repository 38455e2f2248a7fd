/**
 * `Idempotency-Key`: the same key with the same request gives the stored answer and no second effect. One of several
 * requests at once executes; the others wait for its answer, also those at another process.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Hub } from '#hub/hub.ts'
import { type Db, json } from '#hub/platform/db/database.ts'
import { Problem } from './problem.ts'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export interface KeyedRequest {
  readonly key: string
  readonly method: string
  readonly path: string
  readonly body: Buffer
}

const keptHours = 24
/** A process that died in the middle leaves its claim; nobody waits for it longer than this. */
const claimSeconds = 60
const waitMs = 15_000

const Stored = z.object({ sealed: z.string() })

/** @throws Problem invalid */
export function readKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header
  throw new Problem('invalid', 'Idempotency-Key: expected 1 to 255 visible ASCII characters, such as a UUID', {
    field: 'Idempotency-Key',
  })
}

/**
 * @param execute what throws changed nothing: its key is free again.
 * @throws Problem conflict when the key was used for another request, or its first request does not end.
 */
export async function once(
  hub: Pick<Hub, 'db' | 'secrets'>,
  request: KeyedRequest,
  execute: () => Promise<Answer>,
): Promise<Answer> {
  const hash = hashOf(request)
  const deadline = performance.now() + waitMs
  for (let delayMs = 20; ; delayMs = Math.min(delayMs * 2, 250)) {
    if (await claim(hub.db, request.key, hash)) return await run(hub, request.key, execute)
    const found = await lookUp(hub.db, request.key)
    if (found && found.request_hash !== hash) {
      throw new Problem('conflict', 'this Idempotency-Key was used for another request; take a new key', {
        field: 'Idempotency-Key',
      })
    }
    // Answers may hold a secret that is shown once, so they rest sealed.
    if (found && found.status > 0) return { status: found.status, body: open(hub, request.key, found.body) }
    if (performance.now() > deadline) {
      throw new Problem(
        'conflict',
        'the first request with this Idempotency-Key is still being worked; ask again soon',
        {
          field: 'Idempotency-Key',
          headers: { 'retry-after': '5' },
        },
      )
    }
    await sleep(delayMs)
  }
}

function hashOf({ method, path, body }: KeyedRequest): string {
  return createHash('sha256').update(`${method} ${path}\n`).update(body).digest('hex')
}

/** Status 0: claimed, not answered yet. */
async function claim(db: Db, key: string, hash: string): Promise<boolean> {
  const claimed = await sql`
    insert into api_idempotency (key, request_hash, status, body) values (${key}, ${hash}, 0, '{}')
    on conflict (workspace_id, key) do update set request_hash = excluded.request_hash, status = 0, created_at = now()
      where api_idempotency.created_at < now() - ${keptHours} * interval '1 hour'
         or (api_idempotency.status = 0 and api_idempotency.request_hash = excluded.request_hash
             and api_idempotency.created_at < now() - ${claimSeconds} * interval '1 second')
    returning key
  `.execute(db)
  return claimed.rows.length > 0
}

async function lookUp(db: Db, key: string) {
  return await db
    .selectFrom('api_idempotency')
    .select(['request_hash', 'status', 'body'])
    .where('key', '=', key)
    .executeTakeFirst()
}

async function run(hub: Pick<Hub, 'db' | 'secrets'>, key: string, execute: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer
  try {
    answer = await execute()
  } catch (error) {
    await hub.db.deleteFrom('api_idempotency').where('key', '=', key).where('status', '=', 0).execute()
    throw error
  }
  const sealed = hub.secrets.seal(answer.body ?? null, placeOf(key)).toString('base64')
  await hub.db
    .updateTable('api_idempotency')
    .set({ status: answer.status, body: json({ sealed }) })
    .where('key', '=', key)
    .execute()
  return answer
}

function open(hub: Pick<Hub, 'secrets'>, key: string, body: unknown): unknown {
  return hub.secrets.open(Buffer.from(Stored.parse(body).sealed, 'base64'), placeOf(key))
}

function placeOf(key: string): string {
  return `api answer|${key}`
}

/** Keys are kept for 24 hours. */
export async function forgetKeys(db: Db): Promise<void> {
  await db
    .deleteFrom('api_idempotency')
    .where('created_at', '<', sql<Date>`now() - ${keptHours} * interval '1 hour'`)
    .execute()
}
