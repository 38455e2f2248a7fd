import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createConnections } from '#hub/connections/index.ts'
import { type OpenRooms, type Part, type RunningHub, startHub } from '#hub/main.ts'
import { readEnv } from '#hub/platform/env.ts'
import { quietLog, recordingLog, testDatabase } from '#kit'
import { administer } from './kit/server.ts'

const program = fileURLToPath(new URL('platform/programs/waiting-hub.ts', import.meta.url))

describe('a hub process', () => {
  const database = testDatabase()
  const dataDir = mkdtempSync(join(tmpdir(), 'deskweave-main-'))
  const running: RunningHub[] = []
  const children: ChildProcess[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((hub) => hub.stop()))
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

  const variables = (more = {}) => ({
    DATABASE_URL: database.url,
    DESKWEAVE_DATA: dataDir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ...more,
  })
  async function start(openRooms: OpenRooms, log = quietLog): Promise<RunningHub> {
    const hub = await startHub(readEnv(variables()), { openRooms, log })
    running.push(hub)
    return hub
  }
  function rooms(parts: readonly Part[] = []): OpenRooms {
    return async (foundation) => ({
      hub: { ...foundation, connections: createConnections({ ...foundation, connectors: {} }) },
      hooks: { isShared: () => false, handle: (_request, response) => void response.end('hook') },
      mounts: [(app) => app.get('/hello', (_request, response) => void response.send('hello'))],
      parts,
    })
  }

  it('serves its rooms, ready with database and queue, under its own port', async () => {
    const { url, hub } = await start(rooms())
    expect(hub.env.baseUrl).toBe(url)
    const ready = await fetch(`${url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ready', checks: { database: true, queue: true } },
    ])
    expect(await (await fetch(`${url}/hello`)).text()).toBe('hello')
    expect(await (await fetch(`${url}/hooks/c1`, { method: 'POST' })).text()).toBe('hook')
  })

  it('is not ready when what is sent to it cannot be stored, whatever else works', async () => {
    const { url, hub } = await start(rooms())
    await hub.intake.end()
    const ready = await fetch(`${url}/readyz`)
    expect([ready.status, await ready.json()]).toMatchObject([503, { checks: { database: false, queue: true } }])
  })

  it('works as the role that row-level security binds', async () => {
    const { hub } = await start(rooms())
    const { rows } = await hub.intake.query(
      `select current_user as name, current_setting('deskweave.workspace_id') as workspace`,
    )
    expect(rows).toEqual([{ name: 'deskweave_hub', workspace: 'default' }])
  })

  it('starts its parts in order and stops them in reverse, after the intake', async () => {
    const order: string[] = []
    let url = ''
    const part = (name: string): Part => ({
      start: () => void order.push(`start ${name}`),
      async stop() {
        const intake = await fetch(`${url}/healthz`).then(
          () => 'open',
          () => 'closed',
        )
        order.push(`stop ${name}, intake ${intake}`)
      },
    })
    const hub = await start(rooms([part('a'), part('b')]))
    url = hub.url
    await hub.stop()
    expect(order).toEqual(['start a', 'start b', 'stop b, intake closed', 'stop a, intake closed'])
  })

  it('leaves nothing running when a part does not start', async () => {
    const stopped: string[] = []
    const parts: Part[] = [
      { start() {}, stop: async () => void stopped.push('good') },
      { start: () => Promise.reject(new Error('no such thing')), stop: async () => void stopped.push('bad') },
    ]
    let port = 0
    const opening: OpenRooms = async (foundation, stopping) => {
      port = Number(new URL(foundation.env.baseUrl).port)
      return await rooms(parts)(foundation, stopping)
    }
    await expect(start(opening)).rejects.toThrow('no such thing')
    expect(stopped).toEqual(['bad', 'good'])
    await expect(fetch(`http://localhost:${port}/healthz`)).rejects.toThrow()
  })

  it('warns when the database would lose acknowledged webhooks in a crash', async () => {
    await administer(
      database.url,
      `do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`,
    )
    try {
      const log = recordingLog()
      await start(rooms(), log)
      const warnings = log.lines.filter((line) => line.level === 'warn').map((line) => line.message)
      expect(warnings).toEqual([expect.stringContaining('PostgreSQL runs with synchronous_commit=off')])
    } finally {
      await administer(
        database.url,
        `do $$ begin execute format('alter database %I reset synchronous_commit', current_database()); end $$`,
      )
    }
  })

  async function spawnHub() {
    const child = spawn(process.execPath, [program], { env: variables(), stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const line = async () => (await lines.next()).value
    return { child, line, url: String(await line()) }
  }

  it('finishes what is in hand at SIGTERM and exits with 0', async () => {
    const { child, line, url } = await spawnHub()
    const answer = fetch(`${url}/hooks/waiting`).then((response) => response.text())
    expect(await line()).toBe('in hand')
    child.kill('SIGTERM')
    expect(await answer).toBe('finished')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('exits at once at the second signal', async () => {
    const { child, line, url } = await spawnHub()
    const answer = fetch(`${url}/hooks/never`).catch(() => 'cut')
    expect(await line()).toBe('in hand')
    child.kill('SIGTERM')
    await expect
      .poll(() =>
        fetch(`${url}/healthz`).then(
          () => 'open',
          () => 'closed',
        ),
      )
      .toBe('closed')
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(await answer).toBe('cut')
  })
})
