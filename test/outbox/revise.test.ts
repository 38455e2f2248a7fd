import { describe, expect, it } from 'vitest'
import type { Capabilities } from '#hub/connector/contract.ts'
import type { Visibility } from '#hub/connector/facts.ts'
import { type Revision, reviseOrCorrect } from '#hub/outbox/index.ts'

type WriteCase = NonNullable<Capabilities<unknown>['writeCase']>

const author = { kind: 'agent', name: 'Leo', email: 'leo@acme.example' } as const
const edited: Revision = {
  externalId: '4242',
  messageExternalId: '77',
  visibility: 'internal',
  text: 'The plan is Pro.',
  earlierText: 'The plan is Basic.',
  author,
}

function toolThatRevises(...takes: readonly Visibility[]): WriteCase {
  const nothing = async () => ({})
  return {
    fields: [],
    create: nothing,
    update: nothing,
    message: nothing,
    effects: { create: 'keyed', update: 'keyed', message: 'keyed', revise: 'keyed' },
    ...(takes.length > 0 ? { revise: { takes, run: nothing } } : {}),
  }
}

describe('an edited message', () => {
  it('is changed in its place where the tool can do that', () => {
    expect(reviseOrCorrect(toolThatRevises('internal'), edited)).toEqual({
      type: 'case.revise',
      externalId: '4242',
      messageId: '77',
      text: 'The plan is Pro.',
    })
  })

  it.each([
    ['the tool cannot change messages', toolThatRevises(), edited],
    ['the tool changes only messages of the other kind', toolThatRevises('public'), edited],
    [
      'the tool’s own id of it is not known yet',
      toolThatRevises('internal'),
      { ...edited, messageExternalId: undefined },
    ],
    ['there is nothing known of the tool', undefined, edited],
  ])('is corrected by one more message for the same readers when %s', (_, writeCase, revision) => {
    expect(reviseOrCorrect(writeCase, revision)).toEqual({
      type: 'case.message',
      externalId: '4242',
      message: { visibility: 'internal', text: 'Correction: The plan is Pro.' },
      author,
    })
  })
})

describe('a deleted message', () => {
  const deleted: Revision = { ...edited, text: undefined }

  it('is taken back where the tool can do that', () => {
    expect(reviseOrCorrect(toolThatRevises('internal'), deleted)).toEqual({
      type: 'case.revise',
      externalId: '4242',
      messageId: '77',
    })
  })

  it('is called withdrawn otherwise, with enough of it to know which one', () => {
    const long = { ...deleted, visibility: 'public' as const, earlierText: `Dear  Ana,\n${'🎈'.repeat(200)}` }
    const action = reviseOrCorrect(toolThatRevises('internal'), long)
    expect(action).toMatchObject({ type: 'case.message', message: { visibility: 'public' } })
    const text = action.type === 'case.message' ? action.message.text : ''
    expect(text).toBe(`Withdrawn: “Dear Ana, ${'🎈'.repeat(129)}…”`)
  })
})
