/** What is wrong at one place of a value that a person wrote. Where it stands in a file or request is added later. */
export type Path = readonly (string | number)[]

export interface Issue {
  readonly path: Path
  readonly message: string
  /** What to write instead, such as `did you mean "case.priority"?`. */
  readonly hint?: string
  /** The key at the end of the path is meant, not its value. */
  readonly at?: 'key'
  /** Inside a text, such as a template: line and column, both from 1. */
  readonly within?: { readonly line: number; readonly column: number }
}

/** `rules[0].if.all[1].field` */
export function pathText(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[\w-]+$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part)}]`
  }
  return text
}

/** RFC 6901: `/rules/0/if/all/1/field`; the empty text is the whole document. */
export function jsonPointer(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

export function issueText(issue: Issue): string {
  return issue.hint ? `${issue.message}; ${issue.hint}` : issue.message
}

/** A value as an error message shows it: short, on one line. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a map'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…${typeof value === 'string' ? '"' : ''}` : text
}
