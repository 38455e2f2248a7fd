/**
 * Rules: `evaluateRules` of the hub, as the pipeline calls it, against json-rules-engine with the same rules and events. Both
 * must match the same rules of the same events before any time is taken.
 */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { Engine, type TopLevelCondition } from 'json-rules-engine'
import { casePriorities, caseStatuses, channels, type FieldValue } from '#hub/connector/facts.ts'
import { compileRules, evaluateRules, type RuleSet, validateRule } from '#hub/rules/index.ts'
import type { RuleContext } from '#hub/rules/plan.ts'

export interface RulesFigures {
  readonly rules: number
  readonly matchesPerEvent: number
  /** Events per second of CPU time, round by round. */
  readonly hub: readonly number[]
  readonly yardstick: readonly number[]
}

const now = new Date('2026-11-22T10:00:00Z')
const distinctEvents = 500
const comparedEvents = 200
const hubTurnMs = 1_000
const yardstickTurnMs = 500
/** The hub's clock is read once for so many events. */
const stride = 50

/** @throws Error when the two sides do not match the same rules. */
export async function measureRules(
  rounds: number,
  counts: readonly number[] = [10, 100, 1_000],
): Promise<RulesFigures[]> {
  const events = fc.sample(event, { numRuns: distinctEvents, seed: 1 })
  const written = fc.sample(rule, { numRuns: Math.max(...counts), seed: 2 })
  const contexts = events.map(contextOf)
  const sides = counts.map((count) => {
    const rules = written.slice(0, count)
    return { count, hub: hubRules(rules), yardstick: yardstickRules(rules), turns: { hub: [0], yardstick: [0] } }
  })
  const figures: RulesFigures[] = []
  for (const { count, hub, yardstick } of sides) {
    const matches = await compare(hub, yardstick, contexts.slice(0, comparedEvents), events)
    figures.push({ rules: count, matchesPerEvent: matches / comparedEvents, hub: [], yardstick: [] })
  }
  // One turn each to warm up.
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, { hub, yardstick }] of sides.entries()) {
      const ours = timeHub(hub, contexts)
      const theirs = await timeYardstick(yardstick, events)
      const figure = figures[index]
      if (round < 0 || !figure) continue
      figures[index] = { ...figure, hub: [...figure.hub, ours], yardstick: [...figure.yardstick, theirs] }
    }
  }
  return figures
}

function timeHub(rules: RuleSet, contexts: readonly RuleContext[]): number {
  const started = busyMs()
  let done = 0
  while (busyMs() - started < hubTurnMs) {
    for (let i = 0; i < stride; i += 1, done += 1) {
      const context = contexts[done % contexts.length]
      if (context) evaluateRules(rules, context, now)
    }
  }
  return (done * 1_000) / (busyMs() - started)
}

async function timeYardstick(engine: Engine, events: readonly Event[]): Promise<number> {
  const started = busyMs()
  let done = 0
  while (busyMs() - started < yardstickTurnMs) await engine.run(events[done++ % events.length])
  return (done * 1_000) / (busyMs() - started)
}

/** CPU time of this thread: what other programs take of the machine does not count, nor does collecting garbage beside it. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** @returns the number of matches. */
async function compare(hub: RuleSet, yardstick: Engine, contexts: readonly RuleContext[], events: readonly Event[]) {
  let matches = 0
  for (const [index, context] of contexts.entries()) {
    const ours = evaluateRules(hub, context, now).map(({ ruleId }) => ruleId)
    const { events: found } = await yardstick.run(events[index])
    const theirs = found.map(({ type }) => type).toSorted()
    if (!isDeepStrictEqual(ours.toSorted(), theirs)) {
      throw new Error(`event ${index}: the hub matched ${ours.join(', ')}, json-rules-engine ${theirs.join(', ')}`)
    }
    matches += ours.length
  }
  return matches
}

interface WrittenRule {
  readonly is: readonly [string, string]
  readonly than: readonly [string, 'greater_than' | 'less_than' | 'at_least' | 'at_most', number]
  readonly in: readonly [string, readonly string[]]
}

function hubRules(rules: readonly WrittenRule[]): RuleSet {
  return compileRules(
    rules.map((written, index) => {
      const read = validateRule({
        id: `r${index}`,
        name: `Rule ${index}`,
        on: ['case.updated'],
        if: {
          all: [
            { field: written.is[0], is: written.is[1] },
            { field: written.than[0], [written.than[1]]: written.than[2] },
            { field: written.in[0], in: written.in[1] },
          ],
        },
        then: [{ tag: { add: [`tag-${index}`] } }],
        mode: 'on',
      })
      if (!read.ok) throw new Error(JSON.stringify(read.issues))
      return { version: 1, definition: read.rule }
    }),
  )
}

