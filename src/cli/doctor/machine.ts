/** The machine, the data folder and the address, before any database is asked. */
import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Env } from '#hub/platform/env.ts'
import { isHubAt } from '../running-hub.ts'
import { type Check, notice, ok, words, wrong } from './check.ts'

const gib = 1024 ** 3
/** The check of whether a hub runs: a `notice` when none does. */
export const hubCheck = 'hub'

export async function checkMachine(env: Env): Promise<readonly Check[]> {
  return [
    checkNode(process.versions.node),
    await checkFolder(env.dataDir),
    await checkDisk(env.dataDir),
    await checkKey(env),
    ...checkAddress(env.baseUrl),
    await checkRunning(env),
  ]
}

function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
    ? ok('Node', version)
    : wrong('Node', version, 'install Node 22.18 or newer, or start it with npx deskweave, which brings its own')
}

async function checkFolder(dataDir: string): Promise<Check> {
  const there = await nearestFolder(dataDir)
  try {
    await access(there, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return wrong('data folder', `${there} cannot be written`, 'let the user that runs the hub own it')
  }
  return ok('data folder', there === dataDir ? dataDir : `${dataDir} (made at the first start)`)
}

async function checkDisk(dataDir: string): Promise<Check> {
  const { bavail, bsize } = await statfs(await nearestFolder(dataDir))
  const free = bavail * bsize
  const detail = `${(free / gib).toFixed(1)} GiB free where the data folder is`
  if (free < gib / 4) return wrong('disk', detail, 'make room: PostgreSQL stops when the disk is full')
  return free < 2 * gib ? notice('disk', detail, 'make room soon') : ok('disk', detail)
}

async function checkKey(env: Env): Promise<Check> {
  const name = 'secret key'
  if (env.secretKeys) return ok(name, 'from DESKWEAVE_SECRET_KEY')
  const file = join(env.dataDir, 'secret.key')
  const mode = await stat(file)
    .then((found) => found.mode & 0o777)
    .catch(() => undefined)
  if (mode === undefined) return notice(name, `made at the first start, in ${file}`)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    return wrong(name, `others may read ${file} (mode ${mode.toString(8)})`, `chmod 600 ${file}`)
  }
  return ok(name, `in ${file}; back it up apart from the database`)
}

function checkAddress(baseUrl: string): readonly Check[] {
  const name = 'address'
  const { protocol, hostname } = new URL(baseUrl)
  if (/^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[::1\]|0\.0\.0\.0)/.test(hostname)) {
    const todo = 'set DESKWEAVE_BASE_URL to the address under which vendors and customers reach this hub'
    return [notice(name, `${baseUrl}: only this machine or network can reach it`, todo)]
  }
  if (protocol !== 'https:') {
    return [
      wrong(name, `${baseUrl} is not encrypted`, 'put a TLS proxy before the hub and use https in DESKWEAVE_BASE_URL'),
    ]
  }
  return [ok(name, baseUrl)]
}

async function checkRunning(env: Env): Promise<Check> {
  const local = `http://localhost:${env.port}`
  const addresses = [...new Set([env.baseUrl, local])]
  const answers = await Promise.all(addresses.map(isHubAt))
  const name = hubCheck
  if (answers[0]) return ok(name, `answers at ${env.baseUrl}`)
  if (answers[1]) {
    const todo = 'check DNS and the proxy between them; webhooks do not come through'
    return wrong(name, `answers at ${local}, and not at ${env.baseUrl}`, todo)
  }
  return notice(name, `does not run at ${addresses.join(' or ')}`, 'start it with deskweave start')
}

async function nearestFolder(path: string): Promise<string> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) return path
    throw new Error(`${path} is a file; DESKWEAVE_DATA wants a folder`)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return await nearestFolder(dirname(path))
    throw new Error(`DESKWEAVE_DATA: ${words(error)}`, { cause: error })
  }
}
