/** A token bucket over all API requests: one client that runs wild must not take the database from the webhooks. Pure. */
export function createRateLimit(options: { readonly perSecond: number; readonly burst: number }) {
  let tokens = options.burst
  let last: number | undefined
  /** @param nowMs any steady clock. @returns 0, or how long to wait in milliseconds. */
  return (nowMs: number): number => {
    tokens = Math.min(options.burst, tokens + ((nowMs - (last ?? nowMs)) / 1000) * options.perSecond)
    last = nowMs
    if (tokens < 1) return ((1 - tokens) / options.perSecond) * 1000
    tokens -= 1
    return 0
  }
}
