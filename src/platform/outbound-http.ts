/**
 * The guarded way out to vendors. In: one call of a connector. Out: the vendor's answer, or a `ConnectorError` in the hub's
 * words. Only allowed hosts, no redirects, a total time, a size, and the account's rate budget.
 */
import type { Connector, Http, HttpInit, HttpMethod, HttpOptions } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { codeOfStatus } from '#hub/connector/http-status.ts'
import type { AccountLimits, Pass, Priority } from './account-limits.ts'
import { type HostPolicy, hostPolicy } from './host-policy.ts'
import { type AnswerHeaders, limitNews, retryAfterMs, vendorText } from './http-answer.ts'
import { type Answer, AnswerTooLong, exchange, NoAnswer } from './http-exchange.ts'
import { AddressRefused, type ExtraHosts, type GuardedAgent } from './ssrf.ts'

export const answerTimeoutMs = 15_000
const mebibyte = 1024 * 1024
const maxAnswerBytes = mebibyte
/** Files, for the calls that ask for it. Uploads of more than a few seconds' worth have as long. */
const maxFileBytes = 25 * mebibyte
const fileTimeoutMs = 60_000

/** What all calls of one connection share. */
export interface Account {
  /** Names the connection in errors, such as `zendesk connection c_12`. */
  readonly name: string
  readonly agent: GuardedAgent
  readonly hosts: HostPolicy
  readonly api: { readonly base: URL; readonly headers: Readonly<Record<string, string>> } | undefined
  readonly limits: AccountLimits
  readonly redact: (text: string) => string
  readonly now: () => Date
}

export interface AccountOptions {
  readonly connectionId: string
  readonly connector: Connector
  /** The connection's settings, secrets included. */
  readonly config: unknown
  /** Takes the connection's secrets out of a text. */
  readonly redact: (text: string) => string
  readonly agent: GuardedAgent
  readonly extraHosts: ExtraHosts
  readonly limits: AccountLimits
  readonly now: () => Date
}

/** @throws ConnectorError host_refused when the settings point the API to a host that is not allowed. */
export function outboundAccount(options: AccountOptions): Account {
  const { connector, config } = options
  const { id, hosts } = connector.manifest
  const name = `${id} connection ${options.connectionId}`
  const api = connector.api?.(config)
  return {
    name,
    agent: options.agent,
    hosts: hostPolicy({
      name,
      manifestHosts: hosts,
      ownHosts: connector.hostsOf?.(config) ?? [],
      extraHosts: options.extraHosts,
      api,
    }),
    api: api ? { base: new URL(api.baseUrl), headers: lowerCase(api.headers) } : undefined,
    limits: options.limits,
    redact: options.redact,
    now: options.now,
  }
}

/** One piece of work on the account. */
export interface CallScope {
  readonly signal: AbortSignal
  readonly priority: Priority
  /** Called when a request is about to leave; throws when the caller may not send any more. */
  readonly beforeSend?: () => void
}

export function createOutboundHttp(account: Account, scope: CallScope): Http {
  return new OutboundHttp(account, scope)
}

class OutboundHttp implements Http {
  readonly #account: Account
  readonly #scope: CallScope

  constructor(account: Account, scope: CallScope) {
    this.#account = account
    this.#scope = scope
  }

  async fetch(input: string | URL, init: HttpInit = {}): Promise<Response> {
    const url = parseUrl(this.#account, input)
    const headers = lowerCase(init.headers)
    const method = (init.method ?? 'GET').toUpperCase()
    const answer = await this.#call(method, url, headers, init.body, init)
    // Fetch knows no answer below 200, and these statuses have no body in it.
    const isEmpty = [204, 205, 304].includes(answer.status)
    return new Response(isEmpty ? null : new Uint8Array(answer.body), {
      status: answer.status,
      statusText: answer.statusText,
      headers: headerPairs(answer.headers),
    })
  }

  async json(method: HttpMethod, path: string, options: HttpOptions = {}): Promise<unknown> {
    const { api, name, now, redact } = this.#account
    if (!api) throw new TypeError(`${name}: http.json needs the connector's api(); use http.fetch or add it`)
    const url = apiUrl(this.#account, api.base, path, options.query)
    const body = options.json === undefined ? undefined : JSON.stringify(options.json)
    const headers = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...api.headers,
      ...lowerCase(options.headers),
    }
    const answer = await this.#call(method, url, headers, body, options)
    const code = codeOfStatus(answer.status)
    if (code === undefined) return parseBody(redact, method, url, answer)
    const text = vendorText(contentType(answer.headers), answer.body.toString('utf8', 0, 16_384))
    const waitMs = retryAfterMs(answer.headers, now())
    throw new ConnectorError(
      code,
      redact(`${place(method, url)} answered ${answer.status}${text === '' ? '' : `: ${text}`}`),
      waitMs === undefined ? {} : { retryAfterMs: waitMs },
    )
  }

  async #call(
    method: string,
    url: URL,
    headers: Record<string, string>,
    body: string | Uint8Array | undefined,
    { budget, budgetKey, maxBytes: wantedBytes = maxAnswerBytes }: Pick<HttpInit, 'budget' | 'budgetKey' | 'maxBytes'>,
  ): Promise<Answer> {
    const { agent, hosts, limits, redact, now } = this.#account
    const { signal, priority, beforeSend } = this.#scope
    hosts.check(method, url, headers)
    const entered = limits.gate(budget, budgetKey).enter(priority, signal)
    const pass = entered instanceof Promise ? await waitForTurn(entered, method, url) : entered
    try {
      const answer = await exchange(agent, {
        method,
        url,
        headers,
        signal,
        timeoutMs: Math.max(wantedBytes, body?.length ?? 0) > mebibyte ? fileTimeoutMs : answerTimeoutMs,
        maxBytes: Math.min(wantedBytes, maxFileBytes),
        ...(body === undefined ? {} : { body }),
        ...(beforeSend === undefined ? {} : { beforeSend }),
      })
      pass.answered(limitNews(answer.status, answer.headers, now()))
      return answer
    } catch (error) {
      if (error instanceof NoAnswer && !error.sent) pass.unused()
      else pass.answered()
      throw noAnswerError(redact, method, url, error)
    }
  }
}

