/** The SQL of automatic mail: what has left and what came in lately, by case. */
import { sql } from 'kysely'
import type { CaseBook } from '#hub/cases/index.ts'
import { read } from '#hub/cases/index.ts'
import { suppressedAmong } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { MailCounts } from './automatic-mail.ts'

interface Row {
  readonly case_id: string
  readonly root_id: string | null
  readonly on_case: number
  readonly today: number
  readonly emails: string[]
  readonly received: { readonly address: string; readonly messages: number }[]
}

export interface CountedCase extends MailCounts {
  /** The requester's merged profile: its cases share the daily limit. */
  readonly rootId: string | null
}

/** Includes the batch's own messages, which are not saved yet. */
export async function mailCounts(
  trx: Trx,
  book: CaseBook,
  caseIds: readonly string[],
): Promise<ReadonlyMap<string, CountedCase>> {
  const asked = [...new Set(caseIds)].map((id) => ({ id, requester: requesterOf(book, id) }))
  const { rows } = await sql<Row>`
    with asked as (
      select asked.id, leaf.root_id
      from unnest(${asked.map(({ id }) => id)}::text[], ${asked.map(({ requester }) => requester)}::text[]) as asked(id, requester_id)
      left join profiles leaf on leaf.id = asked.requester_id
    )
    select asked.id as case_id, asked.root_id,
      (select count(*)::int from outbox where outbox.case_id = asked.id and ${isReply}) as on_case,
      (select count(*)::int from profiles leaf
        join cases own on own.requester_id = leaf.id
        join outbox on outbox.case_id = own.id
        where leaf.root_id = asked.root_id and ${isReply} and outbox.created_at > now() - interval '24 hours') as today,
      array(select identity.value from profiles leaf
        join identities identity on identity.profile_id = leaf.id and identity.kind = 'email'
        where leaf.root_id = asked.root_id) as emails,
      (select coalesce(jsonb_agg(jsonb_build_object('address', sender.address, 'messages', sender.messages)), '[]') from (
        select lower(message.author ->> 'email') as address, count(*)::int as messages from messages message
        where message.case_id = asked.id and message.author ->> 'kind' <> 'agent' and message.author ->> 'email' is not null
          and message.created_at > now() - interval '10 minutes'
        group by 1
      ) sender) as received
    from asked
  `.execute(trx)
  const suppressed = await suppressedAmong(
    trx,
    rows.flatMap((row) => row.emails),
  )
  return new Map(
    rows.map((row) => [
      row.case_id,
      {
        rootId: row.root_id,
        repliesOnCase: row.on_case,
        repliesToday: row.today,
        busiest: busiestOf(row, book),
        bouncing: row.emails.every((email) => suppressed.has(email)) ? row.emails : [],
      },
    ]),
  )
}

const isReply = sql`outbox.action ->> 'type' = 'case.message' and outbox.action -> 'message' ->> 'automatic' = 'true'
  and outbox.action -> 'message' ->> 'visibility' = 'public' and outbox.cause ? 'ruleId' and outbox.state in ('pending', 'sent')`

function requesterOf(book: CaseBook, caseId: string): string | null {
  const state = book.get(caseId)
  return state ? read.requester(state.fields) : null
}

function busiestOf(row: Row, book: CaseBook): MailCounts['busiest'] {
  const counts = new Map(row.received.map(({ address, messages }) => [address, messages]))
  for (const { caseId, facts } of book.changed().messages) {
    const address = facts.author.email?.toLowerCase()
    if (caseId !== row.case_id || address === undefined || facts.author.kind === 'agent') continue
    counts.set(address, (counts.get(address) ?? 0) + 1)
  }
  const [busiest] = [...counts].sort((a, b) => b[1] - a[1])
  return busiest && { address: busiest[0], messages: busiest[1] }
}
