/**
 * The HTTP side of a vendor's stand-in: routes over real HTTP on a free local port, the vendor's rate limits, a ledger of
 * what was called, and faults on demand. The same seed gives the same faults.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { RateLimit } from '../contract.ts'
import { seededChance } from './chance.ts'

export interface SandboxRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** The `:name` parts of the route, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** @throws SyntaxError, which the sandbox answers with 400. */
  json(): unknown
}

export interface SandboxAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly body?: string | Buffer
  /** The connection is cut instead of an answer. */
  readonly drop?: boolean
}

export interface SandboxRoute {
  /** `*` for every method. */
  readonly method: string
  /** `/tickets/:id`; `*` for every path. */
  readonly path: string
  /** Which limit the call spends; `default` when absent. */
  readonly budget?: string
  /** A door for tests and people, not the vendor's API: no authorisation, no limits, no faults, not in the ledger. */
  readonly backstage?: boolean
  answer(request: SandboxRequest): SandboxAnswer | Promise<SandboxAnswer>
}

/** What was called, in order of arrival. */
export interface SandboxCall {
  readonly method: string
  readonly path: string
  /** Of a name that is there several times, the last value; `search` has them all, as they came. */
  readonly query: Readonly<Record<string, string>>
  readonly search: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The key under which the vendor does a thing once, if it takes one. */
  readonly idempotencyKey?: string
  readonly outcome: SandboxOutcome
  /** 0 when the connection was cut. */
  readonly status: number
}
/** `repeated`: the key was known and the first answer came again, without a second effect. */
export type SandboxOutcome = 'answered' | 'repeated' | 'refused' | 'limited' | 'failed' | 'answer_dropped'

export interface FaultSettings {
  /** Share of calls, 0 to 1, that fail before anything happens. */
  readonly failRate?: number
  /** How they fail; 503 when absent. */
  readonly status?: number
  /** Sent with failures, in seconds. */
  readonly retryAfter?: number
  /** Share of calls, 0 to 1, that are done but whose answer never arrives. */
  readonly dropAnswerAfterEffect?: number
  readonly latencyMs?: number
}

export interface Faults {
  /** Replaces what was set before; `{}` heals everything. */
  set(settings: FaultSettings): void
}

export interface SandboxOptions {
  readonly routes: readonly SandboxRoute[]
  /** The vendor's limits, counted in fixed windows; over them: 429 with Retry-After. */
  readonly limits?: readonly RateLimit[]
  /** The vendor's own limit headers, sent with every answer. */
  limitHeaders?(state: LimitState): Record<string, string>
  /** `undefined` lets the call in; else the refusal, such as a 401. */
  authorise?(request: SandboxRequest): SandboxAnswer | undefined
  /** The request header with the vendor's idempotency key: a known key gets its first answer again, for writes only. */
  readonly idempotencyHeader?: string
  readonly seed?: number
  readonly now?: () => Date
}

export interface LimitState {
  readonly limit: number
  readonly remaining: number
  readonly resetSeconds: number
  /** The budget that the call spends beside the account's. */
  readonly named?: Omit<LimitState, 'named'> & { readonly budget: string }
}

export interface Sandbox {
  readonly url: string
  readonly requests: readonly SandboxCall[]
  readonly faults: Faults
  close(): Promise<void>
}

