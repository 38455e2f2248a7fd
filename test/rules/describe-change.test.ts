import { expect, it } from 'vitest'
import { describeChange } from '#hub/rules/index.ts'
import { rule } from './examples.ts'

const high = { field: 'case.priority', in: ['high', 'urgent'] }
const vip = { field: 'case.tags', any_of: ['vip'] }

it('says nothing about rules that are the same, whatever the order of their keys', () => {
  const before = rule({ then: [{ webhook: { url: 'https://a.example/', body: { a: 1, b: { c: 2, d: 3 } } } }] })
  const after = rule({ then: [{ webhook: { body: { b: { d: 3, c: 2 }, a: 1 }, url: 'https://a.example/' } }] })
  expect(describeChange(before, after)).toEqual([])
})

it('says in plain words what changed', () => {
  const before = rule({ if: { all: [high] }, owner: 'ana@example.com' })
  const after = rule({
    name: 'Better',
    on: ['case.created'],
    mode: 'simulate',
    if: { all: [vip, { none: [high] }] },
    then: [{ assign: { team: 'senior' } }],
  })
  expect(describeChange(before, after)).toEqual([
    'name: "Example" becomes "Better"',
    'owner: ana@example.com becomes nobody',
    'mode: on becomes simulate',
    'removes the event case.updated',
    'adds the event case.created',
    'removes the condition case.priority is one of "high", "urgent"',
    'adds the condition case.tags has any of "vip"',
    'adds the condition none of: case.priority is one of "high", "urgent"',
    'removes the action add the tags seen',
    'adds the action assign to team "senior"',
  ])
})

it('says what is shown in chat tools, and what is asked there', () => {
  const after = rule({
    then: [
      { notify: { slack: '#vip', teams: 'Support / VIP', card: 'case' } },
      { notify: { connection: 'Talk', to: '#vip', text: 'Hello' } },
      { approval: { connection: 'Talk', to: 'leo@desk.example', question: 'Refund?' } },
    ],
  })
  expect(describeChange(rule(), after)).toEqual([
    'removes the action add the tags seen',
    'adds the action notify #vip in slack and Support / VIP in teams with the card of the case',
    'adds the action notify #vip in Talk: "Hello"',
    'adds the action ask leo@desk.example in Talk to approve: "Refund?"',
  ])
})

it('notices order and grouping, and long texts that differ at their end', () => {
  const long = 'x'.repeat(100)
  expect(describeChange(rule({ if: { all: [high, vip] } }), rule({ if: { all: [vip, high] } }))).toEqual([
    'the conditions are grouped or ordered differently',
  ])
  const texts = [
    rule({ then: [{ note: { text: `${long}a` } }] }),
    rule({ then: [{ note: { text: `${long}b` } }] }),
  ] as const
  expect(describeChange(...texts)).toEqual(['a text in an action changed'])
  const orders = [
    rule({ then: [{ status: 'open' }, { priority: 'low' }] }),
    rule({ then: [{ priority: 'low' }, { status: 'open' }] }),
  ] as const
  expect(describeChange(...orders)).toEqual(['the actions run in another order'])
})
