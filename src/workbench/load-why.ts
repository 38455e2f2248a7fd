/** What the why card shows: the hub's own reasons, without anybody's words. */
import { getCase, whyOf } from '#hub/api/store/cases.ts'
import type { AgentFacts } from '#hub/connector/facts.ts'
import type { Source } from '#hub/platform/db/schema.ts'
import { type ActionName, actionNames } from '#hub/rules/definition.ts'
import { surveyDecisions } from '#hub/surveys/index.ts'
import { type CardSources, nameOf } from './load-rows.ts'
import type { ShownWhy } from './shown.ts'
import { namesOfRules } from './store.ts'

const runsTold = 15

/** @returns undefined when there is no such case. */
export async function loadWhy(hub: CardSources, caseId: string): Promise<ShownWhy | undefined> {
  const found = await getCase(hub.db, caseId)
  if (!found) return undefined
  const [{ runs }, { decisions }] = await Promise.all([whyOf(hub.db, caseId), surveyDecisions(hub.db, caseId)])
  const told = runs.slice(0, runsTold)
  const sources = found.provenance.flatMap(({ source }) => (source.kind === 'rule' ? source.ruleId : []))
  const names = await namesOfRules(hub.db, [...told.map((run) => run.rule_id), ...sources])
  const { subject, status, priority, channel, tags, team } = found
  const values = new Map<string, unknown>(
    Object.entries({
      ...Object.fromEntries(Object.entries(found.custom).map(([name, value]) => [`custom.${name}`, value])),
      ...{ subject, status, priority, channel, tags, team },
      assignee: agentText(found.assignee),
      requester: found.profile_name ?? found.profile_id,
    }),
  )
  const [survey] = decisions
  return {
    caseId,
    subject,
    values: found.provenance.flatMap(({ fields, at, source }) =>
      fields.map((field) => ({ field, value: values.get(field) ?? null, at, source: toSource(hub, source, names) })),
    ),
    runs: told.map(({ rule_id, result, detail, ran_at }) => ({
      rule: names.get(rule_id) ?? rule_id,
      result,
      actions: typesOf(detail['actions']),
      at: ran_at.toISOString(),
    })),
    survey: survey
      ? { state: survey.state, at: (survey.answered_at ?? survey.sent_at ?? survey.decided_at).toISOString() }
      : null,
  }
}

function typesOf(actions: unknown): readonly ActionName[] {
  const listed: readonly unknown[] = Array.isArray(actions) ? actions : []
  return listed.flatMap((action) => {
    const type = typeof action === 'object' && action !== null && 'type' in action ? action.type : undefined
    return actionNames.find((known) => known === type) ?? []
  })
}

function toSource(hub: CardSources, source: Source, rules: ReadonlyMap<string, string>) {
  if (source.kind === 'connection') return { kind: 'tool', name: nameOf(hub, source.connectionId) } as const
  if (source.kind === 'rule') return { kind: 'rule', name: rules.get(source.ruleId) ?? source.ruleId } as const
  return { kind: 'person', name: source.name } as const
}

function agentText(agent: AgentFacts | null): string | null {
  return agent?.name ?? agent?.email ?? agent?.id ?? null
}
