// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the files say ${NAME} themselves.
/** What people get wrong, each with the exact place and what to write instead. */
import { describe, expect, it } from 'vitest'
import { readConfig } from '#hub/config/validate.ts'
import { connections, known, marked, withRule } from './examples.ts'

interface Row {
  /** The line with the mistake. */
  readonly line: string
  readonly text: string
  readonly message: string
  readonly hint?: string
}

function file(text: string, message: string, hint?: string): Row {
  const line = text.split('\n').find((candidate) => candidate.includes('▲')) ?? text
  return { line: line.trim(), text, message, ...(hint === undefined ? {} : { hint }) }
}
const inRule = (keys: Readonly<Record<string, string>>, message: string, hint?: string) =>
  file(withRule(keys), message, hint)
const inIf = (condition: string, message: string, hint?: string) => inRule({ if: condition }, message, hint)
const inThen = (action: string, message: string, hint?: string) => inRule({ then: `[${action}]` }, message, hint)

/** With a chat tool beside. */
const withTalk = (keys: Readonly<Record<string, string>>) =>
  withRule(keys).replace('rules:', '  - { name: Talk, connector: slack }\nrules:')
const inTalk = (action: string, message: string, hint?: string) =>
  file(withTalk({ then: `[${action}]` }), message, hint)

it.each([
  '{ notify: { slack: "#vip-desk", card: case } }',
  '{ notify: { slack: leo@desk.example, text: "Look at {{ case.subject }}" } }',
  '{ notify: { connection: Talk, to: "#a", card: case, text: b } }',
  '{ approval: { connection: Talk, to: "{{ case.assignee.email }}", question: "Refund {{ case.custom.amount }}?" } }',
])('finds nothing wrong with %s in a chat tool', (action) => {
  const text = withTalk({ then: `[${action}]` })
  expect(readConfig({ main: { name: 'deskweave.yaml', text }, included: [] }, known)).toHaveProperty('config')
})

it('finds nothing wrong with what the hub keeps itself for the cases of a mailbox', () => {
  const text = withRule({ then: '[{ status: solved }, { assign: { agent: leo@desk.example } }]' })
  const mailbox = text.replace(': chat', ': mailbox')
  expect(readConfig({ main: { name: 'deskweave.yaml', text: mailbox }, included: [] }, known)).toHaveProperty('config')
})

function expectProblem({ text: written, message, hint }: Row): void {
  const { text, place } = marked(written)
  const result = readConfig({ main: { name: 'deskweave.yaml', text }, included: [] }, known)
  const problems = 'problems' in result ? result.problems : []
  const found = problems.map((problem) => [`${problem.line}:${problem.column}`, problem.message, problem.hint])
  expect(found).toEqual([[place, message, hint]])
}

