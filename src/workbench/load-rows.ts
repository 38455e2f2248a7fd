/** Cases as lists show them, from any room's ids. */
import { linksOf } from '#hub/api/store/cases.ts'
import type { AgentFacts } from '#hub/connector/facts.ts'
import type { Hub } from '#hub/hub.ts'
import type { ShownAgent, ShownRow, ShownTool } from './shown.ts'
import { selectRows } from './store.ts'

export type CardSources = Pick<Hub, 'db' | 'connections'>

/** In the order of the ids. */
export async function loadRows(hub: CardSources, ids: readonly string[]): Promise<readonly ShownRow[]> {
  const [rows, links] = await Promise.all([selectRows(hub.db, ids), linksOf(hub.db, ids)])
  const linksOfCase = Map.groupBy(links, (link) => link.case_id)
  const writable = new Set(hub.connections.all().flatMap(({ id, connector }) => (connector.can.writeCase ? [id] : [])))
  const byId = new Map(rows.map((row) => [row.id, row]))
  const toTool = (link: (typeof links)[number]): readonly ShownTool[] =>
    link.deleted_at
      ? []
      : [
          {
            connectionId: link.connection_id,
            name: nameOf(hub, link.connection_id),
            externalId: link.external_id,
            url: link.url,
            takesMessages: writable.has(link.connection_id),
          },
        ]
  return ids.flatMap((id) => {
    const row = byId.get(id)
    if (!row) return []
    const { subject, status, priority, requester } = row
    return {
      ...{ id, subject, status, priority, requester },
      assignee: toAgent(row.assignee),
      waitingSince: row.waiting_since?.toISOString() ?? null,
      updatedAt: row.updated_at.toISOString(),
      tools: (linksOfCase.get(id) ?? []).flatMap(toTool),
    }
  })
}

function toAgent(agent: AgentFacts | null): ShownAgent | null {
  return agent && { name: agent.name ?? null, email: agent.email ?? null }
}

export function nameOf({ connections }: CardSources, connectionId: string): string {
  return connections.nameOf(connectionId)?.name ?? connectionId
}
