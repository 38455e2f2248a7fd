/**
 * HubSpot's webhooks: batches of up to 100 thin events ("ticket 512 changed"), of all accounts that installed the app.
 * https://developers.hubspot.com/docs/api-reference/latest/webhooks
 */
import { createHash } from 'node:crypto'
import type { InboundContext, InboundItem, InboundRequest, Verdict } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import { parseExact } from '#hub/connector/exact-json.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { type HmacProfile, verifyHmac } from '#hub/connector/hmac.ts'
import type { HubspotConfig } from './config.ts'
import { WireEvent, WirePortal } from './wire.ts'

type Inbound = InboundContext<HubspotConfig>

/**
 * Version 3. Body and timestamp are signed without anything between them: the 13 digits of the timestamp are what keeps
 * their border. https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
 */
export const signature: HmacProfile = {
  header: 'x-hubspot-signature-v3',
  algorithm: 'sha256',
  encoding: 'base64',
  template: '{method}{url}{body}{ts}',
  timestamp: { header: 'x-hubspot-request-timestamp', format: 'unix_millis', toleranceSeconds: 300 },
}

/** HubSpot signs the URL with these characters decoded, and with no others. */
export function signedUrl(url: string): string {
  return url.replaceAll(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, decodeURIComponent)
}

export function verify(request: InboundRequest, secret: string, ctx: Inbound): Verdict {
  return verifyHmac({ ...request, url: signedUrl(request.url) }, secret, signature, ctx.now())
}

