import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Card, Form } from '#hub/connector/card.ts'
import type { ChatAnswer } from '#hub/connector/chat.ts'
import { config } from './config.ts'
import { reply } from './reply.ts'
import { settings } from './test-door.ts'

const Json = z.record(z.string(), z.unknown())
const activity = (name: string) =>
  Json.parse(JSON.parse(readFileSync(new URL(`fixtures/activities/${name}.json`, import.meta.url), 'utf8')))
const ctx = { config: config.parse(settings), now: () => new Date('2026-11-20T10:15:30Z') }

function answer(given: string | object, to: ChatAnswer | undefined) {
  const body = JSON.stringify(typeof given === 'string' ? activity(given) : given)
  const { status, body: text } = reply({ key: 'k', body }, to, ctx)
  return { status, body: text === '' ? undefined : Json.parse(JSON.parse(text)) }
}

const card: Card = {
  key: 'case:1',
  title: 'Invoice <b>wrong</b>',
  blocks: [],
  actions: [
    { kind: 'button', act: 'case.take', value: 'case_01', label: 'Take' },
    { kind: 'button', act: 'case.reply', value: 'case_01', label: 'Reply', opensForm: true },
  ],
  summary: 'Invoice wrong, of Ana',
}
const form: Form = {
  act: 'case.note.add',
  value: 'case_01',
  title: 'Note',
  submit: 'Add',
  cancel: 'Cancel',
  blocks: [{ kind: 'text', text: 'Only colleagues see it.' }],
  fields: [
    { kind: 'text', name: 'text', label: 'Words', isLong: true, isRequired: true, longest: 3_000 },
    {
      kind: 'choice',
      name: 'tool',
      label: 'Tool',
      options: [
        { value: 'a', label: 'Desk A' },
        { value: 'b', label: 'Desk B' },
      ],
    },
    { kind: 'switch', name: 'solve', label: 'Solve it', initial: false },
  ],
}
const results = (count: number): ChatAnswer => ({
  kind: 'results',
  results: Array.from({ length: count }, (_, row) => ({ title: `Row <i>${row}</i>`, detail: 'Open', card })),
  whenEmpty: 'Nothing.',
})
const text = (value: unknown) => JSON.stringify(value)

