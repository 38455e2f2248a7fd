/** What is wrong in a file, where exactly, and how it is printed. */
import { type Issue, issueText, pathText } from '#hub/rules/index.ts'

export interface SourceFile {
  /** As problems name it. */
  readonly name: string
  readonly text: string
}

export interface Problem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** Such as `rules[0].if.all[1].field`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  readonly hint?: string
  /** The line may hold a secret: it is not printed. */
  readonly hideSource?: true
}

export interface Place {
  readonly line: number
  readonly column: number
}

export function problemAt(file: string, place: Place, issue: Issue, hideSource = false): Problem {
  return {
    file,
    line: place.line,
    column: place.column,
    path: pathText(issue.path),
    message: issue.message,
    ...(issue.hint ? { hint: issue.hint } : {}),
    ...(hideSource ? { hideSource } : {}),
  }
}

/** One paragraph for each problem: place, path and message on the first line, then the source line with a caret. */
export function formatProblems(problems: readonly Problem[], files: readonly SourceFile[]): string {
  const lines = new Map(files.map(({ name, text }) => [name, text.split(/\r?\n/)]))
  return problems.map((problem) => formatProblem(problem, lines.get(problem.file)?.[problem.line - 1])).join('\n')
}

function formatProblem(problem: Problem, source: string | undefined): string {
  const { file, line, column, path } = problem
  const head = `${file}:${line}:${column} ${path ? `${path} ` : ''}${issueText({ ...problem, path: [] })}`
  if (problem.hideSource || source === undefined || source.trim() === '') return visible(head)
  // A long line is shown around the place.
  const start = Math.max(0, column - 80)
  const shown = visible(source.slice(start, start + 120))
  const number = String(line)
  return `${visible(head)}\n  ${number} | ${shown}\n  ${' '.repeat(number.length)} | ${' '.repeat(column - 1 - start)}^`
}

/** Nothing in a file steers the terminal. */
function visible(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, (character) => (character === '\t' ? ' ' : '·'))
}

export function inFileOrder(problems: readonly Problem[], files: readonly SourceFile[]): Problem[] {
  const order = new Map(files.map(({ name }, index) => [name, index]))
  const rank = ({ file }: Problem) => order.get(file) ?? files.length
  return problems.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column)
}
