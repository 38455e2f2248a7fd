/** The SQL of surveys, invitations and responses. A batch is loaded and saved with a handful of statements. */
import { sql } from 'kysely'
import type { CaseStatus, SurveyScale } from '#hub/connector/facts.ts'
import { normaliseEmail, profileViewsFor } from '#hub/identity/index.ts'
import { suppressedAmong } from '#hub/outbox/index.ts'
import { inserter } from '#hub/platform/db/bulk.ts'
import { type Db, json } from '#hub/platform/db/database.ts'
import { type SurveyDefinition, validateSurvey } from './definition.ts'
import type { Asked, Person } from './policy.ts'

export async function saveSurvey(db: Db, survey: SurveyDefinition): Promise<void> {
  await sql`
    insert into surveys (id, definition, enabled) values (${survey.id}, ${json(survey)}::jsonb, ${survey.enabled})
    on conflict (workspace_id, id) do update
      set definition = excluded.definition, enabled = excluded.enabled, updated_at = now()`.execute(db)
}

/** Those that can be read: one that no longer fits must not stop the others. */
export async function loadSurveys(db: Db): Promise<SurveyDefinition[]> {
  const rows = await db.selectFrom('surveys').select(['definition', 'enabled']).orderBy('id').execute()
  return rows.flatMap(surveyOf)
}

function surveyOf(row: { readonly definition: unknown; readonly enabled: boolean }): SurveyDefinition[] {
  const read = validateSurvey(row.definition)
  return read.ok ? [{ ...read.value, enabled: row.enabled }] : []
}

export type KnownPerson = Person & { readonly locale: string | null }

const optOutKey = (profileId: string) => `survey_opt_out:${profileId}`

/** By leaf. */
export async function loadPeople(db: Db, leafIds: readonly string[]): Promise<ReadonlyMap<string, KnownPerson>> {
  if (leafIds.length === 0) return new Map()
  const roots = await db
    .selectFrom('profiles')
    .select(['id', 'root_id'])
    .where('id', '=', sql<string>`any(${leafIds})`)
    .execute()
  const optedOut = await sql<{ root_id: string }>`
    select distinct leaf.root_id from profiles leaf
    join settings on settings.key = ${optOutKey('')} || leaf.id
    where leaf.root_id = any(${roots.map((row) => row.root_id)})`.execute(db)
  const outByPage = new Set(optedOut.rows.map((row) => row.root_id))
  const views = await profileViewsFor(db, leafIds)
  const bouncing = await suppressedAmong(
    db,
    [...views.values()].flatMap((view) => view.emails.flatMap((email) => normaliseEmail(email) ?? [])),
  )
  return new Map(
    roots.map(({ id, root_id }) => {
      const view = views.get(id)
      const trait = view?.traits['survey_opt_out']
      const person: KnownPerson = {
        rootId: root_id,
        emails: view?.emails ?? [],
        locale: view?.locale ?? null,
        bouncing: (view?.emails ?? []).filter((email) => bouncing.has(normaliseEmail(email) ?? email)),
        isOptedOut: outByPage.has(root_id) || trait === true || trait === 'true',
      }
      return [id, person] as const
    }),
  )
}

export async function optOut(db: Db, profileId: string, now: Date): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key: optOutKey(profileId), value: json({ at: now.toISOString(), by: 'survey page' }) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export interface SolvedFacts {
  readonly isFollowUp: boolean
  readonly lastPublicMessageAt: Date | null
}

export async function loadSolvedFacts(db: Db, caseIds: readonly string[]): Promise<ReadonlyMap<string, SolvedFacts>> {
  const { rows } = await sql<{ id: string; is_follow_up: boolean; last_public: Date | null }>`
    select cases.id, cases.parent_id is not null as is_follow_up,
      (select max(sent_at) from messages where case_id = cases.id and visibility = 'public') as last_public
    from cases where id = any(${caseIds})`.execute(db)
  return new Map(
    rows.map((row) => [row.id, { isFollowUp: row.is_follow_up, lastPublicMessageAt: row.last_public }] as const),
  )
}

export interface Link {
  readonly caseId: string
  readonly connectionId: string
  readonly externalId: string
  /** The customer's latest message came in here. */
  readonly isWhereCustomerWrote: boolean
}

