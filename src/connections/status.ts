/** Moves connections between their states: by people, and by what their calls report. */
import { isDeepStrictEqual } from 'node:util'
import { ConnectorError } from '#hub/connector/errors.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { ConnectionStatus } from '#hub/platform/db/schema.ts'
import { afterFailure, afterSuccess, type Health, noRefusals, restAfterMs, type Way } from './health.ts'
import type { ConnectionsHub } from './index.ts'
import type { LoadedConnection } from './loaded.ts'
import type { Register } from './register.ts'
import * as store from './store.ts'

export interface Move {
  readonly from: readonly ConnectionStatus[]
  readonly to: ConnectionStatus
  readonly reason: string | null
  readonly actor: string
}

interface Known {
  readonly connection: LoadedConnection
  readonly health: Health
  /** After a refusal nobody tries before. */
  readonly restsUntil: number
}

const levels = { connected: 'info', paused: 'info', degraded: 'warn', needs_attention: 'error' } as const

export function createStatus(hub: ConnectionsHub, register: Register) {
  const known = new Map<string, Known>()

  /** Logged and audited by the one process that moved it. */
  async function move(id: string, { from, to, reason, actor }: Move): Promise<void> {
    const isMoved = await hub.db.transaction().execute(async (trx) => {
      if (!(await store.moveStatus(trx, id, from, to, reason))) return false
      await audit(trx, actor, `connection.${to}`, id, reason === null ? {} : { reason })
      return true
    })
    if (!isMoved) return
    hub.log[levels[to]]({ connection_id: id, status: to, reason }, `connection is ${to}`)
    await register.refresh()
    hub.signals.raise('connections')
    hub.signals.raise('outbox')
  }

  /** Never throws: a report must not fail the call that it reports. */
  async function report(
    connection: LoadedConnection,
    way: Way,
    next: (health: Health) => Health,
    error: Error | undefined,
  ): Promise<void> {
    const { id, status } = connection
    const before = healthOf(connection)
    const after = next(before)
    if (after === before) return
    const rested = lastOf(connection)?.restsUntil ?? 0
    const isRefused = after.refusals[way] > before.refusals[way]
    const restsUntil = isRefused ? hub.now().getTime() + restAfterMs(after.refusals[way]) : rested
    known.set(id, { connection, health: after, restsUntil })
    const reason = error ? connection.door.redact(error.message) : null
    if (isRefused)
      hub.log.warn({ connection_id: id, reason }, 'the credentials were refused; they are tried again later')
    if (after.status === status) return
    try {
      await move(id, { from: [status], to: after.status, reason, actor: 'hub' })
    } catch (cause) {
      hub.log.error({ err: cause, connection_id: id }, 'the status of a connection could not be saved')
    }
  }

  /** Other settings begin anew. */
  function lastOf(connection: LoadedConnection): Known | undefined {
    const last = known.get(connection.id)
    if (!last || last.connection === connection) return last
    return isDeepStrictEqual(last.connection.config, connection.config) ? last : undefined
  }

  /** Another status, whoever set it, ends an outage. */
  function healthOf(connection: LoadedConnection): Health {
    const { status } = connection
    const last = lastOf(connection)
    if (!last) return { status, failures: 0, refusals: noRefusals }
    return last.health.status === status ? last.health : { ...last.health, status, failures: 0 }
  }

  return {
    /** By a person: what was reported before counts no more. */
    async move(id: string, wanted: Move): Promise<void> {
      known.delete(id)
      await move(id, wanted)
    },
    forget: (id: string) => known.delete(id),
    restMs(id: string): number {
      const connection = register.get(id)
      if (!connection) return 0
      if (connection.status === 'paused' || connection.status === 'needs_attention') return Number.POSITIVE_INFINITY
      return Math.max(0, (lastOf(connection)?.restsUntil ?? 0) - hub.now().getTime())
    },
    async reportFailure(id: string, error: unknown, way: Way): Promise<void> {
      const connection = register.get(id)
      if (!connection || !(error instanceof ConnectorError)) return
      const isPatient = connection.connector.can.watch !== undefined
      await report(connection, way, (before) => afterFailure(before, error.code, way, isPatient), error)
    },
    async reportSuccess(id: string, way: Way): Promise<void> {
      const connection = register.get(id)
      if (connection) await report(connection, way, (before) => afterSuccess(before, way), undefined)
    },
  }
}
