/** Which records belong together. https://developers.hubspot.com/docs/api-reference/latest/crm/associations */
import { call, type Hubspot, type ObjectType, type Sdk } from './client.ts'
import { apiVersion } from './config.ts'
import { WireAssociations } from './wire.ts'

/** HubSpot's own ids of them. */
export const associationTypes = { ticketToContact: 16, noteToTicket: 228, noteToContact: 202 } as const

export function association({ category }: Sdk, toId: string, associationTypeId: number) {
  return { to: { id: toId }, types: [{ associationCategory: category.HubspotDefined, associationTypeId }] }
}

/** The first record that each is associated with. */
export async function firstAssociated(
  ctx: Hubspot,
  from: ObjectType,
  to: ObjectType,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const all = await associated(ctx, from, to, ids)
  return new Map([...all].flatMap(([id, others]): [string, string][] => (others[0] ? [[id, others[0]]] : [])))
}

/** In one call, for up to 1,000 records; those without any are left out. */
export async function associated(
  ctx: Hubspot,
  from: ObjectType,
  to: ObjectType,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map()
  const { results } = await call(
    ctx,
    WireAssociations,
    'POST',
    `/crm/associations/${apiVersion}/${from}/${to}/batch/read`,
    { json: { inputs: ids.map((id) => ({ id })) }, isRead: true },
  )
  return new Map(results.map((one) => [one.from.id, one.to.map((other) => other.toObjectId)]))
}
