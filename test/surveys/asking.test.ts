import fc from 'fast-check'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { createQueue } from '#hub/platform/queue.ts'
import { cancelSurveys, planSurveys, saveSurvey, sendDue, surveyDecisions } from '#hub/surveys/index.ts'
import { optOut } from '#hub/surveys/store.ts'
import { readToken } from '#hub/surveys/token.ts'
import { quietLog, testDatabase } from '#kit'
import { surveyScene } from './scene.ts'
import { surveyOf } from './survey.ts'

const hour = 3_600_000
const database = testDatabase()
const scene = surveyScene(database)
const ana = (connectionId = 'c_a') => scene.person(connectionId, { id: 'U-1', emails: ['ana@example.com'] })
const reasons = async () => (await scene.invitations()).map(({ state, reason }) => ({ state, reason }))

describe('planning', () => {
  it('plans one question for a solution, however often it is told', async () => {
    const solved = await scene.solvedCase(await ana())
    expect(await scene.plan(solved)).toBe(1)
    expect(await scene.plan(solved)).toBe(0)
    expect(await scene.plan(solved, solved)).toBe(0)
    const [invitation, ...others] = await scene.invitations()
    expect(others).toEqual([])
    expect(invitation).toMatchObject({ state: 'planned', send_at: new Date('2026-11-22T11:00:00Z') })
    expect(scene.jobs).toEqual([{ invitationId: invitation?.id, startAfter: new Date('2026-11-22T11:00:00Z') }])
  })

  it('keeps the reason when it will not ask', async () => {
    const person = await scene.person('c_a', { id: 'U-1', emails: ['noreply@shop.example'] })
    const parent = await scene.solvedCase(await scene.person('c_a', { id: 'U-2', emails: ['leo@example.com'] }))
    await scene.plan(
      await scene.solvedCase(null),
      await scene.solvedCase(person),
      await scene.solvedCase(parent.profileId, { in: ['c_mute'] }),
      await scene.solvedCase(parent.profileId, { parentId: parent.caseId }),
    )
    expect(await reasons()).toEqual([
      { state: 'skipped', reason: 'it has no requester' },
      { state: 'skipped', reason: "nobody reads the requester's address (noreply@shop.example)" },
      { state: 'skipped', reason: 'no tool that holds the case lets the hub write to the customer' },
      { state: 'skipped', reason: 'a rule opened this case for another one; the customer is asked about that one' },
    ])
    expect(scene.jobs).toEqual([])
  })

  it('leaves people alone who do not want surveys, by trait or by the page, whichever of their profiles said so', async () => {
    const byTrait = await scene.person('c_a', {
      id: 'U-1',
      emails: ['a@example.com'],
      traits: { survey_opt_out: true },
    })
    const byPage = await scene.person('c_a', { id: 'U-2', emails: ['b@example.com'] })
    const other = await scene.person('c_b', { id: 'U-3', emails: ['b@other.example'] })
    await scene.merge(byPage, other)
    await optOut(database.db, other, scene.clock.now())
    await scene.plan(await scene.solvedCase(byTrait), await scene.solvedCase(byPage))
    expect(await reasons()).toEqual([
      { state: 'skipped', reason: 'the customer does not want surveys' },
      { state: 'skipped', reason: 'the customer does not want surveys' },
    ])
  })

  it('does not ask about cases that were closed for silence', async () => {
    const solved = await scene.solvedCase(await ana())
    await scene.message(solved.caseId, 'c_a', 'agent', new Date('2026-10-22T10:00:00Z'))
    await scene.plan(solved)
    expect(await reasons()).toEqual([{ state: 'skipped', reason: 'nobody had written for 31 days when it was closed' }])
  })

  it('asks once about a case that was reopened and solved again before the question left', async () => {
    const first = await scene.solvedCase(await ana())
    await scene.plan(first)
    scene.clock.advance(hour / 2)
    await scene.plan({ ...first, eventId: 'evt_second', at: scene.clock.now() })
    expect(await reasons()).toEqual([
      { state: 'cancelled', reason: 'the case was solved again later' },
      { state: 'planned', reason: null },
    ])
  })

  it('notes nothing while no survey is on', async () => {
    await saveSurvey(database.db, surveyOf({ enabled: false }))
    expect(await scene.plan(await scene.solvedCase(await ana()))).toBe(0)
    expect(await scene.invitations()).toEqual([])
  })

  it('sends its jobs in the transaction that plans', async () => {
    const queue = createQueue({ url: database.url, workspaceId: 'test', role: 'deskweave_hub' }, quietLog)
    await queue.define('survey.send', z.object({ invitationId: z.string() }), async () => {})
    await queue.start({ work: false })
    const hub = { ...scene.hub(), queue }
    const jobs = async () => {
      const { rows } = await sql<{ data: unknown; start_after: Date }>`
        select data, start_after from pgboss.job where name = 'test.survey.send'`.execute(database.db)
      return rows
    }
    try {
      const solved = await scene.solvedCase(await ana())
      const failing = inWorkspace(database.db, async (trx) => {
        await planSurveys(trx, hub, [solved], scene.clock.now())
        throw new Error('the batch fails')
      })
      await expect(failing).rejects.toThrow('the batch fails')
      expect(await jobs()).toEqual([])
      await inWorkspace(database.db, (trx) => planSurveys(trx, hub, [solved], scene.clock.now()))
      const [invitation] = await scene.invitations()
      expect(await jobs()).toEqual([{ data: { invitationId: invitation?.id }, start_after: invitation?.send_at }])
    } finally {
      await queue.stop()
    }
  })
})

