import { describe, expect, it } from 'vitest'
import { createCaseBook, type DomainEvent } from '#hub/cases/index.ts'
import { createEffects } from '#hub/pipeline/effects.ts'

const event: DomainEvent = {
  id: 'evt_1',
  type: 'case.created',
  actor: { kind: 'connection', connectionId: 'con_1', record: 'T-1' },
  data: {},
  cause: { depth: 0 },
  occurredAt: new Date('2026-11-22T10:00:00Z'),
}
const book = () => createCaseBook({ cases: [], links: [], messages: [], reports: [] }, (kind) => `${kind}_1`)

describe('webhooks of a rule', () => {
  it('may tell one address two things: each is an effect of its own', () => {
    const effects = createEffects({ book: book(), profiles: new Map(), connections: [], now: event.occurredAt })
    const post = (body: unknown) => ({ type: 'webhook' as const, url: 'https://example.org/in', body })
    const outcome = {
      ruleId: 'tell',
      version: 1,
      result: 'matched' as const,
      actions: [post({ a: 1 }), post({ a: 2 })],
    }
    effects.apply(event, outcome, { ...event.cause, eventId: event.id, ruleId: 'tell' })
    const keys = effects.entries().map((entry) => entry.key)
    expect(new Set(keys).size).toBe(2)
  })
})
