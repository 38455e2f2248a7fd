/**
 * In: installs, and reports of how calls went. Out: connections ready for work, from memory, also while the database is away.
 * Never here: a secret in an answer, an error or a log; what a vendor's data means.
 */
import type { Connector, Context, Installation, Log } from '#hub/connector/contract.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { SecretBox } from '#hub/platform/secret-box.ts'
import type { Signals } from '#hub/platform/signals.ts'
import { createGuardedAgent, extraHosts } from '#hub/platform/ssrf.ts'
import type { Way } from './health.ts'
import { createInstallations, type Place } from './installations.ts'
import { createInstalls, type Installed, type Rotation } from './installs.ts'
import { type CallOptions, contextOf, type LoadedConnection } from './loaded.ts'
import { createNotes } from './notes.ts'
import { createRegister } from './register.ts'
import { createStatus } from './status.ts'
import * as store from './store.ts'
import { type ConnectionView, toView } from './view.ts'

export type { Place } from './installations.ts'
export { InvalidConfig, inboundContext, type LoadedConnection } from './loaded.ts'
export { ConnectionRefused } from './refused.ts'
export { splitConfig } from './secret-fields.ts'
export type { ConnectionView } from './view.ts'
export { isOwnWebhookSecret, newWebhookSecret } from './webhook-secret.ts'

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
    rotation?: Rotation,
    actor?: string,
  ): Promise<{ readonly url: string; readonly secret: string }>

  /** Keeps what an administrator of a place allowed, and lets the connection work again. */
  putInstallation(id: string, installation: Installation, actor: string): Promise<void>
  /** @param before made later, it stays: news of an earlier end may come late. */
  removeInstallation(id: string, key: string, actor: string, before?: Date): Promise<void>
  installationsOf(id: string): Promise<readonly Place[]>

  /** From memory. @throws Error when it exists and cannot be used now, so that senders try again. */
  byId(id: string): Promise<LoadedConnection | undefined>
  all(): readonly LoadedConnection[]
  isKnown(id: string): boolean
  /** Heard when one may have been added, changed, paused or removed. @returns how to stop listening. */
  onChange(heard: () => void): () => void
  nameOf(id: string): { readonly name: string; readonly connector: string } | undefined
  /** @throws ConnectorError host_refused */
  contextFor(connection: LoadedConnection, signal: AbortSignal, options?: CallOptions): Context<unknown>
  /** Calls another process made lately on this account; see `AccountLimits.seed`. */
  seedLimits(id: string, agesMs: readonly number[]): void

  /** @param way `reading` when absent. */
  reportFailure(id: string, error: unknown, way?: Way): Promise<void>
  reportSuccess(id: string, way?: Way): Promise<void>
  /** How long to leave it alone, in ms: 0 when it may be called, Infinity until a person has acted. */
  restMs(id: string): number
  noteInbound(id: string): void
  noteRefused(id: string): void
}

export function createConnections(hub: ConnectionsHub): Connections {
  const hosts = extraHosts(hub.env.extraHosts)
  const agent = createGuardedAgent({ extraHosts: hosts })
  const around = { agent, extraHosts: hosts, log: hub.log, now: hub.now }
  const register = createRegister(hub, around)
  const book = createInstallations({ ...hub, workspaceId: () => register.workspaceId() })
  const installs = createInstalls(hub, register, around, book)
  const status = createStatus(hub, register)
  const notes = createNotes(hub)
  const stopListening = hub.signals.on('connections', () => register.refreshSoon())
  register.onRead(book.forget)
  const contextFor: Connections['contextFor'] = (connection, signal, options = {}) =>
    contextOf(
      connection,
      hub.now,
      signal,
      options,
      book.of(connection, (within) => contextFor(connection, within, options)),
    )
  const view = (row: store.ConnectionRow) => toView(row, hub.env.baseUrl)

  return {
    start: () => register.refresh(),
    async close() {
      stopListening()
      await notes.flush()
      await agent.destroy()
    },
    install: (connector, name, config, actor = 'hub') => installs.install(connector, name, config, actor),
    async update(id, { name, config }, actor = 'hub') {
      const row = await installs.existing(id)
      if (config === undefined) await installs.rename(row, name ?? row.name, actor)
      else {
        await installs.reconfigure(row, name ?? row.name, config, actor)
        await store.tryChannelsAgain(hub.db, id)
        // The vendor has just accepted the settings.
        await status.move(id, { from: ['needs_attention', 'degraded'], to: 'connected', reason: null, actor })
      }
      return view(await installs.existing(id))
    },
    list: async () => (await store.selectAll(hub.db)).map(view),
    async get(id) {
      const row = await store.selectOne(hub.db, id)
      return row && view(row)
    },
    async pause(id, actor = 'hub') {
      await installs.existing(id)
      const reason = `paused by ${actor}`
      await status.move(id, { from: ['connected', 'degraded', 'needs_attention'], to: 'paused', reason, actor })
    },
    async resume(id, actor = 'hub') {
      await installs.existing(id)
      const from = ['paused', 'needs_attention', 'degraded'] as const
      await status.move(id, { from, to: 'connected', reason: null, actor })
      await store.tryChannelsAgain(hub.db, id)
    },
    async remove(id, actor = 'hub') {
      await installs.remove(id, actor)
      status.forget(id)
    },
    rotateWebhookSecret: (id, rotation = {}, actor = 'hub') => installs.rotateWebhookSecret(id, rotation, actor),

    async putInstallation(id, installation, actor) {
      await book.put(id, installation, actor)
      await register.refresh()
      await status.move(id, { from: ['needs_attention', 'degraded'], to: 'connected', reason: null, actor })
    },
    async removeInstallation(id, key, actor, before) {
      if (await book.remove(id, key, actor, before)) await register.refresh()
    },
    installationsOf: (id) => book.list(id),

    byId: (id) => register.byId(id),
    all: () => register.all(),
    onChange: register.onRead,
    isKnown: (id) => register.get(id) !== undefined,
    nameOf(id) {
      const connection = register.get(id)
      return connection && { name: connection.name, connector: connection.connector.manifest.id }
    },
    contextFor,
    seedLimits: (id, agesMs) => register.limitsOf(id)?.seed(agesMs),
    reportFailure: (id, error, way = 'reading') => status.reportFailure(id, error, way),
    reportSuccess: (id, way = 'reading') => status.reportSuccess(id, way),
    restMs: (id) => status.restMs(id),
    noteInbound: (id) => notes.inbound(id),
    noteRefused: (id) => notes.refused(id),
  }
}
