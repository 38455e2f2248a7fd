/** A survey's answer: the score on the ticket and on its contact, and a note on both that says it in words. */
import type { CaseChange, Receipt } from '#hub/connector/contract.ts'
import type { RatingFacts } from '#hub/connector/facts.ts'
import { firstAssociated } from './associations.ts'
import { callSdk, type Hubspot } from './client.ts'
import { type HubspotConfig, ticketUrl } from './config.ts'
import { htmlOf, ratingNote } from './mapping.ts'
import { findNote, writeNote } from './note.ts'
import { updateContact } from './person.ts'
import { ticketId } from './read.ts'
import { WireObject } from './wire.ts'

/** Scores are set, which may be repeated; the note is written last, and only when it is not there. */
export async function recordRating(ctx: Hubspot, id: string, rating: RatingFacts, key: string): Promise<Receipt> {
  const { ticket_score_property: onTicket, contact_score_property: onContact } = ctx.config
  const score = String(rating.score)
  const contactId = (await firstAssociated(ctx, 'tickets', 'contacts', [ticketId(id)])).get(id)
  if (onTicket) {
    const properties = { [onTicket]: score }
    await callSdk(ctx, WireObject, ({ basic }) => basic.update('tickets', id, { properties }))
  }
  if (onContact && contactId) await updateContact(ctx, contactId, { [onContact]: score })
  if (!(await findNote(ctx, id, key))) {
    await writeNote(ctx, { ticketId: id, html: htmlOf(ratingNote(rating)), ...(contactId ? { contactId } : {}) }, key)
  }
  return { externalId: id, url: ticketUrl(ctx.config, id) }
}

/** The echo of a rating is known by these. */
export function ratingChanges(config: HubspotConfig, rating: RatingFacts): Pick<CaseChange, 'addTags' | 'custom'> {
  const { ticket_score_property: onTicket } = config
  return onTicket ? { custom: { [onTicket]: rating.score } } : {}
}
