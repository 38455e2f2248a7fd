/** The first API token: from the environment, else kept in the data folder, where only the hub's user reads it. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Env } from '#hub/platform/env.ts'

export interface AdminToken {
  readonly token: string
  /** Where it can be read; absent when it came from the environment. */
  readonly file?: string
}

/** Made at the first call. Two hubs on one data folder agree on one token. */
export function adminToken(env: Pick<Env, 'adminToken' | 'dataDir'>): AdminToken {
  if (env.adminToken) return { token: env.adminToken }
  const file = join(env.dataDir, 'admin.token')
  const token = readToken(file) ?? makeToken(env.dataDir, file)
  return { token, file }
}

/** Does not make one: for commands that talk to a hub which may not be there. */
export function knownAdminToken(env: Pick<Env, 'adminToken' | 'dataDir'>): string | undefined {
  return env.adminToken ?? readToken(join(env.dataDir, 'admin.token'))
}

function makeToken(dataDir: string, file: string): string {
  mkdirSync(dataDir, { recursive: true })
  const made = `${file}.${process.pid}`
  rmSync(made, { force: true })
  writeFileSync(made, `dwa_${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    // A link appears whole or not at all, and never replaces the token of a hub that was faster.
    linkSync(made, file)
  } catch (error) {
    if (!readToken(file)) throw error
  } finally {
    rmSync(made, { force: true })
  }
  const token = readToken(file)
  if (!token) throw new Error(`${file} could not be written; give DESKWEAVE_ADMIN_TOKEN instead`)
  return token
}

function readToken(file: string): string | undefined {
  try {
    const token = readFileSync(file, 'utf8').trim()
    if (token.length < 16) throw new Error(`${file} holds no token; remove it, and the next start makes a new one`)
    chmodSync(file, 0o600)
    return token
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** @param header the `Authorization` header. Compares hashes in constant time, so that the time tells nothing. */
export function tokenCheck(token: string): (header: string | undefined) => boolean {
  const expected = hash(token)
  return (header) => {
    const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header ?? '')?.[1]
    return timingSafeEqual(hash(given ?? ''), expected) && given !== undefined
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
