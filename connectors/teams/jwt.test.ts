import { createHmac, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { clouds } from './clouds.ts'
import { checkToken, type Origin, readKeys } from './jwt.ts'
import { type GetJson, isFetchDue, signingKeys } from './signing-keys.ts'

const now = new Date('2026-11-20T10:15:30Z')
const seconds = now.getTime() / 1000
const appId = '0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9'
const tenantId = '2f0e4b7c-5d1a-4c3e-9b8a-1d2c3e4f5a6b'
const serviceUrl = `https://smba.trafficmanager.net/emea/${tenantId}/`
const origin: Origin = { serviceUrl, channelId: 'msteams', tenantId }
const expected = { issuer: clouds.public.issuer, appId, tenants: [tenantId] } as const

const microsoft = generateKeyPairSync('rsa', { modulusLength: 2048 })
const unendorsed = generateKeyPairSync('rsa', { modulusLength: 2048 })
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })
const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const jwk = (key: KeyObject, kid: string, endorsements: readonly string[] = ['msteams', 'webchat']) => ({
  ...key.export({ format: 'jwk' }),
  kid,
  x5t: kid,
  use: 'sig',
  endorsements,
})
const list = {
  keys: [
    jwk(microsoft.publicKey, 'good'),
    jwk(unendorsed.publicKey, 'unendorsed', ['webchat']),
    jwk(short.publicKey, 'short'),
    jwk(curve.publicKey, 'curve'),
    { kty: 'oct', kid: 'oct', k: Buffer.from('secret').toString('base64url'), endorsements: ['msteams'] },
  ],
}

/** The key list as Microsoft would serve it, and every address that was asked. */
function keyServer(answer: () => unknown = () => list) {
  const asked: string[] = []
  const getJson = async (url: string): Promise<unknown> => {
    asked.push(url)
    if (url !== clouds.public.metadata) return answer()
    return {
      issuer: clouds.public.issuer,
      jwks_uri: 'https://login.botframework.com/v1/.well-known/keys',
      id_token_signing_alg_values_supported: ['RS256'],
    }
  }
  return { asked, getJson }
}

const part = (value: unknown) =>
  (typeof value === 'string' ? Buffer.from(value) : Buffer.from(JSON.stringify(value))).toString('base64url')

const goodHeader = { typ: 'JWT', alg: 'RS256', kid: 'good', x5t: 'good' }
const goodClaims = {
  serviceurl: serviceUrl,
  nbf: seconds - 60,
  exp: seconds + 3600,
  iss: clouds.public.issuer,
  aud: appId,
}

interface Forgery {
  readonly header?: object | string
  readonly claims?: object | string
  readonly signature?: (signed: string) => Buffer
  readonly authorization?: (token: string) => string | undefined
  readonly origin?: Origin
}

const rsa =
  (key: KeyObject, algorithm = 'RSA-SHA256') =>
  (signed: string) =>
    sign(algorithm, Buffer.from(signed), key)
const hmac = (key: string | Buffer) => (signed: string) => createHmac('sha256', key).update(signed).digest()

