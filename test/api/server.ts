/** The API over real HTTP, on a real database. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectors } from '#connectors'
import type { ApiHub } from '#hub/api/index.ts'
import type { Route } from '#hub/api/route.ts'
import { serve } from '#hub/api/serve.ts'
import { createConnections } from '#hub/connections/index.ts'
import { createRuleBook } from '#hub/pipeline/rule-book.ts'
import { createApp } from '#hub/platform/express-app.ts'
import { createMetrics } from '#hub/platform/metrics.ts'
import { createQueue } from '#hub/platform/queue.ts'
import { createSecretBox } from '#hub/platform/secret-box.ts'
import { createSignals } from '#hub/platform/signals.ts'
import { type FakeClock, fakeClock, quietLog, recordingLog, type TestDatabase } from '#kit'

export const token = 'a-token-that-only-this-test-knows'

export interface TestApi {
  readonly hub: ApiHub
  readonly clock: FakeClock
  readonly url: string
  readonly lines: readonly { readonly message: string; readonly data: object }[]
  /** With the token, and a JSON body where one is given. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answered>
  close(): Promise<void>
}

interface Answered {
  readonly status: number
  readonly headers: Headers
  // Tests look into answers freely; their shape is checked against the route's schema.
  readonly body: Record<string, unknown>
}

export async function startApi(
  database: TestDatabase,
  routes: readonly Route[],
  {
    clock = fakeClock(),
    extraHosts = [],
  }: { readonly clock?: FakeClock; readonly extraHosts?: readonly string[] } = {},
): Promise<TestApi> {
  const log = recordingLog()
  const access = { url: database.url, workspaceId: 'test', ...(database.role ? { role: database.role } : {}) }
  const signals = createSignals(access, quietLog)
  const secrets = createSecretBox(['a passphrase of more than thirty-two characters'])
  const env = {
    dataDir: '/nowhere',
    port: 0,
    baseUrl: 'https://hub.example.com',
    extraHosts,
    roles: ['web'] as const,
    logLevel: 'info' as const,
    configFile: 'deskweave.yaml',
    isConfigNamed: false,
  }
  const { db, pool: intake } = database
  const ground = { env, log, now: clock.now, db, intake, secrets, signals }
  const connections = createConnections({ ...ground, connectors })
  await connections.start()
  const hub: ApiHub = {
    ...ground,
    queue: createQueue(access, quietLog),
    metrics: createMetrics(),
    connections,
    rules: createRuleBook(signals),
    reconciliation: { run: () => Promise.resolve(0) },
  }
  const router = serve(hub, routes, token)
  const app = createApp([(express) => void express.use('/api', router)], log, hub.metrics)
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/api/v1`
  return {
    hub,
    clock,
    url,
    lines: log.lines,
    async ask(method, path, body, headers = {}) {
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
    },
    async close() {
      await connections.close()
      await new Promise((resolve) => server.close(resolve))
      await signals.stop()
    },
  }
}
