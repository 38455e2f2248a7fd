/** The SQL of lanes, dead letters, conversations and the signing secret. */
import { sql } from 'kysely'
import { z } from 'zod'
import type { Author } from '#hub/connector/facts.ts'
import type { Action } from '#hub/outbox/action.ts'
import { type Db, json } from '#hub/platform/db/database.ts'
import type { Cause } from '#hub/platform/db/schema.ts'
import { isOpen } from '#hub/platform/ledger.ts'

/** A claimed row, as it was before the claim. */
export interface OutboxRow {
  readonly seq: number
  readonly key: string
  readonly lane: string
  readonly order_key: string
  readonly connection_id: string | null
  readonly case_id: string | null
  readonly action: Action
  readonly cause: Cause
  readonly possibly_sent: boolean
  readonly outcome_unknown: boolean
  readonly attempts: number
  /** Somebody had claimed it and never told how it went. */
  readonly fence: number | null
  readonly created_at: Date
}

export interface OpenLane {
  readonly lane: string
  readonly isFree: boolean
}

/** Lanes with something to do now that are not at rest. Steps from lane to lane, so a long backlog costs nothing. */
export async function openLanes(db: Db): Promise<readonly OpenLane[]> {
  const { rows } = await sql<OpenLane>`
    with recursive step as (
      (select lane from outbox where state = 'pending' order by lane limit 1)
      union all
      select (select o.lane from outbox o where o.state = 'pending' and o.lane > step.lane order by o.lane limit 1)
      from step where step.lane is not null
    )
    select step.lane, lanes.lease_until is null or lanes.lease_until < statement_timestamp() as "isFree"
    from step left join lanes on lanes.lane = step.lane
    where step.lane is not null and lanes.paused_reason is null and (
      select true from outbox o where o.lane = step.lane and o.state = 'pending' and o.due_at <= statement_timestamp()
        and (o.lease_until is null or o.lease_until < statement_timestamp()) limit 1)
  `.execute(db)
  return rows
}