function tokenOf({ header = goodHeader, claims = goodClaims, signature = rsa(microsoft.privateKey) }: Forgery): string {
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${signature(signed).toString('base64url')}`
}

function keysBy(getJson: GetJson, clock = () => now) {
  const keys = signingKeys(clouds.public)
  return (id: string) => keys(id, getJson, clock())
}

function check(forgery: Forgery, server = keyServer()) {
  const token = tokenOf(forgery)
  const authorization = forgery.authorization ? forgery.authorization(token) : `Bearer ${token}`
  const keys = keysBy(server.getJson)
  return checkToken(authorization, forgery.origin ?? origin, expected, keys, now)
}

const spkiPem = microsoft.publicKey.export({ type: 'spki', format: 'pem' })
const pkcs1Pem = microsoft.publicKey.export({ type: 'pkcs1', format: 'pem' })
const spkiDer = microsoft.publicKey.export({ type: 'spki', format: 'der' })
const modulus = Buffer.from(`${microsoft.publicKey.export({ format: 'jwk' }).n}`, 'base64url')
const ownKey = (more: object) => ({ header: { ...goodHeader, ...more }, signature: rsa(attacker.privateKey) })
const kid = (id: unknown) => ({ header: { ...goodHeader, kid: id }, signature: rsa(attacker.privateKey) })
const alg = (name: unknown, signature = rsa(microsoft.privateKey)) => ({
  header: { ...goodHeader, alg: name },
  signature,
})
const claim = (more: object) => ({ claims: { ...goodClaims, ...more } })
const without = (name: keyof typeof goodClaims) => {
  const { [name]: _left, ...claims } = goodClaims
  return { claims }
}
const nothing = () => Buffer.alloc(0)

const forgeries: Readonly<Record<string, Forgery>> = {
  'alg none, no signature': alg('none', nothing),
  'alg None': alg('None', nothing),
  'alg NONE': alg('NONE', nothing),
  'alg nOnE with a signature': alg('nOnE'),
  'alg none, token of two parts': { ...alg('none', nothing), authorization: (token) => `Bearer ${token.slice(0, -1)}` },
  'alg empty': alg(''),
  'alg null': alg(null),
  'alg a list': alg(['RS256']),
  'alg absent': { header: { typ: 'JWT', kid: 'good' } },
  'alg rs256 in lower case': alg('rs256'),
  'alg RS384': alg('RS384', rsa(microsoft.privateKey, 'RSA-SHA384')),
  'alg RS512': alg('RS512', rsa(microsoft.privateKey, 'RSA-SHA512')),
  'alg PS256': alg('PS256'),
  'alg ES256 with an own curve': alg('ES256', (signed) => createSign('SHA256').update(signed).sign(curve.privateKey)),
  'RS1 signature under RS256': { signature: rsa(microsoft.privateKey, 'RSA-SHA1') },
  'HS256 with the public key as PEM': alg('HS256', hmac(spkiPem)),
  'HS256 with the public key as PKCS#1': alg('HS256', hmac(pkcs1Pem)),
  'HS256 with the public key as DER': alg('HS256', hmac(spkiDer)),
  'HS256 with the modulus': alg('HS256', hmac(modulus)),
  'HS256 with an empty key': alg('HS256', hmac('')),
  'HMAC under the name RS256': { signature: hmac(spkiPem) },
  'signed by another key': { signature: rsa(attacker.privateKey) },
  'no signature': { signature: nothing },
  'signature of zeros': { signature: () => Buffer.alloc(256) },
  'signature of ones': { signature: () => Buffer.alloc(256, 255) },
  'signature cut': { signature: (signed) => rsa(microsoft.privateKey)(signed).subarray(0, 255) },
  'signature longer': { signature: (signed) => Buffer.concat([rsa(microsoft.privateKey)(signed), Buffer.alloc(1)]) },
  'signature of the other parts in reverse': {
    signature: (signed) => rsa(microsoft.privateKey)(signed.split('.').reverse().join('.')),
  },
  'claims changed after signing': {
    claims: { ...goodClaims, aud: appId, sub: 'admin' },
    signature: () => rsa(microsoft.privateKey)(`${part(goodHeader)}.${part(goodClaims)}`),
  },
  'own key in jwk': ownKey({ jwk: attacker.publicKey.export({ format: 'jwk' }) }),
  'own list in jku': ownKey({ jku: 'https://evil.example/keys' }),
  'own list in jku, on a name like the real one': ownKey({
    jku: 'https://login.botframework.com.evil.example/v1/.well-known/keys',
  }),
  'own certificate in x5u': ownKey({ x5u: 'https://evil.example/cert.pem' }),
  'own certificate in x5c': ownKey({
    x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
  }),
  'real signature with a jku': { header: { ...goodHeader, jku: 'https://evil.example/keys' } },
  'unknown critical extension': { header: { ...goodHeader, crit: ['exp'] } },
  'body not encoded (b64)': { header: { ...goodHeader, b64: false, crit: ['b64'] } },
  'kid absent': { header: { typ: 'JWT', alg: 'RS256' } },
  'kid unknown': kid('unknown'),
  'kid a path': kid('../../../../dev/null'),
  'kid an address': kid('https://evil.example/key'),
  'kid SQL': kid("good' UNION SELECT 'x"),
  'kid __proto__': kid('__proto__'),
  'kid constructor': kid('constructor'),
  'kid a number': kid(0),
  'kid a list': kid(['good']),
  'kid empty': kid(''),
  'kid with a null byte': kid('good\u0000'),
  'kid in other letters': kid('GOOD'),
  'kid very long': kid('g'.repeat(5000)),
  'key too short': { header: { ...goodHeader, kid: 'short' }, signature: rsa(short.privateKey) },
  'symmetric key in the list': { header: { ...goodHeader, kid: 'oct' }, signature: hmac('secret') },
  'key not endorsed for Teams': { header: { ...goodHeader, kid: 'unendorsed' }, signature: rsa(unendorsed.privateKey) },
  'typ not JWT': { header: { ...goodHeader, typ: 'at+jwt' } },
  'issuer the emulator': claim({ iss: 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/' }),
  'issuer of the other cloud': claim({ iss: clouds.gcc_high.issuer }),
  'issuer with a slash': claim({ iss: `${clouds.public.issuer}/` }),
  'issuer a list': claim({ iss: [clouds.public.issuer] }),
  'issuer absent': without('iss'),
  'audience another app': claim({ aud: '11111111-2222-4333-8444-555555555555' }),
  'audience a list with ours': claim({ aud: [appId, 'x'] }),
  'audience with api://': claim({ aud: `api://${appId}` }),
  'audience empty': claim({ aud: '' }),
  'audience absent': without('aud'),
  'another service address': claim({ serviceurl: 'https://evil.example/' }),
  'service address a prefix': claim({ serviceurl: 'https://smba.trafficmanager.net/' }),
  'service address without its slash': claim({ serviceurl: serviceUrl.slice(0, -1) }),
  'service address absent': without('serviceurl'),
  'two service addresses': claim({ serviceUrl: 'https://evil.example/' }),
  'activity for another service address': { origin: { ...origin, serviceUrl: 'https://evil.example/' } },
  'activity of another channel': { origin: { ...origin, channelId: 'webchat' } },
  'activity of the emulator': { origin: { ...origin, channelId: 'emulator' } },
  'tenant not linked': { origin: { ...origin, tenantId: '99999999-2222-4333-8444-555555555555' } },
  'tenant absent': { origin: { serviceUrl, channelId: 'msteams' } },
  expired: claim({ exp: seconds - 301 }),
  'expired at the edge': claim({ exp: seconds - 300 }),
  'expiry absent': without('exp'),
  'expiry a text': claim({ exp: `${seconds + 3600}` }),
  'expiry null': claim({ exp: null }),
  'expiry not a number': { claims: JSON.stringify(goodClaims).replace(/"exp":\d+/, '"exp":NaN') },
  'not valid yet': claim({ nbf: seconds + 301 }),
  'valid from a text': claim({ nbf: 'now' }),
  'header no JSON': { header: 'RS256' },
  'header a list': { header: [goodHeader] },
  'claims no JSON': { claims: 'all' },
  'claims null': { claims: 'null' },
  'token of four parts': { authorization: (token) => `Bearer ${token}.${part({})}` },
  'token with padding': { authorization: (token) => `Bearer ${token}==` },
  'token in base64 with +': { authorization: (token) => `Bearer ${token.replace('.', '.+')}` },
  'token with a second spelling of its last bits': {
    authorization: (token) =>
      `Bearer ${token.slice(0, -1)}${String.fromCharCode(token.charCodeAt(token.length - 1) + 1)}`,
  },
  'two tokens': { authorization: (token) => `Bearer ${token}, Bearer ${token}` },
  'scheme in other letters': { authorization: (token) => `BEARER ${token}` },
  'scheme Basic': { authorization: (token) => `Basic ${token}` },
  'no scheme': { authorization: (token) => token },
  'line break after it': { authorization: (token) => `Bearer ${token}\n` },
  'very long': { authorization: (token) => `Bearer ${'x'.repeat(100_000)}${token}` },
  'header empty': { authorization: () => '' },
  'no header': { authorization: () => undefined },
}

