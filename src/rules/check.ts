/** Small checks that put together say what a written value must look like, and name each place where it does not. */
import { type Issue, type Path, show } from './issue.ts'
import { didYouMean, suggestOneOf } from './suggest.ts'

export type Check = (value: unknown, path: Path, issues: Issue[]) => void

export interface Key {
  readonly check: Check
  readonly required?: true
  /** Added to the message when the key is missing. */
  readonly hint?: string
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Keys that could reach an object's prototype are refused wherever a person chooses keys freely. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

export function shape(noun: string, keys: Readonly<Record<string, Key>>): Check {
  const names = Object.keys(keys)
  return (value, path, issues) => {
    if (!isMap(value)) {
      issues.push({ path, message: `expected ${noun} with ${names.join(', ')}, got ${show(value)}` })
      return
    }
    refuseUnknownKeys(value, path, issues, names, noun)
    for (const [name, key] of Object.entries(keys)) {
      if (Object.hasOwn(value, name)) key.check(value[name], [...path, name], issues)
      else if (key.required) {
        issues.push({ path, message: `${noun} needs "${name}"`, ...(key.hint ? { hint: key.hint } : {}) })
      }
    }
  }
}

export function refuseUnknownKeys(
  value: Record<string, unknown>,
  path: Path,
  issues: Issue[],
  names: readonly string[],
  noun: string,
): void {
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue
    const hint =
      name === '<<' ? { hint: 'merge keys are not supported; write the keys out' } : suggestOneOf(name, names)
    issues.push({ path: [...path, name], at: 'key', message: `"${name}" is not a key of ${noun}`, ...hint })
  }
}

export function text(options: { readonly max: number; readonly noun?: string; readonly lines?: 'one' }): Check {
  const noun = options.noun ?? 'a text'
  return (value, path, issues) => {
    if (typeof value !== 'string') {
      const quote = typeof value === 'number' || typeof value === 'boolean'
      issues.push({
        path,
        message: `expected ${noun}, got ${show(value)}`,
        ...(quote ? { hint: `write it in quotes: "${value}"` } : {}),
      })
    } else if (!isStorable(value)) issues.push({ path, message: `${noun} holds a character that cannot be stored` })
    else if (value.trim() === '') issues.push({ path, message: `expected ${noun}, got an empty text` })
    else if (value.length > options.max) {
      issues.push({ path, message: `${noun} may have ${options.max} characters, this has ${value.length}` })
    } else if (options.lines === 'one' && hasControls(value)) {
      issues.push({ path, message: `${noun} must be one line without control characters` })
    }
  }
}

/** PostgreSQL takes neither NUL nor half of a surrogate pair. */
export function isStorable(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed()
}

function hasControls(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 32 || code === 127) return true
  }
  return false
}

export function pattern(expected: RegExp, noun: string, rule: string): Check {
  return (value, path, issues) => {
    if (typeof value !== 'string' || !expected.test(value)) {
      issues.push({ path, message: `${show(value)} is not ${noun}`, hint: rule })
    }
  }
}

export function oneOf(options: readonly string[], noun: string, aliases?: Readonly<Record<string, string>>): Check {
  return (value, path, issues) => {
    if (typeof value === 'string' && options.includes(value)) return
    const hint = suggestOneOf(typeof value === 'string' ? value : '', options, aliases)
    issues.push({ path, message: `${show(value)} is not ${noun}`, ...hint })
  }
}

export function listOf(
  check: Check,
  options: { readonly noun: string; readonly min: number; readonly max: number },
): Check {
  return (value, path, issues) => {
    if (!Array.isArray(value)) {
      const hint = value === null || typeof value === 'object' ? {} : { hint: `write it as a list: [${String(value)}]` }
      issues.push({ path, message: `expected a list of ${options.noun}, got ${show(value)}`, ...hint })
    } else if (value.length < options.min) issues.push({ path, message: `the list of ${options.noun} is empty` })
    else if (value.length > options.max) {
      issues.push({ path, message: `at most ${options.max} ${options.noun} are allowed, this has ${value.length}` })
    } else value.forEach((item, index) => void check(item, [...path, index], issues))
  }
}

export function orNull(check: Check): Check {
  return (value, path, issues) => {
    if (value !== null) check(value, path, issues)
  }
}

export const yesOrNo: Check = (value, path, issues) => {
  if (typeof value !== 'boolean') issues.push({ path, message: `expected true or false, got ${show(value)}` })
}

export const finiteNumber: Check = (value, path, issues) => {
  if (typeof value === 'number' && Number.isFinite(value)) return
  const numeric = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
  issues.push({
    path,
    message: `expected a number, got ${show(value)}`,
    ...(numeric ? { hint: 'write it without quotes' } : {}),
  })
}

/** A name out of those that exist, where they are known. */
export function nameOf(noun: string, names: readonly string[] | undefined): Check {
  const any = text({ max: 200, noun: `the name of ${noun}`, lines: 'one' })
  return (value, path, issues) => {
    if (names === undefined || typeof value !== 'string' || value === '') return any(value, path, issues)
    if (names.includes(value)) return
    const near = didYouMean(value, names)
    const all =
      names.length === 0
        ? { hint: `there is no connection yet` }
        : {
            hint: `there is ${names
              .slice(0, 12)
              .map((name) => `"${name}"`)
              .join(', ')}`,
          }
    issues.push({ path, message: `${show(value)} is not the name of ${noun}`, ...(near.hint ? near : all) })
  }
}
