/** What deliveries mean for the hub: what a vendor confirmed, and whose case waits for a tool. */
import { applyReceipts } from '#hub/cases/index.ts'
import { applyChatReceipts, refreshCards } from '#hub/chat/index.ts'
import type { DeliveryOptions } from '#hub/delivery/index.ts'
import type { Hub } from '#hub/hub.ts'
import { putInOutbox } from '#hub/outbox/index.ts'
import { inWorkspace } from './index.ts'

export function afterDelivery(hub: Pick<Hub, 'db' | 'connections' | 'now'>): DeliveryOptions {
  return {
    inWorkspace: (work) => inWorkspace(hub.db, work),
    async onReceipts(trx, delivered) {
      await applyReceipts(
        trx,
        delivered.map(({ entry, receipt }) => ({
          key: entry.key,
          connectionId: entry.connection_id,
          action: entry.action,
          receipt,
        })),
        hub.now(),
      )
      const shown = delivered.flatMap(({ entry: { action, connection_id: connectionId }, receipt }) =>
        action.type === 'chat.show' ? [{ connectionId, show: action.show, receipt }] : [],
      )
      await applyChatReceipts(trx, shown, hub.now())
    },
    async onTurns(trx, turns) {
      await putInOutbox(trx, await refreshCards(trx, hub.connections.all(), turns))
    },
  }
}
