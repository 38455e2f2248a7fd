/** kill -9 in the middle of the stream, again and again: nothing acknowledged is lost, no effect happens twice. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signStandardWebhook } from '#hub/connector/hmac.ts'
import { freePort } from '#hub/platform/free-port.ts'
import { testDatabase } from '#kit'
import { type HubProcess, startHubProcess, temporaryFolder } from '#kit/hub-process.ts'

const kills = 20
/** The full size is 2,000 (CRASH_WEBHOOKS=2000), 90 to 100 s on two cores; most of a small run is starts and one lease. */
const webhooksPerKill = Number(process.env['CRASH_WEBHOOKS'] ?? 200)

const database = testDatabase()
const folder = temporaryFolder()

/** A sandbox with a ledger: which effect came how often, under which idempotency keys. */
const effects = new Map<string, Set<string>>()
const sink = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => {
    body += chunk
  })
  request.on('end', () => {
    const { case_subject: subject } = JSON.parse(body) as { case_subject: string }
    effects.set(subject, (effects.get(subject) ?? new Set()).add(String(request.headers['webhook-id'])))
    response.writeHead(204).end()
  })
})
let sinkPort = 0
let hubPort = 0
let hub: HubProcess

async function start() {
  hub = await startHubProcess({
    dataDir: folder.path,
    port: hubPort,
    env: { DATABASE_URL: database.url, DESKWEAVE_EXTRA_HOSTS: `127.0.0.1:${sinkPort}`, LOG_LEVEL: 'error' },
  })
}

beforeAll(async () => {
  sinkPort = await new Promise((resolve) => {
    sink.listen(0, '127.0.0.1', () => {
      const address = sink.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
  hubPort = await freePort()
  await start()
})
afterAll(async () => {
  await hub?.stop()
  sink.closeAllConnections()
  sink.close()
  folder.remove()
})

describe('a hub that is killed', () => {
  it(`loses nothing acknowledged and doubles no effect in ${kills} kills`, { timeout: 300_000 }, async () => {
    const connection = (await hub.api('POST', '/connections', { connector: 'desk', name: 'Desk', config: {} })) as {
      id: string
      webhook: { secret: string }
    }
    await hub.api('PUT', '/rules/tell', {
      id: 'tell',
      name: 'Tell the sink',
      on: ['case.created'],
      then: [{ webhook: { url: `http://127.0.0.1:${sinkPort}/`, body: { case_subject: '{{ case.subject }}' } } }],
      mode: 'on',
    })
    const acknowledged = new Set<string>()
    let sent = 0

    /** As vendors do: what was not answered is sent again, under the same id. */
    async function send(n: number): Promise<void> {
      const subject = `case ${n}`
      const body = JSON.stringify({
        type: 'case',
        occurred_at: new Date().toISOString(),
        case: {
          id: `T-${n}`,
          subject,
          status: 'open',
          requester: { id: `U-${n % 100}`, emails: [`u${n % 100}@example.com`] },
        },
      })
      for (;;) {
        const headers = signStandardWebhook({
          id: `msg_${n}`,
          sentAt: new Date(),
          body,
          secrets: [connection.webhook.secret],
        })
        const answer = await fetch(`http://127.0.0.1:${hubPort}/hooks/${connection.id}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
        }).catch(() => undefined)
        await answer?.arrayBuffer().catch(() => {})
        if (answer?.status === 202) break
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      acknowledged.add(subject)
    }

    for (let kill = 0; kill < kills; kill += 1) {
      const last = sent + webhooksPerKill
      const killAt = acknowledged.size + webhooksPerKill * (0.1 + (0.8 * ((kill * 7) % kills)) / kills)
      const senders = Array.from({ length: 50 }, async () => {
        while (sent < last) {
          sent += 1
          await send(sent)
        }
      })
      while (acknowledged.size < killAt) await new Promise((resolve) => setTimeout(resolve, 1))
      await hub.kill()
      await start()
      await Promise.all(senders)
    }

    const deadline = performance.now() + 60_000
    while (effects.size < acknowledged.size && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const lost = [...acknowledged].filter((subject) => !effects.has(subject))
    const doubled = [...effects].filter(([, keys]) => keys.size > 1)
    const invented = [...effects.keys()].filter((subject) => !acknowledged.has(subject))
    expect(acknowledged.size).toBe(kills * webhooksPerKill)
    expect({ lost, doubled, invented }).toEqual({ lost: [], doubled: [], invented: [] })

    const { pool } = await database.open('default')
    const { rows } = await pool.query(
      `select (select count(*) from cases) as cases, (select count(*) from inbox) as inbox,
         (select count(*) from outbox) as outbox, (select count(*) from events where type = 'case.created') as events`,
    )
    const each = kills * webhooksPerKill
    expect(rows).toEqual([{ cases: each, inbox: each, outbox: each, events: each }])
  })
})
