/** Moves connections between their states: by people, and by what their calls report. */

import { ConnectorError } from '#hub/connector/errors.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { ConnectionStatus } from '#hub/platform/db/schema.ts'
import { afterFailure, afterSuccess, type Health } from './health.ts'
import type { ConnectionsHub } from './index.ts'
import type { Register } from './register.ts'
import * as store from './store.ts'

export interface Move {
  readonly from: readonly ConnectionStatus[]
  readonly to: ConnectionStatus
  readonly reason: string | null
  readonly actor: string
}

const levels = { connected: 'info', paused: 'info', degraded: 'warn', needs_attention: 'error' } as const

export function createStatus(hub: ConnectionsHub, register: Register) {
  const health = new Map<string, Health>()

  /** Logged and audited by the one process that moved it. */
  async function move(id: string, { from, to, reason, actor }: Move): Promise<void> {
    const isMoved = await hub.db.transaction().execute(async (trx) => {
      if (!(await store.moveStatus(trx, id, from, to, reason))) return false
      await audit(trx, actor, `connection.${to}`, id, reason === null ? {} : { reason })
      return true
    })
    if (!isMoved) return
    health.delete(id)
    hub.log[levels[to]]({ connection_id: id, status: to, reason }, `connection is ${to}`)
    await register.refresh()
    hub.signals.raise('connections')
    hub.signals.raise('outbox')
  }

  /** Never throws: a report must not fail the call that it reports. */
  async function report(id: string, next: (health: Health) => Health, error: Error | undefined): Promise<void> {
    const connection = register.get(id)
    if (!connection) return
    const { status } = connection
    const known = health.get(id)
    const before = known?.status === status ? known : { status, failures: 0 }
    const after = next(before)
    if (after === before) return
    health.set(id, { status, failures: after.failures })
    if (after.status === status) return
    const reason = error ? connection.door.redact(error.message) : null
    try {
      await move(id, { from: [status], to: after.status, reason, actor: 'hub' })
    } catch (cause) {
      hub.log.error({ err: cause, connection_id: id }, 'the status of a connection could not be saved')
    }
  }

  return {
    move,
    forget: (id: string) => health.delete(id),
    async reportFailure(id: string, error: unknown): Promise<void> {
      if (error instanceof ConnectorError) await report(id, (before) => afterFailure(before, error.code), error)
    },
    reportSuccess: (id: string): Promise<void> => report(id, afterSuccess, undefined),
  }
}
