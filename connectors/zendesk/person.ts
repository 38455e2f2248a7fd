/** Writes to people. Zendesk matches by e-mail or external id, so repeating one changes nothing. */
import type { Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { PersonFacts } from '#hub/connector/facts.ts'
import { callSdk, type Zendesk } from './client.ts'
import { utc } from './mapping.ts'
import { WireOrganizations, WireOrganizationWritten, WireUserWritten, wireId } from './wire.ts'

/** https://developer.zendesk.com/api-reference/ticketing/users/users/#create-or-update-user */
export async function upsert(ctx: Zendesk, person: PersonFacts, key: string): Promise<Receipt> {
  const email = person.emails?.[0]
  const facts = await factsOf(ctx, person)
  // Without an address the Zendesk id says who it is; a person who has neither is known by the effect's own key.
  if (!email && person.id && /^\d+$/.test(person.id)) return save(ctx, 'put', ['users', person.id], facts)
  const user = { ...(email ? { email } : { external_id: key }), ...facts, skip_verify_email: true }
  try {
    return await save(ctx, 'post', createOrUpdate, user)
  } catch (error) {
    const isRejected = error instanceof ConnectorError && error.code === 'rejected'
    if (person.name || !isRejected) throw error
    // Somebody new needs a name; somebody known must not lose theirs, so it is only given now.
    return save(ctx, 'post', createOrUpdate, { ...user, name: email ?? 'Unknown' })
  }
}

const createOrUpdate = ['users', 'create_or_update']

async function save(ctx: Zendesk, method: 'put' | 'post', path: readonly string[], user: object): Promise<Receipt> {
  const written = await callSdk(ctx, WireUserWritten, (client) => client.users[method]([...path], { user }))
  const updatedAt = utc(written.user.updated_at)
  return { externalId: written.user.id, ...(updatedAt ? { updatedAt } : {}) }
}

async function factsOf(ctx: Zendesk, person: PersonFacts) {
  const organizationId = person.company?.name ? await organizationIdOf(ctx, person.company.name) : undefined
  return {
    ...(person.name ? { name: person.name } : {}),
    ...(person.phones?.[0] ? { phone: person.phones[0] } : {}),
    ...(person.locale ? { locale: person.locale } : {}),
    ...(organizationId ? { organization_id: wireId(organizationId) } : {}),
    ...(person.traits && Object.keys(person.traits).length > 0 ? { user_fields: person.traits } : {}),
  }
}

/**
 * Names are unique in Zendesk, and the one thing that `create_or_update` does not match by. Domains stay as they are there:
 * sending them would replace the list.
 * https://developer.zendesk.com/api-reference/ticketing/organizations/organizations/#create-or-update-organization
 */
async function organizationIdOf(ctx: Zendesk, name: string): Promise<string> {
  const known = await organizationNamed(ctx, name)
  if (known) return known
  try {
    const { organization } = await callSdk(ctx, WireOrganizationWritten, (client) =>
      client.organizations.post(['organizations'], { organization: { name } }),
    )
    return organization.id
  } catch (error) {
    // Somebody else may have made it in the same moment.
    const isRejected = error instanceof ConnectorError && error.code === 'rejected'
    const now = isRejected ? await organizationNamed(ctx, name) : undefined
    if (now === undefined) throw error
    return now
  }
}

async function organizationNamed(ctx: Zendesk, name: string): Promise<string | undefined> {
  const { organizations } = await callSdk(ctx, WireOrganizations, (client) =>
    client.organizations.get(['organizations', 'search', { name }]),
  )
  const wanted = name.toLowerCase()
  return organizations.find((one) => one.name?.toLowerCase() === wanted)?.id
}
