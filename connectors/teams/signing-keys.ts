/** Microsoft's signing keys: kept for a day, fetched anew for an unknown key, and never more often than once a minute. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import { readKeys, type SigningKey } from './jwt.ts'

export interface KeyRing {
  readonly keys: readonly SigningKey[]
  readonly fetchedAt: Date
}

const dayMs = 24 * 60 * 60_000
const hourMs = 60 * 60_000
const minuteMs = 60_000
/** Without any keys everybody is kept waiting. */
const againMs = 5_000
/** While Microsoft cannot be reached, known keys count for this long. */
const staleMs = 2 * dayMs

/**
 * Whether to fetch before the key is looked up. Microsoft publishes a key before it uses it, so an unknown one makes a list
 * older than an hour look outdated and a younger one not: a flood of made-up ids causes one fetch an hour.
 */
export function isFetchDue(ring: KeyRing | undefined, id: string, triedAt: Date | undefined, now: Date): boolean {
  if (triedAt && now.getTime() - triedAt.getTime() < (ring ? minuteMs : againMs)) return false
  if (!ring) return true
  const age = now.getTime() - ring.fetchedAt.getTime()
  return age >= dayMs || (age >= hourMs && !ring.keys.some((key) => key.id === id))
}

export function keyIn(ring: KeyRing | undefined, id: string, now: Date): SigningKey | undefined {
  if (!ring || now.getTime() - ring.fetchedAt.getTime() >= staleMs) return undefined
  return ring.keys.find((key) => key.id === id)
}

/** A GET of JSON. Only the pinned metadata address is ever asked, and the key list that it names on the same host. */
export type GetJson = (url: string) => Promise<unknown>

export interface Published {
  readonly issuer: string
  readonly metadata: string
}

export type KeyLookup = (id: string, getJson: GetJson, now: Date) => Promise<SigningKey | undefined>

const lookups = new Map<string, KeyLookup>()

/** The keys that all connections to a cloud share, so that a flood against several of them is one flood. */
export function keysOf(published: Published): KeyLookup {
  const name = `${published.issuer} ${published.metadata}`
  const known = lookups.get(name) ?? signingKeys(published)
  lookups.set(name, known)
  return known
}

/**
 * Looks keys up for one cloud. Lookups at the same time share one fetch; while Microsoft cannot be reached, known keys go on
 * counting.
 * @throws ConnectorError `unavailable` when there are no keys to compare with: the request may be good and should come again.
 */
export function signingKeys(published: Published): KeyLookup {
  let ring: KeyRing | undefined
  let triedAt: Date | undefined
  let fetching: Promise<void> | undefined
  let problem: unknown

  async function refresh(getJson: GetJson, now: Date): Promise<void> {
    try {
      ring = { keys: await fetchKeys(published, getJson), fetchedAt: now }
    } catch (error) {
      problem = error
    } finally {
      fetching = undefined
    }
  }

  return async (id, getJson, now) => {
    if (!fetching && isFetchDue(ring, id, triedAt, now)) {
      triedAt = now
      fetching = refresh(getJson, now)
    }
    if (fetching && !keyIn(ring, id, now)) await fetching
    if (!ring || now.getTime() - ring.fetchedAt.getTime() >= staleMs) {
      throw new ConnectorError('unavailable', `${published.metadata}: no signing keys could be read`, {
        cause: problem,
      })
    }
    return keyIn(ring, id, now)
  }
}

const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url() })

async function fetchKeys({ metadata, issuer }: Published, getJson: GetJson): Promise<readonly SigningKey[]> {
  const named = Metadata.parse(await getJson(metadata))
  const list = new URL(named.jwks_uri)
  if (named.issuer !== issuer || list.origin !== new URL(metadata).origin) {
    throw new Error(
      `${metadata}: expected issuer ${issuer} and a key list on the same host; nothing was fetched from it`,
    )
  }
  return readKeys(await getJson(list.href))
}
