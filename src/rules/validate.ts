/** Reads a rule that a person wrote. Every mistake is found here, with its place, so that none is left for run time. */
import { type EventType, eventTypes } from '#hub/cases/event.ts'
import type { CaseField } from '#hub/connector/contract.ts'
import { isMap, listOf, oneOf, pattern, shape, text } from './check.ts'
import { actionNames, type RuleDefinition, ruleModes } from './definition.ts'
import { type Issue, type Path, show } from './issue.ts'
import { checkActions } from './validate-actions.ts'
import { checkCondition } from './validate-condition.ts'

/** What the hub has, so that an action nobody can perform is refused. Without it names are only checked for their form. */
export interface Known {
  readonly connections?: readonly KnownConnection[]
}
export interface KnownConnection {
  readonly name: string
  readonly connector: string
  /** The keys of the connector's `can`, such as `notify`. */
  readonly can: readonly string[]
  /** The fields of a case it can write; all when absent. */
  readonly caseFields?: readonly CaseField[]
  /** Its cases are conversations with the customer: it has no place for what only colleagues may read. */
  readonly isConversation?: true
}

export type Validated =
  | { readonly ok: true; readonly rule: RuleDefinition }
  | { readonly ok: false; readonly issues: readonly Issue[] }

/**
 * @param value parsed YAML or JSON.
 * @param at where the value stands in its document; issues carry paths from the document's root.
 */
export function validateRule(value: unknown, known: Known = {}, at: Path = []): Validated {
  const issues: Issue[] = []
  const written = isMap(value) && typeof value['on'] === 'string' ? { ...value, on: [value['on']] } : value
  ruleShape(written, at, issues)
  if (isMap(written)) {
    if (written['if'] !== undefined && !isEmpty(written['if'])) {
      checkCondition(written['if'], [...at, 'if'], issues, known.connections)
    }
    if (Array.isArray(written['then']))
      checkActions(written['then'], [...at, 'then'], issues, eventsOf(written['on']), known)
  }
  if (issues.length > 0) return { ok: false, issues: issues.map((issue) => unwrapEvent(issue, value, at)) }
  return { ok: true, rule: toRule(written) }
}

/** The one place where a checked value gets its type. */
function toRule(checked: unknown): RuleDefinition {
  const { if: condition, ...rest } = checked as RuleDefinition
  return { ...rest, ...(isEmpty(condition) ? {} : { if: condition as NonNullable<typeof condition> }) }
}

function isEmpty(condition: unknown): boolean {
  return condition === undefined || condition === null || (isMap(condition) && Object.keys(condition).length === 0)
}

export const ruleId = pattern(
  /^[a-z0-9][a-z0-9_-]{0,63}$/,
  'an id',
  'use 1 to 64 of a-z, 0-9, - and _, such as "urgent-enterprise"',
)

const modeHint = 'write "mode: simulate" to see what it would do, or "mode: on"'

const ruleShape = shape('a rule', {
  id: { required: true, check: ruleId },
  name: { required: true, check: text({ max: 200, noun: 'a name', lines: 'one' }) },
  owner: { check: text({ max: 200, noun: 'the owner', lines: 'one' }) },
  on: {
    required: true,
    hint: 'name the events, such as "on: [case.created]"',
    check: listOf(checkEvent, { noun: 'events', min: 1, max: eventTypes.length }),
  },
  if: { check: () => {} },
  then: {
    required: true,
    hint: `give at least one action: ${actionNames.join(', ')}`,
    check: listOf(() => {}, { noun: 'actions', min: 1, max: 20 }),
  },
  mode: { required: true, hint: modeHint, check: checkMode },
})

const eventAliases = {
  'ticket.created': 'case.created',
  'ticket.updated': 'case.updated',
  'case.new': 'case.created',
  'case.changed': 'case.updated',
  'case.resolved': 'case.solved',
  'message.created': 'message.received',
}
function checkEvent(value: unknown, path: Path, issues: Issue[]): void {
  oneOf(eventTypes, 'an event', eventAliases)(value, path, issues)
}

function checkMode(value: unknown, path: Path, issues: Issue[]): void {
  if (value === 'pilot') {
    issues.push({ path, message: 'mode "pilot" is not available yet', hint: modeHint })
  } else if (typeof value === 'boolean') {
    issues.push({
      path,
      message: `expected a mode, got ${show(value)}`,
      hint: `write it in quotes: "${value ? 'on' : 'off'}"`,
    })
  } else
    oneOf(ruleModes, 'a mode', { enabled: 'on', active: 'on', disabled: 'off', dry_run: 'simulate' })(
      value,
      path,
      issues,
    )
}

function eventsOf(on: unknown): readonly EventType[] {
  return Array.isArray(on) ? eventTypes.filter((type) => on.includes(type)) : []
}

/** An event written without a list stands at `on` itself. */
function unwrapEvent(issue: Issue, value: unknown, at: Path): Issue {
  const atEvent = isMap(value) && typeof value['on'] === 'string' && issue.path[at.length] === 'on'
  return atEvent ? { ...issue, path: [...at, 'on'] } : issue
}
