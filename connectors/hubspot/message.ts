/**
 * Messages on a ticket: internal ones are notes, public ones answer in the ticket's conversation, which HubSpot must have
 * opened. https://developers.hubspot.com/docs/api-reference/latest/conversations/inbox-and-messages
 */
import type { OutMessage, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { associated } from './associations.ts'
import { byline, ownerOf } from './author.ts'
import { call, type Hubspot } from './client.ts'
import { conversationsVersion } from './config.ts'
import { keepFiles } from './files.ts'
import { htmlOf, utc } from './mapping.ts'
import { writeNote } from './note.ts'
import { readObjects, ticketId } from './read.ts'
import { type WireOwner, type WireThread, WireThreadMessage, WireThreads } from './wire.ts'

const threadsPath = `/conversations/conversations/${conversationsVersion}/threads`
/** HubSpot's own channel for e-mail. */
const emailChannel = '1002'

export async function message(ctx: Hubspot, id: string, out: OutMessage, key: string): Promise<Receipt> {
  const owner = await ownerOf(ctx, out.author)
  if (out.visibility === 'public') return await reply(ctx, ticketId(id), out, owner, key)
  const { ids, refused } = await keepFiles(ctx, out.files, key)
  const html = `${owner ? '' : byline(out.author)}${htmlOfMessage(out, refused)}`
  const note = { ticketId: ticketId(id), html, fileIds: ids, ...(owner ? { ownerId: owner.id } : {}) }
  return await writeNote(ctx, note, key)
}

async function reply(
  ctx: Hubspot,
  id: string,
  out: OutMessage,
  owner: WireOwner | undefined,
  key: string,
): Promise<Receipt> {
  // Only who has a user can speak in a conversation.
  const senderActorId = owner?.userId ? `A-${owner.userId}` : ctx.config.sender_actor_id
  if (senderActorId === undefined) {
    throw new ConnectorError(
      'rejected',
      'hubspot reply: its author is no user of the account; set sender_actor_id, the agent in whose name such replies are sent (A- and a user id)',
    )
  }
  const { thread, contactId } = await threadOf(ctx, id)
  const { ids, refused } = await keepFiles(ctx, out.files, key)
  const left = leftOut(refused)
  const written = await call(ctx, WireThreadMessage, 'POST', `${threadsPath}/${thread.id}/messages`, {
    json: {
      type: 'MESSAGE',
      text: `${out.text}${left && `\n\n${left}`}`,
      richText: htmlOfMessage(out, refused),
      senderActorId,
      ...(ids.length > 0 ? { attachments: ids.map((fileId) => ({ type: 'FILE', fileId })) } : {}),
      ...(thread.originalChannelId ? { channelId: thread.originalChannelId } : {}),
      ...(thread.originalChannelAccountId ? { channelAccountId: thread.originalChannelAccountId } : {}),
      ...(thread.originalChannelId === emailChannel ? { recipients: await recipientsOf(ctx, contactId) } : {}),
    },
  })
  const updatedAt = utc(written.createdAt)
  return { externalId: written.id, ...(updatedAt ? { updatedAt } : {}) }
}

function htmlOfMessage({ html, text }: OutMessage, refused: readonly string[]): string {
  const left = leftOut(refused)
  return `${html ?? htmlOf(text)}${left && htmlOf(left)}`
}

function leftOut(names: readonly string[]): string {
  return names.length > 0 ? `Files not sent: ${names.join(', ')}` : ''
}

/** Threads cannot be asked for by ticket, only by contact; the newest one of the ticket is answered. */
async function threadOf(ctx: Hubspot, id: string): Promise<{ thread: WireThread; contactId: string }> {
  const contactIds = (await associated(ctx, 'tickets', 'contacts', [id])).get(id) ?? []
  for (const contactId of contactIds) {
    const threads = (await threadsOf(ctx, contactId)).filter(
      (thread) => thread.threadAssociations?.associatedTicketId === id,
    )
    const thread = threads.toSorted((a, b) => timeOf(b).localeCompare(timeOf(a)))[0]
    if (thread) return { thread, contactId }
  }
  throw new ConnectorError(
    'rejected',
    `hubspot ticket ${id} has no conversation to answer in; HubSpot sends replies in conversations only, so write a note or answer in another tool`,
  )
}

function timeOf(thread: WireThread): string {
  return thread.latestMessageTimestamp ?? ''
}

async function threadsOf(ctx: Hubspot, associatedContactId: string): Promise<readonly WireThread[]> {
  const found: WireThread[] = []
  let after: string | undefined
  do {
    const query = { associatedContactId, association: 'TICKET', limit: '100', after }
    const page = await call(ctx, WireThreads, 'GET', threadsPath, { query })
    found.push(...page.results)
    after = page.paging?.next?.after
  } while (after !== undefined)
  return found
}

async function recipientsOf(ctx: Hubspot, contactId: string) {
  const [contact] = await readObjects(ctx, 'contacts', [contactId], ['email'])
  const email = contact?.properties['email']
  if (email) return [{ recipientField: 'TO', deliveryIdentifiers: [{ type: 'HS_EMAIL_ADDRESS', value: email }] }]
  throw new ConnectorError('rejected', `hubspot reply: contact ${contactId} has no e-mail address to send it to`)
}
