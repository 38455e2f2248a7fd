import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { UnreadableInput } from '#hub/connector/errors.ts'
import { packAct, unpackAct } from './action-id.ts'
import { interactionPayload, readInteraction } from './read-interaction.ts'

const Fixture = z.object({
  about: z.string(),
  source: z.string(),
  payload: z.record(z.string(), z.unknown()).optional(),
  form: z.record(z.string(), z.string()).optional(),
  expected: z.record(z.string(), z.unknown()),
})
const folder = new URL('fixtures/interactions/', import.meta.url)
const fixtures = readdirSync(folder).map((name) =>
  Fixture.parse(JSON.parse(readFileSync(new URL(name, folder), 'utf8'))),
)
/** As Slack sends it over HTTP. */
const bodyOf = ({ payload, form }: z.output<typeof Fixture>) =>
  new URLSearchParams(payload ? { payload: JSON.stringify(payload) } : form).toString()

describe('an interaction in Slack', () => {
  it.each(fixtures)('is read: $about', (fixture) => {
    expect(readInteraction(interactionPayload(bodyOf(fixture)))).toEqual(fixture.expected)
  })

  it('says what is wrong with a payload that it knows and cannot read', () => {
    const pressed = { type: 'block_actions', user: { id: '' }, actions: [] }
    expect(() => readInteraction(pressed)).toThrow(UnreadableInput)
    expect(() => readInteraction(pressed)).toThrow(/^block_actions: .*user\.id/s)
    expect(() => readInteraction({ command: 'deskweave' })).toThrow(/^slash command: /)
    expect(() => interactionPayload('payload=%7B')).toThrow('the field "payload" is not JSON')
  })

  it('passes over elements and dialogs of others', () => {
    const common = { user: { id: 'U1' }, team: { id: 'T1' } }
    const view = { id: 'V1', callback_id: 'survey', private_metadata: '{"value":"case_01"}' }
    const actions = [{ type: 'button', action_id: 'xQ8', value: 'case_01' }]
    expect(readInteraction({ type: 'block_actions', ...common, actions }).kind).toBe('nothing')
    expect(readInteraction({ type: 'view_submission', ...common, view }).kind).toBe('nothing')
    expect(readInteraction({ type: 'block_suggestion', ...common, action_id: 'xQ8' }).kind).toBe('nothing')
  })

  it('reads what it needs although other parts have shapes that it does not know', () => {
    const read = readInteraction({
      type: 'block_actions',
      user: { id: 'U1' },
      team: 'T1',
      message: [],
      state: { values: 7 },
      container: { channel_id: 'C1', is_ephemeral: 'no' },
      channel: { id: 'C1' },
      actions: [{ type: 'button', action_id: '0|case.take', value: 'case_01', selected_option: 'none' }],
    })
    expect(read).toEqual({
      kind: 'act',
      act: { act: 'case.take', value: 'case_01', fields: {} },
      user: { id: 'U1' },
      install: {},
      place: { channel: 'C1' },
    })
  })

  it('never fails in another way than by calling the input unreadable', () => {
    const anything = fc.oneof(
      fc.json().map((json): unknown => JSON.parse(json)),
      fc.anything(),
    )
    const types = ['block_actions', 'view_submission', 'view_closed', 'shortcut', 'message_action', 'block_suggestion']
    const part = fc.record(
      {
        type: fc.constantFrom<unknown>(...types, undefined, 7),
        command: fc.constantFrom<unknown>('/deskweave', undefined),
        user: fc.constantFrom<unknown>({ id: 'U1' }, {}, null),
        view: fc.oneof(
          anything,
          fc.record({ id: fc.constant('V1'), callback_id: fc.constant('0|a'), private_metadata: fc.string() }),
        ),
        actions: fc.oneof(anything, fc.array(fc.record({ action_id: fc.string(), selected_option: anything }))),
        state: anything,
        message: anything,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(anything, part), (payload) => {
        try {
          expect(readInteraction(payload)).toHaveProperty('kind')
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableInput)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('an act on its way through Slack', () => {
  it('comes back as it went, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.string({ unit: 'binary' }),
        fc.option(fc.string({ unit: 'binary' })),
        (index, act, value) => {
          const carried = { act, ...(value === null ? {} : { value }) }
          expect(unpackAct(packAct(index, carried))).toEqual(carried)
        },
      ),
    )
  })
})
