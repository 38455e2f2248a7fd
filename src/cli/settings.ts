/** A connector's settings as the command line gives them: what there is, what is missing, texts turned into values. Pure. */
import { z } from 'zod'
import type { Connector } from '#hub/connector/contract.ts'
import { isSigningSecret } from '#hub/connector/signing-secret.ts'

export interface Setting {
  /** `imap.host` for one inside another. */
  readonly name: string
  readonly isRequired: boolean
  readonly isSecret: boolean
  readonly about: string | undefined
}

type Described = Readonly<Record<string, unknown>>
type Config = Readonly<Record<string, unknown>>

/**
 * The settings at the top level, in the order in which the connector lists them; in place of one that must be there and holds
 * others, those of them that must be there.
 */
export function settingsOf(connector: Connector): readonly Setting[] {
  return settingsIn(describe(connector), '')
}

function settingsIn(described: Described, prefix: string): readonly Setting[] {
  const required = Array.isArray(described['required']) ? described['required'] : []
  const properties = Object.entries(isMap(described['properties']) ? described['properties'] : {})
  return properties.flatMap(([name, property]): readonly Setting[] => {
    const isRequired = required.includes(name)
    if (isRequired && isMap(property) && isMap(property['properties'])) {
      return settingsIn(property, `${prefix}${name}.`).filter((inner) => inner.isRequired)
    }
    return [
      {
        name: prefix + name,
        isRequired,
        isSecret: branches(property).some((branch) => branch['secret'] === true),
        about: branches(property)
          .map((branch) => branch['description'])
          .find((text) => typeof text === 'string'),
      },
    ]
  })
}

/** The vendor makes the secret that signs its webhooks, and cannot be given ours. */
export function hasVendorSecret(connector: Connector): boolean {
  return settingsOf(connector).some(({ name }) => isSigningSecret(name))
}

/** Where the vendor sends what happens. @param webhookUrl the connection's own address */
export function inboundUrl({ manifest }: Connector, webhookUrl: string): string {
  return manifest.path === undefined ? webhookUrl : new URL(manifest.path, webhookUrl).href
}

/** Whether the other side is to be given the secret of ours: it made none itself, and signs with none of its own. */
export function givesSecret(connector: Connector): boolean {
  return connector.manifest.path === undefined && !hasVendorSecret(connector)
}

/** Whether there is a value for a setting, such as `imap.host`. */
export function isGiven(config: Config, setting: string): boolean {
  let place: unknown = config
  for (const part of setting.split('.')) {
    if (!isMap(place) || !Object.hasOwn(place, part)) return false
    place = place[part]
  }
  return true
}

/**
 * `auth.mode=hmac` becomes `{ auth: { mode: 'hmac' } }`; numbers, booleans and lists by the connector's schema.
 * @throws Error for a text that is not what the setting wants
 */
export function toConfig(
  connector: Connector,
  given: readonly (readonly [string, string])[],
  into: Config = {},
): Config {
  const described = describe(connector)
  const config: Record<string, unknown> = structuredClone({ ...into })
  for (const [key, text] of given) {
    const path = key.split('.')
    let place = config
    let schema: readonly Described[] = [described]
    for (const [depth, part] of path.entries()) {
      if (part === '' || part === '__proto__') throw new Error(`setting "${key}": expected a name, such as auth.mode`)
      schema = schema.flatMap((one) => property(one, part))
      if (depth === path.length - 1) place[part] = toValue(key, text, schema)
      else {
        const inner = place[part]
        const next: Record<string, unknown> = isMap(inner) ? { ...inner } : {}
        place[part] = next
        place = next
      }
    }
  }
  return config
}

export interface SettingProblem {
  /** Empty when no single setting is to blame. */
  readonly setting: string
  readonly message: string
}

export function problemsOf(connector: Connector, config: Config): readonly SettingProblem[] {
  const parsed = connector.config.safeParse(config, { reportInput: false })
  if (parsed.success) return []
  return parsed.error.issues.map(({ path, message }) => ({ setting: path.map(String).join('.'), message }))
}

function toValue(key: string, text: string, schema: readonly Described[]): unknown {
  const types = new Set(schema.flatMap((one) => (typeof one['type'] === 'string' ? [one['type']] : [])))
  if (types.size === 0 || types.has('string')) return text
  try {
    const value: unknown = JSON.parse(text)
    if (fits(value, types)) return value
  } catch {
    // Told below.
  }
  throw new Error(`setting "${key}": "${text}" is no ${[...types].join(' or ')}`)
}

function fits(value: unknown, types: ReadonlySet<string>): boolean {
  if (typeof value === 'number') return types.has('number') || (types.has('integer') && Number.isInteger(value))
  if (typeof value === 'boolean') return types.has('boolean')
  return Array.isArray(value) ? types.has('array') : isMap(value) && types.has('object')
}

function describe(connector: Connector): Described {
  return z.toJSONSchema(connector.config, { io: 'input', unrepresentable: 'any' })
}

function branches(schema: unknown): Described[] {
  if (!isMap(schema)) return []
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((name) => (Array.isArray(schema[name]) ? schema[name] : []))
  return [schema, ...inner.flatMap(branches)]
}

function property(schema: Described, name: string): Described[] {
  return branches(schema).flatMap((branch) => {
    const { properties } = branch
    return isMap(properties) && Object.hasOwn(properties, name) ? branches(properties[name]) : []
  })
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
