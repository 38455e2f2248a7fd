/** Pauses that last until a test lets the time pass. */
import type { Timing } from '#hub/platform/timing.ts'

export interface FakeTiming extends Timing {
  /** Lets time pass, and what waits for it happen, in its order. */
  pass(ms: number): Promise<void>
  /** The pauses that were asked for, in ms. */
  readonly asked: readonly number[]
}

/** @param random what every draw gives. */
export function fakeTiming(random = 1): FakeTiming {
  let now = 0
  const waiting = new Map<symbol, { readonly at: number; readonly end: () => void }>()
  const asked: number[] = []
  /** What a promise that was just resolved sets off, some steps deep. */
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    asked,
    nowMs: () => now,
    random: () => random,
    wait(ms, signal) {
      asked.push(ms)
      return new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const key = Symbol()
        const end = () => {
          waiting.delete(key)
          signal.removeEventListener('abort', end)
          resolve()
        }
        waiting.set(key, { at: now + ms, end })
        signal.addEventListener('abort', end)
      })
    },
    async pass(ms) {
      const until = now + ms
      await settle()
      for (;;) {
        const [next] = [...waiting.values()].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
        if (!next) break
        now = next.at
        next.end()
        await settle()
      }
      now = until
    },
  }
}
