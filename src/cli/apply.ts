/** `deskweave plan` and `deskweave apply` */
import { type Applied, applyConfig, type Config, formatPlan, knownConnection, planConfig } from '#hub/config/index.ts'
import type { Hub } from '#hub/hub.ts'
import { readEnv } from '#hub/platform/env.ts'
import { readConfig } from './config-files.ts'
import { actor, withHub } from './open-hub.ts'
import { givesSecret, inboundUrl } from './settings.ts'

export async function plan(file: string | undefined): Promise<void> {
  await withConfig(file, async (hub, config) => {
    console.log(formatPlan(await planConfig(hub, config)))
  })
}

export async function apply(file: string | undefined): Promise<void> {
  await withConfig(file, async (hub, config) => {
    const { plan, webhooks } = await applyConfig(hub, config, { author: actor })
    console.log(formatPlan(plan))
    for (const webhook of webhooks) console.log(told(hub, webhook))
  })
}

/** A secret that the vendor made, or has no use for, does not belong into the log of a pipeline. */
function told(hub: Hub, { connection: name, url, secret }: Applied['webhooks'][number]): string {
  const found = hub.connections.all().find((one) => one.name === name)
  const isGiven = !found || givesSecret(found.connector)
  return [
    `\nwebhooks of "${name}":`,
    `  URL     ${found ? inboundUrl(found.connector, url) : url}`,
    ...(isGiven ? [`  secret  ${secret}  (shown this once)`] : []),
    ...(found?.connector.can.install
      ? [`  link    POST /api/v1/connections/${found.id}/install-link installs the app`]
      : []),
  ].join('\n')
}

async function withConfig(file: string | undefined, work: (hub: Hub, config: Config) => Promise<void>): Promise<void> {
  const env = readEnv()
  // Before a database is started: most mistakes are in the file.
  if (!(await readConfig(env, file))) return
  await withHub(env, async (hub) => {
    const installed = hub.connections.all().map(({ name, connector }) => knownConnection(name, connector))
    const config = await readConfig(env, file, installed)
    if (config) await work(hub, config)
  })
}
