/** What applying a configuration would do, in plain words. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { WrittenAgent } from '#hub/agents/index.ts'
import type { ConnectionView } from '#hub/connections/index.ts'
import type { Macro } from '#hub/macros/index.ts'
import type { RulesPlan } from '#hub/rules/index.ts'
import type { SurveyDefinition } from '#hub/surveys/index.ts'
import type { ConnectionConfig } from './connection-settings.ts'

export interface PlanLine {
  readonly act: 'create' | 'change' | 'remove' | 'refuse'
  readonly what: 'workspace' | 'connection' | 'rule' | 'survey' | 'identity' | 'agent' | 'macro'
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
  const words = ({ name, enabled }: SurveyDefinition) => [`"${name}", ${enabled ? 'enabled' : 'not enabled'}`]
  return planNamed('survey', wanted, stored, ({ id }) => id, words)
}

/** Agents that the files do not name are left alone: `active: false` keeps one out. */
export function planAgentLines(wanted: readonly WrittenAgent[], stored: readonly WrittenAgent[]): PlanLine[] {
  const words = ({ name, role, active }: WrittenAgent) => [`${name}, ${role}${active ? '' : ', not active'}`]
  return planNamed('agent', wanted, stored, ({ email }) => email, words)
}

/** Macros that the files do not name stay, after those that they do. */
export function planMacroLines(wanted: readonly Macro[], stored: readonly Macro[]): PlanLine[] {
  const ids = new Set(wanted.map(({ id }) => id))
  const there = new Set(stored.map(({ id }) => id))
  const before = stored.slice(0, wanted.length).map(({ id }) => id)
  const isInOrder = isDeepStrictEqual(before, [...ids]) || wanted.some(({ id }) => !there.has(id))
  return [
    ...planNamed(
      'macro',
      wanted,
      stored,
      ({ id }) => id,
      ({ name }) => [`"${name}"`],
    ),
    ...(isInOrder
      ? []
      : [{ act: 'change', what: 'macro', name: 'order', words: ['the menu has another order'] } as const]),
  ]
}

function planNamed<T extends object>(
  what: PlanLine['what'],
  wanted: readonly T[],
  stored: readonly T[],
  nameOf: (value: T) => string,
  introduce: (value: T) => readonly string[],
): PlanLine[] {
  const byName = new Map(stored.map((value) => [nameOf(value), value]))
  return wanted.flatMap((value): PlanLine[] => {
    const line = { what, name: nameOf(value) }
    const before = byName.get(line.name)
    if (!before) return [{ ...line, act: 'create', words: introduce(value) }]
    const [then, now] = [
      new Map<string, unknown>(Object.entries(before)),
      new Map<string, unknown>(Object.entries(value)),
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
