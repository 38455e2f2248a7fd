/** The conversation that a message goes into, for connectors whose vendor keeps no cases. */
import type { Capabilities, OutThread } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Action } from '#hub/outbox/action.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { type Conversation, conversationOf } from './store.ts'

/**
 * Looked up when the message leaves, not when it was wanted: what was said in between is part of the conversation.
 * @throws ConnectorError not_found, rejected
 */
export async function inItsThread<A extends Action>(
  db: Db,
  writeCase: Capabilities<unknown>['writeCase'],
  connectionId: string,
  action: A,
): Promise<A> {
  if (action.type !== 'case.message' || !writeCase?.needsThread || action.message.visibility === 'internal')
    return action
  if (action.externalId === null) return action
  const conversation = await conversationOf(db, connectionId, action.externalId)
  if (!conversation) throw new ConnectorError('not_found', `case ${action.externalId} is not known on this connection`)
  return { ...action, message: { ...action.message, thread: threadOf(conversation) } }
}

/** @throws ConnectorError rejected when there is nobody to write to. */
export function threadOf({ caseId, subject, messages, addresses }: Conversation): OutThread {
  const to = addresses.find(({ bounced }) => bounced === null)
  if (!to) throw new ConnectorError('rejected', `case ${caseId}: ${whyNowhere(addresses[0])}`)
  const answers = messages.findLast((message) => message.author === 'customer')?.id
  return {
    subject: subject ?? '',
    to: { email: to.email, ...(to.name ? { name: to.name } : {}) },
    earlier: messages.map((message) => message.id),
    ...(answers === undefined ? {} : { answers }),
  }
}

function whyNowhere(address: Conversation['addresses'][number] | undefined): string {
  if (!address) return 'its requester has no e-mail address to write to; add one to the profile, then replay'
  const { email, bounced } = address
  return `mail to ${email} came back (${bounced}); nothing is sent there until mail comes from there again; to send all the same, DELETE /api/v1/suppressions/${email}, then replay`
}
