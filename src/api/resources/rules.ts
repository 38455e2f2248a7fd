/** Rules as admins write them: checked, versioned, explained. */
import { z } from 'zod'

import { audit } from '#hub/platform/db/audit.ts'
import type { RuleMode } from '#hub/platform/db/schema.ts'
import {
  explain,
  getRule,
  type Issue,
  issueText,
  listRules,
  pathText,
  type RuleDefinition,
  type RuleView,
  removeRule,
  rollback,
  ruleVersions,
  saveRules,
  validateRule,
} from '#hub/rules/index.ts'
import { caseRuleContext } from '../case-rule-context.ts'
import type { ApiHub } from '../hub.ts'
import { knownConnections } from '../known-connections.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { byId, Id, Plain, Time, time } from '../wire.ts'

const tag = 'rules'
const modes = ['draft', 'simulate', 'on', 'off'] as const satisfies readonly RuleMode[]

const version = {
  id: z.string(),
  version: z.int(),
  mode: z.enum(modes),
  name: z.string(),
  definition: Plain.meta({ description: 'The rule as it was written.' }),
  source: z.string().meta({ description: 'Where this version was written, such as `file` or `api`.' }),
  author: z.string(),
  created_at: Time,
}
const Rule = z.strictObject(version).meta({ id: 'Rule' })
const RuleVersion = z
  .strictObject({ ...version, current: z.boolean(), changes: z.array(z.string()).meta({ description: 'In words.' }) })
  .meta({ id: 'RuleVersion' })
const RuleProblem = z.strictObject({ field: z.string(), message: z.string() })

/** Its own checks say more than a schema could: places, near names, templates. */
const Definition = Plain.meta({
  id: 'RuleDefinition',
  description: 'A rule: `id`, `name`, `on`, `if`, `then`, `mode`, as in `deskweave.yaml`.',
})

function toRule(view: RuleView): z.input<typeof Rule> {
  return {
    id: view.id,
    version: view.version,
    mode: view.mode,
    name: view.name,
    definition: Plain.parse(view.definition),
    source: view.source,
    author: view.author,
    created_at: time(view.createdAt),
  }
}

function toProblem(issue: Issue): z.input<typeof RuleProblem> {
  return { field: pathText(issue.path), message: issueText(issue) }
}

/** @throws Problem naming the first mistake's place */
async function checked(hub: ApiHub, definition: unknown): Promise<RuleDefinition> {
  const result = validateRule(definition, await knownConnections(hub))
  if (result.ok) return result.rule
  const [first] = result.issues.map(toProblem)
  const more = result.issues.length > 1 ? ` (${result.issues.length - 1} more: see /api/v1/rules/validate)` : ''
  throw new Problem('invalid', `${first?.field}: ${first?.message}${more}`, first?.field ? { field: first.field } : {})
}

async function save(hub: ApiHub, rule: RuleDefinition, actor: string, mode: 'create' | 'put') {
  const view = await hub.db.transaction().execute(async (trx) => {
    if (mode === 'create' && (await getRule(trx, rule.id))) {
      throw new Problem('conflict', `there is a rule "${rule.id}" already; change it with PUT`, { field: 'id' })
    }
    await saveRules(trx, [rule], { author: actor, source: 'api', now: hub.now() })
    const after = await getRule(trx, rule.id)
    if (!after) throw new Error(`rule "${rule.id}" was saved and is not there, which must not happen`)
    await audit(trx, actor, 'rule.saved', rule.id, { version: after.version, mode: after.mode })
    return after
  })
  hub.signals.raise('rules')
  return toRule(view)
}

