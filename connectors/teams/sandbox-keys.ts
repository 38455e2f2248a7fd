/** The key pair with which the sandbox signs in Microsoft's place. Made up, and good for nothing else. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'

const pair = {
  kty: 'RSA',
  n: 'tE4Tiv7gilGrIe97n18Sv8dFK0ErszeVddFrLwS80lQtPEIuogRmtxcCHWhVDNQAUT-o5jJTuPnK_VzExY74hXuvyw4NdcYwpXA2AkvybCiLqxXucc7Ma6QJazVqo0xBNmihMk4Y2KjdPugjBjLVYlzOWFyLTNZ9beQxrMWXjjC9tenHfDE0HvxpMx1qeHWuBRHQ_uBpxB62fgixKaYi90itlOJi_NrizRsNCPgagVJpwLQn-7c0yZH6rlGF5ISU5L2K0-_rmLBAay8mVqlW-QhGFreOh_1zYt3SQW4n8urlx7_NqBUJ-bLCUQIFSLzZwoRi5qEEXkIi8jzI2JAGQw',
  e: 'AQAB',
  d: 'hJ5weyw9Gjtn1cSBmJBMRqn_QuMHxpj7EI0jG0D-8EH5_rVj7MrVzeFA0PId5jerXMWQITgVbWNFmgHLFCij7On5uZdcDeD120mkiuBpKaxOmb7DSIkEccb8MkJ4JaK95i0vG7-isLFiicVdJBZs6Pq32phfYaoBMEJW7qHyTYA5nkzvU-BLIxenR__bIKVlEUyidi0D9o_D1v_OJhZoknoZ15JdoIYoUNKIP6_oBG5wa8XhlQ_a292heRfDkgVwzWsEt3tEYi9eCDNPQuTYcJnU6nrrFwRg8q1S6kBimT3GgMf2GkNNbRVkCB3XDxEr8hrtPb9xMlwNfvLv6M3x',
  p: '_QYPlVYkk63QnnlZKOmnXnHMJzf_5xZi1Gm4aw1d1aCGYohRlCna0Nh8XDTUTUdxRnAGHotaYPBxsGhFe2muu59I9xOmpn9knICgU1AeOe1dOE13Q4yRqiPvvH3Bf5qf_QWI46aul7m4Ya92ZFBHHGM2kWb__2bNXuUuRg0Dm1E',
  q: 'tm0I_PFnWPxFfrazsnjtB8VHzQPG40jRZZnkcgcsRyVd2dEmgKje6E6k7BKEy1b732-ibODnssDjKhg5iOaMupwxOs03Iif1zG8w4AdkCNMx_t7QwnFnPTucYLiWwj8zNDXXfMFXz7aQqC8bR707foyGoF0Zy_1fZwwQSAnJO1M',
  dp: '0oJBYtCJm-hHoiF5oYVL_1KUNKjtmlhQn0LZ8Q7s27gzNjUOEkQETi9ev-QgIa9nud-n56-u4OoK3GbUMApMGsM6FH5f7zQcA-0r9kS48R7fqOEicau44SIG6f6Ch2Sg6QS60BQ0O_2DPpqZ2HnFwAN3Od_E6ruf7-yi5BsdvhE',
  dq: 'GngFltXb_fBUkQcnWZzsH3WDbn6-y9mT8F7844Kg7Q3B6UnMgVx_Q0ut6Ebjl7FeSFQlSBD17VzJWSE8r91ry-O_zN1bw4vywR_dApRv8kvadDWWKrBTn3HXxbziuvp6jnfFdWeEOzItGQoEtksBp-Hx4rC_fnab8hKxBhLNbNs',
  qi: 'qdZdKArBFEeba2Vvnk-BMCc7wDqyEOoY0hm4lO55mU35l9DIfEqf_SBkVxHBpNDqf2zHtTKWiZkf1OMLUsM8SQhK7_yN_9uLJUGzr_mSufSCr7qec7QgnNnm6DUyuJUeL8V7LEojUjObfTqin32vqHSrujQOUHtV5Qvvgomw9sY',
}

export const signingKey = createPrivateKey({ key: pair, format: 'jwk' })
export const keyId = 'sandbox-key-1'

/** As `login.botframework.com` lists it. */
export const publishedKeys = {
  keys: [
    {
      ...createPublicKey(signingKey).export({ format: 'jwk' }),
      kid: keyId,
      x5t: keyId,
      use: 'sig',
      endorsements: ['msteams', 'webchat'],
    },
  ],
}

export interface TokenParts {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** What Teams would put into the token of a request to this bot, good for an hour. */
export function tokenParts(bot: { readonly appId: string; readonly serviceUrl: string }, at: Date): TokenParts {
  const seconds = Math.floor(at.getTime() / 1_000)
  return {
    header: { typ: 'JWT', alg: 'RS256', kid: keyId, x5t: keyId },
    claims: {
      serviceurl: bot.serviceUrl,
      nbf: seconds - 60,
      exp: seconds + 3_600,
      iss: 'https://api.botframework.com',
      aud: bot.appId,
    },
  }
}

export const issuerOf = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`

/** What Teams would give to a page of the app for this person, good for an hour. */
export function pageTokenParts(
  appId: string,
  person: { readonly aadObjectId: string; readonly tenantId: string; readonly name: string; readonly email: string },
  at: Date,
): TokenParts {
  const seconds = Math.floor(at.getTime() / 1_000)
  return {
    header: { typ: 'JWT', alg: 'RS256', kid: keyId },
    claims: {
      aud: appId,
      iss: issuerOf(person.tenantId),
      nbf: seconds - 60,
      exp: seconds + 3_600,
      name: person.name,
      preferred_username: person.email,
      oid: person.aadObjectId,
      tid: person.tenantId,
      scp: 'access_as_user',
      azp: '5e3ce6c0-2b1f-4285-8d4b-75ee78787346',
      ver: '2.0',
    },
  }
}

export function signToken({ header, claims }: TokenParts): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), signingKey).toString('base64url')}`
}
