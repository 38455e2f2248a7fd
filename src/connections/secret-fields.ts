/**
 * Which parts of a connector's settings are secret, found by walking its schema beside the value. A field counts as secret
 * when any branch of a union says so. Pure.
 */
import { z } from 'zod'

type Path = readonly string[]

export interface SecretField {
  readonly path: Path
  readonly value: unknown
}

export interface SplitConfig {
  /** What may be stored and shown in the clear. */
  readonly open: Record<string, unknown>
  readonly secrets: readonly SecretField[]
  /** Fields that the schema does not know: perhaps a misspelt secret, so they are not stored at all. */
  readonly unknown: readonly string[]
}

type Plain = Record<string, unknown>

export function splitConfig(schema: z.core.$ZodType, config: Plain): SplitConfig {
  const secrets: SecretField[] = []
  const unknown: string[] = []
  const open = walk([schema], config, [])
  return { open: isPlain(open) ? open : {}, secrets, unknown }

  function walk(schemas: readonly z.core.$ZodType[], value: unknown, path: Path): unknown {
    const branches = branchesOf(schemas)
    if (branches === 'secret') {
      if (value !== undefined) secrets.push({ path, value })
      return undefined
    }
    if (Array.isArray(value)) {
      return value.map((item, index) => {
        const items = branches.flatMap((branch) => itemsOf(branch, index))
        return walk(items, item, [...path, String(index)]) ?? null
      })
    }
    if (!isPlain(value)) return value
    const entries = Object.entries(value).flatMap(([key, child]) => {
      const fields = branches.flatMap((branch) => fieldsOf(branch, key))
      if (fields.length === 0) {
        unknown.push([...path, key].join('.'))
        return []
      }
      const kept = walk(fields, child, [...path, key])
      return kept === undefined ? [] : [[key, kept] as const]
    })
    return Object.fromEntries(entries)
  }
}

/** The settings as the connector's schema reads them. */
export function joinConfig(open: Plain, secrets: readonly SecretField[]): Plain {
  const joined = structuredClone(open)
  for (const { path, value } of secrets) {
    let place: unknown = joined
    for (const [depth, key] of path.entries()) {
      if (typeof place !== 'object' || place === null) break
      if (depth === path.length - 1) Reflect.set(place, key, value)
      else if (Reflect.get(place, key) === undefined || Reflect.get(place, key) === null) Reflect.set(place, key, {})
      place = Reflect.get(place, key)
    }
  }
  return joined
}

/** New settings with the secrets that were not entered again. */
export function keepSecrets(given: SplitConfig, before: readonly SecretField[]): readonly SecretField[] {
  const entered = new Set(given.secrets.map(({ path }) => path.join('.')))
  return [...given.secrets, ...before.filter(({ path }) => !entered.has(path.join('.')))]
}

/** Every text among the secrets, for redaction. */
export function secretTexts(secrets: readonly SecretField[]): readonly string[] {
  const texts = (value: unknown): readonly string[] => {
    if (typeof value === 'string') return [value]
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : []
  }
  return secrets.flatMap(({ value }) => texts(value))
}

/** Wrappers and unions opened; `secret` as soon as one layer is marked. */
function branchesOf(schemas: readonly z.core.$ZodType[]): 'secret' | readonly z.core.$ZodTypes[] {
  const open: z.core.$ZodTypes[] = []
  const seen = new Set<z.core.$ZodType>()
  const waiting = [...schemas]
  for (let schema = waiting.pop(); schema; schema = waiting.pop()) {
    if (seen.has(schema)) continue
    seen.add(schema)
    if (z.globalRegistry.get(schema)?.['secret'] === true) return 'secret'
    // Every schema is one of the known classes; the base type only does not list them.
    const known = schema as z.core.$ZodTypes
    const inner = innerOf(known)
    if (inner.length === 0) open.push(known)
    else waiting.push(...inner)
  }
  return open
}

function innerOf(schema: z.core.$ZodTypes): readonly z.core.$ZodType[] {
  const { def } = schema._zod
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
    case 'success':
    case 'promise':
      return [def.innerType]
    case 'pipe':
      return [def.in, def.out]
    case 'union':
      return def.options
    case 'intersection':
      return [def.left, def.right]
    case 'lazy':
      return [def.getter()]
    default:
      return []
  }
}

function itemsOf(schema: z.core.$ZodTypes, index: number): readonly z.core.$ZodType[] {
  const { def } = schema._zod
  if (def.type === 'array') return [def.element]
  if (def.type !== 'tuple') return []
  const item = def.items[index] ?? def.rest
  return item ? [item] : []
}

function fieldsOf(schema: z.core.$ZodTypes, key: string): readonly z.core.$ZodType[] {
  const { def } = schema._zod
  if (def.type === 'record') return [def.valueType]
  // Any shape: nothing below it can be marked.
  if (def.type === 'any' || def.type === 'unknown' || def.type === 'custom' || def.type === 'transform') return [schema]
  if (def.type !== 'object') return []
  const field = Object.hasOwn(def.shape, key) ? def.shape[key] : undefined
  if (field) return [field]
  return def.catchall && def.catchall._zod.def.type !== 'never' ? [def.catchall] : []
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
