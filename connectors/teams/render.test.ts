import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import draft06 from 'ajv/dist/refs/json-schema-draft-06.json' with { type: 'json' }
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Act, Card, CardAction, Form } from '#hub/connector/card.ts'
import { escapeMarkdown, moment, oneLine } from './markdown.ts'
import { readActivity } from './read-activity.ts'
import { renderCard } from './render-card.ts'
import { renderForm } from './render-form.ts'
import { anyCard, anyForm, hostile, words } from './test-cards.ts'

const activity = (name: string) =>
  z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(new URL(`fixtures/activities/${name}.json`, import.meta.url), 'utf8')))

/** Draft 6 with draft 4's `id`; the formats are not what is tested. */
const { id: _, ...schema } = z
  .record(z.string(), z.unknown())
  .parse(JSON.parse(readFileSync(new URL('fixtures/schema/adaptive-card.1.5.0.schema.json', import.meta.url), 'utf8')))
const ajv = new Ajv({ strict: false, validateFormats: false })
ajv.addMetaSchema(draft06)
const isAdaptiveCard = ajv.compile(schema)

type Node = Readonly<Record<string, unknown>>

/** Each object inside, in reading order. */
function nodes(value: unknown): readonly Node[] {
  if (Array.isArray(value)) return value.flatMap(nodes)
  if (typeof value !== 'object' || value === null) return []
  const node: Node = { ...value }
  return [node, ...Object.values(node).flatMap(nodes)]
}

/** What Teams has beyond the published schema: `msteams` of a card, a list that is searched by typing. */
const published = (card: unknown): unknown =>
  JSON.parse(JSON.stringify(card), (key, value) =>
    key === 'msteams' ? undefined : value === 'filtered' ? 'compact' : value,
  )

const utf16Bytes = (value: unknown) => JSON.stringify(value).length * 2

/** As it is sent: ids as long as Teams makes them. */
const sent = (content: unknown) => ({
  type: 'message',
  from: { id: `28:${'0'.repeat(36)}`, name: 'x'.repeat(42) },
  conversation: { id: `19:${'0'.repeat(60)}@thread.tacv2;messageid=1763633700000` },
  replyToId: '1763633700000',
  summary: 'x'.repeat(200),
  attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }],
})

/** Texts in which Teams looks for Markdown. */
const markdownTexts = (card: unknown) =>
  nodes(card).flatMap((node) => {
    if (node['type'] === 'TextBlock') return [`${node['text']}`]
    if (node['type'] === 'AdaptiveCard') return [`${node['fallbackText']}`]
    return typeof node['title'] === 'string' &&
      typeof node['value'] === 'string' &&
      !node['type'] &&
      !isChoice(node, card)
      ? [node['title'], node['value']]
      : []
  })

const isChoice = (node: Node, card: unknown) =>
  nodes(card).some(
    (parent) => Array.isArray(parent['choices']) && JSON.stringify(parent['choices']).includes(JSON.stringify(node)),
  )

const ourMoment =
  /^\{\{DATE\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, SHORT\)\}\} \{\{TIME\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)\}\}$/
