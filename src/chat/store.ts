/** The SQL of the chat room. */
import { sql } from 'kysely'
import type { ChatPerson } from '#hub/connector/chat.ts'
import type { Attachment, Author, Visibility } from '#hub/connector/facts.ts'
import { type Db, json } from '#hub/platform/db/database.ts'
import { isOpen } from '#hub/platform/ledger.ts'

export interface KnownPerson {
  readonly person: ChatPerson
  readonly reference: string | null
  readonly directChannel: string | null
  readonly readAt: Date
}

export async function knownPeople(
  db: Db,
  connectionId: string,
  users: readonly string[],
): Promise<ReadonlyMap<string, KnownPerson>> {
  if (users.length === 0) return new Map()
  const rows = await db
    .selectFrom('chat_people')
    .select(['external_id', 'facts', 'reference', 'direct_channel', 'read_at'])
    .where('connection_id', '=', connectionId)
    .where('external_id', '=', sql<string>`any(${[...users]}::text[])`)
    .execute()
  return new Map(
    rows.map(({ external_id, facts, reference, direct_channel, read_at }) => [
      external_id,
      { person: facts, reference, directChannel: direct_channel, readAt: read_at },
    ]),
  )
}

export async function savePerson(
  db: Db,
  connectionId: string,
  person: ChatPerson,
  reference: string | undefined,
  now: Date,
): Promise<void> {
  await db
    .insertInto('chat_people')
    .values({
      connection_id: connectionId,
      external_id: person.id,
      facts: json(person),
      reference: reference ?? null,
      read_at: now,
    })
    .onConflict((oc) =>
      oc.constraint('chat_people_pkey').doUpdateSet((q) => ({
        facts: json(person),
        reference: sql<string | null>`coalesce(${reference ?? null}, ${q.ref('chat_people.reference')})`,
        read_at: now,
      })),
    )
    .execute()
}

export async function saveDirectChannel(db: Db, connectionId: string, user: string, channel: string): Promise<void> {
  await db
    .updateTable('chat_people')
    .set({ direct_channel: channel })
    .where('connection_id', '=', connectionId)
    .where('external_id', '=', user)
    .execute()
}

export interface ChannelNews {
  readonly connectionId: string
  readonly channel: string
  readonly name?: string
  readonly reference?: string
  readonly state?: 'open' | 'gone'
}

/** What is not told stays as it was. */
export async function saveChannels(db: Db, news: readonly ChannelNews[], now: Date): Promise<void> {
  for (const { connectionId, channel, name, reference, state } of news) {
    const triedAt = state === 'gone' ? now : null
    await sql`
      insert into chat_channels (connection_id, channel, name, reference, state, tried_at, updated_at)
      values (
        ${connectionId}, ${channel}, ${name ?? null}, ${reference ?? null}, ${state ?? 'open'}, ${triedAt}, ${now})
      on conflict (workspace_id, connection_id, channel) do update set
        name = coalesce(excluded.name, chat_channels.name),
        reference = coalesce(excluded.reference, chat_channels.reference),
        state = case when ${state ?? null}::text is null then chat_channels.state else excluded.state end,
        tried_at = case when ${state ?? null}::text is null then chat_channels.tried_at else excluded.tried_at end,
        updated_at = excluded.updated_at
      where (chat_channels.name, chat_channels.reference, chat_channels.state) is distinct from (
        coalesce(excluded.name, chat_channels.name), coalesce(excluded.reference, chat_channels.reference),
        case when ${state ?? null}::text is null then chat_channels.state else excluded.state end)
        -- Each refusal begins the wait anew.
        or excluded.state = 'gone'
    `.execute(db)
  }
}

/** The app was taken away from the place that these channels are reached through. */
export async function closeChannelsOf(db: Db, connectionId: string, reference: string, now: Date): Promise<void> {
  await db
    .updateTable('chat_channels')
    .set({ state: 'gone', tried_at: now, updated_at: now })
    .where('connection_id', '=', connectionId)
    .where('reference', '=', reference)
    .execute()
}

/** With their references: those that the tool has told of. */
export async function channelsOf(db: Db, connectionId: string) {
  return await db
    .selectFrom('chat_channels')
    .select(['channel', 'reference'])
    .where('connection_id', '=', connectionId)
    .execute()
}

