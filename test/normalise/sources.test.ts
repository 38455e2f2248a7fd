import { describe, expect, it } from 'vitest'
import type { Observation } from '#hub/connector/facts.ts'
import { withSource } from '#hub/normalise/sources.ts'

const told = { occurredAt: '2026-11-22T10:00:00.000Z', byHub: false }
const file = { id: 'F1', name: 'a.txt' }
const sourced = { ...file, source: 'con_1' }

describe('a file that a tool tells of', () => {
  it('keeps in mind who told of it, also when it says otherwise', () => {
    const message = { id: 'M1', visibility: 'public', author: { kind: 'customer' }, text: '', sentAt: '' } as const
    const forged = { ...file, source: 'con_secret' }
    const one: Observation = { ...told, type: 'message', caseId: '1', message: { ...message, attachments: [forged] } }
    expect(withSource(one, 'con_1')).toEqual({ ...one, message: { ...message, attachments: [sourced] } })
    const bare: Observation = { ...told, type: 'message', caseId: '1', message }
    expect(withSource(bare, 'con_1')).toBe(bare)
  })

  it('does so in a chat tool, too', () => {
    const message = { id: 'M1', text: 'Look', files: [file] }
    for (const what of [
      { kind: 'message', message } as const,
      { kind: 'shortcut', name: 'create_case', message: { ...message, authorId: 'U1' } } as const,
    ]) {
      const one: Observation = { ...told, type: 'chat', happening: { user: 'U1', what } }
      expect(withSource(one, 'con_1')).toMatchObject({
        happening: { what: { message: { id: 'M1', files: [sourced] } } },
      })
    }
    const press: Observation = { ...told, type: 'chat', happening: { user: 'U1', what: { kind: 'home' } } }
    expect(withSource(press, 'con_1')).toEqual(press)
  })
})
