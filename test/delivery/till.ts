/** A connector with calls of all effect classes and the vendor behind it: real HTTP, with faults on demand. */
import { sql } from 'kysely'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type Connector, defineConnector, type Receipt } from '#hub/connector/contract.ts'
import { createDelivery, type Delivery, type DeliveryOptions } from '#hub/delivery/index.ts'
import { type Action, type OutboxEntry, putInOutbox } from '#hub/outbox/index.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { createMetrics } from '#hub/platform/metrics.ts'
import type { TestDatabase } from '#kit'
import { type Office, openOffice } from '../connections/vendor.ts'
import { bodyOf, type LocalServer, localServer, reply } from '../platform/local-server.ts'

const answered = z.object({ externalId: z.string(), version: z.string() })
const toReceipt = (answer: unknown): Receipt => answered.parse(answer)

/** `case.update` is keyed, `case.message` probed, `notify` at least once. */
export const till: Connector = defineConnector({
  manifest: { id: 'till', name: 'Till', docs: 'https://till.example/docs', hosts: [], limits: [] },
  config: z.object({ base: z.url({ protocol: /^http$/ }), token: z.string().meta({ secret: true }) }),
  api: ({ base, token }) => ({ baseUrl: base, headers: { authorization: `Bearer ${token}` } }),
  check: async () => ({ account: 'till' }),
  can: {
    readCases: {
      async get(ctx, ids) {
        const found = await Promise.all(ids.map((id) => ctx.http.json('GET', `/cases/${id}`)))
        return found.map((one) => z.object({ id: z.string(), version: z.string() }).parse(one))
      },
    },
    writeCase: {
      fields: ['status', 'priority'],
      effects: { create: 'keyed', update: 'keyed', message: 'probed' },
      create: async (ctx, draft, key) => toReceipt(await ctx.http.json('POST', '/keyed', { json: { key, draft } })),
      update: async (ctx, id, change, key) =>
        toReceipt(await ctx.http.json('POST', '/keyed', { json: { key, id, change } })),
      message: async (ctx, id, message, key) =>
        toReceipt(await ctx.http.json('POST', '/unkeyed', { json: { key, id, message } })),
      async find(ctx, _call, _id, key) {
        const { found } = z.object({ found: answered.nullable() }).parse(await ctx.http.json('GET', `/effects/${key}`))
        return found ?? undefined
      },
    },
    notify: {
      effects: { send: 'at_least_once' },
      send: async (ctx, notice, key) => toReceipt(await ctx.http.json('POST', '/unkeyed', { json: { key, notice } })),
    },
  },
})

interface Effect {
  readonly key: string
  readonly id?: string | undefined
  readonly change?: { readonly ifVersion?: string | undefined } | undefined
}
const Effect = z.object({
  key: z.string(),
  id: z.string().optional(),
  change: z.looseObject({ ifVersion: z.string().optional() }).optional(),
})

/** What happens to one call; `after` faults come when the effect is done. */
export type Fault = 'none' | '500' | '503' | 'reset' | '500 after' | 'reset after' | '401' | '400' | '429' | '409'

export interface Vendor extends LocalServer {
  /** In the order in which they happened. */
  readonly effects: Effect[]
  readonly calls: Effect[]
  /** Decides each POST by its number, from 0. */
  fault: (call: number, effect: Effect) => Fault
  version: string
}

export async function openTill(): Promise<Vendor> {
  const effects: Effect[] = []
  const calls: Effect[] = []
  const behaviour: Pick<Vendor, 'fault' | 'version'> = { fault: () => 'none', version: 'v1' }
  const server = await localServer(async (request, response) => {
    const [, place, id] = (request.url ?? '').split('/')
    if (request.method === 'GET' && place === 'cases') return reply(response, 200, { id, version: vendor.version })
    if (request.method === 'GET') {
      const found = effects.find(({ key }) => key === id)
      return reply(response, 200, { found: found ? { externalId: found.key, version: 'found' } : null })
    }
    const effect = Effect.parse(JSON.parse(await bodyOf(request)))
    const fault = vendor.fault(calls.length, effect)
    calls.push(effect)
    if (fault === 'reset') return request.socket.destroy()
    if (/^\d+$/.test(fault)) return reply(response, Number(fault), { message: 'fault' }, { 'retry-after': '0.2' })
    const isRepeated = place === 'keyed' && effects.some(({ key }) => key === effect.key)
    if (!isRepeated) effects.push(effect)
    if (fault === 'reset after') return request.socket.destroy()
    if (fault === '500 after') return reply(response, 500, {})
    reply(response, 200, { externalId: effect.key, version: `after ${effect.key}` })
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  const vendor: Vendor = Object.assign(behaviour, server, { effects, calls })
  return vendor
}

export interface Shop extends Office {
  readonly connectionId: string
  /** Another delivery worker on the same database; the first one is there from the start. */
  deliver(options?: DeliveryOptions): Delivery
  /** Works until nothing is pending, with the waiting times passed over. */
  workOff(...workers: readonly Delivery[]): Promise<void>
  put(entries: readonly (Partial<OutboxEntry> & { readonly action: Action; readonly key: string })[]): Promise<void>
}

export async function openShop(
  database: TestDatabase,
  vendor: { readonly host: string; readonly url: string },
  connector: Connector = till,
  now = () => new Date(),
): Promise<Shop> {
  const office = await openOffice(database, vendor, { now, connectors: { till: async () => connector } })
  const { id } = await office.connections.install('till', 'Till', { base: vendor.url, token: 'tok-1234567890' })
  const metrics = createMetrics()
  return {
    ...office,
    connectionId: id,
    deliver(options = {}) {
      const delivery = createDelivery({ ...office, metrics }, options)
      onTestFinished(() => delivery.stop())
      return delivery
    },
    async workOff(...workers) {
      for (let round = 0; round < 50; round += 1) {
        await Promise.all(workers.map((worker) => worker.drain()))
        if ((await passTime(office.db)) === 0) return
      }
      throw new Error('still pending after 50 rounds')
    },
    put: (entries) =>
      putInOutbox(
        office.db,
        entries.map((entry) => ({ lane: id, connectionId: id, orderKey: entry.key, cause: { depth: 0 }, ...entry })),
      ),
  }
}

/** Makes waiting rows due. @returns how many rows are still pending. */
export async function passTime(db: Db): Promise<number> {
  await sql`
    with waiting as (select seq from outbox where state = 'pending' and lease_until is null for update skip locked)
    update outbox set due_at = now() where seq in (select seq from waiting)`.execute(db)
  const { rows } = await sql<{ left: number }>`select count(*) as left from outbox where state = 'pending'`.execute(db)
  return rows[0]?.left ?? 0
}

export const update = (key: string, caseId: string): Pick<OutboxEntry, 'key' | 'orderKey' | 'action'> => ({
  key,
  orderKey: caseId,
  action: { type: 'case.update', externalId: caseId, change: { priority: 'high' } },
})

export async function rows(db: Db) {
  return await db
    .selectFrom('outbox')
    .select(['key', 'state', 'attempts', 'error', 'receipt', 'possibly_sent'])
    .orderBy('seq')
    .execute()
}
