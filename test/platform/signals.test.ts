import { afterEach, describe, expect, it } from 'vitest'
import { createSignals, type Signals } from '#hub/platform/signals.ts'
import { quietLog, recordingLog, testDatabase } from '#kit'
import { administer } from '../kit/server.ts'
import { blackHole } from './black-hole.ts'

describe('signals', () => {
  const database = testDatabase()
  const started: Signals[] = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map((signals) => signals.stop()))
  })

  /** As another process would: with a connection of its own. */
  async function start(workspaceId = 'test', log = quietLog): Promise<Signals> {
    const role = database.role ? { role: database.role } : {}
    const signals = createSignals({ url: database.url, workspaceId, ...role }, log)
    started.push(signals)
    await signals.start()
    return signals
  }
  function next(signals: Signals, topic: string): Promise<string | undefined> {
    return new Promise((resolve) => signals.on(topic, resolve))
  }

  it('are heard in the same process at once, and once', async () => {
    const signals = await start()
    const heard: (string | undefined)[] = []
    const stopListening = signals.on('inbox', (detail) => heard.push(detail))
    signals.raise('inbox')
    signals.raise('inbox', 'c1')
    expect(heard).toEqual([undefined, 'c1'])

    const other = await start()
    const round = next(signals, 'round')
    signals.raise('inbox', 'c2')
    other.raise('round')
    await round
    expect(heard).toEqual([undefined, 'c1', 'c2'])
    stopListening()
    signals.raise('inbox')
    expect(heard).toHaveLength(3)
  })

  it('are heard in another process, with their detail', async () => {
    const [one, two] = [await start(), await start()]
    const heard = next(two, 'connections')
    one.raise('connections', 'c_1')
    expect(await heard).toBe('c_1')
  })

  it('stay within their workspace', async () => {
    const [mine, theirs, also] = [await start(), await start('other'), await start()]
    let leaked = 0
    theirs.on('inbox', () => {
      leaked += 1
    })
    const heard = next(also, 'inbox')
    mine.raise('inbox')
    await heard
    const flushed = next(theirs, 'flush')
    const otherSide = await start('other')
    otherSide.raise('flush')
    await flushed
    expect(leaked).toBe(0)
  })

  it('of a transaction are heard when it commits, and never when it does not', async () => {
    const signals = await start()
    const heard: (string | undefined)[] = []
    signals.on('rules', (detail) => heard.push(detail))
    const failing = database.db.transaction().execute(async (trx) => {
      await signals.notifySql('rules', 'rolled back').execute(trx)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    const committed = next(signals, 'rules')
    await database.db.transaction().execute((trx) => signals.notifySql('rules', 'committed').execute(trx))
    await committed
    expect(heard).toEqual(['committed'])
  })

  it('come back after the connection is cut, and then every topic is heard once', async () => {
    const log = recordingLog()
    const signals = await start('test', log)
    const caughtUp = next(signals, 'inbox')
    await administer(
      database.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'deskweave-signals' and datname = current_database()`,
    )
    expect(await caughtUp).toBeUndefined()
    expect(log.lines.map((line) => line.level)).toEqual(['warn'])
    const heard = next(signals, 'outbox')
    const other = await start()
    other.raise('outbox')
    expect(await heard).toBeUndefined()
  })

  it('come back when the network swallows everything without a word', async () => {
    await using proxy = await blackHole(database.url)
    const role = database.role ? { role: database.role } : {}
    const signals = createSignals({ url: proxy.url, workspaceId: 'test', ...role }, quietLog, {
      everyMs: 50,
      timeoutMs: 50,
    })
    started.push(signals)
    await signals.start()
    const caughtUp = next(signals, 'inbox')
    proxy.swallow()
    expect(await caughtUp).toBeUndefined()
  })

  it('keep going when a listener throws', async () => {
    const log = recordingLog()
    const signals = await start('test', log)
    let heard = 0
    signals.on('inbox', () => {
      throw new Error('mine')
    })
    signals.on('inbox', () => {
      heard += 1
    })
    signals.raise('inbox')
    expect([heard, log.lines.map((line) => line.message)]).toEqual([1, ['a listener failed']])
  })
})