describe('a condition', () => {
  it.each<Row>([
    inIf('{ field: ▲case.prioritty, is: high }', '"case.prioritty" is not a field', 'did you mean "case.priority"?'),
    inIf('{ field: ▲priority, is: high }', '"priority" is not a field', 'did you mean "case.priority"?'),
    inIf('{ field: ▲ticket.status, is: open }', '"ticket.status" is not a field', 'did you mean "case.status"?'),
    inIf('{ field: ▲Case.Status, is: open }', '"Case.Status" is not a field', 'did you mean "case.status"?'),
    inIf('{ field: ▲requester.email, is: x }', '"requester.email" is not a field', 'did you mean "profile.emails"?'),
    inIf(
      '{ field: ▲profile.trait.plan, is: pro }',
      '"profile.trait.plan" is not a field',
      'did you mean "profile.traits.plan"?',
    ),
    inIf(
      '{ field: ▲case.customs.area, is: x }',
      '"case.customs.area" is not a field',
      'did you mean "case.custom.area"?',
    ),
    inIf(
      '{ field: ▲organization.plan, is: x }',
      '"organization.plan" is not a field',
      'did you mean "profile.company.plan"?',
    ),
    inIf('{ field: ▲weather, is: rain }', '"weather" is not a field'),
    inIf('{ field: ▲case.custom.__proto__, is: x }', '"case.custom.__proto__" is not a field'),
    inIf('{ field: ▲5, is: x }', 'expected the name of a field, got 5'),
    inIf(
      '▲{ filed: case.priority, is: high }',
      'a condition needs "field", or "all", "any" or "none"',
      'did you mean "field"?',
    ),
    inIf('▲{ is: high }', 'a condition needs "field", or "all", "any" or "none"'),
    inIf(
      '{ ▲al: [{ field: case.priority, is: high }] }',
      '"al" is not a key of a group of conditions',
      'did you mean "all"?',
    ),
    inIf(
      '{ all: [{ field: case.priority, is: high }], ▲an: [] }',
      '"an" is not a key of a group of conditions',
      'did you mean "any"?',
    ),
    inIf('{ all: ▲[] }', 'the list of conditions is empty'),
    inIf('{ all: ▲{ field: case.priority, is: high } }', 'expected a list of conditions, got a map'),
    inIf(
      '▲[{ field: case.priority, is: high }]',
      'expected a condition such as { field: case.priority, is: urgent }, got a list',
      'put the list under "all", "any" or "none"',
    ),
    inIf('▲urgent', 'expected a condition such as { field: case.priority, is: urgent }, got "urgent"'),
    inIf(
      '▲{ field: case.tags }',
      'this condition asks nothing of its field',
      'use any_of, all_of, none_of, contains, not_contains, is_set, is_empty or changed',
    ),
  ])('$line', (row) => expectProblem(row))
})

describe('an operator', () => {
  it.each<Row>([
    inIf('{ field: case.priority, ▲equals: high }', '"equals" is not an operator', 'did you mean "is"?'),
    inIf('{ field: case.priority, ▲isnot: high }', '"isnot" is not an operator', 'did you mean "is_not"?'),
    inIf('{ field: profile.open_cases, ▲gte: 3 }', '"gte" is not an operator', 'did you mean "at_least"?'),
    inIf('{ field: profile.open_cases, ▲">": 3 }', '">" is not an operator', 'did you mean "greater_than"?'),
    inIf(
      '{ field: case.subject, ▲matches: x }',
      '"matches" is not an operator',
      'use is, is_not, in, not_in, contains, not_contains, starts_with, ends_with, is_set, is_empty, changed, changed_to or changed_from',
    ),
    inIf('{ field: case.subject, ▲contain: x }', '"contain" is not an operator', 'did you mean "contains"?'),
    inIf(
      '{ field: case.tags, ▲is: vip }',
      '"is" does not fit "case.tags": it is a list',
      'use any_of, all_of, none_of, contains, not_contains, is_set, is_empty or changed',
    ),
    inIf(
      '{ field: case.priority, ▲contains: high }',
      '"contains" does not fit "case.priority": it is a choice',
      'use is, is_not, in, not_in, is_set, is_empty, changed, changed_to or changed_from',
    ),
    inIf(
      '{ field: case.subject, ▲at_least: 3 }',
      '"at_least" does not fit "case.subject": it is a text',
      'use is, is_not, in, not_in, contains, not_contains, starts_with, ends_with, is_set, is_empty, changed, changed_to or changed_from',
    ),
    inIf(
      '{ field: case.created_at, ▲greater_than: 3 }',
      '"greater_than" does not fit "case.created_at": it is a time',
      'use is_set, is_empty or hours_since',
    ),
    inIf(
      '{ field: profile.locale, ▲changed: true }',
      '"changed" does not fit "profile.locale": changes of it are not known',
      'use is, is_not, in, not_in, contains, not_contains, starts_with, ends_with, is_set or is_empty',
    ),
    inIf('{ field: case.priority, is: ▲urgnt }', '"urgnt" is not a value of "case.priority"', 'did you mean "urgent"?'),
    inIf(
      '{ field: case.status, is: ▲resolved }',
      '"resolved" is not a value of "case.status"',
      'did you mean "solved"?',
    ),
    inIf(
      '{ field: case.status, is: ▲on-hold }',
      '"on-hold" is not a value of "case.status"',
      'did you mean "on_hold"?',
    ),
    inIf(
      '{ field: case.channel, is: ▲fax }',
      '"fax" is not a value of "case.channel"',
      'use email, chat, web, phone, social, api, slack or teams',
    ),
    inIf('{ field: case.priority, is: ▲3 }', '3 is not a value of "case.priority"', 'use low, normal, high or urgent'),
    inIf('{ field: case.priority, is: ▲[high] }', '"is" takes one value, got a list', 'use "in" for a list'),
    inIf('{ field: case.priority, in: ▲high }', 'expected a list of values, got "high"', 'write it as a list: [high]'),
    inIf(
      '{ field: case.priority, in: [high, ▲urgentt] }',
      '"urgentt" is not a value of "case.priority"',
      'did you mean "urgent"?',
    ),
    inIf('{ field: case.priority, in: ▲[] }', 'the list of values is empty'),
    inIf('{ field: case.tags, any_of: [vip, ▲7] }', 'expected a text, got 7', 'write it in quotes: "7"'),
    inIf('{ field: case.subject, is: ▲"" }', 'expected a text, got an empty text'),
    inIf('{ field: profile.open_cases, at_least: ▲"3" }', 'expected a number, got "3"', 'write it without quotes'),
    inIf('{ field: profile.open_cases, at_least: ▲many }', 'expected a number, got "many"'),
    inIf('{ field: profile.open_cases, at_least: ▲.inf }', 'expected a number, got null'),
    inIf('{ field: case.team, is_set: ▲yes }', 'expected true or false, got "yes"'),
    inIf('{ field: case.created_at, hours_since: ▲24 }', 'expected hours such as { at_least: 24 }, got 24'),
    inIf(
      '{ field: case.created_at, hours_since: { ▲atleast: 24 } }',
      '"atleast" does not compare hours',
      'did you mean "at_least"?',
    ),
    inIf('{ field: case.created_at, hours_since: { at_least: ▲a day } }', 'expected a number, got "a day"'),
    inIf(
      '{ field: case.connection, is: ▲Legacy dsk }',
      '"Legacy dsk" is not the name of a connection',
      'did you mean "Legacy desk"?',
    ),
  ])('$line', (row) => expectProblem(row))
})

