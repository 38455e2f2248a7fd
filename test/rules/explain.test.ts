import { expect, it } from 'vitest'
import { compileRules, explain } from '#hub/rules/index.ts'
import { contextOf, now, rule } from './examples.ts'

const why = (condition: unknown, context = contextOf()) => {
  const [line] = explain(compileRules([{ version: 2, definition: rule({ if: condition }) }]), context, now)
  return line?.reason
}

it('says the first condition that did not hold, and what was there instead', () => {
  const all = [
    { field: 'case.status', is: 'open' },
    { field: 'case.priority', in: ['low', 'urgent'] },
  ]
  expect(why({ all })).toBe('case.priority is one of "low", "urgent": not so, it is "high"')
})

it.each<[unknown, string]>([
  [{ field: 'case.solved_at', is_set: true }, 'case.solved_at is set: yes: not so, it is not set'],
  [{ field: 'message.text', contains: 'x' }, 'message.text contains "x": not so, this event has no message'],
  [{ field: 'case.status', changed_to: 'solved' }, 'case.status changed to "solved": not so, it did not change'],
  [
    { field: 'case.created_at', hours_since: { at_least: 48 } },
    'case.created_at hours since: at_least 48: not so, it is "2026-11-21T10:00:00.000Z"',
  ],
  [{ none: [{ field: 'case.priority', is: 'high' }] }, 'case.priority is "high": this holds, and must not'],
  [
    {
      any: [
        { field: 'case.team', is: 'A' },
        { field: 'case.team', is: 'B' },
      ],
    },
    'none of these holds: case.team is "A": not so, it is "Billing"; case.team is "B": not so, it is "Billing"',
  ],
])('explains %j', (condition, reason) => {
  expect(why(condition)).toBe(reason)
})

it('speaks of every rule on the event, also of those that are off or fail, and of no other', () => {
  const rules = compileRules(
    [
      rule({ id: 'on' }),
      rule({ id: 'off', mode: 'off' }),
      rule({ id: 'elsewhere', on: 'case.created' }),
      rule({ id: 'broken', then: [{ note: { text: '{{ case.custom.none }}' } }] }),
    ].map((definition) => ({ version: 1, definition })),
  )
  expect(explain(rules, contextOf(), now)).toEqual([
    { ruleId: 'on', version: 1, name: 'Example', mode: 'on', result: 'matched', reason: 'all conditions hold' },
    {
      ruleId: 'off',
      version: 1,
      name: 'Example',
      mode: 'off',
      result: 'matched',
      reason: 'all conditions hold, but its mode is off',
    },
    {
      ruleId: 'broken',
      version: 1,
      name: 'Example',
      mode: 'on',
      result: 'failed',
      reason: 'note.text: the text came out empty',
    },
  ])
})
