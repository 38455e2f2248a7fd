/**
 * In: rules as people write them; an event with its context. Out: checked and versioned rules; outcomes with planned actions.
 * Never here: performing an action, writing to the outbox, deciding which events exist.
 */
import { eventTypes } from '#hub/cases/event.ts'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import type { RuleMode } from '#hub/platform/db/schema.ts'
import { isMap } from './check.ts'
import { compareRules, positionsFor, type RulesPlan } from './compare-rules.ts'
import type { ActionDefinition, RuleDefinition } from './definition.ts'
import { describeChange } from './describe-change.ts'
import { issueText, pathText } from './issue.ts'
import type { PlannedAction, RuleContext } from './plan.ts'
import { compileActions, openScopes } from './plan-actions.ts'
import { compileRules, type RuleSet, type UnreadableRule, type VersionedRule } from './rule-set.ts'
import {
  countRuns,
  currentRule,
  currentRules,
  insertRuns,
  insertVersions,
  lastVersions,
  lockRules,
  type NewVersion,
  type RuleRow,
  type RuleRun,
  retire,
  selectRuns,
  setPositions,
  stampOf,
  versionsOf,
} from './store.ts'
import { validateRule } from './validate.ts'

export { type Admission, admit, causeOfRule } from './budget.ts'
/** The small checks that rules are read with, for other written parts of the configuration. */
export { forbiddenKeys, isMap, listOf, shape, text } from './check.ts'
export type { RulesPlan } from './compare-rules.ts'
export type { RuleDefinition } from './definition.ts'
export { describeChange } from './describe-change.ts'
export { evaluateRules } from './evaluate.ts'
export { explain } from './explain.ts'
export { type Issue, issueText, jsonPointer, type Path, pathText, show } from './issue.ts'
export { compileRules, type RuleSet } from './rule-set.ts'
export type { RuleRun } from './store.ts'
export { suggestOneOf } from './suggest.ts'
export { type Known, type KnownConnection, ruleId, validateRule } from './validate.ts'
export { checkActions } from './validate-actions.ts'

/** What checked actions come to for one case: a macro, applied by a person. @throws TemplateFailed */
export function planActions(
  actions: readonly ActionDefinition[],
  context: RuleContext,
  now: Date,
): readonly PlannedAction[] {
  return compileActions(actions)(openScopes(context, now))
}

/** All current rules, compiled. Keep it until the signal `rules` is raised or `rulesStamp` differs from its `stamp`. */
export async function loadRuleSet(db: Db | Trx): Promise<RuleSet> {
  const stamp = await stampOf(db)
  const rules: VersionedRule[] = []
  const unreadable: UnreadableRule[] = []
  for (const row of await currentRules(db)) {
    const read = validateRule(row.definition)
    if (read.ok) rules.push({ version: row.version, definition: read.rule })
    else if (row.mode === 'on' || row.mode === 'simulate') {
      const problems = read.issues.map((issue) => `${pathText(issue.path)} ${issueText(issue)}`)
      const problem = `this rule cannot be read: ${problems.slice(0, 3).join('; ')}`
      unreadable.push({ ruleId: row.id, version: row.version, on: eventsIn(row.definition), problem })
    }
  }
  return compileRules(rules, { stamp, unreadable })
}
function eventsIn(definition: unknown): UnreadableRule['on'] {
  const on = isMap(definition) && Array.isArray(definition['on']) ? definition['on'] : []
  return eventTypes.filter((type) => on.includes(type))
}

/** Changes whenever a rule, its version or the order of rules does. */
export async function rulesStamp(db: Db | Trx): Promise<string> {
  return await stampOf(db)
}

export interface RuleView {
  readonly id: string
  readonly version: number
  readonly mode: RuleMode
  readonly name: string
  readonly definition: RuleDefinition
  /** Where this version was written, such as `file` or `api`. */
  readonly source: string
  readonly author: string
  readonly createdAt: Date
}

export interface Authorship {
  readonly author: string
  readonly source: string
  readonly now: Date
}

export interface Saved {
  readonly created: readonly string[]
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
  readonly removed: readonly string[]
}

/**
 * What `saveRules` would do, without doing it.
 * @param complete these are all rules of the source: current ones last written by it that are missing are removed.
 */
export async function planRules(
  db: Db | Trx,
  definitions: readonly RuleDefinition[],
  source: string,
  complete: boolean,
): Promise<RulesPlan> {
  return compareRules(await currentRules(db), definitions, source, complete)
}

/**
 * Saves checked rules. A rule gets a new version only if its definition differs from the current one; removed rules keep
 * their versions. `complete` as in `planRules`; complete lists also set the order of their rules, others are put last.
 */
