/**
 * Writes to tickets. HubSpot takes no idempotency key: a ticket that we opened has our key in a property with unique values, a
 * note has it in its last line, and setting properties twice changes nothing more.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/objects/tickets
 */
import type { CaseChange, CaseDraft, Found, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { FieldValue } from '#hub/connector/facts.ts'
import { firstStageOf, ownerIdOf, stageFor } from './account.ts'
import { association, associationTypes } from './associations.ts'
import { callSdk, type Hubspot } from './client.ts'
import { type HubspotConfig, ticketUrl } from './config.ts'
import { fromPriority, fromValue, utc, valuesOf } from './mapping.ts'
import { findNote } from './note.ts'
import { contactIdOf } from './person.ts'
import { readObjects, ticketId } from './read.ts'
import { WireObject } from './wire.ts'

export async function create(ctx: Hubspot, draft: CaseDraft, key: string): Promise<Receipt> {
  const { config } = ctx
  const contactId = await contactIdOf(ctx, draft.requester, key)
  const stage = draft.status
    ? await stageFor(ctx, draft.status, config.pipeline_id, undefined)
    : await firstStageOf(ctx, config.pipeline_id)
  const properties = {
    subject: draft.subject,
    content: draft.text,
    hs_pipeline: config.pipeline_id,
    hs_pipeline_stage: stage,
    ...(draft.priority ? { hs_ticket_priority: fromPriority[draft.priority] } : {}),
    ...(draft.tags?.length ? { [tagsProperty(config)]: joined(draft.tags) } : {}),
    ...fromCustom(draft.custom ?? {}),
    ...(config.key_property ? { [config.key_property]: key } : {}),
  }
  const ticket = await callSdk(ctx, WireObject, (sdk) =>
    sdk.basic.create('tickets', {
      properties,
      associations: contactId === undefined ? [] : [association(sdk, contactId, associationTypes.ticketToContact)],
    }),
  )
  return receiptOf(ticket, config)
}

/** One PATCH; its repetition writes the same again. */
export async function update(ctx: Hubspot, id: string, change: CaseChange): Promise<Receipt> {
  const properties = await propertiesOf(ctx, ticketId(id), change)
  if (Object.keys(properties).length === 0) return { externalId: id, url: ticketUrl(ctx.config, id) }
  const ticket = await callSdk(ctx, WireObject, ({ basic }) => basic.update('tickets', id, { properties }))
  return receiptOf(ticket, ctx.config)
}

async function propertiesOf(ctx: Hubspot, id: string, change: CaseChange): Promise<Record<string, string>> {
  const { status, priority, subject, assigneeEmail, addTags = [], removeTags = [], custom = {} } = change
  const current = status || removeTags.length > 0 ? await currentOf(ctx, id) : undefined
  const owner = assigneeEmail ? await ownerIdOf(ctx, assigneeEmail) : ''
  return {
    ...(status && current ? { hs_pipeline_stage: await stageOf(ctx, status, current) } : {}),
    ...(priority ? { hs_ticket_priority: fromPriority[priority] } : {}),
    ...(subject === undefined ? {} : { subject }),
    ...(assigneeEmail === undefined ? {} : { hubspot_owner_id: owner }),
    ...(addTags.length + removeTags.length > 0 ? tagsIn(ctx.config, current, addTags, removeTags) : {}),
    ...fromCustom(custom),
  }
}

async function currentOf(ctx: Hubspot, id: string): Promise<WireObject> {
  const tags = ctx.config.tags_property
  const names = ['hs_pipeline', 'hs_pipeline_stage', ...(tags ? [tags] : [])]
  const [ticket] = await readObjects(ctx, 'tickets', [id], names)
  if (ticket) return ticket
  throw new ConnectorError(
    'not_found',
    `hubspot ticket ${id} does not exist in account ${ctx.config.portal_id} (any more)`,
  )
}

function stageOf(ctx: Hubspot, status: NonNullable<CaseChange['status']>, { properties }: WireObject): Promise<string> {
  const pipeline = properties['hs_pipeline'] ?? ctx.config.pipeline_id
  return stageFor(ctx, status, pipeline, properties['hs_pipeline_stage'] ?? undefined)
}

/** A `;` before the values adds them to those that are there; taking one away needs the whole list. */
function tagsIn(
  config: HubspotConfig,
  current: WireObject | undefined,
  add: readonly string[],
  remove: readonly string[],
): Record<string, string> {
  const property = tagsProperty(config)
  if (remove.length === 0) return { [property]: `;${joined(add)}` }
  const kept = valuesOf(current?.properties[property]).filter((tag) => !remove.includes(tag))
  return { [property]: joined([...new Set([...kept, ...add])]) }
}

function tagsProperty(config: HubspotConfig): string {
  if (config.tags_property) return config.tags_property
  throw new ConnectorError(
    'rejected',
    'hubspot ticket: HubSpot has no tags; create a ticket property of type "multiple checkboxes" and name it in the setting tags_property',
  )
}

function joined(tags: readonly string[]): string {
  const bad = tags.find((tag) => tag.includes(';'))
  if (bad === undefined) return tags.join(';')
  throw new ConnectorError(
    'rejected',
    `tag "${bad.slice(0, 60)}": HubSpot separates values with ";", use a tag without it`,
  )
}

function fromCustom(custom: Readonly<Record<string, FieldValue>>): Record<string, string> {
  return Object.fromEntries(Object.entries(custom).map(([name, value]) => [name, fromValue(value)]))
}

/**
 * Has this key been written already? Tickets are read by the unique property itself, not by the search, whose index lags. A
 * public reply carries no key, and neither does a ticket without that property.
 */
export async function find(
  ctx: Hubspot,
  call: 'create' | 'update' | 'message',
  id: string,
  key: string,
): Promise<Found> {
  // Setting the same properties again is harmless.
  if (call === 'update') return undefined
  if (call === 'message') return (await findNote(ctx, ticketId(id), key)) ?? 'unknown'
  const property = ctx.config.key_property
  if (property === undefined) return 'unknown'
  const [ticket] = await readObjects(ctx, 'tickets', [key], ['hs_lastmodifieddate'], property)
  return ticket && receiptOf(ticket, ctx.config)
}

function receiptOf(ticket: WireObject, config: HubspotConfig): Receipt {
  const updatedAt = utc(ticket.properties['hs_lastmodifieddate'] ?? ticket.updatedAt)
  return { externalId: ticket.id, url: ticketUrl(config, ticket.id), ...(updatedAt ? { updatedAt } : {}) }
}
