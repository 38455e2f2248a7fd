/** Who can be given a case: the agents of this hub that its tool knows. */
import { activeAgents, mayAct } from '#hub/agents/index.ts'
import type { Option } from '#hub/connector/card.ts'
import type { Hub } from '#hub/hub.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { deskAgents } from '#hub/staff/index.ts'
import type { ShownCase } from '#hub/workbench/index.ts'

/**
 * By address, which is the one id that all tools share. A case in several tools is given to somebody whom all of them know;
 * a tool that does not tell who works in it stands in nobody's way.
 */
export async function assignableIn(
  { db }: Pick<Hub, 'db'>,
  { tools }: Pick<ShownCase, 'tools'>,
): Promise<readonly Option[]> {
  const agents = (await activeAgents(db)).filter(mayAct)
  const known = await knownIn(db, tools)
  const fitting = agents.filter(({ email }) => known.every((addresses) => addresses.has(email)))
  return fitting.map(({ email, name }) => ({ value: email, label: name }))
}

/** Whether its tools are known to take this agent for the case: one at least tells who works in it, and none leaves them out. */
export async function isKnownIn(db: Db, tools: readonly Tool[], email: string): Promise<boolean> {
  const known = await knownIn(db, tools)
  return known.length > 0 && known.every((addresses) => addresses.has(email))
}

type Tool = Pick<ShownCase['tools'][number], 'connectionId'>

/** Addresses in small letters, of each tool that tells who works in it. */
async function knownIn(db: Db, tools: readonly Tool[]): Promise<readonly ReadonlySet<string | undefined>[]> {
  const lists = await Promise.all(tools.map(({ connectionId }) => deskAgents(db, connectionId)))
  return lists.flatMap((list) => (list ? [new Set(list.map(({ email }) => email?.toLowerCase()))] : []))
}