export async function setChannels(
  db: Db,
  connectionId: string,
  channels: readonly string[],
  state: 'open' | 'gone',
  now: Date,
): Promise<void> {
  await db
    .updateTable('chat_channels')
    .set({ state, tried_at: state === 'gone' ? now : null, updated_at: now })
    .where('connection_id', '=', connectionId)
    .where('channel', '=', sql<string>`any(${[...channels]}::text[])`)
    .where('state', '<>', state)
    .execute()
}

/** Nobody has told of these, but a card was refused there: the next one tries. */
export async function tryUnheardOf(db: Db, connectionId: string): Promise<void> {
  await db
    .updateTable('chat_channels')
    .set({ tried_at: null })
    .where('connection_id', '=', connectionId)
    .where('state', '=', 'gone')
    .where('reference', 'is', null)
    .execute()
}

export async function channelOf(db: Db, connectionId: string, channel: string) {
  return await db
    .selectFrom('chat_channels')
    .select(['reference', 'state', 'tried_at'])
    .where('connection_id', '=', connectionId)
    .where('channel', '=', channel)
    .executeTakeFirst()
}

/** Of these channels, those where the app is not any more. */
export async function goneAmong(db: Db, connectionId: string, channels: readonly string[]): Promise<readonly string[]> {
  if (channels.length === 0) return []
  const rows = await db
    .selectFrom('chat_channels')
    .select('channel')
    .where('connection_id', '=', connectionId)
    .where('state', '=', 'gone')
    .where('channel', '=', sql<string>`any(${[...channels]}::text[])`)
    .execute()
  return rows.map(({ channel }) => channel)
}

export interface Post {
  readonly connectionId: string
  readonly channel: string
  readonly cardKey: string
  readonly messageId: string
  readonly caseId: string | null
  readonly digest: string
}

const postColumns = ['connection_id', 'channel', 'card_key', 'message_id', 'case_id', 'digest'] as const

function toPost(row: {
  connection_id: string
  channel: string
  card_key: string
  message_id: string
  case_id: string | null
  digest: string
}): Post {
  return {
    connectionId: row.connection_id,
    channel: row.channel,
    cardKey: row.card_key,
    messageId: row.message_id,
    caseId: row.case_id,
    digest: row.digest,
  }
}

/** The cards of these cases that stand in channels. */
export async function postsOfCases(db: Db, caseIds: readonly string[]): Promise<readonly Post[]> {
  if (caseIds.length === 0) return []
  const rows = await db
    .selectFrom('chat_posts')
    .select(postColumns)
    .where('case_id', '=', sql<string>`any(${[...caseIds]}::text[])`)
    .execute()
  return rows.map(toPost)
}

export async function postOf(
  db: Db,
  connectionId: string,
  channel: string,
  cardKey: string,
): Promise<Post | undefined> {
  const row = await db
    .selectFrom('chat_posts')
    .select(postColumns)
    .where('connection_id', '=', connectionId)
    .where('channel', '=', channel)
    .where('card_key', '=', cardKey)
    .executeTakeFirst()
  return row && toPost(row)
}

/** Whether the same card is to be brought up to date again by a later entry of its lane: then that one shows this news too. */
export async function isOvertaken(
  db: Db,
  key: string,
  lane: string,
  caseId: string,
  channel: string,
): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from outbox later
      where ${isOpen('later')} and later.order_key = ${caseId} and later.lane = ${lane}
        and later.seq > (select seq from outbox where key = ${key})
        and later.action -> 'show' ->> 'what' = 'case' and later.action -> 'show' ->> 'channel' = ${channel}
    ) as found`.execute(db)
  return rows[0]?.found === true
}

/** Whether a first card is on its way to this channel: it may stand there while the hub does not know where yet. */
export async function isCardUnderWay(db: Db, lane: string, channel: string): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from outbox item
      where item.lane = ${lane} and item.state = 'pending' and (item.fence is not null or item.attempts > 0)
        and item.action -> 'show' ->> 'what' = 'case' and item.action -> 'show' ->> 'channel' = ${channel}
        and not exists (
          select from chat_posts post where post.connection_id = item.lane and post.channel = ${channel}
            and post.card_key = 'case:' || item.order_key)
    ) as found`.execute(db)
  return rows[0]?.found === true
}

