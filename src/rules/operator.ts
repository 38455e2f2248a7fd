/** What a field can be asked: which types an operator fits, what it takes, how it reads in words and how it decides. */
import type { HoursDefinition, OperatorName } from './definition.ts'
import { type Comparable, comparable, type Field, type FieldType, fold, timeOf } from './field.ts'
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

/** One event as conditions see it: values are read and put into comparable form once, however many rules ask. */
export interface Frame {
  readonly context: RuleContext
  readonly nowMs: number
  /** By slot; `unread` until a condition asks. */
  readonly values: (Comparable | typeof unread)[]
  readonly fields: readonly Field[]
}
const unread: unique symbol = Symbol('unread')

export function openFrame(fields: readonly Field[], context: RuleContext, now: Date): Frame {
  return { context, nowMs: now.getTime(), fields, values: new Array<typeof unread>(fields.length).fill(unread) }
}

export function valueAt(frame: Frame, slot: number): Comparable {
  const value = frame.values[slot]
  if (value !== unread) return value
  const field = frame.fields[slot]
  const read = field === undefined ? undefined : comparable(field.type, field.read(frame.context))
  frame.values[slot] = read
  return read
}

export type Test = (frame: Frame) => boolean

/** @param argument checked before: it has the form that the operator takes. */
export function compileTest(field: Field, slot: number, operator: OperatorName, argument: unknown): Test {
  const element = field.type === 'list' ? 'text' : field.type
  const one = comparable(element, argument)
  const some = new Set(Array.isArray(argument) ? argument.map((item) => comparable(element, item)) : [])
  const text = fold(argument)
  const number = Number(argument)
  switch (operator) {
    case 'is':
      return (frame) => valueAt(frame, slot) === one
    case 'is_not':
      return about(slot, (value) => value !== one)
    case 'in':
      return (frame) => some.has(valueAt(frame, slot))
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
      return (frame) => numeric(valueAt(frame, slot)) > number
    case 'less_than':
      return (frame) => numeric(valueAt(frame, slot)) < number
    case 'at_least':
      return (frame) => numeric(valueAt(frame, slot)) >= number
    case 'at_most':
      return (frame) => numeric(valueAt(frame, slot)) <= number
    case 'hours_since':
      return hoursTest(slot, argument as HoursDefinition)
    case 'changed':
      return (frame) => (changeOf(field, frame) !== undefined) === argument
    case 'changed_to':
      return changeTest(field, 'to', one)
    case 'changed_from':
      return changeTest(field, 'from', one)
  }
}

/** Asks only about what is there: without a profile, "its name is not Ana" does not hold either. */
function about(slot: number, test: (value: Exclude<Comparable, undefined>) => boolean): Test {
  return (frame) => {
    const value = valueAt(frame, slot)
    return value !== undefined && test(value)
  }
}
function textTest(slot: number, test: (value: string) => boolean): Test {
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
/** NaN, which no comparison lets pass, for what is not a number. */
function numeric(value: Comparable): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
}

function hoursTest(slot: number, { greater_than, less_than, at_least, at_most }: HoursDefinition): Test {
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

export function changeOf(field: Field, frame: Frame): { readonly from: unknown; readonly to: unknown } | undefined {
  const { changes } = frame.context.event
  const change = field.change !== undefined && Object.hasOwn(changes, field.change) ? changes[field.change] : undefined
  const part = field.changedPart
  if (!change || !part) return change
  const [from, to] = [part(change.from), part(change.to)]
  return comparable(field.type, from) === comparable(field.type, to) ? undefined : { from, to }
}

function changeTest(field: Field, side: 'from' | 'to', wanted: Comparable): Test {
  return (frame) => {
    const change = changeOf(field, frame)
    return change !== undefined && comparable(field.type, change[side] ?? null) === wanted
  }
}
