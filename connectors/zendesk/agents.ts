/** Who works in the account: ids behind addresses, and everybody a ticket can be assigned to. */
import type { OutAuthor } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { AgentFacts, Visibility } from '#hub/connector/facts.ts'
import { callSdk, read, type Zendesk } from './client.ts'
import { remember } from './remember.ts'
import { WireAgents, type WireUser, WireUsers } from './wire.ts'

const assignees = remember<WireUser>()
const authors = remember<WireUser | undefined>()

/** @throws ConnectorError rejected when no agent has this address, or Zendesk gives them no tickets. */
export function assigneeOf(ctx: Zendesk, email: string): Promise<WireUser> {
  const wanted = email.toLowerCase()
  return assignees(ctx, wanted, async () => {
    const agent = await agentBy(ctx, wanted)
    const place = `${ctx.config.subdomain}.zendesk.com`
    const refused = (why: string) => new ConnectorError('rejected', `assignee "${email}": ${why}`)
    if (!agent) throw refused(`no agent of ${place} has this e-mail address; invite them or assign somebody else`)
    if (agent.suspended) throw refused(`suspended in ${place}; lift that or assign somebody else`)
    if (isLight(agent)) {
      throw refused(`a light agent of ${place}, who owns no tickets; give them a full role or assign somebody else`)
    }
    return agent
  })
}

/**
 * The author's own user, if that is an agent's or an admin's: a comment under an end user's name would be the customer's,
 * and Zendesk makes a private one of what somebody says in public who may not. `undefined`: there is none.
 */
export async function authorIdOf(
  ctx: Zendesk,
  { email, accountId }: OutAuthor,
  visibility: Visibility,
): Promise<string | undefined> {
  const wanted = email?.toLowerCase()
  const author = await authors(ctx, `${accountId ?? ''} ${wanted ?? ''}`, async () => {
    const named = accountId && /^\d+$/.test(accountId) ? await userById(ctx, accountId) : undefined
    if (named && worksThere(named)) return named
    return wanted === undefined ? undefined : agentBy(ctx, wanted)
  })
  return author && mayWrite(author, visibility) ? author.id : undefined
}

function mayWrite(author: WireUser, visibility: Visibility): boolean {
  if (author.suspended) return false
  return visibility === 'internal' || !(isLight(author) || author.only_private_comments)
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
function isLight({ role_type }: WireUser): boolean {
  return role_type === 1
}

/** https://developer.zendesk.com/api-reference/ticketing/users/users/#list-users */
export async function list(ctx: Zendesk): Promise<readonly AgentFacts[]> {
  const found: AgentFacts[] = []
  let after: string | undefined
  do {
    const query = { 'role[]': ['agent', 'admin'], 'page[size]': 100, 'page[after]': after }
    const { users, meta } = await read(ctx, WireAgents, '/users', query)
    for (const user of users) {
      const { id, name, email } = user
      const isAssignable = !user.suspended && !isLight(user) && id !== ctx.config.hub_agent_id
      if (isAssignable) found.push({ id, ...(name ? { name } : {}), ...(email ? { email } : {}) })
    }
    after = meta?.has_more ? (meta.after_cursor ?? undefined) : undefined
  } while (after !== undefined)
  return found
}
