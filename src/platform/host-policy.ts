/** Which URLs one connection may call, and where its credentials may go. Pure. */
import { isIP } from 'node:net'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { ExtraHosts } from './ssrf.ts'

export interface HostPolicy {
  /** @throws ConnectorError host_refused */
  check(method: string, url: URL, headers: Readonly<Record<string, string>>): void
  /** For protocols other than HTTP. @returns `extra` where the operator opened the host on purpose. @throws ConnectorError host_refused */
  checkSocket(host: string, port: number): 'extra' | 'public'
}

export interface HostPolicyOptions {
  /** Names the connection in errors. */
  readonly name: string
  /** `api.vendor.example`, or `*.vendor.example` for exactly one label in place of the star. */
  readonly manifestHosts: readonly string[]
  /** Hosts that the connection's own settings name: `name` or `name:port`. */
  readonly ownHosts: readonly string[]
  readonly extraHosts: ExtraHosts
  readonly api: { readonly baseUrl: string; readonly headers: Readonly<Record<string, string>> } | undefined
}

const label = /^[a-z0-9][a-z0-9-]{0,62}$/
const hostName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/
/** Headers that open doors, whatever the connector calls its own. */
const credentialHeaders = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key']
const plainHeaders = new Set(['accept', 'content-type', 'user-agent', 'accept-language'])

/** @throws ConnectorError host_refused when the API's base URL is not allowed itself. */
export function hostPolicy(options: HostPolicyOptions): HostPolicy {
  const { name, extraHosts, api } = options
  const exact = new Set<string>(options.ownHosts.map((host) => host.toLowerCase().replace(/:443$/, '')))
  const suffixes: string[] = []
  for (const host of options.manifestHosts) {
    if (host.startsWith('*.')) suffixes.push(host.slice(1).toLowerCase())
    else exact.add(host.toLowerCase())
  }
  const matchesStar = (host: string) =>
    suffixes.some((suffix) => host.endsWith(suffix) && label.test(host.slice(0, -suffix.length)))

  function refuse(place: string, why: string): ConnectorError {
    const known = [...options.manifestHosts, ...options.ownHosts].join(', ') || 'no host'
    return new ConnectorError('host_refused', `${name}: ${place} ${why}; allowed: ${known} and DESKWEAVE_EXTRA_HOSTS`)
  }

  function checkHost(place: string, url: URL): void {
    if (url.username !== '' || url.password !== '') throw refuse(place, 'carries a user name in its URL')
    if (extraHosts.has(url)) {
      if (url.protocol === 'https:' || url.protocol === 'http:') return
      throw refuse(place, `uses ${url.protocol}`)
    }
    if (url.protocol !== 'https:') {
      const todo = 'list it in DESKWEAVE_EXTRA_HOSTS, where the hub runs and for this command, if it is yours'
      throw new ConnectorError('host_refused', `${name}: ${place} is not https; ${todo}`)
    }
    if (!exact.has(url.host) && !matchesStar(url.host)) throw refuse(place, 'is not an allowed host')
  }

  const base = api ? URL.parse(api.baseUrl) : undefined
  if (base === null) throw new ConnectorError('host_refused', `${name}: "${api?.baseUrl}" is not an absolute URL`)
  if (base) checkHost(base.host, base)
  const secretHeaders = new Set(credentialHeaders)
  for (const header of Object.keys(api?.headers ?? {})) {
    if (!plainHeaders.has(header.toLowerCase())) secretHeaders.add(header.toLowerCase())
  }

  return {
    check(method, url, headers) {
      if (base && url.origin === base.origin) {
        if (url.username === '' && url.password === '') return
      }
      const place = `${method} ${url.host}`
      checkHost(place, url)
      if (!base) return
      // `*.vendor.example` holds every other customer's account too, and extra hosts those of other connections.
      const isElsewhere = extraHosts.has(url) || !exact.has(url.host)
      if (isElsewhere && Object.keys(headers).some((header) => secretHeaders.has(header))) {
        throw refuse(place, `would get the credentials of ${base.host}`)
      }
    },
    checkSocket(host, port) {
      const hostname = host.toLowerCase()
      const place = `${hostname}:${port}`
      if (!hostName.test(hostname) && isIP(hostname) === 0) throw refuse(`"${host}"`, 'is not a host name')
      if (extraHosts.has({ hostname, port: String(port), protocol: 'tcp:' })) return 'extra'
      if (!exact.has(place) && !exact.has(hostname) && !matchesStar(hostname)) {
        throw refuse(place, 'is not an allowed host')
      }
      return 'public'
    },
  }
}