/** Events of other accounts are left out. What cannot be read is an item too, so that it is kept alone. */
export function items(request: InboundRequest, ctx: Inbound): readonly InboundItem[] {
  try {
    const batch = parseExact(utf8.decode(request.body))
    if (!Array.isArray(batch)) throw new UnreadableInput('hubspot webhook: expected a JSON array of events')
    return batch.filter((element) => !isForeign(element, ctx)).map(itemOf)
  } catch (cause) {
    // Also a RangeError of what is nested beyond all sense.
    if (cause instanceof UnreadableInput) throw cause
    throw new UnreadableInput('hubspot webhook: the body is not JSON in UTF-8', { cause })
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function isForeign(element: unknown, ctx: Inbound): boolean {
  const parsed = WirePortal.safeParse(element)
  return parsed.success && parsed.data.portalId !== ctx.config.portal_id
}

/** `eventId` is not unique and the attempt counts up: neither can tell two events apart, or one from its repetition. */
function itemOf(element: unknown): InboundItem {
  const body = JSON.stringify(element)
  const { data: event } = WireEvent.safeParse(element)
  if (!event) return { key: `sha256:${createHash('sha256').update(body).digest('hex')}`, body }
  const about = [event.objectTypeId, event.objectId, event.fromObjectId, event.toObjectId, event.newObjectId]
  const parts = [
    event.portalId,
    event.subscriptionId,
    about.filter((part) => part !== undefined && part !== null).join('>'),
    event.propertyName ?? event.associationTypeId ?? event.associationType,
    event.occurredAt,
    typeOf(event),
    ...(event.messageId ? [event.messageId] : []),
    ...(event.associationRemoved ? ['removed'] : []),
  ]
  return { key: parts.join('|'), body }
}

function typeOf(event: WireEvent): string {
  return event.subscriptionType ?? event.eventType ?? ''
}

export function normalise(item: InboundItem, ctx: Inbound): readonly Observation[] {
  const parsed = WireEvent.safeParse(jsonOf(item.body))
  if (!parsed.success || typeOf(parsed.data) === '') {
    throw new UnreadableInput(
      'hubspot webhook: expected an event with portalId, occurredAt (ms) and subscriptionType; ' +
        `got ${item.body.slice(0, 80).toWellFormed()}`,
    )
  }
  const event = parsed.data
  const told = { occurredAt: new Date(event.occurredAt).toISOString(), byHub: isHub(event, ctx) }
  const [prefix, change = ''] = typeOf(event).split('.', 2)
  const object = prefix === 'object' ? objectNames.get(event.objectTypeId ?? '') : prefix
  if (change === 'associationChange') return ofAssociation(event, object, told)
  if (object === 'ticket') return ofTicket(event, change, told)
  if (object === 'contact') return ofContact(event, change, told)
  return []
}

type Told = Pick<Observation, 'occurredAt' | 'byHub'>

const objectNames: ReadonlyMap<string, string> = new Map([
  ['0-1', 'contact'],
  ['0-2', 'company'],
  ['0-5', 'ticket'],
])

const changes = new Set(['creation', 'propertyChange', 'restore'])

function ofTicket(event: WireEvent, change: string, told: Told): readonly Observation[] {
  const pointer = (id: string): Observation => ({ ...told, type: 'pointer', entity: 'case', id })
  // That it is back is told here only: the ticket itself does not say when.
  if (change === 'restore') return [pointer(objectOf(event)), existence(objectOf(event), { deleted: false }, told)]
  if (changes.has(change)) return [pointer(objectOf(event))]
  if (change === 'deletion') return [existence(objectOf(event), { deleted: true }, told)]
  if (change !== 'merge') return []
  const { winner, losers } = mergeOf(event)
  return [pointer(winner), ...losers.map((id) => existence(id, { deleted: true }, told))]
}

function existence(id: string, { deleted }: { readonly deleted: boolean }, told: Told): Observation {
  return { ...told, type: 'case', case: { id, deleted, updatedAt: told.occurredAt } }
}

/**
 * Merged contacts keep the addresses of both. A contact that is deleted, also for privacy, says nothing new about the cases:
 * such events are kept and change nothing.
 */
function ofContact(event: WireEvent, change: string, told: Told): readonly Observation[] {
  if (changes.has(change)) return [{ ...told, type: 'pointer', entity: 'person', id: objectOf(event) }]
  return change === 'merge' ? [{ ...told, type: 'pointer', entity: 'person', id: mergeOf(event).winner }] : []
}

/** Who asked belongs to the ticket, the company to the contact. */
function ofAssociation(event: WireEvent, object: string | undefined, told: Told): readonly Observation[] {
  const { fromObjectId, toObjectId } = event
  if (!fromObjectId || !toObjectId) throw lacking('fromObjectId and toObjectId')
  // Older deliveries name the two sides as TICKET_TO_CONTACT.
  const [from = '', to = ''] = (event.associationType ?? '').toLowerCase().split('_to_')
  const sides = [
    { id: fromObjectId, object: objectNames.get(event.fromObjectTypeId ?? '') ?? (from || object) },
    { id: toObjectId, object: objectNames.get(event.toObjectTypeId ?? '') ?? to },
  ]
  const ticket = sides.find((side) => side.object === 'ticket')
  if (ticket) return [{ ...told, type: 'pointer', entity: 'case', id: ticket.id }]
  const contact = sides.find((side) => side.object === 'contact')
  return contact ? [{ ...told, type: 'pointer', entity: 'person', id: contact.id }] : []
}

function mergeOf(event: WireEvent) {
  const winner = event.newObjectId ?? event.primaryObjectId ?? event.objectId
  if (!winner) throw lacking('newObjectId or primaryObjectId')
  const merged = [event.primaryObjectId, ...(event.mergedObjectIds ?? [])]
  return { winner, losers: [...new Set(merged.filter((id) => typeof id === 'string'))].filter((id) => id !== winner) }
}

function objectOf(event: WireEvent): string {
  if (!event.objectId) throw lacking('objectId')
  return event.objectId
}

function lacking(what: string): UnreadableInput {
  return new UnreadableInput(`hubspot webhook: the event has no ${what}`)
}

/** The form of `sourceId` is documented by examples only: `userId:55`, so the app's id may stand alone or behind a name. */
function isHub(event: WireEvent, { config }: Inbound): boolean {
  if (config.hub_app_id === undefined || event.changeSource !== 'INTEGRATION') return false
  return event.sourceId === config.hub_app_id || event.sourceId?.endsWith(`:${config.hub_app_id}`) === true
}

function jsonOf(body: string): unknown {
  try {
    return parseExact(body)
  } catch (cause) {
    throw new UnreadableInput('hubspot webhook: the event is not JSON', { cause })
  }
}
