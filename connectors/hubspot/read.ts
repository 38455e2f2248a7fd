/** Cases and people by id, a hundred at a time: tickets, whose they are, the contacts and their companies. */
import { ConnectorError } from '#hub/connector/errors.ts'
import type { CaseFacts, PersonFacts } from '#hub/connector/facts.ts'
import { contactFields, owners, stagesById, ticketFields } from './account.ts'
import { firstAssociated } from './associations.ts'
import { callSdk, type Hubspot, type ObjectType } from './client.ts'
import type { HubspotConfig } from './config.ts'
import {
  companyProperties,
  contactProperties,
  customNames,
  ticketProperties,
  toCase,
  toPerson,
  traitNames,
} from './mapping.ts'
import { WireBatch, type WireObject } from './wire.ts'

export async function getCases(ctx: Hubspot, ids: readonly string[]): Promise<readonly CaseFacts[]> {
  const cases: CaseFacts[] = []
  for (const chunk of chunks(ids)) {
    const tickets = await readObjects(ctx, 'tickets', chunk, ticketNames(ctx.config))
    cases.push(...(await casesOf(ctx, tickets)))
  }
  return cases
}

export async function getPeople(ctx: Hubspot, ids: readonly string[]): Promise<readonly PersonFacts[]> {
  const people: PersonFacts[] = []
  for (const chunk of chunks(ids)) {
    const contacts = await readObjects(ctx, 'contacts', chunk, contactNames(ctx.config))
    people.push(...(await peopleOf(ctx, contacts)))
  }
  return people
}

export function ticketNames(config: HubspotConfig): readonly string[] {
  const { tags_property: tags, key_property: key } = config
  return [...new Set([...ticketProperties, ...(tags ? [tags] : []), ...(key ? [key] : []), ...customNames(config)])]
}

export function contactNames(config: HubspotConfig): readonly string[] {
  return [...new Set([...contactProperties, ...traitNames(config)])]
}

/** Tickets that were read, with their people, owners and stages. */
export async function casesOf(ctx: Hubspot, tickets: readonly WireObject[]): Promise<readonly CaseFacts[]> {
  if (tickets.length === 0) return []
  const stageIds = tickets.flatMap(({ properties }) => properties['hs_pipeline_stage'] ?? [])
  const isOwned = tickets.some(({ properties }) => properties['hubspot_owner_id'])
  const around = {
    requesters: await requestersOf(ctx, tickets),
    stages: await stagesById(ctx, stageIds),
    owners: isOwned ? await owners(ctx) : new Map(),
    fields: await ticketFields(ctx),
  }
  return tickets.map((ticket) => toCase(ticket, around, ctx.config))
}

/** HubSpot lets many contacts share a ticket and calls none the first; the oldest association stands first. */
async function requestersOf(ctx: Hubspot, tickets: readonly WireObject[]): Promise<ReadonlyMap<string, PersonFacts>> {
  const contactIds = await firstAssociated(ctx, 'tickets', 'contacts', idsOf(tickets))
  const wanted = [...new Set(contactIds.values())]
  const people = new Map((await getPeople(ctx, wanted)).map((person) => [person.id, person]))
  const found = [...contactIds].map(([ticketId, id]): [string, PersonFacts] => [ticketId, people.get(id) ?? { id }])
  return new Map(found)
}

/** Contacts that were read, with their companies. */
export async function peopleOf(ctx: Hubspot, contacts: readonly WireObject[]): Promise<readonly PersonFacts[]> {
  if (contacts.length === 0) return []
  const companyIds = await firstAssociated(ctx, 'contacts', 'companies', idsOf(contacts))
  const companies = new Map<string, WireObject>()
  for (const chunk of chunks([...new Set(companyIds.values())])) {
    for (const company of await readObjects(ctx, 'companies', chunk, companyProperties)) {
      companies.set(company.id, company)
    }
  }
  const fields = await contactFields(ctx)
  return contacts.map((contact) => toPerson(contact, companies.get(companyIds.get(contact.id) ?? ''), fields))
}

/** Up to 100 records; those that are not there are left out. */
export async function readObjects(
  ctx: Hubspot,
  type: ObjectType,
  ids: readonly string[],
  properties: readonly string[],
  idProperty?: string,
): Promise<readonly WireObject[]> {
  if (ids.length === 0) return []
  const input = {
    inputs: ids.map((id) => ({ id })),
    properties: [...properties],
    propertiesWithHistory: [],
    ...(idProperty === undefined ? {} : { idProperty }),
  }
  const { results } = await callSdk(ctx, WireBatch, ({ batch }) => batch.read(type, input), { isRead: true })
  return results
}

export function ticketId(id: string): string {
  if (/^\d+$/.test(id)) return id
  throw new ConnectorError('not_found', `hubspot ticket "${id.slice(0, 40)}": a ticket id has digits only`)
}

export function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map((record) => record.id)
}

function chunks(ids: readonly string[], size = 100): string[][] {
  const known = ids.filter((id) => /^\d+$/.test(id))
  return Array.from({ length: Math.ceil(known.length / size) }, (_, at) => known.slice(at * size, (at + 1) * size))
}
