import { describe, expect, it } from 'vitest'
import { compileRules, evaluateRules, validateRule } from '#hub/rules/index.ts'
import type { RuleContext } from '#hub/rules/plan.ts'
import { templateIssues } from '#hub/rules/template.ts'
import { cpuTimeMs } from '#kit/cpu-time.ts'
import { contextOf, now, rule, theCase } from './examples.ts'

function run(action: unknown, context: RuleContext = contextOf(), at = now) {
  const set = compileRules([{ version: 1, definition: rule({ then: [action] }) }])
  const [outcome] = evaluateRules(set, context, at)
  if (!outcome) throw new Error('the rule did not match')
  return outcome
}
const note = (text: string, context?: RuleContext) => run({ note: { text } }, context)

describe('a template is refused when it', () => {
  it.each<[string, string, number, number]>([
    ['is not closed', 'a\n  {{ case.subject ', 2, 3],
    ['has an unknown filter', 'x {{ case.subject | shout }}', 1, 3],
    ['has an unclosed tag', '{% if case.team %}x', 1, 1],
    ['includes a file', "{% include 'x' %}", 1, 1],
    ['renders a file', "{% render '/etc/passwd' %}", 1, 1],
    ['uses a layout', "{% layout 'x' %}", 1, 1],
    ['changes the scope', '{% increment case %}', 1, 1],
    ['runs a hidden expression', "{{ case.tags | where_exp: 't', 'message.text' }}", 1, 1],
    ['draws a random value', '{{ case.tags | sample }}', 1, 1],
    ['names an unknown root', '{{ ticket.subject }}', 1, 4],
    ['names an unknown field', 'Dear\n{{ case.subjct }}', 2, 4],
    ['names an unknown field in an argument', '{{ case.team | default: profile.nam }}', 1, 25],
    ['goes on after a value', '{{ case.subject.constructor }}', 1, 4],
    ['reaches for the prototype', '{{ case.__proto__ }}', 1, 4],
    ['reaches for the constructor', '{{ constructor.constructor }}', 1, 4],
    ['picks a field by a variable', '{{ case[event.type] }}', 1, 4],
  ])('%s', (_, text, line, column) => {
    expect(templateIssues(text, [])).toMatchObject([{ within: { line, column } }])
  })

  it('names what was probably meant', () => {
    expect(templateIssues('{{ case.subjct }}', [])).toMatchObject([
      { message: '"case.subjct" is not a field that templates can read', hint: 'did you mean "case.subject"?' },
    ])
    expect(templateIssues('{{ ticket.subject }}', [])).toMatchObject([{ hint: 'did you mean "case.subject"?' }])
  })

  it('is longer than 20,000 characters', () => {
    expect(templateIssues('x'.repeat(20_001), [])).toHaveLength(1)
  })

  it('holds what the database cannot store', () => {
    expect(templateIssues('a\0b', [])).toHaveLength(1)
    expect(templateIssues('\ud800', [])).toHaveLength(1)
  })
})

describe('a template may', () => {
  it.each<[string, string]>([
    ['{{ case.custom["product"] }}', 'Router'],
    ['{{ profile.traits.plan | upcase }}', 'PRO'],
    ['{% for tag in case.tags %}{{ forloop.index }}{{ tag }} {% endfor %}', '1billing 2VIP '],
    ['{% assign x = case.team %}{% if x == "Billing" %}yes{% endif %}', 'yes'],
    ['{% case case.status %}{% when "open" %}o{% else %}e{% endcase %}', 'o'],
    ['{{ case.created_at | date: "%Y-%m-%d %H:%M" }}', '2026-11-21 10:00'],
    ['{{ profile.emails.first }} {{ profile.emails | size }}', 'ana@acme.example 2'],
    ['{{ profile.company.unknown }}-', '-'],
    ['{{ message.text }}-', '-'],
    ['plain { } text', 'plain { } text'],
  ])('%s', (text, expected) => {
    expect(note(text)).toMatchObject({ actions: [{ type: 'note', text: expected }] })
  })

  it('use the time of the event, so that working it out again gives the same text', () => {
    const text = "{{ 'now' | date: '%Y-%m-%d %H:%M' }} {{ 'today' | date_to_string }}"
    expect(note(text)).toMatchObject({ actions: [{ text: '2026-11-22 10:00 22 Nov 2026' }] })
  })
})

