/** Where an embedded server keeps its things, whom it runs as, and what its pid file says. */
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Log } from '#hub/connector/contract.ts'
import { freePort } from './free-port.ts'
import { type Account, isReachable, sharedFolder } from './postgres-binaries.ts'

export interface ServerFolders {
  readonly account: Account | undefined
  /** Holds the cluster; the data folder itself, unless the server's user cannot enter that. */
  readonly parent: string
  readonly cluster: string
  /** Absent on Windows, where the server listens on 127.0.0.1. */
  readonly sockets: string | undefined
  readonly port: number
  readonly log: string
  readonly password: string
}

export interface PidFile {
  readonly pid: number
  readonly port: number
  readonly socketDir: string
  readonly status: string
}

/** Whether a database has been made for this data folder, in it or elsewhere. */
export function hasCluster(dataDir: string): boolean {
  return [join(dataDir, 'pg'), join(dataDir, 'postgres', 'pg')].some((folder) => existsSync(folder))
}

/** The path of a Unix socket fits in 104 bytes on some systems, and PostgreSQL appends `/.s.PGSQL.5432.lock`. */
const longestSocketFolder = 84

export async function prepareFolders(dataDir: string, log: Log): Promise<ServerFolders> {
  const account = serverAccount(dataDir)
  const parent = reachableParent(dataDir, account, log)
  const cluster = join(parent, 'pg')
  const sockets = process.platform === 'win32' ? undefined : socketFolder(parent, account)
  return {
    account,
    parent,
    cluster,
    sockets,
    port: sockets ? 5432 : await ownPort(join(dataDir, 'pg.port')),
    log: join(dataDir, 'postgres.log'),
    password: join(dataDir, 'pg.password'),
  }
}

/** Not root: ourselves. Root: the owner of the cluster; for a new one `postgres`, else `nobody`. */
function serverAccount(dataDir: string): Account | undefined {
  if (process.geteuid?.() !== 0) return undefined
  const cluster =
    statSync(join(dataDir, 'pg'), { throwIfNoEntry: false }) ??
    statSync(join(dataDir, 'postgres', 'pg'), { throwIfNoEntry: false })
  if (cluster && cluster.uid !== 0) return { name: `user ${cluster.uid}`, uid: cluster.uid, gid: cluster.gid }
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (Number(uid) > 0 && Number(gid) >= 0) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new Error(
    'PostgreSQL does not run as root, and /etc/passwd has neither a user "postgres" nor "nobody" to run it as: ' +
      'start the hub as another user, or set DATABASE_URL.',
  )
}

function reachableParent(dataDir: string, account: Account | undefined, log: Log): string {
  const real = realpathSync(dataDir)
  letPass(real, account)
  if (isReachable(real, account)) return real
  const link = join(real, 'postgres')
  if (existsSync(join(real, 'pg'))) {
    throw new Error(
      `the database in ${real} cannot be reached by ${account?.name}, whom it belongs to: open the folders above it (chmod o+x)`,
    )
  }
  if (lstatSync(link, { throwIfNoEntry: false })) return readlinkSync(link)
  const elsewhere = join(sharedFolder, `data-${randomBytes(6).toString('hex')}`)
  mkdirSync(elsewhere, { recursive: true, mode: 0o755 })
  symlinkSync(elsewhere, link)
  log.warn(
    { folder: elsewhere, link },
    `${account?.name} may not enter the data folder, so the database is kept elsewhere; back up both`,
  )
  return elsewhere
}

/** The data folder is the hub's own: its group may pass through, and see nothing. */
function letPass(folder: string, account: Account | undefined): void {
  if (!account || isReachable(folder, account) || !isReachable(dirname(folder), account)) return
  const { uid, mode } = statSync(folder)
  if (uid !== process.geteuid?.()) return
  chownSync(folder, uid, account.gid)
  chmodSync(folder, (mode & 0o700) | 0o010)
}

function socketFolder(parent: string, account: Account | undefined): string {
  const inside = join(parent, 'run')
  const fits = Buffer.byteLength(inside) <= longestSocketFolder
  const hash = createHash('sha256').update(parent).digest('hex').slice(0, 16)
  const folder = fits ? inside : join(account ? '/tmp' : tmpdir(), `deskweave-${hash}`)
  const owner = account?.uid ?? process.geteuid?.()
  const there = lstatSync(folder, { throwIfNoEntry: false })
  if (!there) {
    mkdirSync(folder, { mode: 0o700 })
    give(folder, account)
  } else if (!there.isDirectory() || (there.uid !== owner && there.uid !== process.geteuid?.())) {
    throw new Error(
      `${folder} belongs to somebody else; PostgreSQL's socket needs it: remove it, or use a data folder with a shorter path`,
    )
  } else give(folder, account)
  chmodSync(folder, 0o700)
  return folder
}

/** Chosen once and kept, so that the address stays the same over restarts. */
async function ownPort(file: string): Promise<number> {
  if (!existsSync(file)) writeFileSync(file, `${await freePort()}\n`)
  return Number(readFileSync(file, 'utf8').trim())
}

export function give(path: string, account: Account | undefined): void {
  if (account) chownSync(path, account.uid, account.gid)
}

/** @returns undefined when there is none, or it is just being written. Layout: PostgreSQL's `pidfile.h`. */
export function readPidFile(cluster: string): PidFile | undefined {
  let text: string
  try {
    text = readFileSync(join(cluster, 'postmaster.pid'), 'utf8')
  } catch {
    return undefined
  }
  const lines = text.split('\n')
  const pid = Number(lines[0])
  if (!(pid > 0)) return undefined
  return { pid, port: Number(lines[3] ?? 0), socketDir: lines[4] ?? '', status: (lines[7] ?? '').trim() }
}

/** Is the server that the pid file names alive? A pid that went to another program since is not it. */
export function isUp(cluster: string): boolean {
  const file = readPidFile(cluster)
  return file !== undefined && isAlive(file.pid) && worksIn(file.pid, cluster) !== false
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** A postmaster's working folder is its cluster. Undefined where the system does not tell. */
export function worksIn(pid: number, cluster: string): boolean | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster)
  } catch (error) {
    // ENOENT: a zombie has no folder any more.
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? false : undefined
  }
}
