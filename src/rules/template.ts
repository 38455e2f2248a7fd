/**
 * Liquid templates, fenced in: only the tags and filters below, only fields that exist, no files, no random values, no
 * clock but the event's, and budgets of time, memory and length.
 */
import { Liquid, LiquidError, type Template, type Variable } from 'liquidjs'
import { isStorable } from './check.ts'
import type { Issue, Path } from './issue.ts'
import type { RuleContext } from './plan.ts'
import { FencedContext } from './template-context.ts'
import { templatePathProblem } from './template-path.ts'

const tags: ReadonlySet<string> = new Set([
  'assign',
  'capture',
  'case',
  'comment',
  'if',
  'unless',
  'for',
  'break',
  'continue',
  'raw',
  'echo',
  'liquid',
  '#',
])
/** Filters that run expressions hidden in texts (no check sees into them), are random, or show what a rule need not see. */
const refusedFilters = /_exp$|^sample$|^inspect$|^raw$|^hmac_/

export const maxTemplateLength = 20_000
const maxTextLength = 65_536

const engine = createEngine()

function createEngine(): Liquid {
  const liquid = new Liquid({
    strictFilters: true,
    ownPropertyOnly: true,
    dynamicPartials: false,
    relativeReference: false,
    templates: {},
    parseLimit: maxTemplateLength,
    renderLimit: 50,
    memoryLimit: 500_000,
    timezoneOffset: 0,
    locale: 'en',
  })
  for (const name of Object.keys(liquid.tags)) if (!tags.has(name)) delete liquid.tags[name]
  for (const name of Object.keys(liquid.filters)) if (refusedFilters.test(name)) delete liquid.filters[name]
  for (const name of Object.keys(liquid.filters).filter((name) => name === 'date' || name.startsWith('date_'))) {
    const format = liquid.filters[name]
    if (typeof format !== 'function') continue
    // The same event must give the same text whenever it is worked out: "now" is the rules' time, not the machine's.
    liquid.registerFilter(name, function (value: unknown, ...args: unknown[]) {
      const now = value === 'now' || value === 'today' ? Reflect.get(this.context.globals, 'now') : value
      return format.call(this, now, ...args)
    })
  }
  return liquid
}

/** What is wrong with a template: its grammar, a filter, or a field that does not exist. */
export function templateIssues(text: string, path: Path): Issue[] {
  if (text.length > maxTemplateLength) {
    return [{ path, message: `a template may have ${maxTemplateLength} characters, this has ${text.length}` }]
  }
  if (!isStorable(text)) return [{ path, message: 'this text holds a character that cannot be stored' }]
  let parsed: Template[]
  try {
    parsed = engine.parse(text)
  } catch (error) {
    return [{ path, message: `this template cannot be read: ${reasonOf(error)}`, ...placeOf(error) }]
  }
  const { globals } = engine.analyzeSync(parsed, { partials: false })
  return Object.values(globals)
    .flat()
    .flatMap((variable) => variableIssue(variable, path))
    .sort((a, b) => (a.within?.line ?? 0) - (b.within?.line ?? 0) || (a.within?.column ?? 0) - (b.within?.column ?? 0))
}

function variableIssue(variable: Variable, path: Path): Issue[] {
  const problem = templatePathProblem(variable.segments.map((part) => (typeof part === 'object' ? null : part)))
  if (!problem) return []
  return [{ path, ...problem, within: { line: variable.location.row, column: variable.location.col } }]
}

function placeOf(error: unknown): Pick<Issue, 'within'> {
  if (!LiquidError.is(error)) return {}
  const [line = 1, column = 1] = error.token.getPosition()
  return { within: { line, column } }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/, line:\d+, col:\d+$/, '').slice(0, 200)
}

/** What templates see, by name. */
export type TemplateScope = Readonly<Record<string, unknown>>

/** A text that could not be worked out: over budget, or a value it must not use. */
export class TemplateFailed extends Error {
  override readonly name = 'TemplateFailed'
}

/** @throws TemplateFailed */
export type TextTemplate = (scope: TemplateScope, now: Date) => string

/** @throws LiquidError for a template that was never checked. */
export function compileTemplate(text: string): TextTemplate {
  if (!/\{\{|\{%/.test(text)) return () => text
  const parsed = engine.parse(text)
  return (scope, now) => {
    const rendered = render(parsed, scope, now)
    if (rendered.length > maxTextLength) {
      throw new TemplateFailed(`the text came out longer than ${maxTextLength} characters`)
    }
    return rendered.toWellFormed().replaceAll('\0', '')
  }
}

function render(parsed: Template[], scope: TemplateScope, now: Date): string {
  try {
    return String(engine.renderSync(parsed, new FencedContext(engine, scope, now)))
  } catch (error) {
    const { within } = placeOf(error)
    const place = within ? `line ${within.line}, column ${within.column}: ` : ''
    throw new TemplateFailed(place + reasonOf(error), { cause: error })
  }
}

/**
 * What templates see of an event.
 * @param reach `customers`: the text leaves towards the customer's side, where the text of an internal message must not go,
 * nor a question to colleagues, which may quote one; a template that reads it fails.
 */
export function templateScope(context: RuleContext, reach: 'staff' | 'customers'): TemplateScope {
  if (reach === 'staff') return { ...context }
  const { message, approval } = context
  const isInternal = message !== null && message.visibility === 'internal'
  return {
    ...context,
    message: isInternal ? without('text', 'the text of an internal message', message) : message,
    approval: approval && without('question', 'the question of an approval', approval),
  }
}

function without<K extends string>(key: K, what: string, view: Readonly<Record<K, string>>): object {
  const { [key]: _, ...rest } = view
  return Object.defineProperty(rest, key, {
    enumerable: true,
    get() {
      throw new Error(`${what} must not leave towards the customer; use a note or notify instead`)
    },
  })
}
