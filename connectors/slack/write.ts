/**
 * What the hub says to a customer in a shared channel: in the thread of the case, under the agent's name. Notes never go
 * there, as everybody in it reads along.
 */
import { z } from 'zod'
import type { Found, OutMessage, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { call, type Slack } from './client.ts'
import { SlackRefusal } from './errors.ts'
import { findMarked, marked } from './post.ts'
import { authorName } from './render-said.ts'
import { unfolded } from './show.ts'
import { customerText } from './text.ts'
import { share, uploadAll } from './upload.ts'
import { workspaceFor } from './workspaces.ts'

const Posted = z.object({ ts: z.string().min(1) })
const Anything = z.object({})

/** A case in Slack is a thread of a channel. */
export function threadOf(caseId: string): { readonly channel: string; readonly thread: string } {
  const [, channel, thread] = /^([A-Z0-9]{2,30})\|(\d{1,12}\.\d{1,9})$/.exec(caseId) ?? []
  if (channel && thread) return { channel, thread }
  throw new ConnectorError(
    'rejected',
    `Slack case "${caseId}": expected a channel and a thread, such as C0123|1795169730.000100`,
  )
}

/** @throws ConnectorError rejected */
export async function create(): Promise<Receipt> {
  throw new ConnectorError(
    'rejected',
    'a case in Slack begins with what a customer writes; it cannot be opened from here',
  )
}

/** @throws ConnectorError rejected */
export async function updateCase(): Promise<Receipt> {
  throw new ConnectorError(
    'rejected',
    'a thread in Slack has no fields to write; the hub keeps those of its cases itself',
  )
}

export async function message(ctx: Slack, caseId: string, out: OutMessage, key: string): Promise<Receipt> {
  if (out.visibility === 'internal') return {}
  const { channel, thread } = threadOf(caseId)
  const workspace = await workspaceFor(ctx, { channel })
  // Bytes that stand nowhere yet are nobody's business: they go first, so that a file which does not arrive holds up all of it.
  const files = await uploadAll(ctx, workspace, out.files ?? [])
  const username = authorName(out.author?.name)
  const text = customerText(out.text)
  const { ts } = await call(
    ctx,
    workspace,
    'chat.postMessage',
    { channel, thread_ts: thread, text, mrkdwn: false, username, ...unfolded, ...marked(key) },
    Posted,
  )
  await share(ctx, workspace, { channel, thread, ts }, files)
  return { externalId: ts }
}

/** @param text undefined: it is taken back. */
export async function revise(
  ctx: Slack,
  caseId: string,
  messageId: string,
  text: string | undefined,
  key: string,
): Promise<Receipt> {
  const { channel } = threadOf(caseId)
  const workspace = await workspaceFor(ctx, { channel })
  try {
    await (text === undefined
      ? call(ctx, workspace, 'chat.delete', { channel, ts: messageId }, Anything)
      : call(
          ctx,
          workspace,
          'chat.update',
          { channel, ts: messageId, text: customerText(text), ...marked(key) },
          Anything,
        ))
  } catch (error) {
    // Taken back already, by the attempt before this one or by a person.
    const isGone = text === undefined && error instanceof SlackRefusal && error.error === 'message_not_found'
    if (!isGone) throw error
  }
  return { externalId: messageId }
}

export async function findMessage(
  ctx: Slack,
  what: 'create' | 'update' | 'message',
  caseId: string,
  key: string,
): Promise<Found> {
  if (what !== 'message') return undefined
  const where = threadOf(caseId)
  const found = await findMarked(ctx, await workspaceFor(ctx, { channel: where.channel }), where, key)
  return typeof found === 'object' ? { externalId: found.ts } : found
}
