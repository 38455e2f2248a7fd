/**
 * In: installs, and reports of how calls went. Out: connections ready for work, from memory, also while the database is away.
 * Never here: a secret in an answer, an error or a log; what a vendor's data means.
 */
import type { Connector, Context, Log } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { ConnectionStatus } from '#hub/platform/db/schema.ts'
import { newId } from '#hub/platform/ids.ts'
import type { SecretBox } from '#hub/platform/secret-box.ts'
import type { Signals } from '#hub/platform/signals.ts'
import { createGuardedAgent, extraHosts } from '#hub/platform/ssrf.ts'
import { afterFailure, afterSuccess, type Health } from './health.ts'
import {
  type CallOptions,
  contextOf,
  doorOf,
  InvalidConfig,
  type LoadedConnection,
  parseConfig,
  placeOf,
  Sealed,
} from './loaded.ts'
import { createRegister } from './register.ts'
import { joinConfig, keepSecrets, splitConfig } from './secret-fields.ts'
import * as store from './store.ts'
import { checkWebhookSecret, newWebhookSecret, rotate } from './webhook-secret.ts'

export { type CallOptions, InvalidConfig, type LoadedConnection } from './loaded.ts'
export { splitConfig } from './secret-fields.ts'
export { newWebhookSecret } from './webhook-secret.ts'

export type Registry = Readonly<Record<string, () => Promise<Connector>>>

export interface ConnectionsHub {
  readonly db: Db
  readonly log: Log
  readonly now: () => Date
  readonly secrets: SecretBox
  readonly signals: Signals
  readonly env: { readonly baseUrl: string; readonly extraHosts: readonly string[] }
  /** The connectors there are, from `#connectors`. */
  readonly connectors: Registry
}

/** What anybody may see. */
export interface ConnectionView {
  readonly id: string
  readonly connector: string
  readonly name: string
  readonly status: ConnectionStatus
  readonly statusReason: string | null
  readonly account: string | null
  /** Settings without their secrets. */
  readonly config: Readonly<Record<string, unknown>>
  readonly webhookUrl: string
  readonly lastInboundAt: Date | null
  readonly lastReconciledAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface Installed {
  readonly id: string
  readonly connector: string
  readonly name: string
  readonly status: ConnectionStatus
  /** Shown this once. Absent for connectors that receive no webhooks. */
  readonly webhook?: { readonly url: string; readonly secret: string }
}

/** A connection cannot be made, found or changed this way; the message says why and what to do. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused'
  readonly code: 'unknown_connector' | 'check_failed' | 'name_taken' | 'not_found' | 'changed_meanwhile'
  constructor(code: ConnectionRefused['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

export interface Connections {
  /** Reads all connections; they are kept up to date from then on. */
  start(): Promise<void>
  close(): Promise<void>
  /**
   * Checks the settings at the vendor, then saves.
   * @throws InvalidConfig, ConnectionRefused, TypeError for a webhook secret below 24 bytes
   */
  install(connector: string, name: string, config: unknown, actor?: string): Promise<Installed>
  /** Whole settings; secrets that are left out stay. Also the way back from `needs_attention`. @throws as install */
  update(id: string, change: { name?: string; config?: unknown }, actor?: string): Promise<ConnectionView>
  list(): Promise<readonly ConnectionView[]>
  get(id: string): Promise<ConnectionView | undefined>
  pause(id: string, actor?: string): Promise<void>
  resume(id: string, actor?: string): Promise<void>
  remove(id: string, actor?: string): Promise<void>
  /** Both secrets are good until the overlap ends. @returns the new one, this once. */
  rotateWebhookSecret(
    id: string,
    options?: { readonly newSecret?: string; readonly overlapHours?: number },
    actor?: string,
  ): Promise<{ readonly url: string; readonly secret: string }>

  /** From memory. @throws Error when it exists and cannot be used now, so that senders try again. */
  byId(id: string): Promise<LoadedConnection | undefined>
  all(): readonly LoadedConnection[]
  isKnown(id: string): boolean
  nameOf(id: string): { readonly name: string; readonly connector: string } | undefined
  /** @throws ConnectorError host_refused */
  contextFor(connection: LoadedConnection, signal: AbortSignal, options?: CallOptions): Context<unknown>
  /** Calls another process made lately on this account; see `AccountLimits.seed`. */
  seedLimits(id: string, agesMs: readonly number[]): void

