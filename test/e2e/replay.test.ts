/** The same webhook again and again, while the hub is stopped and killed: one event, one effect. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signStandardWebhook } from '#hub/connector/hmac.ts'
import { freePort } from '#hub/platform/free-port.ts'
import { testDatabase } from '#kit'
import { type HubProcess, startHubProcess, temporaryFolder } from '#kit/hub-process.ts'
import { startSandbox as startZendesk, type ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'

const database = testDatabase()
const folder = temporaryFolder()
let zendesk: ZendeskSandbox
let hub: HubProcess
let hubPort = 0
/** What the sink got, by subject: the idempotency keys it came under. */
const told = new Map<string, string[]>()
const sink = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { subject } = JSON.parse(Buffer.concat(chunks).toString()) as { subject: string }
    told.set(subject, [...(told.get(subject) ?? []), String(request.headers['webhook-id'])])
    response.writeHead(204).end()
  })
})
let sinkUrl = ''

async function start() {
  hub = await startHubProcess({
    dataDir: folder.path,
    port: hubPort,
    env: {
      DATABASE_URL: database.url,
      DESKWEAVE_EXTRA_HOSTS: `${new URL(sinkUrl).host},${new URL(zendesk.url).host}`,
      LOG_LEVEL: 'error',
    },
  })
}

beforeAll(async () => {
  zendesk = await startZendesk({ keepBackSeconds: 0 })
  const sinkPort = await freePort()
  await new Promise<void>((resolve) => sink.listen(sinkPort, '127.0.0.1', resolve))
  sinkUrl = `http://127.0.0.1:${sinkPort}/`
  hubPort = await freePort()
  await start()
})
afterAll(async () => {
  await hub?.stop()
  sink.closeAllConnections()
  sink.close()
  await zendesk?.close()
  folder.remove()
})

interface Connection {
  readonly id: string
  readonly webhook: { readonly url: string; readonly secret: string }
}
interface List<T> {
  readonly data: readonly T[]
}

async function until<T>(what: string, withinMs: number, find: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`waited ${withinMs} ms in vain for ${what}`)
}

/** Nothing waits any more. What killed hubs had in hand is free when its lease of 30 s has run out: here that is now. */
async function settled(): Promise<void> {
  const { pool } = await database.open('default')
  for (const table of ['inbox', 'outbox', 'lanes']) {
    await pool.query(`update ${table} set lease_until = now() - interval '1 s' where lease_until is not null`)
  }
  await until('an empty inbox and outbox', 10_000, async () => {
    const { rows } = await pool.query<{ open: number }>(
      `select (select count(*) from inbox where state = 'pending')
        + (select count(*) from outbox where state = 'pending') as open`,
    )
    return rows[0]?.open === 0
  })
}

/** As a desk does: what was not answered is sent again. @returns the number under which the hub keeps it. */
async function send(connection: Connection, deliveryId: string, event: object): Promise<string> {
  const body = JSON.stringify(event)
  return await until('an answer', 10_000, async () => {
    const webhook = { id: deliveryId, sentAt: new Date(), body, secrets: [connection.webhook.secret] }
    const answer = await fetch(`http://127.0.0.1:${hubPort}/hooks/${connection.id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signStandardWebhook(webhook) },
      body,
    }).catch(() => undefined)
    const text = await answer?.text().catch(() => undefined)
    return answer?.status === 202 && text !== undefined && (JSON.parse(text) as { id: string }).id
  })
}

async function eventsOf(connectionId: string, type: string): Promise<number> {
  const { pool } = await database.open('default')
  const { rows } = await pool.query('select from events where connection_id = $1 and type = $2', [connectionId, type])
  return rows.length
}

/** The hub ends and starts again, several times, while `work` goes on beside them. */
async function amidRestarts(ends: readonly ('kill' | 'stop')[], work: () => Promise<unknown>): Promise<void> {
  const working = work()
  for (const end of ends) {
    await hub[end]()
    await start()
  }
  await working
}

describe('the same webhook a hundred times, while the hub is killed, stopped and started', () => {
  let desk: Connection
  beforeAll(async () => {
    desk = (await hub.api('POST', '/connections', { connector: 'desk', name: 'Desk', config: {} })) as Connection
    const other = { connector: 'zendesk', name: 'Zendesk', config: zendesk.config }
    zendesk.connect(((await hub.api('POST', '/connections', other)) as Connection).webhook)
    for (const on of ['case.created', 'rating.received']) {
      const subject = `${on} {{ case.subject }}`
      await hub.api('PUT', `/rules/${on.replace('.', '-')}`, {
        name: on,
        on: [on],
        if: { field: 'case.connection', is: 'Desk' },
        then: [
          { webhook: { url: sinkUrl, body: { subject } } },
          { create_case: { connection: 'Zendesk', subject, text: 'Please look.' } },
        ],
        mode: 'on',
        id: on.replace('.', '-'),
      })
    }
  })

  const opening = {
    type: 'case',
    occurred_at: '2026-11-22T10:00:00Z',
    case: { id: 'T-1', subject: 'Fire', status: 'open', requester: { id: 'U-1', emails: ['ana@acme.example'] } },
  }
  const rated = {
    type: 'rating',
    occurred_at: '2026-11-22T11:00:00Z',
    rating: { case_id: 'T-1', scale: 'csat_5', score: 5 },
  }

  it.each([
    ['case.created', opening],
    ['rating.received', rated],
  ])('has its effects once: %s', { timeout: 40_000 }, async (type, event) => {
    const seqs = new Set<string>()
    let count = 0
    await amidRestarts(['kill', 'stop', 'kill'], async () => {
      // Nine of ten under the same id; the tenth as a desk that forgets what it has sent already.
      for (; count < 100; count += 1) seqs.add(await send(desk, `${type}_${count % 10 === 9 ? count : 0}`, event))
    })
    await settled()
    const [seq] = seqs
    await amidRestarts(['kill'], async () => {
      for (let replay = 0; replay < 10; replay += 1) {
        await until('a replay', 10_000, () => hub.api('POST', `/inbox/${seq}/replay`, {}).catch(() => undefined))
      }
    })
    await settled()

    const subject = `${type} Fire`
    expect(seqs.size).toBe(11)
    expect(await eventsOf(desk.id, type)).toBe(1)
    expect(new Set(told.get(subject)).size).toBe(1)
    expect([...zendesk.desk.tickets.values()].filter((ticket) => ticket.subject === subject)).toHaveLength(1)
    const { data } = (await hub.api('GET', '/cases?limit=200')) as List<{ subject: string }>
    expect(data.filter((one) => one.subject === subject)).toHaveLength(1)
  })
})
