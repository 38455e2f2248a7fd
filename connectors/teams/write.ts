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
import { referenceOf } from './reference.ts'
import { longestCard as longestText } from './room.ts'
import { type SharedFile, shareFiles } from './share-files.ts'

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
  const place = { ...placeOf(id), ...(out.reference === undefined ? {} : { reference: out.reference }) }
  // They go first, so that what is said and what belongs to it stand there at once.
  const sharing = { files: out.files ?? [], mayWait: out.filesMayWait === true, key }
  const files = await shareFiles(ctx, referenceOf(place, ctx.config), sharing)
  const { message: written } = await send(ctx, place, activityOf(out, files), key)
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
  else await replace(ctx, place, activityOf({ text }), key)
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

/** Bots speak as themselves: the agent's name stands above the words. HTML, since Teams' Markdown differs between its clients. */
function activityOf({ text, author }: Pick<OutMessage, 'text' | 'author'>, files: readonly SharedFile[] = []) {
  const name = author?.name === undefined ? '' : `<strong>${textHtml(author.name)}</strong><br>`
  const linked = [name + textHtml(text), ...files.map(linkHtml)].join('<br>')
  const whole = linked.length <= longestText ? linked : [name + textHtml(text), ...files.map(nameHtml)].join('<br>')
  return { type: 'message', textFormat: 'xml', text: whole } as const
}

const nameHtml = ({ name }: SharedFile) => textHtml(name)
const linkHtml = ({ name, url }: SharedFile) =>
  url === undefined || !/^https?:\/\//.test(url) ? textHtml(name) : `<a href="${textHtml(url)}">${textHtml(name)}</a>`
