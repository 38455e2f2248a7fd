/** When to try again. Pure. */

const baseMs = 1_000
const longestMs = 3_600_000

/**
 * Exponential with full jitter: after an outage the waiting calls come back spread out, not as a herd.
 * @param attempts earlier ones, from 0. @param random from 0 to 1.
 * @param retryAfterMs what the vendor asked for; never sooner than that, and spread behind it.
 */
export function retryInMs(attempts: number, random: number, retryAfterMs?: number): number {
  const window = Math.min(longestMs, baseMs * 2 ** Math.min(attempts, 30))
  if (retryAfterMs === undefined) return random * window
  // The account's budget already spaces the calls that come back.
  return retryAfterMs + random * Math.min(window, Math.max(baseMs, retryAfterMs / 4))
}
