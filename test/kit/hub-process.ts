/** The hub as a user starts it: a process of its own, spoken to over HTTP. For what needs kill -9, and for the benches. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '#hub/platform/free-port.ts'
import project from '../../package.json' with { type: 'json' }

const main = fileURLToPath(new URL('../../src/cli/main.mjs', import.meta.url))
/** As `npm start` has them. */
const nodeOptions = project.scripts.start.split(' ').filter((word) => word.startsWith('--'))

export interface HubProcess {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** A call of the REST API. @throws when the answer is not 2xx. */
  api(method: string, path: string, body?: unknown): Promise<unknown>
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>
}

export interface HubSettings {
  /** Environment beside the machine's own; DATABASE_URL for one that is there already. */
  readonly env: Readonly<Record<string, string>>
  readonly dataDir: string
  readonly port?: number
}

export const adminToken = 'test-admin-token-0123456789abcdef0123456789abcdef'

export async function startHubProcess(settings: HubSettings): Promise<HubProcess> {
  const port = settings.port ?? (await freePort())
  const child = spawn(process.execPath, [...nodeOptions, main, 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      NODE_ENV: 'test',
      LOG_LEVEL: 'warn',
      DESKWEAVE_DATA: settings.dataDir,
      DESKWEAVE_ADMIN_TOKEN: adminToken,
      PORT: String(port),
      ...settings.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-8_000)
    })
  }
  const url = `http://127.0.0.1:${port}`
  await ready(url, child, () => output)
  return {
    url,
    port,
    pid: child.pid ?? 0,
    api: (method, path, body) => callApi(url, method, path, body),
    async kill() {
      await exit(child, 'SIGKILL')
    },
    stop: () => exit(child, 'SIGTERM'),
  }
}

export async function callApi(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${adminToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

async function ready(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + 20_000
  while (performance.now() < deadline) {
    const end = child.exitCode ?? child.signalCode
    if (end !== null) throw new Error(`the hub ended with ${end} while it started:\n${output()}`)
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  child.kill('SIGKILL')
  throw new Error(`the hub was not ready within 20 s:\n${output()}`)
}

function exit(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode)
    child.once('exit', (code) => resolve(code))
    child.kill(signal)
  })
}

/** A folder that is gone after the test. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'deskweave-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
