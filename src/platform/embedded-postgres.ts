/**
 * The PostgreSQL that travels with the hub, for people who bring none: a real server in the data folder, on a private
 * socket. It outlives a killed hub and is adopted by the next one; hubs on one data folder share it, and the last one
 * to stop cleanly stops it.
 *
 * Never here: wiping anything. What cannot be used is set aside.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '#hub/connector/contract.ts'
import { type Binaries, findBinaries } from './postgres-binaries.ts'
import { makeCluster, superuser } from './postgres-cluster.ts'
import {
  isAlive,
  isUp,
  type PidFile,
  prepareFolders,
  readPidFile,
  type ServerFolders,
  worksIn,
} from './postgres-folders.ts'
import { joinHubs } from './postgres-hubs.ts'
import { cannotRun, environment, identity, run } from './postgres-run.ts'

const windows = process.platform === 'win32'

/** Small on purpose: one hub, one machine. fsync and full_page_writes stay on: a 2xx means "on disk". */
const settings = {
  max_connections: '60',
  shared_buffers: '64MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  max_wal_size: '512MB',
  checkpoint_timeout: '15min',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  io_method: 'sync',
  autovacuum_max_workers: '2',
  max_parallel_workers: '2',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
}

const oversizedLogBytes = 10 * 1024 * 1024
const retryMs = 60_000
const stopMs = 20_000
const watchMs = 1_000

export interface EmbeddedPostgres {
  /** For a superuser of this server; stays valid over restarts of it. */
  readonly url: string
  /** It was running already. */
  readonly adopted: boolean
  /** Stops the server unless another hub uses it. */
  stop(): Promise<void>
}

/** @throws Error with the server's own words when it does not start, or naming DATABASE_URL when there is none here. */
export async function startEmbedded(options: {
  readonly dataDir: string
  readonly log: Log
}): Promise<EmbeddedPostgres> {
  const { log } = options
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true })
  const folders = await prepareFolders(dataDir, log)
  const binaries = findBinaries(folders.account, dataDir)
  const hubs = joinHubs(dataDir)
  try {
    const { url, adopted } = await ensureRunning(folders, binaries, log)
    const watch = keepRunning(folders, binaries, log)
    return {
      url,
      adopted,
      async stop() {
        await watch.end()
        hubs.leave()
        const others = hubs.others()
        if (others > 0) log.info({ others }, 'embedded PostgreSQL stays up for another hub')
        else await stopServer(folders, binaries, log)
      },
    }
  } catch (error) {
    hubs.leave()
    throw error
  }
}

/** The server may be stopped from outside (another hub's clean stop, an OOM kill): start it again. */
function keepRunning(folders: ServerFolders, binaries: Binaries, log: Log): { end(): Promise<void> } {
  let busy: Promise<unknown> | undefined
  const timer = setInterval(() => {
    if (busy || isUp(folders.cluster)) return
    log.warn({}, 'embedded PostgreSQL has stopped; starting it again')
    busy = ensureRunning(folders, binaries, log)
      .catch((error: unknown) => log.error({ err: error }, 'embedded PostgreSQL does not start; trying again'))
      .finally(() => {
        busy = undefined
      })
  }, watchMs)
  timer.unref()
  return {
    async end() {
      clearInterval(timer)
      await busy
    },
  }
}

async function ensureRunning(
  folders: ServerFolders,
  binaries: Binaries,
  log: Log,
): Promise<{ url: string; adopted: boolean }> {
  await makeCluster(folders, binaries, log)
  for (const deadline = performance.now() + retryMs; ; await sleep(100)) {
    if (isUp(folders.cluster)) {
      const url = await untilReady(folders, log, () => isUp(folders.cluster))
      if (url) return { url, adopted: true }
      continue
    }
    dropStalePidFile(folders.cluster)
    const attempt = await launch(folders, binaries)
    const url = await untilReady(folders, log, attempt.lives)
    if (url) return { url, adopted: false }
    const words = attempt.words()
    // Another hub is starting it at this moment, or the last process of a killed server is on its way out.
    const isHeld = /postmaster\.pid" already exists|pre-existing shared memory block/.test(words)
    if (isHeld && performance.now() < deadline) continue
    throw new Error(
      `embedded PostgreSQL did not start: ${words || 'it ended without a word'}. ` +
        `Its log is ${folders.log}; another database can be given as DATABASE_URL.`,
    )
  }
}

