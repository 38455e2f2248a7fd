import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Form } from '#hub/connector/card.ts'
import { fieldId } from './action-id.ts'
import { readInteraction } from './read-interaction.ts'
import { renderForm } from './render-form.ts'
import { WithinModal } from './sandbox-limits.ts'
import { form, words } from './test-cards.ts'

const plain = (text: string) => ({ type: 'plain_text', text, emoji: false })
const note: Form = {
  act: 'case.note.add',
  value: 'case_01',
  title: 'Add an internal note',
  submit: 'Add',
  cancel: 'Cancel',
  blocks: [{ kind: 'notice', text: 'The customer never sees it.', tone: 'neutral' }],
  fields: [
    { name: 'text', label: 'Note', hint: 'Up to 3,000', kind: 'text', isLong: true, isRequired: true, longest: 5_000 },
    {
      name: 'reason',
      label: 'Reason',
      kind: 'choice',
      options: [
        { value: 'fixed', label: 'Fixed' },
        { value: 'duplicate', label: 'Duplicate' },
      ],
      initial: 'fixed',
    },
    { name: 'notify', label: 'Tell the team', kind: 'switch', initial: true },
  ],
}
const place = { channel: 'C01', messageTs: '1795169730.000100', threadTs: '1795169000.000200' }

describe('a form in Slack', () => {
  it('is a dialog whose blocks are named after its fields', () => {
    expect(renderForm(note, words, place)).toEqual({
      type: 'modal',
      callback_id: '0|case.note.add',
      private_metadata: JSON.stringify({ value: 'case_01', place }),
      title: plain('Add an internal note'),
      submit: plain('Add'),
      close: plain('Cancel'),
      blocks: [
        { type: 'section', text: plain('ℹ️ The customer never sees it.') },
        {
          type: 'input',
          block_id: 'text',
          label: plain('Note'),
          hint: plain('Up to 3,000'),
          optional: false,
          element: { type: 'plain_text_input', action_id: 'field', multiline: true, max_length: 3_000 },
        },
        {
          type: 'input',
          block_id: 'reason',
          label: plain('Reason'),
          optional: true,
          element: {
            type: 'static_select',
            action_id: 'field',
            options: [
              { text: plain('Fixed'), value: 'fixed' },
              { text: plain('Duplicate'), value: 'duplicate' },
            ],
            initial_option: { text: plain('Fixed'), value: 'fixed' },
          },
        },
        {
          type: 'input',
          block_id: 'notify',
          label: plain('Tell the team'),
          optional: true,
          element: {
            type: 'checkboxes',
            action_id: 'field',
            options: [{ text: plain('Yes'), value: 'on' }],
            initial_options: [{ text: plain('Yes'), value: 'on' }],
          },
        },
      ],
    })
  })

  it('shortens a title to what Slack takes', () => {
    expect(renderForm({ ...note, title: 'Reply to the customer in public' }, words).title).toEqual(
      plain('Reply to the customer i…'),
    )
  })

  it('offers no half of a text that is too long for its field: it would be sent as the whole', () => {
    const fields = [{ name: 'text', label: 'Reply', kind: 'text', longest: 3_000, initial: 'x'.repeat(3_001) } as const]
    const [input] = renderForm({ ...note, blocks: [], fields }, words).blocks
    expect(input).toMatchObject({ hint: plain('This text is too long to be edited here.') })
    expect(JSON.stringify(input)).not.toContain('initial_value')
  })

  it('shows the text of a reply exactly, as long as a field can be', () => {
    const text = `${'Zeile "eins" & <zwei>\n'.repeat(130)}Ende`
    const exactly = renderForm(
      {
        ...note,
        blocks: [
          { kind: 'message', message: { author: 'Sam', visibility: 'public', text, at: '2026-11-22T07:30:00Z' } },
        ],
        fields: [],
      },
      words,
    )
    expect(text.length).toBeGreaterThan(2_800)
    expect(exactly.blocks).toContainEqual({ type: 'section', text: plain(text) })
  })

  it('is within all limits, whatever it holds', () => {
    fc.assert(
      fc.property(form, (random) => {
        expect(WithinModal.safeParse(renderForm(random, words, place)).error).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  }, 120_000)

  it('brings back its act, its value, its place and what was typed', () => {
    fc.assert(
      fc.property(form, (random) => {
        const view = renderForm(random, words, place)
        const read = readInteraction({
          type: 'view_submission',
          user: { id: 'U1', team_id: 'T1' },
          team: { id: 'T1' },
          view: { id: 'V1', ...view, state: { values: untouched(view.blocks) } },
        })
        const initials = random.fields.flatMap((field): [string, string | boolean][] => {
          const drawn = view.blocks.find(({ block_id }) => block_id !== undefined && block_id === field.name)
          if (!drawn || random.fields.find(({ name }) => name === field.name) !== field) return []
          if (field.kind === 'switch') return [[field.name, field.initial]]
          const initial = field.initial?.trim() ?? ''
          const isOffered = field.kind === 'choice' && field.options.some(({ value }) => value === field.initial)
          if (field.kind === 'choice') return isOffered ? [[field.name, field.initial ?? '']] : []
          return initial !== '' && JSON.stringify(drawn).includes('initial_value')
            ? [[field.name, expect.any(String)]]
            : []
        })
        expect(read).toMatchObject({ kind: 'submit', place, act: { act: random.act, value: random.value } })
        expect(read).toHaveProperty('act.fields', Object.fromEntries(initials))
      }),
      { numRuns: 500 },
    )
  }, 120_000)
})

/** What Slack sends of a dialog that was submitted as it came. */
function untouched(blocks: ReturnType<typeof renderForm>['blocks']) {
  return Object.fromEntries(
    blocks.flatMap((block) => {
      if (!('element' in block) || block.block_id === undefined) return []
      const { element } = block
      const state =
        element.type === 'plain_text_input'
          ? { value: element.initial_value ?? null }
          : element.type === 'static_select'
            ? { selected_option: element.initial_option ?? null }
            : { selected_options: 'initial_options' in element ? element.initial_options : [] }
      return [[block.block_id, { [fieldId]: { type: element.type, ...state } }]]
    }),
  )
}
