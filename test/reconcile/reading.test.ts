import { beforeEach, describe, expect, it } from 'vitest'
import { realTiming } from '#hub/platform/timing.ts'
import { createReadings } from '#hub/reconcile/reading.ts'
import { testDatabase } from '#kit'

const database = testDatabase()
const going = new AbortController().signal
const quick = { ...realTiming, wait: (_ms: number, signal: AbortSignal) => realTiming.wait(5, signal) }

beforeEach(() => database.reset())

/** A reading that lasts until it is let go. */
function slow() {
  let release = () => {}
  const state = { began: false, ended: false }
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    state,
    release,
    async read() {
      state.began = true
      await released
      state.ended = true
      return 1
    },
  }
}
const began = (reading: ReturnType<typeof slow>) => expect.poll(() => reading.state.began).toBe(true)

describe('readings of one connection', () => {
  it('come one after the other in one process', async () => {
    const readings = createReadings(database.db, quick)
    const [first, second] = [slow(), slow()]
    const all = [
      readings.alone('con_1', going, first.read, 'wait'),
      readings.alone('con_1', going, second.read, 'wait'),
    ]
    await began(first)
    expect(await readings.alone('con_1', going, slow().read, 'skip')).toBeUndefined()
    expect(second.state.began).toBe(false)
    first.release()
    await began(second)
    expect(first.state.ended).toBe(true)
    second.release()
    expect(await Promise.all(all)).toEqual([1, 1])
  })

  it('come one after the other in several processes', async () => {
    const [one, other] = [createReadings(database.db, quick), createReadings(database.db, quick)]
    const [first, second] = [slow(), slow()]
    const here = one.alone('con_1', going, first.read, 'wait')
    await began(first)
    expect(await other.alone('con_1', going, slow().read, 'skip')).toBeUndefined()
    const there = other.alone('con_1', going, second.read, 'wait')
    first.release()
    await here
    await began(second)
    second.release()
    expect(await there).toBe(1)
  })

  it('of different connections do not wait for each other', async () => {
    const readings = createReadings(database.db, quick)
    const [first, second] = [slow(), slow()]
    const all = [
      readings.alone('con_1', going, first.read, 'wait'),
      readings.alone('con_2', going, second.read, 'wait'),
    ]
    await began(second)
    await began(first)
    first.release()
    second.release()
    await Promise.all(all)
  })

  it('are given up when another process has taken over', async () => {
    const readings = createReadings(database.db, quick)
    const reading = readings.alone(
      'con_1',
      going,
      (signal) => realTiming.wait(60_000, signal).then(() => 'ended'),
      'wait',
    )
    await expect.poll(async () => (await database.db.selectFrom('leases').selectAll().execute()).length).toBe(1)
    await database.db.updateTable('leases').set({ owner: 'another process' }).execute()
    expect(await reading).toBe('ended')
    expect(await database.db.selectFrom('leases').select('owner').execute()).toEqual([{ owner: 'another process' }])
  })

  it('leave the way free after one that failed, and need not wait when the hub stops', async () => {
    const readings = createReadings(database.db, quick)
    const broken = readings.alone('con_1', going, () => Promise.reject(new Error('no answer')), 'wait')
    await expect(broken).rejects.toThrow('no answer')
    expect(await readings.alone('con_1', AbortSignal.abort(), slow().read, 'wait')).toBeUndefined()
    expect(await readings.alone('con_1', going, async () => 2, 'skip')).toBe(2)
  })
})
