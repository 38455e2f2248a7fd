/** Cases: read with everything behind them, changed through the same door that rules use. */
import type { Selectable } from 'kysely'
import { z } from 'zod'
import { casePriorities, caseStatuses, channels, visibilities } from '#hub/connector/facts.ts'
import { command, putAside, takeBack } from '#hub/pipeline/command.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { Schema } from '#hub/platform/db/schema.ts'
import { surveyDecisions } from '#hub/surveys/index.ts'
import type { ApiHub } from '../hub.ts'
import { listOf, pageOf, timeKey, toPage } from '../paging.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { type CaseRow, caseExists, getCase, linksOf, listCases, listMessages, whyOf } from '../store/cases.ts'
import {
  Agent,
  byId,
  Id,
  MaybeTime,
  maybeTime,
  Plain,
  SourceShape,
  snakeCase,
  Time,
  TimeInput,
  Traits,
  time,
  toAgent,
  toSource,
} from '../wire.ts'
import { Delivery, toDelivery } from './deliveries.ts'
import { Event, toEvent } from './events.ts'
import { Invitation, toInvitation } from './surveys.ts'

const tag = 'cases'

const CaseLink = z
  .strictObject({
    connection_id: z.string(),
    external_id: z.string(),
    url: z.string().nullable(),
    deleted_at: MaybeTime.meta({ description: 'When the vendor said that it is gone.' }),
  })
  .meta({ id: 'CaseLink' })

const Case = z
  .strictObject({
    id: z.string(),
    subject: z.string().nullable(),
    status: z.enum(caseStatuses),
    priority: z.enum(casePriorities).nullable(),
    channel: z.enum(channels).nullable(),
    tags: z.array(z.string()),
    requester: z.strictObject({ id: z.string(), name: z.string().nullable() }).nullable(),
    assignee: Agent.nullable(),
    team: z.string().nullable(),
    parent_id: z.string().nullable().meta({ description: 'The case that this one was opened for.' }),
    links: z.array(CaseLink),
    custom: Traits,
    created_at: Time,
    updated_at: Time,
    solved_at: MaybeTime,
    snoozed_until: MaybeTime.meta({ description: 'Put aside until then; null when it is not.' }),
  })
  .meta({ id: 'Case' })

export const Message = z
  .strictObject({
    id: z.string(),
    case_id: z.string(),
    connection_id: z.string(),
    external_id: z.string().nullable().meta({ description: "The vendor's id; null while it is on its way there." }),
    visibility: z.enum(visibilities).meta({ description: '`public` is seen by the requester; `internal` never is.' }),
    author: z.strictObject({
      kind: z.enum(['customer', 'agent', 'system']),
      id: z.string().optional(),
      name: z.string().optional(),
      email: z.string().optional(),
      verified: z
        .literal(false)
        .optional()
        .meta({ description: '`false`: anybody could have written under this name, such as mail without DMARC.' }),
    }),
    text: z.string(),
    html: z.string().nullable().meta({ description: 'As the vendor sent it: show it in a sandboxed frame only.' }),
    attachments: z.array(Plain),
    sent_at: Time,
  })
  .meta({ id: 'Message' })

const Why = z
  .strictObject({
    fields: z.array(z.strictObject({ field: z.string(), value: z.unknown(), at: Time, source: SourceShape })),
    events: z.array(Event),
    rule_runs: z.array(
      z.strictObject({
        rule_id: z.string(),
        rule_version: z.int(),
        event_id: z.string(),
        result: z.enum(['matched', 'simulated', 'failed', 'cut']),
        detail: Plain,
        ran_at: Time,
      }),
    ),
    deliveries: z.array(Delivery),
    survey: z.string().meta({ description: 'Why the person was asked, or not, in a sentence.' }),
    surveys: z.array(Invitation).meta({ description: 'Every decision about asking.' }),
  })
  .meta({ id: 'CaseWhy' })