describe('the response to a request of Teams', () => {
  it.each(['message-in-channel', 'reaction', 'installed', 'card-submitted-as-message', 'typing'])(
    'says no more than that it is taken, where nobody waits: %s',
    (name) => expect(answer(name, { kind: 'private', card })).toEqual({ status: 202, body: undefined }),
  )

  it('to a button is the card as it is now, a line, or what is wrong', () => {
    expect(answer('card-pressed', { kind: 'card', card }).body).toMatchObject({
      statusCode: 200,
      type: 'application/vnd.microsoft.card.adaptive',
      value: { type: 'AdaptiveCard', version: '1.5' },
    })
    expect(answer('card-pressed', { kind: 'toast', text: 'Noted.' }).body).toEqual({
      statusCode: 200,
      type: 'application/vnd.microsoft.activity.message',
      value: 'Noted.',
    })
    expect(answer('card-pressed', { kind: 'errors', errors: { a: 'No.' } }).body).toMatchObject({
      statusCode: 400,
      type: 'application/vnd.microsoft.error',
      value: { message: 'No.' },
    })
  })

  it('to a dialog is the next one, a line, or nothing, which closes it', () => {
    expect(answer('dialog-opened', { kind: 'form', form, replaces: false }).body).toMatchObject({
      task: { type: 'continue', value: { title: 'Note', card: { content: { type: 'AdaptiveCard' } } } },
    })
    expect(answer('dialog-submitted', { kind: 'toast', text: 'Sent.' }).body).toEqual({
      task: { type: 'message', value: 'Sent.' },
    })
    expect(answer('dialog-submitted', { kind: 'nothing' }).body).toEqual({})
    expect(answer('dialog-cancelled', { kind: 'toast', text: 'Sent.' }).body).toEqual({})
  })

  it('shows a card in a dialog with buttons that work there', () => {
    const { body } = answer('dialog-opened', { kind: 'private', card })
    expect(text(body)).not.toMatch(/Action\.Execute|task\/fetch/)
    expect(text(body).match(/"type":"Action.Submit"/g)).toHaveLength(2)
  })

  it('opens a dialog again with what was typed and what is wrong with it', () => {
    const opened = answer('dialog-opened', { kind: 'form', form, replaces: false })
    const carried = Carried.parse(opened.body).task.value.card.content.actions[0]?.data
    const typed = { ...carried, 'text:text': 'Half a *word*', 'text:tool': 'b', 'switch:solve': 'true' }
    const sent = { ...activity('dialog-submitted'), value: { data: typed } }
    const again = answer(sent, { kind: 'errors', errors: { text: 'Too short.', other: 'Try later.' } })
    const shown = text(again.body)
    for (const words of ['Half a *word*', '⚠️ Too short.', 'Try later.', '"value":"b"', '"value":"true"']) {
      expect(shown).toContain(words)
    }
    expect(again.body).toMatchObject({ task: { type: 'continue', value: { title: 'Note' } } })
  })

  it('says what is wrong when the dialog was too large to come back', () => {
    const options = Array.from({ length: 100 }, (_, option) => ({ value: `${option}`, label: 'x'.repeat(75) }))
    const large: Form = {
      ...form,
      fields: [1, 2, 3].map((field) => ({ kind: 'choice', name: `${field}`, label: 'x', options })),
    }
    const opened = answer('dialog-opened', { kind: 'form', form: large, replaces: false })
    const carried = Carried.parse(opened.body).task.value.card.content.actions[0]?.data
    const sent = { ...activity('dialog-submitted'), value: { data: carried } }
    expect(answer(sent, { kind: 'errors', errors: { 1: 'Choose one.' } }).body).toEqual({
      task: { type: 'message', value: 'Choose one.' },
    })
  })

  it('to a search is at most 25 rows, each with a preview that shows no markup', () => {
    const { body } = answer('search', results(40))
    const { attachments } = Extension.parse(body).composeExtension
    expect(attachments).toHaveLength(25)
    expect(attachments[0]).toMatchObject({
      contentType: 'application/vnd.microsoft.card.adaptive',
      preview: { content: { title: 'Row <\u200bi>0<\u200b/i>', text: 'Open' } },
    })
    expect(answer('search', results(0)).body).toEqual({ composeExtension: { type: 'message', text: 'Nothing.' } })
  })

  it('to a pasted link is its card, or nothing; to one from outside the app always nothing', () => {
    const unfurls: ChatAnswer = { kind: 'unfurls', cards: { 'https://hub.example.com/cases/case_01jd': card } }
    expect(text(answer('link-pasted', unfurls).body)).toContain('Invoice')
    expect(answer('link-pasted', { kind: 'nothing' }).body).toEqual({})
    expect(answer('link-pasted-without-the-app', unfurls).body).toEqual({})
  })

  it.each([
    ['card-pressed', 'value'],
    ['dialog-opened', 'task'],
    ['search', 'composeExtension'],
  ])('says that it goes on when the answer is late, in the language of the reader: %s', (name, at) => {
    expect(text(answer(name, undefined).body?.[at])).toContain('Working on it')
    expect(text(answer({ ...activity(name), locale: 'es-MX' }, undefined).body?.[at])).toContain('En ello')
  })

  it('to a button of a card that is not ours says so', () => {
    expect(text(answer('card-of-another-app', undefined).body)).toContain('could not be read')
  })
})

const Carried = z.object({
  task: z.object({
    value: z.object({ card: z.object({ content: z.object({ actions: z.array(z.object({ data: Json })) }) }) }),
  }),
})
const Extension = z.object({ composeExtension: z.object({ attachments: z.array(z.unknown()) }) })
