/** Writes to contacts. An upsert by a unique value is done once however often it is sent. */
import type { Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { PersonFacts } from '#hub/connector/facts.ts'
import { callSdk, type Hubspot } from './client.ts'
import { fromName, fromValue, utc } from './mapping.ts'
import { WireBatch, WireObject } from './wire.ts'

interface Identity {
  readonly idProperty: string
  readonly id: string
}

/** https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/batch/create-or-update-contacts */
export async function upsert(ctx: Hubspot, person: PersonFacts, key: string): Promise<Receipt> {
  const identity = identityOf(ctx, person)
  if (!identity) throw nobody(ctx)
  const contact = await upsertContact(ctx, identity, propertiesOf(person), key)
  const updatedAt = utc(contact.updatedAt)
  return { externalId: contact.id, ...(updatedAt ? { updatedAt } : {}) }
}

function nobody(ctx: Hubspot): ConnectorError {
  const property = ctx.config.contact_key_property
  const other = property ? `no trait "${property}"` : 'the setting contact_key_property is empty'
  return new ConnectorError(
    'rejected',
    `hubspot contact: the person has no e-mail address and ${other}; HubSpot needs one of them`,
  )
}

/** The address decides who it is: an id could be another tool's. */
function identityOf({ config }: Hubspot, person: PersonFacts): Identity | undefined {
  const email = person.emails?.[0]?.toLowerCase()
  if (email) return { idProperty: 'email', id: email }
  const property = config.contact_key_property
  const value = property === undefined ? undefined : person.traits?.[property]
  if (property === undefined || (typeof value !== 'string' && typeof value !== 'number')) return undefined
  return { idProperty: property, id: String(value) }
}

function propertiesOf(person: PersonFacts): Record<string, string> {
  const traits = Object.entries(person.traits ?? {}).map(([name, value]) => [name, fromValue(value)])
  return {
    ...fromName(person.name),
    ...(person.phones?.[0] ? { phone: person.phones[0] } : {}),
    ...(person.company?.name ? { company: person.company.name } : {}),
    ...(person.locale ? { hs_language: person.locale.toLowerCase() } : {}),
    ...Object.fromEntries(traits),
  }
}

async function upsertContact(
  ctx: Hubspot,
  { idProperty, id }: Identity,
  properties: Record<string, string>,
  key: string,
): Promise<WireObject> {
  const input = { idProperty, id, properties: { ...properties, [idProperty]: id }, objectWriteTraceId: key }
  const { results, errors } = await callSdk(ctx, WireBatch, ({ batch }) =>
    batch.upsert('contacts', { inputs: [input] }),
  )
  const [contact] = results
  if (contact) return contact
  const words = (errors ?? []).flatMap((one) => one.message ?? []).join('; ')
  throw new ConnectorError(
    'rejected',
    `hubspot contact: HubSpot did not take it: ${words.slice(0, 200) || 'no reason given'}`,
  )
}

/**
 * The contact behind a person who asks. Somebody known keeps their name as it is in HubSpot.
 * @returns `undefined` for somebody without an address.
 */
export async function contactIdOf(ctx: Hubspot, person: PersonFacts, key: string): Promise<string | undefined> {
  const identity = identityOf(ctx, person)
  if (!identity) return undefined
  const contact = await upsertContact(ctx, identity, {}, key)
  const name = fromName(person.name)
  if (contact.new && Object.keys(name).length > 0) await updateContact(ctx, contact.id, name)
  return contact.id
}

export async function updateContact(ctx: Hubspot, id: string, properties: Record<string, string>): Promise<void> {
  await callSdk(ctx, WireObject, ({ basic }) => basic.update('contacts', id, { properties }))
}
