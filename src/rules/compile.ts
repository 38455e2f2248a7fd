/** Conditions become closures, once. */
import { type ConditionDefinition, isGroup, type OperatorName, type TestDefinition } from './definition.ts'
import { codeOf, type Slot, type Slots } from './frame.ts'
import { compileTest, operatorNames, type Test, wantedValues } from './operator.ts'

/** One of the things that must all hold for a rule to match. */
export interface Conjunct {
  readonly test: Test
  /** The same as a look-up, where it is one. */
  readonly gate?: Gate
}

/** This test holds exactly for these values: of the field itself, or of any item where it is a list. */
export interface Gate {
  readonly slot: Slot
  readonly over: 'value' | 'items'
  readonly codes: readonly number[]
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
  const slot = slots.named(test.field)
  return operatorsOf(test).map(([operator, argument]) => {
    const gate = gateOf(slot, operator, argument)
    return { test: compileTest(slot, operator, argument), ...(gate ? { gate } : {}) }
  })
}

export function operatorsOf(test: TestDefinition): [OperatorName, unknown][] {
  const found: [OperatorName, unknown][] = []
  for (const name of operatorNames) if (test[name] !== undefined) found.push([name, test[name]])
  return found
}

function gateOf(slot: Slot, operator: OperatorName, argument: unknown): Gate | undefined {
  const ofItem = operator === 'any_of' || (operator === 'contains' && slot.field.type === 'list')
  if (!ofItem && operator !== 'is' && operator !== 'in') return undefined
  const codes = new Set(wantedValues(slot.field, argument).map((value) => codeOf(slot, value)))
  return { slot, over: ofItem ? 'items' : 'value', codes: [...codes] }
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
