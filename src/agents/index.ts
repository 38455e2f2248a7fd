/**
 * In: agents as admins write them; people of chat tools as their vendors vouch for them. Out: which agent somebody is, and
 * what they may do. Never here: a seat on the strength of what somebody typed; an admin confirms that.
 */
import type { ChatPerson } from '#hub/connector/chat.ts'
import { normaliseEmail } from '#hub/identity/index.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { newId } from '#hub/platform/ids.ts'
import type { Agent, AgentChange, WrittenAgent } from './agent.ts'
import { matchAgent, vouchedEmail } from './match.ts'
import * as store from './store.ts'
import { tellAdmins, tellClaimant } from './tell.ts'

export { type Agent, AgentChange, mayAct, toldAt, WrittenAgent } from './agent.ts'
export {
  type Account,
  accountsOf,
  activeAgents,
  agentById,
  agentPage,
  type Claim,
  claimPage,
  type LinkedAccount,
} from './store.ts'

/** Who this chat user is; also one who has left: ask `mayAct`. */
export async function agentOf(db: Db, connectionId: string, externalId: string): Promise<Agent | undefined> {
  return await store.agentOfAccount(db, { connectionId, externalId })
}

/** @param emails in any spelling. */
export async function findAgents(db: Db, emails: readonly string[]): Promise<readonly Agent[]> {
  return await store.agentsByEmail(db, [...new Set(emails.flatMap((email) => normaliseEmail(email) ?? []))])
}

/** Gives a chat user the seat of the agent whose address the vendor vouches for. @returns undefined when there is none. */
export async function takeSeat(trx: Db, connectionId: string, person: ChatPerson, now: Date) {
  const email = vouchedEmail(person)
  const agent = email === undefined ? undefined : matchAgent(person, await store.agentsByEmail(trx, [email]))
  if (!agent) return undefined
  const account = { connectionId, externalId: person.id }
  return (await linkAccount(trx, { ...account, agentId: agent.id, proof: 'email' }, now)) ? agent : undefined
}

/** @returns false when an admin gave this account to somebody else: the vendor's word does not undo that. */
export async function linkAccount(
  trx: Db,
  account: Omit<store.LinkedAccount, 'createdAt'>,
  now: Date,
): Promise<boolean> {
  const isLinked = await store.upsertAccount(trx, account, now)
  if (isLinked) await store.setClaim(trx, account, null, now)
  return isLinked
}

/** @returns false when the agent has no such account. */
export async function unlinkAccount(trx: Db, agentId: string, account: store.Account): Promise<boolean> {
  return await store.deleteAccount(trx, agentId, account)
}

/** Whether to ask a chat user, now and once, under which address the desk knows them. Only members are asked. */
export async function askForSeat(trx: Db, account: store.Account, now: Date): Promise<boolean> {
  const person = await store.chatPerson(trx, account)
  return person?.kind === 'member' && (await store.markAsked(trx, account, now))
}

/**
 * Keeps what a chat user says about themselves for an admin to decide, and tells the admins who work in that tool; a later
 * word replaces an earlier one.
 * @returns `no_address`: what they typed is none. `no_member`: guests, strangers, bots and those never heard of cannot ask.
 */
export async function claim(
  trx: Db,
  { email: typed, ...account }: store.Account & { readonly email: string },
  now: Date,
): Promise<'kept' | 'no_address' | 'no_member'> {
  const email = normaliseEmail(typed)
  if (email === undefined) return 'no_address'
  const person = await store.chatPerson(trx, account)
  if (person?.kind !== 'member') return 'no_member'
  const before = await store.claimOf(trx, account)
  if (before?.email === email) return 'kept'
  await store.setClaim(trx, account, email, now)
  await tellAdmins(trx, account, person, email, now)
  return 'kept'
}

/**
 * An admin says that the claim is true.
 * @param agentId another agent than the one of the claimed address.
 * @returns undefined when there is no such claim; `no_agent` when nobody active has that address.
 */
export async function confirmClaim(trx: Db, account: store.Account, agentId: string | undefined, now: Date) {
  const claimed = await store.claimOf(trx, account)
  if (!claimed) return undefined
  const agent =
    agentId === undefined ? (await store.agentsByEmail(trx, [claimed.email]))[0] : await store.agentById(trx, agentId)
  if (!agent?.active || claimed.person.kind !== 'member') return 'no_agent'
  const { connectionId, externalId } = account
  await linkAccount(trx, { connectionId, externalId, agentId: agent.id, proof: 'admin' }, now)
  await tellClaimant(trx, { connectionId, externalId }, claimed.person, 'confirmed', now)
  return agent
}

/** They are not asked again. @returns false when there is no such claim. */
export async function dismissClaim(trx: Db, account: store.Account, now: Date): Promise<boolean> {
  const claimed = await store.claimOf(trx, account)
  if (!claimed) return false
  await store.setClaim(trx, account, null, now)
  await tellClaimant(trx, account, claimed.person, 'dismissed', now)
  return true
}

/** @returns `taken` when another agent has the address. */
export async function createAgent(trx: Db, written: WrittenAgent, now: Date): Promise<Agent | 'taken'> {
  if ((await store.agentsByEmail(trx, [written.email])).length > 0) return 'taken'
  const { quiet_hours: quietHours, ...plain } = written
  const agent = { id: newId('agt'), ...plain, quietHours }
  await store.insertAgent(trx, agent, now)
  return agent
}

/** @returns undefined when there is no such agent; `taken` when another one has the address. */
export async function changeAgent(
  trx: Db,
  id: string,
  change: AgentChange,
  now: Date,
): Promise<Agent | 'taken' | undefined> {
  const before = await store.agentById(trx, id)
  if (!before) return undefined
  const { email, name, role, language, quiet_hours, active } = change
  const after: Agent = {
    id,
    email: email ?? before.email,
    name: name ?? before.name,
    role: role ?? before.role,
    language: language === undefined ? before.language : language,
    quietHours: quiet_hours === undefined ? before.quietHours : quiet_hours,
    active: active ?? before.active,
  }
  const [owner] = await store.agentsByEmail(trx, [after.email])
  if (owner && owner.id !== id) return 'taken'
  await store.updateAgent(trx, after, now)
  return after
}
