/**
 * Where a connection's app is installed: its tokens for each place, sealed; renewed once, whoever asks and in however many
 * processes.
 */
import { type Selectable, sql } from 'kysely'
import PQueue from 'p-queue'
import { z } from 'zod'
import type { Connector, Context, Installation, Installations } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { Schema } from '#hub/platform/db/schema.ts'
import type { SecretBox } from '#hub/platform/secret-box.ts'
import type { Signals } from '#hub/platform/signals.ts'
import type { Door } from './loaded.ts'

/** Tokens are renewed this long before they run out: long enough to survive a vendor's bad hour. */
const renewBeforeMs = 2 * 3_600_000
/** With less than this left, a token that could not be renewed is not used any more. */
const usableMs = 60_000
/** Each holds a session of the database while the vendor answers. */
const renewedAtOnce = 2
/** The database ends sessions that are silent for longer. */
const renewalTimeoutMs = 10_000

const Kept = z.object({ secrets: z.record(z.string(), z.string()), expiresAt: z.string().optional() })

export interface InstallationsHub {
  readonly db: Db
  readonly now: () => Date
  readonly secrets: SecretBox
  readonly signals: Signals
  workspaceId(): Promise<string>
}

export interface Owner {
  readonly id: string
  readonly connector: Connector
  readonly door: Door
}

type MakeContext = (signal: AbortSignal) => Context<unknown>

export interface InstallationBook {
  of(owner: Owner, contextOf: MakeContext): Installations
  /** Places that the settings open, in the transaction that saves them. Those that they opened before and open no more are forgotten. */
  savePlaces(trx: Db, id: string, places: readonly Pick<Installation, 'key' | 'name'>[]): Promise<void>
  put(id: string, installation: Installation, actor: string): Promise<void>
  /** @param before an installation made later stays: news of an earlier end may come late. */
  remove(id: string, key: string, actor: string, before?: Date): Promise<boolean>
  list(id: string): Promise<readonly Place[]>
  /** What was read is read again. */
  forget(): void
}

export interface Place {
  readonly key: string
  readonly name: string
  readonly installedAt: Date
}

type Row = Pick<Selectable<Schema['installations']>, 'key' | 'name' | 'sealed'>

