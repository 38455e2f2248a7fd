/**
 * The webhook side of a vendor's stand-in: signed POSTs to the hub, repeated as the vendor would, and on wish sent twice,
 * late or not at all.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseRetryAfter } from '../http-status.ts'
import { seededChance } from './chance.ts'

/** Where the vendor sends its webhooks, and the secret it shares with that address. */
export interface Hook {
  readonly url: string
  readonly secret: string
}

/** One HTTP request of a delivery, signed for this attempt. */
export interface SignedPost {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

export interface AttemptResult {
  /** 1 for the first attempt. */
  readonly attempt: number
  /** `undefined`: no answer in time, or no connection. */
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
}

export interface WebhookOptions<E> {
  /** Called anew for each attempt: the same id, a new time and signature, as the vendor does it. */
  sign(event: E, deliveryId: string, sentAt: Date, secret: string): SignedPost
  /** How long the vendor waits before it tries again; undefined when it gives up. Only what the vendor documents. */
  retryDelayMs(result: AttemptResult): number | undefined
  /** How long the vendor waits for an answer. */
  readonly timeoutMs: number
  readonly seed?: number
  readonly now?: () => Date
}

/** For this one event. */
export interface Mischief {
  /** Sent once more after it was accepted. */
  readonly duplicate?: boolean
  /** Held back until `sendLate()`, after what happened later. */
  readonly late?: boolean
  /** Never sent. */
  readonly lose?: boolean
}

/** Shares of events, 0 to 1. */
export interface WebhookFaults {
  readonly duplicateRate?: number
  readonly lateRate?: number
  readonly loseRate?: number
}

export type Delivery = 'accepted' | 'gave_up' | 'lost' | 'held_back' | 'not_connected'

export interface WebhookCounters {
  /** Events that happened. */
  events: number
  /** Requests that left, repeated ones included. */
  attempts: number
  accepted: number
  gaveUp: number
  duplicated: number
  heldBack: number
  lost: number
}

export interface Webhooks<E> {
  connect(hook: Hook): void
  readonly faults: { set(settings: WebhookFaults): void }
  readonly counters: Readonly<WebhookCounters>
  /** Resolves when the vendor is done with it: accepted, given up, lost or held back. Never rejects. */
  emit(event: E, mischief?: Mischief): Promise<Delivery>
  /** Sends what was held back, newest first. */
  sendLate(): Promise<void>
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void>
  /** Gives up what is on its way or waits for its next attempt. */
  close(): Promise<void>
}

export function createWebhooks<E>(options: WebhookOptions<E>): Webhooks<E> {
  const now = options.now ?? (() => new Date())
  const chance = seededChance(options.seed ?? 1)
  const stop = new AbortController()
  const underway = new Set<Promise<Delivery>>()
  const heldBack: (() => Promise<Delivery>)[] = []
  const counters: WebhookCounters = {
    events: 0,
    attempts: 0,
    accepted: 0,
    gaveUp: 0,
    duplicated: 0,
    heldBack: 0,
    lost: 0,
  }
  let faults: WebhookFaults = {}
  let hook: Hook | undefined

  async function post(event: E, deliveryId: string, to: Hook, attempt: number): Promise<AttemptResult> {
    counters.attempts += 1
    const { headers, body } = options.sign(event, deliveryId, now(), to.secret)
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(options.timeoutMs)])
    try {
      const answer = await fetch(to.url, { method: 'POST', headers, body, signal, redirect: 'manual' })
      await answer.arrayBuffer()
      return { attempt, status: answer.status, retryAfterMs: parseRetryAfter(answer.headers.get('retry-after'), now()) }
    } catch {
      return { attempt, status: undefined, retryAfterMs: undefined }
    }
  }

  async function deliver(event: E, deliveryId: string, to: Hook): Promise<Delivery> {
    for (let attempt = 1; !stop.signal.aborted; attempt += 1) {
      const result = await post(event, deliveryId, to, attempt)
      if (result.status !== undefined && result.status >= 200 && result.status < 300) {
        counters.accepted += 1
        return 'accepted'
      }
      const delayMs = options.retryDelayMs(result)
      if (delayMs === undefined) break
      // An aborted wait ends the loop by its condition.
      await wait(delayMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
    counters.gaveUp += 1
    return 'gave_up'
  }

  function track(delivery: Promise<Delivery>): Promise<Delivery> {
    underway.add(delivery)
    void delivery.then(() => underway.delete(delivery))
    return delivery
  }

  return {
    connect(to) {
      hook = to
    },
    faults: {
      set(settings) {
        faults = settings
      },
    },
    counters,
    async emit(event, mischief = {}) {
      if (hook === undefined) return 'not_connected'
      const to = hook
      counters.events += 1
      const deliveryId = `evt_${String(counters.events).padStart(8, '0')}`
      if (mischief.lose || chance(faults.loseRate ?? 0)) {
        counters.lost += 1
        return 'lost'
      }
      const send = () => track(deliver(event, deliveryId, to))
      if (mischief.late || chance(faults.lateRate ?? 0)) {
        counters.heldBack += 1
        heldBack.push(send)
        return 'held_back'
      }
      const again = mischief.duplicate || chance(faults.duplicateRate ?? 0)
      const delivery = await send()
      if (!again) return delivery
      counters.duplicated += 1
      return send()
    },
    async sendLate() {
      for (const send of heldBack.splice(0).reverse()) await send()
    },
    async settled() {
      while (underway.size > 0) await Promise.all(underway)
    },
    async close() {
      stop.abort()
      await Promise.all(underway)
    },
  }
}
