/** What deliveries mean for the hub: what a vendor confirmed, and whose case waits for a tool. */
import { applyReceipts } from '#hub/cases/index.ts'
import { applyChatReceipts, refreshCards } from '#hub/chat/index.ts'
import type { Delivered, OnReceipts, OnTurns } from '#hub/delivery/index.ts'
import type { Hub } from '#hub/hub.ts'
import { effectKey, type OutboxEntry, putInOutbox } from '#hub/outbox/index.ts'
import { lockWorkspace } from './index.ts'

export function afterDelivery(hub: Pick<Hub, 'connections' | 'now'>): {
  readonly onReceipts: OnReceipts
  readonly onTurns: OnTurns
} {
  return {
    async onReceipts(trx, delivered) {
      await lockWorkspace(trx)
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
      await putInOutbox(trx, delivered.flatMap(noteOfOpened))
    },
    async onTurns(trx, turns) {
      await putInOutbox(trx, await refreshCards(trx, hub.connections.all(), turns))
    },
  }
}

/** The files of a case's first entry, as soon as there is a case to take them. */
function noteOfOpened({ entry, receipt: { externalId } }: Delivered): readonly OutboxEntry[] {
  const { action, connection_id: connectionId, key, lane, order_key: orderKey, cause } = entry
  if (action.type !== 'case.create' || !action.note || externalId === undefined || connectionId === null) return []
  return [
    {
      ...{ key: effectKey(key, 'files'), lane, orderKey, connectionId, cause, caseId: action.caseId },
      action: { type: 'case.message', externalId, ...action.note },
    },
  ]
}
