/** `deskweave connect <connector>` */
import { z } from 'zod'
import { connectors } from '#connectors'
import { isOwnWebhookSecret } from '#hub/connections/index.ts'
import type { Connector } from '#hub/connector/contract.ts'
import { type Env, readEnv } from '#hub/platform/env.ts'
import { actor, withHub } from './open-hub.ts'
import { createPrompt, type Prompt } from './prompt.ts'
import { findRunningHub } from './running-hub.ts'
import {
  givesSecret,
  hasVendorSecret,
  inboundUrl,
  isGiven,
  problemsOf,
  type Setting,
  type SettingProblem,
  settingsOf,
  toConfig,
} from './settings.ts'

export interface ConnectOptions {
  readonly name?: string
  readonly set: readonly (readonly [string, string])[]
  readonly json: boolean
}

const Installed = z.object({
  id: z.string(),
  connector: z.string(),
  name: z.string(),
  status: z.string(),
  webhook: z.object({ url: z.string(), secret: z.string() }).optional(),
})
type Installed = z.output<typeof Installed>

interface Wanted {
  readonly connector: string
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
}

export async function connect(connectorId: string, options: ConnectOptions): Promise<void> {
  const env = readEnv()
  const connector = await load(connectorId)
  const installed = await install(env, await complete(connectorId, connector, options))
  if (options.json) console.log(JSON.stringify(installed, null, 2))
  else print(installed, connector)
}

async function load(id: string): Promise<Connector> {
  const found = Object.entries(connectors).find(([name]) => name === id)
  if (found) return await found[1]()
  throw new Error(`there is no connector "${id}"; there are ${Object.keys(connectors).sort().join(', ')}`)
}

async function complete(id: string, connector: Connector, options: ConnectOptions): Promise<Wanted> {
  const given = toConfig(connector, options.set)
  if (!process.stdin.isTTY) {
    const problems = problemsOf(connector, given)
    if (problems.length > 0) throw refused(connector, problems)
    return { connector: id, name: options.name ?? connector.manifest.name, config: given }
  }
  const prompt = createPrompt(process.stdin, process.stdout)
  try {
    const config = await askMissing(connector, given, prompt)
    const { name } = connector.manifest
    return { connector: id, name: options.name ?? ((await prompt.ask(`name [${name}]: `)) || name), config }
  } finally {
    prompt.close()
  }
}

/** What is required, then what the connector still finds wrong. @throws Error when that cannot be answered */
export async function askMissing(
  connector: Connector,
  given: Readonly<Record<string, unknown>>,
  prompt: Prompt,
): Promise<Readonly<Record<string, unknown>>> {
  const settings = settingsOf(connector)
  let config = given
  for (const setting of settings) {
    if (setting.isRequired && !isGiven(config, setting.name)) config = await askFor(setting, config)
  }
  const problems = problemsOf(connector, config)
  const [first] = problems
  if (!first) return config
  prompt.say(problems.map(sentence).join('\n'))
  const named = new Set(problems.map(({ setting }) => setting))
  // Where no single setting is to blame, any that is open may mend it.
  const open = settings.filter(({ name }) => named.has(name) || (named.has('') && !isGiven(config, name)))
  for (const setting of open) config = await askFor(setting, config)
  const left = problemsOf(connector, config)
  if (left.length > 0) throw refused(connector, left)
  return config

  async function askFor({ name, isSecret, isRequired, about }: Setting, before: typeof config) {
    const hint = [isRequired ? '' : 'Enter to leave it out', isSecret ? 'not shown' : '', about ?? ''].filter(Boolean)
    const text = await prompt.ask(`${name}${hint.length > 0 ? ` (${hint.join('; ')})` : ''}: `, { isSecret })
    return text === '' ? before : toConfig(connector, [[name, text]], before)
  }
}

function refused(connector: Connector, problems: readonly SettingProblem[]): Error {
  const lines = problems.map((problem) => `  ${sentence(problem)}`).join('\n')
  return new Error(`${connector.manifest.name}: give these with --set name=value, or run this at a terminal:\n${lines}`)
}

function sentence({ setting, message }: SettingProblem): string {
  return setting === '' ? message : `${setting}: ${message}`
}

/** Through the hub that runs, which then knows it at once; else straight into the database. */
async function install(env: Env, wanted: Wanted): Promise<Installed> {
  const hub = await findRunningHub(env)
  if (hub) return await hub.call('POST', '/connections', wanted, Installed)
  const { connector, name, config } = wanted
  return await withHub(env, ({ connections }) => connections.install(connector, name, config, actor))
}

function print({ id, name, status, webhook }: Installed, connector: Connector): void {
  console.log(`connected: "${name}" is ${status}, its id is ${id}`)
  if (connector.can.install) {
    console.log('An administrator of a workspace installs the app there by a link, good for a day:')
    console.log(`  POST /api/v1/connections/${id}/install-link`)
  }
  if (!webhook) return
  const url = inboundUrl(connector, webhook.url)
  if (!givesSecret(connector)) {
    console.log(`Let ${connector.manifest.name} send its webhooks to ${url}`)
    if (!hasVendorSecret(connector) || !isOwnWebhookSecret(webhook.secret)) return
    console.log('It signs them with a secret of its own. Once you have it, set it as webhook_secret:')
    console.log(`  PATCH /api/v1/connections/${id} {"config": {…}}, whole; secrets that are left out stay`)
    return
  }
  console.log('Give these to the other side, so that its webhooks come here:')
  console.log(`  URL     ${url}`)
  console.log(`  secret  ${webhook.secret}  (shown this once)`)
}
