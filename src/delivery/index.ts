/**
 * In: due outbox rows. Out: vendor calls and signed webhooks, each effect once per key and in order per case; receipts, retries
 * and dead letters. Never here: whether an effect is wanted.
 */
import { randomUUID } from 'node:crypto'
import { newWebhookSecret } from '#hub/connections/index.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { signStandardWebhook } from '#hub/connector/hmac.ts'
import type { Hub } from '#hub/hub.ts'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { createGuardedAgent, extraHosts } from '#hub/platform/ssrf.ts'
import { guardedWebhookFetch } from '#hub/platform/webhook-call.ts'
import { attempt, failure } from './attempt.ts'
import { Lane, type LaneScope, type Performance } from './lane.ts'
import type { OnReceipts } from './settler.ts'
import * as store from './store.ts'
import { type VendorCall, vendorCall } from './vendor-call.ts'

export type { Delivered, OnReceipts } from './settler.ts'

export type LaneHub = Pick<Hub, 'db' | 'log' | 'now' | 'metrics'>
type DeliveryHub = LaneHub &
  Pick<Hub, 'connections' | 'signals' | 'secrets'> & { readonly env: Pick<Hub['env'], 'extraHosts'> }

export interface LaneOptions {
  readonly concurrency: number
  readonly leaseSeconds: number
  readonly onReceipts: OnReceipts
  /** A person has to act first, or wants the connection to be still. */
  readonly isAtRest: () => boolean
}

export interface DeliveryOptions {
  /** What receipts mean for the hub's cases. Not called for free webhooks. */
  readonly onReceipts?: OnReceipts
}

export interface Delivery {
  start(): void
  /** Calls under way may end; lanes are free for other replicas afterwards. */
  stop(): Promise<void>
  /** Works everything that is due now and not at rest. */
  drain(): Promise<void>
}

const leaseSeconds = 30
/** A request that leaves just before the lease ends must have arrived before the next owner begins. */
const marginMs = 5_000
const heartbeatMs = 10_000
const pollMs = 1_000
const idleReleaseMs = 10_000
const concurrency = { connection: 10, webhook: 25 } as const
/** Up to this many lanes it is quicker to look than to ask which ones have work. */
const fewLanes = 4
const signingSecretKey = 'webhook_signing_secret'

