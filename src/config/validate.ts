/** Reads deskweave.yaml and the rules beside it: a configuration, or every problem in it with its place. Pure. */

import type { WrittenAgent } from '#hub/agents/index.ts'
import type { Connector } from '#hub/connector/contract.ts'
import type { IdentitySettings } from '#hub/identity/index.ts'
import { type Macro, validateMacro } from '#hub/macros/index.ts'
import {
  type Issue,
  isMap,
  type Known,
  type KnownConnection,
  listOf,
  type Path,
  type RuleDefinition,
  shape,
  text,
  validateRule,
} from '#hub/rules/index.ts'
import type { SurveyDefinition } from '#hub/surveys/index.ts'
import { type ConnectionConfig, knownConnection, readConnections } from './connection-settings.ts'
import type { Environment } from './environment.ts'
import { inFileOrder, type Problem, problemAt, type SourceFile } from './problem.ts'
import { type ReadYaml, readYaml } from './yaml.ts'

/** The main file, and what each pattern of its `rules_from` found. */
export interface ConfigFiles {
  readonly main: SourceFile
  readonly included: readonly { readonly pattern: string; readonly files: readonly SourceFile[] }[]
}

export function allFiles({ main, included }: ConfigFiles): readonly SourceFile[] {
  return [main, ...included.flatMap(({ files }) => files)]
}

/** How another room reads its part; issues carry paths within that part. */
export type SectionCheck<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly Issue[] }

export interface ConfigKnown {
  /** Where `${NAME}` is looked up. */
  readonly env: Environment
  /** By id. */
  readonly connectors: Readonly<Record<string, Connector>>
  /** The connections that are installed already; absent where no hub was asked. */
  readonly installed?: readonly KnownConnection[]
}

/** What other rooms read themselves. */
export interface Sections {
  readonly survey: (value: unknown) => SectionCheck<SurveyDefinition>
  readonly identity: (value: unknown) => SectionCheck<IdentitySettings>
  readonly agent: (value: unknown) => SectionCheck<WrittenAgent>
}

/** Parts that the files do not mention are absent: they are left as they are. */
export interface Config {
  readonly workspace?: string
  readonly connections: readonly ConnectionConfig[]
  /** All rules of the files, in their order. */
  readonly rules?: readonly RuleDefinition[]
  readonly surveys?: readonly SurveyDefinition[]
  readonly identity?: IdentitySettings
  readonly agents?: readonly WrittenAgent[]
  /** In the order in which agents see them. */
  readonly macros?: readonly Macro[]
}

export type ValidatedConfig = { readonly config: Config } | { readonly problems: readonly Problem[] }

const anything = { check: () => {} }

const mainShape = shape('the configuration', {
  workspace: { check: text({ max: 100, noun: 'the name of the workspace', lines: 'one' }) },
  connections: anything,
  rules: anything,
  rules_from: {
    check: listOf(text({ max: 200, noun: 'a pattern', lines: 'one' }), { noun: 'patterns', min: 1, max: 50 }),
  },
  surveys: anything,
  agents: anything,
  macros: anything,
  identity: anything,
})

/** One value of a file, with the path at which it stands there. */
interface Written {
  readonly file: ReadYaml
  readonly value: unknown
  readonly path: Path
}

export function readConfig(files: ConfigFiles, known: ConfigKnown & Sections): ValidatedConfig {
  const problems: Problem[] = []
  const report = (file: ReadYaml, issues: readonly Issue[]) => {
    problems.push(
      ...issues.map((issue) => problemAt(file.file.name, file.placeOf(issue), issue, isSetting(issue.path))),
    )
  }
  const main = open(files.main, problems)
  if (!main) return { problems }
  const value = main.value ?? {}
  const issues: Issue[] = []
  mainShape(value, [], issues)
  report(main, issues)
  if (!isMap(value)) return { problems }

  const read = readConnections(value['connections'] ?? null, ['connections'], known.connectors, known.env)
  report(main, read.issues)
  const connections = knownFor(value, known)
  const rules = readRules(rulesOf(main, value, files, problems), connections, report)
  const byId = { key: 'id', of: ({ id }: { readonly id: string }) => id }
  const surveys = readSection(value['surveys'], 'surveys', byId, inPlace(known.survey))
  report(main, surveys.issues)
  const byEmail = { key: 'email', of: ({ email }: WrittenAgent) => email }
  const agents = readSection(value['agents'], 'agents', byEmail, inPlace(known.agent))
  report(main, agents.issues)
  const macros = readSection(value['macros'], 'macros', byId, (macro, path): SectionCheck<Macro> => {
    const read = validateMacro(macro, connections, path)
    return read.ok ? { ok: true, value: read.macro } : read
  })
  report(main, macros.issues)
  const identity = (value['identity'] ?? undefined) === undefined ? undefined : known.identity(value['identity'])
  if (identity && !identity.ok) report(main, under(['identity'], identity.issues))

  if (problems.length > 0) return { problems: inFileOrder(problems, allFiles(files)) }
  const { workspace } = value
  return {
    config: {
      ...(typeof workspace === 'string' ? { workspace } : {}),
      connections: read.connections,
      ...(hasRules(value) ? { rules } : {}),
      ...(value['surveys'] === undefined ? {} : { surveys: surveys.values }),
      ...(value['agents'] === undefined ? {} : { agents: agents.values }),
      ...(value['macros'] === undefined ? {} : { macros: macros.values }),
      ...(identity?.ok ? { identity: identity.value } : {}),
    },
  }
}

function open(file: SourceFile, problems: Problem[]): ReadYaml | undefined {
  const result = readYaml(file)
  if ('read' in result) return result.read
  problems.push(...result.problems)
  return undefined
}

