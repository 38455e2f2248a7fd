/** Runs PostgreSQL's programs: as whom, in what surroundings, and what to say when they do not run. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Account } from './postgres-binaries.ts'

/** @throws Error with the program's own words. */
export async function run(program: string, args: string[], account: Account | undefined, cwd: string): Promise<void> {
  try {
    await promisify(execFile)(program, args, { env: environment(), cwd, ...identity(account) })
  } catch (error) {
    throw cannotRun(program, error)
  }
}

export function cannotRun(program: string, error: unknown): Error {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  const words =
    error instanceof Error && 'stderr' in error && error.stderr ? String(error.stderr).trim() : String(error)
  const reason =
    isMissing && existsSync(program) ? 'this system lacks the C library it needs (glibc; Alpine has none)' : words
  return new Error(`${program} does not run: ${reason}. Set DATABASE_URL to a PostgreSQL 15 or newer instead.`, {
    cause: error,
  })
}

export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {}
}

/** Variables such as PGDATA or PGPORT of the surroundings are none of its business. */
export function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name))
  return { ...Object.fromEntries(kept), LC_ALL: 'C' }
}
