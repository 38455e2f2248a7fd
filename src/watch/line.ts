/** One connection's open line: opened again after a pause that grows, until it is told to stop or a person must act. */
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Context, Log, Reply } from '#hub/connector/contract.ts'
import type { Timing } from '#hub/platform/timing.ts'

const firstPauseMs = 1_000
const longestPauseMs = 300_000
/** A line that stood this long was a good one: the next pause is short again. */
const provenMs = 120_000
/** News come in bursts: one reading serves all of them. */
const debounceMs = 50

export interface LineTools {
  readonly timing: Timing
  readonly log: Log
  contextFor(connection: LoadedConnection, signal: AbortSignal): Context<unknown>
  /** Reads what changed. Never throws. */
  read(connectionId: string, signal: AbortSignal): Promise<void>
  /** What came down the line itself. @throws Error when it could not be stored */
  take?(connection: LoadedConnection, body: string): Promise<Reply>
  reportFailure(connectionId: string, error: unknown): Promise<void>
  /** How long to leave the connection alone, in ms; Infinity until a person has acted. */
  restMs(connectionId: string): number
}

/** @returns when the signal has aborted and all that was under way has ended, or when the vendor refuses us for good. */
export async function keepLine(connection: LoadedConnection, tools: LineTools, signal: AbortSignal): Promise<void> {
  const { timing, log } = tools
  const reader = createReader(connection.id, tools, signal)
  let failures = 0
  while (!signal.aborted) {
    const restMs = tools.restMs(connection.id)
    if (!Number.isFinite(restMs)) break
    if (restMs > 0) {
      await timing.wait(restMs, signal)
      continue
    }
    const openedAt = timing.nowMs()
    const error = await stand(connection, tools, signal, reader.news)
    if (signal.aborted) break
    if (timing.nowMs() - openedAt >= provenMs) failures = 0
    log.warn({ err: error, connection_id: connection.id }, 'a line that tells of news has ended')
    await tools.reportFailure(connection.id, error)
    await timing.wait(pauseMs(failures, timing.random()), signal)
    failures += 1
  }
  await reader.idle()
}

/** Full jitter: after an outage the lines do not all come back at once. @param failures in a row, from 0. */
export function pauseMs(failures: number, random: number): number {
  return random * Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 30))
}

/** @returns what ended it; undefined when it ended by itself. */
async function stand(
  connection: LoadedConnection,
  tools: LineTools,
  signal: AbortSignal,
  onNews: () => void,
): Promise<unknown> {
  const { watch, receive } = connection.connector.can
  const take = tools.take
  // What a connector still does after its line has ended must not go on with the next one.
  const ended = new AbortController()
  try {
    const context = tools.contextFor(connection, AbortSignal.any([signal, ended.signal]))
    if (watch) {
      await watch.run(context, () => {
        if (!ended.signal.aborted) onNews()
      })
    } else if (receive?.line && take) await receive.line.run(context, (body) => take(connection, body))
    return undefined
  } catch (error) {
    return error
  } finally {
    ended.abort()
  }
}

/** One reading at a time; news during a reading ask for one more, since it may have missed them. */
function createReader(connectionId: string, { timing, read }: LineTools, signal: AbortSignal) {
  let isWanted = false
  let reading: Promise<void> | undefined

  async function work() {
    while (isWanted && !signal.aborted) {
      await timing.wait(debounceMs, signal)
      isWanted = false
      if (!signal.aborted) await read(connectionId, signal)
    }
    reading = undefined
  }
  return {
    news() {
      isWanted = true
      reading ??= work()
    },
    idle: async () => {
      await reading
    },
  }
}
