/** `deskweave doctor`: looks at everything, changes nothing, says what to do in plain words. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbedded } from '#hub/platform/embedded-postgres.ts'
import { type Env, readEnv } from '#hub/platform/env.ts'
import { createLog } from '#hub/platform/log.ts'
import { hasCluster } from '#hub/platform/postgres-folders.ts'
import { type Check, notice, ok, words, wrong } from './doctor/check.ts'
import { inspectDatabase } from './doctor/database.ts'
import { checkMachine, hubCheck } from './doctor/machine.ts'
import { checkWork } from './doctor/work.ts'
import { withHub } from './open-hub.ts'

export async function doctor(options: { readonly json: boolean }): Promise<void> {
  const checks = await examine()
  const isWell = checks.every(({ state }) => state !== 'wrong')
  if (options.json) console.log(JSON.stringify({ ok: isWell, checks }, null, 2))
  else print(checks)
  if (!isWell) process.exitCode = 1
}

async function examine(): Promise<readonly Check[]> {
  let env: Env
  try {
    env = readEnv()
  } catch (error) {
    return [wrong('environment', words(error), 'see docs/configuration.md')]
  }
  try {
    const machine = await checkMachine(env)
    const isHubRunning = machine.some(({ name, state }) => name === hubCheck && state !== 'notice')
    return [...machine, ...(await checkDatabase(env, isHubRunning))]
  } catch (error) {
    return [wrong('doctor', words(error), 'mend this first, then look again')]
  }
}

async function checkDatabase(env: Env, isHubRunning: boolean): Promise<readonly Check[]> {
  if (env.databaseUrl) return await checkAt(env, env.databaseUrl, isHubRunning)
  if (!hasCluster(env.dataDir)) {
    return [notice('database', `an embedded PostgreSQL, made at the first start in ${env.dataDir}`)]
  }
  try {
    // Adopts the one of a running hub; otherwise it runs for as long as we look.
    const server = await startEmbedded({ dataDir: env.dataDir, log: createLog('silent') })
    try {
      const whose = isHubRunning ? 'of the hub that runs' : 'started for this look, since no hub runs'
      const opened = ok('database', `embedded, in ${env.dataDir}; ${whose}`)
      return [opened, ...(await checkAt(env, server.url, isHubRunning))]
    } finally {
      await server.stop()
    }
  } catch (error) {
    return [wrong('database', words(error), `look into ${join(env.dataDir, 'postgres.log')}`)]
  }
}

async function checkAt(env: Env, url: string, isHubRunning: boolean): Promise<readonly Check[]> {
  const { checks, isCurrent } = await inspectDatabase(url)
  if (!isCurrent) return checks
  // Opening the rooms would make a new key, and hide that the right one is missing.
  if (!env.secretKeys && !existsSync(join(env.dataDir, 'secret.key'))) {
    const detail = `the database is in use, and ${join(env.dataDir, 'secret.key')} is missing`
    return [...checks, wrong('secret key', detail, 'restore it from a backup, or give DESKWEAVE_SECRET_KEY')]
  }
  return [...checks, ...(await withHub(env, (hub) => checkWork(hub, isHubRunning)))]
}

function print(checks: readonly Check[]): void {
  const mark = { ok: 'ok    ', notice: 'note  ', wrong: 'WRONG ' } as const
  for (const { state, name, detail, todo } of checks) {
    console.log(`${mark[state]} ${name}: ${detail}`)
    if (todo) console.log(`        -> ${todo}`)
  }
  const bad = checks.filter(({ state }) => state === 'wrong').length
  console.log(bad === 0 ? '\neverything works' : `\n${bad} wrong`)
}
