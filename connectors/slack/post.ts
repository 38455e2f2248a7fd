/** What others see: cards, kept up to date, and what was said, in the thread of its case. */
import { z } from 'zod'
import type { ChatContent, ChatPlace } from '#hub/connector/chat.ts'
import type { Found, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { call, type Slack, type Workspace } from './client.ts'
import { SlackRefusal } from './errors.ts'
import { spokenIn } from './phrases.ts'
import { renderCard } from './render-card.ts'
import { renderSaid } from './render-said.ts'
import { unfolded } from './show.ts'
import { share, uploadAll } from './upload.ts'
import { workspaceFor } from './workspaces.ts'

const Posted = z.object({ channel: z.string().min(1), ts: z.string().min(1) })

/** Slack keeps it with the message and shows it to the app alone: by it a message is found again. */
export function marked(key: string) {
  return { metadata: { event_type: 'deskweave', event_payload: { key } } }
}

export async function post(ctx: Slack, place: ChatPlace, content: ChatContent, key: string): Promise<Receipt> {
  const workspace = await workspaceFor(ctx, place)
  const thread = place.thread === undefined ? {} : { thread_ts: place.thread }
  const files = content.kind === 'said' ? await uploadAll(ctx, workspace, content.files ?? []) : []
  const { channel, ts } = await call(
    ctx,
    workspace,
    'chat.postMessage',
    { channel: place.channel, ...thread, ...unfolded, ...drawn(ctx, place, content), ...marked(key) },
    Posted,
  )
  await share(ctx, workspace, { channel, thread: place.thread ?? ts, ts }, files)
  return receiptOf(workspace, { ...place, channel }, ts)
}

export async function update(ctx: Slack, place: ChatPlace, content: ChatContent, key: string): Promise<Receipt> {
  if (place.message === undefined)
    throw new ConnectorError('rejected', 'Slack: no message is named that could be changed')
  const workspace = await workspaceFor(ctx, place)
  // The name above a message stays what it was.
  const { username: _name, ...message } = drawn(ctx, place, content)
  const { ts } = await call(
    ctx,
    workspace,
    'chat.update',
    { channel: place.channel, ts: place.message, ...message, ...marked(key) },
    Posted,
  )
  return receiptOf(workspace, place, ts)
}

function drawn(ctx: Slack, place: ChatPlace, content: ChatContent) {
  const { words } = spokenIn(ctx.config, place.channel)
  return content.kind === 'card'
    ? { ...renderCard(content.card, words), username: undefined }
    : renderSaid(content.said, words)
}

function receiptOf({ key }: Workspace, { channel, thread, reference = key }: ChatPlace, ts: string): Receipt {
  return {
    externalId: ts,
    place: { channel, ...(thread ? { thread } : {}), message: ts, ...(reference ? { reference } : {}) },
  }
}

const Messages = z.object({
  messages: z.array(
    z.looseObject({
      ts: z.string(),
      metadata: z
        .object({ event_payload: z.looseObject({ key: z.string() }) })
        .optional()
        .catch(undefined),
    }),
  ),
  has_more: z.boolean().nullish(),
  response_metadata: z.object({ next_cursor: z.string().nullish() }).nullish().catch(undefined),
})

/** As many as Slack advises for one page. */
const perPage = 200
/** Where more was written within the time of doubt, nobody knows. */
const mostPages = 5
/** The hub tries for three days, most of which Slack may have been away: so long ago the call in question may have been. */
const doubtMs = 73 * 3_600_000

/** Looks through what was written lately in the thread, or in the channel. */
export async function find(ctx: Slack, place: ChatPlace, key: string): Promise<Found> {
  const workspace = await workspaceFor(ctx, place)
  const found = await findMarked(ctx, workspace, place, key)
  return typeof found === 'object' ? receiptOf(workspace, place, found.ts) : found
}

/** A channel is told from its newest message back, a thread from its oldest on, and its head comes with every page. */
export async function findMarked(
  ctx: Slack,
  workspace: Workspace,
  { channel, thread }: ChatPlace,
  key: string,
): Promise<{ readonly ts: string } | 'unknown' | undefined> {
  const doubtful = Math.floor((ctx.now().getTime() - doubtMs) / 1_000)
  const [method, where] =
    thread === undefined
      ? (['conversations.history', {}] as const)
      : (['conversations.replies', { ts: thread, oldest: `${doubtful}.000000` }] as const)
  const args = { channel, ...where, limit: perPage, include_all_metadata: true }
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page += 1) {
    const read = await readPage(ctx, workspace, method, cursor === undefined ? args : { ...args, cursor })
    if (read === 'unknown') return read
    const { messages, has_more: more, response_metadata: metadata } = read
    const found = messages.find((one) => one.metadata?.event_payload.key === key)
    if (found) return { ts: found.ts }
    cursor = metadata?.next_cursor || undefined
    if (!more && cursor === undefined) return undefined
    const isPastDoubt = thread === undefined && messages.some(({ ts }) => Number(ts) < doubtful)
    if (isPastDoubt) return undefined
    if (cursor === undefined) return 'unknown'
  }
  return 'unknown'
}

async function readPage(
  ctx: Slack,
  workspace: Workspace,
  method: 'conversations.history' | 'conversations.replies',
  args: Record<string, unknown>,
): Promise<z.output<typeof Messages> | 'unknown'> {
  try {
    return await call(ctx, workspace, method, args, Messages)
  } catch (error) {
    // Without the right to read a channel nobody can tell.
    if (error instanceof SlackRefusal && cannotLook.has(error.error)) return 'unknown'
    // Where one page a minute may be read, waiting and beginning anew would never come to the second.
    const isNext = 'cursor' in args
    if (isNext && error instanceof ConnectorError && error.code === 'rate_limited') return 'unknown'
    throw error
  }
}
const cannotLook = new Set([
  'missing_scope',
  'not_in_channel',
  'channel_not_found',
  'thread_not_found',
  'not_allowed_token_type',
])
