/** From a confirmed answer to a response, its events and its rating in every tool that keeps ratings, of cases or of people. */
import { type DomainEvent, eventId } from '#hub/cases/index.ts'
import { type PersonRecord, personRecords } from '#hub/identity/index.ts'
import { effectKey, type OutboxEntry, putInOutbox } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Source } from '#hub/platform/db/schema.ts'
import { newId } from '#hub/platform/ids.ts'
import type { SurveyHub } from './asking.ts'
import type { SurveyDefinition } from './definition.ts'
import { scaleOf } from './scale.ts'
import * as store from './store.ts'

export interface Answer {
  readonly score: number
  readonly comment: string | null
}

/** Whoever holds the link; nobody has signed in. */
const customer: Source = { kind: 'person', name: 'customer (survey link)' }

/** @returns false when the invitation has its answer already, or its time is over: then nothing changes. */
export async function recordAnswer(
  hub: SurveyHub,
  invitationId: string,
  survey: SurveyDefinition,
  answer: Answer,
  now: Date,
): Promise<boolean> {
  const isRecorded = await hub.inWorkspace(async (trx) => {
    const events = await takeAnswer(trx, hub, invitationId, survey, answer, customer, now)
    if (events.length > 0) await hub.publish(trx, events)
    return events.length > 0
  })
  if (isRecorded) hub.signals.raise('outbox')
  return isRecorded
}

export interface ChatVote {
  readonly connectionId: string
  /** The vendor's id of who pressed. */
  readonly user: string
  readonly invitationId: string
  readonly score: number
}

/**
 * A button pressed in a chat tool. Only the person who was asked can answer, there where they were asked: others who read
 * along in the channel press in vain.
 * @returns the events that follow; none when it does not count.
 */
export async function answerInChat(
  trx: Trx,
  hub: Pick<SurveyHub, 'connections'>,
  { connectionId, user, invitationId, score }: ChatVote,
  now: Date,
): Promise<readonly DomainEvent[]> {
  const opened = await store.loadOpened(trx, invitationId)
  const { survey, profileId = null } = opened ?? {}
  if (!survey || profileId === null || opened?.connectionId !== connectionId) return []
  const theirs = await personRecords(trx, profileId)
  if (!theirs.some((record) => record.connectionId === connectionId && record.externalId === user)) return []
  const { min, max } = scaleOf[survey.kind]
  if (score < min || score > max) return []
  const source: Source = { kind: 'connection', connectionId, record: user }
  return await takeAnswer(trx, hub, invitationId, survey, { score, comment: null }, source, now)
}

async function takeAnswer(
  trx: Trx,
  hub: Pick<SurveyHub, 'connections'>,
  invitationId: string,
  survey: SurveyDefinition,
  answer: Answer,
  actor: Source,
  now: Date,
): Promise<readonly DomainEvent[]> {
  const taken = await store.takeInvitation(trx, invitationId, now)
  if (!taken) return []
  const { caseId, profileId } = taken
  await store.insertResponse(trx, {
    id: newId('rsp'),
    invitation_id: invitationId,
    survey_id: survey.id,
    case_id: caseId,
    profile_id: profileId,
    scale: scaleOf[survey.kind].name,
    ...answer,
    answered_at: now,
  })
  const events = eventsOf(invitationId, survey, answer, taken, actor, now)
  await writeBack(trx, hub, invitationId, taken, events[0]?.id, survey, answer)
  return events
}

/** No survey reaches the customer any more, whichever of their merged profiles is asked. */
export async function recordOptOut(hub: SurveyHub, profileId: string, now: Date): Promise<void> {
  await store.optOut(hub.db, profileId, now)
}

function ratingOf(survey: SurveyDefinition, { score, comment }: Answer) {
  return { scale: scaleOf[survey.kind].name, score, ...(comment === null ? {} : { comment }) }
}

function eventsOf(
  invitationId: string,
  survey: SurveyDefinition,
  answer: Answer,
  { caseId, profileId, connectionId }: store.Taken,
  actor: Source,
  now: Date,
): readonly DomainEvent[] {
  const about = (type: 'survey.answered' | 'survey.low_score'): DomainEvent => ({
    id: eventId(type, invitationId),
    type,
    caseId,
    ...(profileId === null ? {} : { profileId }),
    ...(connectionId === null ? {} : { connectionId }),
    actor,
    data: { surveyId: survey.id, invitationId, rating: ratingOf(survey, answer) },
    cause: { invitationId, depth: 0 },
    occurredAt: now,
  })
  const answered = about('survey.answered')
  return answer.score <= survey.low_score_at_most ? [answered, about('survey.low_score')] : [answered]
}

async function writeBack(
  trx: Trx,
  hub: Pick<SurveyHub, 'connections'>,
  invitationId: string,
  { caseId, profileId }: store.Taken,
  answeredEventId: string | undefined,
  survey: SurveyDefinition,
  answer: Answer,
): Promise<void> {
  const tools = new Map(hub.connections.all().map((tool) => [tool.id, tool.connector.can]))
  const entry = (
    type: 'rating.record' | 'person.rating',
    { connectionId, externalId }: PersonRecord,
    orderKey: string,
  ): OutboxEntry => ({
    key: effectKey(invitationId, type, connectionId, externalId),
    lane: connectionId,
    orderKey,
    connectionId,
    caseId,
    action: { type, externalId, rating: ratingOf(survey, answer) },
    cause: { invitationId, ...(answeredEventId ? { eventId: answeredEventId } : {}), depth: 0 },
  })
  const links = await store.loadLinks(trx, [caseId])
  const records = profileId === null ? [] : await personRecords(trx, profileId)
  await putInOutbox(trx, [
    ...links
      .filter(({ connectionId }) => tools.get(connectionId)?.writeRating)
      .map((link) => entry('rating.record', link, caseId)),
    ...records
      .filter(({ connectionId }) => tools.get(connectionId)?.writePersonRating)
      .map((record) => entry('person.rating', record, `person:${record.externalId}`)),
  ])
}
