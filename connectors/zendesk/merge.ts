/**
 * Zendesk's own merge. The source is closed with the tag closed_by_merge, which is how a merge whose answer was lost is known
 * again. https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#merge-tickets-into-target-ticket
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { callSdk, read, type Zendesk } from './client.ts'
import { agentUrl } from './config.ts'
import { ticketPath } from './ticket-path.ts'
import { type WireJob, WireJobRead, WireTicketRead, wireId } from './wire.ts'

/** A merge is a job of seconds. */
const looksAfterMs = [0, 500, 1_000, 2_000, 4_000]

/** @throws ConnectorError rejected when Zendesk cannot merge them, outcome_unknown while it is still at it */
export async function merge(ctx: Zendesk, id: string, intoId: string): Promise<Receipt> {
  ticketPath(id)
  const request = {
    ids: [wireId(id)],
    source_comment: `Merged into ticket #${intoId} (by Deskweave).`,
    target_comment: `Ticket #${id} was merged into this one (by Deskweave).`,
    source_comment_is_public: false,
    target_comment_is_public: false,
  }
  const path = [...ticketPath(intoId), 'merge'].join('/')
  const started = await callSdk(ctx, WireJobRead, (client) => client.tickets.request('POST', path, request))
  await finished(ctx, started.job_status, `zendesk merge of ticket ${id} into ${intoId}`)
  return { externalId: intoId, url: agentUrl(ctx.config, intoId) }
}

/** @throws ConnectorError rejected when the job did not do it, outcome_unknown while Zendesk is still at it */
export async function finished(ctx: Zendesk, started: WireJob, what: string): Promise<void> {
  let job = started
  for (const afterMs of looksAfterMs) {
    if (job.status === 'completed') return refuseFailures(job, what)
    if (job.status === 'failed' || job.status === 'killed') break
    if (afterMs > 0) await pause(afterMs, undefined, { signal: ctx.signal })
    job = (await read(ctx, WireJobRead, `/job_statuses/${job.id}`, {})).job_status
  }
  if (job.status === 'completed') return refuseFailures(job, what)
  if (job.status === 'failed' || job.status === 'killed') {
    throw new ConnectorError('rejected', `${what}: ${job.message?.slice(0, 300) ?? `the job has ${job.status}`}`)
  }
  throw new ConnectorError('outcome_unknown', `${what} is still ${job.status}`, { retryAfterMs: 30_000 })
}

/** A job may be completed although what it was for was refused. */
function refuseFailures(job: WireJob, what: string): void {
  const failure = job.results?.find(({ success, error }) => success === false || Boolean(error))
  if (!failure) return
  const why = [failure.error, failure.errors, failure.details].filter(Boolean).join(': ') || 'refused'
  throw new ConnectorError('rejected', `${what}: ${why.slice(0, 300)}`)
}

export async function findMerged(ctx: Zendesk, id: string): Promise<Receipt | undefined> {
  const { ticket } = await callSdk(ctx, WireTicketRead, (client) => client.tickets.get(ticketPath(id)))
  const isMerged = ticket.status === 'closed' && ticket.tags?.includes('closed_by_merge')
  return isMerged ? { url: agentUrl(ctx.config, id) } : undefined
}
