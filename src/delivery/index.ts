/**
 * In: due outbox rows. Out: vendor calls and signed webhooks, each effect once per key and in order per case; receipts, retries
 * and dead letters. Never here: whether an effect is wanted.
 */
import { randomUUID } from 'node:crypto'
import { chatCall } from '#hub/chat/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Hub } from '#hub/hub.ts'
import { createHandover, type Handover } from '#hub/outbox/index.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { isPassing } from '#hub/platform/db/passing-errors.ts'
import { type Attempted, attempt, failure } from './attempt.ts'
import { complete } from './complete.ts'
import { Lane, type LaneHub, type LaneScope } from './lane.ts'
import type { OnReceipts, OnTurns, SettlerOptions } from './settler.ts'
import * as store from './store.ts'
import { vendorCall } from './vendor-call.ts'
import { createWebhooks } from './webhooks.ts'

export type { Delivered, OnReceipts, OnTurns } from './settler.ts'
export { webhookSigningSecret } from './webhooks.ts'

type DeliveryHub = LaneHub &
  Pick<Hub, 'connections' | 'signals' | 'secrets'> & { readonly env: Pick<Hub['env'], 'extraHosts'> }

export interface DeliveryOptions {
  /** Alone in the workspace: receipts are saved so. */
  readonly inWorkspace?: SettlerOptions['inWorkspace']
  /** What receipts mean for the hub's cases. Not called for free webhooks. */
  readonly onReceipts?: OnReceipts
  readonly onTurns?: OnTurns
}

