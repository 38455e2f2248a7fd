/**
 * In: deskweave.yaml and the rules beside it. Out: problems with line and column; a plan in plain words; the hub as they say.
 * Never here: what a rule, a survey or a connector's setting may hold; each room checks its own.
 */
import { isDeepStrictEqual } from 'node:util'
import { changeAgent, createAgent, findAgents, type WrittenAgent } from '#hub/agents/index.ts'
import type { Connections } from '#hub/connections/index.ts'
import { loadMacros, orderMacros, saveMacro } from '#hub/macros/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import type { Signals } from '#hub/platform/signals.ts'
import { planRules, saveRules } from '#hub/rules/index.ts'
import { loadSurveys, saveSurvey } from '#hub/surveys/index.ts'
import {
  type InstalledConnection,
  type PlanLine,
  planAgentLines,
  planConnections,
  planMacroLines,
  planRuleLines,
  planSurveyLines,
} from './plan.ts'
import { agentSection, identitySection, surveySection } from './sections.ts'
import { readSetting, renameWorkspace, workspaceName, writeSetting } from './store.ts'
import { type Config, type ConfigFiles, type ConfigKnown, readConfig, type ValidatedConfig } from './validate.ts'

export { knownConnection } from './connection-settings.ts'
export { loadConfigFile } from './files.ts'
export { formatPlan, type PlanLine } from './plan.ts'
export { formatProblems } from './problem.ts'
export { allFiles, type Config, type ConfigFiles, type ConfigKnown, type ValidatedConfig } from './validate.ts'

/** Pure: environment and installed connections are arguments. Problems print with `formatProblems(problems, allFiles(files))`. */
export function validateConfig(files: ConfigFiles, known: ConfigKnown): ValidatedConfig {
  return readConfig(files, { ...known, survey: surveySection, identity: identitySection, agent: agentSection })
}

/** Rules written by the files carry this source; a complete list of them removes what the files no longer hold. */
const fileSource = 'file'

export interface ConfigHub {
  readonly db: Db
  readonly now: () => Date
  readonly signals: Pick<Signals, 'notifySql'>
  readonly connections: Pick<Connections, 'list' | 'byId' | 'install' | 'update'>
}

/** What `applyConfig` would do now. Nothing is written, and no vendor is called. */
export async function planConfig(hub: ConfigHub, config: Config): Promise<readonly PlanLine[]> {
  const connections = planConnections(config.connections, await installed(hub))
  return [
    ...connections.map(({ act, what, name, words }) => ({ act, what, name, words })),
    ...(await planStored(hub.db, config)),
  ]
}

export interface Applied {
  readonly plan: readonly PlanLine[]
  /** Of new connections that receive webhooks: shown this once. */
  readonly webhooks: readonly { readonly connection: string; readonly url: string; readonly secret: string }[]
}

/**
 * Connections first, each checked at its vendor and saved by itself; then everything else in one transaction. Applying
 * again goes on where a failure stopped it; what is as wanted is not touched.
 * @throws ConfigRefused; ConnectionRefused or InvalidConfig when a vendor or connector does not accept settings.
 */
export async function applyConfig(
  hub: ConfigHub,
  config: Config,
  { author }: { readonly author: string },
): Promise<Applied> {
  const connections = planConnections(config.connections, await installed(hub))
  const refused = connections.find(({ act }) => act === 'refuse')
  if (refused) throw new ConfigRefused(`connection "${refused.name}": ${refused.words.join('; ')}`)
  const webhooks: Applied['webhooks'][number][] = []
  for (const { id, name, connection } of connections) {
    if (id === undefined) {
      const { webhook } = await hub.connections.install(connection.connector, name, connection.config, author)
      if (webhook) webhooks.push({ connection: name, ...webhook })
    } else await hub.connections.update(id, { config: connection.config }, author)
  }
  const stored = await hub.db.transaction().execute((trx) => applyStored(trx, hub, config, author))
  return {
    plan: [...connections.map(({ act, what, name, words }) => ({ act, what, name, words })), ...stored],
    webhooks,
  }
}

export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused'
}

async function installed({ connections }: ConfigHub): Promise<InstalledConnection[]> {
  const views = await connections.list()
  return await Promise.all(
    views.map(async (view) => {
      // One that cannot be opened now is given its settings anew.
      const loaded = await connections.byId(view.id).catch(() => undefined)
      return { view, parsed: loaded?.config }
    }),
  )
}

async function planStored(db: Db | Trx, config: Config): Promise<PlanLine[]> {
  const lines: PlanLine[] = []
  const { workspace, rules, surveys, identity, agents, macros } = config
  const name = workspace === undefined ? undefined : await workspaceName(db)
  if (workspace !== undefined && name !== workspace) {
    lines.push({ act: 'change', what: 'workspace', name: workspace, words: [`its name was "${name ?? ''}"`] })
  }
  if (identity !== undefined && !isDeepStrictEqual(identity, await readSetting(db, 'identity'))) {
    lines.push({ act: 'change', what: 'identity', name: 'settings', words: [] })
  }
  if (rules) lines.push(...planRuleLines(await planRules(db, rules, fileSource, true)))
  if (surveys) lines.push(...planSurveyLines(surveys, await loadSurveys(db)))
  if (agents) lines.push(...planAgentLines(agents, await writtenAgents(db, agents)))
  if (macros) lines.push(...planMacroLines(macros, await loadMacros(db)))
  return lines
}

async function applyStored(trx: Trx, hub: ConfigHub, config: Config, author: string): Promise<PlanLine[]> {
  const lines = await planStored(trx, config)
  if (lines.length === 0) return lines
  const { workspace, rules, surveys, identity, agents, macros } = config
  const now = hub.now()
  if (workspace !== undefined) await renameWorkspace(trx, workspace)
  if (identity !== undefined) await writeSetting(trx, 'identity', identity, now)
  if (rules) {
    await saveRules(trx, rules, { author, source: fileSource, now }, { complete: true })
    await hub.signals.notifySql('rules').execute(trx)
  }
  for (const survey of surveys ?? []) await saveSurvey(trx, survey)
  for (const agent of agents ?? []) await saveAgent(trx, agent, now)
  for (const macro of macros ?? []) await saveMacro(trx, macro, now)
  if (macros) {
    await orderMacros(
      trx,
      macros.map(({ id }) => id),
    )
  }
  await audit(trx, author, 'config.applied', null, {
    did: lines.map(({ act, what, name }) => `${act} ${what} ${name}`),
  })
  return lines
}

/** Those of these addresses that there are, as they would stand in a file. */
async function writtenAgents(db: Db | Trx, wanted: readonly WrittenAgent[]): Promise<WrittenAgent[]> {
  const found = await findAgents(
    db,
    wanted.map(({ email }) => email),
  )
  return found.map(({ email, name, role, language, quietHours, active }) => ({
    ...{ email, name, role, language, active },
    quiet_hours: quietHours,
  }))
}

async function saveAgent(trx: Trx, written: WrittenAgent, now: Date): Promise<void> {
  const [before] = await findAgents(trx, [written.email])
  if (before) await changeAgent(trx, before.id, written, now)
  else await createAgent(trx, written, now)
}
