/**
 * Many rules, compiled once. What a rule asks as a look-up (equality, `in`, `any_of`) is turned round: a value leads to the
 * rules that want it. A rule's other conditions are asked only when every one of its look-ups has led to it.
 */
import { type EventType, eventTypes } from '#hub/cases/event.ts'
import { type Conjunct, conjunctsOf, every, type Gate } from './compile.ts'
import type { RuleDefinition } from './definition.ts'
import { codeAt, createSlots, type Frame, type Slot, valueAt } from './frame.ts'
import type { Test } from './operator.ts'
import { compileActions, type Plan } from './plan-actions.ts'
import { readsPeople } from './reads-people.ts'

export interface VersionedRule {
  readonly version: number
  readonly definition: RuleDefinition
}

/** A rule that is stored but that this version of the hub cannot read. */
export interface UnreadableRule {
  readonly ruleId: string
  readonly version: number
  readonly on: readonly EventType[]
  readonly problem: string
}

export interface CompiledRule {
  readonly id: string
  readonly version: number
  readonly definition: RuleDefinition
  readonly conjuncts: readonly Conjunct[]
  readonly plan: Plan
}

export interface RuleSet {
  /** Changes when any rule does. */
  readonly stamp: string
  /** In order of definition, whatever their mode. */
  readonly rules: readonly CompiledRule[]
  readonly unreadable: readonly UnreadableRule[]
  /** The fields they ask about. */
  readonly slots: readonly Slot[]
  /** The rules that are on or simulated; events that none of them is on are absent. */
  readonly byEvent: ReadonlyMap<EventType, EventIndex>
  /** Some of them need to know the person that an event is about. */
  readonly readsPeople: boolean
}

interface EventIndex {
  /** In order of definition. */
  readonly candidates: readonly Candidate[]
  /** By candidate: how many look-ups must lead to it. */
  readonly wanted: Uint16Array
  /** The same while an event is looked at, less those that have led to it; here, as a new one for each event would cost. */
  readonly missing: Uint16Array
  readonly lookups: readonly Lookup[]
}
interface Candidate {
  readonly rule: CompiledRule
  /** What is left to ask when all look-ups have led to it. */
  readonly matches: Test
}
interface Lookup {
  readonly slot: Slot
  readonly over: Gate['over']
  /** Indexes of candidates, by the code of the value. */
  readonly leads: number[][]
}

/** Pure. A rule that cannot be compiled becomes an unreadable one; the others are not affected. */
export function compileRules(
  rules: readonly VersionedRule[],
  options: { readonly stamp?: string; readonly unreadable?: readonly UnreadableRule[] } = {},
): RuleSet {
  const slots = createSlots()
  const compiled: CompiledRule[] = []
  const unreadable = [...(options.unreadable ?? [])]
  for (const { version, definition } of rules) {
    try {
      compiled.push({
        id: definition.id,
        version,
        definition,
        conjuncts: definition.if === undefined ? [] : conjunctsOf(definition.if, slots),
        plan: compileActions(definition.then),
      })
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      unreadable.push({ ruleId: definition.id, version, on: definition.on, problem })
    }
  }
  const live = compiled.filter(({ definition: { mode } }) => mode === 'on' || mode === 'simulate')
  return {
    stamp: options.stamp ?? '',
    rules: compiled,
    unreadable,
    slots: slots.all,
    byEvent: new Map(eventTypes.flatMap((type) => indexRules(type, live) ?? [])),
    readsPeople: live.some(({ definition }) => readsPeople(definition)),
  }
}

function indexRules(type: EventType, live: readonly CompiledRule[]): [[EventType, EventIndex]] | undefined {
  const rules = live.filter(({ definition: { on } }) => on.includes(type))
  if (rules.length === 0) return undefined
  const lookups = new Map<string, Lookup>()
  const wanted = new Uint16Array(rules.length)
  const candidates = rules.map((rule, index): Candidate => {
    const entered = new Set<Lookup>()
    const left: Test[] = []
    for (const { test, gate } of rule.conjuncts) {
      const lookup = gate && lookupFor(gate, lookups)
      // A second look-up of the same kind could not be told from the first.
      if (!lookup || entered.has(lookup)) left.push(test)
      else {
        entered.add(lookup)
        for (const code of gate.codes) leadTo(index, lookup, code)
      }
    }
    wanted[index] = entered.size
    return { rule, matches: every(left) }
  })
  return [[type, { candidates, wanted, missing: wanted.slice(), lookups: [...lookups.values()] }]]
}

function lookupFor({ slot, over }: Gate, lookups: Map<string, Lookup>): Lookup {
  const place = `${over} of ${slot.field.name}`
  const lookup = lookups.get(place) ?? { slot, over, leads: [[]] }
  lookups.set(place, lookup)
  return lookup
}

function leadTo(candidate: number, { leads }: Lookup, code: number): void {
  while (leads.length <= code) leads.push([])
  leads[code]?.push(candidate)
}

/** The rules that match, in order of definition. */
export function matchingRules(ruleSet: RuleSet, frame: Frame): readonly CompiledRule[] {
  const index = ruleSet.byEvent.get(frame.context.event.type)
  if (!index) return []
  const { candidates, missing } = index
  missing.set(index.wanted)
  for (const lookup of index.lookups) follow(lookup, frame, missing)
  const matched: CompiledRule[] = []
  for (let at = 0; at < missing.length; at += 1) {
    if (missing[at] !== 0) continue
    const candidate = candidates[at]
    if (candidate?.matches(frame)) matched.push(candidate.rule)
  }
  return matched
}

function follow({ slot, over, leads }: Lookup, frame: Frame, missing: Uint16Array): void {
  const value = over === 'items' ? valueAt(frame, slot) : undefined
  if (!Array.isArray(value)) strike(leads[codeAt(frame, slot)], missing)
  else {
    // Several items may lead to one rule, and are one look-up all the same.
    const reached = new Set(value.flatMap((item) => leads[slot.codes.get(item) ?? 0] ?? []))
    strike([...reached], missing)
  }
}

function strike(candidates: readonly number[] | undefined, missing: Uint16Array): void {
  if (!candidates) return
  for (const candidate of candidates) missing[candidate] = (missing[candidate] ?? 0) - 1
}
