/** Connections made, changed and removed by people: examined first, saved with their audit line, then announced. */

import type { Connector } from '#hub/connector/contract.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { ConnectionStatus } from '#hub/platform/db/schema.ts'
import { newId } from '#hub/platform/ids.ts'
import { type Examined, examine } from './examine.ts'
import type { ConnectionsHub } from './index.ts'
import type { InstallationBook } from './installations.ts'
import { placeOf, Sealed, type Surroundings } from './loaded.ts'
import { ConnectionRefused } from './refused.ts'
import type { Register } from './register.ts'
import * as store from './store.ts'
import { webhookUrl } from './view.ts'
import { checkWebhookSecret, newWebhookSecret, rotate } from './webhook-secret.ts'

export interface Installed {
  readonly id: string
  readonly connector: string
  readonly name: string
  readonly status: ConnectionStatus
  /** Shown this once. Absent for connectors that receive no webhooks. */
  readonly webhook?: { readonly url: string; readonly secret: string }
}

export interface Rotation {
  /** Made here when absent. */
  readonly newSecret?: string
  /** How long the former secret stays good; 24 when absent. */
  readonly overlapHours?: number
}

export function createInstalls(hub: ConnectionsHub, register: Register, around: Surroundings, book: InstallationBook) {
  const { baseUrl } = hub.env

  async function connectorOf(id: string): Promise<Connector> {
    const load = Object.hasOwn(hub.connectors, id) ? hub.connectors[id] : undefined
    if (load) return await load()
    const known = Object.keys(hub.connectors).sort().join(', ')
    throw new ConnectionRefused('unknown_connector', `no connector "${id}"; there are ${known}`)
  }

  async function seal(id: string, sealed: Sealed): Promise<Buffer> {
    return hub.secrets.seal(sealed, placeOf(await register.workspaceId(), id))
  }

  async function open(row: store.ConnectionRow): Promise<Sealed> {
    return Sealed.parse(hub.secrets.open(row.sealed, placeOf(await register.workspaceId(), row.id)))
  }

  async function existing(id: string): Promise<store.ConnectionRow> {
    const row = await store.selectOne(hub.db, id)
    if (row) return row
    throw new ConnectionRefused('not_found', `no connection "${id}"`)
  }

  async function save(
    row: store.ConnectionRow,
    kept: store.Kept,
    act: string,
    actor: string,
    places?: Examined['places'],
  ): Promise<void> {
    await withTakenName(kept.name, () =>
      hub.db.transaction().execute(async (trx) => {
        if (!(await store.updateOne(trx, row, kept))) {
          throw new ConnectionRefused(
            'changed_meanwhile',
            `connection "${row.id}" was changed meanwhile; load it again`,
          )
        }
        if (places) await book.savePlaces(trx, row.id, places)
        await audit(trx, actor, act, row.id, { name: kept.name })
      }),
    )
    await announce()
  }

  async function announce(): Promise<void> {
    await register.refresh()
    hub.signals.raise('connections')
  }

  return {
    existing,

    async install(connectorId: string, name: string, config: unknown, actor: string): Promise<Installed> {
      const connector = await connectorOf(connectorId)
      const id = newId('con')
      const examined = await examine(id, connector, config, undefined, around)
      const { account, sealed } = examined
      const row = { id, connector: connectorId, name, config: examined.open, account, sealed: await seal(id, sealed) }
      await withTakenName(name, () =>
        hub.db.transaction().execute(async (trx) => {
          await store.insertOne(trx, row)
          if (examined.places) await book.savePlaces(trx, id, examined.places)
          await audit(trx, actor, 'connection.installed', id, { connector: connectorId, name })
        }),
      )
      await announce()
      hub.log.info({ connection_id: id, connector: connectorId, name }, 'connection installed')
      const [first] = sealed.webhook
      const webhook = first ? { webhook: { url: webhookUrl(baseUrl, id), secret: first.secret } } : {}
      return { id, connector: connectorId, name, status: 'connected', ...webhook }
    },

    /** Whole settings; secrets that are left out stay. */
    async reconfigure(row: store.ConnectionRow, name: string, config: unknown, actor: string): Promise<void> {
      const connector = await connectorOf(row.connector)
      const examined = await examine(row.id, connector, config, await open(row), around, book)
      const { account, sealed } = examined
      const kept = { name, config: examined.open, account, sealed: await seal(row.id, sealed) }
      await save(row, kept, 'connection.updated', actor, examined.places)
    },

    async rename(row: store.ConnectionRow, name: string, actor: string): Promise<void> {
      const { config, sealed, account } = row
      await save(row, { name, config, sealed, account }, 'connection.updated', actor)
    },

    async remove(id: string, actor: string): Promise<void> {
      await hub.db.transaction().execute(async (trx) => {
        if (!(await store.deleteOne(trx, id))) throw new ConnectionRefused('not_found', `no connection "${id}"`)
        await audit(trx, actor, 'connection.removed', id)
      })
      await announce()
    },

    async rotateWebhookSecret(
      id: string,
      { newSecret, overlapHours = 24 }: Rotation,
      actor: string,
    ): Promise<{ readonly url: string; readonly secret: string }> {
      const row = await existing(id)
      const secret = newSecret === undefined ? newWebhookSecret() : checkWebhookSecret(newSecret)
      const before = await open(row)
      if (before.webhook.length === 0) {
        throw new ConnectionRefused('not_found', `connection "${id}": its connector receives no webhooks`)
      }
      const webhook = rotate(before.webhook, secret, hub.now(), overlapHours)
      const { name, config, account } = row
      const kept = { name, config, account, sealed: await seal(id, { ...before, webhook }) }
      await save(row, kept, 'connection.secret_rotated', actor)
      return { url: webhookUrl(baseUrl, id), secret }
    },
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
