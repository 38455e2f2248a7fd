/** The hub's own address, as manifests carry it. */

/** @throws Error naming the text, when it is not https and a bare host. */
export function publicBase(baseUrl: string): URL {
  const base = URL.parse(baseUrl)
  const isHost = base !== null && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/.test(base.hostname)
  const isBare = base?.pathname === '/' && !base.search && !base.hash && !base.username
  if (base?.protocol === 'https:' && isHost && isBare) return base
  throw new Error(`base URL "${baseUrl}": expected https and a host, without a path, such as https://hub.example.com`)
}
