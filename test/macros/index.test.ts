import { beforeEach, describe, expect, it } from 'vitest'
import { loadMacros, type Macro, macroNames, orderMacros, saveMacro, validateMacro } from '#hub/macros/index.ts'
import { issueText, type Known, pathText } from '#hub/rules/index.ts'
import { testDatabase } from '#kit'

const database = testDatabase()
beforeEach(() => database.reset())
const now = new Date('2026-11-22T10:00:00Z')
const ask = {
  id: 'ask',
  name: 'Ask for the invoice',
  actions: [{ reply: { text: 'Which invoice?' } }, { status: 'pending' }],
}

function issues(written: unknown, known?: Known): readonly string[] {
  const read = validateMacro(written, known)
  return read.ok ? [] : read.issues.map((issue) => `${pathText(issue.path)} ${issueText(issue)}`)
}

describe('a macro', () => {
  it('may do what rules do, and replies once', () => {
    expect(issues(ask)).toEqual([])
    const twice = { ...ask, actions: [...ask.actions, { reply: { text: 'Thank you' } }] }
    expect(issues(twice)).toEqual(['actions[2].reply a macro replies once; write both texts into one reply'])
  })

  it('is checked like a rule, each mistake at its place', () => {
    expect(issues({ ...ask, actions: [{ statos: 'open' }] })).toEqual([
      'actions[0].statos "statos" is not an action; did you mean "status"?',
    ])
    expect(issues({ ...ask, actions: [{ note: { text: '{{ case.subjct }}' } }] })).toEqual([
      'actions[0].note.text "case.subjct" is not a field that templates can read; did you mean "case.subject"?',
    ])
    expect(issues({ id: 'Ask!', name: 'x'.repeat(76), actons: [] })).toEqual([
      'actons "actons" is not a key of a macro; did you mean "actions"?',
      'id "Ask!" is not an id; use 1 to 64 of a-z, 0-9, - and _, such as "urgent-enterprise"',
      'name a name may have 75 characters, this has 76',
      ' a macro needs "actions"; give at least one action, such as "actions: [{ status: pending }]"',
    ])
  })

  it('is refused when no connection can do it', () => {
    const connections = [{ name: 'CRM', connector: 'crm', can: ['writePerson'] }]
    expect(issues(ask, { connections })).toEqual([
      'actions[0].reply "reply" cannot be performed: no connection can write cases',
      'actions[1].status "status" cannot be performed: no connection can write cases',
    ])
  })
})

describe('the menu of macros', () => {
  const macro = (id: string): Macro => ({ id, name: id.toUpperCase(), actions: [{ status: 'open' }] })
  const ids = async () => (await loadMacros(database.db)).map(({ id }) => id)

  it('has new ones last, and changed ones where they were', async () => {
    for (const id of ['b', 'c', 'a']) await saveMacro(database.db, macro(id), now)
    await saveMacro(database.db, { ...macro('c'), name: 'Changed' }, now)
    expect(await macroNames(database.db, 10)).toEqual([
      { id: 'b', name: 'B' },
      { id: 'c', name: 'Changed' },
      { id: 'a', name: 'A' },
    ])
  })

  it('is ordered as somebody wants it, the others after that', async () => {
    for (const id of ['b', 'c', 'a', 'd']) await saveMacro(database.db, macro(id), now)
    await orderMacros(database.db, ['a', 'c'])
    expect(await ids()).toEqual(['a', 'c', 'b', 'd'])
  })

  it('leaves out what can no longer be read', async () => {
    await saveMacro(database.db, macro('a'), now)
    await database.db
      .insertInto('macros')
      .values({ id: 'old', name: 'Old', definition: '{"actions":[{"x":1}]}' })
      .execute()
    expect(await ids()).toEqual(['a'])
  })
})
