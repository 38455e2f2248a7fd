/** The SQL behind cards that no other room reads already. */
import { sql } from 'kysely'
import type { AgentFacts, CasePriority, CaseStatus, SurveyScale } from '#hub/connector/facts.ts'
import type { Db } from '#hub/platform/db/database.ts'

export interface CaseInList {
  readonly id: string
  readonly subject: string | null
  readonly status: CaseStatus
  readonly priority: CasePriority | null
  readonly assignee: AgentFacts | null
  readonly requester: string | null
  readonly waiting_since: Date | null
  readonly updated_at: Date
}

/**
 * Cases as lists show them. A customer waits from their first public message on that no agent has answered in public;
 * what a machine wrote counts as no answer. In any order; ids that there are not are left out.
 */
export async function selectRows(db: Db, ids: readonly string[]): Promise<readonly CaseInList[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<CaseInList>`
    select cases.id, cases.subject, cases.status, cases.priority, cases.assignee, cases.updated_at,
      root.name as requester,
      case when cases.status in ('new', 'open', 'on_hold') then coalesce(
        (select min(asked.sent_at) from messages asked
          where asked.case_id = cases.id and asked.visibility = 'public' and asked.author ->> 'kind' = 'customer'
            and asked.sent_at > coalesce(
              (select max(said.sent_at) from messages said
                where said.case_id = cases.id and said.visibility = 'public' and said.author ->> 'kind' = 'agent'),
              '-infinity')),
        case when cases.status = 'new' then cases.created_at end)
      end as waiting_since
    from unnest(${[...new Set(ids)]}::text[]) as asked(id)
    join cases on cases.id = asked.id
    left join profiles leaf on leaf.id = cases.requester_id
    left join profiles root on root.id = leaf.root_id
  `.execute(db)
  return rows
}

/** The latest of a case, the newest first, and how many there are. */
export async function latestMessages(db: Db, caseId: string, limit: number) {
  const [messages, counted] = await Promise.all([
    db
      .selectFrom('messages')
      .select(['author', 'visibility', 'text', 'attachments', 'sent_at'])
      .where('case_id', '=', caseId)
      .orderBy('sent_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
    db
      .selectFrom('messages')
      .select((q) => q.fn.countAll<number>().as('count'))
      .where('case_id', '=', caseId)
      .executeTakeFirstOrThrow(),
  ])
  return { messages, count: counted.count }
}

/** Deliveries of a case to its tools, not its cards: those that failed for now or should have left a minute ago; and those given up within a week. */
export async function undelivered(db: Db, caseId: string, now: Date) {
  const { rows } = await sql<{ waiting: number; failed: number }>`
    select
      count(*) filter (where state = 'pending'
        and (attempts > 0 and error is not null or greatest(due_at, created_at) < ${now}::timestamptz - interval '1 minute')) as waiting,
      count(*) filter (where state = 'dead' and created_at > ${now}::timestamptz - interval '7 days') as failed
    from outbox where case_id = ${caseId} and action ->> 'type' is distinct from 'chat.show'`.execute(db)
  const [row] = rows
  return { waiting: row?.waiting ?? 0, failed: row?.failed ?? 0 }
}

/** @param emails the agent's, in lower case. @returns up to 500, in no order. */
export async function openCasesOf(db: Db, emails: readonly string[]): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from cases
    where assignee_email = any(${[...emails]}::text[]) and solved_at is null
      and status in ('new', 'open', 'pending', 'on_hold')
    limit 500`.execute(db)
  return rows.map(({ id }) => id)
}

export async function figuresOf(db: Db, emails: readonly string[], now: Date) {
  const { rows } = await sql<{ solved: number; satisfaction: number | null }>`
    with mine as materialized (
      select id, solved_at from cases
      where assignee_email = any(${[...emails]}::text[]) and solved_at > ${now}::timestamptz - interval '60 days'
    )
    select
      (select count(*) from mine where solved_at > ${now}::timestamptz - interval '7 days') as solved,
      (select avg(score)::float8 from mine
        join invitations on invitations.case_id = mine.id
        join responses on responses.invitation_id = invitations.id
        where scale = 'csat_5' and answered_at > ${now}::timestamptz - interval '30 days') as satisfaction
  `.execute(db)
  return { solved: rows[0]?.solved ?? 0, satisfaction: rows[0]?.satisfaction ?? null }
}

/** Of the people with these profiles; not solved yet. @param leaves ids. @returns up to 100. */
export async function openCasesFrom(db: Db, leaves: readonly string[]): Promise<readonly string[]> {
  return await casesFrom(db, leaves, sql`and status in ('new', 'open', 'pending', 'on_hold')`)
}

/** The last changed first. */
export async function allCasesFrom(db: Db, leaves: readonly string[]): Promise<readonly string[]> {
  return await casesFrom(db, leaves, sql``)
}

async function casesFrom(db: Db, leaves: readonly string[], and: ReturnType<typeof sql>): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from cases where requester_id = any(${[...leaves]}::text[]) ${and}
    order by updated_at desc limit 100`.execute(db)
  return rows.map(({ id }) => id)
}

/** What people answered to surveys of ours, and to those that their tools ask by themselves. The newest first. */
export async function scoresOf(db: Db, leaves: readonly string[], limit: number) {
  const { rows } = await sql<{ scale: SurveyScale; score: number; comment: string | null; answered_at: Date }>`
    select scale, score, comment, answered_at from invitations
    join responses on responses.invitation_id = invitations.id
    where invitations.profile_id = any(${[...leaves]}::text[])
    union all
    select rating.scale, rating.score, rating.comment, occurred_at from events,
      jsonb_to_record(data -> 'rating') as rating(scale text, score int, comment text)
    where type = 'rating.received' and profile_id = any(${[...leaves]}::text[])
    order by answered_at desc limit ${limit}`.execute(db)
  return rows
}

/** Cases with this number in a tool. */
export async function casesNumbered(db: Db, connectionIds: readonly string[], number: string) {
  const { rows } = await sql<{ case_id: string }>`
    select case_id from case_links
    where connection_id = any(${[...connectionIds]}::text[]) and external_id = ${number} and deleted_at is null
    limit 20`.execute(db)
  return rows.map((row) => row.case_id)
}

export async function namesOfRules(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('rules')
    .select(['id', 'name'])
    .where('is_current', '=', true)
    .where('id', '=', sql<string>`any(${[...new Set(ids)]})`)
    .execute()
  return new Map(rows.map(({ id, name }) => [id, name]))
}
