/** Which rooms a hub has, and what each gets from the others. */
import { connectors } from '#connectors'
import { createConnections } from '#hub/connections/index.ts'
import type { Hub } from '#hub/hub.ts'
import { createInbox } from '#hub/inbox/index.ts'
import { createIngress } from '#hub/ingress/index.ts'
import type { OpenRooms, Part } from '#hub/main.ts'
import { createRuleBook } from '#hub/pipeline/rule-book.ts'
import { createInboxWorker } from '#hub/pipeline/worker.ts'
import { scheduleReconciliation } from '#hub/reconcile/index.ts'

export const openRooms: OpenRooms = async (foundation, stopping) => {
  const connections = createConnections({ ...foundation, connectors })
  const hub: Hub = { ...foundation, connections }
  const rules = createRuleBook(hub.signals)
  const inbox = createInbox(hub.pool, () => hub.signals.raise('inbox'))
  const work: readonly Part[] = hub.env.roles.includes('worker') ? [createInboxWorker(hub, rules)] : []
  await scheduleReconciliation(hub, hub.queue, inbox, stopping)
  return {
    hub,
    hooks: createIngress(hub, inbox),
    mounts: [],
    parts: [{ start: connections.start, stop: connections.close }, ...work],
  }
}
