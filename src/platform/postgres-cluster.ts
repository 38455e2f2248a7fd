/** Makes the database cluster of an embedded server. What is there and incomplete is set aside, never wiped. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Log } from '#hub/connector/contract.ts'
import type { Binaries } from './postgres-binaries.ts'
import { give, isAlive, type ServerFolders } from './postgres-folders.ts'
import { run } from './postgres-run.ts'

const windows = process.platform === 'win32'
export const superuser = 'deskweave'

/** initdb into a folder of its own, then one rename: a cluster is there whole or not at all. */
export async function makeCluster(folders: ServerFolders, binaries: Binaries, log: Log): Promise<void> {
  const { cluster, parent, account } = folders
  for (const name of readdirSync(parent)) {
    const maker = /^pg\.new-(\d+)$/.exec(name)?.[1]
    if (maker && (Number(maker) === process.pid || !isAlive(Number(maker)))) setAside(join(parent, name), log)
  }
  if (isCluster(cluster)) return checkVersion(cluster, binaries)
  if (existsSync(cluster)) setAside(cluster, log)
  log.info({ folder: cluster }, 'making a new database')
  const unfinished = join(parent, `pg.new-${process.pid}`)
  mkdirSync(unfinished, { mode: 0o700 })
  give(unfinished, account)
  const options = ['-D', unfinished, '-U', superuser, '-E', 'UTF8', '--no-instructions', '--no-locale']
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const access = windows ? ['--auth=scram-sha-256', `--pwfile=${makePassword(folders.password)}`] : ['--auth=trust']
  await run(binaries.initdb, [...options, ...locale, ...access], account, parent)
  try {
    renameSync(unfinished, cluster)
  } catch (error) {
    if (!isCluster(cluster)) throw error
    // Another hub on this folder was faster, and ours has never been used.
    rmSync(unfinished, { recursive: true, force: true })
  }
  if (!windows) syncFolder(parent)
}

function isCluster(folder: string): boolean {
  return existsSync(join(folder, 'PG_VERSION')) && existsSync(join(folder, 'global', 'pg_control'))
}

function checkVersion(cluster: string, binaries: Binaries): void {
  const major = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  if (major === binaries.major) return
  throw new Error(
    `the database in ${cluster} was made by PostgreSQL ${major}, and this hub brings ${binaries.major}: dump it with the ` +
      'old version and restore it into a new data folder, or set DATABASE_URL to a server of the old version.',
  )
}

function setAside(folder: string, log: Log): void {
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-')
  const aside = `${folder.replace(/\.new-\d+$/, '')}.set-aside-${time}-${randomBytes(2).toString('hex')}`
  renameSync(folder, aside)
  log.warn({ folder, aside }, 'an incomplete database folder was set aside; nothing in it was deleted')
}

function makePassword(path: string): string {
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 })
  return path
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  fsyncSync(folder)
  closeSync(folder)
}
