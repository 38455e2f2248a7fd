/** One event as conditions see it: a value is read and put into comparable form once, however many rules ask for it. */
import { type Comparable, comparable, type Field, findField } from './field.ts'
import type { RuleContext } from './plan.ts'

/** A field that some rule of a set asks about. */
export interface Slot {
  readonly field: Field
  /** In its frames. */
  readonly at: number
  /** The values that rules look for there, numbered from 1: comparing numbers is cheaper than comparing texts. */
  readonly codes: Map<Comparable, number>
}

export interface Slots {
  readonly all: readonly Slot[]
  /** @throws Error for a name that is no field. */
  named(name: string): Slot
}

export function createSlots(): Slots {
  const all: Slot[] = []
  const byName = new Map<string, Slot>()
  return {
    all,
    named(name) {
      const known = byName.get(name)
      if (known) return known
      const field = findField(name)
      if (!field) throw new Error(`"${name}" is not a field`)
      const slot: Slot = { field, at: all.length, codes: new Map() }
      all.push(slot)
      byName.set(name, slot)
      return slot
    },
  }
}

/** The code of a value that a rule looks for; a new one if it is the first to do so. */
export function codeOf(slot: Slot, value: Comparable): number {
  const code = slot.codes.get(value) ?? slot.codes.size + 1
  slot.codes.set(value, code)
  return code
}

export interface Frame {
  readonly context: RuleContext
  readonly nowMs: number
  /** By slot, as the following; `unread` until a condition asks. */
  readonly values: (Comparable | typeof unread)[]
  readonly codes: (number | undefined)[]
  readonly numbers: (number | undefined)[]
}
const unread: unique symbol = Symbol('unread')

export function openFrame(slots: readonly Slot[], context: RuleContext, now: Date): Frame {
  const { length } = slots
  return {
    context,
    nowMs: now.getTime(),
    values: new Array<typeof unread>(length).fill(unread),
    codes: new Array<undefined>(length).fill(undefined),
    numbers: new Array<undefined>(length).fill(undefined),
  }
}

export function valueAt(frame: Frame, { at, field }: Slot): Comparable {
  const known = frame.values[at]
  if (known !== unread) return known
  const value = comparable(field.type, field.read(frame.context))
  frame.values[at] = value
  return value
}

/** The code of the value that is there; 0 for a value that no rule looks for. */
export function codeAt(frame: Frame, slot: Slot): number {
  const known = frame.codes[slot.at]
  if (known !== undefined) return known
  const raw = slot.field.read(frame.context)
  // What rules look for is in comparable form: a text found there as it is needs no folding.
  const found = typeof raw === 'string' ? slot.codes.get(raw) : undefined
  const code = found ?? slot.codes.get(valueAt(frame, slot)) ?? 0
  frame.codes[slot.at] = code
  return code
}

/** NaN, which no comparison lets pass, for what is not a number. */
export function numberAt(frame: Frame, slot: Slot): number {
  const known = frame.numbers[slot.at]
  if (known !== undefined) return known
  const raw = slot.field.read(frame.context)
  const number = typeof raw === 'number' ? raw : numeric(valueAt(frame, slot))
  frame.numbers[slot.at] = number
  return number
}

function numeric(value: Comparable): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
}
