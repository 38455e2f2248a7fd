/** Before a connection is saved: is it this account, may the token read what the hub needs, do the named properties exist? */
import { ConnectorError } from '#hub/connector/errors.ts'
import { definition } from './account.ts'
import { call, type Hubspot } from './client.ts'
import { apiVersion, conversationsVersion, type HubspotConfig } from './config.ts'
import { WireAccount, WireAnything } from './wire.ts'

export async function check(ctx: Hubspot) {
  const { portalId } = await call(ctx, WireAccount, 'GET', `/account-info/${apiVersion}/details`)
  if (portalId !== ctx.config.portal_id) {
    throw new ConnectorError(
      'auth_failed',
      `the token belongs to HubSpot account ${portalId}, and portal_id says ${ctx.config.portal_id}; correct one of them`,
    )
  }
  const missingScopes: string[] = []
  for (const { path, scope } of needed(ctx.config)) {
    if (!(await isAllowed(ctx, path))) missingScopes.push(scope)
  }
  if (missingScopes.length === 0) await checkProperties(ctx)
  return { account: `HubSpot account ${portalId}`, ...(missingScopes.length > 0 ? { missingScopes } : {}) }
}

function needed(config: HubspotConfig) {
  const objects = `/crm/objects/${apiVersion}`
  const scopes = [
    { path: `/crm/pipelines/${apiVersion}/tickets`, scope: 'scope tickets' },
    { path: `${objects}/contacts?limit=1`, scope: 'scope crm.objects.contacts.read' },
    { path: `${objects}/companies?limit=1`, scope: 'scope crm.objects.companies.read' },
    { path: `/crm/owners/${apiVersion}?limit=1`, scope: 'scope crm.objects.owners.read' },
  ]
  const threads = `/conversations/conversations/${conversationsVersion}/threads?limit=1`
  return config.sender_actor_id ? [...scopes, { path: threads, scope: 'scope conversations.read' }] : scopes
}

async function isAllowed(ctx: Hubspot, path: string): Promise<boolean> {
  try {
    await call(ctx, WireAnything, 'GET', path)
    return true
  } catch (error) {
    // The token is good: the account answered to it.
    if (error instanceof ConnectorError && error.code === 'auth_failed') return false
    throw error
  }
}

async function checkProperties(ctx: Hubspot): Promise<void> {
  const { config } = ctx
  const named = [
    { type: 'tickets', name: config.key_property, setting: 'key_property', isUnique: true },
    { type: 'tickets', name: config.tags_property, setting: 'tags_property' },
    { type: 'tickets', name: config.ticket_score_property, setting: 'ticket_score_property' },
    { type: 'contacts', name: config.contact_score_property, setting: 'contact_score_property' },
    { type: 'contacts', name: config.contact_key_property, setting: 'contact_key_property', isUnique: true },
  ] as const
  for (const { type, name, setting, ...rest } of named) {
    if (name === undefined) continue
    const property = await definition(ctx, type, name)
    const lacks = !property ? 'does not exist' : 'isUnique' in rest && !property.hasUniqueValue && 'is not unique'
    if (!lacks) continue
    throw new ConnectorError(
      'rejected',
      `${setting}: property "${name}" of ${type} ${lacks}; create it in HubSpot, Settings > Properties` +
        ('isUnique' in rest ? ', with "Require unique values"' : ''),
    )
  }
}
