/** The SQL of threads: the cases that messages name, and who takes part in them. */
import { sql } from 'kysely'
import type { CaseStatus } from '#hub/connector/facts.ts'
import { inserter } from '#hub/platform/db/bulk.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { CaseRef, MessageRef } from './store.ts'
import type { NamedCase, NamedMessage } from './threads.ts'

interface Row {
  readonly connection_id: string
  readonly case_id: string
  readonly external_ids: string[]
  readonly status: CaseStatus
  readonly messages: NamedMessage[]
  readonly participants: string[]
}

/** Somebody whom an agent brought into a case. */
export interface Guest {
  readonly connectionId: string
  /** The connection's id of the case. */
  readonly externalId: string
  readonly address: string
  /** The connection's id of the message that did it. */
  readonly messageId: string
}

/** Those who are in already stay as they are. */
export const noteGuests = inserter<Guest>({
  table: 'case_guests',
  columns: { connectionId: 'text', externalId: 'text', address: 'text', messageId: 'text' },
  onConflict: 'on conflict (workspace_id, connection_id, external_id, address) do nothing',
})

/** @param messages both those that came and those that they answer. */
export async function namedCases(
  db: Db,
  cases: readonly CaseRef[],
  messages: readonly MessageRef[],
): Promise<readonly NamedCase[]> {
  const { rows } = await sql<Row>`
    with told as (
      select message.connection_id, message.case_id, jsonb_build_object('id', message.external_id,
        'from', message.author ->> 'email', 'contentHash', message.content_hash, 'isOurs', message.delivery_key is not null) as facts
      from unnest(${messages.map((ref) => ref.connectionId)}::text[], ${messages.map((ref) => ref.messageId)}::text[])
        as ref(connection_id, external_id)
      join messages message using (connection_id, external_id)
      where message.external_id is not null
    ), named as (
      select connection_id, case_id from told
      union
      select link.connection_id, link.case_id
      from unnest(${cases.map((ref) => ref.connectionId)}::text[], ${cases.map((ref) => ref.externalId)}::text[])
        as ref(connection_id, external_id)
      join case_links link using (connection_id, external_id)
    )
    select named.connection_id, named.case_id, found.status,
      array(
        select link.external_id from case_links link
        where link.case_id = found.id and link.connection_id = named.connection_id order by link.created_at, link.external_id
      ) as external_ids,
      (select coalesce(jsonb_agg(distinct told.facts), '[]') from told
        where told.case_id = found.id and told.connection_id = named.connection_id) as messages,
      array(
        select identity.value
        from profiles requester
        join profiles leaf on leaf.root_id = requester.root_id
        join identities identity on identity.profile_id = leaf.id and identity.kind = 'email'
        where requester.id = found.requester_id
        union
        select jsonb_path_query(record.facts, '$.emails.value[*]') #>> '{}'
        from person_records record where record.profile_id = found.requester_id
        union
        select message.author ->> 'email' from messages message
        where message.case_id = found.id and message.author ->> 'kind' <> 'system' and message.author ->> 'email' is not null
        union
        select guest.address from case_links link join case_guests guest using (connection_id, external_id)
        where link.case_id = found.id and link.connection_id = named.connection_id
      ) as participants
    from named join cases found on found.id = named.case_id
  `.execute(db)
  return rows.map((row) => ({
    connectionId: row.connection_id,
    caseId: row.case_id,
    externalIds: row.external_ids,
    isClosed: row.status === 'closed',
    participants: row.participants,
    messages: row.messages,
  }))
}
