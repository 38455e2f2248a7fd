/** What a field can be asked: which types an operator fits, what it takes, how it reads in words and how it decides. */
import type { HoursDefinition, OperatorName } from './definition.ts'
import { type Comparable, comparable, type Field, type FieldType, fold, timeOf } from './field.ts'
import { codeAt, codeOf, type Frame, numberAt, type Slot, valueAt } from './frame.ts'
import type { RuleContext } from './plan.ts'

type Argument = 'value' | 'values' | 'text' | 'number' | 'yes_no' | 'hours'

export interface Operator {
  readonly types: readonly FieldType[]
  readonly takes: Argument
  readonly words: string
}

const single: readonly FieldType[] = ['enum', 'text', 'number', 'any']
const texts: readonly FieldType[] = ['text', 'any']
const lists: readonly FieldType[] = ['list', 'any']
const numbers: readonly FieldType[] = ['number', 'any']
const every: readonly FieldType[] = ['enum', 'text', 'list', 'number', 'time', 'any']

export const operators = {
  is: { types: single, takes: 'value', words: 'is' },
  is_not: { types: single, takes: 'value', words: 'is not' },
  in: { types: single, takes: 'values', words: 'is one of' },
  not_in: { types: single, takes: 'values', words: 'is none of' },
  any_of: { types: lists, takes: 'values', words: 'has any of' },
  all_of: { types: lists, takes: 'values', words: 'has all of' },
  none_of: { types: lists, takes: 'values', words: 'has none of' },
  contains: { types: ['text', 'list', 'any'], takes: 'text', words: 'contains' },
  not_contains: { types: ['text', 'list', 'any'], takes: 'text', words: 'does not contain' },
  starts_with: { types: texts, takes: 'text', words: 'starts with' },
  ends_with: { types: texts, takes: 'text', words: 'ends with' },
  is_set: { types: every, takes: 'yes_no', words: 'is set:' },
  is_empty: { types: every, takes: 'yes_no', words: 'is empty:' },
  greater_than: { types: numbers, takes: 'number', words: 'is greater than' },
  less_than: { types: numbers, takes: 'number', words: 'is less than' },
  at_least: { types: numbers, takes: 'number', words: 'is at least' },
  at_most: { types: numbers, takes: 'number', words: 'is at most' },
  changed: { types: every, takes: 'yes_no', words: 'changed:' },
  changed_to: { types: single, takes: 'value', words: 'changed to' },
  changed_from: { types: single, takes: 'value', words: 'changed from' },
  hours_since: { types: ['time', 'any'], takes: 'hours', words: 'hours since:' },
} as const satisfies Record<OperatorName, Operator>

export const operatorNames = Object.keys(operators) as readonly OperatorName[]

export const hourOperators = ['greater_than', 'less_than', 'at_least', 'at_most'] as const

/** Words of other tools, for "did you mean". */
export const operatorAliases: Readonly<Record<string, string>> = {
  equals: 'is',
  equal: 'is',
  eq: 'is',
  '=': 'is',
  '==': 'is',
  not: 'is_not',
  not_equals: 'is_not',
  neq: 'is_not',
  '!=': 'is_not',
  one_of: 'in',
  includes: 'contains',
  gt: 'greater_than',
  '>': 'greater_than',
  more_than: 'greater_than',
  lt: 'less_than',
  '<': 'less_than',
  gte: 'at_least',
  '>=': 'at_least',
  lte: 'at_most',
  '<=': 'at_most',
  exists: 'is_set',
  present: 'is_set',
  changed_by: 'changed',
  older_than: 'hours_since',
}

export type Test = (frame: Frame) => boolean