const ourLink = /^([^[\]\\]*)\[((?:\\.|[^\\[\]])*)\]\(https?:\/\/[^()\s[\]<>{}`|\\]+\)$/s

/** What CommonMark and Teams would make something of, once escaped signs are out of the way. */
const markup = [
  /[`*_[\]]/,
  /~~/,
  /\{\{/,
  /<[a-z/!?]/i,
  /&#?\w+;/,
  /^ {0,3}(?:[#>+\-=|:]|\d{1,9}[.)])/,
  /^(?: {4}|\t)/,
  /[\r\n]/,
]

function isPlain(text: string): boolean {
  if (ourMoment.test(text)) return true
  const [, before = '', label] = ourLink.exec(text) ?? []
  const own = label === undefined ? text : `${before}x${label}`
  const bare = own.replaceAll(/\\[!-/:-@[-`{-~]/g, '')
  return markup.every((sign) => !sign.test(bare))
}

const carrying = (card: unknown) =>
  nodes(card).filter((node) => node['type'] === 'Action.Execute' || node['type'] === 'Action.Submit')

const Data = z.object({ data: z.record(z.string(), z.unknown()), verb: z.string().optional() }).loose()

/** The press of a button, as Teams would tell it. */
function press(action: Node, inputs: Readonly<Record<string, string>> = {}) {
  const { data, verb } = Data.parse(action)
  const merged = action['associatedInputs'] === 'none' ? data : { ...inputs, ...data }
  const opens = z.object({ msteams: z.object({ type: z.literal('task/fetch') }) }).safeParse(data).success
  if (action['type'] === 'Action.Execute') {
    return readActivity({
      ...activity('card-pressed'),
      value: { action: { type: 'Action.Execute', verb, data: merged } },
    })
  }
  return readActivity({ ...activity(opens ? 'dialog-opened' : 'dialog-submitted'), value: { data: merged } })
}

const small: Card = {
  key: 'case:1',
  title: 'Invoice *wrong* #4242',
  url: 'https://hub.example.com/cases/case_01',
  tone: 'urgent',
  summary: 'Case 4242 of Ana is open',
  blocks: [],
  actions: [],
}

const button = (more: Partial<CardAction & { kind: 'button' }> = {}): CardAction & { kind: 'button' } => ({
  kind: 'button',
  act: 'case.take',
  value: 'case_01',
  label: 'Take',
  ...more,
})

describe('a card in Teams', { timeout: 60_000 }, () => {
  it('is within 28 KB and valid by the schema of Adaptive Cards 1.5, whatever it holds', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        const drawn = renderCard(card, words)
        expect(utf16Bytes(sent(drawn))).toBeLessThanOrEqual(28_000)
        expect(drawn.version).toBe('1.5')
        if (!isAdaptiveCard(published(drawn))) throw new Error(ajv.errorsText(isAdaptiveCard.errors?.slice(0, 8)))
      }),
      { numRuns: 120, endOnFailure: true },
    )
  })

  it('uses the room there is', () => {
    const text = 'All of it matters. '.repeat(400)
    const blocks = Array.from({ length: 9 }, () => ({ kind: 'text' as const, text }))
    const bytes = utf16Bytes(sent(renderCard({ ...small, blocks }, words)))
    expect(bytes).toBeGreaterThan(14_000)
    expect(bytes).toBeLessThanOrEqual(28_000)
  })

  it('shows no word of a user as Markdown, HTML, a mention or a date', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        const drawn = renderCard(card, words)
        expect(markdownTexts(drawn).filter((text) => !isPlain(text))).toEqual([])
        const runs = nodes(drawn).filter((node) => node['type'] === 'TextRun' || 'title' in node || 'label' in node)
        const shown = runs
          .flatMap((node) => [node['text'], node['title'], node['label']])
          .map((text) => `${text ?? ''}`)
        expect(shown.filter((text) => text.includes('{{') && !ourMoment.test(text) && !isPlain(text))).toEqual([])
        expect(JSON.stringify(drawn)).not.toMatch(/"mention"|"entities"/)
      }),
      { numRuns: 120, endOnFailure: true },
    )
  })

  it('keeps every sign of a text that it escapes', () => {
    const shownByCommonMark = (text: string) => text.replaceAll(/\\([!-/:-@[-`{-~])/g, '$1').replaceAll('\u200b', '')
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'grapheme' })), (text) => {
        fc.pre(!text.includes('\u200b'))
        expect(shownByCommonMark(escapeMarkdown(text))).toBe(oneLine(text))
      }),
      { numRuns: 40 },
    )
  })

  it('leaves what needs no escaping as it is, since phones show most backslashes', () => {
    expect(escapeMarkdown('Case #4242 (urgent): C:\\temp, 5 < 6 & 7-8')).toBe(
      'Case #4242 (urgent): C:\\temp, 5 < 6 & 7-8',
    )
  })

  it('leads to addresses of the web only', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        const urls = nodes(renderCard(card, words)).filter((node) => node['type'] === 'Action.OpenUrl')
        expect(
          urls.filter((node) => !/^https?:\/\/[^@]*$/.test(`${node['url']}`.split('/').slice(0, 3).join('/'))),
        ).toEqual([])
      }),
      { numRuns: 40 },
    )
  })

  it('gives back from each button the act and the value that were put in', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        const drawn = renderCard(card, words)
        const given = [
          ...card.blocks.flatMap((block) => (block.kind === 'list' ? block.items : [])).map((item) => item.action),
          ...card.actions,
        ].flatMap((action) => (action && 'act' in action ? [`${action.act} ${action.value}`] : []))
        for (const action of carrying(drawn)) {
          const read = press(action)
          if (read.kind !== 'act' && read.kind !== 'open') throw new Error(JSON.stringify(read))
          expect(read.act.fields).toEqual({})
          expect(given).toContain(`${read.act.act} ${read.act.value}`)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('draws every action of a card of a usual size, once', () => {
    const actions = Array.from({ length: 9 }, (_unused, position) => button({ act: `act.${position}` }))
    const drawn = renderCard({ ...small, actions }, words)
    expect(carrying(drawn).map((action) => press(action))).toMatchObject(
      actions.map(({ act, value }) => ({ kind: 'act', act: { act, value, fields: {} } })),
    )
    expect(drawn.actions?.map(({ mode }) => mode ?? 'primary')).toEqual([
      ...Array.from({ length: 6 }, () => 'primary'),
      ...Array.from({ length: 3 }, () => 'secondary'),
    ])
  })

  it('shows a whole scale at once: scores in a menu would be chosen less often', () => {
    const scores = Array.from({ length: 11 }, (_unused, score) =>
      button({ act: 'survey.answer', value: `inv_01:${score}`, label: `${score}` }),
    )
    const drawn = renderCard({ ...small, actions: scores }, words)
    const rows = drawn.body.flatMap((element) => (element.type === 'ActionSet' ? [element.actions ?? []] : []))
    expect(rows.map((row) => row.map(({ title }) => title))).toEqual([
      ['0', '1', '2', '3', '4', '5'],
      ['6', '7', '8', '9', '10'],
    ])
    expect(nodes(drawn).filter(({ mode }) => mode === 'secondary')).toEqual([])
    expect(drawn.actions ?? []).toEqual([])
  })

  it('gives back the option that was chosen, not what stands in the list beside it', () => {
    const select = (act: string, chosen: string): CardAction => ({
      kind: 'select',
      act,
      value: 'case_01',
      label: act,
      chosen,
      options: ['low', 'high', 'urgent'].map((value) => ({ value, label: value })),
    })
    const drawn = renderCard({ ...small, actions: [select('priority', 'low'), select('impact', 'high')] }, words)
    const [priority, impact] = nodes(drawn).filter((node) => node['type'] === 'Input.ChoiceSet')
    expect([priority?.['value'], impact?.['value']]).toEqual(['low', 'high'])
    const inputs = { [`${priority?.['id']}`]: 'urgent', [`${impact?.['id']}`]: 'high' }
    expect(carrying(drawn).map((action) => press(action, inputs))).toMatchObject([
      { kind: 'act', act: { act: 'priority', value: 'case_01', fields: { chosen: 'urgent' } } },
      { kind: 'act', act: { act: 'impact', value: 'case_01', fields: { chosen: 'high' } } },
    ])
  })

  it('opens a dialog from a list whose choice opens a form, with what was chosen', () => {
    const options = ['m1', 'm2'].map((value) => ({ value, label: value }))
    const select: CardAction = {
      kind: 'select',
      act: 'macro',
      value: 'case_01',
      label: 'Macro',
      options,
      opensForm: true,
    }
    const [action] = carrying(renderCard({ ...small, actions: [select] }, words))
    const { data } = Data.parse(action)
    const chosen = readActivity({ ...activity('dialog-opened'), value: { data: { 'select:0': 'm2', ...data } } })
    expect(chosen).toMatchObject({ kind: 'open', act: { act: 'macro', value: 'case_01', fields: { chosen: 'm2' } } })
  })

  it('opens a dialog from a button that opens a form', () => {
    const [action] = carrying(renderCard({ ...small, actions: [button({ opensForm: true })] }, words))
    expect(action && press(action)).toMatchObject({ kind: 'open', act: { act: 'case.take', value: 'case_01' } })
  })

  it('asks before it acts, and "no" only hides the question', () => {
    const confirm = { title: 'Close it?', text: 'Ana gets no reply.', yes: 'Close', no: 'Keep open' }
    const drawn = renderCard({ ...small, actions: [button({ confirm, style: 'danger' })] }, words)
    const question = nodes(drawn).find((node) => node['isVisible'] === false)
    const toggles = nodes(drawn).filter((node) => node['type'] === 'Action.ToggleVisibility')
    expect(drawn.actions).toMatchObject([{ type: 'Action.ToggleVisibility', title: 'Take', style: 'destructive' }])
    expect(toggles.map((toggle) => toggle['targetElements'])).toEqual([[question?.['id']], [question?.['id']]])
    expect(nodes(question).filter((node) => node['type'] === 'Action.Execute')).toMatchObject([{ title: 'Close' }])
    expect(carrying(drawn)).toHaveLength(1)
  })

  it('gives each question its own id, in rows too', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        const ids = nodes(renderCard(card, words)).flatMap((node) =>
          typeof node['id'] === 'string' ? [node['id']] : [],
        )
        expect(new Set(ids).size).toBe(ids.length)
      }),
      { numRuns: 40 },
    )
  })

  it('tells an internal note from what the customer sees by word and sign', () => {
    const message = { author: 'Leo', text: 'x', at: '2026-11-20T10:15:30.250Z' }
    const blocks = (['internal', 'public'] as const).map((visibility) => ({
      kind: 'message' as const,
      message: { ...message, visibility },
    }))
    const [internal, open] = renderCard({ ...small, blocks }, words).body.slice(1)
    expect(JSON.stringify(internal)).toContain('🔒 Internal note')
    expect(JSON.stringify(internal)).not.toContain('Public')
    expect(JSON.stringify(open)).toContain('🌐 Public')
    expect(JSON.stringify(open)).toContain('{{DATE(2026-11-20T10:15:30Z, SHORT)}} {{TIME(2026-11-20T10:15:30Z)}}')
  })

  it('folds a long text with a link to the whole and counts the rows that do not fit', () => {
    const items = Array.from({ length: 70 }, (_unused, row) => ({ title: `Row ${row}` }))
    const blocks = [
      { kind: 'text' as const, text: 'word '.repeat(2000) },
      { kind: 'list' as const, items, whenEmpty: '' },
    ]
    const drawn = nodes(renderCard({ ...small, blocks }, words))
    expect(drawn.find((node) => node['text'] === '… more in Deskweave')?.['selectAction']).toEqual({
      type: 'Action.OpenUrl',
      url: small.url,
    })
    const rows = drawn.filter((node) => `${node['text']}`.startsWith('Row ')).length
    expect(drawn.some((node) => node['text'] === `… ${70 - rows} more`)).toBe(true)
  })

  it('can be heard and shown where cards cannot be drawn', () => {
    const drawn = renderCard({ ...small, summary: 'Ana & Co: <b>*late*</b>' }, words)
    expect(drawn.speak).toBe('Ana   Co:  b *late* /b ')
    expect(drawn.fallbackText).toBe('Ana & Co: <\u200bb>\\*late\\*<\u200b/b>')
    expect(drawn.body[0]).toMatchObject({ type: 'TextBlock', style: 'heading' })
  })

  it('shows a time that is none as it came', () => {
    expect(['yesterday', '2026-13-45T00:00:00Z', '+012026-01-01T00:00:00Z', ''].map(moment)).toEqual(
      Array.from({ length: 4 }, () => undefined),
    )
  })
})

