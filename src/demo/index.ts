/**
 * `npm run demo`: a hub on a fresh embedded database, six sandbox tools on loopback, and a customer's day in about a minute.
 * Everything goes over real HTTP with real signatures; nothing here reaches into the hub.
 *
 * Out: what happened, and whether each promise that was shown did hold. Never here: anything the hub does.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHub } from '#hub/main.ts'
import { readEnv } from '#hub/platform/env.ts'
import { createLog } from '#hub/platform/log.ts'
import { createClient } from './client.ts'
import { playDay } from './day.ts'
import { type DemoSummary, printSummary, summarise } from './summary.ts'
import { startTools } from './tools.ts'

export interface DemoOptions {
  /** Leave the hub running until Ctrl-C. */
  readonly keep: boolean
  /** Print the summary as JSON and nothing else. */
  readonly json: boolean
}

/** A line on a terminal wants to be read before the next one comes. */
const readingMs = 3_000

/** @returns whether every promise that was shown did hold; false when Ctrl-C came before. Cleans up after itself either way. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const say = options.json ? () => {} : (line: string) => console.log(line)
  const pause = () => (process.stdout.isTTY && !options.json ? sleep(readingMs) : Promise.resolve())
  const token = 'demo-token-for-this-machine-only'
  const interrupted = interruption()
  const dataDir = mkdtempSync(join(tmpdir(), 'deskweave-demo-'))
  const stops: (() => unknown)[] = [() => rmSync(dataDir, { recursive: true, force: true })]
  try {
    const tools = await startTools()
    stops.push(tools.close)
    const port = await preferredPort(3000)
    const env = readEnv({
      DESKWEAVE_DATA: dataDir,
      DESKWEAVE_ADMIN_TOKEN: token,
      DESKWEAVE_BASE_URL: `http://localhost:${port}`,
      DESKWEAVE_EXTRA_HOSTS: tools.hosts.join(','),
      PORT: String(port),
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'error',
    })
    say(
      'Starting a hub on an embedded PostgreSQL, and sandboxes of Zendesk, HubSpot, a mail server, an unknown desk, Slack and Teams …',
    )
    const hub = await startHub(env, { log: createLog(env.logLevel) })
    stops.push(hub.stop)
    const client = createClient(hub.url, token)
    const played = playDay({ client, tools, say, pause }).then((day) => summarise(client, day))
    const summary = await Promise.race([played, interrupted])
    if (!summary) {
      // The day goes on until it finds the hub gone.
      played.catch(() => {})
      say('Interrupted; cleaning up …')
      return false
    }
    if (options.json) console.log(JSON.stringify(summary, null, 2))
    else printSummary(summary, hub.url, token, options.keep)
    if (options.keep) await interrupted
    return holds(summary)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

function holds(summary: DemoSummary): boolean {
  return summary.promises.every((promise) => promise.held)
}

/** The first Ctrl-C or SIGTERM; a second one ends the process at once. */
function interruption(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(undefined))
  })
}

/** The port people expect, or any other when it is taken. */
function preferredPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', () => (port === 0 ? reject(new Error('no free port')) : resolve(preferredPort(0))))
    probe.listen(port, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}