export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  const now = options.now ?? (() => new Date())
  const chance = seededChance(options.seed ?? 1)
  const find = router(options.routes)
  const limiter = fixedWindows(options.limits ?? [], now)
  const firstAnswers = new Map<string, Promise<SandboxAnswer>>()
  const requests: SandboxCall[] = []
  const closing = new AbortController()
  let faults: FaultSettings = {}

  async function respond(request: SandboxRequest, route: SandboxRoute): Promise<[SandboxAnswer, SandboxOutcome]> {
    const refusal = options.authorise?.(request)
    if (refusal) return [refusal, 'refused']
    const limit = limiter(route.budget ?? 'default')
    const headers = limit ? options.limitHeaders?.(limit) : undefined
    const retryAfter = (seconds: number | undefined) =>
      seconds === undefined ? {} : { 'retry-after': String(seconds) }
    const exceeded = [limit?.named, limit].find((each) => each && each.remaining < 0)
    if (exceeded) return [{ status: 429, headers: { ...headers, ...retryAfter(exceeded.resetSeconds) } }, 'limited']
    const { failRate = 0, status = 503, dropAnswerAfterEffect = 0 } = faults
    if (chance(failRate)) {
      // A vendor that refuses for its limit says the same in its own headers.
      const resetSeconds = faults.retryAfter
      const isLimit = limit && status === 429 && resetSeconds !== undefined
      const told = isLimit ? options.limitHeaders?.({ ...limit, remaining: 0, resetSeconds }) : headers
      return [{ status, headers: { ...told, ...retryAfter(resetSeconds) } }, 'failed']
    }
    const key = idempotencyKey(request)
    const known = key === undefined ? undefined : firstAnswers.get(key)
    const answering = known ?? Promise.resolve(request).then((given) => route.answer(given))
    if (key !== undefined) firstAnswers.set(key, answering)
    const answer = await answering.catch((error: unknown) => {
      firstAnswers.delete(key ?? '')
      throw error
    })
    // What was refused may be tried again under its key.
    if (answer.status >= 300) firstAnswers.delete(key ?? '')
    if (chance(dropAnswerAfterEffect)) return [{ ...answer, drop: true }, 'answer_dropped']
    return [{ ...answer, headers: { ...headers, ...answer.headers } }, known ? 'repeated' : 'answered']
  }

  function idempotencyKey(request: SandboxRequest): string | undefined {
    if (options.idempotencyHeader === undefined || request.method === 'GET') return undefined
    return request.headers[options.idempotencyHeader]
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await incoming.toArray())
    const url = new URL(incoming.url ?? '/', 'http://sandbox')
    const method = incoming.method ?? 'GET'
    const found = find(method, url.pathname)
    if (!found) return send(response, { status: 404, json: { error: `no route ${method} ${url.pathname}` } })
    const headers = singleHeaders(incoming)
    const request: SandboxRequest = {
      method,
      path: url.pathname,
      query: url.searchParams,
      params: found.params,
      headers,
      body,
      json: () => JSON.parse(body.toString('utf8')),
    }
    if (found.route.backstage) return send(response, await found.route.answer(request))
    if (faults.latencyMs) await wait(faults.latencyMs, undefined, { signal: closing.signal })
    const [answer, outcome] = await respond(request, found.route)
    const key = idempotencyKey(request)
    requests.push({
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      search: url.search,
      headers,
      body,
      outcome,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      status: answer.drop ? 0 : answer.status,
    })
    send(response, answer)
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => {
      if (closing.signal.aborted) response.destroy()
      else send(response, { status: error instanceof SyntaxError ? 400 : 500, json: { error: String(error) } })
    })
  })
  const url = await listen(server)
  return {
    url,
    requests,
    faults: {
      set(settings) {
        faults = settings
      },
    },
    async close() {
      closing.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function listen(server: ReturnType<typeof createServer>): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address: AddressInfo | string | null = server.address()
      if (address === null || typeof address === 'string') reject(new Error('the sandbox has no port'))
      else resolve(`http://127.0.0.1:${address.port}`)
    })
  })
}

function singleHeaders(incoming: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
}

function send(response: ServerResponse, answer: SandboxAnswer): void {
  if (answer.drop) {
    response.destroy()
    return
  }
  const json = answer.json === undefined ? undefined : JSON.stringify(answer.json)
  response.writeHead(answer.status, {
    ...(json === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    ...answer.headers,
  })
  response.end(json ?? answer.body)
}

type Found = { readonly route: SandboxRoute; readonly params: Record<string, string> }

function router(routes: readonly SandboxRoute[]): (method: string, path: string) => Found | undefined {
  const table = routes.map((route) => ({ route, parts: route.path.split('/') }))
  return (method, path) => {
    const given = path.split('/')
    for (const { route, parts } of table) {
      if (route.method !== '*' && route.method !== method) continue
      if (route.path === '*') return { route, params: {} }
      if (parts.length !== given.length) continue
      if (!parts.every((part, index) => part.startsWith(':') || part === given[index])) continue
      const named = parts.flatMap((part, index) =>
        part.startsWith(':') ? [[part.slice(1), decodeURIComponent(given[index] ?? '')] as const] : [],
      )
      return { route, params: Object.fromEntries(named) }
    }
    return undefined
  }
}

/** Spends one call of the account's budget, and of the named one; `remaining` below zero means over the limit. */
function fixedWindows(limits: readonly RateLimit[], now: () => Date): (budget: string) => LimitState | undefined {
  const windows = new Map(limits.map((limit) => [limit.budget, { limit, startedAt: -Infinity, spent: 0 }]))
  function spend(budget: string): LimitState | undefined {
    const window = windows.get(budget)
    if (!window) return undefined
    const { requests, perSeconds } = window.limit
    const at = now().getTime()
    if (at >= window.startedAt + perSeconds * 1000) Object.assign(window, { startedAt: at, spent: 0 })
    window.spent += 1
    const resetSeconds = Math.max(Math.ceil((window.startedAt + perSeconds * 1000 - at) / 1000), 1)
    return { limit: requests, remaining: requests - window.spent, resetSeconds }
  }
  return (budget) => {
    const account = spend('default')
    const named = budget === 'default' ? undefined : spend(budget)
    return account && named ? { ...account, named: { budget, ...named } } : account
  }
}
