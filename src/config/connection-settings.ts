/** Checks the connections of a file: their connector, and settings as that connector wants them, secrets by reference only. */
import { z } from 'zod'
import { splitConfig } from '#hub/connections/index.ts'
import type { Connector } from '#hub/connector/contract.ts'
import {
  type Issue,
  isMap,
  type KnownConnection,
  type Path,
  shape,
  show,
  suggestOneOf,
  text,
} from '#hub/rules/index.ts'
import { type Environment, hasReference, resolveEnvironment } from './environment.ts'
import { schemaIssue } from './schema-issue.ts'

export interface ConnectionConfig {
  readonly name: string
  readonly connector: string
  /** With the environment's values filled in: holds secrets. */
  readonly config: Readonly<Record<string, unknown>>
  /** As the connector's schema gives it. */
  readonly parsed: unknown
}

const entry = shape('a connection', {
  name: { check: text({ max: 100, noun: 'a name', lines: 'one' }), required: true },
  connector: { check: text({ max: 64, noun: 'the id of a connector', lines: 'one' }), required: true },
  config: { check: () => {} },
})

export function readConnections(
  value: unknown,
  path: Path,
  connectors: Readonly<Record<string, Connector>>,
  env: Environment,
): { readonly connections: readonly ConnectionConfig[]; readonly issues: readonly Issue[] } {
  const issues: Issue[] = []
  if (value === null) return { connections: [], issues }
  if (!Array.isArray(value)) {
    return { connections: [], issues: [{ path, message: `expected a list of connections, got ${show(value)}` }] }
  }
  const names = new Set<string>()
  const connections = value.flatMap((written, index) => {
    const at = [...path, index]
    const before = issues.length
    entry(written, at, issues)
    if (!isMap(written) || issues.length > before) return []
    const name = String(written['name'])
    if (names.has(name))
      issues.push({
        path: [...at, 'name'],
        message: `two connections are called "${name}"`,
        hint: 'give each its own name',
      })
    names.add(name)
    const id = String(written['connector'])
    const connector = Object.hasOwn(connectors, id) ? connectors[id] : undefined
    if (!connector) {
      issues.push({
        path: [...at, 'connector'],
        message: `there is no connector "${id}"`,
        ...suggestOneOf(id, Object.keys(connectors)),
      })
      return []
    }
    const read = readSettings(connector, written['config'] ?? {}, [...at, 'config'], env)
    issues.push(...read.issues)
    return read.issues.length > 0 ? [] : [{ name, connector: id, config: read.config, parsed: read.parsed }]
  })
  return { connections, issues }
}

function readSettings(connector: Connector, written: unknown, path: Path, env: Environment) {
  if (!isMap(written)) {
    return {
      config: {},
      parsed: undefined,
      issues: [{ path, message: `expected a map of settings, got ${show(written)}` }],
    }
  }
  const split = splitConfig(connector.config, written)
  const issues: Issue[] = [
    ...split.unknown.map((field) => unknownSetting(connector, written, field.split('.'), path)),
    ...split.secrets.flatMap(({ path: field, value }) => clearSecret(value, [...path, ...field])),
  ]
  const resolved = resolveEnvironment(written, env, path)
  issues.push(...resolved.issues)
  const parsed = connector.config.safeParse(strip(resolved.value, split.unknown))
  if (!parsed.success) {
    const named = new Set(issues.map((issue) => issue.path.join('.')))
    for (const found of parsed.error.issues) {
      const issue = schemaIssue(found, resolved.value, path)
      if (!named.has(issue.path.join('.'))) issues.push({ ...issue, message: hide(issue.message, resolved.used) })
    }
  }
  const config = isMap(resolved.value) ? resolved.value : {}
  return { config, parsed: parsed.success ? parsed.data : undefined, issues }
}

function unknownSetting(connector: Connector, written: unknown, field: readonly string[], path: Path): Issue {
  const name = field.at(-1) ?? ''
  const known = settingNames(connector, field.slice(0, -1))
  const hint = suggestOneOf(name, known)
  return {
    path: [...path, ...inside(written, field)],
    at: 'key',
    message: `"${name}" is not a setting of ${connector.manifest.id}`,
    ...hint,
  }
}

/** Places in lists are numbers, as everywhere in a path. */
function inside(written: unknown, [part, ...others]: readonly string[]): Path {
  if (part === undefined) return []
  if (Array.isArray(written)) return [Number(part), ...inside(written[Number(part)], others)]
  return [part, ...inside(isMap(written) ? written[part] : undefined, others)]
}

function settingNames(connector: Connector, path: readonly string[]): readonly string[] {
  let schema: unknown = z.toJSONSchema(connector.config, { io: 'input', unrepresentable: 'any' })
  for (const key of path)
    schema = branches(schema)
      .map((branch) => property(branch, key))
      .find(isMap)
  return [
    ...new Set(
      branches(schema).flatMap((branch) => (isMap(branch['properties']) ? Object.keys(branch['properties']) : [])),
    ),
  ]
}
function branches(schema: unknown): Record<string, unknown>[] {
  if (!isMap(schema)) return []
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((name) => (Array.isArray(schema[name]) ? schema[name] : []))
  return [schema, ...inner.flatMap(branches)]
}
function property(schema: Record<string, unknown>, key: string): unknown {
  if (isMap(schema['properties'])) return schema['properties'][key]
  // Whatever its place, an item of a list has the same settings.
  return schema['items']
}

/** The message does not repeat what stands there. */
function clearSecret(value: unknown, path: Path): Issue[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) =>
      clearSecret(item, [...path, Array.isArray(value) ? Number(key) : key]),
    )
  }
  if (value === null || (typeof value === 'string' && hasReference(value))) return []
  const name = String(path.at(-1))
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
  const hint = `put it into an environment variable and write \${${name}}`
  return [{ path, message: 'this is a secret and stands here in clear', hint }]
}

/** Unknown settings are reported once, by us. */
function strip(value: unknown, unknown: readonly string[], path: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => strip(item, unknown, [...path, String(index)]))
  if (!isMap(value)) return value
  const kept = Object.entries(value).filter(([key]) => !unknown.includes([...path, key].join('.')))
  return Object.fromEntries(kept.map(([key, item]) => [key, strip(item, unknown, [...path, key])]))
}

function hide(message: string, secrets: readonly string[]): string {
  return secrets.reduce((quiet, secret) => (secret.length < 3 ? quiet : quiet.replaceAll(secret, '•••')), message)
}

export function knownConnection(name: string, connector: Connector): KnownConnection {
  const { writeCase } = connector.can
  return {
    name,
    connector: connector.manifest.id,
    can: Object.keys(connector.can),
    // Where the vendor keeps no cases, the hub keeps their fields itself.
    ...(writeCase && !writeCase.isConversation ? { caseFields: writeCase.fields } : {}),
    ...(writeCase?.isConversation ? { isConversation: true } : {}),
  }
}
