/** What applying a configuration would do, in plain words. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { ConnectionView } from '#hub/connections/index.ts'
import type { RulesPlan } from '#hub/rules/index.ts'
import type { SurveyDefinition } from '#hub/surveys/index.ts'
import type { ConnectionConfig } from './connection-settings.ts'

export interface PlanLine {
  readonly act: 'create' | 'change' | 'remove' | 'refuse'
  readonly what: 'workspace' | 'connection' | 'rule' | 'survey' | 'identity'
  readonly name: string
  /** What changes, one sentence each. Never a secret. */
  readonly words: readonly string[]
}

/** An installed connection, with its settings as the connector's schema gives them where they can be opened. */
export interface InstalledConnection {
  readonly view: ConnectionView
  readonly parsed: unknown
}

interface ConnectionLine extends PlanLine {
  readonly connection: ConnectionConfig
  /** Absent for one that is to be made. */
  readonly id?: string
}

/** Connections that the files do not name are left alone. */
export function planConnections(
  wanted: readonly ConnectionConfig[],
  installed: readonly InstalledConnection[],
): readonly ConnectionLine[] {
  const byName = new Map(installed.map((connection) => [connection.view.name, connection]))
  return wanted.flatMap((connection): ConnectionLine[] => {
    const { name, connector } = connection
    const line = { what: 'connection' as const, name, connection }
    const there = byName.get(name)
    if (!there) return [{ ...line, act: 'create' as const, words: [`connects ${connector}`] }]
    const { view, parsed } = there
    if (view.connector !== connector) {
      const words = [`it is a ${view.connector} connection; remove it first, or give the new one another name`]
      return [{ ...line, act: 'refuse' as const, id: view.id, words }]
    }
    if (isDeepStrictEqual(parsed, connection.parsed)) return []
    return [{ ...line, act: 'change' as const, id: view.id, words: settingWords(view, connection, parsed) }]
  })
}

/** Names of settings only: what they hold may be secret. */
function settingWords(view: ConnectionView, connection: ConnectionConfig, parsed: unknown): string[] {
  const before =
    typeof parsed === 'object' && parsed !== null ? new Map(Object.entries(parsed)) : new Map<string, unknown>()
  const after = new Map(Object.entries(connection.parsed ?? {}))
  const names = [...new Set([...before.keys(), ...after.keys()])]
  const differing = names.filter((name) => !isDeepStrictEqual(before.get(name), after.get(name)))
  if (before.size === 0) return [`sets its settings anew: those of "${view.name}" cannot be read now`]
  return differing.map((name) => {
    if (!before.has(name)) return `adds the setting ${name}`
    return after.has(name) ? `changes the setting ${name}` : `removes the setting ${name}`
  })
}

export function planRuleLines(plan: RulesPlan): PlanLine[] {
  const line = (act: PlanLine['act'], name: string, words: readonly string[]): PlanLine => ({
    act,
    what: 'rule',
    name,
    words,
  })
  return [
    ...plan.created.map(({ id, name, mode }) => line('create', id, [`"${name}", mode ${mode}`])),
    ...plan.changed.map(({ definition, words }) => line('change', definition.id, words)),
    ...plan.removed.map((id) => line('remove', id, ['it is no longer in the files; its history stays'])),
    ...(plan.reordered ? [line('change', 'order', ['the rules run in another order'])] : []),
  ]
}

/** Surveys that the files do not name are left alone: `enabled: false` stops one. */
export function planSurveyLines(wanted: readonly SurveyDefinition[], stored: readonly SurveyDefinition[]): PlanLine[] {
  const byId = new Map(stored.map((survey) => [survey.id, survey]))
  return wanted.flatMap((survey): PlanLine[] => {
    const line = { what: 'survey' as const, name: survey.id }
    const before = byId.get(survey.id)
    if (!before)
      return [{ ...line, act: 'create', words: [`"${survey.name}", ${survey.enabled ? 'enabled' : 'not enabled'}`] }]
    const [then, now] = [
      new Map<string, unknown>(Object.entries(before)),
      new Map<string, unknown>(Object.entries(survey)),
    ]
    const names = [...new Set([...then.keys(), ...now.keys()])].filter(
      (key) => !isDeepStrictEqual(then.get(key), now.get(key)),
    )
    return names.length === 0 ? [] : [{ ...line, act: 'change', words: names.map((key) => `changes ${key}`) }]
  })
}

/** One line for each act, its words below. */
export function formatPlan(lines: readonly PlanLine[]): string {
  if (lines.length === 0) return 'nothing to do: the hub is as the files say'
  const sign = { create: '+', change: '~', remove: '-', refuse: '!' } as const
  return lines
    .map(({ act, what, name, words }) =>
      [`${sign[act]} ${what} ${name}`, ...words.map((word) => `    ${word}`)].join('\n'),
    )
    .join('\n')
}
