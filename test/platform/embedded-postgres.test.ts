import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedPostgres, startEmbedded } from '#hub/platform/embedded-postgres.ts'
import { fitToRun } from '#hub/platform/postgres-binaries.ts'
import { isAlive, readPidFile } from '#hub/platform/postgres-folders.ts'
import { type Line, quietLog, recordingLog } from '#kit'

const isRoot = process.geteuid?.() === 0
const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 }
const program = fileURLToPath(new URL('programs/embedded-hub.ts', import.meta.url))

describe('the embedded PostgreSQL', () => {
  const home = mkdtempSync(join(tmpdir(), 'deskweave-pg-'))
  const made = join(home, 'made')
  const servers: EmbeddedPostgres[] = []
  const children: ChildProcess[] = []
  let folders = 0

  // One initdb for all tests; each works on a copy of what it made.
  beforeAll(async () => {
    execFileSync('chmod', ['755', home])
    const server = await startEmbedded({ dataDir: made, log: quietLog })
    await server.stop()
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await Promise.all(servers.splice(0).map((server) => server.stop()))
    for (const name of readdirSync(home)) {
      const left = readPidFile(join(home, name, 'pg'))
      if (left && isAlive(left.pid)) process.kill(left.pid, 'SIGQUIT')
    }
  })
  afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))

  function folder(name = `data-${++folders}`): string {
    const copy = join(home, name)
    execFileSync('cp', ['-a', made, copy])
    return copy
  }
  async function start(dataDir: string, log = quietLog): Promise<EmbeddedPostgres> {
    const server = await startEmbedded({ dataDir, log })
    servers.push(server)
    return server
  }
  async function startProcess(dataDir: string, identity: { uid?: number; gid?: number } = {}) {
    const child = spawn(process.execPath, [program, dataDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
      ...identity,
    })
    children.push(child)
    const [line] = await once(createInterface(child.stdout), 'line')
    const { url, adopted }: { url: string; adopted: boolean } = JSON.parse(line)
    return { child, url, adopted }
  }
  async function ask<T extends pg.QueryResultRow>(url: string, question: string): Promise<T[]> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<T>(question)).rows
    } finally {
      await client.end()
    }
  }
  const warnings = (lines: readonly Line[]) => lines.filter((line) => line.level === 'warn').map((line) => line.message)
  const pidOf = (dataDir: string) => readPidFile(join(dataDir, 'pg'))?.pid ?? 0

  it('starts in a new folder, durable, in UTF-8, on a private socket only', async () => {
    const dataDir = join(home, 'new')
    const { url, adopted } = await start(dataDir)
    expect(adopted).toBe(false)
    const settings = await ask<{ name: string; setting: string }>(
      url,
      `select name, setting from pg_settings where name in
       ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'server_encoding') order by name`,
    )
    expect(Object.fromEntries(settings.map((row) => [row.name, row.setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      listen_addresses: '',
      server_encoding: 'UTF8',
    })
    expect(statSync(join(dataDir, 'run')).mode & 0o777).toBe(0o700)
    expect(readdirSync(dataDir).sort()).toEqual(['hubs', 'pg', 'postgres.log', 'run'])
  })

  it('keeps what was stored over a stop, and is gone after it', async () => {
    const dataDir = folder()
    const first = await start(dataDir)
    await ask(first.url, 'create table kept as select 42 as answer')
    const pid = pidOf(dataDir)
    const open = new pg.Client({ connectionString: first.url })
    open.on('error', () => {})
    await open.connect()
    await first.stop()
    expect(isAlive(pid) && existsSync(join(dataDir, 'pg', 'postmaster.pid'))).toBe(false)

    const second = await start(dataDir)
    expect(second.adopted).toBe(false)
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  it('outlives a hub that is killed, and the next hub adopts it', async () => {
    const dataDir = folder()
    const killed = await startProcess(dataDir)
    await ask(killed.url, 'create table kept as select 1 as answer')
    const pid = pidOf(dataDir)
    killed.child.kill('SIGKILL')
    await once(killed.child, 'exit')

    const next = await start(dataDir)
    expect([next.adopted, pidOf(dataDir)]).toEqual([true, pid])
    expect(await ask(next.url, 'select answer from kept')).toEqual([{ answer: 1 }])
    await next.stop()
    expect(existsSync(join(dataDir, 'pg', 'postmaster.pid'))).toBe(false)
  })

  it('serves two hubs on one folder, and the last to stop stops it', async () => {
    const dataDir = folder()
    const [first, second] = await Promise.all([startProcess(dataDir), startProcess(dataDir)])
    expect(first.url).toBe(second.url)
    first.child.stdin?.end()
    await once(first.child, 'exit')
    expect(await ask(second.url, 'select 1 as answer')).toEqual([{ answer: 1 }])
    second.child.stdin?.end()
    await once(second.child, 'exit')
    expect(existsSync(join(dataDir, 'pg', 'postmaster.pid'))).toBe(false)
  })

  it('is made once when two hubs start on an empty folder', async () => {
    const dataDir = join(home, 'race')
    const [first, second] = await Promise.all([startProcess(dataDir), startProcess(dataDir)])
    expect(first.url).toBe(second.url)
    expect(readdirSync(dataDir).filter((name) => name.startsWith('pg'))).toEqual(['pg'])
  })

  it('comes back when it is killed itself, with everything that was committed', async () => {
    const dataDir = folder()
    const log = recordingLog()
    const { url } = await start(dataDir, log)
    await ask(url, 'create table kept as select 7 as answer')
    const pid = pidOf(dataDir)
    process.kill(pid, 'SIGKILL')
    await expect
      .poll(() => ask(url, 'select answer from kept').catch(() => 'away'), { timeout: 10_000 })
      .toEqual([{ answer: 7 }])
    expect(pidOf(dataDir)).not.toBe(pid)
    expect(warnings(log.lines)).toEqual(['embedded PostgreSQL has stopped; starting it again'])
  })

  it('starts although the pid of a killed server belongs to another process now', async () => {
    const dataDir = folder()
    writeFileSync(
      join(dataDir, 'pg', 'postmaster.pid'),
      `${process.pid}\n${dataDir}/pg\n1\n5432\n${dataDir}/run\n\n  1 1\nready   \n`,
    )
    const { url, adopted } = await start(dataDir)
    expect([adopted, await ask(url, 'select 1 as answer')]).toEqual([false, [{ answer: 1 }]])
  })

  it('sets incomplete folders aside, with a message, and deletes nothing', async () => {
    const dataDir = join(home, 'incomplete')
    for (const name of ['pg', 'pg.new-99999999']) {
      mkdirSync(join(dataDir, name), { recursive: true })
      writeFileSync(join(dataDir, name, 'PG_VERSION'), '18\n')
    }
    const log = recordingLog()
    const { url } = await start(dataDir, log)
    expect(await ask(url, 'select 1 as answer')).toEqual([{ answer: 1 }])
    const message = 'an incomplete database folder was set aside; nothing in it was deleted'
    expect(warnings(log.lines)).toEqual([message, message])
    const aside = readdirSync(dataDir).filter((name) => name.startsWith('pg.set-aside-'))
    expect(aside.map((name) => readFileSync(join(dataDir, name, 'PG_VERSION'), 'utf8'))).toEqual(['18\n', '18\n'])
  })

  it('refuses a database of another major version, naming both', async () => {
    const dataDir = folder()
    writeFileSync(join(dataDir, 'pg', 'PG_VERSION'), '14\n')
    await expect(start(dataDir)).rejects.toThrow(/was made by PostgreSQL 14, and this hub brings 18/)
  })

  it("tells the server's own words when it does not start", async () => {
    const dataDir = folder()
    writeFileSync(join(dataDir, 'pg', 'postgresql.conf'), 'no_such_setting = 1\n')
    await expect(start(dataDir)).rejects.toThrow(/did not start: .*no_such_setting.*DATABASE_URL/s)
  })

  it('puts its socket elsewhere when the path of the folder is too long for one', async () => {
    const { url } = await start(folder('long-'.repeat(20)))
    const sockets = new URL(url).searchParams.get('host') ?? ''
    expect(sockets).toMatch(/[/]deskweave-[0-9a-f]{16}$/)
    expect(await ask(url, 'select 1 as answer')).toEqual([{ answer: 1 }])
    await servers.pop()?.stop()
    rmSync(sockets, { recursive: true })
  })

  it.runIf(isRoot)('runs for an ordinary user as that user', async () => {
    const dataDir = join(home, 'ordinary')
    mkdirSync(dataDir)
    chownSync(dataDir, nobody.uid, nobody.gid)
    const { url, child } = await startProcess(dataDir, { uid: nobody.uid, gid: nobody.gid })
    expect(statSync(join(dataDir, 'pg')).uid).toBe(nobody.uid)
    // And root adopts it, as the user it belongs to.
    child.kill('SIGKILL')
    await once(child, 'exit')
    const next = await start(dataDir)
    expect([next.adopted, next.url]).toEqual([true, url])
    await next.stop()
    const again = await start(dataDir)
    expect(await ask(again.url, 'select 1 as answer')).toEqual([{ answer: 1 }])
    expect(statSync(join(dataDir, 'pg', 'postmaster.pid')).uid).toBe(nobody.uid)
  })

  it.runIf(isRoot)('keeps the database elsewhere when its user may not reach the data folder', async () => {
    const closed = join(home, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const dataDir = join(closed, 'data')
    const log = recordingLog()
    const first = await start(dataDir, log)
    await ask(first.url, 'create table kept as select 5 as answer')
    await first.stop()
    const elsewhere = readlinkSync(join(dataDir, 'postgres'))
    try {
      expect(warnings(log.lines)).toEqual([
        expect.stringContaining('may not enter the data folder, so the database is kept elsewhere'),
      ])
      const second = await start(dataDir)
      expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 5 }])
      await second.stop()
    } finally {
      rmSync(elsewhere, { recursive: true, force: true })
    }
  })
})

