/** Whom the vendor's word makes an agent. Pure. */
import type { ChatPerson } from '#hub/connector/chat.ts'
import { normaliseEmail } from '#hub/identity/index.ts'
import type { Agent } from './agent.ts'

/**
 * Only a member of the company's own workspace, under an address that the vendor vouches for, is taken for the agent of that
 * address. Guests, strangers and bots never are, whatever their address: whoever lets them in does not decide who works here.
 */
export function matchAgent<A extends Pick<Agent, 'email' | 'active'>>(
  person: ChatPerson,
  agents: readonly A[],
): A | undefined {
  const email = vouchedEmail(person)
  return email === undefined ? undefined : agents.find((agent) => agent.active && agent.email === email)
}

/** The address that the vendor stands up for; undefined for guests, strangers and bots, and where it tells none. */
export function vouchedEmail(person: ChatPerson): string | undefined {
  return person.kind === 'member' && person.email !== undefined ? normaliseEmail(person.email) : undefined
}
