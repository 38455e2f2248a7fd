/** A whole hub in the test's own process, on the test's database, spoken to over HTTP only. */
import type { OpenRooms, RunningHub } from '#hub/main.ts'
import { startHub } from '#hub/main.ts'
import { readEnv } from '#hub/platform/env.ts'
import { createLog } from '#hub/platform/log.ts'
import { openRooms } from '#hub/rooms.ts'
import type { TestDatabase } from './database.ts'
import { adminToken, callApi, temporaryFolder } from './hub-process.ts'

export interface TestHub {
  readonly url: string
  readonly running: RunningHub
  api(method: string, path: string, body?: unknown): Promise<unknown>
  /** Connects a sandbox (or anything with a config), and tells it where its webhooks go. */
  connect(
    connector: string,
    name: string,
    sandbox: { readonly config: object; connect(hook: { url: string; secret: string }): void },
  ): Promise<string>
  /** Looks again until `find` gives something; gives up after 10 s, naming what it waited for. */
  until<T>(what: string, find: () => Promise<T | undefined | false>): Promise<T>
  /** Nothing waits in inbox or outbox any more. */
  settled(): Promise<void>
  stop(): Promise<void>
}

const patienceMs = 10_000

export async function startTestHub(
  database: TestDatabase,
  options: {
    readonly hosts?: readonly string[]
    readonly now?: () => Date
    readonly env?: Record<string, string>
    /** `false`: nothing happens by the clock alone, such as the reading of what webhooks missed. */
    readonly repeats?: false
  } = {},
): Promise<TestHub> {
  const folder = temporaryFolder()
  const env = readEnv({
    DATABASE_URL: database.url,
    DESKWEAVE_DATA: folder.path,
    DESKWEAVE_ADMIN_TOKEN: adminToken,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ...(options.hosts?.length
      ? { DESKWEAVE_EXTRA_HOSTS: options.hosts.map((url) => new URL(url).host).join(',') }
      : {}),
    ...options.env,
  })
  const running = await startHub(env, {
    log: createLog(env.logLevel),
    ...(options.now ? { now: options.now } : {}),
    ...(options.repeats === false ? { openRooms: withoutRepeats } : {}),
  })
  const api: TestHub['api'] = (method, path, body) => callApi(running.url, method, path, body)
  const until: TestHub['until'] = async (what, find) => {
    const deadline = performance.now() + patienceMs
    while (performance.now() < deadline) {
      const found = await find()
      if (found !== undefined && found !== false) return found
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`waited ${patienceMs / 1_000} s in vain for ${what}`)
  }
  return {
    url: running.url,
    running,
    api,
    until,
    async connect(connector, name, sandbox) {
      const made = (await api('POST', '/connections', { connector, name, config: sandbox.config })) as {
        id: string
        webhook: { url: string; secret: string }
      }
      sandbox.connect(made.webhook)
      return made.id
    },
    async settled() {
      await until('an empty inbox and outbox', async () => {
        const { rows } = await running.hub.intake.query<{ open: number }>(
          `select (select count(*) from inbox where state = 'pending') + (select count(*) from outbox where state = 'pending') as open`,
        )
        return rows[0]?.open === 0
      })
    },
    async stop() {
      await running.stop()
      folder.remove()
    },
  }
}

const withoutRepeats: OpenRooms = (foundation, stopping) =>
  openRooms({ ...foundation, queue: { ...foundation.queue, schedule: async () => {} } }, stopping)
