/** What people ask about surveys: why sent and why not, who was asked, what they said. Names are as on the wire. */
import { sql } from 'kysely'
import type { SurveyScale } from '#hub/connector/facts.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { type Decision, decisionLine } from './decision-lines.ts'
import type { SurveyKind } from './scale.ts'
import { type Scores, type Share, shareOf, summarise } from './statistics.ts'
import { loadSurveys } from './store.ts'

export interface InvitationLine {
  readonly id: string
  readonly survey_id: string
  readonly survey_name: string | null
  readonly case_id: string
  readonly profile_id: string | null
  readonly connection_id: string | null
  readonly state: Decision['state']
  /** Why sent or why not, as a sentence. */
  readonly line: string
  readonly reason: string | null
  readonly decided_at: Date
  readonly send_at: Date
  readonly sent_at: Date | null
  readonly expires_at: Date | null
  readonly answered_at: Date | null
  readonly locale: string | null
}

export interface PageQuery {
  readonly surveyId?: string
  readonly caseId?: string
  readonly state?: Decision['state']
  /** At most this many. */
  readonly limit: number
  /** `next` of the page before. */
  readonly cursor?: string
}

export interface ListPage<T> {
  readonly data: readonly T[]
  readonly next: string | null
}

/** Newest first. */
export async function invitationsPage(db: Db, query: PageQuery): Promise<ListPage<InvitationLine>> {
  return pageOf(await selectInvitations(db, query, query.limit + 1), query.limit)
}

export interface CaseDecisions {
  /** Newest first; without any, `summary` says why. */
  readonly decisions: readonly InvitationLine[]
  readonly summary: string
}

/** Why this case was asked about, or why it was not. */
export async function surveyDecisions(db: Db, caseId: string): Promise<CaseDecisions> {
  const decisions = await selectInvitations(db, { caseId }, 200)
  const [latest] = decisions
  return { decisions, summary: latest?.line ?? (await whyNothing(db, caseId)) }
}

async function whyNothing(db: Db, caseId: string): Promise<string> {
  const found = await db.selectFrom('cases').select('solved_at').where('id', '=', caseId).executeTakeFirst()
  if (!found) return 'Not asked: there is no such case.'
  if (!found.solved_at) return 'Not asked: the case has not been solved yet.'
  const isAnyOn = (await loadSurveys(db)).some((survey) => survey.enabled)
  return isAnyOn
    ? 'Not asked: no survey was on when the case was solved.'
    : 'Not asked: no survey is on; add one under "surveys" in the configuration.'
}

/** What came back for the message that asked. */
const bounced = sql<string | null>`(
  select event.data ->> 'reason' from outbox
  join messages on messages.delivery_key = outbox.key
  join events event on event.case_id = outbox.case_id and event.type = 'message.bounced'
    and event.data ->> 'messageId' = messages.id
  where outbox.case_id = invitation.case_id and outbox.cause ->> 'invitationId' = invitation.id
  order by event.seq desc limit 1)`

async function selectInvitations(
  db: Db,
  filter: Omit<PageQuery, 'limit'>,
  limit: number,
): Promise<readonly InvitationLine[]> {
  let query = db
    .selectFrom('invitations as invitation')
    .leftJoin('surveys', 'surveys.id', 'invitation.survey_id')
    .leftJoin('connections', 'connections.id', 'invitation.connection_id')
    .leftJoin('responses', 'responses.invitation_id', 'invitation.id')
    .selectAll('invitation')
    .select(['connections.name as connection_name', 'responses.score', 'responses.answered_at'])
    .select(sql<string | null>`surveys.definition ->> 'name'`.as('survey_name'))
    .select(sql<SurveyKind | null>`surveys.definition ->> 'kind'`.as('kind'))
    .select(bounced.as('bounced'))
    .orderBy('invitation.id', 'desc')
    .limit(limit)
  // Ids sort by the time they were made.
  if (filter.cursor !== undefined) query = query.where('invitation.id', '<', filter.cursor)
  if (filter.surveyId !== undefined) query = query.where('invitation.survey_id', '=', filter.surveyId)
  if (filter.caseId !== undefined) query = query.where('invitation.case_id', '=', filter.caseId)
  if (filter.state !== undefined) query = query.where('invitation.state', '=', filter.state)
  return (await query.execute()).map((row) => ({
    id: row.id,
    survey_id: row.survey_id,
    survey_name: row.survey_name,
    case_id: row.case_id,
    profile_id: row.profile_id,
    connection_id: row.connection_id,
    state: row.state,
    line: decisionLine({
      state: row.state,
      reason: row.reason,
      sendAt: row.send_at,
      sentAt: row.sent_at,
      expiresAt: row.expires_at,
      connectionName: row.connection_name,
      kind: row.kind,
      bounced: row.bounced,
      answer: row.score === null || row.answered_at === null ? null : { score: row.score, at: row.answered_at },
    }),
    reason: row.reason,
    decided_at: row.created_at,
    send_at: row.send_at,
    sent_at: row.sent_at,
    expires_at: row.expires_at,
    answered_at: row.answered_at,
    locale: row.locale,
  }))
}

export interface ResponseLine {
  readonly id: string
  readonly invitation_id: string
  readonly survey_id: string
  readonly case_id: string
  readonly profile_id: string | null
  readonly scale: SurveyScale
  readonly score: number
  readonly comment: string | null
  readonly answered_at: Date
}

/** Newest first. */
export async function responsesPage(db: Db, query: Omit<PageQuery, 'state'>): Promise<ListPage<ResponseLine>> {
  let rows = db
    .selectFrom('responses')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
  if (query.cursor !== undefined) rows = rows.where('id', '<', query.cursor)
  if (query.surveyId !== undefined) rows = rows.where('survey_id', '=', query.surveyId)
  if (query.caseId !== undefined) rows = rows.where('case_id', '=', query.caseId)
  return pageOf(await rows.execute(), query.limit)
}

function pageOf<T extends { readonly id: string }>(rows: readonly T[], limit: number): ListPage<T> {
  const data = rows.slice(0, limit)
  return { data, next: rows.length > limit ? (data.at(-1)?.id ?? null) : null }
}

export interface SurveyResults extends Scores {
  readonly survey_id: string
  readonly kind: SurveyKind
  /** Questions that left the hub. */
  readonly asked: number
  /** Answers among them. */
  readonly response_rate: Share
  readonly not_asked: number
  readonly planned: number
}

/** @returns undefined when there is no such survey. */
export async function surveyResults(db: Db, surveyId: string): Promise<SurveyResults | undefined> {
  const survey = (await loadSurveys(db)).find((one) => one.id === surveyId)
  if (!survey) return undefined
  const states = await db
    .selectFrom('invitations')
    .select(['state', sql<number>`count(*)`.as('count')])
    .where('survey_id', '=', surveyId)
    .groupBy('state')
    .execute()
  const scores = await db
    .selectFrom('responses')
    .select(['score', sql<number>`count(*)`.as('count')])
    .where('survey_id', '=', surveyId)
    .groupBy('score')
    .execute()
  const count = (...wanted: readonly Decision['state'][]) =>
    states.filter(({ state }) => wanted.includes(state)).reduce((sum, row) => sum + row.count, 0)
  const asked = count('sent', 'answered', 'expired')
  return {
    survey_id: surveyId,
    kind: survey.kind,
    asked,
    response_rate: shareOf(count('answered'), asked),
    not_asked: count('skipped', 'cancelled'),
    planned: count('planned'),
    ...summarise(survey.kind, scores, survey.low_score_at_most),
  }
}