const yardstickWords = {
  greater_than: 'greaterThan',
  less_than: 'lessThan',
  at_least: 'greaterThanInclusive',
  at_most: 'lessThanInclusive',
} as const

function yardstickRules(rules: readonly WrittenRule[]): Engine {
  const engine = new Engine()
  for (const [index, written] of rules.entries()) {
    const conditions: TopLevelCondition = {
      all: [
        { fact: written.is[0], operator: 'equal', value: written.is[1] },
        { fact: written.than[0], operator: yardstickWords[written.than[1]], value: written.than[2] },
        { fact: written.in[0], operator: 'in', value: [...written.in[1]] },
      ],
    }
    engine.addRule({ conditions, event: { type: `r${index}` } })
  }
  return engine
}

/** The 30 fields of an event by name, as json-rules-engine takes them. */
type Event = Readonly<Record<string, string | number>>

/** Choices, and of how many values. */
const choices: Readonly<Record<string, readonly string[]>> = {
  'case.status': [...caseStatuses],
  'case.priority': [...casePriorities],
  'case.channel': [...channels],
  'case.subject': values('subject', 60),
  'case.team': values('team', 12),
  'case.assignee.email': values('agent', 40),
  'case.connection': values('desk', 5),
  'case.custom.product': values('product', 20),
  'case.custom.region': values('region', 30),
  'case.custom.reason': values('reason', 15),
  'case.custom.form': values('form', 12),
  'case.custom.brand': values('brand', 20),
  'profile.name': values('name', 60),
  'profile.locale': values('locale', 10),
  'profile.traits.plan': values('plan', 4),
  'profile.traits.source': values('source', 8),
  'profile.traits.owner': values('owner', 30),
  'profile.company.industry': values('industry', 12),
  'profile.company.country': values('country', 30),
  'profile.company.tier': values('tier', 6),
}
/** Numbers from 0 to 59. */
const numbers = [
  'case.custom.seats',
  'case.custom.amount',
  'case.custom.retries',
  'case.custom.age_days',
  'profile.open_cases',
  'profile.traits.score',
  'profile.traits.orders',
  'profile.traits.visits',
  'profile.company.size',
  'profile.company.health',
]

function values(noun: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${noun} ${index}`)
}

const number = fc.integer({ min: 0, max: 59 })
const event: fc.Arbitrary<Event> = fc.record({
  ...Object.fromEntries(Object.entries(choices).map(([name, list]) => [name, fc.constantFrom(...list)])),
  ...Object.fromEntries(numbers.map((name) => [name, number])),
})

const choice = fc.constantFrom(...Object.entries(choices))
const rule: fc.Arbitrary<WrittenRule> = fc.record({
  is: choice.chain(([name, list]) => fc.tuple(fc.constant(name), fc.constantFrom(...list))),
  than: fc.tuple(
    fc.constantFrom(...numbers),
    fc.constantFrom('greater_than' as const, 'less_than' as const, 'at_least' as const, 'at_most' as const),
    number,
  ),
  in: choice.chain(([name, list]) =>
    fc.tuple(fc.constant(name), fc.uniqueArray(fc.constantFrom(...list), { minLength: 2, maxLength: 4 })),
  ),
})

/** The same event as the pipeline shows it to rules. */
function contextOf(flat: Event): RuleContext {
  const text = (name: string) => String(flat[name])
  const open = (prefix: string): Record<string, FieldValue> =>
    Object.fromEntries(
      Object.entries(flat).flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
      ),
    )
  return {
    event: { type: 'case.updated', changes: {}, connection: text('case.connection'), at: now.toISOString() },
    case: {
      id: 'case_1',
      subject: text('case.subject'),
      status: oneOf(caseStatuses, text('case.status')),
      priority: oneOf(casePriorities, text('case.priority')),
      channel: text('case.channel'),
      tags: ['billing', 'invoice'],
      team: text('case.team'),
      assignee: { name: 'Leo', email: text('case.assignee.email') },
      custom: open('case.custom.'),
      url: 'https://desk.example/cases/1',
      connection: text('case.connection'),
      connector: 'desk',
      created_at: '2026-11-21T10:00:00.000Z',
      updated_at: '2026-11-22T09:00:00.000Z',
      solved_at: null,
    },
    profile: {
      id: 'profile_1',
      name: text('profile.name'),
      emails: ['ana@customers.example'],
      phones: [],
      locale: text('profile.locale'),
      traits: open('profile.traits.'),
      company: open('profile.company.'),
      open_cases: Number(flat['profile.open_cases']),
    },
    message: null,
    rating: null,
    approval: null,
  }
}

function oneOf<T extends string>(list: readonly T[], wanted: string): T {
  const found = list.find((each) => each === wanted)
  if (found === undefined) throw new Error(`"${wanted}" is none of ${list.join(', ')}`)
  return found
}
