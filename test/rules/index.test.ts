import { beforeEach, describe, expect, it } from 'vitest'
import type { RuleDefinition } from '#hub/rules/index.ts'
import {
  evaluateRules,
  getRule,
  listRules,
  loadRuleSet,
  planRules,
  recordRuns,
  removeRule,
  rollback,
  rulesStamp,
  ruleVersions,
  runsForCase,
  runsSince,
  saveRules,
  setMode,
} from '#hub/rules/index.ts'
import { testDatabase } from '#kit'
import { contextOf, now, rule } from './examples.ts'

const database = testDatabase()
beforeEach(() => database.reset())

const file = { author: 'ana@example.com', source: 'file', now }
const api = { author: 'leo@example.com', source: 'api', now }
const save = (definitions: readonly RuleDefinition[], by = file, complete = false) =>
  database.db.transaction().execute((trx) => saveRules(trx, definitions, by, { complete }))

describe('saving rules', () => {
  it('makes a new version only where the definition differs', async () => {
    const body = rule({
      id: 'b',
      then: [{ webhook: { url: 'https://x.example/', body: { long_key: 1, k: [1.0, 'é'] } } }],
    })
    expect(await save([rule({ id: 'a' }), body])).toEqual({
      created: ['a', 'b'],
      changed: [],
      unchanged: [],
      removed: [],
    })
    expect(await save([rule({ id: 'a' }), body])).toEqual({
      created: [],
      changed: [],
      unchanged: ['a', 'b'],
      removed: [],
    })
    expect(await save([rule({ id: 'a', mode: 'off' })], api)).toEqual({
      created: [],
      changed: ['a'],
      unchanged: [],
      removed: [],
    })
    expect(await ruleVersions(database.db, 'a')).toMatchObject([
      {
        version: 2,
        current: true,
        source: 'api',
        author: 'leo@example.com',
        mode: 'off',
        words: ['mode: on becomes off'],
      },
      { version: 1, current: false, source: 'file', author: 'ana@example.com', mode: 'on', words: ['first version'] },
    ])
    expect(await getRule(database.db, 'b')).toMatchObject({ version: 1, definition: body, createdAt: now })
  })

  it('removes what a complete list no longer holds, but not what was written elsewhere', async () => {
    await save([rule({ id: 'a' }), rule({ id: 'b' })], file, true)
    await save([rule({ id: 'c' })], api)
    expect(await save([rule({ id: 'b' })], file, true)).toMatchObject({ removed: ['a'], unchanged: ['b'] })
    expect((await listRules(database.db)).map(({ id }) => id)).toEqual(['b', 'c'])
  })

  it('goes on counting versions when a removed rule comes back', async () => {
    await save([rule({ id: 'a' })], file, true)
    await save([], file, true)
    await save([rule({ id: 'a' })], file, true)
    expect(await getRule(database.db, 'a')).toMatchObject({ version: 2 })
  })

  it('keeps the order of a complete list, and says when only the order changes', async () => {
    const [a, b, c] = [rule({ id: 'a' }), rule({ id: 'b' }), rule({ id: 'c' })]
    await save([b, c, a], file, true)
    const set = await loadRuleSet(database.db)
    expect(evaluateRules(set, contextOf(), now).map(({ ruleId }) => ruleId)).toEqual(['b', 'c', 'a'])
    const plan = await planRules(database.db, [a, b, c], 'file', true)
    expect(plan).toMatchObject({ created: [], changed: [], removed: [], reordered: true })
    await save([a, b, c], file, true)
    expect((await listRules(database.db)).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect((await loadRuleSet(database.db)).stamp).not.toBe(set.stamp)
  })

  it('refuses two rules with one id', async () => {
    await expect(save([rule({ id: 'a' }), rule({ id: 'a' })])).rejects.toThrow('same id')
  })

  it('lets two writers of one rule follow each other', async () => {
    await Promise.all(['one', 'two', 'three', 'four'].map((name) => save([rule({ id: 'a', name })], api)))
    expect((await ruleVersions(database.db, 'a')).map(({ version, current }) => [version, current])).toEqual([
      [4, true],
      [3, false],
      [2, false],
      [1, false],
    ])
  })
})

describe('changing one rule', () => {
  it('sets its mode as a new version', async () => {
    await save([rule({ id: 'a' })])
    const after = await database.db.transaction().execute((trx) => setMode(trx, 'a', 'simulate', api))
    expect(after).toMatchObject({ version: 2, mode: 'simulate', definition: { mode: 'simulate' } })
    expect(await database.db.transaction().execute((trx) => setMode(trx, 'none', 'on', api))).toBeUndefined()
  })

  it('brings an earlier version back, also of a removed rule', async () => {
    await save([rule({ id: 'a', name: 'First' })])
    await save([rule({ id: 'a', name: 'Second' })])
    expect(await database.db.transaction().execute((trx) => removeRule(trx, 'a'))).toBe(true)
    expect(await database.db.transaction().execute((trx) => removeRule(trx, 'a'))).toBe(false)
    const after = await database.db.transaction().execute((trx) => rollback(trx, 'a', 1, api))
    expect(after).toMatchObject({ version: 3, name: 'First', author: 'leo@example.com' })
    expect(await database.db.transaction().execute((trx) => rollback(trx, 'a', 9, api))).toBeUndefined()
  })

  it('reports a stored rule that can no longer be read, and refuses to bring it back', async () => {
    await save([rule({ id: 'a' }), rule({ id: 'fine' })])
    const definition = JSON.stringify({ ...rule({ id: 'a' }), if: { field: 'case.gone', is: 'x' } })
    await database.db.updateTable('rules').set({ definition }).where('id', '=', 'a').execute()
    const set = await loadRuleSet(database.db)
    expect(evaluateRules(set, contextOf(), now)).toMatchObject([
      { ruleId: 'fine', result: 'matched' },
      { ruleId: 'a', result: 'failed', problem: expect.stringContaining('if.field "case.gone" is not a field') },
    ])
    await expect(database.db.transaction().execute((trx) => rollback(trx, 'a', 1, api))).rejects.toThrow(
      'cannot be used',
    )
  })
})

describe('rule sets', () => {
  it('carry a stamp that changes with any rule', async () => {
    const stamps = [await rulesStamp(database.db)]
    await save([rule({ id: 'a' })])
    stamps.push(await rulesStamp(database.db))
    await save([rule({ id: 'a', mode: 'off' })])
    stamps.push(await rulesStamp(database.db))
    await database.db.transaction().execute((trx) => removeRule(trx, 'a'))
    expect(new Set(stamps).size).toBe(3)
    expect(await rulesStamp(database.db)).toBe(stamps[0])
    expect((await loadRuleSet(database.db)).stamp).toBe(stamps[0])
  })

  it('are those of their own workspace', async () => {
    await save([rule({ id: 'a' })])
    const other = await database.open('other')
    expect(await listRules(other.db)).toEqual([])
  })
})

describe('runs', () => {
  it('are stored in bulk, read by case and counted', async () => {
    const run = {
      ruleId: 'a',
      ruleVersion: 1,
      eventId: 'e1',
      caseId: 'case_1',
      result: 'matched' as const,
      detail: { actions: [{ type: 'status' }] },
      ranAt: now,
    }
    const failed = { ...run, ruleId: 'b', result: 'failed' as const, detail: { problem: 'x' } }
    const { caseId: _, ...caseless } = run
    const old = { ...run, eventId: 'e0', ranAt: new Date(now.getTime() - 7_200_000) }
    await database.db
      .transaction()
      .execute((trx) => recordRuns(trx, [old, run, failed, { ...run, caseId: 'case_2' }, caseless]))
    await database.db.transaction().execute((trx) => recordRuns(trx, []))
    expect(await runsForCase(database.db, 'case_1')).toEqual([failed, run, old])
    const counts = await runsSince(database.db, ['case_1', 'case_2', 'case_3'], new Date(now.getTime() - 3_600_000))
    expect([...counts].sort()).toEqual([
      ['case_1', 1],
      ['case_2', 1],
    ])
  })
})