describe('sending', () => {
  it('writes one public reply with a link for each score, in the customer’s language', async () => {
    const person = await scene.person('c_a', { id: 'U-1', emails: ['ana@example.com'], locale: 'es-MX' })
    const solved = await scene.solvedCase(person)
    await scene.plan(solved)
    scene.clock.advance(hour)
    expect(await scene.runJobs(...scene.jobs)).toBe(1)
    expect(await scene.runJobs(...scene.jobs)).toBe(0)

    const [entry, ...others] = await scene.outbox()
    expect(others).toEqual([])
    expect(entry).toMatchObject({
      lane: 'c_a',
      order_key: solved.caseId,
      connection_id: 'c_a',
      case_id: solved.caseId,
      action: { type: 'case.message', message: { visibility: 'public' } },
    })
    const message = await scene.sentMessage()
    expect(message.text).toContain('¿Qué grado de satisfacción tiene con la ayuda recibida?')
    const links = [...message.html.matchAll(/href="https:\/\/hub\.example\/s\/([\w-]+)\?score=(\d)"/g)]
    expect(links.map((link) => link[2])).toEqual(['1', '2', '3', '4', '5'])
    const [invitation] = await scene.invitations()
    expect(invitation).toMatchObject({
      state: 'sent',
      sent_at: new Date('2026-11-22T11:00:00Z'),
      expires_at: new Date('2026-12-06T11:00:00Z'),
      connection_id: 'c_a',
      locale: 'es',
    })
    expect(links.map((link) => readToken(scene.secrets, link[1] ?? ''))).toEqual(
      links.map(() => ({ invitationId: invitation?.id, expiresAt: invitation?.expires_at })),
    )
  })

  it('sends nothing for a case that was reopened', async () => {
    const solved = await scene.solvedCase(await ana())
    await scene.plan(solved)
    await inWorkspace(database.db, (trx) => cancelSurveys(trx, [solved.caseId], 'the case was reopened'))
    scene.clock.advance(hour)
    expect(await scene.runJobs()).toBe(0)
    expect(await reasons()).toEqual([{ state: 'cancelled', reason: 'the case was reopened' }])
    expect(await scene.outbox()).toEqual([])
  })

  it('looks at the case once more before it sends', async () => {
    const solved = await scene.solvedCase(await ana())
    await scene.plan(solved)
    await database.db.updateTable('cases').set({ status: 'open' }).where('id', '=', solved.caseId).execute()
    scene.clock.advance(hour)
    expect(await scene.runJobs()).toBe(0)
    expect(await reasons()).toEqual([{ state: 'cancelled', reason: 'the case is open again' }])
  })

  it('writes where the customer wrote last, and never through a tool that takes no messages', async () => {
    const solved = await scene.solvedCase(await ana(), { in: ['c_mute', 'c_a', 'c_b'] })
    await scene.message(solved.caseId, 'c_a', 'customer', new Date('2026-11-22T08:00:00Z'))
    await scene.message(solved.caseId, 'c_b', 'customer', new Date('2026-11-22T09:00:00Z'))
    await scene.message(solved.caseId, 'c_a', 'agent', new Date('2026-11-22T09:30:00Z'))
    await scene.plan(solved)
    scene.clock.advance(hour)
    await scene.runJobs()
    expect((await scene.outbox()).map((entry) => entry.lane)).toEqual(['c_b'])
  })

  it('waits for the end of the quiet hours when the job comes late', async () => {
    const quiet_hours = { from: '11:30', to: '14:00', time_zone: 'UTC' }
    await saveSurvey(database.db, surveyOf({ quiet_hours }))
    await scene.plan(await scene.solvedCase(await ana()))
    scene.clock.set('2026-11-22T12:00:00Z')
    expect(await scene.runJobs()).toBe(0)
    expect(scene.jobs.map((job) => job.startAfter)).toEqual([new Date('2026-11-22T14:00:00Z')])
    scene.clock.set('2026-11-22T14:00:00Z')
    expect(await scene.runJobs()).toBe(1)
  })

  it('asks a merged person once when two questions fall due at the same instant in two processes', async () => {
    const here = await ana('c_a')
    const there = await scene.person('c_b', { id: 'U-9', emails: ['ana@work.example'] })
    await scene.plan(await scene.solvedCase(here, { in: ['c_a'] }), await scene.solvedCase(there, { in: ['c_b'] }))
    await scene.merge(here, there)
    scene.clock.advance(hour)
    const sent = await Promise.all(scene.jobs.map((job) => sendDue(scene.hub(), [job.invitationId], scene.clock.now())))
    expect(sent.toSorted()).toEqual([0, 1])
    expect((await reasons()).map(({ state }) => state).toSorted()).toEqual(['sent', 'skipped'])
    expect(await scene.outbox()).toHaveLength(1)
  })

  it('has one throttle over all surveys', async () => {
    await saveSurvey(database.db, surveyOf({ id: 'nps', kind: 'nps' }))
    await scene.plan(await scene.solvedCase(await ana()))
    scene.clock.advance(hour)
    expect(await scene.runJobs()).toBe(1)
    expect((await reasons()).map(({ state }) => state)).toEqual(['sent', 'skipped'])
  })

  it('asks once, and says why not for each other case, when five cases in three tools are solved within a day in any order', async () => {
    const solves = fc.array(
      fc.record({ tool: fc.constantFrom('c_a', 'c_b', 'c_board'), minutes: fc.integer({ min: 0, max: 24 * 60 }) }),
      { minLength: 2, maxLength: 5 },
    )
    const tellsLate = fc.integer({ min: 0, max: 1 }).map(Boolean)
    await fc.assert(
      fc.asyncProperty(solves, tellsLate, async (list, isBatch) => {
        await database.db.deleteFrom('invitations').execute()
        await database.db.deleteFrom('outbox').execute()
        scene.jobs.length = 0
        scene.clock.set('2026-11-22T00:00:00Z')
        const start = scene.clock.now().getTime()
        const leaves = new Map<string, string>()
        for (const tool of ['c_a', 'c_b', 'c_board']) {
          leaves.set(tool, await scene.person(tool, { id: 'U-1', emails: [`ana@${tool.replace('_', '-')}.example`] }))
        }
        const [root = '', ...others] = leaves.values()
        for (const leaf of others) await scene.merge(root, leaf)

        for (const { tool, minutes } of list.toSorted((a, b) => a.minutes - b.minutes)) {
          scene.clock.set(new Date(start + minutes * 60_000))
          // The board takes no messages: its cases are mirrored in a desk that does.
          const inTools = tool === 'c_board' ? ['c_board', 'c_b'] : [tool]
          await scene.plan(await scene.solvedCase(leaves.get(tool) ?? '', { in: inTools, subject: `In ${tool}` }))
          if (!isBatch) await scene.runJobs(...scene.jobs)
        }
        scene.clock.set(new Date(start + 27 * hour))
        await scene.runJobs(...scene.jobs)

        const decided = await scene.invitations()
        expect(decided.filter(({ state }) => state === 'sent')).toHaveLength(1)
        expect(await scene.outbox()).toHaveLength(1)
        const others1 = decided.filter(({ state }) => state !== 'sent')
        expect(others1).toHaveLength(list.length - 1)
        for (const { case_id, state, reason } of others1) {
          expect(state).toBe('skipped')
          expect(reason).toMatch(
            /^the customer was asked on .+ about the case “In c_\w+” in Desk [AB]; next possible on /,
          )
          expect((await surveyDecisions(database.db, case_id)).summary).toBe(`Not asked: ${reason}.`)
        }
      }),
      { numRuns: 12 },
    )
  })
})
