import { describe, expect, it } from 'vitest'
import type { Cause } from '#hub/platform/db/schema.ts'
import { type Admission, admit, causeOfRule, compileRules, evaluateRules, type RuleSet } from '#hub/rules/index.ts'
import type { CaseView, PlannedAction, RuleContext } from '#hub/rules/plan.ts'
import { contextOf, now, rule, theCase } from './examples.ts'

describe('admit', () => {
  it('lets a rule run on what came from outside', () => {
    expect(admit({ depth: 0 }, 'a', 0)).toEqual({ ok: true })
  })

  it('cuts the ninth rule of a chain and names the ring', () => {
    const cause: Cause = { depth: 8, chain: ['start', 'a', 'b', 'c', 'a', 'b', 'c', 'a'] }
    expect(admit({ ...cause, depth: 7 }, 'b', 0)).toEqual({ ok: true })
    expect(admit(cause, 'b', 0)).toEqual({
      ok: false,
      limit: 'depth',
      ring: ['b', 'c', 'a'],
      problem: 'cut: 8 rules have set each other off; look at b → c → a → b',
    })
  })

  it('names the ring also when the cut rule is only a bystander', () => {
    expect(admit({ depth: 8, chain: ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b'] }, 'watcher', 0)).toMatchObject({
      ring: ['b', 'a'],
    })
  })

  it('gives a chain that never repeats whole', () => {
    const chain = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    expect(admit({ depth: 8, chain }, 'i', 0)).toMatchObject({ ring: [...chain, 'i'] })
  })

  it('cuts when rules have run 100 times on one case within the hour', () => {
    expect(admit({ depth: 0 }, 'a', 99)).toEqual({ ok: true })
    expect(admit({ depth: 0 }, 'a', 100)).toMatchObject({
      ok: false,
      limit: 'runs',
      problem: expect.stringContaining('100 runs'),
    })
  })
})

/**
 * Twenty sets of rules that set each other off: rings of one to five rules that pass on a tag or a team, some after a
 * rule that only leads in. A ring of one writes a note, which the vendor answers with a changed tag.
 */
function ringSet(number: number): { rules: RuleSet; ring: readonly string[] } {
  const length = (number % 5) + 1
  const [byTeam, ledIn] = [number % 2 === 1, number >= 10]
  const ring = Array.from({ length }, (_, place) => `ring-${place}`)
  const members = ring.map((id, place) => {
    const [here, next] = [`p${place}`, `p${(place + 1) % length}`]
    const pass = byTeam ? { assign: { team: next } } : { tag: { add: [next], remove: [here] } }
    return rule({
      id,
      if: byTeam ? { field: 'case.team', is: here } : { field: 'case.tags', any_of: [here] },
      then: [length === 1 ? { note: { text: 'again' } } : pass],
    })
  })
  const leader = rule({
    id: 'leader',
    if: { all: [{ field: 'case.tags', any_of: ['start'] }] },
    then: [byTeam ? { assign: { team: 'p0' } } : { tag: { add: ['p0'] } }, { tag: { remove: ['start'] } }],
  })
  const once = rule({ id: 'fine', if: { field: 'case.tags', none_of: ['fine'] }, then: [{ tag: { add: ['fine'] } }] })
  const all = [...(ledIn ? [leader] : []), ...members, once]
  return { rules: compileRules(all.map((definition) => ({ version: 1, definition }))), ring }
}

function firstCase(number: number): CaseView {
  const inRing = number < 10
  return { ...theCase, team: inRing ? 'p0' : 'none', tags: inRing ? ['p0'] : ['start'] }
}

/** Applies what rules want and turns each change into the next event, as the hub does. */
function live(rules: RuleSet, first: CaseView): { deepest: number; cuts: Admission[]; last: CaseView } {
  let state = first
  const queue: { id: string; cause: Cause; context: RuleContext }[] = []
  const happened = (cause: Cause) => queue.push({ id: `e${queue.length}`, cause, context: contextOf({ case: state }) })
  const cuts: Admission[] = []
  let deepest = 0
  happened({ depth: 0 })
  for (let at = 0; at < queue.length; at++) {
    const event = queue[at]
    if (!event || at > 10_000) throw new Error('the rules never came to rest')
    for (const outcome of evaluateRules(rules, event.context, now)) {
      const admission = admit(event.cause, outcome.ruleId, 0)
      if (!admission.ok) {
        cuts.push(admission)
        continue
      }
      const cause = causeOfRule(event, { id: outcome.ruleId, version: outcome.version })
      deepest = Math.max(deepest, cause.depth)
      for (const action of 'actions' in outcome ? outcome.actions : []) {
        const before = JSON.stringify(state)
        state = applied(state, action)
        if (JSON.stringify(state) !== before) happened(cause)
      }
    }
  }
  return { deepest, cuts, last: state }
}

function applied(state: CaseView, action: PlannedAction): CaseView {
  const without = (removed: readonly string[]) => state.tags.filter((tag) => !removed.includes(tag))
  if (action.type === 'assign') return { ...state, team: action.team ?? null }
  if (action.type === 'tag') return { ...state, tags: [...new Set([...without(action.remove), ...action.add])].sort() }
  const seen = state.tags.includes('seen')
  return action.type === 'note' ? { ...state, tags: seen ? without(['seen']) : [...state.tags, 'seen'].sort() } : state
}

describe('twenty cyclic rule sets', () => {
  it.each(Array.from({ length: 20 }, (_, number) => number))(
    'set %i comes to rest within 8 hops and names its ring',
    (number) => {
      const { rules, ring } = ringSet(number)
      const { deepest, cuts, last } = live(rules, firstCase(number))
      expect(deepest).toBe(8)
      expect(cuts.length).toBeGreaterThan(0)
      for (const cut of cuts) expect('ring' in cut && cut.ring.toSorted()).toEqual(ring)
      expect(last.tags).toContain('fine')
    },
  )
})
