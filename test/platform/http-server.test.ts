import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createApp } from '#hub/platform/express-app.ts'
import { createHttpServer, type Handlers, type HttpServer, serverLimits } from '#hub/platform/http-server.ts'
import { createMetrics } from '#hub/platform/metrics.ts'
import { quietLog, recordingLog } from '#kit'

const hooksOf = (handle: Handlers['hooks']['handle']): Handlers['hooks'] => ({ isShared: () => false, handle })

describe('the HTTP server', () => {
  const servers: HttpServer[] = []
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop(100)))
  })

  async function listen(handlers?: Partial<Handlers>, log = quietLog) {
    const metrics = createMetrics()
    const server = createHttpServer(log, metrics)
    servers.push(server)
    const port = await server.listen(0)
    const app = createApp(
      [(own) => own.get('/cases/:id', (_request, response) => void response.json({}))],
      log,
      metrics,
    )
    if (handlers) server.serve({ hooks: hooksOf(app), app, ready: async () => ({ database: true }), ...handlers })
    return { server, port, url: `http://localhost:${port}`, metrics }
  }
  /** Sends bytes as they are and returns everything that comes back until the server closes. */
  async function raw(port: number, text: string): Promise<string> {
    const socket = connect(port, 'localhost')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => {})
    socket.write(text)
    await once(socket, 'close')
    return answer
  }

  it('lives from the start and is ready once the rooms are there', async () => {
    const { server, url } = await listen()
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    const early = await fetch(`${url}/hooks/c1`, { method: 'POST' })
    expect([early.status, early.headers.get('retry-after')]).toEqual([503, '5'])

    server.serve({ hooks: hooksOf(() => {}), app: () => {}, ready: async () => ({ database: true, queue: true }) })
    const ready = await fetch(`${url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ready', checks: { database: true, queue: true } },
    ])
  })

  it('says what is not ready', async () => {
    const { url } = await listen({ ready: async () => ({ database: true, queue: false }) })
    const answer = await fetch(`${url}/readyz`)
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { status: 'not_ready', checks: { database: true, queue: false } },
    ])
  })

  it('hands webhooks to their handler and the rest to the app', async () => {
    const { url } = await listen({ hooks: hooksOf((request, response) => void response.end(`hook ${request.url}`)) })
    expect(await (await fetch(`${url}/hooks/c1?x=1`)).text()).toBe('hook /hooks/c1?x=1')
    expect((await fetch(`${url}/cases/1`)).status).toBe(200)
    const missing = await fetch(`${url}/hooks`)
    expect([missing.status, missing.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
    expect(missing.headers.get('x-powered-by')).toBeNull()
  })

  it('answers 500 without details when a handler fails, and logs why', async () => {
    const log = recordingLog()
    const { url } = await listen({ hooks: hooksOf(() => Promise.reject(new Error('the reason'))) }, log)
    const answer = await fetch(`${url}/hooks/c1`)
    expect([answer.status, await answer.text()]).toEqual([500, '{"status":500}'])
    expect(log.lines.map((line) => line.message)).toEqual(['a request failed'])
  })

  it('refuses more than 64 headers or 16 KiB of them', async () => {
    const { port } = await listen({})
    const many = Array.from({ length: 64 }, (_, n) => `x-${n}: 1\r\n`).join('')
    expect(await raw(port, `GET /cases/1 HTTP/1.1\r\nhost: x\r\n${many}\r\n`)).toMatch(/^HTTP\/1.1 431 /)
    const long = `x-long: ${'a'.repeat(serverLimits.headerBytes)}\r\n`
    expect(await raw(port, `GET /cases/1 HTTP/1.1\r\nhost: x\r\n${long}\r\n`)).toMatch(/^HTTP\/1.1 431 /)
  })

  it('measures requests by pattern, never by id', async () => {
    const { url } = await listen({})
    await fetch(`${url}/cases/case_1`)
    await fetch(`${url}/nowhere/secret`)
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toContain('deskweave_http_seconds_count{method="GET",route="/cases/:id",status="200"} 1')
    expect(text).toContain('deskweave_http_seconds_count{method="GET",route="other",status="404"} 1')
    expect(text).toContain('process_cpu_seconds_total')
    expect(text).not.toMatch(/case_1|secret/)
  })

  it('names PORT when the port is taken', async () => {
    const { port } = await listen()
    const second = createHttpServer(quietLog, createMetrics())
    await expect(second.listen(port)).rejects.toThrow(`port ${port} is taken by another program: stop it, or set PORT`)
  })

  it('finishes the answers in hand when it stops, and takes nothing new', async () => {
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const { server, url } = await listen({
      hooks: hooksOf(async (_request, response) => {
        begun.resolve()
        await finish.promise
        response.end('done')
      }),
    })
    const inHand = fetch(`${url}/hooks/c1`)
    await begun.promise
    const stopped = server.stop()
    await expect(fetch(`${url}/hooks/c1`)).rejects.toThrow()
    finish.resolve()
    expect(await (await inHand).text()).toBe('done')
    await stopped
  })

  it('cuts off what does not end in time', async () => {
    const begun = Promise.withResolvers<void>()
    const { server, url } = await listen({ hooks: hooksOf(() => begun.resolve()) })
    const hanging = fetch(`${url}/hooks/c1`).catch(() => 'cut')
    await begun.promise
    await server.stop(20)
    expect(await hanging).toBe('cut')
  })
})
