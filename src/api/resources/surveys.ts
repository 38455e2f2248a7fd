/** Surveys, whom they asked and whom not, and what people said. */
import { z } from 'zod'
import { surveyScales } from '#hub/connector/facts.ts'
import { audit } from '#hub/platform/db/audit.ts'
import {
  type InvitationLine,
  invitationsPage,
  type ResponseLine,
  responsesPage,
  type SurveyDefinition,
  saveSurvey,
  surveyResults,
  validateSurvey,
} from '#hub/surveys/index.ts'
import { listOf, pageOf, toCursor } from '../paging.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { getSurvey, listSurveys, type SurveyRow } from '../store/surveys.ts'
import { byId, Id, MaybeTime, maybeTime, Plain, Time, time } from '../wire.ts'

const tag = 'surveys'
const states = ['planned', 'sent', 'answered', 'expired', 'skipped', 'cancelled'] as const
/** Ids sort by the time they were made. */
const idKey = z.tuple([z.string().max(200)])

const Survey = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    definition: Plain.meta({ description: 'The survey as it was written, with its defaults filled in.' }),
    updated_at: Time,
  })
  .meta({ id: 'Survey' })

/** Its own checks say more than a schema could. */
const Definition = Plain.meta({
  id: 'SurveyDefinition',
  description: 'A survey: `name`, `kind`, `when`, `question`, …, as in `deskweave.yaml`.',
})

const share = z.number().min(0).max(1).nullable()
const Share = z
  .strictObject({ count: z.int(), of: z.int(), value: share, low: share, high: share })
  .meta({ id: 'Share', description: 'A share of a whole with its 95 % interval; null without a whole.' })

const Results = z
  .strictObject({
    survey_id: z.string(),
    kind: z.string(),
    asked: z.int(),
    response_rate: Share,
    not_asked: z.int(),
    planned: z.int(),
    n: z.int(),
    mean: z.number().nullable(),
    top_box: Share,
    top_2_box: Share,
    low: Share,
    nps: z.strictObject({ value: z.number(), low: z.number(), high: z.number() }).nullable(),
    distribution: z.array(z.strictObject({ score: z.int(), count: z.int() })),
  })
  .meta({ id: 'SurveyResults' })

export const Invitation = z
  .strictObject({
    id: z.string(),
    survey_id: z.string(),
    survey_name: z.string().nullable(),
    case_id: z.string(),
    profile_id: z.string().nullable(),
    connection_id: z.string().nullable(),
    state: z.enum(states),
    line: z.string().meta({ description: 'Why sent or why not, as a sentence.' }),
    reason: z.string().nullable(),
    decided_at: Time,
    send_at: Time,
    sent_at: MaybeTime,
    expires_at: MaybeTime,
    answered_at: MaybeTime,
    locale: z.string().nullable(),
  })
  .meta({ id: 'Invitation' })

const Response = z
  .strictObject({
    id: z.string(),
    invitation_id: z.string(),
    survey_id: z.string(),
    case_id: z.string(),
    profile_id: z.string().nullable(),
    scale: z.enum(surveyScales),
    score: z.int(),
    comment: z.string().nullable(),
    answered_at: Time,
  })
  .meta({ id: 'Response' })

function toSurvey(row: SurveyRow): z.input<typeof Survey> {
  const definition = Plain.parse(row.definition)
  return {
    id: row.id,
    name: String(definition['name'] ?? row.id),
    enabled: row.enabled,
    definition,
    updated_at: time(row.updated_at),
  }
}

export function toInvitation(line: InvitationLine): z.input<typeof Invitation> {
  return {
    ...line,
    decided_at: time(line.decided_at),
    send_at: time(line.send_at),
    sent_at: maybeTime(line.sent_at),
    expires_at: maybeTime(line.expires_at),
    answered_at: maybeTime(line.answered_at),
  }
}

function toResponse(line: ResponseLine): z.input<typeof Response> {
  const { id, invitation_id, survey_id, case_id, profile_id, scale, score, comment } = line
  const ids = { id, invitation_id, survey_id, case_id, profile_id }
  return { ...ids, scale, score, comment, answered_at: time(line.answered_at) }
}

