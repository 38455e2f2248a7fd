/** Random cards and forms, with texts that try to be more than text. */
import fc from 'fast-check'
import type { Card, CardAction, CardBlock, Form, FormField } from '#hub/connector/card.ts'
import type { CardWords } from './words.ts'

export const words: CardWords = {
  language: 'en',
  more: '… more in Deskweave',
  moreItems: (count) => `… ${count} more`,
  internal: 'Internal note',
  public: 'Public',
  set: 'Set',
  choose: 'Choose…',
  required: 'Needed',
  tooLongToEdit: 'Too long to edit here',
}

export const hostile = [
  '**bold** _it_ __x__ ***',
  '[click](https://evil.example/?a=b)',
  '[click]: https://evil.example',
  '![](https://evil.example/pixel.png)',
  '<at>Everyone</at>',
  '<img src=x onerror=alert(1)>',
  '<https://evil.example>',
  '<!-- -->',
  '{{DATE(2026-01-01T00:00:00Z, SHORT)}}',
  '{{{TIME(2026-01-01T00:00:00Z)}}}',
  '# heading',
  '> quote',
  '- item',
  '+ item',
  '1. item',
  '12) item',
  '---',
  '===',
  '| a | b |',
  '~~gone~~',
  '`code` ``` fence',
  '~~~',
  '&lt;b&gt; &#42; &amp;',
  '\\*not escaped\\* \\\\ C:\\temp\\',
  'two\n\nparagraphs\r\nand\rlines\u2028',
  '    indented',
  '\u0000\u0007\u001b[31m',
  '\ud800 half',
  '👩‍👩‍👧‍👦 ñ 漢字 שלום',
  '](https://evil.example)',
]

const word = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))
const text = fc.oneof(
  word,
  fc.array(word, { maxLength: 6, size: 'max' }).map((parts) => parts.join(' ')),
  fc.tuple(word, fc.nat(3000)).map(([part, times]) => part.repeat(times).slice(0, 30_000)),
)
const line = fc.oneof(word, text)
const url = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.constantFrom(
    'https://hub.example.com/cases/case_01',
    'https://hub.example.com/a_(b)*[c]|{{DATE(2026-01-01T00:00:00Z)}}',
    'javascript:alert(1)',
    'data:text/html,<script>',
    'https://user:word@evil.example/',
    'no address',
    `https://hub.example.com/${'x'.repeat(2000)}`,
  ),
)
const at = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('2026-11-20T10:15:30Z', '2026-11-20T10:15:30.123456Z', 'yesterday', '2026-13-45T00:00:00Z', ''),
)
const tone = fc.constantFrom('neutral' as const, 'good' as const, 'attention' as const, 'urgent' as const)
const act = fc.stringMatching(/^[a-z]{1,20}(\.[a-z]{1,20})?$/)
const value = fc.oneof(fc.string({ maxLength: 200 }), fc.constantFrom('', 'case_01jd|2', '{"a":"}"}', '__proto__'))

const some = <T>(parts: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(parts, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>

const button = fc
  .tuple(
    fc.record({ kind: fc.constant('button' as const), act, value, label: line }),
    some({
      style: fc.constantFrom('primary' as const, 'danger' as const),
      confirm: fc.record({ title: line, text, yes: line, no: line }),
      opensForm: fc.boolean(),
    }),
  )
  .map(([one, more]) => ({ ...one, ...more }))

const options = (most: number) =>
  fc.uniqueArray(fc.record({ value: fc.string({ minLength: 1, maxLength: 75 }), label: line }), {
    maxLength: most,
    size: 'max',
    selector: (option) => option.value,
  })

const select = options(100).chain((list) =>
  fc
    .tuple(
      fc.record({
        kind: fc.constant('select' as const),
        act,
        value,
        label: line,
        options: fc.constant(list),
        opensForm: fc.boolean(),
      }),
      list.length > 0 ? some({ chosen: fc.constantFrom(...list.map((option) => option.value)) }) : fc.constant({}),
    )
    .map(([one, more]) => ({ ...one, ...more })),
)

const action: fc.Arbitrary<CardAction> = fc.oneof(
  { weight: 4, arbitrary: button },
  { weight: 1, arbitrary: select },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), label: line, url }) },
)

const item = fc
  .tuple(fc.record({ title: line }), some({ detail: line, url, tone, action: button }))
  .map(([one, more]) => ({ ...one, ...more }))
const fact = fc
  .tuple(fc.record({ label: line, value: fc.oneof(line, fc.record({ at })) }), some({ url }))
  .map(([one, more]) => ({ ...one, ...more }))
const message = fc
  .tuple(
    fc.record({ author: line, visibility: fc.constantFrom('public' as const, 'internal' as const), text, at }),
    some({ files: fc.array(line) }),
  )
  .map(([one, more]) => ({ ...one, ...more }))

const block: fc.Arbitrary<CardBlock> = fc.oneof(
  fc
    .tuple(fc.record({ kind: fc.constant('text' as const), text }), some({ isSubtle: fc.boolean() }))
    .map(([one, more]) => ({ ...one, ...more })),
  fc.record({ kind: fc.constant('facts' as const), facts: fc.array(fact, { maxLength: 60 }) }),
  fc.record({ kind: fc.constant('heading' as const), text: line }),
  fc.record({ kind: fc.constant('list' as const), items: fc.array(item, { maxLength: 60 }), whenEmpty: line }),
  fc.record({ kind: fc.constant('message' as const), message }),
  fc.record({ kind: fc.constant('notice' as const), text, tone }),
  fc.record({ kind: fc.constant('divider' as const) }),
)

export const anyCard: fc.Arbitrary<Card> = fc
  .tuple(
    fc.record({
      key: fc.string(),
      title: line,
      blocks: fc.array(block, { maxLength: 30, size: 'max' }),
      actions: fc.array(action, { maxLength: 30, size: 'max' }),
      summary: text,
    }),
    some({ url, tone }),
  )
  .map(([card, more]) => ({ ...card, ...more }))

const name = fc.stringMatching(/^[a-z][a-z_:]{0,40}$/)
const field: fc.Arbitrary<FormField> = fc.tuple(name, line, some({ hint: text })).chain(([id, label, hint]) =>
  fc.oneof(
    fc
      .tuple(
        fc.record({ kind: fc.constant('text' as const), longest: fc.integer({ min: 1, max: 20_000 }) }),
        some({ isLong: fc.boolean(), isRequired: fc.boolean(), initial: text }),
      )
      .map(([one, more]) => ({ name: id, label, ...hint, ...one, ...more })),
    fc
      .tuple(
        fc.record({ kind: fc.constant('choice' as const), options: options(100) }),
        some({ isRequired: fc.boolean() }),
      )
      .map(([one, more]) => ({ name: id, label, ...hint, ...one, ...more })),
    fc
      .record({ kind: fc.constant('switch' as const), initial: fc.boolean() })
      .map((one) => ({ name: id, label, ...hint, ...one })),
  ),
)

export const anyForm: fc.Arbitrary<Form> = fc.record({
  act,
  value,
  title: line,
  submit: line,
  cancel: line,
  blocks: fc.array(block, { maxLength: 10, size: 'max' }),
  fields: fc.uniqueArray(field, { maxLength: 15, selector: (one) => one.name }),
})