describe('an action', () => {
  it.each<Row>([
    inThen('{ ▲asign: { team: a } }', '"asign" is not an action', 'did you mean "assign"?'),
    inThen('{ ▲comment: { text: a } }', '"comment" is not an action', 'did you mean "note"?'),
    inThen('▲reply', 'expected an action such as { priority: urgent }, got "reply"'),
    inThen(
      '▲{ status: open, priority: low }',
      'an action has one key, this has 2',
      'begin a new list item with "- priority:"',
    ),
    inThen('{ status: ▲resolved }', '"resolved" is not a status', 'did you mean "solved"?'),
    inThen('{ priority: ▲critical }', '"critical" is not a priority', 'did you mean "urgent"?'),
    inThen('{ assign: ▲{} }', 'needs "agent" or "team"'),
    inThen('{ assign: { ▲group: a, team: b } }', '"group" is not a key of "assign"', 'use agent or team'),
    inThen('{ tag: { add: ▲vip } }', 'expected a list of tags, got "vip"', 'write it as a list: [vip]'),
    inThen('{ reply: ▲Hello }', 'expected a message with text, got "Hello"'),
    inThen('{ reply: ▲{} }', 'a message needs "text"'),
    inThen('{ note: { text: ▲42 } }', 'expected a text, got 42', 'write it in quotes: "42"'),
    inThen(
      '{ note: { text: "Plan {{ ▲profile.compny.plan }}" } }',
      '"profile.compny.plan" is not a field that templates can read',
      'did you mean "profile.company.plan"?',
    ),
    inThen(
      "{ note: { text: 'a ▲{{ case.subject | shout }}' } }",
      'this template cannot be read: undefined filter: shout',
    ),
    inThen(
      '{ notify: { connection: ▲Chatt, to: "#a", text: x } }',
      '"Chatt" is not the name of a connection',
      'did you mean "Chat"?',
    ),
    inThen('{ notify: { connection: ▲CRM, to: "#a", text: x } }', '"CRM" (crm) cannot send notices', '"Chat" can'),
    inThen('{ notify: ▲{ connection: Chat, text: x } }', '"notify" needs "to"'),
    inThen('{ notify: ▲{ connection: Chat, to: "#a" } }', '"notify" needs "text" or "card"'),
    inThen(
      '{ notify: { connection: Chat, to: "#a", ▲crd: case } }',
      '"crd" is not a key of "notify"',
      'did you mean "card"?',
    ),
    inThen(
      '{ notify: { connection: ▲Chat, to: "#a", card: case } }',
      '"Chat" (chat) cannot show cards',
      'connect one that can',
    ),
    inThen('{ notify: { ▲slak: "#a", text: b } }', '"slak" is not a key of "notify"', 'did you mean "slack"?'),
    inThen('{ notify: { ▲slack: "#a", text: b } }', 'there is no slack connection', 'connect one, or leave this out'),
    inTalk('{ notify: { slack: "#a", card: ▲cases } }', '"cases" is not a card', 'did you mean "case"?'),
    inTalk(
      '{ notify: { slack: ▲leo@desk.example, card: case } }',
      'a card goes to a channel, this is a person',
      'tell them with "text" alone',
    ),
    inTalk(
      '{ notify: { ▲connection: Talk, slack: "#a", text: b } }',
      '"connection" and "slack" both say where to',
      'write one of them, or a second "notify"',
    ),
    file(
      withRule({ then: '[{ notify: { ▲slack: "#a", text: b } }]' }).replace(
        'rules:',
        '  - { name: A, connector: slack }\n  - { name: B, connector: slack }\nrules:',
      ),
      'there are 2 slack connections',
      'name one: "connection" with "A" or "B"',
    ),
    file(
      withTalk({ on: 'profile.created', then: '[{ notify: { slack: "#a", ▲card: case } }]' }),
      'the card shows a case, and the event profile.created has none',
      'write a "text" instead',
    ),
    inThen(
      '{ ▲aproval: { connection: Chat, to: "#a", question: b } }',
      '"aproval" is not an action',
      'did you mean "approval"?',
    ),
    inThen(
      '{ approval: { connection: ▲Chat, to: "#a", question: b } }',
      '"Chat" (chat) cannot ask for approvals',
      'connect one that can',
    ),
    inTalk('{ approval: ▲{ connection: Talk, to: "#a" } }', '"approval" needs "question"'),
    inTalk(
      '{ approval: { connection: Talk, to: "#a", question: "Refund {{ ▲case.amount }}?" } }',
      '"case.amount" is not a field that templates can read',
    ),
    file(
      withTalk({ on: 'profile.created', then: '[{ ▲approval: { connection: Talk, to: "#a", question: b } }]' }),
      '"approval" needs a case, and the event profile.created has none',
      'move it to a rule on case events',
    ),
    inThen(
      '{ create_case: { connection: ▲Chat, subject: a, text: b } }',
      '"Chat" (chat) cannot open cases',
      '"Legacy desk" can',
    ),
    file(
      withRule({ then: '[{ create_case: { connection: ▲Chat, subject: a, text: b } }]' }).replace(
        ': chat',
        ': mailbox',
      ),
      '"Chat" (mailbox) cannot open cases for colleagues: what is written there goes to the customer',
      '"Legacy desk" can, or answer the customer with "reply"',
    ),
    inThen('{ update_person: { traits: ▲{} } }', 'expected traits such as { plan: pro }, got a map'),
    inThen('{ update_person: { traits: { plan: ▲{ a: 1 } } } }', 'expected a text, a number, true or false, got a map'),
    inThen(
      '{ update_person: { connection: ▲Legacy desk, traits: { a: b } } }',
      '"Legacy desk" (tickets) cannot update people',
      '"CRM" can',
    ),
    inThen(
      '{ webhook: { url: ▲example.org/x } }',
      '"example.org/x" is not a web address',
      'write it as https://host/path',
    ),
    inThen(
      '{ webhook: { url: ▲ftp://example.org/x } }',
      '"ftp://example.org/x" is not a web address',
      'write it as https://host/path',
    ),
    inThen(
      '{ webhook: { url: ▲"https://x.example/{{ case.id }}" } }',
      'the url of a webhook is not a template',
      'put what changes into "body"',
    ),
    inThen(
      '{ webhook: { url: ▲"https://u:p@x.example/" } }',
      'the url of a webhook must not hold a user name or password',
    ),
    inThen(
      '{ webhook: { url: "https://x.example/", body: { a: ["{{ ▲kase.id }}"] } } }',
      '"kase.id" is not a field that templates can read',
      'did you mean "case.id"?',
    ),
    inThen(
      '{ ▲assign: { agent: leo@desk.example } }',
      '"assign" cannot be performed: no connection can write the field "assignee" of a case',
    ),
    file(
      'rules:\n  - { id: a, name: A, on: case.created, then: [{ assign: { agent: ▲leo } }], mode: on }\n',
      '"leo" is not an agent\'s e-mail address',
      'agents are named by e-mail, such as leo@desk.example',
    ),
  ])('$line', (row) => expectProblem(row))
})

