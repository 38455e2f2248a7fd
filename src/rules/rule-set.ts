/**
 * Many rules, compiled once: by event, then by the most selective equality of each rule, so that an event meets only the
 * rules that can match it.
 */
import { type EventType, eventTypes } from '#hub/cases/event.ts'
import { type Conjunct, conjunctsOf, createSlots, every, type Gate } from './compile.ts'
import type { RuleDefinition } from './definition.ts'
import type { Comparable, Field } from './field.ts'
import { type Frame, type Test, valueAt } from './operator.ts'
import { compileActions, type Plan } from './plan-actions.ts'

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
  /** By slot. */
  readonly fields: readonly Field[]
  /** The rules that are on or simulated; events that none of them is on are absent. */
  readonly byEvent: ReadonlyMap<EventType, EventIndex>
}

interface EventIndex {
  /** Rules without an equality. */
  readonly always: readonly Candidate[]
  readonly lookups: readonly Lookup[]
}
interface Lookup {
  readonly slot: number
  readonly over: Gate['over']
  readonly candidates: Map<Comparable, Candidate[]>
}
interface Candidate {
  /** In `rules`. */
  readonly position: number
  /** What is left to ask when the look-up has found it. */
  readonly matches: Test
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
  const byEvent = new Map(eventTypes.flatMap((type) => indexRules(type, compiled) ?? []))
  return { stamp: options.stamp ?? '', rules: compiled, unreadable, fields: slots.fields, byEvent }
}

function indexRules(type: EventType, rules: readonly CompiledRule[]): [[EventType, EventIndex]] | undefined {
  const live = rules.flatMap((rule, position) => {
    const { mode, on } = rule.definition
    return (mode === 'on' || mode === 'simulate') && on.includes(type) ? [{ position, conjuncts: rule.conjuncts }] : []
  })
  if (live.length === 0) return undefined
  const variety = varietyOf(live.flatMap(({ conjuncts }) => conjuncts.flatMap(({ gate }) => gate ?? [])))
  const always: Candidate[] = []
  const lookups = new Map<string, Lookup>()
  for (const { position, conjuncts } of live) {
    // The most selective first: it is the way in, and what is left fails early.
    const sorted = conjuncts.toSorted((a, b) => shareOf(a, variety) - shareOf(b, variety))
    const entry = sorted[0]?.gate ? sorted.shift() : undefined
    const candidate = { position, matches: every(sorted.map(({ test }) => test)) }
    if (!entry?.gate) {
      always.push(candidate)
      continue
    }
    const { slot, over, values } = entry.gate
    const lookup = lookups.get(`${slot} ${over}`) ?? { slot, over, candidates: new Map() }
    lookups.set(`${slot} ${over}`, lookup)
    for (const value of values) {
      const here = lookup.candidates.get(value)
      if (here) here.push(candidate)
      else lookup.candidates.set(value, [candidate])
    }
  }
  return [[type, { always, lookups: [...lookups.values()] }]]
}

/** How many different values the rules ask of each slot: the more, the fewer rules one event meets there. */
function varietyOf(gates: readonly Gate[]): ReadonlyMap<number, number> {
  const values = new Map<number, Set<Comparable>>()
  for (const gate of gates) {
    const known = values.get(gate.slot) ?? new Set()
    values.set(gate.slot, known)
    for (const value of gate.values) known.add(value)
  }
  return new Map([...values].map(([slot, set]) => [slot, set.size]))
}

function shareOf({ gate }: Conjunct, variety: ReadonlyMap<number, number>): number {
  return gate ? gate.values.length / (variety.get(gate.slot) ?? 1) : Number.MAX_VALUE
}

/** The rules that match, in order of definition. */
export function matchingRules(ruleSet: RuleSet, frame: Frame): readonly CompiledRule[] {
  const index = ruleSet.byEvent.get(frame.context.event.type)
  if (!index) return []
  const matched: number[] = []
  collect(frame, index.always, matched)
  for (const { slot, over, candidates } of index.lookups) {
    const value = valueAt(frame, slot)
    if (!Array.isArray(value)) collect(frame, candidates.get(value), matched)
    else if (over === 'items') for (const item of value) collect(frame, candidates.get(item), matched)
  }
  if (matched.length > 1) matched.sort((a, b) => a - b)
  // A list may lead to one rule by several of its items.
  return matched.flatMap((position, at) => {
    const rule = matched[at - 1] === position ? undefined : ruleSet.rules[position]
    return rule ? [rule] : []
  })
}

function collect(frame: Frame, candidates: readonly Candidate[] | undefined, matched: number[]): void {
  if (!candidates) return
  for (const { position, matches } of candidates) if (matches(frame)) matched.push(position)
}
