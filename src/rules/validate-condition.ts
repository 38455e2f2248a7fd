/** Checks a tree of conditions: fields that exist, operators that fit their type, values of the right form. */
import {
  type Check,
  finiteNumber,
  forbiddenKeys,
  isMap,
  isStorable,
  listOf,
  nameOf,
  oneOf,
  refuseUnknownKeys,
  text,
  yesOrNo,
} from './check.ts'
import { type Field, findField, nearestField, openPrefixes } from './field.ts'
import { type Issue, type Path, show } from './issue.ts'
import { hourOperators, type Operator, operatorAliases, operatorNames, operators } from './operator.ts'
import { didYouMean, listOfWords, nearest, suggestOneOf } from './suggest.ts'
import type { KnownConnection } from './validate.ts'

const groups = ['all', 'any', 'none'] as const
const maxDepth = 10

export function checkCondition(
  value: unknown,
  path: Path,
  issues: Issue[],
  connections: readonly KnownConnection[] | undefined,
  depth = 1,
): void {
  if (!isMap(value)) {
    const hint = Array.isArray(value) ? { hint: 'put the list under "all", "any" or "none"' } : {}
    issues.push({
      path,
      message: `expected a condition such as { field: case.priority, is: urgent }, got ${show(value)}`,
      ...hint,
    })
    return
  }
  if (depth > maxDepth) {
    issues.push({ path, message: `conditions may be nested ${maxDepth} deep` })
    return
  }
  if ('field' in value) {
    checkTest(value, path, issues, connections)
    return
  }
  const isTree = groups.some((name) => Object.hasOwn(value, name))
  const names = Object.keys(value)
  if (!isTree && !names.some((name) => nearest(name, groups))) {
    const near = names.map((name) => nearest(name, ['field'])).find(Boolean)
    issues.push({
      path,
      message: 'a condition needs "field", or "all", "any" or "none"',
      ...(near ? { hint: 'did you mean "field"?' } : {}),
    })
    return
  }
  refuseUnknownKeys(value, path, issues, groups, 'a group of conditions')
  const child: Check = (item, at, found) => checkCondition(item, at, found, connections, depth + 1)
  for (const name of groups) {
    if (Object.hasOwn(value, name))
      listOf(child, { noun: 'conditions', min: 1, max: 100 })(value[name], [...path, name], issues)
  }
}

function checkTest(
  test: Record<string, unknown>,
  path: Path,
  issues: Issue[],
  connections: readonly KnownConnection[] | undefined,
): void {
  const field = checkField(test['field'], [...path, 'field'], issues)
  const names = Object.keys(test).filter((name) => name !== 'field')
  if (names.length === 0) {
    const fitting = field ? { hint: `use ${listOfWords(operatorsFor(field))}` } : {}
    issues.push({ path, message: 'this condition asks nothing of its field', ...fitting })
  }
  for (const name of names) {
    const operator = operatorNames.find((known) => known === name)
    const at = [...path, name]
    if (!operator) {
      const hint = didYouMean(name, operatorNames, operatorAliases)
      const all = field ? { hint: `use ${listOfWords(operatorsFor(field))}` } : {}
      issues.push({ path: at, at: 'key', message: `"${name}" is not an operator`, ...(hint.hint ? hint : all) })
    } else if (field) {
      checkOperator(field, operator, test[name], at, issues, connections)
    }
  }
}

function checkField(value: unknown, path: Path, issues: Issue[]): Field | undefined {
  if (typeof value !== 'string') {
    issues.push({ path, message: `expected the name of a field, got ${show(value)}` })
    return undefined
  }
  const field = findField(value)
  const ownPart = openPrefixes.find((prefix) => value.startsWith(prefix))
  if (
    field &&
    !(ownPart && forbiddenKeys.has(value.slice(ownPart.length))) &&
    value.length <= 200 &&
    isStorable(value)
  ) {
    return field
  }
  const near = field ? undefined : nearestField(value)
  issues.push({ path, message: `${show(value)} is not a field`, ...(near ? { hint: `did you mean "${near}"?` } : {}) })
  return undefined
}

function operatorsFor(field: Field): readonly string[] {
  return operatorNames.filter((name) => fits(field, name))
}
function fits(field: Field, name: keyof typeof operators): boolean {
  const operator: Operator = operators[name]
  return operator.types.includes(field.type) && (!name.startsWith('changed') || field.change !== undefined)
}

const typeWords = {
  enum: 'a choice',
  text: 'a text',
  list: 'a list',
  number: 'a number',
  time: 'a time',
  any: 'a free field',
} as const

function checkOperator(
  field: Field,
  name: keyof typeof operators,
  value: unknown,
  path: Path,
  issues: Issue[],
  connections: readonly KnownConnection[] | undefined,
): void {
  if (!fits(field, name)) {
    const why = name.startsWith('changed') ? 'changes of it are not known' : `it is ${typeWords[field.type]}`
    const hint = `use ${listOfWords(operatorsFor(field))}`
    issues.push({ path, at: 'key', message: `"${name}" does not fit "${field.name}": ${why}`, hint })
    return
  }
  const one = valueCheck(field, connections)
  switch (operators[name].takes) {
    case 'value':
      if (Array.isArray(value) && (name === 'is' || name === 'is_not')) {
        const hint = `use "${name === 'is' ? 'in' : 'not_in'}" for a list`
        issues.push({ path, message: `"${name}" takes one value, got a list`, hint })
      } else one(value, path, issues)
      return
    case 'values':
      listOf(one, { noun: 'values', min: 1, max: 1_000 })(value, path, issues)
      return
    case 'text':
      text({ max: 500 })(value, path, issues)
      return
    case 'number':
      finiteNumber(value, path, issues)
      return
    case 'yes_no':
      yesOrNo(value, path, issues)
      return
    case 'hours':
      checkHours(value, path, issues)
  }
}

const statusAliases = {
  resolved: 'solved',
  done: 'solved',
  hold: 'on_hold',
  waiting: 'pending',
  critical: 'urgent',
  medium: 'normal',
}

function valueCheck(field: Field, connections: readonly KnownConnection[] | undefined): Check {
  const values = field.values
  if (values) return oneOf(values, `a value of "${field.name}"`, statusAliases)
  if (connections && (field.name === 'case.connection' || field.name === 'event.connection')) {
    return nameOf(
      'a connection',
      connections.map(({ name }) => name),
    )
  }
  if (field.type === 'number') return finiteNumber
  if (field.type === 'any') return scalar
  return text({ max: 500 })
}

const scalar: Check = (value, path, issues) => {
  if (typeof value === 'string') text({ max: 500 })(value, path, issues)
  else if (typeof value !== 'boolean' && !Number.isFinite(value)) {
    issues.push({ path, message: `expected a text, a number, true or false, got ${show(value)}` })
  }
}

function checkHours(value: unknown, path: Path, issues: Issue[]): void {
  if (!isMap(value) || Object.keys(value).length === 0) {
    issues.push({ path, message: `expected hours such as { at_least: 24 }, got ${show(value)}` })
    return
  }
  for (const [name, hours] of Object.entries(value)) {
    const at = [...path, name]
    if (!hourOperators.some((known) => known === name)) {
      const hint = suggestOneOf(name, hourOperators, operatorAliases)
      issues.push({ path: at, at: 'key', message: `"${name}" does not compare hours`, ...hint })
    } else finiteNumber(hours, at, issues)
  }
}