describe('a rule', () => {
  it.each<Row>([
    file(
      withRule({ id: '▲Urgent Cases' }),
      '"Urgent Cases" is not an id',
      'use 1 to 64 of a-z, 0-9, - and _, such as "urgent-enterprise"',
    ),
    file(withRule({ name: '▲""' }), 'expected a name, got an empty text'),
    file(withRule({ on: '[▲case.crated]' }), '"case.crated" is not an event', 'did you mean "case.created"?'),
    file(withRule({ on: '▲ticket.created' }), '"ticket.created" is not an event', 'did you mean "case.created"?'),
    file(
      withRule({ on: '[case.created, ▲case.resolved]' }),
      '"case.resolved" is not an event',
      'did you mean "case.solved"?',
    ),
    file(withRule({ on: '▲[]' }), 'the list of events is empty'),
    file(
      withRule({ mode: '▲pilot' }),
      'mode "pilot" is not available yet',
      'write "mode: simulate" to see what it would do, or "mode: on"',
    ),
    file(withRule({ mode: '▲true' }), 'expected a mode, got true', 'write it in quotes: "on"'),
    file(withRule({ mode: '▲simulated' }), '"simulated" is not a mode', 'did you mean "simulate"?'),
    file(withRule({ then: '▲[]' }), 'the list of actions is empty'),
    file(withRule({ '▲when': 'x' }), '"when" is not a key of a rule', 'did you mean "then"?'),
    file(withRule({ '▲owners': 'ana@example.com' }), '"owners" is not a key of a rule', 'did you mean "owner"?'),
    file(
      withRule({ '▲pilot': '{ share: 0.2 }' }),
      '"pilot" is not a key of a rule',
      'use id, name, owner, on, if, then or mode',
    ),
    file(
      withRule({ on: '[profile.updated]', then: '[{ ▲reply: { text: Hello } }]' }),
      '"reply" needs a case, and the event profile.updated has none',
      'move it to a rule on case events',
    ),
    file(
      `${connections}rules:\n  - ▲{ id: a, name: A, on: case.created, then: [{ status: open }] }\n`,
      'a rule needs "mode"',
      'write "mode: simulate" to see what it would do, or "mode: on"',
    ),
    file(
      `${connections}rules:\n  - ▲{ id: a, name: A, then: [{ status: open }], mode: on }\n`,
      'a rule needs "on"',
      'name the events, such as "on: [case.created]"',
    ),
    file(`rules:\n  - ▲just a text\n`, 'expected a rule with id, name, owner, on, if, then, mode, got "just a text"'),
    file(`rules: ▲none\n`, 'expected a list of rules'),
    file(
      `${withRule({})}  - { id: ▲r, name: Again, on: case.created, then: [{ status: open }], mode: on }\n`,
      'a rule "r" is already in deskweave.yaml',
      'give each rule its own id',
    ),
  ])('$line', (row) => expectProblem(row))
})

