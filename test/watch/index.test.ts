import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LoadedConnection } from '#hub/connections/index.ts'
import { createWatch } from '#hub/watch/index.ts'
import { quietLog, testDatabase } from '#kit'
import { contextFor, type Run, standing, watchedConnection } from './connection.ts'

const database = testDatabase()
const started: { stop(): Promise<void> }[] = []

beforeEach(() => database.reset())
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})

/** One hub process, with the connections that it knows. */
function process() {
  let all: readonly LoadedConnection[] = []
  let heard = () => {}
  const reads: string[] = []
  const watch = createWatch(
    {
      db: database.db,
      log: quietLog,
      connections: {
        all: () => all,
        contextFor,
        onChange(listener) {
          heard = listener
          return () => {}
        },
        async reportFailure() {},
        restMs: () => 0,
      },
    },
    {
      async readNews(id) {
        reads.push(id)
      },
    },
  )
  started.push(watch)
  return {
    watch,
    reads,
    know(...connections: readonly LoadedConnection[]) {
      all = connections
      heard()
    },
  }
}

/** Counts the lines that stand. */
function counted(inner: Run = standing) {
  const lines = { open: 0, opened: 0 }
  const run: Run = async (signal, onNews) => {
    lines.open += 1
    lines.opened += 1
    await inner(signal, onNews)
    lines.open -= 1
  }
  return { lines, run }
}

const until = (what: string, is: () => boolean) =>
  expect.poll(is, { message: what, timeout: 5_000, interval: 5 }).toBe(true)

describe('watching', () => {
  it('follows connections as they come, change, rest and go', async () => {
    const { lines, run } = counted()
    const hub = process()
    await hub.watch.start()
    hub.know(watchedConnection('con_1', run))
    await until('the line', () => lines.open === 1)
    hub.know(watchedConnection('con_1', run, { status: 'degraded' }))
    hub.know(watchedConnection('con_1', run, { config: { folder: 'Support' } }))
    await until('the line with new settings', () => lines.opened === 2)
    expect(lines.open).toBe(1)
    hub.know(watchedConnection('con_1', run, { config: { folder: 'Support' }, status: 'paused' }))
    await until('rest', () => lines.open === 0)
    hub.know(watchedConnection('con_1', run, { config: { folder: 'Support' } }), watchedConnection('con_2', run))
    await until('both lines', () => lines.open === 2)
    hub.know(watchedConnection('con_2', run))
    await until('one line', () => lines.open === 1)
    expect(lines.opened).toBe(4)
  })

  it('reads what the line told of', async () => {
    const hub = process()
    await hub.watch.start()
    hub.know(
      watchedConnection('con_1', (signal, onNews) => {
        onNews()
        return standing(signal, onNews)
      }),
    )
    await until('the reading', () => hub.reads.length === 1)
    expect(hub.reads).toEqual(['con_1'])
  })

  it('is done by one process at a time, and taken over when that one stops', async () => {
    const [a, b] = [counted(), counted()]
    const [one, other] = [process(), process()]
    await one.watch.start()
    one.know(watchedConnection('con_1', a.run))
    await until('the first line', () => a.lines.open === 1)
    await other.watch.start()
    other.know(watchedConnection('con_1', b.run))
    await one.watch.stop()
    expect([a.lines.open, b.lines.opened]).toEqual([0, 0])
    other.know(watchedConnection('con_1', b.run))
    await until('the second line', () => b.lines.open === 1)
  })

  it('leaves alone what cannot be watched or rests', async () => {
    const { lines, run } = counted()
    const hub = process()
    await hub.watch.start()
    const silent = watchedConnection('con_3', run)
    hub.know(
      watchedConnection('con_1', run, { status: 'paused' }),
      watchedConnection('con_2', run, { status: 'needs_attention' }),
      { ...silent, connector: { ...silent.connector, can: {} } },
      watchedConnection('con_4', run),
    )
    await until('the one line', () => lines.open === 1)
    const leases = await database.db.selectFrom('leases').select('name').execute()
    expect(leases).toEqual([{ name: 'watch:con_4' }])
  })

  it('gives its leases back when it stops', async () => {
    const { lines, run } = counted()
    const hub = process()
    await hub.watch.start()
    hub.know(watchedConnection('con_1', run))
    await until('the line', () => lines.open === 1)
    await hub.watch.stop()
    expect(lines.open).toBe(0)
    expect(await database.db.selectFrom('leases').selectAll().execute()).toEqual([])
  })
})
