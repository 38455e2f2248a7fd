/** One PostgreSQL for the whole run (vitest's globalSetup): embedded in a temp folder, or the one of TEST_DATABASE_URL. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import type { Log } from '#hub/connector/contract.ts'
import { migrate } from '#hub/platform/db/migrate.ts'
import { startEmbedded } from '#hub/platform/embedded-postgres.ts'
import { isAlive, readPidFile } from '#hub/platform/postgres-folders.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A superuser's URL, the migrated template, and the role that `migrate` chose. */
    postgres: { readonly url: string; readonly template: string; readonly role?: string }
  }
}

const prefix = 'deskweave-vitest-'
const problems: Log = {
  debug() {},
  info() {},
  warn: (data, message) => console.warn(message, data),
  error: (data, message) => console.error(message, data),
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = process.env['TEST_DATABASE_URL']
    ? { url: process.env['TEST_DATABASE_URL'], end: async () => {} }
    : await embed()
  const template = `deskweave_template_${process.pid}`
  await administer(server.url, `create database ${template}`)
  const migrated = await migrate(databaseUrl(server.url, template), problems, { workspaceId: 'test' })
  project.provide('postgres', { url: server.url, template, ...migrated })
  return async () => {
    await administer(server.url, `drop database ${template}`)
    await server.end()
  }
}

async function embed(): Promise<{ url: string; end(): Promise<void> }> {
  for (const name of readdirSync(tmpdir())) {
    const maker = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
    if (maker !== undefined && !isAlive(Number(maker))) remove(join(tmpdir(), name))
  }
  const dataDir = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  // Run by root, the server is another user, who must get in.
  chmodSync(dataDir, 0o755)
  const atExit = () => remove(dataDir)
  process.once('exit', atExit)
  const server = await startEmbedded({ dataDir, log: problems })
  return {
    url: server.url,
    async end() {
      await server.stop()
      process.off('exit', atExit)
      remove(dataDir)
    },
  }
}

/** Also what a killed run left behind, its server included. */
function remove(dataDir: string): void {
  const left = readPidFile(join(dataDir, 'pg'))
  if (left && isAlive(left.pid)) process.kill(left.pid, 'SIGQUIT')
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
}

export function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

export async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
