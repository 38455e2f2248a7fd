/**
 * The hub's one port. It listens before anything else starts (a taken port is known at once) and answers 503 until the
 * rooms behind it are there. Webhooks go to their own plain handler, everything else to the Express app.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '#hub/connector/contract.ts'
import type { Metrics } from './metrics.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

export interface Handlers {
  /** Everything below `/hooks/`, and the paths that vendors' webhooks share. */
  readonly hooks: { isShared(path: string): boolean; handle: Handler }
  readonly app: Handler
  /** What must work for this process to take requests, each by name. */
  ready(): Promise<Readonly<Record<string, boolean>>>
}

export interface HttpServer {
  /** @returns the port. @throws Error naming PORT when it is taken. */
  listen(port: number): Promise<number>
  serve(handlers: Handlers): void
  /** Takes no new connections, finishes the answers in hand, and cuts off what is left after `timeoutMs`. */
  stop(timeoutMs?: number): Promise<void>
}

export const serverLimits = {
  headerBytes: 16 * 1024,
  headers: 64,
  /** A request must have arrived whole within this time. */
  requestMs: 10_000,
  /** Longer than the idle time of the usual balancers, so that they close first and lose no request. */
  keepAliveMs: 65_000,
  connections: 2_000,
}
const readyWithinMs = 2_000

export function createHttpServer(log: Log, metrics: Metrics): HttpServer {
  let handlers: Handlers | undefined
  let isStopping = false
  const options = {
    maxHeaderSize: serverLimits.headerBytes,
    requestTimeout: serverLimits.requestMs,
    headersTimeout: serverLimits.requestMs,
    keepAliveTimeout: serverLimits.keepAliveMs,
    connectionsCheckingInterval: 1_000,
  }
  const server = createServer(options, (request, response) => {
    // The vendor's balancer opens a new connection elsewhere for what comes next.
    if (isStopping) response.setHeader('connection', 'close')
    if (request.rawHeaders.length / 2 > serverLimits.headers) return refuse(response, 431)
    route(request, response).catch((err: unknown) => {
      log.error({ err, method: request.method, path: pathOf(request) }, 'a request failed')
      if (response.headersSent) response.destroy()
      else refuse(response, 500)
    })
  })
  // Node drops what is beyond; one more shows that there was more.
  server.maxHeadersCount = serverLimits.headers + 1
  server.maxConnections = serverLimits.connections

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request)
    if (path === '/healthz') return answer(response, 200, { status: 'ok' })
    if (path === '/readyz') return await readiness(response)
    if (!handlers) return answer(response, 503, { status: 'starting' }, { 'retry-after': '5' })
    if (path === '/metrics') {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.text())
      return
    }
    if (path.startsWith('/hooks/') || handlers.hooks.isShared(path)) await handlers.hooks.handle(request, response)
    else await handlers.app(request, response)
  }

  async function readiness(response: ServerResponse): Promise<void> {
    if (!handlers || isStopping) return answer(response, 503, { status: isStopping ? 'stopping' : 'starting' })
    const checks = await Promise.race([handlers.ready(), late()]).catch(() => ({ database: false }))
    const isReady = Object.values(checks).every(Boolean)
    answer(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not_ready', checks })
  }

  return {
    listen(port) {
      return new Promise((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => {
          const isTaken = error.code === 'EADDRINUSE'
          reject(
            isTaken
              ? new Error(`port ${port} is taken by another program: stop it, or set PORT`, { cause: error })
              : error,
          )
        })
        server.listen(port, () => resolve((server.address() as AddressInfo).port))
      })
    },
    serve(given) {
      handlers = given
    },
    async stop(timeoutMs = 10_000) {
      isStopping = true
      if (!server.listening) return
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      const cut = setTimeout(() => server.closeAllConnections(), timeoutMs)
      await closed
      clearInterval(idle)
      clearTimeout(cut)
    },
  }
}

async function late(): Promise<Readonly<Record<string, boolean>>> {
  await new Promise((resolve) => setTimeout(resolve, readyWithinMs).unref())
  return { in_time: false }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? ''
}

function refuse(response: ServerResponse, status: number): void {
  answer(response, status, { status }, { connection: 'close' })
}

function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body)
  const length = Buffer.byteLength(text)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': length,
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}
