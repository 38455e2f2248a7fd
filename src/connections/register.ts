/**
 * The connections in memory. They are read at the start and whenever a change is heard of; while the database is away the
 * last known ones serve.
 */
import type { Connector, Log } from '#hub/connector/contract.ts'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { SecretBox } from '#hub/platform/secret-box.ts'
import { selectInstalled } from './installations.ts'
import { type LoadedConnection, openConnection, type Surroundings } from './loaded.ts'
import { type ConnectionRow, selectAll, workspaceOf } from './store.ts'

export interface Register {
  /** @throws when the database cannot be read */
  refresh(): Promise<void>
  refreshSoon(): void
  get(id: string): LoadedConnection | undefined
  byId(id: string): Promise<LoadedConnection | undefined>
  all(): readonly LoadedConnection[]
  limitsOf(id: string): AccountLimits | undefined
  workspaceId(): Promise<string>
  /** Heard after each reading. @returns how to stop listening. */
  onRead(heard: () => void): () => void
}

interface RegisterHub {
  readonly db: Db
  readonly log: Log
  readonly secrets: SecretBox
  readonly connectors: Readonly<Record<string, () => Promise<Connector>>>
}

type Entry = { readonly row: ConnectionRow } & (
  | { readonly connection: LoadedConnection }
  /** It is there and cannot be used, for this reason. */
  | { readonly broken: string }
)

const nowhere: ReadonlySet<string> = new Set()

/** Requests for ids that nobody knows must not become one query each. */
const strangersEveryMs = 1_000

export function createRegister(hub: RegisterHub, around: Surroundings): Register {
  let entries = new Map<string, Entry>()
  let all: readonly LoadedConnection[] = []
  let installed: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  const limits = new Map<string, AccountLimits>()
  let workspace: Promise<string> | undefined
  let reading: Promise<void> | undefined
  let next: Promise<void> | undefined
  const listeners = new Set<() => void>()
  let readAt = Number.NEGATIVE_INFINITY

  async function read(): Promise<void> {
    const rows = await selectAll(hub.db)
    installed = await selectInstalled(hub.db)
    const fresh = new Map<string, Entry>()
    for (const row of rows) {
      const known = entries.get(row.id)
      fresh.set(row.id, known && isSame(known.row, row) ? known : await open(row))
    }
    for (const id of limits.keys()) if (!fresh.has(id)) limits.delete(id)
    entries = fresh
    all = [...fresh.values()].flatMap((entry) => ('connection' in entry ? [entry.connection] : []))
    readAt = performance.now()
    for (const heard of listeners) heard()
  }

  async function open(row: ConnectionRow): Promise<Entry> {
    try {
      const load = Object.hasOwn(hub.connectors, row.connector) ? hub.connectors[row.connector] : undefined
      if (!load) throw new Error(`its connector "${row.connector}" is not part of this hub`)
      const connector = await load()
      const account = limits.get(row.id) ?? new AccountLimits(`connection ${row.id}`, connector.manifest.limits)
      limits.set(row.id, account)
      const workspaceId = await register.workspaceId()
      const places = () => installed.get(row.id) ?? nowhere
      return { row, connection: openConnection(row, connector, hub.secrets, workspaceId, account, around, places) }
    } catch (error) {
      const broken = error instanceof Error ? error.message : String(error)
      hub.log.error({ connection_id: row.id, reason: broken }, 'a connection cannot be used')
      return { row, broken }
    }
  }

  const register: Register = {
    refresh() {
      // A reading that has begun may have missed the news; those who ask meanwhile share the next one.
      if (!reading) {
        reading = read().finally(() => {
          reading = undefined
        })
        return reading
      }
      const current = reading
      next ??= current
        .catch(() => {})
        .then(() => {
          next = undefined
          return register.refresh()
        })
      return next
    },
    refreshSoon() {
      register.refresh().catch((error: unknown) => {
        hub.log.warn({ err: error }, 'connections could not be read; the last known ones serve')
      })
    },
    get(id) {
      const entry = entries.get(id)
      return entry && 'connection' in entry ? entry.connection : undefined
    },
    async byId(id) {
      if (!entries.has(id) && performance.now() - readAt > strangersEveryMs) await register.refresh()
      const entry = entries.get(id)
      if (entry && 'broken' in entry) throw new Error(`connection ${id} cannot be used: ${entry.broken}`)
      return entry?.connection
    },
    all: () => all,
    limitsOf: (id) => limits.get(id),
    onRead(heard) {
      listeners.add(heard)
      return () => listeners.delete(heard)
    },
    workspaceId() {
      workspace ??= workspaceOf(hub.db).catch((error: unknown) => {
        workspace = undefined
        throw error
      })
      return workspace
    },
  }
  return register
}

function isSame(known: ConnectionRow, row: ConnectionRow): boolean {
  return (
    known.status === row.status &&
    known.name === row.name &&
    known.sealed.equals(row.sealed) &&
    known.updated_at.getTime() === row.updated_at.getTime()
  )
}