describe('the token of a request from Teams', () => {
  it('is accepted when all seven checks agree, five minutes of clock skew included', async () => {
    const good: readonly Forgery[] = [
      {},
      claim({ exp: seconds - 299 }),
      claim({ nbf: seconds + 300 }),
      without('nbf'),
      { claims: { ...without('serviceurl').claims, serviceUrl } },
      { header: { alg: 'RS256', kid: 'good' } },
    ]
    for (const one of good) expect(await check(one)).toEqual({ ok: true })
  })

  it.each(Object.keys(forgeries))('is refused, and nothing it names is fetched: %s', async (name) => {
    const server = keyServer()
    const verdict = await check(forgeries[name] ?? {}, server)
    expect(verdict).toMatchObject({ ok: false, problem: expect.any(String) })
    expect(server.asked.filter((url) => new URL(url).host !== 'login.botframework.com')).toEqual([])
  })

  it('is refused in at least 64 ways', () => {
    expect(Object.keys(forgeries).length).toBeGreaterThanOrEqual(64)
  })

  it('is refused with any one bit of it turned', async () => {
    const token = tokenOf({})
    const keys = keysBy(keyServer().getJson)
    for (let position = 0; position < token.length; position += 7) {
      const turned = `${token.slice(0, position)}${token[position] === 'A' ? 'B' : 'A'}${token.slice(position + 1)}`
      expect(await checkToken(`Bearer ${turned}`, origin, expected, keys, now)).toMatchObject({ ok: false })
    }
  })

  it('is called stale, missing or wrong, without a word of it in the reason', async () => {
    const reasons = { expired: 'stale', 'no header': 'missing_header', 'signed by another key': 'bad_signature' }
    for (const [name, reason] of Object.entries(reasons)) {
      expect(await check(forgeries[name] ?? {})).toMatchObject({ reason })
    }
    const secret = await check(claim({ aud: 'secret-audience' }))
    expect(JSON.stringify(secret)).not.toContain('secret-audience')
  })
})

