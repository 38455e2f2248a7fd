/** One reading of a connection at a time, in all processes: two would read the same and set each other's cursor back. */
import { randomUUID } from 'node:crypto'
import type { Db } from '#hub/platform/db/database.ts'
import { dropLease, takeLease } from '#hub/platform/lease.ts'
import type { Timing } from '#hub/platform/timing.ts'

const leaseSeconds = 30
const renewMs = 10_000
const waitMs = 500

export interface Readings {
  /**
   * Runs `read` when no other reading of this connection is under way; `skip`: not at all when there is one.
   * @param read ends soon when its signal aborts: the hub stops, or another process has taken over.
   * @returns undefined when it was skipped, or `signal` aborted before its turn.
   */
  alone<T>(
    connectionId: string,
    signal: AbortSignal,
    read: (signal: AbortSignal) => Promise<T>,
    whenBusy: 'wait' | 'skip',
  ): Promise<T | undefined>
}

export function createReadings(db: Db, timing: Timing): Readings {
  const owner = randomUUID()
  const last = new Map<string, Promise<unknown>>()

  async function leased<T>(
    connectionId: string,
    signal: AbortSignal,
    read: (signal: AbortSignal) => Promise<T>,
    whenBusy: 'wait' | 'skip',
  ) {
    const lease = { name: `read:${connectionId}`, owner }
    while (!signal.aborted && !(await takeLease(db, lease, leaseSeconds))) {
      if (whenBusy === 'skip') return undefined
      await timing.wait(waitMs, signal)
    }
    if (signal.aborted) return undefined
    const lost = new AbortController()
    const done = new AbortController()
    const keeping = keep(lease, lost, done.signal)
    try {
      return await read(AbortSignal.any([signal, lost.signal]))
    } finally {
      done.abort()
      await keeping
      await dropLease(db, lease).catch(() => {})
    }
  }

  async function keep(lease: { name: string; owner: string }, lost: AbortController, done: AbortSignal) {
    let keptAt = timing.nowMs()
    for (;;) {
      await timing.wait(renewMs, done)
      if (done.aborted) return
      const askedAt = timing.nowMs()
      const isOurs = await takeLease(db, lease, leaseSeconds).catch(() => undefined)
      if (isOurs) keptAt = askedAt
      if (isOurs === false || timing.nowMs() - keptAt > leaseSeconds * 1_000 - renewMs) return lost.abort()
    }
  }

  return {
    alone(connectionId, signal, read, whenBusy) {
      const before = last.get(connectionId)
      if (before && whenBusy === 'skip') return Promise.resolve(undefined)
      const turn = (before ?? Promise.resolve())
        .catch(() => {})
        .then(() => leased(connectionId, signal, read, whenBusy))
      last.set(connectionId, turn)
      const forget = () => {
        if (last.get(connectionId) === turn) last.delete(connectionId)
      }
      turn.then(forget, forget)
      return turn
    },
  }
}
