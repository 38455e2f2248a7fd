/** A token bucket per sender, in memory: enough to slow down guessing; the token's MAC is what stops it. */
export interface RateLimit {
  /** Takes one token. @returns 0, or in how many seconds there is one. */
  take(sender: string, now: Date): number
}

interface Bucket {
  tokens: number
  at: number
}

/** @param burst requests at once. @param perSecond how fast they come back. @param maxSenders remembered at a time. */
export function createRateLimit(burst: number, perSecond: number, maxSenders = 10_000): RateLimit {
  const buckets = new Map<string, Bucket>()
  return {
    take(sender, now) {
      const at = now.getTime()
      const bucket = buckets.get(sender) ?? { tokens: burst, at }
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * perSecond)
      bucket.at = at
      // The one asked longest ago is forgotten first.
      buckets.delete(sender)
      buckets.set(sender, bucket)
      if (buckets.size > maxSenders) {
        const [oldest] = buckets.keys()
        if (oldest !== undefined) buckets.delete(oldest)
      }
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perSecond)
      bucket.tokens -= 1
      return 0
    },
  }
}

/** One household or office: an IPv4 address, or the first 64 bits of an IPv6 one. */
export function senderOf(address: string | undefined): string {
  if (!address) return 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = address.split('::', 2)
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  const gap = address.includes('::')
    ? Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
    : []
  return [...first, ...gap, ...last].slice(0, 4).join(':')
}
