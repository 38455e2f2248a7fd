/** An `Http` for connectors under test: real HTTP to a local stand-in, whatever host the connector means. */
import type { Connector, Context, Http, HttpInit, Net } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { memoryInstallations } from '../installations.ts'

interface TestHttp {
  readonly http: Http
  /** Hosts that were called and are neither in the manifest nor named by the settings. */
  readonly strangers: readonly string[]
}

/** Tells the stand-in which host the connector meant. */
export const meantOriginHeader = 'x-kit-meant-origin'

function testHttp(options: {
  readonly connector: Connector
  readonly config: unknown
  readonly now: () => Date
  /** Where every call really goes: `http://127.0.0.1:port`. */
  readonly standIn: string
}): TestHttp {
  const { connector, config, now, standIn } = options
  const strangers: string[] = []
  const allowed = [...connector.manifest.hosts, ...(connector.hostsOf?.(config) ?? []), new URL(standIn).host]

  async function call(url: URL, init: HttpInit): Promise<Response> {
    if (!allowed.some((pattern) => hostMatches(pattern, url))) {
      strangers.push(url.host)
      throw new ConnectorError('host_refused', `${url.host} is not among the hosts of ${connector.manifest.id}`)
    }
    try {
      const headers = { ...init.headers, [meantOriginHeader]: url.origin }
      return await fetch(new URL(`${url.pathname}${url.search}`, standIn), {
        method: init.method ?? 'GET',
        headers,
        redirect: 'manual',
        ...(init.body === undefined
          ? {}
          : { body: typeof init.body === 'string' ? init.body : Buffer.from(init.body) }),
      })
    } catch (cause) {
      const code = isRefusal(cause) ? 'unavailable' : 'outcome_unknown'
      throw new ConnectorError(code, `${init.method ?? 'GET'} ${url.origin}${url.pathname}: no answer`, { cause })
    }
  }

  const http: Http = {
    fetch: (url, init = {}) => call(new URL(url), init),
    async json(method, path, { query = {}, headers = {}, json, budget } = {}) {
      const api = connector.api?.(config)
      if (!api) throw new TypeError(`connector ${connector.manifest.id}: http.json needs api()`)
      const url = new URL(`${api.baseUrl.replace(/\/$/, '')}${path}`)
      for (const [name, value] of Object.entries(query))
        if (value !== undefined) url.searchParams.append(name, String(value))
      const answer = await call(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...api.headers,
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(budget === undefined ? {} : { budget }),
      })
      const place = `${method} ${url.origin}${url.pathname}`
      const error = errorOfAnswer(answer, place, now())
      if (error) throw error
      const text = await answer.text()
      if (text === '') return undefined
      try {
        return JSON.parse(text)
      } catch (cause) {
        throw new ConnectorError('malformed', `${place}: expected JSON`, { cause })
      }
    },
  }
  return { http, strangers }
}

/** `*.zendesk.com` stands for one label; a pattern without a port means the scheme's own. */
function hostMatches(pattern: string, url: URL): boolean {
  if (!pattern.startsWith('*.')) return pattern === url.host
  const label = url.host.slice(0, -pattern.length + 1)
  return url.host.endsWith(pattern.slice(1)) && label !== '' && !label.includes('.')
}

function isRefusal(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}

export interface TestContext {
  readonly ctx: Context<unknown>
  readonly strangers: readonly string[]
  /** Everything that was logged, as text. */
  readonly logged: readonly string[]
}

export function testContext(connector: Connector, config: unknown, now: Date, standIn: string): TestContext {
  const logged: string[] = []
  const write = (data: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(data)}`)
  }
  const { http, strangers } = testHttp({ connector, config, now: () => now, standIn })
  const log = { debug: write, info: write, warn: write, error: write }
  // Sandboxes listen on this machine, and what they are called is up to them.
  const net: Net = {
    resolve: (host) => Promise.resolve({ address: host, servername: host }),
    spend: (exchange) => exchange(() => {}),
  }
  const signal = new AbortController().signal
  const ctx = { config, now: () => now, http, net, log, installations: memoryInstallations(), signal }
  return { ctx, strangers, logged }
}
