/** Same rules, same event, same time: same outcomes. Never throws; a rule that cannot be worked out says so. */
import { openFrame } from './frame.ts'
import type { RuleContext, RuleOutcome } from './plan.ts'
import { openScopes, type Scopes } from './plan-actions.ts'
import { type CompiledRule, matchingRules, type RuleSet } from './rule-set.ts'

/** @returns an outcome for each rule that matched, failed, or cannot be read; in order of definition, unreadable ones last. */
export function evaluateRules(ruleSet: RuleSet, context: RuleContext, now: Date): RuleOutcome[] {
  const matched = matchingRules(ruleSet, openFrame(ruleSet.slots, context, now))
  const scopes = matched.length > 0 ? openScopes(context, now) : undefined
  const outcomes = scopes ? matched.map((rule) => outcomeOf(rule, scopes)) : []
  for (const { ruleId, version, on, problem } of ruleSet.unreadable) {
    if (on.includes(context.event.type)) outcomes.push({ ruleId, version, result: 'failed', problem })
  }
  return outcomes
}

export function outcomeOf({ id, version, definition, plan }: CompiledRule, scopes: Scopes): RuleOutcome {
  try {
    const result = definition.mode === 'simulate' ? 'simulated' : 'matched'
    return { ruleId: id, version, result, actions: plan(scopes) }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    return { ruleId: id, version, result: 'failed', problem }
  }
}
