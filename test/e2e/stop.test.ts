/** SIGTERM in the middle of the stream: work in hand is finished within 10 s, and the next start loses nothing. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signStandardWebhook } from '#hub/connector/hmac.ts'
import { freePort } from '#hub/platform/free-port.ts'
import { testDatabase } from '#kit'
import { type HubProcess, startHubProcess, temporaryFolder } from '#kit/hub-process.ts'

const senders = 30
/** A receiver that takes its time, so that calls are under way when the signal comes. */
const answerAfterMs = 150

const database = testDatabase()
const folder = temporaryFolder()
const told = new Map<string, Set<string>>()
const underWay = new Set<string>()
const cutOff = new Set<string>()
const sink = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { subject } = JSON.parse(Buffer.concat(chunks).toString()) as { subject: string }
    const key = String(request.headers['webhook-id'])
    underWay.add(key)
    response.once('close', () => {
      underWay.delete(key)
      if (!response.writableFinished) cutOff.add(key)
    })
    setTimeout(() => {
      told.set(subject, (told.get(subject) ?? new Set()).add(key))
      response.writeHead(204).end()
    }, answerAfterMs)
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
  sinkPort = await freePort()
  await new Promise<void>((resolve) => sink.listen(sinkPort, '127.0.0.1', resolve))
  hubPort = await freePort()
  await start()
})
afterAll(async () => {
  await hub?.stop()
  sink.closeAllConnections()
  sink.close()
  folder.remove()
})

async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 12_000
  while (!(await is())) {
    if (performance.now() > deadline) throw new Error(`waited 12 s in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('a hub that is told to stop under load', () => {
  it('finishes what is in hand, ends with 0 within 10 s, and loses nothing', { timeout: 40_000 }, async () => {
    const connection = (await hub.api('POST', '/connections', { connector: 'desk', name: 'Desk', config: {} })) as {
      id: string
      webhook: { secret: string }
    }
    await hub.api('PUT', '/rules/tell', {
      id: 'tell',
      name: 'Tell the sink',
      on: ['case.created'],
      then: [{ webhook: { url: `http://127.0.0.1:${sinkPort}/`, body: { subject: '{{ case.subject }}' } } }],
      mode: 'on',
    })
    const acknowledged = new Set<string>()
    const answers = new Map<number, number>()
    let sent = 0
    let isStopping = false
    const sending = Array.from({ length: senders }, async () => {
      while (!isStopping) {
        sent += 1
        const subject = `case ${sent}`
        const body = JSON.stringify({
          type: 'case',
          occurred_at: '2026-11-22T10:00:00Z',
          case: { id: `T-${sent}`, subject, status: 'open', requester: { id: `U-${sent % 20}` } },
        })
        const webhook = { id: `msg_${sent}`, sentAt: new Date(), body, secrets: [connection.webhook.secret] }
        const answer = await fetch(`http://127.0.0.1:${hubPort}/hooks/${connection.id}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...signStandardWebhook(webhook) },
          body,
        }).catch(() => undefined)
        await answer?.arrayBuffer().catch(() => {})
        if (answer) answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1)
        if (answer?.status === 202) acknowledged.add(subject)
      }
    })

    await until('calls under way', () => acknowledged.size >= 300 && underWay.size >= 5)
    const startedMs = performance.now()
    const stopping = hub.stop()
    const code = await stopping
    const tookMs = performance.now() - startedMs
    isStopping = true
    await Promise.all(sending)
    expect({ code, isInTime: tookMs < 10_000 }).toEqual({ code: 0, isInTime: true })
    expect([...cutOff]).toEqual([])
    expect([...answers.keys()].filter((status) => status !== 202 && status !== 503)).toEqual([])

    // Everything was given back: the next start need not wait for a lease.
    const { pool } = await database.open('default')
    const held = `select (select count(*) from inbox where lease_until is not null)
      + (select count(*) from outbox where lease_until is not null)
      + (select count(*) from lanes where lease_until is not null) as held`
    expect((await pool.query<{ held: number }>(held)).rows).toEqual([{ held: 0 }])
    await start()
    await until('every effect', () => [...acknowledged].every((subject) => told.has(subject)))
    expect([...told].filter(([, keys]) => keys.size > 1)).toEqual([])
  })
})