describe('a template in a block', () => {
  it('is placed by its own lines', () => {
    expectProblem(
      file(
        withRule({
          then: '\n      - note:\n          text: |\n            Dear {{ profile.name }},\n\n            plan {{ ▲profile.nam }}\n',
        }),
        '"profile.nam" is not a field that templates can read',
        'did you mean "profile.name"?',
      ),
    )
  })
})

describe('a connection', () => {
  const desk = (config: string) => `connections:\n  - name: Desk\n    connector: tickets\n    config: ${config}\n`
  it.each<Row>([
    file(
      desk('{ subdomain: acme, api_token: ▲abc-clear-secret }'),
      'this is a secret and stands here in clear',
      'put it into an environment variable and write ${API_TOKEN}',
    ),
    file(
      desk('{ subdomain: acme, api_token: ▲12345678 }'),
      'this is a secret and stands here in clear',
      'put it into an environment variable and write ${API_TOKEN}',
    ),
    file(
      desk('{ subdomain: acme, api_token: "${DESK_TOKEN}", auth: { mode: basic, password: ▲hunter2 } }'),
      'this is a secret and stands here in clear',
      'put it into an environment variable and write ${PASSWORD}',
    ),
    file(
      desk('{ subdomain: acme, api_token: ▲"${MISSING_TOKEN}" }'),
      'the environment variable MISSING_TOKEN is not set',
      'set MISSING_TOKEN where the hub runs',
    ),
    file(
      desk('{ subdomain: acme, api_token: ▲"${EMPTY}" }'),
      'the environment variable EMPTY is not set',
      'set EMPTY where the hub runs',
    ),
    file(
      desk('{ subdomain: ▲"${not-a-name}", api_token: "${DESK_TOKEN}" }'),
      '"${not-a-name}" names no environment variable',
      'write it as ${NAME}',
    ),
    file(
      desk('{ ▲subdomian: acme, api_token: "${DESK_TOKEN}", subdomain: acme }'),
      '"subdomian" is not a setting of tickets',
      'did you mean "subdomain"?',
    ),
    file(
      desk('{ subdomain: acme, api_token: "${DESK_TOKEN}", auth: { mode: basic, ▲pasword: x } }'),
      '"pasword" is not a setting of tickets',
      'did you mean "password"?',
    ),
    file(desk('{ subdomain: ▲ACME 1, api_token: "${DESK_TOKEN}" }'), 'expected the part before .example.org'),
    file(desk('▲[]'), 'expected a map of settings, got a list'),
    file(
      'connections:\n  - { name: X, connector: ▲ticket }\n',
      'there is no connector "ticket"',
      'did you mean "tickets"?',
    ),
    file(
      'connections:\n  - { name: X, ▲conector: chat, connector: chat }\n',
      '"conector" is not a key of a connection',
      'did you mean "connector"?',
    ),
    file('connections:\n  - ▲{ connector: chat }\n', 'a connection needs "name"'),
    file(
      'connections:\n  - { name: X, connector: chat }\n  - { name: ▲X, connector: crm }\n',
      'two connections are called "X"',
      'give each its own name',
    ),
    file('connections: ▲{ name: X }\n', 'expected a list of connections, got a map'),
  ])('$line', (row) => expectProblem(row))
})

