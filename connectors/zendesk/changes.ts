/**
 * Everything that changed since a cursor: tickets by the incremental cursor export, their comments ticket by ticket. (The
 * export of ticket events would bring comments too, but in pages of 1,000 whose size cannot be chosen, far over the 1 MiB
 * that the hub reads.) https://developer.zendesk.com/documentation/ticketing/managing-tickets/using-the-incremental-export-api/
 */
import { z } from 'zod'
import type { Page } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { read, type Zendesk } from './client.ts'
import { byId, sideloadsOf, toCase, toMessage, utc } from './mapping.ts'
import { isMarked } from './marks.ts'
import { isTooLong } from './read.ts'
import { WireComments, WireExport, type WireTicket } from './wire.ts'

const Cursor = z.union([
  /** Where Zendesk's export stands, and from when on comments are news. */
  z.object({ after: z.string(), since: z.iso.datetime() }),
  z.object({ start: z.number().int(), since: z.iso.datetime() }),
])
type Cursor = z.output<typeof Cursor>

/** Zendesk keeps the last minute back and refuses a start in it; 30 s more for clocks that differ. */
const settleMs = 90_000
/**
 * A ticket that is changed again and again stays in the minute that is kept back, so a run may meet comments older than its
 * predecessor. An hour of comments is read once more each time; the hub knows them by their ids.
 */
const overlapMs = 60 * 60_000

export async function* since(ctx: Zendesk, stored: string | undefined): AsyncGenerator<Page> {
  const startedAt = ctx.now().getTime()
  let cursor = stored === undefined ? beginning(startedAt) : readCursor(stored)
  for (;;) {
    const page = await exportPage(ctx, cursor)
    const sideloads = sideloadsOf(page)
    const comments = await commentsOf(ctx, page.tickets, cursor.since)
    const observations = page.tickets.flatMap((ticket): Observation[] => {
      const facts = toCase(ticket, sideloads, ctx.config)
      const occurredAt = facts.updatedAt ?? ctx.now().toISOString()
      return [{ type: 'case', case: facts, occurredAt, byHub: false }, ...(comments.get(ticket.id) ?? [])]
    })
    const isDone = page.end_of_stream || !page.after_cursor
    const next = isDone ? new Date(startedAt - overlapMs).toISOString() : cursor.since
    cursor = page.after_cursor ? { after: page.after_cursor, since: next } : { ...cursor, since: next }
    yield { observations, cursor: JSON.stringify(cursor) }
    if (isDone) return
  }
}

function beginning(nowMs: number): Cursor {
  const from = nowMs - settleMs
  return { start: Math.floor(from / 1000), since: new Date(from).toISOString() }
}

function readCursor(text: string): Cursor {
  try {
    return Cursor.parse(JSON.parse(text))
  } catch (cause) {
    throw new ConnectorError('malformed', 'zendesk: the stored cursor cannot be read; start the reconciliation anew', {
      cause,
    })
  }
}

async function exportPage(ctx: Zendesk, cursor: Cursor, perPage = 100): Promise<z.output<typeof WireExport>> {
  const query = {
    ...('after' in cursor ? { cursor: cursor.after } : { start_time: cursor.start }),
    per_page: perPage,
    include: 'users,groups,organizations',
  }
  try {
    return await read(ctx, WireExport, '/incremental/tickets/cursor', query, { budget: 'incremental' })
  } catch (error) {
    if (!isTooLong(error) || perPage === 1) throw error
    return exportPage(ctx, cursor, Math.ceil(perPage / 4))
  }
}

async function commentsOf(
  ctx: Zendesk,
  tickets: readonly WireTicket[],
  sinceTime: string,
): Promise<ReadonlyMap<string, readonly Observation[]>> {
  // Zendesk's own upkeep exports tickets again that nobody touched: they have no new comment.
  const touched = tickets.filter(
    (ticket) => ticket.status !== 'deleted' && (utc(ticket.updated_at) ?? '9') >= sinceTime,
  )
  const found = new Map<string, readonly Observation[]>()
  const waiting = touched.values()
  const worker = async () => {
    for (const ticket of waiting) found.set(ticket.id, await newComments(ctx, ticket.id, sinceTime))
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  return found
}

/** Newest first from Zendesk, oldest first to the hub. */
async function newComments(ctx: Zendesk, ticketId: string, sinceTime: string): Promise<readonly Observation[]> {
  const found: Observation[] = []
  let after: string | undefined
  for (;;) {
    const page = await commentPage(ctx, ticketId, after)
    if (!page) return []
    const users = byId(page.users)
    const fresh = page.comments.filter((comment) => (utc(comment.created_at) ?? '9') >= sinceTime)
    for (const comment of fresh) {
      const message = toMessage(comment, comment.author_id ? users.get(comment.author_id) : undefined)
      found.push({
        type: 'message',
        caseId: ticketId,
        message,
        occurredAt: message.sentAt,
        byHub: isMarked(comment.metadata),
      })
    }
    after = page.meta?.after_cursor ?? undefined
    if (fresh.length < page.comments.length || !page.meta?.has_more || after === undefined) return found.reverse()
  }
}

async function commentPage(ctx: Zendesk, ticketId: string, after: string | undefined) {
  const query = { sort: '-created_at', 'page[size]': 25, include: 'users', 'page[after]': after }
  try {
    return await read(ctx, WireComments, `/tickets/${ticketId}/comments`, query)
  } catch (error) {
    // Deleted since it was exported; its deletion comes with a later page.
    if (error instanceof ConnectorError && error.code === 'not_found') return undefined
    throw error
  }
}
