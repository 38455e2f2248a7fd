/**
 * Channels that are shared with a customer. A case is a thread there; everything in it is read by the
 * customer, so notes for colleagues never leave.
 */
import { threadCaseId, threadOfCaseId } from '#hub/connector/chat.ts'
import type { OutMessage, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Teams } from './client.ts'
import { remove, replace, send } from './conversations.ts'
import { textHtml } from './html-text.ts'

export async function create(): Promise<Receipt> {
  throw new ConnectorError(
    'rejected',
    'teams: cases begin with what customers write; a thread of ours is a post of chat',
  )
}

export async function update(): Promise<Receipt> {
  throw new ConnectorError(
    'rejected',
    'teams: a thread has no fields to write; the hub keeps those of its cases itself',
  )
}

export async function message(ctx: Teams, id: string, out: OutMessage, key: string): Promise<Receipt> {
  if (out.visibility === 'internal') return {}
  const place = placeOf(id)
  const { message: written } = await send(ctx, place, activityOf(out), key)
  return written === undefined ? {} : { externalId: threadCaseId(place.channel, written) }
}

/** @param text absent: it was deleted. The app is the author in Teams, so a corrected message stands without a name. */
export async function revise(
  ctx: Teams,
  id: string,
  messageId: string,
  text: string | undefined,
  key: string,
): Promise<Receipt> {
  const place = { ...placeOf(id), message: threadOfCaseId(messageId).thread }
  if (text === undefined) await remove(ctx, place, key)
  else await replace(ctx, place, activityOf({ visibility: 'public', text }), key)
  return { externalId: messageId }
}

function placeOf(id: string) {
  const { channel, thread } = threadOfCaseId(id)
  if (channel && thread) return { channel, thread }
  throw new ConnectorError(
    'rejected',
    `teams case "${id}": expected a channel, a bar and the message that its thread hangs on`,
  )
}

/**
 * Bots speak as themselves: the agent's name stands above the words. HTML, since Teams' Markdown differs between its clients.
 * A bot may put files into a private conversation only, so here they are links.
 */
function activityOf({ text, author, attachments = [] }: OutMessage) {
  const name = author?.name === undefined ? '' : `<strong>${textHtml(author.name)}</strong><br>`
  const links = attachments.flatMap(({ name: file, url }) =>
    url === undefined || !/^https:\/\//.test(url) ? [] : [`<br><a href="${textHtml(url)}">${textHtml(file)}</a>`],
  )
  return { type: 'message', textFormat: 'xml', text: `${name}${textHtml(text)}${links.join('')}` } as const
}
