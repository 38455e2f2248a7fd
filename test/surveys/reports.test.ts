import { describe, expect, it } from 'vitest'
import { appendEvents, type DomainEvent } from '#hub/cases/index.ts'
import { recordAnswer } from '#hub/surveys/answering.ts'
import { invitationsPage, responsesPage, saveSurvey, surveyDecisions, surveyResults } from '#hub/surveys/index.ts'
import { expire } from '#hub/surveys/store.ts'
import { testDatabase } from '#kit'
import { surveyScene } from './scene.ts'
import { surveyOf } from './survey.ts'

const database = testDatabase()
const scene = surveyScene(database)
const lineOf = async (caseId: string) => (await surveyDecisions(database.db, caseId)).summary

/** Asks as many people about a case each. @returns the invitations, oldest first. */
async function askPeople(count: number): Promise<readonly string[]> {
  for (let n = 0; n < count; n += 1) {
    const profile = await scene.person('c_a', { id: `U-${n}`, emails: [`person${n}@example.com`] })
    await scene.plan(await scene.solvedCase(profile))
  }
  scene.clock.advance(3_600_000)
  await scene.runJobs()
  return (await scene.invitations()).map(({ id }) => id)
}

describe('why sent, why not', () => {
  it('tells a case’s story in one sentence at each step', async () => {
    const ana = await scene.person('c_a', { id: 'U-1', emails: ['ana@example.com'] })
    const { caseId, ...solved } = await scene.solvedCase(ana)
    await scene.plan({ caseId, ...solved })
    expect(await lineOf(caseId)).toBe('To be asked on 2026-11-22 11:00 UTC.')
    scene.clock.advance(3_600_000)
    await scene.runJobs()
    expect(await lineOf(caseId)).toBe(
      'Asked on 2026-11-22 11:00 UTC in Desk A; the answer is open until 2026-12-06 11:00 UTC.',
    )
    const [invitation] = await scene.invitations()
    scene.clock.advance(60_000)
    await recordAnswer(scene.hub(), invitation?.id ?? '', surveyOf(), { score: 4, comment: null }, scene.clock.now())
    expect(await lineOf(caseId)).toBe(
      'Asked on 2026-11-22 11:00 UTC in Desk A; answered with 4 of 5 on 2026-11-22 11:01 UTC.',
    )
  })

  it('says that the message did not arrive', async () => {
    const ana = await scene.person('c_a', { id: 'U-1', emails: ['ana@example.com'] })
    const { caseId, ...solved } = await scene.solvedCase(ana)
    await scene.plan({ caseId, ...solved })
    scene.clock.advance(3_600_000)
    await scene.runJobs()
    const message = await database.db.selectFrom('messages').select('id').executeTakeFirstOrThrow()
    const bounced: DomainEvent = {
      id: 'evt_bounce',
      type: 'message.bounced',
      caseId,
      actor: { kind: 'connection', connectionId: 'c_a', record: 'T-1' },
      data: { address: 'ana@example.com', permanent: true, reason: '550 5.1.1 user unknown', messageId: message.id },
      cause: { depth: 0 },
      occurredAt: scene.clock.now(),
    }
    await appendEvents(database.db, [bounced], scene.clock.now())
    expect(await lineOf(caseId)).toBe(
      'Asked on 2026-11-22 11:00 UTC in Desk A; the message did not arrive: 550 5.1.1 user unknown.',
    )
  })

  it('has an answer for cases without any decision too', async () => {
    const { caseId } = await scene.solvedCase(null)
    expect(await lineOf('case_none')).toBe('Not asked: there is no such case.')
    expect(await lineOf(caseId)).toBe('Not asked: no survey was on when the case was solved.')
    await saveSurvey(database.db, surveyOf({ enabled: false }))
    expect(await lineOf(caseId)).toMatch(/^Not asked: no survey is on/)
    await database.db.updateTable('cases').set({ solved_at: null }).where('id', '=', caseId).execute()
    expect(await lineOf(caseId)).toBe('Not asked: the case has not been solved yet.')
  })

  it('closes links that ran out', async () => {
    await askPeople(2)
    scene.clock.advance(14 * 24 * 3_600_000 - 1000)
    expect(await expire(database.db, scene.clock.now())).toBe(0)
    scene.clock.advance(1000)
    expect(await expire(database.db, scene.clock.now())).toBe(2)
    const [invitation] = await scene.invitations()
    expect(await lineOf(invitation?.case_id ?? '')).toBe(
      'Asked on 2026-11-22 11:00 UTC in Desk A; no answer came until 2026-12-06 11:00 UTC.',
    )
  })
})

describe('lists and results', () => {
  it('come page by page, newest first, with nothing left out', async () => {
    const ids = await askPeople(5)
    const seen: string[] = []
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = await invitationsPage(database.db, { surveyId: 'csat', limit: 2, ...(cursor ? { cursor } : {}) })
      seen.push(...page.data.map(({ id }) => id))
      cursor = page.next
    }
    expect(seen).toEqual(ids.toReversed())
    expect((await invitationsPage(database.db, { state: 'skipped', limit: 2 })).data).toEqual([])
  })

  it('count who was asked, who answered and what they said, with the interval', async () => {
    const ids = await askPeople(4)
    for (const [index, score] of [5, 5, 2].entries()) {
      await recordAnswer(scene.hub(), ids[index] ?? '', surveyOf(), { score, comment: null }, scene.clock.now())
    }
    expect(await surveyResults(database.db, 'csat')).toMatchObject({
      kind: 'csat',
      asked: 4,
      response_rate: { count: 3, of: 4, value: 0.75, low: expect.closeTo(0.3006, 3), high: expect.closeTo(0.9544, 3) },
      n: 3,
      mean: 4,
      top_box: { count: 2, of: 3 },
      low: { count: 1, of: 3 },
    })
    expect((await responsesPage(database.db, { limit: 10 })).data.map(({ score }) => score)).toEqual([2, 5, 5])
    expect(await surveyResults(database.db, 'none')).toBeUndefined()
  })
})
