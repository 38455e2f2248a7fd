/** Conditions become closures, once; each distinct field of a rule set gets a slot, so that an event's value is read once. */
import { type ConditionDefinition, isGroup, type OperatorName, type TestDefinition } from './definition.ts'
import { comparable, type Field, findField } from './field.ts'
import { compileTest, operatorNames, type Test } from './operator.ts'

export interface Slots {
  readonly fields: readonly Field[]
  /** @throws Error for a name that is no field. */
  slotOf(name: string): number
}

export function createSlots(): Slots {
  const fields: Field[] = []
  const slots = new Map<string, number>()
  return {
    fields,
    slotOf(name) {
      const known = slots.get(name)
      if (known !== undefined) return known
      const field = findField(name)
      if (!field) throw new Error(`"${name}" is not a field`)
      slots.set(name, fields.push(field) - 1)
      return fields.length - 1
    },
  }
}

/** One of the things that must all hold for a rule to match. */
export interface Conjunct {
  readonly test: Test
  /** The same as a look-up, where it is one. */
  readonly gate?: Gate
}

/** This test holds exactly for these values: of the field itself, or of any item where it is a list. */
export interface Gate {
  readonly slot: number
  readonly over: 'value' | 'items'
  readonly values: readonly (string | number)[]
}

export function compileCondition(condition: ConditionDefinition, slots: Slots): Test {
  return every(conjunctsOf(condition, slots).map(({ test }) => test))
}

export function conjunctsOf(condition: ConditionDefinition, slots: Slots): Conjunct[] {
  if (!isGroup(condition)) return testsOf(condition, slots)
  const conjuncts = (condition.all ?? []).flatMap((child) => conjunctsOf(child, slots))
  if (condition.any) conjuncts.push({ test: some(condition.any.map((child) => compileCondition(child, slots))) })
  if (condition.none) {
    const any = some(condition.none.map((child) => compileCondition(child, slots)))
    conjuncts.push({ test: (frame) => !any(frame) })
  }
  return conjuncts
}

function testsOf(test: TestDefinition, slots: Slots): Conjunct[] {
  const slot = slots.slotOf(test.field)
  const field = slots.fields[slot]
  if (!field) throw new Error(`"${test.field}" is not a field`)
  return operatorsOf(test).map(([operator, argument]) => {
    const gate = gateOf(field, slot, operator, argument)
    return { test: compileTest(field, slot, operator, argument), ...(gate ? { gate } : {}) }
  })
}

export function operatorsOf(test: TestDefinition): [OperatorName, unknown][] {
  const found: [OperatorName, unknown][] = []
  for (const name of operatorNames) if (test[name] !== undefined) found.push([name, test[name]])
  return found
}

function gateOf(field: Field, slot: number, operator: OperatorName, argument: unknown): Gate | undefined {
  const ofItem = operator === 'any_of' || (operator === 'contains' && field.type === 'list')
  if (!ofItem && operator !== 'is' && operator !== 'in') return undefined
  const element = field.type === 'list' ? 'text' : field.type
  const wanted = (Array.isArray(argument) ? argument : [argument]).map((item) => comparable(element, item))
  const values = [...new Set(wanted.filter((value) => typeof value === 'string' || typeof value === 'number'))]
  return { slot, over: ofItem ? 'items' : 'value', values }
}

/** Unrolled for the usual lengths: rules are mostly two or three conditions, asked a thousand times per event. */
export function every(tests: readonly Test[]): Test {
  const [first, second, third, ...more] = tests
  if (!first) return () => true
  if (!second) return first
  if (!third) return (frame) => first(frame) && second(frame)
  if (more.length === 0) return (frame) => first(frame) && second(frame) && third(frame)
  return (frame) => tests.every((test) => test(frame))
}

function some(tests: readonly Test[]): Test {
  return (frame) => tests.some((test) => test(frame))
}