describe('a file', () => {
  it.each<Row>([
    file('▲conections: []\n', '"conections" is not a key of the configuration', 'did you mean "connections"?'),
    file('workspace: ▲5\n', 'expected the name of the workspace, got 5', 'write it in quotes: "5"'),
    file('workspace: A\n▲workspace: B\n', 'this key is already in the map; each key may be written once'),
    file('▲__proto__: { polluted: true }\n', '"__proto__" cannot be a key'),
    file('identity:\n  ▲constructor: { prototype: 1 }\n', '"constructor" cannot be a key'),
    file('workspace: A\n▲---\nworkspace: B\n', 'a file holds one document; remove the "---" or make two files'),
    file('workspace: ▲!!js/function "x"\n', 'tags ("!…") are not supported; write a plain value'),
    file(
      'rules_from: ["▲../other/*.yaml"]\n'.replace('"▲', '▲"'),
      '"../other/*.yaml" leaves the folder of this file',
      'write it as "rules/*.yaml"',
    ),
    file('rules_from: [▲/etc/*.yaml]\n', '"/etc/*.yaml" leaves the folder of this file', 'write it as "rules/*.yaml"'),
    file('rules_from: [▲rules/*.yml]\n', 'no file matches "rules/*.yml"', 'check the folder, or remove the line'),
    file(
      'rules_from: ▲rules/*.yaml\n',
      'expected a list of patterns, got "rules/*.yaml"',
      'write it as a list: [rules/*.yaml]',
    ),
    file(
      'base: &base { a: 1 }\n'.replace('base:', '▲base:'),
      '"base" is not a key of the configuration',
      'use workspace, connections, rules, rules_from, surveys, agents, macros or identity',
    ),
    file('surveys:\n  - { id: a, name: A, kind: ▲stars }\n', 'Invalid option: expected one of "csat"|"nps"|"ces"'),
    file(
      'surveys:\n  - { id: a, name: A, kind: csat }\n  - { id: ▲a, name: B, kind: nps }\n',
      'two surveys have the id a',
    ),
    file(
      'agents:\n  - { email: leo@desk.example, name: Leo, role: ▲led }\n',
      '"led" is not possible here',
      'did you mean "lead"?',
    ),
    file('agents:\n  - ▲{ email: leo@desk.example }\n', '"name" is missing'),
    file('agents:\n  - { email: ▲leo, name: Leo }\n', 'expected an e-mail address such as "leo@desk.example"'),
    file(
      'agents:\n  - { email: leo@desk.example, name: Leo, ▲roll: lead }\n',
      '"roll" is not a key of an agent',
      'did you mean "role"?',
    ),
    file(
      'agents:\n  - email: leo@desk.example\n    name: Leo\n    quiet_hours: { from: "22:00", to: ▲25:00, time_zone: UTC }\n',
      'expected a time of day such as "21:30"',
    ),
    file(
      'agents:\n  - { email: leo@desk.example, name: Leo }\n  - { email: ▲Leo@Desk.example, name: L }\n',
      'two agents have the email leo@desk.example',
    ),
    file(
      'agents: ▲leo@desk.example\n',
      'expected a list of agents, got "leo@desk.example"',
      'write it as a list: [leo@desk.example]',
    ),
    file(
      'macros:\n  - { id: a, name: A, actions: [{ ▲statos: open }] }\n',
      '"statos" is not an action',
      'did you mean "status"?',
    ),
    file(
      'macros:\n  - { id: a, name: A, actions: [{ note: { text: "{{ ▲case.subjct }}" } }] }\n',
      '"case.subjct" is not a field that templates can read',
      'did you mean "case.subject"?',
    ),
    file(
      'macros:\n  - id: a\n    name: A\n    actions:\n      - reply: { text: a }\n      - ▲reply: { text: b }\n',
      'a macro replies once',
      'write both texts into one reply',
    ),
    file(
      `${connections}macros:\n  - { id: a, name: A, actions: [{ notify: { connection: ▲Chatt, to: b, text: c } }] }\n`,
      '"Chatt" is not the name of a connection',
      'did you mean "Chat"?',
    ),
    file(
      'macros:\n  - { id: a, name: A, actions: [{ status: open }] }\n  - { id: ▲a, name: B, actions: [{ status: open }] }\n',
      'two macros have the id a',
    ),
    file('identity:\n  own_agents: [▲nobody]\n', '"nobody" is no e-mail address'),
  ])('$line', (row) => expectProblem(row))
})