describe('hostile templates fail within their budget and reach nothing', () => {
  const wide = contextOf({ message: { visibility: 'public', author: 'customer', text: 'yx'.repeat(100_000) } })
  it.each([
    ['an endless loop', '{% for i in (1..100000) %}{% for j in (1..100000) %}{{ i }}{% endfor %}{% endfor %}'],
    ['a huge range', '{% for i in (1..1000000000) %}x{% endfor %}'],
    [
      'an empty loop',
      '{% for a in (1..900) %}{% for b in (1..900) %}{% for c in (1..900) %}{% endfor %}{% endfor %}{% endfor %}',
    ],
    [
      'a doubling text',
      '{% assign a = "xxxxxxxx" %}{% for i in (1..900) %}{% assign a = a | append: a %}{% endfor %}{{ a }}',
    ],
    [
      'a doubling capture',
      '{% capture a %}xxxxxxx{% endcapture %}{% for i in (1..900) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}{{ a }}',
    ],
    ['a padded date', "{{ '2026-01-01' | date: '%900000000d' }}"],
    ['a multiplied text', "{{ message.text | replace: 'y', message.text }}"],
    ['a joined text', "{{ message.text | split: '' | join: message.text }}"],
    ['a long output', '{{ message.text }}'],
  ])('%s', (_, text) => {
    const start = cpuTimeMs()
    const outcome = note(text, wide)
    // Budget 50 ms, by the clock on the wall; the rest is for what runs between two looks at it.
    expect(cpuTimeMs() - start).toBeLessThan(1_000)
    expect(outcome).toMatchObject({
      result: 'failed',
      problem: expect.stringMatching(/^note\.text: .*(limit|longer|length)/),
    })
  })

  it.each([
    '{% assign c = case %}{{ c.constructor }}{{ c.constructor.constructor }}{{ c.__proto__.polluted }}{{ c.toString }}',
    '{% assign k = "constructor" %}{{ case.custom[k] }}{{ case.custom["__proto__"] }}{{ profile.traits["constructor"]["prototype"] }}',
    '{% assign t = case.tags %}{{ t.constructor }}{{ t.map }}{{ t["__proto__"] }}{{ t | map: "constructor" | join: "" }}',
    '{% for x in case.custom.constructor %}{{ x }}{% endfor %}{{ case.custom.valueOf }}',
  ])('%s renders nothing', (text) => {
    expect(validateRule({ id: 'x', name: 'x', on: 'case.updated', then: [{ note: { text } }], mode: 'on' }).ok).toBe(
      true,
    )
    expect(note(`${text}.`)).toMatchObject({ actions: [{ text: '.' }] })
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  it('never hand half a character or a NUL to the database', () => {
    const context = contextOf({ case: { ...theCase, subject: '😀😀\0😀' } })
    const [action] = Object.values(note('{{ case.subject | slice: 0, 3 }}{{ case.subject }}', context)).flat().slice(-1)
    expect(JSON.stringify(action)).not.toMatch(/\\ud83d"|\\u0000/)
  })

  it('leave the context as it was', () => {
    const context = contextOf()
    const before = JSON.stringify(context)
    note(
      '{% assign case = "x" %}{% capture profile %}y{% endcapture %}{{ case }}{% assign t = profile.emails | push: "z" | sort %}{{ t | json }}',
      context,
    )
    expect(JSON.stringify(context)).toBe(before)
  })
})

describe('the text of an internal message', () => {
  const internal = contextOf({ message: { visibility: 'internal', author: 'agent', text: 'The customer is a liar' } })
  const ways = [
    '{{ message.text }}',
    '{{ message | json }}',
    '{% assign m = message %}{{ m.text }}',
    '{{ message["text"] }}',
    '{% capture c %}{{ message.text }}{% endcapture %}{{ c }}',
    '{{ message.text | default: "x" }}',
    '{{ nothing | default: message.text }}'.replace('nothing', 'case.custom.nothing'),
    '{% for c in message.text %}{{ c }}{% endfor %}x',
    '{% if message.text contains "liar" %}y{% endif %}x',
    '{% assign l = case.tags | push: message %}{{ l | map: "text" | join: "" }}',
    '{{ message.text | slice: 0, 3 }}',
    '{% liquid echo message.text %}',
  ]
  const outward = (text: string) => [
    { reply: { text } },
    { create_case: { connection: 'Jira', subject: 'x', text } },
    { create_case: { connection: 'Jira', subject: text, text: 'x' } },
    { update_person: { traits: { note: text } } },
    { update_person: { traits: { notes: [text] } } },
  ]
  it.each(ways)('does not leave towards the customer through %s', (text) => {
    for (const action of outward(text)) {
      const outcome = run(action, internal)
      expect(outcome).toMatchObject({ result: 'failed', problem: expect.stringContaining('internal message') })
      expect(JSON.stringify(outcome)).not.toContain('liar')
    }
  })

  it('does not leave by the question of an approval that quotes it', () => {
    const decided = contextOf({ approval: { question: 'He is a liar. Refund?', decision: 'approved', by: 'Leo' } })
    for (const action of outward('{{ approval.question }}')) {
      const outcome = run(action, decided)
      expect(outcome).toMatchObject({ result: 'failed', problem: expect.stringContaining('question of an approval') })
      expect(JSON.stringify(outcome)).not.toContain('liar')
    }
    expect(note('{{ approval.question }}', decided)).toMatchObject({ actions: [{ text: 'He is a liar. Refund?' }] })
    expect(run({ reply: { text: '{{ approval.decision }}' } }, decided)).toMatchObject({
      actions: [{ text: 'approved' }],
    })
  })

  it('may go into notes, notices and webhooks', () => {
    expect(note('{{ message.text }}', internal)).toMatchObject({ result: 'matched' })
    expect(run({ notify: { connection: 'Slack', to: '#a', text: '{{ message.text }}' } }, internal)).toMatchObject({
      result: 'matched',
    })
    expect(run({ webhook: { url: 'https://example.org/', body: '{{ message.text }}' } }, internal)).toMatchObject({
      result: 'matched',
    })
  })

  it('does not stop a reply that only says who wrote', () => {
    expect(run({ reply: { text: '{{ message.author }} {{ message.visibility }}' } }, internal)).toMatchObject({
      actions: [{ text: 'agent internal' }],
    })
  })

  it('is guarded only while the message is internal', () => {
    const open = contextOf({ message: { visibility: 'public', author: 'customer', text: 'Hello' } })
    expect(run({ reply: { text: '{{ message.text }}' } }, open)).toMatchObject({ actions: [{ text: 'Hello' }] })
  })
})
