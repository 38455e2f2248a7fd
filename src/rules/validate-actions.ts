/** Checks a list of actions: their form, their templates, and that somebody can perform them. */
import type { EventType } from '#hub/cases/event.ts'
import { casePriorities, caseStatuses } from '#hub/connector/facts.ts'
import { caseConnectionCheck, connectionCheck } from './ability.ts'
import { type Check, forbiddenKeys, isMap, isStorable, listOf, oneOf, orNull, pattern, shape, text } from './check.ts'
import { type ActionName, actionNames } from './definition.ts'
import { type Issue, type Path, show } from './issue.ts'
import { suggestOneOf } from './suggest.ts'
import { maxTemplateLength, templateIssues } from './template.ts'
import type { Known, KnownConnection } from './validate.ts'
import { noticeCheck } from './validate-notice.ts'

/** Events about a person that need not have a case. */
const withoutCase: ReadonlySet<EventType> = new Set<EventType>(['profile.created', 'profile.updated', 'profile.merged'])
const needCase: ReadonlySet<ActionName> = new Set<ActionName>([
  'assign',
  'status',
  'priority',
  'tag',
  'reply',
  'note',
  'create_case',
  'approval',
])

export function checkActions(
  actions: readonly unknown[],
  path: Path,
  issues: Issue[],
  events: readonly EventType[],
  known: Known,
): void {
  const checks = actionChecks(known.connections)
  const caseless = events.find((event) => withoutCase.has(event))
  actions.forEach((action, index) => {
    const at = [...path, index]
    const name = checkName(action, at, issues)
    if (!name || !isMap(action)) return
    if (caseless !== undefined && needCase.has(name)) {
      const message = `"${name}" needs a case, and the event ${caseless} has none`
      issues.push({ path: [...at, name], at: 'key', message, hint: 'move it to a rule on case events' })
    }
    if (
      caseless !== undefined &&
      name === 'notify' &&
      isMap(action['notify']) &&
      action['notify']['card'] !== undefined
    ) {
      const message = `the card shows a case, and the event ${caseless} has none`
      issues.push({ path: [...at, name, 'card'], at: 'key', message, hint: 'write a "text" instead' })
    }
    const nobody = known.connections && nobodyCan(name, action[name], known.connections)
    if (nobody) issues.push({ path: [...at, name], at: 'key', message: `"${name}" cannot be performed: ${nobody}` })
    checks[name](action[name], [...at, name], issues)
  })
}

const actionAliases = {
  close: 'status',
  comment: 'note',
  tags: 'tag',
  add_tag: 'tag',
  email: 'reply',
  slack: 'notify',
  teams: 'notify',
  ask: 'approval',
  approve: 'approval',
  send: 'notify',
  ticket: 'create_case',
}

function checkName(action: unknown, path: Path, issues: Issue[]): ActionName | undefined {
  if (!isMap(action)) {
    issues.push({ path, message: `expected an action such as { priority: urgent }, got ${show(action)}` })
    return undefined
  }
  const names = Object.keys(action)
  const [name, second] = names
  if (name === undefined || second !== undefined) {
    const hint = second === undefined ? {} : { hint: `begin a new list item with "- ${second}:"` }
    issues.push({ path, message: `an action has one key, this has ${names.length}`, ...hint })
    return undefined
  }
  const known = actionNames.find((candidate) => candidate === name)
  if (!known) {
    issues.push({
      path: [...path, name],
      at: 'key',
      message: `"${name}" is not an action`,
      ...suggestOneOf(name, actionNames, actionAliases),
    })
  }
  return known
}

function actionChecks(connections: readonly KnownConnection[] | undefined): Record<ActionName, Check> {
  const message = shape('a message', { text: { check: template(), required: true } })
  const priority = oneOf(casePriorities, 'a priority', { critical: 'urgent', medium: 'normal' })
  const team = text({ max: 200, noun: 'the name of a team', lines: 'one' })
  const tags = listOf(text({ max: 100, noun: 'a tag', lines: 'one' }), { noun: 'tags', min: 1, max: 50 })
  const connectionThatCan = (capability: string, deed: string): Check => connectionCheck(connections, capability, deed)
  return {
    assign: atLeastOne(shape('"assign"', { agent: { check: orNull(agentAddress) }, team: { check: orNull(team) } }), [
      'agent',
      'team',
    ]),
    status: oneOf(caseStatuses, 'a status', {
      resolved: 'solved',
      done: 'solved',
      hold: 'on_hold',
      waiting: 'pending',
    }),
    priority,
    tag: atLeastOne(shape('"tag"', { add: { check: tags }, remove: { check: tags } }), ['add', 'remove']),
    reply: message,
    note: message,
    create_case: shape('"create_case"', {
      connection: { check: caseConnectionCheck(connections), required: true },
      subject: { check: template(), required: true },
      text: { check: template(), required: true },
      priority: { check: priority },
      tags: { check: tags },
      team: { check: team },
    }),
    update_person: shape('"update_person"', {
      traits: { check: checkTraits, required: true },
      connection: { check: connectionThatCan('writePerson', 'update people') },
    }),
    notify: noticeCheck(connections, template()),
    approval: shape('"approval"', {
      connection: { check: connectionThatCan('chat', 'ask for approvals'), required: true },
      to: { check: template(), required: true },
      question: { check: template(), required: true },
    }),
    webhook: shape('"webhook"', {
      url: { check: checkUrl, required: true },
      body: { check: (value, path, issues) => checkBody(value, path, issues) },
    }),
  }
}

