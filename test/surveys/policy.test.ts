import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Asked, decidePlan, decideSend, type Planned, type Solution } from '#hub/surveys/policy.ts'
import { surveyOf } from './survey.ts'

const hour = 3_600_000
const now = new Date('2026-11-22T10:00:00Z')
const ago = (ms: number) => new Date(now.getTime() - ms)
const person = { rootId: 'p1', emails: ['ana@example.com'], isOptedOut: false, bouncing: [] }
const solution: Solution = {
  caseId: 'case_1',
  at: now,
  connectionName: 'Desk A',
  channel: 'email',
  tags: ['billing'],
  isFollowUp: false,
  lastPublicMessageAt: ago(hour),
  person,
  isReachable: true,
  isByMail: false,
}
const bouncing = { ...person, bouncing: ['ana@example.com'] }

describe('whether a solution is asked about', () => {
  it('plans the question after the delay', () => {
    expect(decidePlan(surveyOf(), solution, now)).toEqual({
      state: 'planned',
      sendAt: new Date('2026-11-22T11:00:00Z'),
    })
  })

  it('counts the delay from the solution, not from when the hub heard of it', () => {
    const late = { ...solution, at: ago(2 * hour) }
    expect(decidePlan(surveyOf(), late, now)).toEqual({ state: 'planned', sendAt: now })
  })

  it('moves the question to the end of the quiet hours', () => {
    const quiet = surveyOf({ quiet_hours: { from: '10:30', to: '14:00', time_zone: 'UTC' } })
    expect(decidePlan(quiet, solution, now)).toEqual({ state: 'planned', sendAt: new Date('2026-11-22T14:00:00Z') })
  })

  it.each<[string, object, Partial<Solution>, string]>([
    ['no requester', {}, { person: undefined }, 'it has no requester'],
    ['opted out', {}, { person: { ...person, isOptedOut: true } }, 'the customer does not want surveys'],
    [
      'only addresses nobody reads',
      {},
      { person: { ...person, emails: ['no-reply@shop.example', 'MAILER-DAEMON@shop.example'] } },
      "nobody reads the requester's address (no-reply@shop.example, MAILER-DAEMON@shop.example)",
    ],
    ['not reachable', {}, { isReachable: false }, 'no tool that holds the case lets the hub write to the customer'],
    [
      'an address that mail does not reach',
      {},
      { isByMail: true, person: bouncing },
      'the customer is unreachable: mail to ana@example.com bounces',
    ],
    ['a tag', { when: { not_tags: ['spam', 'billing'] } }, {}, 'it has the tag "billing"'],
    [
      'another channel',
      { when: { channels: ['chat', 'slack'] } },
      {},
      'its channel is email; this survey asks on chat, slack',
    ],
    [
      'no known channel',
      { when: { channels: ['chat'] } },
      { channel: null },
      'its channel is not known; this survey asks on chat',
    ],
    [
      'another connection',
      { when: { connections: ['Desk B'] } },
      {},
      'it was solved in Desk A; this survey asks about cases of Desk B',
    ],
    [
      'no known connection',
      { when: { connections: ['Desk B'] } },
      { connectionName: null },
      'this survey asks about cases of Desk B',
    ],
    ['not in the sample', { sampling: 0 }, {}, 'it is not in the sample of 0 %'],
    [
      'old news of a first import',
      {},
      { at: ago(100 * hour), lastPublicMessageAt: null },
      'it was solved 4 days before the hub learned of it, and 72 hours is the limit',
    ],
    [
      'closed for silence',
      {},
      { lastPublicMessageAt: ago(30 * 24 * hour) },
      'nobody had written for 30 days when it was closed',
    ],
    [
      'opened by a rule',
      {},
      { isFollowUp: true },
      'a rule opened this case for another one; the customer is asked about that one',
    ],
  ])('says in plain words why not: %s', (_, definition, facts, reason) => {
    expect(decidePlan(surveyOf(definition), { ...solution, ...facts }, now)).toEqual({ state: 'skipped', reason })
  })

  it('asks people without any address, and those who have one that is read', () => {
    for (const emails of [[], ['noreply@a.example', 'ana@example.com'], ['norepinephrine@lab.example']]) {
      expect(decidePlan(surveyOf(), { ...solution, person: { ...person, emails } }, now).state).toBe('planned')
    }
  })

  it('asks by mail whom mail reaches at another address, and in other tools whom mail does not reach', () => {
    const other = { ...bouncing, emails: ['ana@example.com', 'ana@home.example'] }
    expect(decidePlan(surveyOf(), { ...solution, isByMail: true, person: other }, now).state).toBe('planned')
    expect(decidePlan(surveyOf(), { ...solution, person: bouncing }, now).state).toBe('planned')
  })

  it('draws the same sample each time, near the wanted share', () => {
    const half = surveyOf({ sampling: 0.25 })
    const draw = () =>
      Array.from(
        { length: 4000 },
        (_, n) => decidePlan(half, { ...solution, caseId: `case_${n}` }, now).state === 'planned',
      )
    const first = draw()
    expect(draw()).toEqual(first)
    expect(first.filter(Boolean).length / 4000).toBeCloseTo(0.25, 1)
  })
})