export interface SpotKey {
  readonly connectionId: string
  readonly channel: string
  readonly messageId: string
}
export const spotKey = ({ connectionId, channel, messageId }: SpotKey) => `${connectionId}\n${channel}\n${messageId}`

/** Which case a message of a chat tool belongs to: a card, or a message of a case's thread. By `spotKey`. */
export async function casesAt(db: Db, spots: readonly SpotKey[]): Promise<ReadonlyMap<string, string>> {
  if (spots.length === 0) return new Map()
  const { rows } = await sql<{ connection_id: string; channel: string; message_id: string; case_id: string }>`
    with spot as (
      select distinct * from unnest(
        ${spots.map((spot) => spot.connectionId)}::text[],
        ${spots.map((spot) => spot.channel)}::text[],
        ${spots.map((spot) => spot.messageId)}::text[]) as spot(connection_id, channel, message_id)
    )
    select connection_id, channel, message_id, case_id from chat_posts join spot using (connection_id, channel, message_id)
      where case_id is not null
    union all
    select connection_id, channel, message_id, case_id from chat_messages join spot using (connection_id, channel, message_id)
  `.execute(db)
  return new Map(
    rows.map(({ connection_id, channel, message_id, case_id }) => [
      spotKey({ connectionId: connection_id, channel, messageId: message_id }),
      case_id,
    ]),
  )
}

export async function savePost(db: Db, post: Post, now: Date): Promise<void> {
  const { connectionId: connection_id, channel, cardKey: card_key, messageId: message_id, caseId: case_id } = post
  await db
    .insertInto('chat_posts')
    .values({
      ...{ connection_id, channel, card_key, message_id, case_id },
      digest: post.digest,
      posted_at: now,
      updated_at: now,
    })
    .onConflict((oc) =>
      oc.constraint('chat_posts_pkey').doUpdateSet({ message_id, digest: post.digest, updated_at: now }),
    )
    .execute()
}

/** Somebody deleted it in the chat tool. */
export async function forgetPost(db: Db, { connectionId, channel, cardKey }: Post): Promise<void> {
  await db
    .deleteFrom('chat_posts')
    .where('connection_id', '=', connectionId)
    .where('channel', '=', channel)
    .where('card_key', '=', cardKey)
    .execute()
}

/**
 * @param hubMessage the hub's id of it, or the key of the delivery that it left by.
 * @param files how many of its files stand there; absent: all.
 */
export async function saveChatMessage(db: Db, spot: SpotKey, hubMessage: string, files?: number): Promise<void> {
  await sql`
    insert into chat_messages (connection_id, channel, message_id, case_id, hub_message_id, files)
    select ${spot.connectionId}, ${spot.channel}, ${spot.messageId}, case_id, id,
      coalesce(${files ?? null}::int, jsonb_array_length(attachments))
    from messages
    where id = ${hubMessage} or delivery_key = ${hubMessage}
    on conflict do nothing`.execute(db)
}

export interface HubMessage {
  readonly id: string
  readonly case_id: string
  readonly connection_id: string
  readonly external_id: string | null
  readonly visibility: Visibility
  readonly author: Author
  readonly text: string
  readonly attachments: readonly Attachment[]
  readonly sent_at: Date
  readonly delivery_key: string | null
}

const messageColumns = [
  'id',
  'case_id',
  'connection_id',
  'external_id',
  'visibility',
  'author',
  'text',
  'attachments',
  'sent_at',
  'delivery_key',
] as const

/** By its id or by the key of its delivery: one that leaves is known by that first. */
export async function messageOf(db: Db, idOrKey: string): Promise<HubMessage | undefined> {
  return await db
    .selectFrom('messages')
    .select(messageColumns)
    .where((q) => q.or([q('id', '=', idOrKey), q('delivery_key', '=', idOrKey)]))
    .executeTakeFirst()
}

