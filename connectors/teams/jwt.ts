/**
 * Tokens. The one that every request from Teams carries in place of a signature does not cover the body: what ties the two
 * together is the service address, so answers may go there and nowhere else.
 * https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication (read 2026-11)
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { z } from 'zod'

/** A key for RS256, and the channels that Microsoft lets it speak for. */
export interface SigningKey {
  readonly id: string
  readonly key: KeyObject
  readonly endorsements: readonly string[]
}

export interface Expected {
  readonly issuer: string
  readonly appId: string
  /** The linked tenants. */
  readonly tenants: readonly string[]
}

/** What the request's body says of itself. */
export interface Origin {
  readonly serviceUrl: string
  readonly channelId: string
  readonly tenantId?: string
}

/** `reason` as everywhere at the hub's door; `problem` is for the log and holds nothing of the token. */
export type TokenVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'missing_header' | 'stale' | 'bad_signature'; readonly problem: string }

const skewSeconds = 300
const longestToken = 8_192

const Header = z.object({
  alg: z.literal('RS256'),
  kid: z.string().min(1).max(200),
  typ: z.literal('JWT').optional(),
  /** Ways to bring an own key or own rules: Microsoft uses none of them. */
  jku: z.never().optional(),
  jwk: z.never().optional(),
  x5u: z.never().optional(),
  x5c: z.never().optional(),
  crit: z.never().optional(),
  b64: z.never().optional(),
})

const Claims = z.object({
  iss: z.string(),
  aud: z.string(),
  exp: z.number(),
  nbf: z.number().optional(),
  serviceurl: z.string().optional(),
  /** As older documents spell it. */
  serviceUrl: z.string().optional(),
})

const refused = (problem: string): TokenVerdict => ({ ok: false, reason: 'bad_signature', problem })

/**
 * All seven checks: algorithm and key, issuer, audience, times, service address, the key's endorsement, the tenant.
 * @param authorization the header's value. @param keyOf a key by its id; it is only ever asked for ids.
 */
export async function checkToken(
  authorization: string | undefined,
  origin: Origin,
  expected: Expected,
  keyOf: (id: string) => Promise<SigningKey | undefined>,
  now: Date,
): Promise<TokenVerdict> {
  if (!authorization) return { ok: false, reason: 'missing_header', problem: 'no Authorization header' }
  const token = split(authorization)
  if (!token) return refused('the Authorization header is no bearer token of three base64url parts')
  const header = Header.safeParse(token.header).data
  if (!header) return refused('the token is not RS256, has no key id, or brings its own key')
  const claims = Claims.safeParse(token.claims).data
  if (!claims) return refused('the token lacks a claim: iss, aud and exp are needed')
  const wrongClaim = checkClaims(claims, origin, expected)
  if (wrongClaim) return refused(wrongClaim)

  const key = await keyOf(header.kid)
  if (!key) return refused('the token names a key that Microsoft does not list')
  if (!key.endorsements.includes(origin.channelId)) return refused('the key is not endorsed for this channel')
  if (!isSigned(token.signed, token.signature, key.key)) return refused('the signature does not match')

  return isInTime(claims, now)
    ? { ok: true }
    : { ok: false, reason: 'stale', problem: 'the token has expired or is not valid yet' }
}

const UserClaims = Claims.extend({
  tid: z.string(),
  oid: z.string().min(1),
  scp: z.string(),
  /** Who asked for the token, in version 2. */
  azp: z.string().optional(),
  /** The same in version 1. */
  appid: z.string().optional(),
})

export interface ExpectedUser {
  /** The names under which tokens are made for the app: its id, and its address. No other app can have either. */
  readonly audiences: readonly string[]
  readonly tenants: readonly string[]
  issuersOf(tenant: string): readonly string[]
}

/** Teams itself as the directory knows it: on desktops and phones, and in browsers. */
const teamsClients: readonly string[] = ['1fec8e78-bce4-4aaf-ab1b-5451cc387264', '5e3ce6c0-2b1f-4285-8d4b-75ee78787346']
/** The scope that Teams asks for when a page of the app wants to know its reader. */
const pageScope = 'access_as_user'

