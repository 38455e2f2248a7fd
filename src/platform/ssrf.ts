/**
 * Which addresses the hub may open a socket to. The check stands where the socket is made, on every address the name
 * resolved to and on literal addresses too, so that no spelling and no second answer of a name server gets around it.
 */
import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import type { Agent } from 'undici'

/** IANA special-purpose registries, read 2026-08: nothing in here is a public server. */
const closedV4 = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  closedV4.addSubnet(network, bits, 'ipv4')
}

/** Public IPv6 is 2000::/3. All else (::1, fc00::/7, fe80::/10, ff00::/8, NAT64, IPv4-mapped) is closed. */
const publicV6 = new BlockList()
publicV6.addSubnet('2000::', 3, 'ipv6')

/** Inside 2000::/3, ways to spell another address (Teredo, 6to4) and ranges for documentation. */
const closedV6 = new BlockList()
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  closedV6.addSubnet(network, bits, 'ipv6')
}

/** @param address an IP address without brackets; anything else is not public. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !closedV4.check(address, 'ipv4')
  // A scoped address (fe80::1%eth0) is never public, and a block list cannot read it.
  if (family === 6 && !address.includes('%')) return publicV6.check(address, 'ipv6') && !closedV6.check(address, 'ipv6')
  return false
}

/** The socket was refused before it was opened; nothing has been sent. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

/**
 * `host:port` of a URL, the one spelling in which extra hosts are compared.
 * @param port empty for the protocol's own.
 */
function hostAndPort(hostname: string, port: string | null | undefined, protocol: string): string {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return `${host.toLowerCase()}:${port || (protocol === 'http:' ? '80' : '443')}`
}

/** Hosts an operator opened on purpose: plain HTTP and private addresses are allowed for these only. */
export interface ExtraHosts {
  has(url: { readonly hostname: string; readonly port?: string | null; readonly protocol: string }): boolean
}

/** @param entries `host:port`; the port is 443 when absent. @throws TypeError naming the entry it cannot read. */
export function extraHosts(entries: readonly string[]): ExtraHosts {
  const known = new Set<string>()
  for (const entry of entries) {
    const url = URL.parse(`https://${entry}`)
    if (url?.username !== '' || url.pathname !== '/' || url.search !== '') {
      throw new TypeError(`DESKWEAVE_EXTRA_HOSTS: "${entry}" is not host:port, such as desk.internal:8443`)
    }
    known.add(hostAndPort(url.hostname, url.port, url.protocol))
  }
  return { has: (url) => known.size > 0 && known.has(hostAndPort(url.hostname, url.port, url.protocol)) }
}

/** A name lookup that answers with an error as soon as one of the addresses is closed. */
export function guardedLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      if (error) return callback(error, address, family)
      const addresses = typeof address === 'string' ? [address] : address.map((each) => each.address)
      const refused = addresses.find((each) => !isPublicAddress(each))
      if (refused === undefined) callback(null, address, family)
      else callback(new AddressRefused(`${hostname} resolves to ${refused}, which is not a public address`), '', 0)
    })
  }
}

export interface GuardedAgentOptions {
  readonly extraHosts: ExtraHosts
  readonly connectTimeoutMs?: number
  /** Name lookup; the system's own when absent. */
  readonly lookup?: LookupFunction
}

/** The one pool of sockets to the world. */
export interface GuardedAgent {
  /** Made at the first call, and its library loaded: a hub that calls nobody yet does without. */
  pool(): Promise<Agent>
  /** For when the hub stops. */
  destroy(): Promise<void>
}

export function createGuardedAgent(options: GuardedAgentOptions): GuardedAgent {
  let agent: Promise<Agent> | undefined
  return {
    pool() {
      agent ??= openPool(options)
      return agent
    },
    destroy: async () => (await agent)?.destroy(),
  }
}

async function openPool(options: GuardedAgentOptions): Promise<Agent> {
  const { Agent, buildConnector } = await import('undici')
  const lookup = options.lookup ?? systemLookup
  const timeout = options.connectTimeoutMs ?? 5_000
  const open = buildConnector({ timeout, lookup })
  const guarded = buildConnector({ timeout, lookup: guardedLookup(lookup) })
  return new Agent({
    connections: 128,
    connect: (target, callback) => {
      if (options.extraHosts.has(target)) return open(target, callback)
      // Node skips the lookup for literal addresses.
      if (isIP(target.hostname) !== 0 && !isPublicAddress(target.hostname)) {
        return callback(new AddressRefused(`${target.hostname} is not a public address`), null)
      }
      return guarded(target, callback)
    },
  })
}