/** @param argument checked before: it has the form that the operator takes. */
export function compileTest(slot: Slot, operator: OperatorName, argument: unknown): Test {
  const { field } = slot
  const one = comparable(elementType(field), argument)
  const some = new Set(wantedValues(field, argument))
  const text = fold(argument)
  const number = Number(argument)
  switch (operator) {
    case 'is':
      return isTest(slot, one)
    case 'is_not':
      return about(slot, (value) => value !== one)
    case 'in':
      return inTest(slot, some)
    case 'not_in':
      return about(slot, (value) => !some.has(value))
    case 'any_of':
      return (frame) => items(valueAt(frame, slot)).some((item) => some.has(item))
    case 'none_of':
      return about(slot, (value) => !items(value).some((item) => some.has(item)))
    case 'all_of':
      return (frame) => some.isSubsetOf(new Set(items(valueAt(frame, slot))))
    case 'contains':
      return (frame) => hasPart(valueAt(frame, slot), text)
    case 'not_contains':
      return about(slot, (value) => !hasPart(value, text))
    case 'starts_with':
      return textTest(slot, (value) => value.startsWith(text))
    case 'ends_with':
      return textTest(slot, (value) => value.endsWith(text))
    case 'is_set':
      return (frame) => isSet(valueAt(frame, slot)) === argument
    case 'is_empty':
      return (frame) => isSet(valueAt(frame, slot)) !== argument
    case 'greater_than':
      return (frame) => numberAt(frame, slot) > number
    case 'less_than':
      return (frame) => numberAt(frame, slot) < number
    case 'at_least':
      return (frame) => numberAt(frame, slot) >= number
    case 'at_most':
      return (frame) => numberAt(frame, slot) <= number
    case 'hours_since':
      return hoursTest(slot, argument as HoursDefinition)
    case 'changed':
      return (frame) => (changeOf(field, frame.context) !== undefined) === argument
    case 'changed_to':
      return changeTest(field, 'to', one)
    case 'changed_from':
      return changeTest(field, 'from', one)
  }
}

/** The values that an argument names, in comparable form: of the field, or of the items of a list. */
export function wantedValues(field: Field, argument: unknown): Comparable[] {
  const element = elementType(field)
  return (Array.isArray(argument) ? argument : [argument]).map((value) => comparable(element, value))
}
function elementType({ type }: Field): FieldType {
  return type === 'list' ? 'text' : type
}

function isTest(slot: Slot, wanted: Comparable): Test {
  const code = codeOf(slot, wanted)
  return (frame) => codeAt(frame, slot) === code
}
function inTest(slot: Slot, wanted: ReadonlySet<Comparable>): Test {
  const codes = new Set([...wanted].map((value) => codeOf(slot, value)))
  return (frame) => codes.has(codeAt(frame, slot))
}

/** Asks only about what is there: without a profile, "its name is not Ana" does not hold either. */
function about(slot: Slot, test: (value: Exclude<Comparable, undefined>) => boolean): Test {
  return (frame) => {
    const value = valueAt(frame, slot)
    return value !== undefined && test(value)
  }
}
function textTest(slot: Slot, test: (value: string) => boolean): Test {
  return (frame) => {
    const value = valueAt(frame, slot)
    return typeof value === 'string' && test(value)
  }
}

function items(value: Comparable): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value : []
}
function hasPart(value: Comparable, text: string): boolean {
  return typeof value === 'string' ? value.includes(text) : items(value).includes(text)
}
function isSet(value: Comparable): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)
}
function hoursTest(slot: Slot, { greater_than, less_than, at_least, at_most }: HoursDefinition): Test {
  const tests: ((hours: number) => boolean)[] = []
  if (greater_than !== undefined) tests.push((hours) => hours > greater_than)
  if (less_than !== undefined) tests.push((hours) => hours < less_than)
  if (at_least !== undefined) tests.push((hours) => hours >= at_least)
  if (at_most !== undefined) tests.push((hours) => hours <= at_most)
  return (frame) => {
    const value = valueAt(frame, slot)
    const time = typeof value === 'number' ? value : typeof value === 'string' ? timeOf(value) : null
    if (time === null) return false
    const hours = (frame.nowMs - time) / 3_600_000
    return tests.every((test) => test(hours))
  }
}

export function changeOf(
  field: Field,
  { event }: RuleContext,
): { readonly from: unknown; readonly to: unknown } | undefined {
  const { changes } = event
  const change = field.change !== undefined && Object.hasOwn(changes, field.change) ? changes[field.change] : undefined
  const part = field.changedPart
  if (!change || !part) return change
  const [from, to] = [part(change.from), part(change.to)]
  return comparable(field.type, from) === comparable(field.type, to) ? undefined : { from, to }
}

function changeTest(field: Field, side: 'from' | 'to', wanted: Comparable): Test {
  return (frame) => {
    const change = changeOf(field, frame.context)
    return change !== undefined && comparable(field.type, change[side] ?? null) === wanted
  }
}