export const ruleRoutes = [
  route({
    id: 'listRules',
    method: 'GET',
    path: '/rules',
    summary: 'All rules in the order in which they run, on one page',
    tag,
    response: z.strictObject({ data: z.array(Rule), next: z.null() }),
    handler: async (hub) => ({ data: (await listRules(hub.db)).map(toRule), next: null }),
  }),
  route({
    id: 'createRule',
    method: 'POST',
    path: '/rules',
    summary: 'A new rule',
    tag,
    status: 201,
    body: Definition,
    response: Rule,
    handler: async (hub, { body, actor }) => save(hub, await checked(hub, body), actor, 'create'),
  }),
  route({
    id: 'validateRule',
    method: 'POST',
    path: '/rules/validate',
    summary: 'Check a rule without saving it',
    tag,
    body: Definition,
    response: z.strictObject({ valid: z.boolean(), problems: z.array(RuleProblem) }),
    async handler(hub, { body }) {
      const result = validateRule(body, await knownConnections(hub))
      return { valid: result.ok, problems: result.ok ? [] : result.issues.map(toProblem) }
    },
  }),
  route({
    id: 'getRule',
    method: 'GET',
    path: '/rules/{id}',
    summary: 'One rule in its current version',
    tag,
    params: byId,
    response: Rule,
    async handler(hub, { params }) {
      const view = await getRule(hub.db, params.id)
      if (!view) throw notFound()
      return toRule(view)
    },
  }),
  route({
    id: 'putRule',
    method: 'PUT',
    path: '/rules/{id}',
    summary: 'Make a rule, or a new version of one; the former versions stay',
    tag,
    params: byId,
    body: Definition,
    response: Rule,
    async handler(hub, { params, body, actor }) {
      const rule = await checked(hub, body)
      if (rule.id !== params.id) {
        throw new Problem('invalid', `id: is "${rule.id}"; expected "${params.id}", as in the address`, { field: 'id' })
      }
      return await save(hub, rule, actor, 'put')
    },
  }),
  route({
    id: 'deleteRule',
    method: 'DELETE',
    path: '/rules/{id}',
    summary: 'Take a rule out of use; its versions stay and can be brought back',
    tag,
    params: byId,
    async handler(hub, { params, actor }) {
      await hub.db.transaction().execute(async (trx) => {
        if (!(await removeRule(trx, params.id))) throw notFound()
        await audit(trx, actor, 'rule.removed', params.id)
      })
      hub.signals.raise('rules')
    },
  }),
  route({
    id: 'listRuleVersions',
    method: 'GET',
    path: '/rules/{id}/versions',
    summary: 'Every version, newest first, with what it changed in words',
    tag,
    params: byId,
    response: z.strictObject({ data: z.array(RuleVersion), next: z.null() }),
    async handler(hub, { params }) {
      const versions = await ruleVersions(hub.db, params.id)
      if (versions.length === 0) throw notFound()
      const data = versions.map(({ words, current, ...view }) => ({ ...toRule(view), current, changes: [...words] }))
      return { data, next: null }
    },
  }),
  route({
    id: 'rollbackRule',
    method: 'POST',
    path: '/rules/{id}/rollback',
    summary: 'Make an earlier version the current one, also of a removed rule',
    tag,
    params: byId,
    body: z.strictObject({ version: z.int().min(1) }),
    response: Rule,
    async handler(hub, { params, body, actor }) {
      const by = { author: actor, source: 'api', now: hub.now() }
      const view = await hub.db.transaction().execute(async (trx) => {
        const after = await rollback(trx, params.id, body.version, by).catch((error: unknown) => {
          if (error instanceof TypeError) throw new Problem('conflict', error.message, { field: 'version' })
          throw error
        })
        if (!after) throw notFound()
        await audit(trx, actor, 'rule.rolled_back', params.id, { to: body.version, version: after.version })
        return after
      })
      hub.signals.raise('rules')
      return toRule(view)
    },
  }),
  route({
    id: 'explainRule',
    method: 'POST',
    path: '/rules/{id}/explain',
    summary: "Why a rule fires on a case as it stands now, or why not, after the case's last event that it listens to",
    tag,
    params: byId,
    body: z.strictObject({ case_id: Id }),
    response: z.strictObject({
      rule_id: z.string(),
      version: z.int(),
      mode: z.enum(modes),
      event_id: z.string().nullable().meta({ description: 'Null when the case had no such event: one is assumed.' }),
      event_type: z.string(),
      result: z.enum(['matched', 'not_matched', 'failed']),
      reason: z.string(),
    }),
    async handler(hub, { params, body }) {
      const rule = await getRule(hub.db, params.id)
      if (!rule) throw notFound()
      const about = await caseRuleContext(hub, body.case_id, rule.definition.on)
      if (!about) throw new Problem('invalid', `case_id: there is no case "${body.case_id}"`, { field: 'case_id' })
      const lines = explain(await hub.rules.current(hub.db), about.context, hub.now())
      const line = lines.find(({ ruleId }) => ruleId === params.id)
      if (!line) throw new Problem('conflict', `rule "${params.id}" was changed meanwhile; ask again`)
      return {
        rule_id: line.ruleId,
        version: line.version,
        mode: line.mode,
        event_id: about.eventId,
        event_type: about.context.event.type,
        result: line.result,
        reason: line.reason,
      }
    },
  }),
]
