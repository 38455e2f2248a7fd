/** Who works in the account: ids behind addresses, and everybody a ticket can be assigned to. */
import type { OutAuthor } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { AgentFacts } from '#hub/connector/facts.ts'
import { callSdk, read, type Zendesk } from './client.ts'
import { remember } from './remember.ts'
import { WireAgents, type WireUser, WireUsers } from './wire.ts'

const agentIds = remember<string>()
const authorIds = remember<string | undefined>()

/** @throws ConnectorError rejected when no agent has this address. */
export function agentIdOf(ctx: Zendesk, email: string): Promise<string> {
  const wanted = email.toLowerCase()
  return agentIds(ctx, wanted, async () => {
    const agent = await agentBy(ctx, wanted)
    if (agent) return agent.id
    throw new ConnectorError(
      'rejected',
      `assignee "${email}": no agent of ${ctx.config.subdomain}.zendesk.com has this e-mail address; invite them or assign somebody else`,
    )
  })
}

/**
 * The author's own user, if that is an agent's or an admin's: a comment under an end user's name would be the customer's.
 * `undefined`: there is none.
 */
export function authorIdOf(ctx: Zendesk, { email, accountId }: OutAuthor): Promise<string | undefined> {
  const wanted = email?.toLowerCase()
  return authorIds(ctx, `${accountId ?? ''} ${wanted ?? ''}`, async () => {
    const named = accountId && /^\d+$/.test(accountId) ? await userById(ctx, accountId) : undefined
    if (named && worksThere(named)) return named.id
    return wanted === undefined ? undefined : (await agentBy(ctx, wanted))?.id
  })
}

async function agentBy(ctx: Zendesk, email: string): Promise<WireUser | undefined> {
  const query = `email:${email}`
  const { users } = await callSdk(ctx, WireUsers, (client) => client.users.get(['users', 'search', { query }]))
  return users.find((user) => user.email?.toLowerCase() === email && worksThere(user))
}

async function userById(ctx: Zendesk, id: string): Promise<WireUser | undefined> {
  const { users } = await callSdk(ctx, WireUsers, (client) => client.users.get(['users', 'show_many', { ids: [id] }]))
  return users[0]
}

function worksThere({ role }: WireUser): boolean {
  return role === 'agent' || role === 'admin'
}

/** Light agents read and write notes, and own no tickets. */
const lightAgent = 1

/** https://developer.zendesk.com/api-reference/ticketing/users/users/#list-users */
export async function list(ctx: Zendesk): Promise<readonly AgentFacts[]> {
  const found: AgentFacts[] = []
  let after: string | undefined
  do {
    const query = { 'role[]': ['agent', 'admin'], 'page[size]': 100, 'page[after]': after }
    const { users, meta } = await read(ctx, WireAgents, '/users', query)
    for (const { id, name, email, suspended, role_type } of users) {
      const isAssignable = !suspended && role_type !== lightAgent && id !== ctx.config.hub_agent_id
      if (isAssignable) found.push({ id, ...(name ? { name } : {}), ...(email ? { email } : {}) })
    }
    after = meta?.has_more ? (meta.after_cursor ?? undefined) : undefined
  } while (after !== undefined)
  return found
}
