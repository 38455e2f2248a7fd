/** `${NAME}` in settings: the value of an environment variable, so that no secret stands in a file. Pure. */
import type { Issue, Path } from '#hub/rules/index.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Resolved {
  readonly value: unknown
  /** Variables that are not set, and marks that name none. */
  readonly issues: readonly Issue[]
  /** The values that were put in: they must not be shown. */
  readonly used: readonly string[]
}

const mark = /\$(\$\{|\{([^}]*)\})/g

/** `$${` stands for `${`. A text with a variable that is not set stays as it is. */
export function resolveEnvironment(value: unknown, env: Environment, path: Path): Resolved {
  const issues: Issue[] = []
  const used: string[] = []

  function resolve(part: unknown, at: Path): unknown {
    if (typeof part === 'string') return resolveText(part, at)
    if (Array.isArray(part)) return part.map((item, index) => resolve(item, [...at, index]))
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, resolve(item, [...at, key])]))
  }

  function resolveText(text: string, at: Path): string {
    let isWhole = true
    const filled = text.replaceAll(mark, (written: string, inner: string, name: string | undefined) => {
      if (inner === '${') return '${'
      const found = name !== undefined && Object.hasOwn(env, name) ? env[name] : undefined
      if (found) {
        used.push(found)
        return found
      }
      isWhole = false
      const isName = name !== undefined && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
      issues.push(
        isName
          ? { path: at, message: `the environment variable ${name} is not set`, hint: `set ${name} where the hub runs` }
          : { path: at, message: `"${written}" names no environment variable`, hint: `write it as \${NAME}` },
      )
      return written
    })
    return isWhole ? filled : text
  }

  return { value: resolve(value, path), issues, used }
}

export function hasReference(text: string): boolean {
  return /\$\{[A-Za-z_][A-Za-z0-9_]*\}/.test(text.replaceAll('$${', ''))
}
