/** Whom a chat tool has told of, in this process: each look at somebody's own page would ask it anew otherwise. */
import type { ChatPerson } from '#hub/connector/chat.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { freshMs, staleMs } from './people.ts'

export interface Acquaintance {
  readonly person: ChatPerson
  readonly readAt: Date
}

const most = 5_000

/**
 * As for presses, what the tool said counts for a minute, and for a day while it cannot be asked.
 * @throws what asking throws: also `not_found`, which is an answer.
 */
export function createAcquaintances(now: () => Date) {
  const known = new Map<string, Acquaintance>()
  return async (key: string, ask: () => Promise<ChatPerson>): Promise<Acquaintance> => {
    const before = known.get(key)
    const ageMs = before ? now().getTime() - before.readAt.getTime() : Number.POSITIVE_INFINITY
    if (before && ageMs < freshMs) return before
    try {
      const met = { person: await ask(), readAt: now() }
      known.delete(key)
      known.set(key, met)
      const [oldest] = known.keys()
      if (known.size > most && oldest !== undefined) known.delete(oldest)
      return met
    } catch (error) {
      const isGone = error instanceof ConnectorError && error.code === 'not_found'
      if (before && !isGone && ageMs < staleMs) return before
      throw error
    }
  }
}