/**
 * The token that Teams gives to a page of the app for the person who looks at it, signed by their directory (Microsoft Entra).
 * https://learn.microsoft.com/microsoftteams/platform/tabs/how-to/authentication/tab-sso-code (read 2026-11)
 * @param keyOf a key of the tenant's directory; only ever asked for linked tenants.
 * @returns the person's id in the directory and their tenant; undefined for any token that vouches for nobody here.
 */
export async function readUserToken(
  token: string,
  expected: ExpectedUser,
  keyOf: (id: string, tenant: string) => Promise<SigningKey | undefined>,
  now: Date,
): Promise<{ readonly objectId: string; readonly tenant: string } | undefined> {
  const parts = split(`Bearer ${token}`)
  const header = Header.safeParse(parts?.header).data
  const claims = UserClaims.safeParse(parts?.claims).data
  if (!parts || !header || !claims) return undefined
  const { tid: tenant, oid: objectId, aud, iss, scp } = claims
  if (!expected.tenants.includes(tenant) || !expected.issuersOf(tenant).includes(iss)) return undefined
  if (!expected.audiences.includes(aud)) return undefined
  // Any app of the directory may ask for a token to ours, if its people agree; what it shows them is its own affair.
  if (!teamsClients.includes(claims.azp ?? claims.appid ?? '')) return undefined
  // Without it the token is an app's own, or was asked for something else.
  if (!scp.split(' ').includes(pageScope)) return undefined
  const key = await keyOf(header.kid, tenant)
  if (!key || !isSigned(parts.signed, parts.signature, key.key) || !isInTime(claims, now)) return undefined
  return { objectId, tenant }
}

function isInTime({ exp, nbf = 0 }: { readonly exp: number; readonly nbf?: number | undefined }, now: Date): boolean {
  const seconds = now.getTime() / 1000
  return seconds < exp + skewSeconds && seconds >= nbf - skewSeconds
}

function checkClaims(claims: z.output<typeof Claims>, origin: Origin, expected: Expected): string | undefined {
  const address = claims.serviceurl ?? claims.serviceUrl
  if (claims.iss !== expected.issuer) return 'the token is from another issuer'
  if (claims.aud !== expected.appId) return 'the token is for another app'
  if (address !== origin.serviceUrl) return 'the token is for another service address than the activity'
  if (claims.serviceUrl !== undefined && claims.serviceUrl !== address) return 'the token names two service addresses'
  if (origin.channelId !== 'msteams') return 'the activity is of another channel than Teams'
  if (origin.tenantId === undefined || !expected.tenants.includes(origin.tenantId)) return 'the tenant is not linked'
  return undefined
}

/** RS256 is named here, not taken from the token; only RSA keys are ever in the list. */
function isSigned(signed: string, signature: Buffer, key: KeyObject): boolean {
  return verify('RSA-SHA256', Buffer.from(signed), key, signature)
}

function split(authorization: string) {
  const [, header, claims, signature] =
    authorization.length <= longestToken ? (/^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(authorization) ?? []) : []
  if (header === undefined || claims === undefined || signature === undefined) return undefined
  const [headerBytes, claimBytes, signatureBytes] = [header, claims, signature].map(bytesOf)
  if (!headerBytes || !claimBytes || !signatureBytes) return undefined
  return {
    header: jsonOf(headerBytes),
    claims: jsonOf(claimBytes),
    signed: `${header}.${claims}`,
    signature: signatureBytes,
  }
}

/** One text for the same bytes: leftover bits or padding would make several. */
function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

const Jwk = z.object({
  kty: z.literal('RSA'),
  kid: z.string().min(1),
  use: z.literal('sig').optional(),
  n: z.string(),
  e: z.string(),
  endorsements: z.array(z.string()).catch([]),
})

const shortestModulusBits = 2048

/** The usable keys of a key list; others, of another kind or too short, are left out. */
export function readKeys(list: unknown): readonly SigningKey[] {
  const { keys } = z.object({ keys: z.array(z.unknown()) }).parse(list)
  return keys.flatMap((one): readonly SigningKey[] => {
    const jwk = Jwk.safeParse(one).data
    if (!jwk) return []
    const key = createPublicKey({ key: { kty: jwk.kty, n: jwk.n, e: jwk.e }, format: 'jwk' })
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
    return bits < shortestModulusBits ? [] : [{ id: jwk.kid, key, endorsements: jwk.endorsements }]
  })
}