/** Would a claim on a lane that is free, or ours and not at rest, find a row? */
export async function hasWork(db: Db, owner: string, resting: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from outbox item left join lanes on lanes.lane = item.lane
      where item.state = 'pending' and item.due_at <= statement_timestamp()
        and (item.lease_until is null or item.lease_until < statement_timestamp()) and lanes.paused_reason is null
        and item.lane <> all(${resting}::text[])
        and (lanes.lease_until is null or lanes.lease_until < statement_timestamp() or lanes.owner = ${owner})
        and (select true from outbox earlier where ${isOpen('earlier')} and earlier.order_key = item.order_key
          and earlier.seq < item.seq and earlier.lane = item.lane limit 1) is null
    ) as found`.execute(db)
  return rows[0]?.found ?? false
}

export interface LaneLease {
  readonly lane: string
  readonly fence: number
}

export async function acquireLanes(
  db: Db,
  owner: string,
  lanes: readonly string[],
  leaseSeconds: number,
): Promise<readonly LaneLease[]> {
  if (lanes.length === 0) return []
  const { rows } = await sql<LaneLease>`
    insert into lanes (lane, owner, fence, lease_until)
    select lane, ${owner}, nextval('fences'), statement_timestamp() + make_interval(secs => ${leaseSeconds})
    from unnest(${lanes}::text[]) lane
    on conflict (workspace_id, lane) do update
      set owner = excluded.owner, fence = excluded.fence, lease_until = excluded.lease_until
      where lanes.paused_reason is null and (lanes.lease_until is null or lanes.lease_until < statement_timestamp())
    returning lane, fence
  `.execute(db)
  return rows
}

/** @returns the lanes that are still ours. */
export async function renewLanes(
  db: Db,
  leases: readonly LaneLease[],
  leaseSeconds: number,
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ lane: string }>`
    update lanes set lease_until = statement_timestamp() + make_interval(secs => ${leaseSeconds})
    from unnest(${leases.map(({ lane }) => lane)}::text[], ${leases.map(({ fence }) => fence)}::bigint[]) as held(lane, fence)
    where lanes.lane = held.lane and lanes.fence = held.fence
    returning lanes.lane
  `.execute(db)
  return new Set(rows.map(({ lane }) => lane))
}

export async function releaseLanes(db: Db, leases: readonly LaneLease[]): Promise<void> {
  if (leases.length === 0) return
  await sql`
    update lanes set owner = null, lease_until = null
    from unnest(${leases.map(({ lane }) => lane)}::text[], ${leases.map(({ fence }) => fence)}::bigint[]) as held(lane, fence)
    where lanes.lane = held.lane and lanes.fence = held.fence
  `.execute(db)
}

/**
 * How long ago, in ms, effects of this lane left: those of the last `withinMs`, and those in the hands of a worker that died.
 * Looks at the rows around the lane's head only: there is no index for it, and the ledger is long.
 */
export async function recentSends(db: Db, lane: string, withinMs: number): Promise<readonly number[]> {
  const { rows } = await sql<{ age: number }>`
    with head as (select coalesce(min(seq), 9e18) as seq from outbox where lane = ${lane} and state = 'pending'),
    near as (select * from outbox where seq < (select seq from head) + 1000 order by seq desc limit 5000)
    select extract(epoch from statement_timestamp() - coalesce(sent_at, statement_timestamp()))::float8 * 1000 as age
    from near
    where lane = ${lane} and (lease_until is not null
      or state = 'sent' and sent_at > statement_timestamp() - make_interval(secs => ${withinMs / 1_000}))
  `.execute(db)
  return rows.map(({ age }) => Math.max(0, age))
}

export interface Conversation {
  readonly caseId: string
  readonly subject: string | null
  /** Public ones with a vendor's id, the oldest first. */
  readonly messages: readonly { readonly id: string; readonly author: Author['kind'] }[]
  /** Where the requester can be reached, the best first. */
  readonly addresses: readonly {
    readonly email: string
    readonly name: string | null
    /** Why nothing is sent there: mail came back from it. */
    readonly bounced: string | null
  }[]
}

/**
 * The requester's own addresses, as last used in this case; then that of whoever opened it, which may belong to nobody's
 * profile (a sender without proof); then the profile's.
 */
export async function conversationOf(
  db: Db,
  connectionId: string,
  externalId: string,
): Promise<Conversation | undefined> {
  const { rows } = await sql<Conversation>`
    with asked as (
      select cases.id, cases.subject, leaf.root_id from case_links link
      join cases on cases.id = link.case_id
      left join profiles leaf on leaf.id = cases.requester_id
      where link.connection_id = ${connectionId} and link.external_id = ${externalId}
    ), said as (
      select messages.external_id, messages.author, messages.sent_at, messages.id from messages
      join asked on asked.id = messages.case_id
      where messages.connection_id = ${connectionId} and messages.external_id is not null
        and messages.visibility = 'public'
    ), own as (
      select identity.value, identity.verified, identity.first_seen_at, leaf.name from asked
      join profiles leaf on leaf.root_id = asked.root_id
      join identities identity on identity.profile_id = leaf.id and identity.kind = 'email'
    ), candidates as (
      select author ->> 'email' as email, author ->> 'name' as name,
        case when lower(author ->> 'email') in (select value from own) then 1 else 2 end as rank,
        case when lower(author ->> 'email') in (select value from own) then -extract(epoch from sent_at)
          else extract(epoch from sent_at) end as place
      from said where author ->> 'kind' = 'customer' and author ->> 'email' is not null
      union all
      select value, name, 3, row_number() over (order by verified desc, first_seen_at, value) from own
    )
    select asked.id as "caseId", asked.subject,
      (select coalesce(jsonb_agg(jsonb_build_object('id', external_id, 'author', author ->> 'kind')
        order by sent_at, id), '[]') from said) as messages,
      (select coalesce(jsonb_agg(jsonb_build_object('email', email, 'name', name, 'bounced', reason)
        order by rank, place), '[]') from candidates left join suppressions on address = lower(email)) as addresses
    from asked
  `.execute(db)
  return rows[0]
}

/** The agent's own account in that tool, where the hub knows it. */
export async function accountOf(db: Db, connectionId: string, email: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('agent_accounts')
    .innerJoin('agents', 'agents.id', 'agent_accounts.agent_id')
    .select('agent_accounts.external_id')
    .where('agent_accounts.connection_id', '=', connectionId)
    .where('agents.email', '=', email.toLowerCase())
    .orderBy('agent_accounts.created_at')
    .executeTakeFirst()
  return row?.external_id
}

/** Dead letters back to work: same key, same lane, at once. @returns how many there were. */
export async function revive(db: Db, seqs: readonly number[]): Promise<number> {
  const { numAffectedRows } = await sql`
    update outbox set state = 'pending', attempts = 0, due_at = statement_timestamp(), lease_until = null, fence = null
    where seq = any(${seqs}::bigint[]) and state = 'dead'
  `.execute(db)
  return Number(numAffectedRows ?? 0)
}

const SealedSetting = z.object({ sealed: z.string() })

/** The value under a settings key, made once when there is none; replicas agree on the first one. */
export async function sealedSetting(db: Db, key: string, make: () => Buffer): Promise<Buffer> {
  const find = async () => await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  let found = await find()
  if (!found) {
    await db
      .insertInto('settings')
      .values({ key, value: json({ sealed: make().toString('base64') }) })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    found = await find()
  }
  return Buffer.from(SealedSetting.parse(found?.value).sealed, 'base64')
}

/** What a chat tool told of a channel when it was last heard of. */
export async function channelReference(db: Db, connectionId: string, channel: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('chat_channels')
    .select('reference')
    .where('connection_id', '=', connectionId)
    .where('channel', '=', channel)
    .executeTakeFirst()
  return row?.reference ?? undefined
}

/** The connection's id of a case of the hub. */
export async function linkOf(db: Db, connectionId: string, caseId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('case_links')
    .select('external_id')
    .where('case_id', '=', caseId)
    .where('connection_id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return row?.external_id
}