export function createDelivery(hub: DeliveryHub, options: DeliveryOptions = {}): Delivery {
  const owner = randomUUID()
  const onReceipts: OnReceipts = options.onReceipts ?? (async () => {})
  const hosts = extraHosts(hub.env.extraHosts)
  const door = { agent: createGuardedAgent({ extraHosts: hosts }), extraHosts: hosts, now: hub.now }
  const lanes = new Map<string, Lane>()
  const webhookLimits = new Map<string, AccountLimits>()
  let signingSecret: string | undefined
  let isStopped = false
  let sweeping: Promise<void> | undefined
  let isSweepWanted = false
  let poll: NodeJS.Timeout | undefined
  let heartbeat: NodeJS.Timeout | undefined
  let stopListening = () => {}

  /** Takes free lanes that have work, and wakes those in hand. */
  function sweep(): Promise<void> {
    if (sweeping) {
      isSweepWanted = true
      return sweeping
    }
    sweeping = sweepOnce()
      .catch((error: unknown) => hub.log.warn({ err: error }, 'lanes could not be read; trying again'))
      .finally(() => {
        sweeping = undefined
        if (!isSweepWanted) return
        isSweepWanted = false
        void sweep()
      })
    return sweeping
  }

  async function sweepOnce(): Promise<void> {
    const open = await store.openLanes(hub.db)
    const free: string[] = []
    for (const { lane, isFree } of open) {
      const held = lanes.get(lane)
      if (held?.isHeld) held.pump()
      else if (isFree && !isStopped) free.push(lane)
    }
    const askedMs = performance.now()
    for (const { lane, fence } of await store.acquireLanes(hub.db, owner, free, leaseSeconds)) {
      lanes.get(lane)?.lose()
      const taken = new Lane(lane, fence, heldUntil(askedMs), hub, perform, {
        concurrency: lane.startsWith('webhook:') ? concurrency.webhook : concurrency.connection,
        leaseSeconds,
        onReceipts,
        isAtRest: () => isAtRest(lane),
      })
      lanes.set(lane, taken)
      await seedLimits(lane)
      taken.pump()
    }
  }

  function isAtRest(lane: string): boolean {
    const status = hub.connections.all().find(({ id }) => id === lane)?.status
    return status === 'paused' || status === 'needs_attention'
  }

  async function seedLimits(lane: string): Promise<void> {
    const connection = hub.connections.all().find(({ id }) => id === lane)
    const windows = connection?.connector.manifest.limits.map(({ perSeconds }) => perSeconds * 1_000) ?? []
    if (windows.length > 0)
      hub.connections.seedLimits(lane, await store.recentSends(hub.db, lane, Math.max(...windows)))
  }

  async function beat(): Promise<void> {
    const idle = [...lanes.values()].filter((lane) => lane.idleMs > idleReleaseMs)
    for (const lane of idle) {
      lanes.delete(lane.name)
      webhookLimits.delete(lane.name)
    }
    await store.releaseLanes(hub.db, leasesOf(idle))
    const held = [...lanes.values()]
    if (held.length === 0) return
    const askedMs = performance.now()
    const ours = await store.renewLanes(hub.db, leasesOf(held), leaseSeconds)
    for (const lane of held) {
      if (!ours.has(lane.name)) {
        lane.lose()
        lanes.delete(lane.name)
        continue
      }
      await lane.keep(heldUntil(askedMs))
    }
  }

  async function perform(row: store.OutboxRow, scope: LaneScope, isUnclear: boolean): Promise<Performance> {
    let call: VendorCall
    try {
      call = await callFor(row, scope)
    } catch (error) {
      return { result: failure(error), effect: 'keyed' }
    }
    const result = await attempt(call, isUnclear)
    if (row.connection_id !== null) {
      if (result.ok) await hub.connections.reportSuccess(row.connection_id)
      else await hub.connections.reportFailure(row.connection_id, new ConnectorError(result.code, result.message))
    }
    return { result, effect: call.effect }
  }

  async function callFor(row: store.OutboxRow, scope: LaneScope): Promise<VendorCall> {
    const { action, key, connection_id: id } = row
    if (action.type === 'webhook') return webhookCall(row, action.url, action.body, scope)
    const connection = id === null ? undefined : await findConnection(id)
    if (!connection) throw new ConnectorError('not_found', `connection ${id} was removed`)
    const context = hub.connections.contextFor(connection, scope.signal, scope)
    const call = vendorCall(connection.connector.can, context, action, key)
    if (call) return call
    const { name } = connection.connector.manifest
    throw new ConnectorError('rejected', `${name} cannot perform ${action.type}; choose another connection in the rule`)
  }

  async function findConnection(id: string) {
    try {
      return await hub.connections.byId(id)
    } catch (error) {
      throw new ConnectorError('unavailable', error instanceof Error ? error.message : String(error))
    }
  }

  function webhookCall(row: store.OutboxRow, url: string, payload: unknown, scope: LaneScope): VendorCall {
    const { key, lane } = row
    return {
      // Receivers know a repetition by its webhook-id.
      effect: 'keyed',
      async run() {
        signingSecret ??= await webhookSigningSecret(hub)
        const body = JSON.stringify(payload)
        const signed = signStandardWebhook({ id: key, sentAt: hub.now(), body, secrets: [signingSecret] })
        const headers = { 'content-type': 'application/json', 'user-agent': 'Deskweave', ...signed }
        const limits = webhookLimits.get(lane) ?? new AccountLimits(lane, [])
        webhookLimits.set(lane, limits)
        await guardedWebhookFetch(door, limits, { url, headers, body }, scope)
        return {}
      },
    }
  }

  function keepBeating(): void {
    heartbeat ??= setInterval(() => {
      beat().catch((error: unknown) => hub.log.warn({ err: error }, 'lanes could not be kept; trying again'))
    }, heartbeatMs)
  }

  function wake(): void {
    if (lanes.size <= fewLanes) for (const lane of lanes.values()) lane.pump()
    void sweep()
  }

  return {
    start() {
      stopListening = hub.signals.on('outbox', wake)
      poll = setInterval(wake, pollMs)
      keepBeating()
      wake()
    },
    async stop() {
      isStopped = true
      stopListening()
      clearInterval(poll)
      await sweeping
      await Promise.all([...lanes.values()].map((lane) => lane.stop()))
      clearInterval(heartbeat)
      await store.releaseLanes(hub.db, leasesOf([...lanes.values()])).catch((error: unknown) => {
        hub.log.warn({ err: error }, 'lanes could not be given back; their lease has to run out')
      })
      lanes.clear()
      await door.agent.destroy()
    },
    async drain() {
      keepBeating()
      do {
        await sweep()
        await Promise.all([...lanes.values()].map((lane) => lane.whenIdle()))
      } while (!isStopped && (await store.hasWork(hub.db, owner)))
    },
  }
}

function heldUntil(askedMs: number): number {
  return askedMs + leaseSeconds * 1_000 - marginMs
}

function leasesOf(lanes: readonly Lane[]): readonly store.LaneLease[] {
  return lanes.map(({ name, fence }) => ({ lane: name, fence }))
}

/** Signs every webhook to a free URL; receivers check it with any Standard Webhooks library. */
export async function webhookSigningSecret(hub: Pick<Hub, 'db' | 'secrets'>): Promise<string> {
  const made = () => hub.secrets.seal(newWebhookSecret(), signingSecretKey)
  const sealed = await store.sealedSetting(hub.db, signingSecretKey, made)
  return String(hub.secrets.open(sealed, signingSecretKey))
}

/** Dead letters back to work: same key, same lane. @returns how many there were. */
export function replay(db: Db, seqs: readonly number[]): Promise<number> {
  return store.revive(db, seqs)
}