/** Links that still exist, the oldest first. */
export async function loadLinks(db: Db, caseIds: readonly string[]): Promise<readonly Link[]> {
  if (caseIds.length === 0) return []
  const { rows } = await sql<{ case_id: string; connection_id: string; external_id: string; wrote: boolean }>`
    select link.case_id, link.connection_id, link.external_id, coalesce(link.connection_id = latest.connection_id, false) as wrote
    from case_links link left join lateral (
      select connection_id from messages
      where case_id = link.case_id and visibility = 'public' and author ->> 'kind' = 'customer'
      order by sent_at desc limit 1
    ) latest on true
    where link.case_id = any(${caseIds}) and link.deleted_at is null
    order by link.created_at, link.connection_id, link.external_id`.execute(db)
  return rows.map((row) => ({
    caseId: row.case_id,
    connectionId: row.connection_id,
    externalId: row.external_id,
    isWhereCustomerWrote: row.wrote,
  }))
}

export interface NewInvitation {
  readonly id: string
  readonly survey_id: string
  readonly case_id: string
  readonly event_id: string
  readonly profile_id: string | null
  readonly connection_id: string | null
  readonly state: 'planned' | 'skipped'
  readonly reason: string | null
  readonly send_at: Date
  readonly created_at: Date
}

const insertNew = inserter<NewInvitation>({
  table: 'invitations',
  columns: {
    id: 'text',
    survey_id: 'text',
    case_id: 'text',
    event_id: 'text',
    profile_id: 'text',
    connection_id: 'text',
    state: 'text',
    reason: 'text',
    send_at: 'timestamptz',
    created_at: 'timestamptz',
  },
  onConflict: 'on conflict (workspace_id, survey_id, event_id) do nothing returning id as key',
})

/** @returns the ids of those that are new: a survey decides about a solution once. */
export async function insertInvitations(db: Db, rows: readonly NewInvitation[]): Promise<ReadonlySet<string>> {
  return new Set(await insertNew(db, rows))
}

/** A case that was solved again: what was planned for its earlier solutions. */
export async function supersede(db: Db, invitationIds: readonly string[], reason: string): Promise<void> {
  await sql`
    update invitations earlier set state = 'cancelled', reason = ${reason}
    from invitations latest
    where latest.id = any(${invitationIds}) and earlier.case_id = latest.case_id
      and earlier.survey_id = latest.survey_id and earlier.id < latest.id and earlier.state = 'planned'`.execute(db)
}

export async function cancelPlanned(db: Db, caseIds: readonly string[], reason: string): Promise<void> {
  await db
    .updateTable('invitations')
    .set({ state: 'cancelled', reason })
    .where('case_id', '=', sql<string>`any(${caseIds})`)
    .where('state', '=', 'planned')
    .execute()
}

export interface PlannedInvitation {
  readonly id: string
  readonly surveyId: string
  readonly caseId: string
  readonly eventId: string
  readonly sendAt: Date
  readonly connectionId: string | null
  readonly subject: string | null
  readonly status: CaseStatus | undefined
  readonly solvedAt: Date
  readonly requesterId: string | null
}

/** Those that are still planned, in the order in which they are due. */
export async function loadPlanned(db: Db, ids: readonly string[]): Promise<readonly PlannedInvitation[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('invitations as invitation')
    .leftJoin('cases', 'cases.id', 'invitation.case_id')
    .selectAll('invitation')
    .select(['cases.subject', 'cases.status', 'cases.solved_at', 'cases.requester_id'])
    .where('invitation.id', '=', sql<string>`any(${ids})`)
    .where('invitation.state', '=', 'planned')
    .orderBy('invitation.send_at')
    .orderBy('invitation.id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    surveyId: row.survey_id,
    caseId: row.case_id,
    eventId: row.event_id,
    sendAt: row.send_at,
    connectionId: row.connection_id,
    subject: row.subject,
    status: row.status ?? undefined,
    solvedAt: row.solved_at ?? row.created_at,
    requesterId: row.requester_id,
  }))
}

