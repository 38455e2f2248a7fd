/** `deskweave replay inbox` and `deskweave replay deliveries` */

import { deadAmong, replayInbox } from '#hub/api/store/ledgers.ts'
import { replay } from '#hub/delivery/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { readEnv } from '#hub/platform/env.ts'
import { actor, withHub } from './open-hub.ts'

export async function replayInboxRows(
  ids: readonly number[],
  { quarantined, dead }: { readonly quarantined?: true; readonly dead?: true },
): Promise<void> {
  const states = [...(quarantined ? (['quarantined'] as const) : []), ...(dead ? (['dead'] as const) : [])]
  if (ids.length === 0 && states.length === 0) throw new Error('say which: ids, --quarantined or --dead')
  await withHub(readEnv(), async (hub) => {
    const replayed = await hub.db.transaction().execute(async (trx) => {
      const all = ids.length > 0 ? [...(await replayInbox(trx, { seqs: ids }))] : []
      for (const state of states) all.push(...(await replayInbox(trx, { state })))
      await audit(trx, actor, 'inbox.replayed', 'several', { count: all.length })
      return all
    })
    hub.signals.raise('inbox')
    report('inbox row', ids, replayed, 'not there, or waiting already')
  })
}

export async function replayDeliveries(ids: readonly number[], { dead }: { readonly dead?: true }): Promise<void> {
  if (ids.length === 0 && !dead) throw new Error('say which: ids or --dead')
  const next = (db: Db) => deadAmong(db, dead ? undefined : ids)
  await withHub(readEnv(), async (hub) => {
    const replayed = await hub.db.transaction().execute(async (trx) => {
      const all: number[] = []
      for (let some = await next(trx); some.length > 0; some = await next(trx)) {
        await replay(trx, some)
        all.push(...some)
      }
      await audit(trx, actor, 'delivery.replayed', 'several', { count: all.length })
      return all
    })
    hub.signals.raise('outbox')
    report('delivery', ids, replayed, 'not a dead letter')
  })
}

function report(what: string, asked: readonly number[], replayed: readonly number[], why: string): void {
  const missed = asked.filter((id) => !replayed.includes(id))
  console.log(`${replayed.length} to be worked again`)
  for (const id of missed) console.error(`${what} ${id}: ${why}`)
  if (missed.length > 0) process.exitCode = 1
}
