/**
 * A hub process, in the order in which it starts; it stops in reverse. In: the environment. Out: a running hub. Never
 * here: what a room does.
 */
import type { Log } from '#hub/connector/contract.ts'
import type { Hub } from '#hub/hub.ts'
import type { Env } from '#hub/platform/env.ts'
import type { Mount } from '#hub/platform/express-app.ts'
import type { Foundation } from '#hub/platform/foundation.ts'
import { createHttpServer, type Handlers } from '#hub/platform/http-server.ts'
import { createLog } from '#hub/platform/log.ts'
import { createMetrics } from '#hub/platform/metrics.ts'

/** Something that works by itself until it is told to stop; then it finishes what it has in hand. */
export interface Part {
  start(): void | Promise<void>
  stop(): Promise<void>
}

export interface Rooms {
  readonly hub: Hub
  readonly hooks: Handlers['hooks']
  readonly mounts: readonly Mount[]
  readonly parts: readonly Part[]
}

/** @param stopping aborted when the hub begins to stop: long work ends at its next safe point. */
export type OpenRooms = (foundation: Foundation, stopping: AbortSignal) => Promise<Rooms>

export interface StartOptions {
  readonly log?: Log
  readonly now?: () => Date
  /** Other rooms than those of rooms.ts. */
  readonly openRooms?: OpenRooms
}

export interface RunningHub {
  readonly url: string
  readonly hub: Hub
  /** Finishes work in hand, up to 10 s. */
  stop(): Promise<void>
}

const intakeStopMs = 5_000

/** @throws Error that says what to do; then nothing is left running, but for a PostgreSQL that others use. */
export async function startHub(env: Env, options: StartOptions = {}): Promise<RunningHub> {
  const log = options.log ?? createLog(env.logLevel)
  const now = options.now ?? (() => new Date())
  const metrics = createMetrics()
  const stopping = new AbortController()
  const server = createHttpServer(log, metrics)
  const stops: (() => Promise<void>)[] = []
  async function stop() {
    stopping.abort()
    for (const end of [...stops.splice(0), () => server.stop(intakeStopMs)].reverse()) {
      await end().catch((err: unknown) => log.error({ err }, 'a part did not stop cleanly'))
    }
  }
  try {
    // First, so that a taken port is known before the database is touched; it answers 503 until the rooms are there.
    const url = `http://localhost:${await server.listen(env.port)}`
    const settled = env.port === 0 && env.baseUrl === 'http://localhost:0' ? { ...env, baseUrl: url } : env

    const { layFoundation } = await import('#hub/platform/foundation.ts')
    const foundation = await layFoundation({ env: settled, log, now, metrics })
    stops.push(foundation.stop)

    const openRooms = options.openRooms ?? (await import('#hub/rooms.ts')).openRooms
    const { hub, hooks, mounts, parts } = await openRooms(foundation, stopping.signal)
    for (const part of parts) {
      stops.push(part.stop)
      await part.start()
    }
    stops.push(hub.queue.stop)
    await hub.queue.start({ work: env.roles.includes('worker') })

    const { createApp } = await import('#hub/platform/express-app.ts')
    server.serve({ hooks, app: createApp(mounts, log, metrics), ready: foundation.ready })
    return { url, hub, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const graceMs = 10_000

/** SIGTERM or Ctrl-C: stop and exit with 0, within 10 s. A second one: exit at once; what was in hand is done by the next start. */
export function stopOnSignal(running: RunningHub): void {
  const { log, env } = running.hub
  let isStopping = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (isStopping) process.exit(1)
    isStopping = true
    log.info({ signal }, 'stopping; finishing what is in hand')
    setTimeout(() => {
      log.warn({}, 'some work did not end in time; it is done again by the next start')
      process.exit(0)
    }, graceMs)
    void running.stop().then(() => process.exit(0))
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal)
  // Only now: who hears this may stop the hub at once.
  log.info({ url: running.url, roles: env.roles }, 'the hub is ready')
}
