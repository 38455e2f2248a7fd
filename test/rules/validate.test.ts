import { describe, expect, it } from 'vitest'
import { issueText, jsonPointer, type Known, pathText, validateRule } from '#hub/rules/index.ts'
import { contextOf, now, rule, theCase } from './examples.ts'

const written = { id: 'a', name: 'A', on: 'case.created', then: [{ status: 'open' }], mode: 'on' }

function issues(value: unknown, known?: Known): readonly string[] {
  const read = validateRule(value, known)
  return read.ok ? [] : read.issues.map((issue) => `${jsonPointer(issue.path)} ${issueText(issue)}`)
}

describe('validateRule', () => {
  it('gives back the rule with its events as a list and without an empty if', () => {
    const read = validateRule({ ...written, if: {} })
    expect(read).toEqual({ ok: true, rule: { ...written, on: ['case.created'] } })
  })

  it('finds every mistake at once, each by its JSON pointer', () => {
    const value = {
      ...written,
      on: 'case.crated',
      if: { all: [{ field: 'case.priority', is: 'hi' }] },
      then: [{ stats: 1 }],
      mode: 'pilot',
      'a/b~c': 1,
    }
    expect(issues(value)).toEqual([
      '/a~1b~0c "a/b~c" is not a key of a rule; use id, name, owner, on, if, then or mode',
      '/on "case.crated" is not an event; did you mean "case.created"?',
      '/mode mode "pilot" is not available yet; write "mode: simulate" to see what it would do, or "mode: on"',
      '/if/all/0/is "hi" is not a value of "case.priority"; use low, normal, high or urgent',
      '/then/0/stats "stats" is not an action; did you mean "status"?',
    ])
  })

  it.each([null, 5, 'text', [], true])('refuses %j, which is no rule', (value) => {
    expect(issues(value)).toHaveLength(1)
  })

  it.each([
    ['a rule', '{"__proto__": {"x": 1}}'],
    ['a condition', '{"if": {"field": "case.priority", "is": "high", "__proto__": {"x": 1}}}'],
    ['a group', '{"if": {"all": [{"field": "case.priority", "is": "high"}], "__proto__": {"x": 1}}}'],
    ['an action', '{"then": [{"__proto__": {"text": "x"}}]}'],
    ['a trait', '{"then": [{"update_person": {"traits": {"__proto__": "x"}}}]}'],
    ['a body', '{"then": [{"webhook": {"url": "https://x.example/", "body": {"a": {"constructor": 1}}}}]}'],
    [
      'a deep body',
      `{"then": [{"webhook": {"url": "https://x.example/", "body": ${'['.repeat(5_000)}${']'.repeat(5_000)}}}]}`,
    ],
    ['a deep tree', `{"if": ${'{"all":['.repeat(3_000)}{"field":"case.team","is":"x"}${']}'.repeat(3_000)}}`],
    ['a NUL', '{"then": [{"note": {"text": "a\\u0000b"}}]}'],
    ['half a character', '{"then": [{"webhook": {"url": "https://x.example/", "body": "\\ud800"}}]}'],
    ['a NUL in a field', '{"if": {"field": "case.custom.a\\u0000", "is": "x"}}'],
  ])('refuses what could do harm in %s', (_, json) => {
    const value: unknown = JSON.parse(json)
    expect(
      issues(Object.assign(JSON.parse(JSON.stringify(written)), value)).length + issues(value).length,
    ).toBeGreaterThan(1)
    expect(Reflect.get({}, 'x')).toBeUndefined()
  })

  it('refuses an action that nobody can perform', () => {
    const then = [{ reply: { text: 'x' } }, { status: 'open' }, { update_person: { traits: { a: 1 } } }]
    const on = (can: readonly string[]): Known => ({ connections: [{ name: 'X', connector: 'x', can }] })
    expect(issues({ ...written, then }, on(['notify']))).toEqual([
      '/then/0/reply "reply" cannot be performed: no connection can write cases',
      '/then/1/status "status" cannot be performed: no connection can write cases',
    ])
    expect(issues({ ...written, then }, on(['writeCase']))).toEqual([])
    expect(issues({ ...written, then }, { connections: [] })).toHaveLength(2)
  })

  it('writes paths as people do', () => {
    expect(pathText(['rules', 0, 'then', 1, 'odd key', 'x'])).toBe('rules[0].then[1]["odd key"].x')
  })
})

describe('three hundred ways out of a template', () => {
  const names = [
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__defineGetter__',
    '__lookupGetter__',
    'call',
    'apply',
    'caller',
    'arguments',
    'process',
    'globalThis',
    'require',
    'next',
  ]
  const roots = [
    'case',
    'case.tags',
    'case.custom',
    'case.subject',
    'profile.traits',
    'event.changes',
    'message',
    'nil',
  ]
  const forms: ((root: string, name: string) => string)[] = [
    (root, name) => `{{ ${root}.${name} }}`,
    (root, name) => `{{ ${root}["${name}"].${name}("return process")() }}`,
    (root, name) => `{% assign k = "${name}" %}{{ ${root}[k][k] }}`,
    (root, name) =>
      `{% assign o = ${root} %}{{ o.${name} }}{{ o["${name}"]["${name}"] }}{{ o | map: "${name}" | first }}`,
    (_, name) =>
      `{% assign k = "${name}" %}{% for x in case.tags %}{{ forloop.${name} }}{{ forloop[k][k] }}{{ x[k] }}{% endfor %}`,
  ]
  const ways = roots.flatMap((root) => names.flatMap((name) => forms.map((form) => form(root, name))))

  it(`are all closed (${ways.length} tried)`, async () => {
    const { compileRules, evaluateRules } = await import('#hub/rules/index.ts')
    const context = contextOf({ case: { ...theCase, custom: { plain: 'x' } } })
    for (const text of ways) {
      const then = [{ note: { text: `[${text}]` } }]
      if (!validateRule({ ...written, then }).ok) continue
      const set = compileRules([{ version: 1, definition: rule({ then }) }])
      const [outcome] = evaluateRules(set, context, now)
      const rendered = JSON.stringify(outcome)
      expect(rendered, text).not.toMatch(/native code|function|\[object|Object|process/)
    }
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})
