import { beforeEach, describe, expect, it } from 'vitest'
import { linkAccount } from '#hub/agents/index.ts'
import { appendEvents, type DomainEvent } from '#hub/cases/index.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { type SnoozeHub, snooze, snoozeOf, unsnooze, wakeDue } from '#hub/snoozes/index.ts'
import { fakeClock, testDatabase } from '#kit'
import { hire, openCase } from '../agents/people.ts'

const database = testDatabase()
const clock = fakeClock()
const published: DomainEvent[] = []
const until = new Date('2026-11-22T12:00:00Z')

beforeEach(async () => {
  await database.reset()
  published.length = 0
  clock.set('2026-11-22T10:00:00Z')
})

const hub = (): SnoozeHub => ({
  signals: { raise: () => {} },
  now: clock.now,
  connections: {
    all: () => [
      { id: 'con_desk', config: {}, connector: { can: {} } },
      { id: 'con_chat', config: {}, connector: { can: { chat: { settings: () => ({ language: 'es' }) } } } },
    ],
  },
  inWorkspace: (work) => inWorkspace(database.db, work),
  async publish(trx, events) {
    published.push(...events)
    await appendEvents(trx, events, clock.now())
  },
})
const put = (more: { until?: Date; caseId?: string } = {}) =>
  inWorkspace(database.db, (trx) => snooze(trx, { caseId: 'case_1', until, by: 'Leo', ...more }, clock.now()))
const wake = () => wakeDue(hub(), clock.now())
const outbox = () => database.db.selectFrom('outbox').selectAll().orderBy('seq').execute()

describe('a case that is put aside', () => {
  it('says so once, until when and by whom; a later time replaces it', async () => {
    await openCase(database.db, { id: 'case_1' })
    const actor = { kind: 'person', name: 'Leo' }
    const data = { until: '2026-11-22T12:00:00.000Z' }
    expect(await put()).toMatchObject([{ type: 'case.snoozed', caseId: 'case_1', actor, data }])
    expect(await put()).toEqual([])
    const later = new Date('2026-11-23T12:00:00Z')
    expect(await put({ until: later })).toMatchObject([{ type: 'case.snoozed' }])
    expect(await snoozeOf(database.db, 'case_1')).toEqual({ caseId: 'case_1', until: later, by: 'Leo' })
    expect(await put({ caseId: 'case_0' })).toBeUndefined()
  })

  it('comes back when its time is over, and not before', async () => {
    await openCase(database.db, { id: 'case_1' })
    await put()
    clock.set('2026-11-22T11:59:59Z')
    expect(await wake()).toBe(0)
    clock.set(until)
    expect(await wake()).toBe(1)
    expect(published).toMatchObject([{ type: 'case.unsnoozed', caseId: 'case_1' }])
    expect(await snoozeOf(database.db, 'case_1')).toBeUndefined()
    expect(await wake()).toBe(0)
  })

  it('comes back once, however many hubs look', async () => {
    await openCase(database.db, { id: 'case_1' })
    await put()
    clock.set(until)
    const woken = await Promise.all([wake(), wake(), wake()])
    expect(woken.reduce((sum, count) => sum + count)).toBe(1)
    expect(published).toHaveLength(1)
  })

  it('comes back when somebody takes it back, without a word later', async () => {
    await openCase(database.db, { id: 'case_1' })
    await put()
    const taken = await inWorkspace(database.db, (trx) => unsnooze(trx, 'case_1', 'Mia', clock.now()))
    expect(taken).toMatchObject([{ type: 'case.unsnoozed', actor: { kind: 'person', name: 'Mia' } }])
    expect(await inWorkspace(database.db, (trx) => unsnooze(trx, 'case_1', 'Mia', clock.now()))).toEqual([])
    clock.set(until)
    expect(await wake()).toBe(0)
  })
})

describe('whoever has the case', () => {
  const quiet_hours = { time_zone: 'Europe/Madrid', from: '12:30', to: '15:00' }
  async function assigned(leo: object, priority: 'normal' | 'urgent' = 'normal') {
    const agent = await hire(database.db, { email: 'leo@desk.example', ...leo })
    const account = { connectionId: 'con_chat', externalId: 'U1', agentId: agent.id, proof: 'email' } as const
    await linkAccount(database.db, account, clock.now())
    await openCase(database.db, { id: 'case_1', assignee: 'Leo@desk.example', priority })
    await put()
    clock.set(until)
    await wake()
    return await outbox()
  }

  it('is told in the chat tool, in the language of the connection', async () => {
    expect(await assigned({})).toMatchObject([
      {
        lane: 'con_chat',
        case_id: 'case_1',
        action: {
          type: 'chat.show',
          show: {
            what: 'notice',
            to: { agent: 'leo@desk.example' },
            title: 'De vuelta: Invoice wrong',
            caseId: 'case_1',
          },
        },
      },
    ])
  })

  it('is told in their own language, after their quiet hours', async () => {
    const [notice] = await assigned({ language: 'en', quiet_hours })
    expect(notice).toMatchObject({ action: { show: { title: 'Back again: Invoice wrong' } } })
    expect(notice?.due_at).toEqual(new Date('2026-11-22T14:00:00Z'))
  })

  it('is told at once when it is urgent', async () => {
    const [notice] = await assigned({ quiet_hours }, 'urgent')
    expect(notice?.due_at).not.toEqual(new Date('2026-11-22T14:00:00Z'))
  })

  it('is not told any more after they left', async () => {
    expect(await assigned({ active: false })).toEqual([])
  })
})
