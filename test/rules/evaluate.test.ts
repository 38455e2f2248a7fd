import { describe, expect, it } from 'vitest'
import { compileRules, evaluateRules } from '#hub/rules/index.ts'
import type { RuleContext } from '#hub/rules/plan.ts'
import { contextOf, now, rule, theCase, theProfile } from './examples.ts'

function matches(condition: unknown, context: RuleContext = contextOf()): boolean {
  const set = compileRules([{ version: 1, definition: rule({ if: condition }) }])
  return evaluateRules(set, context, now).length === 1
}

const changed = contextOf({
  event: {
    type: 'case.updated',
    connection: null,
    at: now.toISOString(),
    changes: {
      priority: { from: 'normal', to: 'high' },
      assignee: { from: null, to: { id: '7', email: 'Leo@desk.example' } },
      tags: { from: [], to: ['billing'] },
      'custom.product': { from: null, to: 'Router' },
    },
  },
})
const nobody = contextOf({ profile: null })
const bare = contextOf({
  case: { ...theCase, priority: null, tags: [], assignee: null },
  profile: { ...theProfile, company: null },
})

describe('operators', () => {
  it.each<[unknown, boolean]>([
    [{ field: 'case.priority', is: 'high' }, true],
    [{ field: 'case.priority', is: 'low' }, false],
    [{ field: 'case.priority', is_not: 'low' }, true],
    [{ field: 'case.priority', in: ['high', 'urgent'] }, true],
    [{ field: 'case.priority', not_in: ['high', 'urgent'] }, false],
    [{ field: 'case.subject', is: 'refund FOR invoice 42' }, true],
    [{ field: 'case.subject', contains: 'REFUND' }, true],
    [{ field: 'case.subject', not_contains: 'refund' }, false],
    [{ field: 'case.subject', starts_with: 'ref' }, true],
    [{ field: 'case.subject', ends_with: '41' }, false],
    [{ field: 'case.tags', any_of: ['vip', 'x'] }, true],
    [{ field: 'case.tags', all_of: ['vip', 'billing'] }, true],
    [{ field: 'case.tags', all_of: ['vip', 'x'] }, false],
    [{ field: 'case.tags', none_of: ['spam'] }, true],
    [{ field: 'case.tags', none_of: ['VIP'] }, false],
    [{ field: 'case.tags', contains: 'billing' }, true],
    [{ field: 'case.tags', contains: 'bill' }, false],
    [{ field: 'case.tags', not_contains: 'spam' }, true],
    [{ field: 'case.team', is_set: true }, true],
    [{ field: 'case.solved_at', is_set: true }, false],
    [{ field: 'case.solved_at', is_empty: true }, true],
    [{ field: 'case.assignee.email', is: 'LEO@desk.example' }, true],
    [{ field: 'profile.open_cases', at_least: 3 }, true],
    [{ field: 'profile.open_cases', greater_than: 3 }, false],
    [{ field: 'profile.open_cases', at_least: 1, at_most: 2 }, false],
    [{ field: 'profile.open_cases', in: [2, 3] }, true],
    [{ field: 'profile.emails', any_of: ['ana@acme.example'] }, true],
    [{ field: 'profile.company.plan', is: 'enterprise' }, true],
    [{ field: 'profile.company.renewal_at', hours_since: { less_than: 0 } }, true],
    [{ field: 'profile.traits.score', greater_than: 16 }, true],
    [{ field: 'profile.traits.score', is: 17 }, true],
    [{ field: 'profile.traits.plan', greater_than: 1 }, false],
    [{ field: 'profile.traits.vip', is: true }, true],
    [{ field: 'case.custom.seats', is: '40' }, true],
    [{ field: 'case.custom.areas', any_of: ['north'] }, true],
    [{ field: 'case.custom.areas', is: 'north' }, false],
    [{ field: 'case.custom.product', contains: 'rout' }, true],
    [{ field: 'case.custom.missing', is_set: false }, true],
    [{ field: 'case.created_at', hours_since: { at_least: 24 } }, true],
    [{ field: 'case.created_at', hours_since: { greater_than: 24 } }, false],
    [{ field: 'case.created_at', hours_since: { at_least: 23, at_most: 25 } }, true],
    [{ field: 'case.custom.renewal', hours_since: { at_least: 48 } }, true],
    [{ field: 'case.custom.product', hours_since: { at_least: 0 } }, false],
    [{ field: 'event.connection', is: 'legacy desk' }, true],
    [{ field: 'case.connector', is: 'desk' }, true],
  ])('%j → %s', (condition, expected) => {
    expect(matches(condition)).toBe(expected)
  })
})

