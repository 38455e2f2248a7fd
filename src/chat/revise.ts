/** An edit or a deletion in a thread follows to the note or the reply that the message became. */
import type { Agent } from '#hub/agents/index.ts'
import { contentHash } from '#hub/cases/index.ts'
import { effectKey, reviseOrCorrect } from '#hub/outbox/index.ts'
import type { Consequences } from '#hub/pipeline/consequences.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Cause } from '#hub/platform/db/schema.ts'
import type { Messages } from '#hub/workbench/index.ts'
import { messageAt, rewriteMessage, type SpotKey } from './store.ts'
import type { ChatStep, WorkHub } from './work.ts'

export interface Revision {
  readonly step: ChatStep
  readonly agent: Agent
  readonly spot: SpotKey
  /** Absent: it was deleted. */
  readonly text?: string
  readonly cause: Cause
  readonly words: Messages
}

/** Only what was written there is revised: what the hub showed there is its author's to change, in their own tool. */
export async function reviseMessage(
  trx: Trx,
  hub: WorkHub,
  consequences: Consequences,
  { agent, spot, text, cause, words }: Revision,
): Promise<void> {
  const message = await messageAt(trx, spot)
  if (!message || message.delivery_key === null || message.author.email !== agent.email) return
  const wanted = text ?? words.chat.deleted
  if (wanted === message.text) return
  const connection = hub.connections.all().find(({ id }) => id === message.connection_id)
  const link = await trx
    .selectFrom('case_links')
    .select('external_id')
    .where('case_id', '=', message.case_id)
    .where('connection_id', '=', message.connection_id)
    .executeTakeFirst()
  if (!connection || !link) return
  await rewriteMessage(trx, message.id, wanted, contentHash(wanted, message.visibility))
  const action = reviseOrCorrect(connection.connector.can.writeCase, {
    externalId: link.external_id,
    messageExternalId: message.external_id ?? undefined,
    visibility: message.visibility,
    text,
    earlierText: message.text,
    author: message.author,
  })
  consequences.put({
    key: effectKey(cause.eventId ?? '', 'revise', message.id),
    lane: connection.id,
    orderKey: message.case_id,
    connectionId: connection.id,
    caseId: message.case_id,
    action,
    cause,
  })
}