const form: Form = {
  act: 'reply.send',
  value: 'case_01',
  title: 'Reply',
  submit: 'Send',
  cancel: 'Cancel',
  blocks: [],
  fields: [
    {
      kind: 'text',
      name: 'body',
      label: 'Text',
      isLong: true,
      isRequired: true,
      initial: 'Dear *Ana*,\n',
      longest: 5000,
    },
    { kind: 'choice', name: 'macro', label: 'Macro', options: [{ value: 'm1', label: 'One' }] },
    { kind: 'switch', name: 'solve', label: 'Solve', initial: true },
  ],
}

describe('a form in Teams', { timeout: 60_000 }, () => {
  it('is within 28 KB and valid by the schema of Adaptive Cards 1.5, whatever it holds', () => {
    fc.assert(
      fc.property(anyForm, (any) => {
        const { card, title } = renderForm(any, words)
        expect(utf16Bytes({ task: { type: 'continue', value: { card, title } } })).toBeLessThanOrEqual(28_000)
        if (!isAdaptiveCard(published(card.content)))
          throw new Error(ajv.errorsText(isAdaptiveCard.errors?.slice(0, 8)))
        expect(markdownTexts(card.content).filter((text) => !isPlain(text))).toEqual([])
      }),
      { numRuns: 120, endOnFailure: true },
    )
  })

  it('gives back what was put in and what was filled in', () => {
    fc.assert(
      fc.property(anyForm, (any) => {
        const { content } = renderForm(any, words).card
        const inputs = nodes(content).filter((node) => `${node['type']}`.startsWith('Input.'))
        expect(inputs).toHaveLength(any.fields.length)
        const filled = Object.fromEntries(
          inputs.map((input) => [`${input['id']}`, input['type'] === 'Input.Toggle' ? 'true' : 'x*y']),
        )
        const [submit, ...others] = carrying(content.actions)
        expect(others).toHaveLength(1)
        const fields = Object.fromEntries(any.fields.map(({ name, kind }) => [name, kind === 'switch' ? true : 'x*y']))
        const act: Act = { act: any.act, value: any.value, fields }
        expect(submit && press(submit, filled)).toMatchObject({ kind: 'submit', act })
      }),
      { numRuns: 40 },
    )
  })

  it('starts with the text to edit as it is, and closes without an act', () => {
    const { card, height } = renderForm(form, words)
    const [submit, cancel] = carrying(card.content)
    expect(nodes(card.content).find((node) => node['id'] === 'text:body')).toMatchObject({
      value: 'Dear *Ana*,\n',
      isMultiline: true,
      isRequired: true,
      errorMessage: 'Needed',
      maxLength: 5000,
    })
    expect(height).toBe('large')
    expect(submit?.['style']).toBe('positive')
    expect(cancel && press(cancel, { 'text:body': 'half' })).toMatchObject({ kind: 'dismiss' })
  })

  it('shows a text that is too long to edit not at all, rather than a part that would be sent as the whole', () => {
    const long: Form = {
      ...form,
      fields: [{ kind: 'text', name: 'body', label: 'Text', longest: 50_000, initial: 'x'.repeat(20_000) }],
    }
    const { content } = renderForm(long, words).card
    expect(nodes(content).find((node) => node['id'] === 'text:body')).not.toHaveProperty('value')
    expect(JSON.stringify(content)).toContain('Too long to edit here')
  })

  it('is refused with more fields than fit, since a field left out would be an empty answer', () => {
    const fields = Array.from({ length: 200 }, (_unused, position) => ({
      kind: 'switch' as const,
      name: `field_${position}`,
      label: 'x'.repeat(80),
      initial: false,
    }))
    expect(() => renderForm({ ...form, fields }, words)).toThrow('reply.send: 200 fields do not fit')
  })
})
