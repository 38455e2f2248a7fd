/** The configuration that a command works with: the file named, else DESKWEAVE_CONFIG, else deskweave.yaml. */
import { resolve } from 'node:path'
import { connectors } from '#connectors'
import {
  allFiles,
  type Config,
  type ConfigKnown,
  formatProblems,
  loadConfigFile,
  validateConfig,
} from '#hub/config/index.ts'
import type { Connector } from '#hub/connector/contract.ts'
import type { Env } from '#hub/platform/env.ts'

/**
 * @param installed what the hub has already; absent where no hub was asked.
 * @returns undefined when there are problems: they are printed, and the exit code is 1.
 */
export async function readConfig(
  env: Env,
  file: string | undefined,
  installed?: ConfigKnown['installed'],
): Promise<Config | undefined> {
  const files = await loadConfigFile(file === undefined ? env.configFile : resolve(file))
  const known = { env: process.env, connectors: await allConnectors(), ...(installed ? { installed } : {}) }
  const result = validateConfig(files, known)
  if ('config' in result) return result.config
  const { length } = result.problems
  console.error(formatProblems(result.problems, allFiles(files)))
  console.error(`\n${length} problem${length === 1 ? '' : 's'}; nothing was changed`)
  process.exitCode = 1
  return undefined
}

async function allConnectors(): Promise<Readonly<Record<string, Connector>>> {
  return Object.fromEntries(
    await Promise.all(
      Object.entries(connectors).map(async ([id, load]): Promise<[string, Connector]> => [id, await load()]),
    ),
  )
}