/** @throws ConnectorError unavailable when the call is given up meanwhile */
export async function waitForTurn(entered: Promise<Pass>, method: string, url: URL): Promise<Pass> {
  try {
    return await entered
  } catch (error) {
    throw new ConnectorError('unavailable', `${place(method, url)}: given up while it waited for the rate limit`, {
      cause: error,
    })
  }
}

/** What the hub makes of a call without an answer. Also for free webhooks. */
export function noAnswerError(redact: (text: string) => string, method: string, url: URL, error: unknown): Error {
  const where = place(method, url)
  if (error instanceof AnswerTooLong) return new ConnectorError('malformed', redact(`${where}: ${error.message}`))
  if (!(error instanceof NoAnswer)) return error instanceof Error ? error : new Error(String(error))
  const { cause } = error
  if (cause instanceof AddressRefused) {
    return new ConnectorError(
      'host_refused',
      redact(`${where}: ${cause.message}; list the host in DESKWEAVE_EXTRA_HOSTS`),
    )
  }
  // undici refuses header values that would break out of their line.
  if (isInvalidCall(cause)) return new ConnectorError('rejected', redact(`${where}: ${error.message}`))
  const isUnclear = error.sent && method !== 'GET'
  const why = redact(`${where}: ${error.message || codeOf(cause) || 'no answer'}`)
  return new ConnectorError(isUnclear ? 'outcome_unknown' : 'unavailable', why, { cause })
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function isInvalidCall(error: unknown): boolean {
  return codeOf(error) === 'UND_ERR_INVALID_ARG'
}

/** Method, host and path: a query may carry personal data. */
export function place(method: string, url: URL): string {
  return `${method} ${url.host}${url.pathname}`
}

function parseUrl(account: Account, input: string | URL): URL {
  const url = typeof input === 'string' ? URL.parse(input) : input
  if (url) return url
  throw new ConnectorError('host_refused', `${account.name}: "${account.redact(String(input))}" is not an absolute URL`)
}

function apiUrl(account: Account, base: URL, path: string, query: HttpOptions['query']): URL {
  const root = base.pathname.replace(/\/+$/, '')
  const url = path.startsWith('/') ? URL.parse(base.origin + root + path) : null
  if (!url || url.origin !== base.origin || !url.pathname.startsWith(`${root}/`)) {
    const expected = `must begin with / and stay below ${base.origin}${root}`
    throw new ConnectorError('host_refused', `${account.name}: path "${account.redact(path)}" ${expected}`)
  }
  if (query) {
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.append(name, String(value))
  }
  return url
}

function parseBody(redact: (text: string) => string, method: string, url: URL, answer: Answer): unknown {
  if (answer.body.length === 0) return undefined
  try {
    return JSON.parse(answer.body.toString())
  } catch {
    const type = contentType(answer.headers) ?? 'no content type'
    throw new ConnectorError(
      'malformed',
      redact(`${place(method, url)} answered ${answer.status} with ${type} in place of JSON`),
    )
  }
}

function contentType(headers: AnswerHeaders): string | undefined {
  const value = headers['content-type']
  return typeof value === 'string' ? value : value?.[0]
}

const noHeaders: Record<string, string> = {}
/** `host` and `connection` are the pool's business; without `accept-encoding` no answer comes compressed. */
const ownHeaders = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
  'expect',
  'upgrade',
])

function lowerCase(headers: Readonly<Record<string, string>> | undefined): Record<string, string> {
  if (!headers) return noHeaders
  const lower: Record<string, string> = {}
  for (const name of Object.keys(headers)) {
    const key = name.toLowerCase()
    const value = headers[name]
    if (value !== undefined && !ownHeaders.has(key)) lower[key] = value
  }
  return lower
}

function headerPairs(headers: AnswerHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : typeof value === 'string' ? [[name, value]] : value.map((each) => [name, each]),
  )
}
