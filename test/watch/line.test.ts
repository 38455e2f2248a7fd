import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectorError } from '#hub/connector/errors.ts'
import { keepLine, type LineTools, pauseMs } from '#hub/watch/line.ts'
import { fakeTiming, quietLog } from '#kit'
import { contextFor, type Run, standing, watchedConnection } from './connection.ts'

const unavailable = () => new ConnectorError('unavailable', 'imap.example: connection refused')
const refused = () => new ConnectorError('auth_failed', 'imap.example: the password was refused')

function scene(run: Run) {
  const timing = fakeTiming()
  const stop = new AbortController()
  const seen = { runs: 0, reads: 0, readingNow: 0, readingMost: 0, failures: [] as unknown[], hasEnded: false }
  const rests: number[] = []
  let during = async () => {}
  const tools: LineTools = {
    timing,
    log: quietLog,
    contextFor,
    async read() {
      seen.reads += 1
      seen.readingNow += 1
      seen.readingMost = Math.max(seen.readingMost, seen.readingNow)
      await during()
      seen.readingNow -= 1
    },
    async reportFailure(_id, error) {
      seen.failures.push(error)
    },
    restMs: () => rests.shift() ?? 0,
  }
  const connection = watchedConnection('con_1', async (signal, onNews) => {
    seen.runs += 1
    await run(signal, onNews)
  })
  // Not before the test has what it is given here.
  const done = Promise.resolve()
    .then(() => keepLine(connection, tools, stop.signal))
    .then(() => {
      seen.hasEnded = true
    })
  return {
    timing,
    stop,
    seen,
    rests,
    done,
    whileReading(work: () => Promise<void>) {
      during = work
    },
  }
}

describe('a line', () => {
  it('has its news read at once, a burst of them by one reading', async () => {
    const { timing, seen, stop, done } = scene(async (signal, onNews) => {
      for (let n = 0; n < 20; n += 1) onNews()
      await standing(signal, onNews)
    })
    await timing.pass(49)
    expect(seen.reads).toBe(0)
    await timing.pass(1)
    expect(seen.reads).toBe(1)
    stop.abort()
    await done
  })

  it('reads once more for news that come during a reading, and never twice at a time', async () => {
    let tell = () => {}
    const { timing, seen, stop, done, whileReading } = scene(async (signal, onNews) => {
      tell = onNews
      await standing(signal, onNews)
    })
    whileReading(() => timing.wait(1_000, new AbortController().signal))
    await timing.pass(0)
    tell()
    await timing.pass(500)
    for (let n = 0; n < 3; n += 1) tell()
    await timing.pass(5_000)
    expect(seen).toMatchObject({ reads: 2, readingMost: 1 })
    stop.abort()
    await timing.pass(0)
    await done
  })

  it('is opened again after pauses that double up to five minutes', async () => {
    const { timing, seen, stop, done } = scene(() => Promise.reject(unavailable()))
    await timing.pass(3_600_000)
    expect(timing.asked.slice(0, 11)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000,
    ])
    expect(seen.failures).toHaveLength(seen.runs)
    stop.abort()
    await done
  })

  it('pauses shortly again only after a line that stood for two minutes', async () => {
    let standsForMs = 119_999
    const { timing, stop, done } = scene(async (signal) => {
      await timing.wait(standsForMs, signal)
      if (!signal.aborted) throw unavailable()
    })
    await timing.pass(2 * 119_999 + 1_000 + 2_000)
    standsForMs = 120_000
    await timing.pass(119_999 + 120_000 + 10_000)
    const pauses = timing.asked.filter((ms) => ms < 119_000)
    expect(pauses).toEqual([1_000, 2_000, 4_000, 1_000])
    stop.abort()
    await done
  })

  it('is opened again when it ends without a word', async () => {
    const { timing, seen, stop, done } = scene(async () => {})
    await timing.pass(1_000)
    expect(seen.runs).toBe(2)
    expect(seen.failures).toEqual([undefined, undefined])
    stop.abort()
    await done
  })

  it('is not opened while the connection rests, and given up when a person has to act', async () => {
    const { timing, seen, rests, done } = scene(() => Promise.reject(refused()))
    rests.push(0, 60_000, 0, 300_000, 0, Number.POSITIVE_INFINITY)
    await timing.pass(60_000 + 300_000 + 10_000)
    await done
    expect(timing.asked).toEqual([1_000, 60_000, 2_000, 300_000, 4_000])
    expect(seen).toMatchObject({ runs: 3, hasEnded: true })
    expect(seen.failures).toHaveLength(3)
  })

  it('ends with its reading when it is told to stop', async () => {
    const { timing, seen, stop, done, whileReading } = scene(async (signal, onNews) => {
      onNews()
      await standing(signal, onNews)
    })
    let finish = () => {}
    whileReading(() => new Promise((resolve) => (finish = resolve)))
    await timing.pass(50)
    stop.abort()
    await timing.pass(0)
    expect(seen).toMatchObject({ reads: 1, hasEnded: false })
    finish()
    await done
  })

  it('is deaf to a run that has ended', async () => {
    const calls: (() => void)[] = []
    const { timing, seen, stop, done } = scene(async (signal, onNews) => {
      calls.push(onNews)
      if (calls.length === 1) throw unavailable()
      await standing(signal, onNews)
    })
    await timing.pass(1_000)
    calls[0]?.()
    await timing.pass(1_000)
    expect(seen.reads).toBe(0)
    stop.abort()
    await done
  })

  it('pauses within the window, whatever is drawn', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const pause = pauseMs(failures, random)
        expect(pause).toBeGreaterThanOrEqual(0)
        expect(pause).toBeLessThanOrEqual(Math.min(300_000, 1_000 * 2 ** failures))
      }),
    )
  })
})
