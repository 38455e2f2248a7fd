/** The compiled rules, kept until someone changes them. */

import type { Db } from '#hub/platform/db/database.ts'
import type { Signals } from '#hub/platform/signals.ts'
import { loadRuleSet, type RuleSet } from '#hub/rules/index.ts'

export interface RuleBook {
  /** Read in the caller's transaction when they changed since the last look. */
  current(db: Db): Promise<RuleSet>
}

export function createRuleBook(signals: Pick<Signals, 'on'>): RuleBook {
  let ruleSet: RuleSet | undefined
  signals.on('rules', () => {
    ruleSet = undefined
  })
  return {
    async current(db) {
      ruleSet ??= await loadRuleSet(db)
      return ruleSet
    },
  }
}