describe('changes', () => {
  it.each<[unknown, boolean]>([
    [{ field: 'case.priority', changed: true }, true],
    [{ field: 'case.status', changed: true }, false],
    [{ field: 'case.status', changed: false }, true],
    [{ field: 'case.priority', changed_to: 'high' }, true],
    [{ field: 'case.priority', changed_to: 'low' }, false],
    [{ field: 'case.priority', changed_from: 'normal', changed_to: 'high' }, true],
    [{ field: 'case.assignee.email', changed_to: 'leo@desk.example' }, true],
    [{ field: 'case.tags', changed: true }, true],
    [{ field: 'case.custom.product', changed_to: 'router' }, true],
  ])('%j → %s', (condition, expected) => {
    expect(matches(condition, changed)).toBe(expected)
  })

  it('an assignee whose name changed, but not the e-mail, is no change of case.assignee.email', () => {
    const assignee = {
      from: { name: 'Leo', email: 'leo@desk.example' },
      to: { name: 'Leo M.', email: 'leo@desk.example' },
    }
    const context = contextOf({ event: { ...changed.event, changes: { assignee } } })
    expect(matches({ field: 'case.assignee.email', changed: true }, context)).toBe(false)
  })
})

describe('what is not there', () => {
  it.each<[string, unknown, RuleContext, boolean]>([
    ['no profile', { field: 'profile.locale', is: 'es-ES' }, nobody, false],
    ['no profile', { field: 'profile.locale', is_not: 'es-ES' }, nobody, false],
    ['no profile', { field: 'profile.locale', not_in: ['es-ES'] }, nobody, false],
    ['no profile', { field: 'profile.emails', none_of: ['x@y.example'] }, nobody, false],
    ['no profile', { field: 'profile.name', not_contains: 'x' }, nobody, false],
    ['no profile', { field: 'profile.open_cases', less_than: 5 }, nobody, false],
    ['no profile', { field: 'profile.locale', is_set: false }, nobody, true],
    ['no profile', { field: 'profile.locale', is_empty: true }, nobody, true],
    ['no profile', { none: [{ field: 'profile.company.plan', is: 'enterprise' }] }, nobody, true],
    ['no message', { field: 'message.text', not_contains: 'x' }, contextOf(), false],
    ['an empty priority', { field: 'case.priority', is_not: 'urgent' }, bare, true],
    ['an empty priority', { field: 'case.priority', in: ['low'] }, bare, false],
    ['an empty list', { field: 'case.tags', none_of: ['spam'] }, bare, true],
    ['an empty list', { field: 'case.tags', is_set: true }, bare, false],
    ['no company', { field: 'profile.company.plan', is_not: 'enterprise' }, bare, true],
  ])('%s: %j', (_, condition, context, expected) => {
    expect(matches(condition, context)).toBe(expected)
  })
})

describe('trees', () => {
  const yes = { field: 'case.priority', is: 'high' }
  const no = { field: 'case.priority', is: 'low' }
  it.each<[unknown, boolean]>([
    [{}, true],
    [null, true],
    [{ all: [yes, yes] }, true],
    [{ all: [yes, no] }, false],
    [{ any: [no, yes] }, true],
    [{ any: [no, no] }, false],
    [{ none: [no] }, true],
    [{ none: [no, yes] }, false],
    [{ all: [yes], none: [no], any: [no, { all: [yes] }] }, true],
    [{ all: [yes], none: [yes] }, false],
  ])('%j → %s', (condition, expected) => {
    expect(matches(condition)).toBe(expected)
  })
})

