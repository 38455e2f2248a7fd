/** The two sides of each ratio, each a process of its own on the same PostgreSQL: the hub and the yardstick. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startHubProcess, temporaryFolder } from '#kit/hub-process.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
export const secret = `whsec_${randomBytes(32).toString('base64')}`

export interface Side {
  readonly name: 'hub' | 'reference' | 'express'
  readonly port: number
  readonly path: string
  readonly secret: string
  stop(): Promise<void>
}

export interface Sink {
  readonly url: string
  /** Resolves when that many effects have arrived. */
  expect(count: number): Promise<{ done: Promise<Arrived> }>
  stop(): void
}
export interface Arrived {
  readonly arrived: number
  readonly at: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export async function startSink(): Promise<Sink> {
  const child = fork(here('./sink.ts'))
  const { port } = await message<{ port: number }>(child, 'port')
  return {
    url: `http://127.0.0.1:${port}/effects`,
    async expect(count) {
      const ready = message(child, 'ready')
      child.send({ expect: count })
      await ready
      return { done: message<Arrived>(child, 'arrived') }
    },
    stop: () => void child.kill(),
  }
}

export async function startReference(mode: 'pipeline' | 'ingest', databaseUrl: string, sinkUrl: string): Promise<Side> {
  const child = fork(here('./reference.ts'), [mode], {
    env: { ...process.env, BENCH_SECRET: secret, BENCH_SINK: sinkUrl, BENCH_DATABASE_URL: databaseUrl },
  })
  const { port } = await message<{ port: number }>(child, 'port')
  return {
    name: mode === 'ingest' ? 'express' : 'reference',
    port,
    path: '/hooks/bench',
    secret,
    stop: () => end(child),
  }
}

/** The hub as a user starts it, set up through its own REST API. */
export async function startHubSide(role: string, databaseUrl: string, sinkUrl: string): Promise<Side> {
  const data = temporaryFolder()
  const hub = await startHubProcess({
    dataDir: data.path,
    env: {
      DATABASE_URL: databaseUrl,
      DESKWEAVE_EXTRA_HOSTS: new URL(sinkUrl).host,
      DESKWEAVE_ROLE: role,
      NODE_ENV: 'production',
    },
  })
  const connection = (await hub.api('POST', '/connections', { connector: 'desk', name: 'Bench desk', config: {} })) as {
    id: string
    webhook: { secret: string }
  }
  for (let n = 0; n < 100; n += 1) await hub.api('PUT', `/rules/bench-${n}`, benchRule(n, sinkUrl))
  return {
    name: 'hub',
    port: hub.port,
    path: `/hooks/${connection.id}`,
    secret: connection.webhook.secret,
    async stop() {
      await hub.stop()
      data.remove()
    },
  }
}

/** A hundred rules by priority and tag, of which an event matches one: the same in the yardstick. */
function benchRule(n: number, sinkUrl: string) {
  return {
    id: `bench-${n}`,
    name: `Bench rule ${n}`,
    on: ['case.created'],
    if: {
      all: [
        { field: 'case.priority', is: ['low', 'normal', 'high', 'urgent'][n % 4] },
        { field: 'case.tags', any_of: [n === 2 ? 'billing' : `tag-${n}`] },
      ],
    },
    then: [{ webhook: { url: sinkUrl, body: { case: '{{ case.id }}', sent_at_ms: '{{ case.custom.sent_at_ms }}' } } }],
    mode: 'on',
  }
}

export async function createDatabase(adminUrl: string): Promise<string> {
  const name = `bench_${randomBytes(4).toString('hex')}`
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}

function message<T>(child: ChildProcess, key: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const listener = (received: unknown) => {
      if (typeof received === 'object' && received !== null && key in received) {
        child.off('message', listener)
        resolve(received as T)
      }
    }
    child.on('message', listener)
    child.once('exit', (code) => reject(new Error(`a bench process ended with ${code}`)))
  })
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