const agentAddress = pattern(
  /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  "an agent's e-mail address",
  'agents are named by e-mail, such as leo@desk.example',
)

function atLeastOne(check: Check, names: readonly string[]): Check {
  return (value, path, issues) => {
    check(value, path, issues)
    if (isMap(value) && !names.some((name) => Object.hasOwn(value, name))) {
      issues.push({ path, message: `needs ${names.map((name) => `"${name}"`).join(' or ')}` })
    }
  }
}

function template(): Check {
  const nonEmpty = text({ max: maxTemplateLength, noun: 'a text' })
  return (value, path, issues) => {
    nonEmpty(value, path, issues)
    if (typeof value === 'string' && value.length <= maxTemplateLength) issues.push(...templateIssues(value, path))
  }
}

/** Why no connection can do this; undefined when one can, or when the action names its connection itself. */
function nobodyCan(name: ActionName, action: unknown, connections: readonly KnownConnection[]): string | undefined {
  const writers = connections.filter(({ can }) => can.includes('writeCase'))
  const fields = name === 'assign' && isMap(action) ? assignFields(action) : caseFieldsOf[name]
  if (fields) {
    if (writers.length === 0) return 'no connection can write cases'
    const missing = fields.find((field) => !writers.some(({ caseFields }) => caseFields?.includes(field) ?? true))
    return missing === undefined ? undefined : `no connection can write the field "${missing}" of a case`
  }
  return undefined
}
type WrittenField = 'status' | 'priority' | 'tags' | 'assignee' | 'team'
const caseFieldsOf: Partial<Record<ActionName, readonly WrittenField[]>> = {
  status: ['status'],
  priority: ['priority'],
  tag: ['tags'],
  reply: [],
  note: [],
}
function assignFields(action: Record<string, unknown>): readonly WrittenField[] {
  return [
    ...(Object.hasOwn(action, 'agent') ? ['assignee' as const] : []),
    ...(Object.hasOwn(action, 'team') ? ['team' as const] : []),
  ]
}

const checkTraits: Check = (value, path, issues) => {
  if (!isMap(value) || Object.keys(value).length === 0) {
    issues.push({ path, message: `expected traits such as { plan: pro }, got ${show(value)}` })
    return
  }
  for (const [name, trait] of Object.entries(value)) {
    const at = [...path, name]
    if (!isName(name)) {
      issues.push({ path: at, at: 'key', message: `${show(name)} cannot be the name of a trait` })
    }
    const list = Array.isArray(trait)
    for (const [index, item] of (list ? trait : [trait]).entries())
      checkTrait(item, list ? [...at, index] : at, issues, list)
  }
}
function checkTrait(value: unknown, path: Path, issues: Issue[], inList: boolean): void {
  if (typeof value === 'string') {
    issues.push(...templateIssues(value, path))
  } else if (typeof value !== 'boolean' && !Number.isFinite(value) && (value !== null || inList)) {
    issues.push({ path, message: `expected a text, a number, true or false, got ${show(value)}` })
  }
}

const checkUrl: Check = (value, path, issues) => {
  const url = typeof value === 'string' && value.length <= 2_000 ? URL.parse(value) : null
  if (typeof value === 'string' && /\{\{|\{%/.test(value)) {
    issues.push({ path, message: 'the url of a webhook is not a template', hint: 'put what changes into "body"' })
  } else if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    issues.push({ path, message: `${show(value)} is not a web address`, hint: 'write it as https://host/path' })
  } else if (url.username !== '' || url.password !== '') {
    issues.push({ path, message: 'the url of a webhook must not hold a user name or password' })
  }
}

function isName(key: string): boolean {
  return !forbiddenKeys.has(key) && key.trim() !== '' && key.length <= 100 && isStorable(key)
}

const maxBodyDepth = 10
function checkBody(value: unknown, path: Path, issues: Issue[], depth = 0): void {
  if (depth > maxBodyDepth) {
    issues.push({ path, message: `a body may be nested ${maxBodyDepth} deep` })
  } else if (typeof value === 'string') issues.push(...templateIssues(value, path))
  else if (Array.isArray(value))
    value.forEach((item, index) => void checkBody(item, [...path, index], issues, depth + 1))
  else if (isMap(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (forbiddenKeys.has(key))
        issues.push({ path: [...path, key], at: 'key', message: `${show(key)} cannot be a key` })
      else checkBody(item, [...path, key], issues, depth + 1)
    }
  } else if (value !== null && typeof value !== 'boolean' && !Number.isFinite(value)) {
    issues.push({ path, message: `${show(value)} cannot be sent as JSON` })
  }
}
