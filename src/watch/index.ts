/**
 * In: connections whose connector keeps a line open to its vendor. Out: their news, read at once by reconciliation; or what
 * comes down the line itself, stored as a webhook is. One
 * process at a time watches a connection. Never here: what the news are.
 */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Hub } from '#hub/hub.ts'
import type { Part } from '#hub/main.ts'
import { dropLease, takeLease } from '#hub/platform/lease.ts'
import { realTiming, type Timing } from '#hub/platform/timing.ts'
import type { Reconciliation } from '#hub/reconcile/index.ts'
import { keepLine, type LineTools } from './line.ts'

type WatchHub = Pick<Hub, 'db' | 'log'> & {
  readonly connections: Pick<Hub['connections'], 'all' | 'contextFor' | 'onChange' | 'reportFailure' | 'restMs'>
}

const leaseSeconds = 30
/** How often leases are kept, and those of others looked at. */
const beatMs = 10_000
const stopMs = 9_000

interface Watched {
  readonly connection: LoadedConnection
  readonly stopping: AbortController
  readonly ended: Promise<void>
  keptAtMs: number
}

export function createWatch(
  hub: WatchHub,
  sources: Pick<Reconciliation, 'readNews'> & { readonly take?: LineTools['take'] },
  timing: Timing = realTiming,
): Part {
  const owner = randomUUID()
  const lines = new Map<string, Watched>()
  const stopping = new AbortController()
  let following: Promise<void> = Promise.resolve()
  let beating: Promise<void> = Promise.resolve()
  let stopListening = () => {}

  const tools = {
    timing,
    log: hub.log,
    contextFor: (connection: LoadedConnection, signal: AbortSignal) => hub.connections.contextFor(connection, signal),
    read: sources.readNews,
    ...(sources.take ? { take: sources.take } : {}),
    reportFailure: hub.connections.reportFailure,
    restMs: hub.connections.restMs,
  }

  /** One after the other: what there should be, and what there is. */
  function follow(): Promise<void> {
    following = following.then(followOnce).catch((error: unknown) => {
      hub.log.warn({ err: error }, 'watched connections could not be looked at; trying again')
    })
    return following
  }

  async function followOnce() {
    const wanted = new Map(hub.connections.all().flatMap((one) => (isWatchable(one) ? [[one.id, one] as const] : [])))
    for (const [id, line] of lines) {
      const now = wanted.get(id)
      if (!now || !isSameLine(now, line.connection)) await end(id, line)
    }
    if (stopping.signal.aborted) return
    for (const connection of wanted.values()) await hold(connection)
  }

  /** Keeps the line, or opens it when no other process has it. */
  async function hold(connection: LoadedConnection) {
    const line = lines.get(connection.id)
    const askedAtMs = timing.nowMs()
    const isOurs = await takeLease(hub.db, leaseOf(connection.id), leaseSeconds).catch(() => undefined)
    if (line) {
      if (isOurs) line.keptAtMs = askedAtMs
      const isGone = isOurs === false || timing.nowMs() - line.keptAtMs > leaseSeconds * 1_000 - beatMs
      if (isGone) await end(connection.id, line)
      return
    }
    if (!isOurs || stopping.signal.aborted) return
    const stop = new AbortController()
    const ended = keepLine(connection, tools, stop.signal).catch((error: unknown) => {
      hub.log.error({ err: error, connection_id: connection.id }, 'a line ended in an unforeseen way')
    })
    const opened = { connection, stopping: stop, ended, keptAtMs: askedAtMs }
    lines.set(connection.id, opened)
    // One that a person must look at is given up; once they have, it is opened anew.
    void ended.then(async () => {
      if (lines.get(connection.id) === opened) await end(connection.id, opened)
    })
  }

  async function end(id: string, line: Watched) {
    lines.delete(id)
    line.stopping.abort()
    await within(line.ended, stopMs)
    await dropLease(hub.db, leaseOf(id)).catch(() => {})
  }

  function leaseOf(connectionId: string) {
    return { name: `watch:${connectionId}`, owner }
  }

  async function beat() {
    while (!stopping.signal.aborted) {
      await timing.wait(beatMs, stopping.signal)
      if (!stopping.signal.aborted) await follow()
    }
  }

  /** A connector that does not heed its signal must not hold up the stop. */
  async function within(work: Promise<void>, ms: number) {
    const done = new AbortController()
    await Promise.race([work, timing.wait(ms, done.signal)])
    done.abort()
  }

  return {
    start() {
      stopListening = hub.connections.onChange(() => void follow())
      beating = beat()
      void follow()
    },
    async stop() {
      stopListening()
      stopping.abort()
      await Promise.all([...lines].map(([id, line]) => end(id, line)))
      await Promise.all([following, beating])
    },
  }
}

function isWatchable({ connector: { can }, config, status }: LoadedConnection): boolean {
  const hasLine = can.watch !== undefined || can.receive?.line?.isWanted(config) === true
  return hasLine && status !== 'paused' && status !== 'needs_attention'
}

/** A new status or name is no reason to open the line anew; new settings are. */
function isSameLine(a: LoadedConnection, b: LoadedConnection): boolean {
  return isDeepStrictEqual(a.config, b.config)
}