export interface Delivery {
  start(): void
  /** Calls under way may end; lanes are free for other replicas afterwards. */
  stop(): Promise<void>
  /** Works everything that is due now and not at rest. */
  drain(): Promise<void>
  /** For a transaction that writes effects. */
  newHandover(): Handover
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

export function createDelivery(hub: DeliveryHub, options: DeliveryOptions = {}): Delivery {
  const owner = randomUUID()
  const inWorkspace = options.inWorkspace ?? ((work) => hub.db.transaction().execute(work))
  const onReceipts: OnReceipts = options.onReceipts ?? (async () => {})
  const onTurns: OnTurns = options.onTurns ?? (async () => {})
  const webhooks = createWebhooks(hub)
  const lanes = new Map<string, Lane>()
  /** When this process gave up or lost a lane, by its own clock. */
  const leftAtMs = new Map<string, number>()
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
        inWorkspace,
        onReceipts,
        onTurns,
        isAtRest: () => isAtRest(lane),
      })
      lanes.set(lane, taken)
      await seedLimits(lane)
      taken.pump()
    }
  }

  function isAtRest(lane: string): boolean {
    return hub.connections.restMs(lane) > 0
  }

  /** What others sent since this process last had the lane; its own calls it has counted itself. */
  async function seedLimits(lane: string): Promise<void> {
    const connection = hub.connections.all().find(({ id }) => id === lane)
    const shared = connection?.connector.manifest.limits.filter(({ each }) => !each) ?? []
    const windowsMs = shared.map(({ perSeconds }) => perSeconds * 1_000)
    const awayMs = performance.now() - (leftAtMs.get(lane) ?? Number.NEGATIVE_INFINITY)
    if (windowsMs.length === 0) return
    const ages = await store.recentSends(hub.db, lane, Math.min(Math.max(...windowsMs), awayMs))
    hub.connections.seedLimits(lane, ages)
  }

  function leave(lane: Lane): void {
    lanes.delete(lane.name)
    webhooks.forget(lane.name)
    leftAtMs.set(lane.name, performance.now())
  }

  async function beat(): Promise<void> {
    const idle = [...lanes.values()].filter((lane) => lane.idleMs > idleReleaseMs)
    for (const lane of idle) leave(lane)
    await store.releaseLanes(hub.db, leasesOf(idle))
    const held = [...lanes.values()]
    if (held.length === 0) return
    const askedMs = performance.now()
    const ours = await store.renewLanes(hub.db, leasesOf(held), leaseSeconds)
    for (const lane of held) {
      if (!ours.has(lane.name)) {
        lane.lose()
        leave(lane)
        continue
      }
      await lane.keep(heldUntil(askedMs)).catch((error: unknown) => {
        hub.log.warn({ err: error, lane: lane.name }, 'rows in hand could not be kept; trying again')
      })
    }
  }

  async function perform(row: store.OutboxRow, scope: LaneScope, isUnclear: boolean): Promise<Attempted> {
    const { action, connection_id: id } = row
    if (action.type === 'webhook') {
      const call = webhooks.call(row.lane, row.key, action, scope)
      return await attempt(call, isUnclear, scope.signal)
    }
    let connection: LoadedConnection | undefined
    let attempted: Attempted
    try {
      const target = await findConnection(id ?? row.lane)
      // What fails up to here says nothing about the target.
      const whole = await complete(hub, target, action, row, scope.signal)
      connection = target
      const context = hub.connections.contextFor(connection, scope.signal, scope)
      const call =
        whole.type === 'chat.show'
          ? await chatCall(hub, connection, whole.show, context, row)
          : vendorCall(connection.connector.can, context, whole, row.key)
      if (!call) throw cannot(connection, action.type)
      attempted = await attempt(call, isUnclear, scope.signal)
    } catch (error) {
      if (isPassing(error)) throw error
      attempted = { result: failure(error, scope.signal), effect: 'keyed' }
    }
    const { result, effect } = attempted
    if (!connection) return attempted
    if (result.ok) {
      await hub.connections.reportSuccess(connection.id, 'sending')
      return attempted
    }
    // A connector's words are kept and shown.
    const quiet = { ...result, message: connection.door.redact(result.message) }
    await hub.connections.reportFailure(connection.id, new ConnectorError(quiet.code, quiet.message), 'sending')
    if (quiet.code !== 'auth_failed') return { result: quiet, effect }
    const restMs = hub.connections.restMs(connection.id)
    // A lane that rests until a person has acted goes on at once then.
    return { result: { ...quiet, retryAfterMs: Number.isFinite(restMs) ? restMs : 0 }, effect }
  }

  async function findConnection(id: string): Promise<LoadedConnection> {
    let connection: LoadedConnection | undefined
    try {
      connection = await hub.connections.byId(id)
    } catch (error) {
      throw new ConnectorError('unavailable', error instanceof Error ? error.message : String(error))
    }
    if (connection) return connection
    throw new ConnectorError('not_found', `connection ${id} was removed`)
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
    newHandover: () => createHandover((lane) => lanes.get(lane)),
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
      await webhooks.close()
    },
    async drain() {
      keepBeating()
      let isMore = true
      while (isMore && !isStopped) {
        await sweep()
        await Promise.all([...lanes.values()].map((lane) => lane.whenIdle()))
        const isLeft = await store.hasWork(hub.db, owner, [...lanes.keys()].filter(isAtRest))
        // A lane may have looked by itself while the question was under way.
        isMore = isLeft || [...lanes.values()].some((lane) => lane.isBusy)
      }
    },
  }
}

function cannot({ connector }: LoadedConnection, type: string): ConnectorError {
  const { name } = connector.manifest
  return new ConnectorError('rejected', `${name} cannot perform ${type}; choose another connection in the rule`)
}

function heldUntil(askedMs: number): number {
  return askedMs + leaseSeconds * 1_000 - marginMs
}

function leasesOf(lanes: readonly Lane[]): readonly store.LaneLease[] {
  return lanes.map(({ name, fence }) => ({ lane: name, fence }))
}

/** Dead letters back to work: same key, same lane. @returns how many there were. */
export function replay(db: Db, seqs: readonly number[]): Promise<number> {
  return store.revive(db, seqs)
}