export async function saveRules(
  trx: Trx,
  definitions: readonly RuleDefinition[],
  by: Authorship,
  options: { readonly complete?: boolean } = {},
): Promise<Saved> {
  await lockRules(trx)
  const current = await currentRules(trx)
  const complete = options.complete ?? false
  const plan = compareRules(current, definitions, by.source, complete)
  const changed = plan.changed.map(({ definition }) => definition)
  const last = await lastVersions(
    trx,
    [...plan.created, ...changed].map(({ id }) => id),
  )
  const position = positionsFor(current, definitions, complete)
  await retire(trx, [...changed.map(({ id }) => id), ...plan.removed])
  await insertVersions(
    trx,
    [...plan.created, ...changed].map(
      (definition): NewVersion => ({
        id: definition.id,
        version: (last.get(definition.id) ?? 0) + 1,
        mode: definition.mode,
        position: position.get(definition.id) ?? 0,
        name: definition.name,
        definition,
        source: by.source,
        author: by.author,
        created_at: by.now,
      }),
    ),
  )
  if (complete)
    await setPositions(
      trx,
      [...position].map(([id, at]) => ({ id, position: at })),
    )
  return {
    created: plan.created.map(({ id }) => id),
    changed: changed.map(({ id }) => id),
    unchanged: plan.unchanged,
    removed: plan.removed,
  }
}

export async function listRules(db: Db | Trx): Promise<RuleView[]> {
  return (await currentRules(db)).map(toView)
}

export async function getRule(db: Db | Trx, id: string): Promise<RuleView | undefined> {
  const row = await currentRule(db, id)
  return row && toView(row)
}

/** Newest first; `words` says what the version changed. */
export async function ruleVersions(
  db: Db | Trx,
  id: string,
): Promise<readonly (RuleView & { readonly current: boolean; readonly words: readonly string[] })[]> {
  const rows = await versionsOf(db, id)
  return rows.map((row, index) => {
    const before = rows[index + 1]
    const words = before ? wordsBetween(before, row) : ['first version']
    return { ...toView(row), current: row.is_current, words }
  })
}

function wordsBetween(before: RuleRow, after: RuleRow): readonly string[] {
  const [earlier, later] = [validateRule(before.definition), validateRule(after.definition)]
  return earlier.ok && later.ok
    ? describeChange(earlier.rule, later.rule)
    : ['replaces a definition that cannot be read any more']
}

/** @returns the rule in its new version, or undefined when there is no such rule. */
export async function setMode(trx: Trx, id: string, mode: RuleMode, by: Authorship): Promise<RuleView | undefined> {
  await lockRules(trx)
  const rule = await getRule(trx, id)
  if (!rule) return undefined
  await saveRules(trx, [{ ...rule.definition, mode }], by)
  return await getRule(trx, id)
}

/**
 * Makes an earlier version's definition the current one, as a new version; also for a removed rule.
 * @returns undefined when there is no such version.
 * @throws TypeError when that version can no longer be read.
 */
export async function rollback(trx: Trx, id: string, version: number, by: Authorship): Promise<RuleView | undefined> {
  await lockRules(trx)
  const earlier = (await versionsOf(trx, id)).find((row) => row.version === version)
  if (!earlier) return undefined
  const read = validateRule(earlier.definition)
  if (!read.ok) {
    const [first] = read.issues
    throw new TypeError(
      `version ${version} of rule "${id}" cannot be used: ${first ? issueText(first) : 'it cannot be read'}`,
    )
  }
  await saveRules(trx, [read.rule], by)
  return await getRule(trx, id)
}

/** Takes a rule out of use; its versions stay. @returns false when there is no such rule. */
export async function removeRule(trx: Trx, id: string): Promise<boolean> {
  await lockRules(trx)
  if (!(await currentRule(trx, id))) return false
  await retire(trx, [id])
  return true
}

/** What was stored was checked when it was saved; the type is given back here. */
function toView(row: RuleRow): RuleView {
  return {
    id: row.id,
    version: row.version,
    mode: row.mode,
    name: row.name,
    definition: row.definition as RuleDefinition,
    source: row.source,
    author: row.author,
    createdAt: row.created_at,
  }
}

export async function recordRuns(trx: Trx, runs: readonly RuleRun[]): Promise<void> {
  await insertRuns(trx, runs)
}

/** Newest first. */
export async function runsForCase(db: Db | Trx, caseId: string, limit = 200): Promise<RuleRun[]> {
  return await selectRuns(db, caseId, limit)
}

/** Runs of rules that acted on these cases since a time (for `admit`); cases without any are absent. */
export async function runsSince(
  db: Db | Trx,
  caseIds: readonly string[],
  since: Date,
): Promise<ReadonlyMap<string, number>> {
  return await countRuns(db, caseIds, since)
}