/** Lines with settings may hold a secret that should not be there: they are never printed. */
function isSetting(path: Path): boolean {
  return path[0] === 'connections' && path[2] === 'config'
}

function under(path: Path, issues: readonly Issue[]): Issue[] {
  return issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
}

/** A check that knows its part only, as one that knows where that stands. */
function inPlace<T>(check: (value: unknown) => SectionCheck<T>): (value: unknown, path: Path) => SectionCheck<T> {
  return (value, path) => {
    const result = check(value)
    return result.ok ? result : { ok: false, issues: under(path, result.issues) }
  }
}

function hasRules(value: Record<string, unknown>): boolean {
  return value['rules'] !== undefined || value['rules_from'] !== undefined
}

function rulesOf(main: ReadYaml, value: Record<string, unknown>, files: ConfigFiles, problems: Problem[]): Written[] {
  const inline = listed(main, value['rules'], ['rules'], problems)
  const patterns: readonly unknown[] = Array.isArray(value['rules_from']) ? value['rules_from'] : []
  for (const [index, pattern] of patterns.entries()) {
    const found = files.included.find((entry) => entry.pattern === pattern)
    const issue = typeof pattern === 'string' ? patternIssue(pattern, found?.files.length ?? 0) : undefined
    if (!issue) continue
    const path = ['rules_from', index]
    problems.push(problemAt(main.file.name, main.placeOf({ path }), { ...issue, path }))
  }
  const included = files.included
    .flatMap((entry) => entry.files)
    .flatMap((file) => {
      const read = open(file, problems)
      if (!read) return []
      return isMap(read.value) ? [{ file: read, value: read.value, path: [] }] : listed(read, read.value, [], problems)
    })
  return [...inline, ...included]
}

function listed(file: ReadYaml, value: unknown, path: Path, problems: Problem[]): Written[] {
  if (value === undefined || (value === null && path.length > 0)) return []
  if (Array.isArray(value)) return value.map((item, index) => ({ file, value: item, path: [...path, index] }))
  const message = path.length > 0 ? 'expected a list of rules' : 'expected a rule or a list of rules'
  problems.push(problemAt(file.file.name, file.placeOf({ path }), { path, message }))
  return []
}

/** Only files below the folder of the main file are read. */
export function isInside(pattern: string): boolean {
  return !/^([/\\~]|[A-Za-z]:)/.test(pattern) && !pattern.split(/[/\\]/).includes('..')
}
function patternIssue(pattern: string, found: number): Omit<Issue, 'path'> | undefined {
  if (!isInside(pattern))
    return { message: `"${pattern}" leaves the folder of this file`, hint: 'write it as "rules/*.yaml"' }
  return found === 0
    ? { message: `no file matches "${pattern}"`, hint: 'check the folder, or remove the line' }
    : undefined
}

function readRules(
  written: readonly Written[],
  known: Known,
  report: (file: ReadYaml, issues: readonly Issue[]) => void,
): RuleDefinition[] {
  const seen = new Map<string, string>()
  return written.flatMap(({ file, value, path }) => {
    const result = validateRule(value, known, path)
    const id = isMap(value) && typeof value['id'] === 'string' ? value['id'] : undefined
    const first = id === undefined ? undefined : seen.get(id)
    if (id !== undefined && first !== undefined) {
      report(file, [
        { path: [...path, 'id'], message: `a rule "${id}" is already in ${first}`, hint: 'give each rule its own id' },
      ])
    } else if (id !== undefined) seen.set(id, file.file.name)
    if (result.ok) return [result.rule]
    report(file, result.issues)
    return []
  })
}

/**
 * Against which connections rules are checked: those of the file and those installed. A file without connections says
 * nothing about them; where no hub was asked either, names cannot be checked.
 */
function knownFor(value: Record<string, unknown>, known: ConfigKnown): Known {
  const written = Array.isArray(value['connections']) ? value['connections'].filter(isMap) : undefined
  if (!written && !known.installed) return {}
  const named = (written ?? []).flatMap((entry): KnownConnection[] => {
    const { name, connector: id } = entry
    const connector = typeof id === 'string' && Object.hasOwn(known.connectors, id) ? known.connectors[id] : undefined
    if (typeof name !== 'string') return []
    // An unknown connector is reported where it stands; rules that use it need no second report.
    return [
      connector
        ? knownConnection(name, connector)
        : { name, connector: String(id), can: ['writeCase', 'writePerson', 'notify', 'chat'] },
    ]
  })
  const names = new Set(named.map(({ name }) => name))
  return { connections: [...named, ...(known.installed ?? []).filter(({ name }) => !names.has(name))] }
}

/** @param same what no two of them may share. */
function readSection<T>(
  value: unknown,
  section: string,
  same: { readonly key: string; readonly of: (value: T) => string },
  check: (value: unknown, path: Path) => SectionCheck<T>,
): { readonly values: readonly T[]; readonly issues: readonly Issue[] } {
  const issues: Issue[] = []
  if (value === undefined || value === null) return { values: [], issues }
  listOf(() => {}, { noun: section, min: 0, max: section === 'agents' ? 5000 : 100 })(value, [section], issues)
  if (!Array.isArray(value)) return { values: [], issues }
  const seen = new Set<string>()
  const values = value.flatMap((written, index) => {
    const path = [section, index]
    const result = check(written, path)
    if (!result.ok) {
      issues.push(...result.issues)
      return []
    }
    const name = same.of(result.value)
    if (seen.has(name))
      issues.push({ path: [...path, same.key], message: `two ${section} have the ${same.key} ${name}` })
    seen.add(name)
    return [result.value]
  })
  return { values, issues }
}