describe('the signing keys', () => {
  it('are RSA keys of 2,048 bits and more', () => {
    expect(readKeys(list).map(({ id }) => id)).toEqual(['good', 'unendorsed'])
  })

  it('are fetched at most twice a minute under a flood of unknown ids, and known ones go on working', async () => {
    const server = keyServer()
    let time = now.getTime()
    const keys = keysBy(server.getJson, () => new Date(time))
    const fetchesPerMinute: number[] = []
    for (let minute = 0; minute < 130; minute += 1) {
      const before = server.asked.length
      for (let call = 0; call < 1000; call += 1) {
        time += 60
        expect(await keys(`made-up-${minute}-${call}`)).toBeUndefined()
      }
      expect((await keys('good'))?.id).toBe('good')
      fetchesPerMinute.push(server.asked.length - before)
    }
    expect(Math.max(...fetchesPerMinute)).toBeLessThanOrEqual(2)
    expect(server.asked.length).toBe(6)
  })

  it('share one fetch when many requests come at once', async () => {
    const server = keyServer()
    const keys = keysBy(server.getJson)
    const found = await Promise.all(Array.from({ length: 50 }, () => keys('good')))
    expect(found.every((key) => key?.id === 'good')).toBe(true)
    expect(server.asked).toHaveLength(2)
  })

  it('are read anew for an unknown id once the list is an hour old', async () => {
    let keysNow: object = list
    let time = now.getTime()
    const server = keyServer(() => keysNow)
    const keys = keysBy(server.getJson, () => new Date(time))
    expect(await keys('rolled')).toBeUndefined()
    keysNow = { keys: [...list.keys, jwk(attacker.publicKey, 'rolled')] }
    time += 60 * 60_000
    expect((await keys('rolled'))?.id).toBe('rolled')
  })

  it('go on counting for two days while Microsoft cannot be reached, then the request is to come again', async () => {
    let isDown = false
    let time = now.getTime()
    const server = keyServer(() => {
      if (isDown) throw new Error('503')
      return list
    })
    const keys = keysBy(server.getJson, () => new Date(time))
    await keys('good')
    isDown = true
    time += 47 * 60 * 60_000
    expect((await keys('good'))?.id).toBe('good')
    time += 60 * 60_000
    await expect(keys('good')).rejects.toMatchObject({ code: 'unavailable', cause: { message: '503' } })
    isDown = false
    time += 60_000
    expect((await keys('good'))?.id).toBe('good')
  })

  it('are not taken from another host, whatever the metadata says', async () => {
    const asked: string[] = []
    const getJson = async (url: string) => {
      asked.push(url)
      return { issuer: clouds.public.issuer, jwks_uri: 'https://evil.example/keys', keys: list.keys }
    }
    const keys = keysBy(getJson)
    await expect(keys('good')).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked).toEqual([clouds.public.metadata])
  })

  it('are due when absent, a day old, or an hour old and unknown, and not within a minute of the last try', () => {
    const ring = (ageMs: number) => ({ keys: readKeys(list), fetchedAt: new Date(now.getTime() - ageMs) })
    const hourMs = 3_600_000
    expect(isFetchDue(undefined, 'good', undefined, now)).toBe(true)
    expect(isFetchDue(undefined, 'good', new Date(now.getTime() - 59_999), now)).toBe(false)
    expect(isFetchDue(ring(24 * hourMs), 'good', undefined, now)).toBe(true)
    expect(isFetchDue(ring(23 * hourMs), 'good', undefined, now)).toBe(false)
    expect(isFetchDue(ring(hourMs), 'unknown', undefined, now)).toBe(true)
    expect(isFetchDue(ring(hourMs - 1), 'unknown', undefined, now)).toBe(false)
  })
})
