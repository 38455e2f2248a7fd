/** Why a rule fired on an event, or why not. */
import type { RuleMode } from '#hub/platform/db/schema.ts'
import { outcomeOf } from './evaluate.ts'
import type { RuleContext } from './plan.ts'
import { openScopes } from './plan-actions.ts'
import type { RuleSet } from './rule-set.ts'
import { firstFailure } from './words.ts'

export interface Explanation {
  readonly ruleId: string
  readonly version: number
  readonly name: string
  readonly mode: RuleMode
  /** What its conditions and templates say, whatever the mode: a rule that is off and `matched` would have fired. */
  readonly result: 'matched' | 'not_matched' | 'failed'
  /** In words: the first condition that did not hold, or what could not be worked out. */
  readonly reason: string
}

/** Pure. One line for each rule on this event, in order of definition, also for those that are off or drafts. */
export function explain(ruleSet: RuleSet, context: RuleContext, now: Date): Explanation[] {
  const scopes = openScopes(context, now)
  const lines = ruleSet.rules
    .filter(({ definition }) => definition.on.includes(context.event.type))
    .map((rule): Explanation => {
      const { name, mode, if: condition } = rule.definition
      const about = { ruleId: rule.id, version: rule.version, name, mode }
      const failure = condition && firstFailure(condition, context, now)
      if (failure !== undefined) return { ...about, result: 'not_matched', reason: failure }
      const outcome = outcomeOf(rule, scopes)
      if (outcome.result === 'failed') return { ...about, result: 'failed', reason: outcome.problem }
      const live = mode === 'on' || mode === 'simulate'
      return {
        ...about,
        result: 'matched',
        reason: live ? 'all conditions hold' : `all conditions hold, but its mode is ${mode}`,
      }
    })
  const unreadable = ruleSet.unreadable
    .filter(({ on }) => on.includes(context.event.type))
    .map(
      ({ ruleId, version, problem }): Explanation => ({
        ruleId,
        version,
        name: ruleId,
        mode: 'on',
        result: 'failed',
        reason: problem,
      }),
    )
  return [...lines, ...unreadable]
}
