/** Who does something in a chat tool: as the vendor vouches for them, and as the agent that they are here. */
import { type Agent, agentOf, mayAct, takeSeat } from '#hub/agents/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { ChatHappening, ChatPerson } from '#hub/connector/chat.ts'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { Refusal } from '#hub/workbench/index.ts'
import * as store from './store.ts'

/** What the vendor said about somebody counts this long: who was made a guest or left must not act on. */
export const freshMs = 60_000
/** While the vendor cannot be asked, it counts this long. */
export const staleMs = 24 * 3_600_000

/**
 * Asks the vendor about those of whom nothing is known, or nothing new; what it says is kept.
 * @returns why nothing can be told of somebody, by their id: that is no reason to keep the others waiting.
 */
export async function meet(
  db: Db,
  connection: LoadedConnection,
  happenings: readonly ChatHappening[],
  context: () => Context<unknown>,
  now: Date,
): Promise<ReadonlyMap<string, unknown>> {
  const unknown = new Map<string, unknown>()
  const { chat } = connection.connector.can
  if (!chat) return unknown
  const references = new Map<string, string | undefined>()
  for (const { user, place } of happenings) if (user) references.set(user, place?.reference ?? references.get(user))
  const known = await store.knownPeople(db, connection.id, [...references.keys()])
  const ask = async (user: string, reference: string | undefined): Promise<void> => {
    const before = known.get(user)
    const ageMs = before ? now.getTime() - before.readAt.getTime() : Number.POSITIVE_INFINITY
    if (ageMs < freshMs) return
    try {
      const person = await chat.whoIs(context(), user, reference ?? before?.reference ?? undefined)
      await store.savePerson(db, connection.id, person, reference, now)
    } catch (error) {
      if (error instanceof ConnectorError && error.code === 'not_found') {
        await store.savePerson(db, connection.id, { id: user, kind: 'stranger' }, reference, now)
      } else if (ageMs > staleMs) unknown.set(user, error)
    }
  }
  await Promise.all([...references].map(([user, reference]) => ask(user, reference)))
  return unknown
}

export type Actor =
  | { readonly may: true; readonly agent: Agent; readonly person: ChatPerson }
  /** `agent`: a viewer, who may look. */
  | { readonly may: false; readonly why: Refusal; readonly person: ChatPerson | undefined; readonly agent?: Agent }

/** To be asked after `meet`. Who comes with an agent's address, by the vendor's word, takes that agent's seat. */
export async function actorOf(db: Db, connectionId: string, user: string, now: Date): Promise<Actor> {
  const person = (await store.knownPeople(db, connectionId, [user])).get(user)?.person
  if (!person) return { may: false, why: 'no_seat', person }
  if (person.kind === 'bot') return { may: false, why: 'bot', person }
  if (person.kind !== 'member') return { may: false, why: 'guest', person }
  const agent = (await agentOf(db, connectionId, user)) ?? (await takeSeat(db, connectionId, person, now))
  if (!agent) return { may: false, why: 'no_seat', person }
  if (!agent.active) return { may: false, why: 'inactive', person }
  return mayAct(agent) ? { may: true, agent, person } : { may: false, why: 'viewer', person, agent }
}