  reportFailure(id: string, error: unknown): Promise<void>
  reportSuccess(id: string): Promise<void>
  noteInbound(id: string): void
  noteRefused(id: string): void
}

const checkTimeoutMs = 30_000
const flushEveryMs = 5_000
const refusedLogEveryMs = 60_000

export function createConnections(hub: ConnectionsHub): Connections {
  const hosts = extraHosts(hub.env.extraHosts)
  const agent = createGuardedAgent({ extraHosts: hosts })
  const around = { agent, extraHosts: hosts, log: hub.log, now: hub.now }
  const register = createRegister(hub, around)
  const health = new Map<string, Health>()
  const inbound = new Map<string, Date>()
  const refused = new Map<string, { count: number; loggedAt: number }>()
  let flushing: NodeJS.Timeout | undefined
  const stopListening = hub.signals.on('connections', () => register.refreshSoon())

  async function connectorOf(id: string): Promise<Connector> {
    const load = Object.hasOwn(hub.connectors, id) ? hub.connectors[id] : undefined
    if (load) return await load()
    const known = Object.keys(hub.connectors).sort().join(', ')
    throw new ConnectionRefused('unknown_connector', `no connector "${id}"; there are ${known}`)
  }

  /** Settings that the connector understands and the vendor accepts. */
  async function examine(id: string, connector: Connector, given: unknown, before: Sealed | undefined) {
    const split = splitConfig(connector.config, isPlain(given) ? given : {})
    const [unknown] = split.unknown
    if (unknown !== undefined) {
      throw new InvalidConfig(connector.manifest.id, [
        { field: unknown, message: 'no such setting; check its spelling' },
      ])
    }
    const secrets = keepSecrets(split, before?.config ?? [])
    const config = parseConfig(connector, isPlain(given) ? joinConfig(split.open, secrets) : given)
    const entered = split.secrets.find(({ path }) => path.join('.') === 'webhook_secret')?.value
    const webhook = webhookSecrets(connector, before, typeof entered === 'string' ? entered : undefined)
    const sealed: Sealed = { config: secrets, webhook }
    return { open: split.open, sealed, account: await check(id, connector, config, sealed) }
  }

  function webhookSecrets(connector: Connector, before: Sealed | undefined, entered: string | undefined) {
    if (!connector.can.receive) return []
    const current = before?.webhook ?? []
    if (entered === undefined) return current.length > 0 ? current : [{ secret: newWebhookSecret() }]
    return rotate(current, checkWebhookSecret(entered), hub.now(), 24)
  }

  async function check(id: string, connector: Connector, config: unknown, sealed: Sealed): Promise<string> {
    const limits = new AccountLimits(connector.manifest.id, connector.manifest.limits)
    const door = doorOf(id, connector, config, sealed, limits, around)
    const name = connector.manifest.id
    try {
      const context = contextOf({ config, door }, hub.now, AbortSignal.timeout(checkTimeoutMs), { priority: 'person' })
      const { account, missingScopes = [] } = await connector.check(context)
      if (missingScopes.length === 0) return account
      throw new ConnectionRefused(
        'check_failed',
        `${name}: ${account} lacks ${missingScopes.join(', ')}; grant it at the vendor and try again`,
      )
    } catch (error) {
      if (error instanceof ConnectionRefused) throw error
      const why = error instanceof Error ? error.message : String(error)
      throw new ConnectionRefused('check_failed', door.redact(`${name}: the check failed: ${why}`), error)
    }
  }

  function seal(id: string, workspaceId: string, sealed: Sealed): Buffer {
    return hub.secrets.seal(sealed, placeOf(workspaceId, id))
  }

  async function existing(id: string): Promise<store.ConnectionRow> {
    const row = await store.selectOne(hub.db, id)
    if (row) return row
    throw new ConnectionRefused('not_found', `no connection "${id}"`)
  }

  async function opened(row: store.ConnectionRow): Promise<{ sealed: Sealed; workspaceId: string }> {
    const workspaceId = await register.workspaceId()
    return { workspaceId, sealed: Sealed.parse(hub.secrets.open(row.sealed, placeOf(workspaceId, row.id))) }
  }

  async function save(row: store.ConnectionRow, kept: store.Kept, act: string, actor: string): Promise<void> {
    await withTakenName(kept.name, () =>
      hub.db.transaction().execute(async (trx) => {
        const isSaved = await store.updateOne(trx, row, kept)
        if (!isSaved) {
          throw new ConnectionRefused(
            'changed_meanwhile',
            `connection "${row.id}" was changed meanwhile; load it again`,
          )
        }
        await store.audit(trx, actor, act, row.id, { name: kept.name })
      }),
    )
    await announce()
  }

  async function announce(): Promise<void> {
    await register.refresh()
    hub.signals.raise('connections')
  }

  /** Logged and audited by the one process that moved it. */
  async function move(
    id: string,
    from: readonly ConnectionStatus[],
    to: ConnectionStatus,
    reason: string | null,
    actor: string,
  ): Promise<boolean> {
    const isMoved = await hub.db.transaction().execute(async (trx) => {
      if (!(await store.moveStatus(trx, id, from, to, reason))) return false
      await store.audit(trx, actor, `connection.${to}`, id, reason === null ? {} : { reason })
      return true
    })
    if (!isMoved) return false
    health.delete(id)
    const level = to === 'needs_attention' ? 'error' : to === 'degraded' ? 'warn' : 'info'
    hub.log[level]({ connection_id: id, status: to, reason }, `connection is ${to}`)
    await announce()
    hub.signals.raise('outbox', id)
    return true
  }

  function healthOf(connection: LoadedConnection): Health {
    const known = health.get(connection.id)
    return known?.status === connection.status ? known : { status: connection.status, failures: 0 }
  }

  async function report(id: string, next: (health: Health) => Health, reason: string | null): Promise<void> {
    const connection = register.get(id)
    if (!connection) return
    const before = healthOf(connection)
    const after = next(before)
    if (after === before) return
    health.set(id, { ...after, status: before.status })
    if (after.status === before.status) return
    try {
      await move(id, [before.status], after.status, reason, 'hub')
    } catch (error) {
      hub.log.error({ err: error, connection_id: id }, 'the status of a connection could not be saved')
    }
  }

  async function flushInbound(): Promise<void> {
    flushing = undefined
    const seen = new Map(inbound)
    inbound.clear()
    if (seen.size === 0) return
    await store.noteInbound(hub.db, seen).catch((error: unknown) => {
      hub.log.warn({ err: error }, 'the times of the last webhooks could not be saved')
    })
  }

  const connections: Connections = {
    start: () => register.refresh(),
    async close() {
      stopListening()
      clearTimeout(flushing)
      await flushInbound()
      await agent.destroy()
    },

    async install(connectorId, name, config, actor = 'hub') {
      const connector = await connectorOf(connectorId)
      const id = newId('con')
      const { open, sealed, account } = await examine(id, connector, config, undefined)
      const workspaceId = await register.workspaceId()
      const row = { id, connector: connectorId, name, config: open, account, sealed: seal(id, workspaceId, sealed) }
      await withTakenName(name, () =>
        hub.db.transaction().execute(async (trx) => {
          await store.insertOne(trx, row)
          await store.audit(trx, actor, 'connection.installed', id, { connector: connectorId, name })
        }),
      )
      await announce()
      hub.log.info({ connection_id: id, connector: connectorId, name }, 'connection installed')
      const [first] = sealed.webhook
      const webhook = first ? { webhook: { url: urlOf(id), secret: first.secret } } : {}
      return { id, connector: connectorId, name, status: 'connected', ...webhook }
    },

    async update(id, change, actor = 'hub') {
      const row = await existing(id)
      const before = await opened(row)
      const name = change.name ?? row.name
      if (change.config === undefined) {
        const { config, sealed, account } = row
        await save(row, { name, config, sealed, account }, 'connection.updated', actor)
      } else {
        const connector = await connectorOf(row.connector)
        const { open, sealed, account } = await examine(id, connector, change.config, before.sealed)
        const kept = { name, config: open, account, sealed: seal(id, before.workspaceId, sealed) }
        await save(row, kept, 'connection.updated', actor)
        // The check has just succeeded.
        await move(id, ['needs_attention', 'degraded'], 'connected', null, actor)
      }
      return view(await existing(id))
    },

    list: async () => (await store.selectAll(hub.db)).map(view),
    async get(id) {
      const row = await store.selectOne(hub.db, id)
      return row && view(row)
    },
    async pause(id, actor = 'hub') {
      await existing(id)
      await move(id, ['connected', 'degraded', 'needs_attention'], 'paused', `paused by ${actor}`, actor)
    },
    async resume(id, actor = 'hub') {
      await existing(id)
      await move(id, ['paused', 'needs_attention', 'degraded'], 'connected', null, actor)
    },
    async remove(id, actor = 'hub') {
      await hub.db.transaction().execute(async (trx) => {
        if (!(await store.deleteOne(trx, id))) throw new ConnectionRefused('not_found', `no connection "${id}"`)
        await store.audit(trx, actor, 'connection.removed', id)
      })
      health.delete(id)
      await announce()
    },

    async rotateWebhookSecret(id, options = {}, actor = 'hub') {
      const row = await existing(id)
      const secret = options.newSecret === undefined ? newWebhookSecret() : checkWebhookSecret(options.newSecret)
      const { sealed, workspaceId } = await opened(row)
      if (sealed.webhook.length === 0) {
        throw new ConnectionRefused('not_found', `connection "${id}": its connector receives no webhooks`)
      }
      const webhook = rotate(sealed.webhook, secret, hub.now(), options.overlapHours ?? 24)
      const { name, config, account } = row
      const kept = { name, config, account, sealed: seal(id, workspaceId, { ...sealed, webhook }) }
      await save(row, kept, 'connection.secret_rotated', actor)
      return { url: urlOf(id), secret }
    },

    byId: (id) => register.byId(id),
    all: () => register.all(),
    isKnown: (id) => register.get(id) !== undefined,
    nameOf(id) {
      const connection = register.get(id)
      return connection && { name: connection.name, connector: connection.connector.manifest.id }
    },
    contextFor: (connection, signal, options = {}) => contextOf(connection, hub.now, signal, options),
    seedLimits: (id, agesMs) => register.limitsOf(id)?.seed(agesMs),

    async reportFailure(id, error) {
      if (error instanceof ConnectorError) await report(id, (before) => afterFailure(before, error.code), error.message)
    },
    async reportSuccess(id) {
      await report(id, afterSuccess, null)
    },
    noteInbound(id) {
      inbound.set(id, hub.now())
      flushing ??= setTimeout(() => void flushInbound(), flushEveryMs).unref()
    },
    noteRefused(id) {
      const now = hub.now().getTime()
      const { count, loggedAt } = refused.get(id) ?? { count: 0, loggedAt: 0 }
      const isDue = now - loggedAt >= refusedLogEveryMs
      if (isDue) hub.log.warn({ connection_id: id, count: count + 1 }, 'webhooks refused: their signature does not fit')
      refused.set(id, isDue ? { count: 0, loggedAt: now } : { count: count + 1, loggedAt })
    },
  }
  return connections

  function urlOf(id: string): string {
    return `${hub.env.baseUrl}/hooks/${id}`
  }

  function view(row: store.ConnectionRow): ConnectionView {
    return {
      id: row.id,
      connector: row.connector,
      name: row.name,
      status: row.status,
      statusReason: row.status_reason,
      account: row.account,
      config: row.config,
      webhookUrl: urlOf(row.id),
      lastInboundAt: row.last_inbound_at,
      lastReconciledAt: row.last_reconciled_at,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }
  }
}

async function withTakenName<T>(name: string, save: () => Promise<T>): Promise<T> {
  try {
    return await save()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '23505') {
      throw new ConnectionRefused('name_taken', `a connection is called "${name}" already; choose another name`, error)
    }
    throw error
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
