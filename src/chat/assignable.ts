/** Who can be given a case: the agents of this hub that its tool knows. */
import { activeAgents, mayAct } from '#hub/agents/index.ts'
import type { Option } from '#hub/connector/card.ts'
import type { Hub } from '#hub/hub.ts'
import type { ShownCase } from '#hub/workbench/index.ts'

/** By address, which is the one id that all tools share. */
export async function assignableIn({ db }: Pick<Hub, 'db'>, _found: ShownCase): Promise<readonly Option[]> {
  const agents = await activeAgents(db)
  return agents.filter(mayAct).map(({ email, name }) => ({ value: email, label: name }))
}