describe('its programs', () => {
  const home = mkdtempSync(join(tmpdir(), 'deskweave-native-'))
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  function native(name: string): string {
    const path = join(home, name, 'native')
    mkdirSync(join(path, 'lib'), { recursive: true })
    writeFileSync(join(path, 'lib', 'libpq.so.5.18'), 'elf')
    writeFileSync(join(path, 'lib', 'libpq.a'), 'static')
    const link = { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }
    writeFileSync(join(path, 'pg-symlinks.json'), JSON.stringify([link]))
    return path
  }

  it('get the library links that an installation without scripts lacks', () => {
    const path = native('plain')
    expect(fitToRun(path, undefined, join(home, 'unused'))).toBe(path)
    expect(readlinkSync(join(path, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18')
    expect(fitToRun(path, undefined, join(home, 'unused'))).toBe(path)
    expect(existsSync(join(home, 'unused'))).toBe(false)
  })

  it.runIf(isRoot)('are copied once, without what only compilers need, when their user cannot reach them', () => {
    const path = native('closed')
    symlinkSync('libpq.so.5.18', join(path, 'lib', 'libpq.so'))
    const copy = fitToRun(path, nobody, join(home, 'copy'))
    expect(copy).toBe(join(home, 'copy', 'native'))
    expect(readdirSync(join(copy, 'lib')).sort()).toEqual(['libpq.so', 'libpq.so.5', 'libpq.so.5.18'])
    expect(readlinkSync(join(copy, 'lib', 'libpq.so'))).toBe('libpq.so.5.18')
    const before = lstatSync(copy).ino
    expect(lstatSync(fitToRun(path, nobody, join(home, 'copy'))).ino).toBe(before)
  })
})