/** @throws Problem naming the first mistake's place */
function checked(id: string, written: Readonly<Record<string, unknown>>): SurveyDefinition {
  const result = validateSurvey({ id, ...written })
  if (!result.ok) {
    const [first] = result.issues
    const field = first?.path.join('.') ?? ''
    throw new Problem('invalid', `${field || 'the survey'}: ${first?.message}`, field ? { field } : {})
  }
  if (result.value.id !== id) {
    throw new Problem('invalid', `id: is "${result.value.id}"; expected "${id}", as in the address`, { field: 'id' })
  }
  return result.value
}

const filters = { survey: Id.optional(), case: Id.optional() }

function pageQuery(query: {
  readonly limit: number
  readonly cursor?: [string] | undefined
  readonly survey?: string | undefined
  readonly case?: string | undefined
}) {
  return {
    limit: query.limit,
    ...(query.cursor ? { cursor: query.cursor[0] } : {}),
    ...(query.survey === undefined ? {} : { surveyId: query.survey }),
    ...(query.case === undefined ? {} : { caseId: query.case }),
  }
}

export const surveyRoutes = [
  route({
    id: 'listSurveys',
    method: 'GET',
    path: '/surveys',
    summary: 'All surveys, on one page',
    tag,
    response: z.strictObject({ data: z.array(Survey), next: z.null() }),
    handler: async (hub) => ({ data: (await listSurveys(hub.db)).map(toSurvey), next: null }),
  }),
  route({
    id: 'getSurvey',
    method: 'GET',
    path: '/surveys/{id}',
    summary: 'One survey',
    tag,
    params: byId,
    response: Survey,
    async handler(hub, { params }) {
      const row = await getSurvey(hub.db, params.id)
      if (!row) throw notFound()
      return toSurvey(row)
    },
  }),
  route({
    id: 'putSurvey',
    method: 'PUT',
    path: '/surveys/{id}',
    summary: 'Make or replace a survey',
    tag,
    params: byId,
    body: Definition,
    response: Survey,
    async handler(hub, { params, body, actor }) {
      const survey = checked(params.id, body)
      return await hub.db.transaction().execute(async (trx) => {
        await saveSurvey(trx, survey)
        await audit(trx, actor, 'survey.saved', survey.id, { enabled: survey.enabled })
        const row = await getSurvey(trx, survey.id)
        if (!row) throw new Error(`survey "${survey.id}" was saved and is not there, which must not happen`)
        return toSurvey(row)
      })
    },
  }),
  route({
    id: 'getSurveyResults',
    method: 'GET',
    path: '/surveys/{id}/results',
    summary: 'Response rate and scores, with how sure they are',
    tag,
    params: byId,
    response: Results,
    async handler(hub, { params }) {
      const results = await surveyResults(hub.db, params.id)
      if (!results) throw notFound()
      return { ...results, distribution: [...results.distribution] }
    },
  }),
  route({
    id: 'listInvitations',
    method: 'GET',
    path: '/invitations',
    summary: 'Every decision about asking, also those not to, newest first',
    tag,
    query: z.strictObject({ ...pageOf(idKey), ...filters, state: z.enum(states).optional() }),
    response: listOf(Invitation),
    async handler(hub, { query }) {
      const state = query.state === undefined ? {} : { state: query.state }
      const { data, next } = await invitationsPage(hub.db, { ...pageQuery(query), ...state })
      return { data: data.map(toInvitation), next: next && toCursor([next]) }
    },
  }),
  route({
    id: 'listResponses',
    method: 'GET',
    path: '/responses',
    summary: 'What people answered, newest first',
    tag,
    query: z.strictObject({ ...pageOf(idKey), ...filters }),
    response: listOf(Response),
    async handler(hub, { query }) {
      const { data, next } = await responsesPage(hub.db, pageQuery(query))
      return { data: data.map(toResponse), next: next && toCursor([next]) }
    },
  }),
]
