/** A survey's answer: the score on the ticket, the score on the contact, and a note on both that says it in words. */
import type { CaseChange, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { RatingFacts } from '#hub/connector/facts.ts'
import { firstAssociated } from './associations.ts'
import { callSdk, type Hubspot } from './client.ts'
import { type HubspotConfig, ticketUrl } from './config.ts'
import { htmlOf, ratingNote } from './mapping.ts'
import { findNote, writeNote } from './note.ts'
import { ticketId } from './read.ts'
import { WireBatch, WireObject } from './wire.ts'

/** Scores are set, which may be repeated; the note is written last, and only when it is not there. */
export async function recordRating(ctx: Hubspot, id: string, rating: RatingFacts, key: string): Promise<Receipt> {
  const { ticket_score_property: onTicket } = ctx.config
  const contactId = (await firstAssociated(ctx, 'tickets', 'contacts', [ticketId(id)])).get(id)
  if (onTicket) {
    const properties = { [onTicket]: String(rating.score) }
    await callSdk(ctx, WireObject, ({ basic }) => basic.update('tickets', id, { properties }))
  }
  if (!(await findNote(ctx, id, key))) {
    await writeNote(ctx, { ticketId: id, html: htmlOf(ratingNote(rating)), ...(contactId ? { contactId } : {}) }, key)
  }
  return { externalId: id, url: ticketUrl(ctx.config, id) }
}

/** Wherever the case was. Without a property to hold it there is nothing to do. */
export async function recordPersonRating(ctx: Hubspot, id: string, rating: RatingFacts, key: string): Promise<Receipt> {
  const { contact_score_property: onContact } = ctx.config
  if (!onContact) return { externalId: id }
  const input = { id, properties: { [onContact]: String(rating.score) }, objectWriteTraceId: key }
  const { results, errors } = await callSdk(ctx, WireBatch, ({ batch }) =>
    batch.update('contacts', { inputs: [input] }),
  )
  if (results[0]) return { externalId: id }
  throw new ConnectorError(
    'rejected',
    `hubspot contact ${id}: the score was not taken: ${errors?.[0]?.message ?? 'no reason given'}`,
  )
}

/** The echo of a rating is known by these. */
export function ratingChanges(config: HubspotConfig, rating: RatingFacts): Pick<CaseChange, 'addTags' | 'custom'> {
  const { ticket_score_property: onTicket } = config
  return onTicket ? { custom: { [onTicket]: rating.score } } : {}
}