/** By merged profile: every question its leaves have got since then. */
export async function loadAsked(
  db: Db,
  rootIds: readonly string[],
  since: Date,
): Promise<ReadonlyMap<string, readonly Asked[]>> {
  const { rows } = await sql<{
    root_id: string
    sent_at: Date
    subject: string | null
    connection: string | null
    throttle_days: number | null
  }>`
    select leaf.root_id, invitations.sent_at, cases.subject, connections.name as connection,
      (surveys.definition ->> 'throttle_days')::float8 as throttle_days
    from profiles leaf
    join invitations on invitations.profile_id = leaf.id
    left join cases on cases.id = invitations.case_id
    left join connections on connections.id = invitations.connection_id
    left join surveys on surveys.id = invitations.survey_id
    where leaf.root_id = any(${rootIds}) and invitations.sent_at > ${since}`.execute(db)
  const asked = rows.map((row) => ({
    rootId: row.root_id,
    at: row.sent_at,
    throttleDays: row.throttle_days ?? 0,
    caseSubject: row.subject,
    connectionName: row.connection,
  }))
  return Map.groupBy(asked, (one) => one.rootId)
}

export interface Decided {
  readonly id: string
  readonly state: 'planned' | 'sent' | 'skipped' | 'cancelled'
  readonly reason?: string
  readonly send_at?: Date
  readonly sent_at?: Date
  readonly expires_at?: Date
  readonly locale?: string
  readonly connection_id?: string
  readonly profile_id?: string | null
}

export async function saveDecided(db: Db, decided: readonly Decided[]): Promise<void> {
  if (decided.length === 0) return
  await sql`
    update invitations set state = news.state, reason = news.reason, sent_at = news.sent_at, expires_at = news.expires_at,
      send_at = coalesce(news.send_at, invitations.send_at), locale = news.locale,
      connection_id = coalesce(news.connection_id, invitations.connection_id),
      profile_id = coalesce(news.profile_id, invitations.profile_id)
    from jsonb_to_recordset(${json(decided)}::jsonb) as news(id text, state text, reason text, send_at timestamptz,
      sent_at timestamptz, expires_at timestamptz, locale text, connection_id text, profile_id text)
    where invitations.id = news.id`.execute(db)
}

export interface OpenedInvitation {
  readonly id: string
  readonly state: 'planned' | 'sent' | 'answered' | 'expired' | 'skipped' | 'cancelled'
  readonly expiresAt: Date | null
  readonly locale: string | null
  readonly profileId: string | null
  /** By which it was asked. */
  readonly connectionId: string | null
  readonly subject: string | null
  /** Undefined when the survey was removed since. */
  readonly survey: SurveyDefinition | undefined
}

export async function loadOpened(db: Db, id: string): Promise<OpenedInvitation | undefined> {
  const row = await db
    .selectFrom('invitations as invitation')
    .leftJoin('cases', 'cases.id', 'invitation.case_id')
    .leftJoin('surveys', 'surveys.id', 'invitation.survey_id')
    .selectAll('invitation')
    .select(['cases.subject', 'surveys.definition', 'surveys.enabled'])
    .where('invitation.id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  return {
    id: row.id,
    state: row.state,
    expiresAt: row.expires_at,
    locale: row.locale,
    profileId: row.profile_id,
    connectionId: row.connection_id,
    subject: row.subject,
    survey: surveyOf({ definition: row.definition, enabled: row.enabled ?? false })[0],
  }
}

export interface Taken {
  readonly caseId: string
  readonly profileId: string | null
  readonly connectionId: string | null
}

/** Whoever moves the invitation from sent to answered has the one answer. */
export async function takeInvitation(db: Db, id: string, now: Date): Promise<Taken | undefined> {
  const row = await db
    .updateTable('invitations')
    .set({ state: 'answered' })
    .where('id', '=', id)
    .where('state', '=', 'sent')
    .where('expires_at', '>', now)
    .returning(['case_id', 'profile_id', 'connection_id'])
    .executeTakeFirst()
  return row && { caseId: row.case_id, profileId: row.profile_id, connectionId: row.connection_id }
}

export interface NewResponse {
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

export async function insertResponse(db: Db, response: NewResponse): Promise<void> {
  await db.insertInto('responses').values(response).execute()
}

/** @returns how many links ran out without an answer. */
export async function expire(db: Db, now: Date): Promise<number> {
  const updated = await db
    .updateTable('invitations')
    .set({ state: 'expired' })
    .where('state', '=', 'sent')
    .where('expires_at', '<=', now)
    .executeTakeFirst()
  return Number(updated.numUpdatedRows)
}
