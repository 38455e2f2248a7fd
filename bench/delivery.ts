/**
 * Delivery under a vendor's rate limit: calls through the guarded way out, with the account's budget, against a vendor that
 * counts and refuses. The yardstick is p-queue with the same limit, which repeats what was refused after its Retry-After.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import { z } from 'zod'
import { defineConnector } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import { type Account, createOutboundHttp, outboundAccount } from '#hub/platform/outbound-http.ts'
import { createGuardedAgent, extraHosts } from '#hub/platform/ssrf.ts'

export interface DeliveryFigure {
  readonly what: string
  /** Of the allowed rate: the least time in which the vendor takes so many calls, by the time taken. */
  readonly ratio: number
  readonly refused: number
}

const calls = 1_000
const callsPerWindow = 100
const concurrency = 50
/** In the middle of a window's calls. */
const restartAfter = 550

type Kind = 'fixed' | 'rolling'

/** Side by side, each against a vendor of its own and a sixth of a window after the one before, so that bursts do not meet. */
export async function measureDelivery(windowSeconds: number): Promise<DeliveryFigure[]> {
  const ways: readonly [string, Ways][] = [
    ['hub', hubWays(windowSeconds, [calls])],
    ['hub restarted', hubWays(windowSeconds, [restartAfter, calls - restartAfter])],
    ['p-queue', queueWays(windowSeconds)],
  ]
  const runs = ways.flatMap(([who, way]) => (['fixed', 'rolling'] as const).map((kind) => ({ who, kind, way })))
  return await Promise.all(
    runs.map(async ({ who, kind, way }, place) => {
      await sleep((place * windowSeconds * 1_000) / runs.length)
      return await measure(`${who}, ${kind} window`, kind, windowSeconds, way)
    }),
  )
}

interface Way {
  readonly calls: number
  open(): {
    /** Makes one call until it is answered 2xx. */
    send(): Promise<void>
    stop?(): Promise<void>
  }
}
/** Several make the calls one after the other: the next is opened when the one before has stopped. */
type Ways = (url: string) => readonly Way[]

async function measure(what: string, kind: Kind, windowSeconds: number, ways: Ways): Promise<DeliveryFigure> {
  const vendor = await startVendor(kind, windowSeconds * 1_000)
  try {
    const started = performance.now()
    for (const way of ways(vendor.url)) {
      const client = way.open()
      const workers = new PQueue({ concurrency })
      await workers.addAll(Array.from({ length: way.calls }, () => client.send))
      await client.stop?.()
    }
    const takenMs = performance.now() - started
    if (vendor.served !== calls) throw new Error(`${what}: the vendor served ${vendor.served} of ${calls} calls`)
    const leastMs = (calls / callsPerWindow - 1) * windowSeconds * 1_000
    return { what, ratio: Number((leastMs / takenMs).toFixed(3)), refused: vendor.refused }
  } finally {
    await vendor.stop()
  }
}

/** Each part in a process of its own, as far as the budget knows: what it sent before stands in the outbox only. */
function hubWays(windowSeconds: number, parts: readonly number[]): Ways {
  return (url) => {
    const sentAt: number[] = []
    return parts.map((count) => ({ calls: count, open: () => openHub(url, windowSeconds, sentAt) }))
  }
}

function openHub(url: string, windowSeconds: number, sentAt: number[]) {
  const account = accountAt(url, windowSeconds)
  account.limits.seed(sentAt.map((at) => performance.now() - at))
  const http = createOutboundHttp(account, { signal: new AbortController().signal, priority: 'rule' })
  async function send(): Promise<void> {
    try {
      await http.json('POST', '/tickets', { json: { subject: 'The invoice is wrong' } })
      sentAt.push(performance.now())
    } catch (error) {
      if (!(error instanceof ConnectorError && error.code === 'rate_limited')) throw error
      await send()
    }
  }
  return { send, stop: () => account.agent.destroy() }
}

function accountAt(url: string, windowSeconds: number): Account {
  const limits = [{ budget: 'default', requests: callsPerWindow, perSeconds: windowSeconds }]
  const connector = defineConnector({
    manifest: { id: 'bench', name: 'Bench', docs: url, hosts: [], limits },
    config: z.object({}),
    api: () => ({ baseUrl: url, headers: {} }),
    check: async () => ({ account: 'bench' }),
    can: {},
  })
  const extra = extraHosts([new URL(url).host])
  return outboundAccount({
    connectionId: 'bench',
    connector,
    config: {},
    redact: (text) => text,
    agent: createGuardedAgent({ extraHosts: extra }),
    extraHosts: extra,
    limits: new AccountLimits('bench', limits),
    now: () => new Date(),
  })
}

function queueWays(windowSeconds: number): Ways {
  return (url) => {
    const queue = new PQueue({ concurrency, interval: windowSeconds * 1_000, intervalCap: callsPerWindow })
    const send = async (): Promise<void> => {
      const response = await queue.add(() => fetch(url, { method: 'POST', body: '{}' }))
      await response.arrayBuffer()
      if (response.ok) return
      const waitMs = Number(response.headers.get('retry-after')) * 1_000
      await sleep(waitMs)
      await send()
    }
    return [{ calls, open: () => ({ send }) }]
  }
}

/** Answers after 30 to 70 ms; a call counts when it arrives, a refused one does not. A fixed window begins with its first call. */
async function startVendor(kind: Kind, windowMs: number) {
  let windowStart = Number.NEGATIVE_INFINITY
  let arrivals: number[] = []
  const seen = { served: 0, refused: 0 }
  function answer(request: IncomingMessage, response: ServerResponse) {
    const now = performance.now()
    if (kind === 'rolling') arrivals = arrivals.filter((at) => at > now - windowMs)
    else if (now - windowStart >= windowMs) {
      windowStart = now
      arrivals = []
    }
    const isRefused = arrivals.length >= callsPerWindow
    if (!isRefused) arrivals.push(now)
    seen[isRefused ? 'refused' : 'served'] += 1
    const resetMs = (kind === 'rolling' ? (arrivals[0] ?? now) : windowStart) + windowMs - now
    const resetSeconds = String(Math.ceil(resetMs / 1_000))
    request.resume()
    setTimeout(
      () =>
        response
          .writeHead(isRefused ? 429 : 201, {
            'content-type': 'application/json',
            'ratelimit-limit': String(callsPerWindow),
            'ratelimit-remaining': String(callsPerWindow - arrivals.length),
            'ratelimit-reset': resetSeconds,
            ...(isRefused ? { 'retry-after': resetSeconds } : {}),
          })
          .end('{}'),
      30 + Math.random() * 40,
    )
  }
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the vendor has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    get served() {
      return seen.served
    },
    get refused() {
      return seen.refused
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