const planned: Planned = {
  now,
  sendAt: now,
  status: 'solved',
  solvedAt: ago(hour),
  person,
  isReachable: true,
  isByMail: false,
  asked: [],
}
const asked = (daysAgo: number, throttleDays = 30): Asked => ({
  at: ago(daysAgo * 24 * hour),
  throttleDays,
  caseSubject: 'Invoice wrong',
  connectionName: 'Desk B',
})

describe('whether a planned question is sent', () => {
  it('sends what still holds', () => {
    expect(decideSend(surveyOf(), planned)).toEqual({ state: 'sent' })
    expect(decideSend(surveyOf(), { ...planned, status: 'closed' })).toEqual({ state: 'sent' })
  })

  it.each<[string, Partial<Planned>, object]>([
    ['the case is open again', { status: 'open' }, { state: 'cancelled', reason: 'the case is open again' }],
    ['the case is gone', { status: undefined }, { state: 'cancelled', reason: 'the case no longer exists' }],
    ['the requester is gone', { person: undefined }, { state: 'skipped', reason: 'it has no requester' }],
    [
      'the customer opted out',
      { person: { ...person, isOptedOut: true } },
      { state: 'skipped', reason: 'the customer does not want surveys' },
    ],
    [
      'the tool cannot write any more',
      { isReachable: false },
      { state: 'skipped', reason: 'no tool that holds the case lets the hub write to the customer any more' },
    ],
    [
      'mail came back meanwhile',
      { isByMail: true, person: bouncing },
      { state: 'skipped', reason: 'the customer is unreachable: mail to ana@example.com bounces' },
    ],
    [
      'the job came early',
      { sendAt: new Date('2026-11-22T10:05:00Z') },
      { state: 'planned', sendAt: new Date('2026-11-22T10:05:00Z') },
    ],
    [
      'the hub was away for days',
      { solvedAt: ago(80 * hour) },
      { state: 'skipped', reason: 'it could not be sent within 72 hours of the solution' },
    ],
    [
      'the person was asked lately, in another tool',
      { asked: [asked(90), asked(10)] },
      {
        state: 'skipped',
        reason:
          'the customer was asked on 2026-11-12 10:00 UTC about the case “Invoice wrong” in Desk B; next possible on 2026-12-12 10:00 UTC',
      },
    ],
  ])('decides again: %s', (_, facts, decision) => {
    expect(decideSend(surveyOf(), { ...planned, ...facts })).toEqual(decision)
  })

  it('waits when the job comes in quiet hours', () => {
    const quiet = surveyOf({ quiet_hours: { from: '09:00', to: '12:00', time_zone: 'UTC' } })
    expect(decideSend(quiet, planned)).toEqual({ state: 'planned', sendAt: new Date('2026-11-22T12:00:00Z') })
  })

  it('sends nothing for a survey that is off or gone', () => {
    const off = { state: 'cancelled', reason: 'the survey was switched off' }
    expect(decideSend(undefined, planned)).toEqual(off)
    expect(decideSend(surveyOf({ enabled: false }), planned)).toEqual(off)
  })

  it.each([
    [30, 30, 29, 'skipped'],
    [30, 30, 30, 'sent'],
    [30, 90, 60, 'skipped'],
    [90, 30, 60, 'skipped'],
    [0, 0, 0, 'sent'],
  ])('takes the longer throttle of the two surveys: %i and %i days, %i days ago: %s', (own, other, ago, state) => {
    expect(decideSend(surveyOf({ throttle_days: own }), { ...planned, asked: [asked(ago, other)] }).state).toBe(state)
  })

  it('never sends two questions to one person within the longer throttle, in whatever order they fall due', () => {
    const due = fc.record({ at: fc.integer({ min: 0, max: 200 * 24 }), throttle: fc.integer({ min: 0, max: 60 }) })
    fc.assert(
      fc.property(fc.array(due, { maxLength: 40 }), (list) => {
        const sent: Asked[] = []
        for (const { at, throttle } of list.toSorted((a, b) => a.at - b.at)) {
          const time = new Date(now.getTime() + at * hour)
          const facts = { ...planned, now: time, sendAt: time, solvedAt: time, asked: sent }
          const decision = decideSend(surveyOf({ throttle_days: throttle }), facts)
          if (decision.state === 'sent') sent.push({ ...asked(0, throttle), at: time })
          else expect(decision).toMatchObject({ state: 'skipped', reason: expect.stringContaining('next possible on') })
        }
        for (const [index, one] of sent.entries()) {
          const next = sent[index + 1]
          if (!next) continue
          const gap = next.at.getTime() - one.at.getTime()
          expect(gap).toBeGreaterThanOrEqual(Math.max(one.throttleDays, next.throttleDays) * 24 * hour)
        }
      }),
    )
  })
})