/** The hub's message that was written at this place in a chat tool. */
export async function messageAt(db: Db, spot: SpotKey): Promise<HubMessage | undefined> {
  return await db
    .selectFrom('messages')
    .innerJoin('chat_messages', 'chat_messages.hub_message_id', 'messages.id')
    .select([
      'messages.id',
      'messages.case_id',
      'messages.connection_id',
      'messages.external_id',
      'visibility',
      'author',
      'text',
      'attachments',
      'sent_at',
      'delivery_key',
    ])
    .where('chat_messages.connection_id', '=', spot.connectionId)
    .where('chat_messages.channel', '=', spot.channel)
    .where('chat_messages.message_id', '=', spot.messageId)
    .executeTakeFirst()
}

/** How many files of this message stand in the channel; undefined when it neither was written nor shown there. */
export async function filesShown(
  db: Db,
  hubMessageId: string,
  connectionId: string,
  channel: string,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('chat_messages')
    .select(({ fn }) => fn.max('files').as('files'))
    .where('hub_message_id', '=', hubMessageId)
    .where('connection_id', '=', connectionId)
    .where('channel', '=', channel)
    .executeTakeFirst()
  return row?.files ?? undefined
}

/** The answer to a survey, once there is one. */
export async function scoreOf(db: Db, invitationId: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('responses')
    .select('score')
    .where('invitation_id', '=', invitationId)
    .executeTakeFirst()
  return row?.score
}

export async function rewriteMessage(db: Db, id: string, text: string, hash: string): Promise<void> {
  await db.updateTable('messages').set({ text, content_hash: hash }).where('id', '=', id).execute()
}

export async function saveDraft(
  db: Db,
  draft: { readonly id: string; readonly agentId: string; readonly caseId: string | null; readonly content: unknown },
  now: Date,
): Promise<void> {
  const { id, agentId, caseId, content } = draft
  await db
    .insertInto('drafts')
    .values({ id, agent_id: agentId, case_id: caseId, content: json(content), created_at: now })
    .execute()
}

/** Not to be sent any more; what was typed stays readable, since who changes it may lose the dialog and ask once more. */
export async function withdrawDraft(db: Db, id: string, agentId: string, caseId: string): Promise<unknown> {
  const row = await db
    .updateTable('drafts')
    .set({ is_withdrawn: true })
    .where('id', '=', id)
    .where('agent_id', '=', agentId)
    .where('case_id', '=', caseId)
    .returning('content')
    .executeTakeFirst()
  return row?.content
}

/** As it was typed, withdrawn or not. */
export async function draftOf(db: Db, id: string, agentId: string, caseId: string): Promise<unknown> {
  const row = await db
    .selectFrom('drafts')
    .select('content')
    .where('id', '=', id)
    .where('agent_id', '=', agentId)
    .where('case_id', '=', caseId)
    .executeTakeFirst()
  return row?.content
}

/** Each draft once, by the agent whose it is, for the case that it was written for; one that was withdrawn not at all. */
export async function takeDraft(db: Db, id: string, agentId: string, caseId: string | null): Promise<unknown> {
  const row = await db
    .deleteFrom('drafts')
    .where('id', '=', id)
    .where('agent_id', '=', agentId)
    .where('case_id', caseId === null ? 'is' : '=', caseId)
    .where('is_withdrawn', '=', false)
    .returning('content')
    .executeTakeFirst()
  return row?.content
}

/** Once a reply is sent, its earlier texts are nobody's business. */
export async function forgetWithdrawn(db: Db, agentId: string, caseId: string): Promise<void> {
  await db
    .deleteFrom('drafts')
    .where('agent_id', '=', agentId)
    .where('case_id', '=', caseId)
    .where('is_withdrawn', '=', true)
    .execute()
}

/** Drafts that nobody sent. */
export async function forgetDrafts(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('drafts').where('created_at', '<', before).execute()
}

/**
 * Fingers are impatient, and each press is one of its own to the chat tool: whether the same person did the same to the same
 * case within the last seconds. Acts of this batch count. Only the newest lines are looked at.
 */
export async function wasJustDone(trx: Db, actor: string, act: string, caseId: string): Promise<boolean> {
  const { rows } = await sql`
    select from (select * from audit order by seq desc limit 200) as newest
    where actor = ${actor} and act = ${act} and target = ${caseId} and at > now() - interval '10 seconds'
    limit 1`.execute(trx)
  return rows.length > 0
}