const CaseChange = z
  .strictObject({
    subject: z.string().trim().min(1).max(1000),
    status: z.enum(caseStatuses),
    priority: z.enum(casePriorities),
    tags: z.array(z.string().trim().min(1).max(200)).max(200).meta({ description: 'All of them: the others go.' }),
    assignee: z.strictObject({ email: z.email() }).nullable(),
    team: z.string().trim().min(1).max(200).nullable(),
    custom: z.record(z.string().min(1).max(200), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'give at least one field to change')

const longestSnoozeMs = 365 * 24 * 3_600_000

async function toCases(hub: ApiHub, rows: readonly CaseRow[]): Promise<(row: CaseRow) => z.input<typeof Case>> {
  const links = Map.groupBy(
    await linksOf(
      hub.db,
      rows.map(({ id }) => id),
    ),
    (link) => link.case_id,
  )
  return (row) => ({
    id: row.id,
    subject: row.subject,
    status: row.status,
    priority: row.priority,
    channel: row.channel,
    tags: row.tags,
    requester: row.profile_id === null ? null : { id: row.profile_id, name: row.profile_name },
    assignee: toAgent(row.assignee),
    team: row.team,
    parent_id: row.parent_id,
    links: (links.get(row.id) ?? []).map((link) => ({
      connection_id: link.connection_id,
      external_id: link.external_id,
      url: link.url,
      deleted_at: maybeTime(link.deleted_at),
    })),
    custom: row.custom,
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
    solved_at: maybeTime(row.solved_at),
    snoozed_until: maybeTime(row.snoozed_until),
  })
}

async function oneCase(hub: ApiHub, id: string): Promise<z.input<typeof Case>> {
  const row = await getCase(hub.db, id)
  if (!row) throw notFound()
  return (await toCases(hub, [row]))(row)
}

function fieldOf(row: CaseRow, field: string): unknown {
  if (field.startsWith('custom.')) return row.custom[field.slice('custom.'.length)] ?? null
  if (field === 'requester') return row.requester_id
  if (field === 'assignee') return toAgent(row.assignee)
  const { subject, status, priority, channel, tags, team } = row
  return new Map<string, unknown>(Object.entries({ subject, status, priority, channel, tags, team })).get(field) ?? null
}

const Link = z
  .string()
  .regex(/^[^:]{1,100}:.{1,500}$/s, 'write <connection id>:<their id>')
  .transform((text) => {
    const colon = text.indexOf(':')
    return { connectionId: text.slice(0, colon), externalId: text.slice(colon + 1) }
  })
  .meta({ description: "`<connection id>:<the vendor's id>` finds the one case." })

export function toMessage(row: Selectable<Schema['messages']>): z.input<typeof Message> {
  return {
    id: row.id,
    case_id: row.case_id,
    connection_id: row.connection_id,
    external_id: row.external_id,
    visibility: row.visibility,
    author: row.author,
    text: row.text,
    html: row.html,
    attachments: row.attachments.map(({ source: _, ...file }) => Plain.parse(snakeCase(file))),
    sent_at: time(row.sent_at),
  }
}

export const caseRoutes = [
  route({
    id: 'listCases',
    method: 'GET',
    path: '/cases',
    summary: 'Cases, last changed first; with `updated_since` first changed first, to follow them',
    tag,
    query: z.strictObject({
      ...pageOf(timeKey),
      status: z.enum(caseStatuses).optional(),
      requester: Id.optional().meta({
        description: "A profile's id; cases of profiles merged with it are among them.",
      }),
      link: Link.optional(),
      updated_since: TimeInput.optional(),
    }),
    response: listOf(Case),
    async handler(hub, { query: { limit, cursor, status, requester, link, updated_since } }) {
      const filter = { status, requester, link, updatedSince: updated_since }
      const rows = await listCases(hub.db, { ...filter, limit, after: cursor })
      return toPage(rows, limit, (row) => [row.updated_us, row.id], await toCases(hub, rows))
    },
  }),
  route({
    id: 'getCase',
    method: 'GET',
    path: '/cases/{id}',
    summary: 'One case',
    tag,
    params: byId,
    response: Case,
    handler: (hub, { params }) => oneCase(hub, params.id),
  }),
  route({
    id: 'updateCase',
    method: 'PATCH',
    path: '/cases/{id}',
    summary: 'Change a case here and in every tool it is linked to',
    tag,
    params: byId,
    body: CaseChange,
    response: Case,
    async handler(hub, { params, body, actor }) {
      const { custom, tags, ...plain } = body
      const change = {
        ...plain,
        ...(tags ? { tags: [...new Set(tags)].sort() } : {}),
        ...Object.fromEntries(Object.entries(custom ?? {}).map(([name, value]) => [`custom.${name}`, value])),
      }
      if (!(await command(hub, hub.rules, { caseId: params.id, actor, change }))) throw notFound()
      await audit(hub.db, actor, 'case.changed', params.id, { fields: Object.keys(change) })
      return await oneCase(hub, params.id)
    },
  }),
  route({
    id: 'listCaseMessages',
    method: 'GET',
    path: '/cases/{id}/messages',
    summary: 'What was said on a case, oldest first',
    tag,
    params: byId,
    query: z.strictObject({ ...pageOf(timeKey), visibility: z.enum(visibilities).optional() }),
    response: listOf(Message),
    async handler(hub, { params, query: { limit, cursor, visibility } }) {
      if (!(await caseExists(hub.db, params.id))) throw notFound()
      const rows = await listMessages(hub.db, { caseId: params.id, visibility, limit, after: cursor })
      return toPage(rows, limit, (row) => [row.sent_us, row.id], toMessage)
    },
  }),
  route({
    id: 'addCaseMessage',
    method: 'POST',
    path: '/cases/{id}/messages',
    summary: 'Say something on a case: an internal note, or a reply that the requester sees',
    tag,
    status: 202,
    params: byId,
    body: z.strictObject({
      visibility: z.enum(visibilities).default('internal'),
      text: z.string().min(1).max(60_000),
    }),
    response: z.strictObject({ case_id: z.string(), visibility: z.enum(visibilities) }),
    async handler(hub, { params, body, actor }) {
      const links = await linksOf(hub.db, [params.id])
      const canWrite = new Set(
        hub.connections.all().flatMap(({ id, connector }) => (connector.can.writeCase ? [id] : [])),
      )
      if (!(await caseExists(hub.db, params.id))) throw notFound()
      if (!links.some((link) => link.deleted_at === null && canWrite.has(link.connection_id))) {
        throw new Problem('conflict', 'none of the tools this case is linked to takes messages from the hub')
      }
      await command(hub, hub.rules, { caseId: params.id, actor, message: body })
      await audit(hub.db, actor, 'case.message_added', params.id, { visibility: body.visibility })
      return { case_id: params.id, visibility: body.visibility }
    },
  }),
  route({
    id: 'snoozeCase',
    method: 'POST',
    path: '/cases/{id}/snooze',
    summary: 'Put a case aside; when the time is over it comes back, and its assignee is told',
    tag,
    params: byId,
    body: z.strictObject({ until: TimeInput }),
    response: Case,
    async handler(hub, { params, body: { until }, actor }) {
      const ms = until.getTime() - hub.now().getTime()
      if (ms <= 0 || ms > longestSnoozeMs) {
        throw new Problem('invalid', 'until: expected a time within the next 365 days', { field: 'until' })
      }
      if (!(await putAside(hub, hub.rules, { caseId: params.id, until, by: actor }))) throw notFound()
      await audit(hub.db, actor, 'case.snoozed', params.id, { until: time(until) })
      return await oneCase(hub, params.id)
    },
  }),
  route({
    id: 'unsnoozeCase',
    method: 'DELETE',
    path: '/cases/{id}/snooze',
    summary: 'Take a case back before its time',
    tag,
    params: byId,
    async handler(hub, { params, actor }) {
      if (!(await takeBack(hub, hub.rules, params.id, actor))) throw notFound()
      await audit(hub.db, actor, 'case.unsnoozed', params.id)
    },
  }),
  route({
    id: 'explainCase',
    method: 'GET',
    path: '/cases/{id}/why',
    summary:
      'Why a case is as it is: where each value came from, what rules, deliveries and surveys did; newest 200 each',
    tag,
    params: byId,
    response: Why,
    async handler(hub, { params }) {
      const row = await getCase(hub.db, params.id)
      if (!row) throw notFound()
      const { events, runs, deliveries } = await whyOf(hub.db, params.id)
      const asked = await surveyDecisions(hub.db, params.id)
      return {
        fields: row.provenance.flatMap(({ fields, at, source }) =>
          fields.map((field) => ({
            field,
            value: fieldOf(row, field),
            at: time(new Date(at)),
            source: toSource(source),
          })),
        ),
        events: events.map(toEvent),
        rule_runs: runs.map((run) => ({
          rule_id: run.rule_id,
          rule_version: run.rule_version,
          event_id: run.event_id,
          result: run.result,
          detail: Plain.parse(snakeCase(run.detail)),
          ran_at: time(run.ran_at),
        })),
        deliveries: deliveries.map(toDelivery),
        survey: asked.summary,
        surveys: asked.decisions.map(toInvitation),
      }
    },
  }),
]
