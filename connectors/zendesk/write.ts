/**
 * Writes to tickets. Each one carries the hub's key in the ticket's metadata, which Zendesk keeps in the audit of the change:
 * there an effect whose answer was lost is found again. https://developer.zendesk.com/documentation/ticketing/managing-tickets/creating-and-updating-tickets/
 */
import type { CaseChange, CaseDraft, OutMessage, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { PersonFacts, RatingFacts } from '#hub/connector/facts.ts'
import { assigneeOf, authorIdOf } from './agents.ts'
import { type CallOptions, callSdk, read, type Zendesk } from './client.ts'
import { changeClosedTags } from './closed.ts'
import { agentUrl, type ZendeskConfig } from './config.ts'
import { upload } from './files.ts'
import { fromCustom, fromMessage, fromPriority, fromStatus, ratedTags, ratingNote, utc } from './mapping.ts'
import { mark, markOf, partMark } from './marks.ts'
import { findMerged } from './merge.ts'
import { groupIdOf } from './read.ts'
import { inOurWords, isOutsideGroup } from './refusals.ts'
import { ticketPath } from './ticket-path.ts'
import {
  WireAnything,
  type WireAudit,
  WireAudits,
  type WireTicket,
  WireTicketRead,
  WireTickets,
  WireTicketWritten,
  wireId,
} from './wire.ts'

const updates: CallOptions = { budget: 'ticket_update' }

/**
 * Zendesk knows the Idempotency-Key for 2 hours, and the ticket's external_id for ever: by the second one `find` tells, before
 * a call is repeated, whether the ticket is there.
 */
export async function create(ctx: Zendesk, draft: CaseDraft, key: string): Promise<Receipt> {
  const ticket = {
    subject: draft.subject,
    comment: fromMessage({ visibility: draft.visibility, text: draft.text }),
    ...requesterOf(draft.requester),
    ...(draft.status ? { status: fromStatus[draft.status] } : {}),
    ...(draft.priority ? { priority: fromPriority[draft.priority] } : {}),
    ...(draft.tags ? { tags: draft.tags } : {}),
    ...(draft.team ? { group_id: wireId(await groupIdOf(ctx, draft.team)) } : {}),
    ...(draft.custom ? { custom_fields: fromCustom(draft.custom) } : {}),
    external_id: key,
    metadata: mark(key),
  }
  const post = callSdk(ctx, WireTicketWritten, (client) => client.tickets.post(['tickets'], { ticket }), {
    idempotencyKey: key,
  })
  const written = await post.catch((error: unknown) => {
    throw inOurWords(error)
  })
  return receiptOf(written.ticket, ctx.config)
}

/** The address decides who it is: an id could be another tool's. */
function requesterOf(person: PersonFacts) {
  const email = person.emails?.[0]
  if (email) return { requester: { name: person.name ?? email, email } }
  if (person.id && /^\d+$/.test(person.id)) return { requester_id: wireId(person.id) }
  throw new ConnectorError(
    'rejected',
    'zendesk ticket: the requester has no e-mail address and no Zendesk id; Zendesk needs one of them',
  )
}

/**
 * Fields go in one update, under the condition `ifVersion`. Tags go by the endpoints that add and remove: the ticket's own
 * `tags` would replace what others added meanwhile, and Zendesk's stamp counts whole seconds, too coarse to notice.
 * Repeating either is harmless, so an update with tags is marked as a part and simply repeated when its answer is lost.
 */
export async function update(ctx: Zendesk, id: string, change: CaseChange, key: string): Promise<Receipt> {
  const { addTags = [], removeTags = [] } = change
  const hasTags = addTags.length + removeTags.length > 0
  const fields = await fieldsOf(ctx, change)
  let receipt: Receipt = { externalId: id, url: agentUrl(ctx.config, id) }
  if (Object.keys(fields).length > 0) {
    const condition = change.ifVersion ? { safe_update: true, updated_stamp: change.ifVersion } : {}
    const metadata = hasTags ? partMark(key) : mark(key)
    const { ticket } = await putFields(ctx, id, { ...fields, ...condition, metadata }, change)
    receipt = receiptOf(ticket, ctx.config)
  }
  if (addTags.length > 0) await changeTags(ctx, 'PUT', id, addTags)
  if (removeTags.length > 0) await changeTags(ctx, 'DELETE', id, removeTags)
  // Tags moved the ticket's time on, and their answer does not tell it.
  return hasTags ? { externalId: id, url: agentUrl(ctx.config, id) } : receipt
}

/** Agents own tickets of their groups only: where nobody said which team it should be, the ticket follows its new agent. */
async function putFields(ctx: Zendesk, id: string, ticket: object, { assigneeEmail, team }: CaseChange) {
  try {
    return await putTicket(ctx, id, ticket)
  } catch (error) {
    if (!isOutsideGroup(error) || team !== undefined || !assigneeEmail) throw inOurWords(error)
    const { default_group_id: groupId } = await assigneeOf(ctx, assigneeEmail)
    if (!groupId) throw error
    return await putTicket(ctx, id, { ...ticket, group_id: wireId(groupId) })
  }
}

async function fieldsOf(ctx: Zendesk, change: CaseChange) {
  const { status, priority, subject, assigneeEmail, team, custom } = change
  if (status === 'new') {
    throw new ConnectorError(
      'rejected',
      'status "new": Zendesk never sets a ticket back to New; set it to open instead',
    )
  }
  return {
    ...(status ? { status: fromStatus[status] } : {}),
    ...(priority ? { priority: fromPriority[priority] } : {}),
    ...(subject === undefined ? {} : { subject }),
    ...(assigneeEmail === undefined
      ? {}
      : { assignee_id: await idOrNull(ctx, assigneeEmail, async (...agent) => (await assigneeOf(...agent)).id) }),
    ...(team === undefined ? {} : { group_id: await idOrNull(ctx, team, groupIdOf) }),
    ...(custom && Object.keys(custom).length > 0 ? { custom_fields: fromCustom(custom) } : {}),
  }
}

async function idOrNull(ctx: Zendesk, name: string | null, idOf: (ctx: Zendesk, name: string) => Promise<string>) {
  return name === null ? null : wireId(await idOf(ctx, name))
}

/** Public reply or internal note: Zendesk has no way to comment but an update of the ticket. */
export async function message(ctx: Zendesk, id: string, out: OutMessage, key: string): Promise<Receipt> {
  const authorId = out.author ? await authorIdOf(ctx, out.author, out.visibility) : undefined
  const uploads = await upload(ctx, out.files)
  const comment = {
    ...fromMessage(out, { isOwnAccount: authorId !== undefined }),
    ...(authorId === undefined ? {} : { author_id: wireId(authorId) }),
    ...(uploads.length > 0 ? { uploads } : {}),
  }
  const written = await putTicket(ctx, id, { comment, metadata: mark(key) })
  const { externalId: _, ...receipt } = receiptOf(written.ticket, ctx.config)
  const commentId = written.audit ? commentIdOf(written.audit) : undefined
  return { ...receipt, ...(commentId ? { externalId: commentId } : {}) }
}

/**
 * Score and comment as custom fields, tag and internal note, in one update. A rating comes long after the ticket was last
 * touched, so the stamp is a safe guard for its tags. The tag is the sign that this may have been written already. A closed
 * ticket takes the tag alone.
 */
export async function recordRating(ctx: Zendesk, id: string, rating: RatingFacts, key: string): Promise<Receipt> {
  for (let attempt = 1; ; attempt += 1) {
    const { ticket } = await callSdk(ctx, WireTicketRead, (client) => client.tickets.get(ticketPath(id)))
    const tags = ratedTags(ticket.tags ?? [], rating)
    const isTagged = tags.every((tag) => ticket.tags?.includes(tag))
    const earlier = isTagged ? await findInAudits(ctx, id, key) : undefined
    const written = { externalId: id, url: agentUrl(ctx.config, id) }
    if (earlier) return written
    if (ticket.status === 'closed') {
      const remove_tags = (ticket.tags ?? []).filter((tag) => !tags.includes(tag))
      if (!isTagged) await changeClosedTags(ctx, id, { additional_tags: ratedTags([], rating), remove_tags })
      return written
    }
    try {
      const { ticket: rated } = await putTicket(ctx, id, {
        tags,
        comment: { body: ratingNote(rating), public: false },
        ...ratingFields(ctx.config, rating),
        ...(ticket.updated_at ? { safe_update: true, updated_stamp: ticket.updated_at } : {}),
        metadata: mark(key),
      })
      return receiptOf(rated, ctx.config)
    } catch (error) {
      const isConflict = error instanceof ConnectorError && error.code === 'conflict'
      if (!isConflict || attempt === 3) throw error
    }
  }
}

/** The echo of a rating is known by these. */
export function ratingChanges(config: ZendeskConfig, rating: RatingFacts): Pick<CaseChange, 'addTags' | 'custom'> {
  const custom = {
    ...(config.score_field_id ? { [config.score_field_id]: rating.score } : {}),
    ...(config.comment_field_id && rating.comment ? { [config.comment_field_id]: rating.comment } : {}),
  }
  return { addTags: ratedTags([], rating), custom }
}

function ratingFields(config: ZendeskConfig, rating: RatingFacts) {
  const fields = [
    ...(config.score_field_id ? [{ id: wireId(config.score_field_id), value: rating.score }] : []),
    ...(config.comment_field_id && rating.comment
      ? [{ id: wireId(config.comment_field_id), value: rating.comment }]
      : []),
  ]
  return fields.length > 0 ? { custom_fields: fields } : {}
}

/** Has this key been written? Only changes marked as whole count. */
export async function find(
  ctx: Zendesk,
  call: 'create' | 'update' | 'message' | 'merge',
  id: string,
  key: string,
): Promise<Receipt | undefined> {
  if (call === 'create') return findCreated(ctx, key)
  if (call === 'merge') return findMerged(ctx, id)
  const audit = await findInAudits(ctx, id, key)
  if (!audit) return undefined
  const updatedAt = utc(audit.created_at)
  const externalId = call === 'message' ? commentIdOf(audit) : id
  return {
    ...(externalId ? { externalId } : {}),
    url: agentUrl(ctx.config, id),
    ...(updatedAt ? { updatedAt } : {}),
  }
}

async function findCreated(ctx: Zendesk, key: string): Promise<Receipt | undefined> {
  const { tickets } = await read(ctx, WireTickets, '/tickets', { external_id: key })
  return tickets[0] && receiptOf(tickets[0], ctx.config)
}

async function findInAudits(ctx: Zendesk, id: string, key: string): Promise<WireAudit | undefined> {
  let after: string | undefined
  for (;;) {
    const query = { 'page[size]': 50, 'page[after]': after }
    const page = await read(ctx, WireAudits, `/${ticketPath(id).join('/')}/audits`, query)
    const found = page.audits.find((audit) => markOf(audit.metadata) === key)
    after = page.meta?.after_cursor ?? undefined
    if (found || !page.meta?.has_more || after === undefined) return found
  }
}

function putTicket(ctx: Zendesk, id: string, ticket: object) {
  return callSdk(ctx, WireTicketWritten, (client) => client.tickets.put(ticketPath(id), { ticket }), updates)
}

async function changeTags(ctx: Zendesk, method: 'PUT' | 'DELETE', id: string, tags: readonly string[]): Promise<void> {
  const path = [...ticketPath(id), 'tags'].join('/')
  await callSdk(ctx, WireAnything, (client) => client.tickets.request(method, path, { tags }), updates)
}

function receiptOf(ticket: WireTicket, config: ZendeskConfig): Receipt {
  const updatedAt = utc(ticket.updated_at)
  return {
    externalId: ticket.id,
    url: agentUrl(config, ticket.id),
    ...(updatedAt ? { updatedAt } : {}),
    ...(ticket.updated_at ? { version: ticket.updated_at } : {}),
  }
}

function commentIdOf(audit: WireAudit): string | undefined {
  return audit.events?.find((event) => event.type === 'Comment')?.id ?? undefined
}
