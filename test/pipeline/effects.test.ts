import { describe, expect, it } from 'vitest'
import { createCaseBook, type DomainEvent } from '#hub/cases/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
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

describe('tags of a tool that keeps them in a form of its own', () => {
  const now = event.occurredAt
  const normaliseTag = (tag: string) => tag.toLowerCase()
  const writeCase = { fields: ['tags'], normaliseTag }
  const desk = { id: 'con_1', name: 'Desk', connector: { can: { writeCase } } } as unknown as LoadedConnection
  const told = (tags: readonly string[]) => ({ id: 'T-1', subject: 'Invoice', tags })
  const news = { connectionId: 'con_1', at: now.toISOString(), cause: { depth: 0 } }
  const scene = (tags: readonly string[]) => {
    const cases = book()
    const caseId = cases.observe(told(tags), undefined, news).events[0]?.caseId ?? ''
    const effects = createEffects({ book: cases, profiles: new Map(), connections: [desk], now })
    const tag = (add: readonly string[], remove: readonly string[] = []) =>
      effects.applyTo(caseId, [{ type: 'tag', add, remove }], { kind: 'system' }, event.cause, event.actor)
    const written = () => {
      effects.flushWrites()
      return effects.entries().map(({ action }) => (action.type === 'case.update' ? action.change : action))
    }
    return { cases, effects, caseId, tag, written }
  }

  it('are written and held in that form: what comes back is no news, and adding them again changes nothing', () => {
    const { cases, caseId, tag, written } = scene(['old'])
    expect(tag(['VIP'])).toHaveLength(1)
    expect(written()).toEqual([{ addTags: ['vip'], removeTags: [] }])
    expect(cases.observe(told(['old', 'vip']), undefined, news).events).toEqual([])
    expect(tag(['VIP'])).toEqual([])
    expect(cases.get(caseId)?.fields['tags']).toEqual(['old', 'vip'])
  })

  it('are taken off by whichever spelling', () => {
    const { cases, caseId, tag, written } = scene(['old', 'vip'])
    tag([], ['VIP'])
    expect(cases.get(caseId)?.fields['tags']).toEqual(['old'])
    expect(written()).toEqual([{ addTags: [], removeTags: ['vip'] }])
  })

  it('go in that form into a case that is opened there', () => {
    const { cases, effects } = scene([])
    const wanted = { subject: 'Ask', text: 'Why?', tags: ['VIP', 'vip'] }
    const opened = effects.openCase('con_1', wanted, event.cause, event.actor) ?? ''
    expect(cases.get(opened)?.fields['tags']).toEqual(['vip'])
    expect(effects.entries()[0]?.action).toMatchObject({ type: 'case.create', draft: { tags: ['vip'] } })
  })
})