describe('outcomes', () => {
  const set = (...rules: ReturnType<typeof rule>[]) =>
    compileRules(rules.map((definition, version) => ({ version, definition })))

  it('come in the order of definition, however the index found them', () => {
    const rules = set(
      rule({ id: 'c', if: { field: 'case.tags', any_of: ['vip', 'billing'] } }),
      rule({ id: 'a' }),
      rule({ id: 'b', if: { field: 'case.priority', is: 'high' } }),
    )
    expect(evaluateRules(rules, contextOf(), now).map(({ ruleId, version }) => [ruleId, version])).toEqual([
      ['c', 0],
      ['a', 1],
      ['b', 2],
    ])
  })

  it('leave out drafts, rules that are off and rules on other events, and mark simulations', () => {
    const rules = set(
      rule({ id: 'draft', mode: 'draft' }),
      rule({ id: 'off', mode: 'off' }),
      rule({ id: 'other', on: 'case.created' }),
      rule({ id: 'trial', mode: 'simulate' }),
    )
    expect(evaluateRules(rules, contextOf(), now)).toMatchObject([{ ruleId: 'trial', result: 'simulated' }])
  })

  it('hold every action with its templates filled in', () => {
    const rules = set(
      rule({
        then: [
          { assign: { agent: null, team: 'senior' } },
          { status: 'pending' },
          { priority: 'urgent' },
          { tag: { add: ['vip'] } },
          { reply: { text: 'Hello {{ profile.name }}, about "{{ case.subject }}"' } },
          {
            note: {
              text: "Plan {{ profile.company.plan }}, renewal {{ profile.company.renewal_at | date: '%d %b %Y' }}",
            },
          },
          {
            create_case: {
              connection: 'Jira',
              subject: 'Bug:\n {{ case.subject }}',
              text: '{{ case.url }}',
              priority: 'low',
              tags: ['x'],
            },
          },
          {
            update_person: {
              traits: { last_case: '{{ case.id }}', vip: true, list: ['{{ case.team }}', 1] },
              connection: 'CRM',
            },
          },
          {
            notify: {
              connection: 'Slack',
              to: '#{{ case.team | downcase }}',
              text: '{{ profile.emails[0] }} {{ profile.emails.size }}',
            },
          },
          {
            webhook: {
              url: 'https://example.org/in',
              body: { id: '{{ case.id }}', n: 1, deep: [{ tags: "{{ case.tags | join: '+' }}" }] },
            },
          },
        ],
      }),
    )
    const [outcome] = evaluateRules(rules, contextOf(), now)
    expect(outcome).toEqual({
      ruleId: 'example',
      version: 0,
      result: 'matched',
      actions: [
        { type: 'assign', agent: null, team: 'senior' },
        { type: 'status', status: 'pending' },
        { type: 'priority', priority: 'urgent' },
        { type: 'tag', add: ['vip'], remove: [] },
        { type: 'reply', text: 'Hello Ana García, about "Refund for invoice 42"' },
        { type: 'note', text: 'Plan enterprise, renewal 31 Jan 2027' },
        {
          type: 'create_case',
          connection: 'Jira',
          subject: 'Bug: Refund for invoice 42',
          text: 'https://desk.example/T-1',
          priority: 'low',
          tags: ['x'],
        },
        { type: 'update_person', traits: { last_case: 'case_1', vip: true, list: ['Billing', 1] }, connection: 'CRM' },
        { type: 'notify', connection: 'Slack', to: '#billing', text: 'ana@acme.example 2' },
        {
          type: 'webhook',
          url: 'https://example.org/in',
          body: { id: 'case_1', n: 1, deep: [{ tags: 'billing+VIP' }] },
        },
      ],
    })
  })

  it('send the event, the case and the profile where a webhook has no body, and never the message', () => {
    const rules = set(rule({ then: [{ webhook: { url: 'https://example.org/in' } }] }))
    const context = contextOf({ message: { visibility: 'internal', author: 'agent', text: 'secret' } })
    const [outcome] = evaluateRules(rules, context, now)
    expect(outcome).toMatchObject({ actions: [{ body: { event: context.event, case: theCase, profile: theProfile } }] })
    expect(JSON.stringify(outcome)).not.toContain('secret')
  })

  it('say which rule failed and why, and go on with the others', () => {
    const rules = set(
      rule({ id: 'empty', then: [{ reply: { text: '{{ case.custom.nothing }}' } }] }),
      rule({ id: 'fine' }),
    )
    expect(evaluateRules(rules, contextOf(), now)).toMatchObject([
      { ruleId: 'empty', result: 'failed', problem: 'reply.text: the text came out empty' },
      { ruleId: 'fine', result: 'matched' },
    ])
  })

  it('report a rule that this version of the hub cannot read', () => {
    const unreadable = [{ ruleId: 'old', version: 3, on: ['case.updated' as const], problem: 'cannot be read' }]
    const rules = compileRules([{ version: 1, definition: rule() }], { unreadable })
    expect(evaluateRules(rules, contextOf(), now)).toMatchObject([
      { ruleId: 'example' },
      { ruleId: 'old', result: 'failed' },
    ])
  })
})
