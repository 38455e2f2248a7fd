/** Random and hand-made cards and forms, with texts that try to be more than text. */
import fc from 'fast-check'
import type {
  ButtonAction,
  Card,
  CardAction,
  CardBlock,
  Form,
  FormField,
  ListItem,
  Option,
  Tone,
} from '#hub/connector/card.ts'
import type { SlackWords } from './words.ts'

export const words: SlackWords = {
  more: '… more in Deskweave',
  surplus: (count) => `… and ${count} more`,
  internal: 'Internal note',
  public: 'Visible to the customer',
  yes: 'Yes',
  tooLongToEdit: 'This text is too long to be edited here.',
}

/** Each ends with letters that no renderer touches, so that a test finds them again. */
export const hostile = [
  '<!channel> hostile',
  '<!here|here> hostile',
  '<@U012AB3CD> hostile',
  '<#C024BE7LR> hostile',
  '<!subteam^SAZ94GDB8> hostile',
  '<https://evil.example|your bank> hostile',
  '<!date^1392734382^{date}^https://evil.example|today> hostile',
  '@here @channel @everyone hostile',
  '*bold* _italic_ ~struck~ `code` ```block``` hostile',
  '> quoted hostile',
  ':lock: Internal note hostile',
  '&lt;!channel&gt; &amp; & hostile',
  'a\n> b\n*c* hostile',
  '\u202eeuq tel\u0000\u0007\ud800 hostile',
  '＊wide＊ ＿wide＿ hostile',
  'https://example.com/a_b_c?d=*e*&f=<g> hostile',
]

const text = (most: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.string({ maxLength: Math.min(most, 80) }) },
    { weight: 3, arbitrary: fc.constantFrom(...hostile) },
    { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: Math.min(most, 60) }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...hostile, 'x', '&<>"\\\n', '🧵'), fc.integer({ min: 1, max: most }))
        .map(([part, length]) => part.repeat(Math.ceil(length / part.length)).slice(0, length)),
    },
  )
const line = text(3_000)
const long = text(20_000)
const url = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.constantFrom(
    'https://desk.example/cases/1|a>b<c^d?e=f&g=h',
    'javascript:alert(1)',
    'not an address',
    '',
    `https://desk.example/${'x'.repeat(2_500)}`,
    `https://desk.example/${'x'.repeat(5_000)}`,
    'mailto:ana@example.com',
  ),
)
const tone = fc.constantFrom<Tone>('neutral', 'good', 'attention', 'urgent')
const at = fc.oneof(
  fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('soon', '', '<!channel>', '2026-11-22', '-000001-01-01T00:00:00Z'),
)
/** An object whose optional keys may be missing. */
const some = <T, K extends keyof T>(model: { [P in keyof T]: fc.Arbitrary<T[P]> }, requiredKeys: K[]) =>
  fc.record(model, { requiredKeys })

export const act = fc.oneof(
  fc.constantFrom('case.reply', 'case.status', 'survey.answer', 'a|b%7C%c'),
  fc.string({ minLength: 1, maxLength: 14 }),
)
const value = fc.oneof(
  fc.constantFrom('case_01hzy3v7q8e5r2k9w4x6t0m1n2', 'case_01|7', ''),
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 60 }).map((binary) => binary.toWellFormed()),
)
const option: fc.Arbitrary<Option> = fc.record({ value: fc.string({ minLength: 1, maxLength: 75 }), label: line })
const confirm = fc.record({ title: line, text: line, yes: line, no: line })

export const button: fc.Arbitrary<ButtonAction> = some(
  {
    kind: fc.constant('button' as const),
    act,
    value,
    label: line,
    style: fc.constantFrom('primary' as const, 'danger' as const),
    confirm,
    opensForm: fc.boolean(),
  },
  ['kind', 'act', 'value', 'label'],
)

const action: fc.Arbitrary<CardAction> = fc.oneof(
  { weight: 4, arbitrary: button },
  {
    weight: 2,
    arbitrary: some(
      {
        kind: fc.constant('select' as const),
        act,
        value,
        label: line,
        options: fc.array(option, { maxLength: 120 }),
        chosen: fc.string({ maxLength: 3 }),
      },
      ['kind', 'act', 'value', 'label', 'options'],
    ),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), label: line, url }) },
)

const item: fc.Arbitrary<ListItem> = some({ title: line, detail: line, url, tone, action: button }, ['title'])

const block: fc.Arbitrary<CardBlock> = fc.oneof(
  some({ kind: fc.constant('text' as const), text: long, isSubtle: fc.boolean() }, ['kind', 'text']),
  fc.record({
    kind: fc.constant('facts' as const),
    facts: fc.array(some({ label: line, value: fc.oneof(long, fc.record({ at })), url }, ['label', 'value']), {
      maxLength: 25,
    }),
  }),
  fc.record({ kind: fc.constant('heading' as const), text: line }),
  fc.record({ kind: fc.constant('list' as const), items: fc.array(item, { maxLength: 70 }), whenEmpty: line }),
  fc.record({
    kind: fc.constant('message' as const),
    message: some(
      {
        author: line,
        visibility: fc.constantFrom('public' as const, 'internal' as const),
        text: long,
        at,
        files: fc.array(line, { maxLength: 40 }),
      },
      ['author', 'visibility', 'text', 'at'],
    ),
  }),
  fc.record({ kind: fc.constant('notice' as const), text: line, tone }),
  fc.record({ kind: fc.constant('divider' as const) }),
)

export const card: fc.Arbitrary<Card> = some(
  {
    key: fc.constant('case:case_01'),
    title: line,
    url,
    tone,
    blocks: fc.array(block, { maxLength: 60 }),
    actions: fc.array(action, { maxLength: 40 }),
    summary: long,
  },
  ['key', 'title', 'blocks', 'actions', 'summary'],
)

const fieldName = fc.string({ maxLength: 20 }).filter((name) => name !== '__proto__')

const field: fc.Arbitrary<FormField> = fc.oneof(
  some(
    {
      name: fieldName,
      label: line,
      hint: line,
      kind: fc.constant('text' as const),
      isLong: fc.boolean(),
      isRequired: fc.boolean(),
      initial: long,
      longest: fc.integer({ min: 0, max: 5_000 }),
    },
    ['name', 'label', 'kind', 'longest'],
  ),
  some(
    {
      name: fieldName,
      label: line,
      hint: line,
      kind: fc.constant('choice' as const),
      options: fc.array(option, { maxLength: 120 }),
      isRequired: fc.boolean(),
      initial: fc.string({ maxLength: 3 }),
    },
    ['name', 'label', 'kind', 'options'],
  ),
  some(
    {
      name: fieldName,
      label: line,
      hint: line,
      kind: fc.constant('switch' as const),
      initial: fc.boolean(),
    },
    ['name', 'label', 'kind', 'initial'],
  ),
)

export const form: fc.Arbitrary<Form> = fc.record({
  act,
  value,
  title: line,
  submit: line,
  cancel: line,
  blocks: fc.array(block, { maxLength: 30 }),
  fields: fc.array(field, { maxLength: 10 }),
})
