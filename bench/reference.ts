/**
 * The yardstick: the least code that keeps the promise "accepted means done", with nothing of a product in it. HMAC →
 * durable inbox by group commit → answer → 100 rules by index → HTTP call → durable done by group commit; on start it does
 * again what was accepted and not done.
 *
 * `node bench/reference.ts ingest` is express with the HMAC alone and nothing behind it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import express from 'express'
import pg from 'pg'
import { Pool as HttpPool } from 'undici'

const [mode = 'pipeline'] = process.argv.slice(2)
const key = Buffer.from((process.env['BENCH_SECRET'] ?? '').replace('whsec_', ''), 'base64')
const sink = process.env['BENCH_SINK'] ?? ''
const app = express()
app.use(express.raw({ type: 'application/json', limit: '1mb' }))

function isAuthentic(request: express.Request): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers
  const body = request.body as Buffer
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const given = Buffer.from(String(signature).slice(3), 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Everything that waits at one moment goes into one statement. */
function groupCommit<T, R>(write: (items: T[]) => Promise<R[]>): (item: T) => Promise<R> {
  let waiting: { item: T; done: (result: R) => void; failed: (error: unknown) => void }[] = []
  let busy = false
  async function pump() {
    if (busy || waiting.length === 0) return
    busy = true
    const batch = waiting
    waiting = []
    try {
      const results = await write(batch.map((one) => one.item))
      for (const [index, one] of batch.entries()) one.done(results[index] as R)
    } catch (error) {
      for (const one of batch) one.failed(error)
    }
    busy = false
    void pump()
  }
  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed })
      setImmediate(pump)
    })
}

interface Event {
  readonly case: { readonly priority: string; readonly tags: readonly string[] }
}
const rulesByPriority = new Map<string, { tag: string }[]>()
for (let n = 0; n < 100; n += 1) {
  const priority = ['low', 'normal', 'high', 'urgent'][n % 4] ?? 'low'
  rulesByPriority.set(priority, [...(rulesByPriority.get(priority) ?? []), { tag: n === 2 ? 'billing' : `tag-${n}` }])
}
const matches = (event: Event) =>
  (rulesByPriority.get(event.case.priority) ?? []).filter((rule) => event.case.tags.includes(rule.tag))

if (mode === 'ingest') {
  app.post('/hooks/bench', (request, response) => {
    response.status(isAuthentic(request) ? 202 : 401).json({ status: 'accepted' })
  })
} else {
  const pool = new pg.Pool({ connectionString: process.env['BENCH_DATABASE_URL'], max: 4 })
  await pool.query(
    'create table if not exists inbox (id text primary key, body text not null, done boolean not null default false)',
  )
  const http = new HttpPool(new URL(sink).origin, { connections: 50 })
  const store = groupCommit<{ id: string; body: string }, boolean>(async (items) => {
    const { rows } = await pool.query<{ id: string }>({
      name: 'store',
      text: 'insert into inbox (id, body) select * from unnest($1::text[], $2::text[]) on conflict do nothing returning id',
      values: [items.map((item) => item.id), items.map((item) => item.body)],
    })
    const added = new Set(rows.map((row) => row.id))
    return items.map((item) => added.has(item.id))
  })
  const finish = groupCommit<string, undefined>(async (ids) => {
    await pool.query({ name: 'done', text: 'update inbox set done = true where id = any($1)', values: [ids] })
    return ids.map(() => undefined)
  })
  const work = async (id: string, body: string) => {
    for (const _ of matches(JSON.parse(body) as Event)) {
      const answer = await http.request({
        path: new URL(sink).pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': id },
        body,
      })
      await answer.body.dump()
    }
    await finish(id)
  }
  for (const row of (await pool.query<{ id: string; body: string }>('select id, body from inbox where not done'))
    .rows) {
    void work(row.id, row.body)
  }
  app.post('/hooks/bench', async (request, response) => {
    if (!isAuthentic(request)) return response.status(401).end()
    const id = String(request.headers['webhook-id'])
    const body = (request.body as Buffer).toString()
    const isNew = await store({ id, body })
    response.status(202).json({ id, status: isNew ? 'accepted' : 'duplicate' })
    if (isNew) void work(id, body)
  })
}
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') process.send?.({ port: address.port })
})
