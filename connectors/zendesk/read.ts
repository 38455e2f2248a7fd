/** Reads: the check, cases and people by id, the ids behind names. */
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { CaseFacts, PersonFacts } from '#hub/connector/facts.ts'
import { callSdk, listBySdk, read, type Zendesk } from './client.ts'
import type { ZendeskConfig } from './config.ts'
import { MissingScope } from './errors.ts'
import { byId, sideloadsOf, toCase, toPerson } from './mapping.ts'
import { remember } from './remember.ts'
import { WireGroups, WireMe, WireTickets, WireUsers } from './wire.ts'

export async function check(ctx: Context<ZendeskConfig>) {
  const missingScopes: string[] = []
  const account = `${ctx.config.subdomain}.zendesk.com`
  const me = await withinScope(missingScopes, () => callSdk(ctx, WireMe, (client) => client.users.me()))
  if (me && !me.user.id) {
    const settings =
      ctx.config.client_id === undefined ? 'access_token (or email and api_token)' : 'client_id and client_secret'
    throw new ConnectorError(
      'auth_failed',
      `${account} took the credential for an anonymous visitor; set ${settings} anew`,
    )
  }
  if (me) {
    const { id, role } = me.user
    ctx.log.info({ hub_agent_id: id, role }, 'zendesk: set hub_agent_id to this id to mark own echoes')
    if (role !== 'admin') missingScopes.push('role admin (the incremental export is for admins only)')
  }
  // Scopes of tickets, users and organizations alone do not reach them.
  await withinScope(missingScopes, () => read(ctx, WireGroups, '/groups', { 'page[size]': 1 }))
  return { account, ...(missingScopes.length === 0 ? {} : { missingScopes: [...new Set(missingScopes)] }) }
}

async function withinScope<T>(missing: string[], call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof MissingScope)) throw error
    missing.push(`scope ${error.scope}`)
    return undefined
  }
}

export async function getCases(ctx: Zendesk, ids: readonly string[]): Promise<readonly CaseFacts[]> {
  return inChunks(ids, async (chunk) => {
    const page = await callSdk(
      ctx,
      WireTickets,
      (client) => client.tickets.get(['tickets', 'show_many', { ids: chunk }]),
      { include: ['users', 'groups', 'organizations'] },
    )
    const sideloads = sideloadsOf(page)
    return page.tickets.map((ticket) => toCase(ticket, sideloads, ctx.config))
  })
}

export async function getPeople(ctx: Zendesk, ids: readonly string[]): Promise<readonly PersonFacts[]> {
  return inChunks(ids, async (chunk) => {
    const page = await callSdk(ctx, WireUsers, (client) => client.users.get(['users', 'show_many', { ids: chunk }]), {
      include: ['organizations'],
    })
    const organizations = byId(page.organizations)
    // Who works there is nobody's customer.
    const customers = page.users.filter(({ role }) => !role || role === 'end-user')
    return customers.map((user) => toPerson(user, organizations))
  })
}

/** Zendesk takes 100 ids at once. An answer may still be too long for the hub's door; then halves of it are asked for. */
async function inChunks<T>(
  ids: readonly string[],
  get: (chunk: readonly string[]) => Promise<readonly T[]>,
  size = 100,
): Promise<readonly T[]> {
  const known = ids.filter((id) => /^\d+$/.test(id))
  const found: T[] = []
  for (let at = 0; at < known.length; at += size) {
    const chunk = known.slice(at, at + size)
    try {
      found.push(...(await get(chunk)))
    } catch (error) {
      if (!isTooLong(error) || chunk.length === 1) throw error
      found.push(...(await inChunks(chunk, get, Math.ceil(chunk.length / 2))))
    }
  }
  return found
}

export function isTooLong(error: unknown): boolean {
  return error instanceof ConnectorError && error.code === 'malformed'
}

const groupIds = remember<string>()

/** @throws ConnectorError rejected when no group has this name. */
export function groupIdOf(ctx: Zendesk, name: string): Promise<string> {
  const wanted = name.toLowerCase()
  return groupIds(ctx, wanted, async () => {
    const pages = await listBySdk(ctx, WireGroups, (client) => client.groups.list())
    const groups = pages.flatMap((page) => page.groups)
    const group = groups.find((one) => one.name.toLowerCase() === wanted)
    if (group) return group.id
    const names = groups.map((one) => `"${one.name}"`).join(', ')
    throw new ConnectorError(
      'rejected',
      `team "${name}": no such group in ${ctx.config.subdomain}.zendesk.com; it has ${names.slice(0, 300)}`,
    )
  })
}
