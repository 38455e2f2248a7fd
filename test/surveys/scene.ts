/** Three desks, one customer known to each of them, and the surveys room over a real database. */
import { beforeEach } from 'vitest'
import { z } from 'zod'
import { appendEvents, type DomainEvent } from '#hub/cases/index.ts'
import { resolvePeople } from '#hub/identity/index.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { json } from '#hub/platform/db/database.ts'
import { newId } from '#hub/platform/ids.ts'
import { createSecretBox } from '#hub/platform/secret-box.ts'
import { planSurveys, type SolvedCase, type SurveyHub, saveSurvey, sendDue } from '#hub/surveys/index.ts'
import { fakeClock, quietLog, type TestDatabase } from '#kit'
import { surveyOf } from './survey.ts'

interface Job {
  readonly invitationId: string
  readonly startAfter: Date | undefined
}

/** `mute` takes no messages; `board` keeps ratings of cases, `crm` those of people. */
const tools = [
  { id: 'c_a', name: 'Desk A', config: {}, connector: { can: { writeCase: {}, writeRating: {} } } },
  { id: 'c_b', name: 'Desk B', config: {}, connector: { can: { writeCase: {} } } },
  { id: 'c_mute', name: 'Mute', config: {}, connector: { can: {} } },
  { id: 'c_board', name: 'Board', config: {}, connector: { can: { writeRating: {} } } },
  { id: 'c_crm', name: 'CRM', config: {}, connector: { can: { writePersonRating: {} } } },
]

const SentMessage = z.object({ message: z.object({ text: z.string(), html: z.string() }) })

export function surveyScene(database: TestDatabase) {
  const clock = fakeClock('2026-11-22T10:00:00Z')
  const jobs: Job[] = []
  const published: DomainEvent[] = []
  const secrets = createSecretBox(['a passphrase that is long enough to be one'])
  let numberOfCases = 0
  let isPublishingBroken = false

  beforeEach(async () => {
    await database.reset()
    clock.set('2026-11-22T10:00:00Z')
    jobs.length = 0
    published.length = 0
    isPublishingBroken = false
    const rows = tools.map(({ id, name }) => ({
      id,
      name,
      connector: 'desk',
      config: '{}',
      sealed: Buffer.of(),
      status: 'connected' as const,
    }))
    await database.db.insertInto('connections').values(rows).execute()
    await saveSurvey(database.db, surveyOf())
  })

  const hub = (): SurveyHub => ({
    db: database.db,
    log: quietLog,
    now: clock.now,
    secrets,
    env: { baseUrl: 'https://hub.example' },
    connections: { all: () => tools },
    signals: { raise() {} },
    queue: {
      async sendMany(_db, _name, list) {
        for (const { data, startAfter } of list) {
          jobs.push({ invitationId: 'invitationId' in data ? String(data.invitationId) : '', startAfter })
        }
      },
    },
    inWorkspace: (work) => inWorkspace(database.db, work),
    async publish(trx, events) {
      if (isPublishingBroken) throw new Error('the rules cannot be read')
      await appendEvents(trx, events, clock.now())
      published.push(...events)
    },
  })

  /** The leaf profile of a person whom one desk told about. */
  async function person(
    connectionId: string,
    facts: Parameters<typeof resolvePeople>[1][number]['person'],
  ): Promise<string> {
    const claim = { connectionId, person: facts, at: clock.now().toISOString(), inboxSeq: 1 }
    const [resolved] = await inWorkspace(database.db, async (trx) => {
      const { people, saved } = await resolvePeople(trx, [claim], clock.now())
      await saved
      return people
    })
    if (!resolved) throw new Error('the person was not resolved')
    return resolved.profileId
  }

  const merge = (kept: string, merged: string) =>
    database.db.updateTable('profiles').set({ root_id: kept }).where('id', '=', merged).execute()

  interface CaseOptions {
    readonly in?: readonly string[]
    readonly subject?: string
    readonly parentId?: string
  }

  /** A case that has just been solved in the first of its tools. */
  async function solvedCase(profileId: string | null, options: CaseOptions = {}): Promise<SolvedCase> {
    const { in: connectionIds = ['c_a'], subject = 'Invoice wrong', parentId } = options
    numberOfCases += 1
    const id = newId('case')
    const now = clock.now()
    await database.db
      .insertInto('cases')
      .values({
        id,
        subject,
        status: 'solved',
        channel: 'email',
        tags: ['billing'],
        requester_id: profileId,
        parent_id: parentId ?? null,
        custom: '{}',
        provenance: '[]',
        created_at: now,
        updated_at: now,
        solved_at: now,
      })
      .execute()
    const links = connectionIds.map((connection_id, index) => ({
      connection_id,
      external_id: `T-${numberOfCases}`,
      case_id: id,
      base: '{}',
      created_at: new Date(now.getTime() + index),
      updated_at: now,
    }))
    if (links.length > 0) await database.db.insertInto('case_links').values(links).execute()
    return {
      eventId: `evt_${id}_${now.getTime()}`,
      caseId: id,
      profileId,
      connectionId: connectionIds[0] ?? null,
      at: now,
      status: 'solved',
      tags: ['billing'],
      channel: 'email',
    }
  }

  async function message(
    caseId: string,
    connectionId: string,
    kind: 'customer' | 'agent',
    sentAt: Date,
  ): Promise<void> {
    const row = { id: newId('msg'), case_id: caseId, connection_id: connectionId, visibility: 'public' as const }
    await database.db
      .insertInto('messages')
      .values({ ...row, author: json({ kind }), text: 'Hello', attachments: '[]', sent_at: sentAt, content_hash: '' })
      .execute()
  }

  const plan = (...solved: readonly SolvedCase[]) =>
    inWorkspace(database.db, (trx) => planSurveys(trx, hub(), solved, clock.now()))

  /** What the queue does when the time has come. */
  const runJobs = (...list: readonly Job[]) =>
    sendDue(
      hub(),
      (list.length > 0 ? list : jobs.splice(0)).map((job) => job.invitationId),
      clock.now(),
    )

  const invitations = () => database.db.selectFrom('invitations').selectAll().orderBy('id').execute()
  const outbox = () => database.db.selectFrom('outbox').selectAll().orderBy('seq').execute()
  /** The question as it went to the desk. */
  const sentMessage = async () => SentMessage.parse((await outbox())[0]?.action).message
  const responses = () => database.db.selectFrom('responses').selectAll().execute()

  /** Solves a case, waits and sends its question. @returns the page's path. */
  async function askedLink(
    options: CaseOptions & { locale?: string } = {},
  ): Promise<{ path: string; invitationId: string; caseId: string }> {
    const ana = await person('c_a', {
      id: 'U-1',
      emails: ['ana@example.com'],
      ...(options.locale ? { locale: options.locale } : {}),
    })
    const solved = await solvedCase(ana, options)
    await plan(solved)
    clock.advance(3_600_000)
    await runJobs()
    const [entry] = await outbox()
    const path = /https:\/\/hub\.example(\/s\/[\w-]+)/.exec(JSON.stringify(entry?.action))?.[1]
    const [invitation] = await invitations()
    if (!path || !invitation) throw new Error('nothing was sent')
    return { path, invitationId: invitation.id, caseId: solved.caseId }
  }

  return {
    clock,
    hub,
    jobs,
    published,
    secrets,
    person,
    merge,
    solvedCase,
    message,
    plan,
    runJobs,
    invitations,
    outbox,
    sentMessage,
    breakPublishing(isBroken: boolean) {
      isPublishingBroken = isBroken
    },
    responses,
    askedLink,
  }
}
