/** Everything that happened around a person, over all profiles merged into one: read page by page, newest first. */
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'
import { type TimeKey, timeOf } from '../paging.ts'

export type TimelineKind = 'event' | 'message' | 'survey'

export interface TimelineKey {
  readonly kind: TimelineKind
  /** Of an event its `seq`, as a text. */
  readonly id: string
  readonly at: Date
  readonly us: number
}

/** Messages and answers stand for themselves; the events that tell of them would say it twice. */
const told = ['message.received', 'message.sent', 'survey.answered']

export async function timelineKeys(
  db: Db,
  profileId: string,
  page: { readonly limit: number; readonly after?: TimeKey | undefined },
): Promise<readonly TimelineKey[]> {
  const rows = page.limit + 1
  const { rows: keys } = await sql<TimelineKey>`
    with leaf as materialized (
      select same.id from profiles asked join profiles same on same.root_id = asked.root_id where asked.id = ${profileId}
    ), own as materialized (
      select cases.id from leaf join cases on cases.requester_id = leaf.id
    ), happened as (
      (select 'event' as kind, lpad(seq::text, 16, '0') as id, occurred_at as at from events
        where (profile_id in (select id from leaf) or case_id in (select id from own))
          and type <> all(${told}) ${before(sql`occurred_at`, sql`lpad(seq::text, 16, '0')`, page.after)}
        order by 3 desc, 2 desc limit ${rows})
      union all
      (select 'message', id, sent_at from messages
        where case_id in (select id from own) ${before(sql`sent_at`, sql`id`, page.after)}
        order by 3 desc, 2 desc limit ${rows})
      union all
      (select 'survey', id, coalesce(sent_at, created_at) from invitations
        where profile_id in (select id from leaf) ${before(sql`coalesce(sent_at, created_at)`, sql`id`, page.after)}
        order by 3 desc, 2 desc limit ${rows})
    )
    select kind, id, at, (extract(epoch from at) * 1000000)::bigint as us from happened
    order by at desc, id desc limit ${rows}
  `.execute(db)
  return keys
}

function before(at: RawBuilder<unknown>, id: RawBuilder<unknown>, after: TimeKey | undefined): RawBuilder<unknown> {
  return after ? sql`and (${at}, ${id}) < (${timeOf(after[0])}, ${after[1]})` : sql``
}

export async function timelineRows(db: Db, keys: readonly TimelineKey[]) {
  const ids = (kind: TimelineKind) => keys.filter((key) => key.kind === kind).map(({ id }) => id)
  const [events, messages, surveys] = await Promise.all([
    db
      .selectFrom('events')
      .selectAll()
      .where('seq', '=', sql<number>`any(${ids('event').map(Number)}::bigint[])`)
      .execute(),
    db
      .selectFrom('messages')
      .selectAll()
      .where('id', '=', sql<string>`any(${ids('message')})`)
      .execute(),
    db
      .selectFrom('invitations')
      .leftJoin('responses', 'responses.invitation_id', 'invitations.id')
      .selectAll('invitations')
      .select(['responses.score', 'responses.comment', 'responses.answered_at'])
      .where('invitations.id', '=', sql<string>`any(${ids('survey')})`)
      .execute(),
  ])
  return { events, messages, surveys }
}