/** Waits as long as the server lives (crash recovery takes the time it takes); undefined when it went away. */
async function untilReady(folders: ServerFolders, log: Log, lives: () => boolean): Promise<string | undefined> {
  const begun = performance.now()
  for (let sayAfterMs = 10_000; ; await sleep(5)) {
    const alive = lives()
    const file = readPidFile(folders.cluster)
    if (file?.status === 'ready' && isAlive(file.pid)) {
      const url = urlOf(folders, file)
      if (await answers(url)) return url
    }
    if (!alive) return undefined
    const waitedMs = Math.round(performance.now() - begun)
    if (waitedMs > sayAfterMs) {
      log.info({ waitedMs, serverLog: folders.log }, 'embedded PostgreSQL is still starting')
      sayAfterMs += 10_000
    }
  }
}

function urlOf(folders: ServerFolders, file: PidFile): string {
  if (file.socketDir) {
    return `postgresql://${superuser}@localhost:${file.port}/postgres?host=${encodeURIComponent(file.socketDir)}`
  }
  return `postgresql://${superuser}:${readFileSync(folders.password, 'utf8').trim()}@127.0.0.1:${file.port}/postgres`
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** Left by a server that was killed. PostgreSQL refuses to start when its pid has gone to another process since. */
function dropStalePidFile(cluster: string): void {
  const file = readPidFile(cluster)
  if (file && isAlive(file.pid) && worksIn(file.pid, cluster) === false)
    rmSync(join(cluster, 'postmaster.pid'), { force: true })
}

interface Attempt {
  /** The launched process is still there. */
  lives(): boolean
  /** What the server said since it was launched: its last lines. */
  words(): string
}

async function launch(folders: ServerFolders, binaries: Binaries): Promise<Attempt> {
  const before = logSize(folders.log)
  if (before > oversizedLogBytes) renameSync(folders.log, `${folders.log}.1`)
  const from = before > oversizedLogBytes ? 0 : before
  const words = () => lastWords(folders.log, from)
  const values = { ...settings, ...listening(folders) }
  const args = Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  if (windows) {
    // pg_ctl takes away the administrator's rights, with which the server refuses to run. No pipes: the server would
    // inherit them, and their end would never come.
    const control = spawn(
      binaries.pgCtl,
      ['start', '-w', '-D', folders.cluster, '-l', folders.log, '-o', args.join(' ')],
      { stdio: 'ignore', windowsHide: true, env: environment(), cwd: folders.parent },
    )
    await once(control, 'exit')
    return { lives: () => isUp(folders.cluster), words }
  }
  const output = openSync(folders.log, 'a', 0o600)
  // Detached: neither Ctrl-C in the terminal nor the hub's death reaches it.
  const child = spawn(binaries.postgres, ['-D', folders.cluster, ...args], {
    detached: true,
    stdio: ['ignore', output, output],
    env: environment(),
    cwd: folders.cluster,
    ...identity(folders.account),
  })
  closeSync(output)
  child.unref()
  await new Promise<void>((launched, failed) => {
    child.once('spawn', launched)
    child.once('error', (error) => failed(cannotRun(binaries.postgres, error)))
  })
  return { lives: () => child.exitCode === null && child.signalCode === null, words }
}

function listening(folders: ServerFolders): Record<string, string> {
  if (!folders.sockets) return { listen_addresses: '127.0.0.1', port: String(folders.port) }
  return {
    listen_addresses: '',
    port: String(folders.port),
    unix_socket_directories: folders.sockets,
    unix_socket_permissions: '0700',
  }
}

function lastWords(log: string, from: number): string {
  if (logSize(log) <= from) return ''
  return readFileSync(log).subarray(from).toString('utf8').trim().split('\n').slice(-5).join('\n')
}

function logSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

async function stopServer(folders: ServerFolders, binaries: Binaries, log: Log): Promise<void> {
  const file = readPidFile(folders.cluster)
  if (!file || !isUp(folders.cluster)) return
  if (windows) {
    await run(binaries.pgCtl, ['stop', '-m', 'fast', '-D', folders.cluster], undefined, folders.parent)
    return
  }
  process.kill(file.pid, 'SIGINT')
  for (const deadline = performance.now() + stopMs; performance.now() < deadline; await sleep(10)) {
    if (readPidFile(folders.cluster)?.pid !== file.pid || !isUp(folders.cluster)) return
  }
  log.warn(
    { pid: file.pid, serverLog: folders.log },
    'embedded PostgreSQL is taking long to stop; it goes on by itself',
  )
}
