/** A connector for tests and the vendor behind it: real HTTP, one token, an answer that tests can change. */
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type Connections, type ConnectionsHub, createConnections, type Registry } from '#hub/connections/index.ts'
import { type Connector, defineConnector, type Log } from '#hub/connector/contract.ts'
import { createSecretBox, type SecretBox } from '#hub/platform/secret-box.ts'
import { createSignals, type Signals } from '#hub/platform/signals.ts'
import type { TestDatabase } from '#kit'
import { type LocalServer, localServer, reply } from '../platform/local-server.ts'

export const goodToken = 'tok-good-1234567890'

export const acme = defineConnector({
  manifest: { id: 'acme', name: 'Acme', docs: 'https://acme.example/docs', hosts: ['*.acme.example'], limits: [] },
  config: z.object({
    api_base: z.url({ protocol: /^https?$/ }),
    region: z.string().default('eu'),
    auth: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('token'), token: z.string().min(8).meta({ secret: true }) }),
      z.object({ kind: z.literal('basic'), user: z.string(), password: z.string().meta({ secret: true }).optional() }),
    ]),
    webhook_secret: z.string().meta({ secret: true }).optional(),
  }),
  api: (c) => ({
    baseUrl: c.api_base,
    headers: { authorization: c.auth.kind === 'token' ? `Bearer ${c.auth.token}` : `Basic ${c.auth.user}` },
  }),
  async check(ctx) {
    const me = z.object({ account: z.string(), missing: z.array(z.string()).default([]) })
    const { account, missing } = me.parse(await ctx.http.json('GET', '/me'))
    return { account, missingScopes: missing }
  },
  can: {
    receive: {
      verify: (request, secret) =>
        request.headers['x-secret'] === secret ? { ok: true } : { ok: false, reason: 'bad_signature' },
      items: () => [],
      normalise: () => [],
    },
  },
})

export const mute: Connector = defineConnector({
  manifest: { id: 'mute', name: 'Mute', docs: 'https://mute.example', hosts: [], limits: [] },
  config: z.object({}),
  check: async () => ({ account: 'nobody' }),
  can: {},
})

/** As a mailbox: it keeps a line open. */
export const post: Connector = defineConnector({
  ...mute,
  config: z.object({ password: z.string() }),
  can: { watch: { run: async () => {} } },
})

const registry: Registry = { acme: async () => acme, mute: async () => mute }

interface Line {
  readonly level: keyof Log
  readonly data: object
  readonly message: string
}

function listLog(lines: Line[] = []): Log & { readonly lines: Line[] } {
  const write = (level: keyof Log) => (data: object, message: string) => void lines.push({ level, data, message })
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

const box: SecretBox = createSecretBox(['a passphrase of at least 32 characters'])

export interface Office extends ConnectionsHub {
  readonly connections: Connections
  readonly signals: Signals
  readonly log: ReturnType<typeof listLog>
}

/** A running connections room on the test database; stopped when the test ends. */
export async function openOffice(
  database: TestDatabase,
  vendor: { readonly host: string },
  options: { readonly now?: () => Date; readonly connectors?: Registry } = {},
): Promise<Office> {
  const log = listLog()
  const role = database.role === undefined ? {} : { role: database.role }
  const signals = createSignals({ url: database.url, workspaceId: 'test', ...role }, log)
  const hub: ConnectionsHub = {
    db: database.db,
    log,
    now: options.now ?? (() => new Date()),
    secrets: box,
    signals,
    env: { baseUrl: 'https://hub.example', extraHosts: [vendor.host] },
    connectors: options.connectors ?? registry,
  }
  const connections = createConnections(hub)
  await signals.start()
  await connections.start()
  onTestFinished(async () => {
    await connections.close()
    await signals.stop()
  })
  return { ...hub, connections, signals, log }
}

export interface Vendor extends LocalServer {
  status: number
  missing: readonly string[]
}

export async function openVendor(): Promise<Vendor> {
  const answer = { status: 200, missing: [] as readonly string[] }
  const server = await localServer((request, response) => {
    const isKnown = request.headers.authorization === `Bearer ${goodToken}`
    const status = isKnown ? answer.status : 401
    reply(response, status, {
      account: 'ana@acme.example',
      missing: answer.missing,
      message: request.headers.authorization,
    })
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return Object.assign(answer, server)
}