export function createInstallations(hub: InstallationsHub): InstallationBook {
  const kept = new Map<string, Promise<Installation | undefined>>()
  const renewals = new Map<string, Promise<Installation>>()
  const renewing = new PQueue({ concurrency: renewedAtOnce })

  async function placeOf(id: string, key: string): Promise<string> {
    return `installation|${await hub.workspaceId()}|${id}|${key}`
  }

  async function seal(id: string, { key, secrets, expiresAt }: Installation): Promise<Buffer> {
    const value = { secrets, ...(expiresAt === undefined ? {} : { expiresAt }) }
    return hub.secrets.seal(value, await placeOf(id, key))
  }

  async function open(id: string, { key, name, sealed }: Row): Promise<Installation> {
    const { secrets, expiresAt } = Kept.parse(hub.secrets.open(sealed, await placeOf(id, key)))
    return { key, name: name ?? key, secrets, ...(expiresAt === undefined ? {} : { expiresAt }) }
  }

  function select(db: Db, id: string, key: string) {
    return db
      .selectFrom('installations')
      .select(['key', 'name', 'sealed'])
      .where('connection_id', '=', id)
      .where('key', '=', key)
  }

  function read(id: string, key: string): Promise<Installation | undefined> {
    const at = JSON.stringify([id, key])
    const known = kept.get(at)
    if (known) return known
    const reading = select(hub.db, id, key)
      .executeTakeFirst()
      .then((row) => row && open(id, row))
    kept.set(at, reading)
    // What could not be read is asked for again; what is not there may be by the next time.
    reading.then(
      (found) => found ?? kept.delete(at),
      () => kept.delete(at),
    )
    return reading
  }

  async function get(owner: Owner, key: string, context: MakeContext): Promise<Installation | undefined> {
    const found = await read(owner.id, key)
    if (!found) return undefined
    owner.door.hide(Object.values(found.secrets))
    const leftMs = leftOf(found)
    if (leftMs >= renewBeforeMs || !owner.connector.can.install?.refresh) return found
    try {
      return await renewOnce(owner, key, context)
    } catch (error) {
      if (isEnded(error) || leftMs < usableMs) throw error
      owner.door.log.warn({ err: error, place: key }, 'tokens could not be renewed; those there are still good')
      return found
    }
  }

  function leftOf({ expiresAt }: Installation): number {
    return expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt) - hub.now().getTime()
  }

  function renewOnce(owner: Owner, key: string, context: MakeContext): Promise<Installation> {
    const at = JSON.stringify([owner.id, key])
    const underway = renewals.get(at)
    if (underway) return underway
    const renewal = renewing
      .add(() => renew(owner, key, context))
      .finally(() => {
        renewals.delete(at)
        kept.delete(at)
      })
    renewals.set(at, renewal)
    return renewal
  }

  /** The row's lock lets one process ask the vendor; the others find what it got. Committed before anybody uses it. */
  async function renew(owner: Owner, key: string, context: MakeContext): Promise<Installation> {
    const { id, connector, door } = owner
    return await hub.db.transaction().execute(async (trx) => {
      const row = await select(trx, id, key).forUpdate().executeTakeFirst()
      if (!row) throw new ConnectorError('auth_failed', `${key}: the app was taken away; install it again`)
      const current = await open(id, row)
      const refresh = connector.can.install?.refresh
      if (leftOf(current) >= renewBeforeMs || !refresh) return current
      const fresh = await refresh(context(AbortSignal.timeout(renewalTimeoutMs)), current)
      door.hide(Object.values(fresh.secrets))
      await trx
        .updateTable('installations')
        .set({ sealed: await seal(id, fresh), updated_at: hub.now() })
        .where('connection_id', '=', id)
        .where('key', '=', key)
        .execute()
      return fresh
    })
  }

  async function insert(db: Db, id: string, installation: Installation): Promise<void> {
    const sealed = await seal(id, installation)
    const at = hub.now()
    const { key, name } = installation
    await sql`
      insert into installations (connection_id, key, name, sealed, installed_at, updated_at)
      values (${id}, ${key}, ${name}, ${sealed}, ${at}, ${at})
      on conflict (workspace_id, connection_id, key) do update
        set name = excluded.name, sealed = excluded.sealed, installed_at = excluded.installed_at,
          updated_at = excluded.updated_at
    `.execute(db)
  }

  function announce(): void {
    kept.clear()
    hub.signals.raise('connections')
  }

  async function list(db: Db, id: string): Promise<readonly Place[]> {
    const rows = await db
      .selectFrom('installations')
      .select(['key', 'name', 'installed_at'])
      .where('connection_id', '=', id)
      .orderBy('installed_at')
      .orderBy('key')
      .execute()
    return rows.map(({ key, name, installed_at: installedAt }) => ({ key, name: name ?? key, installedAt }))
  }

  const book: InstallationBook = {
    of: (owner, contextOf) => ({
      list: () => list(hub.db, owner.id),
      get: (key) => get(owner, key, contextOf),
      put: (installation) => book.put(owner.id, installation, 'hub'),
      remove: async (key) => void (await book.remove(owner.id, key, 'hub')),
    }),
    async savePlaces(trx, id, places) {
      for (const one of await list(trx, id)) {
        const row = await select(trx, id, one.key).executeTakeFirst()
        const isOfSettings = row !== undefined && Object.keys((await open(id, row)).secrets).length === 0
        if (isOfSettings && !places.some(({ key }) => key === one.key)) await deleteOne(trx, id, one.key)
      }
      for (const { key, name } of places) await insert(trx, id, { key, name, secrets: {} })
    },
    async put(id, installation, actor) {
      await hub.db.transaction().execute(async (trx) => {
        await insert(trx, id, installation)
        await audit(trx, actor, 'connection.app_installed', id, { place: installation.key })
      })
      announce()
    },
    async remove(id, key, actor, before) {
      const isRemoved = await hub.db.transaction().execute(async (trx) => {
        if (!(await deleteOne(trx, id, key, before))) return false
        await audit(trx, actor, 'connection.app_uninstalled', id, { place: key })
        return true
      })
      if (isRemoved) announce()
      return isRemoved
    },
    list: (id) => list(hub.db, id),
    forget: () => kept.clear(),
  }
  return book
}

async function deleteOne(db: Db, id: string, key: string, before?: Date): Promise<boolean> {
  const all = db.deleteFrom('installations').where('connection_id', '=', id).where('key', '=', key)
  const gone = await (before ? all.where('installed_at', '<', before) : all).executeTakeFirst()
  return gone.numDeletedRows > 0n
}

/** Keys by connection. */
export async function selectInstalled(db: Db): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { rows } = await sql<{ id: string; keys: string[] }>`
    select connection_id as id, array_agg(key) as keys from installations group by connection_id
  `.execute(db)
  return new Map(rows.map(({ id, keys }) => [id, new Set(keys)]))
}

function isEnded(error: unknown): boolean {
  return error instanceof ConnectorError && error.code === 'auth_failed'
}

/** Of a connection that is not there yet. */
export const noInstallations: Installations = {
  list: async () => [],
  get: async () => undefined,
  put: async () => {
    throw new Error('a connection that is not saved yet cannot keep installations')
  },
  remove: async () => {},
}
