/** How far rules may set off rules: depth of one chain, and runs per case and hour. Pure; the caller counts. */
import type { Cause } from '#hub/platform/db/schema.ts'

/** Rules in one chain, one setting off the next. */
const maxDepth = 8
/** Runs of rules on one case within an hour, all rules together. */
const maxRunsPerCaseHour = 100

export type Admission =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly limit: 'depth' | 'runs'
      /** The rules that set each other off, in their order; a chain that never repeats is given whole. */
      readonly ring: readonly string[]
      /** For people: what was cut, and which rules to look at. */
      readonly problem: string
    }

/**
 * May this rule act on an event with this cause?
 * @param runsThisHour runs of any rule on the event's case within the last hour; 0 for an event without a case.
 */
export function admit(
  cause: Cause,
  ruleId: string,
  runsThisHour: number,
  limits: { readonly depth?: number; readonly runsPerCaseHour?: number } = {},
): Admission {
  const depth = limits.depth ?? maxDepth
  const runs = limits.runsPerCaseHour ?? maxRunsPerCaseHour
  const ring = ringOf([...(cause.chain ?? []), ruleId])
  const names = ring.length > 1 ? `look at ${ring.join(' → ')} → ${ring[0]}` : `look at ${ring[0]}`
  if (cause.depth >= depth) {
    return { ok: false, limit: 'depth', ring, problem: `cut: ${depth} rules have set each other off; ${names}` }
  }
  if (runsThisHour >= runs) {
    return {
      ok: false,
      limit: 'runs',
      ring,
      problem: `cut: ${runs} runs of rules on this case within an hour; ${names}`,
    }
  }
  return { ok: true }
}

/** The cause of what a rule does about an event. */
export function causeOfRule(
  event: { readonly id: string; readonly cause: Cause },
  rule: { readonly id: string; readonly version: number },
): Cause {
  const { cause } = event
  return {
    ...cause,
    eventId: event.id,
    ruleId: rule.id,
    ruleVersion: rule.version,
    depth: cause.depth + 1,
    chain: [...(cause.chain ?? []), rule.id],
  }
}

/** The last stretch of the chain that comes back to the rule it began with. */
function ringOf(chain: readonly string[]): readonly string[] {
  for (let end = chain.length - 1; end > 0; end--) {
    const start = chain.lastIndexOf(chain[end] ?? '', end - 1)
    if (start >= 0) return chain.slice(start, end)
  }
  return chain
}
