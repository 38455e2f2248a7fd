/** Tokens that must not open the door: for tests of the check itself, and of a whole hub. */
import { createHmac, createPublicKey, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { clouds } from './clouds.ts'
import type { Origin } from './jwt.ts'

export const unendorsed = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })
const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })

export const jwk = (key: KeyObject, kid: string, endorsements: readonly string[] = ['msteams', 'webchat']) => ({
  ...key.export({ format: 'jwk' }),
  kid,
  x5t: kid,
  use: 'sig',
  endorsements,
})

/** What stands in the list beside the good key, and must not count for Teams. */
export const badKeys = [
  jwk(unendorsed.publicKey, 'unendorsed', ['webchat']),
  jwk(short.publicKey, 'short'),
  jwk(curve.publicKey, 'curve'),
  { kty: 'oct', kid: 'oct', k: Buffer.from('secret').toString('base64url'), endorsements: ['msteams'] },
]

export interface Forgery {
  readonly header?: object | string
  readonly claims?: object | string
  readonly signature?: (signed: string) => Buffer
  readonly authorization?: (token: string) => string | undefined
  readonly origin?: Origin
}

export interface Victim {
  readonly appId: string
  readonly origin: Origin & { readonly tenantId: string }
  readonly now: Date
  /** Where the forgers would like the hub to call. */
  readonly evil: string
  /** Microsoft's own. */
  readonly key: KeyObject
  readonly kid: string
}

const rsa =
  (key: KeyObject, algorithm = 'RSA-SHA256') =>
  (signed: string) =>
    sign(algorithm, Buffer.from(signed), key)
const hmac = (key: string | Buffer) => (signed: string) => createHmac('sha256', key).update(signed).digest()
const part = (value: unknown) =>
  (typeof value === 'string' ? Buffer.from(value) : Buffer.from(JSON.stringify(value))).toString('base64url')
const nothing = () => Buffer.alloc(0)

/** @returns the forgeries by name, and how tokens of this victim's are made. */
export function forgeriesOf({ appId, origin, now, evil, key, kid: good }: Victim) {
  const seconds = Math.floor(now.getTime() / 1000)
  const { serviceUrl } = origin
  const publicKey = createPublicKey(key)
  const goodHeader = { typ: 'JWT', alg: 'RS256', kid: good, x5t: good }
  const goodClaims = {
    serviceurl: serviceUrl,
    nbf: seconds - 60,
    exp: seconds + 3600,
    iss: clouds.public.issuer,
    aud: appId,
  }

  function tokenOf({ header = goodHeader, claims = goodClaims, signature = rsa(key) }: Forgery): string {
    const signed = `${part(header)}.${part(claims)}`
    return `${signed}.${signature(signed).toString('base64url')}`
  }
  function authorizationOf(forgery: Forgery): string | undefined {
    const token = tokenOf(forgery)
    return forgery.authorization ? forgery.authorization(token) : `Bearer ${token}`
  }

  const spkiPem = publicKey.export({ type: 'spki', format: 'pem' })
  const pkcs1Pem = publicKey.export({ type: 'pkcs1', format: 'pem' })
  const spkiDer = publicKey.export({ type: 'spki', format: 'der' })
  const modulus = Buffer.from(`${publicKey.export({ format: 'jwk' }).n}`, 'base64url')
  const ownKey = (more: object) => ({ header: { ...goodHeader, ...more }, signature: rsa(attacker.privateKey) })
  const kid = (id: unknown) => ({ header: { ...goodHeader, kid: id }, signature: rsa(attacker.privateKey) })
  const alg = (name: unknown, signature = rsa(key)) => ({
    header: { ...goodHeader, alg: name },
    signature,
  })
  const claim = (more: object) => ({ claims: { ...goodClaims, ...more } })
  const without = (name: keyof typeof goodClaims) => {
    const { [name]: _left, ...claims } = goodClaims
    return { claims }
  }

  const forgeries: Readonly<Record<string, Forgery>> = {
    'alg none, no signature': alg('none', nothing),
    'alg None': alg('None', nothing),
    'alg NONE': alg('NONE', nothing),
    'alg nOnE with a signature': alg('nOnE'),
    'alg none, token of two parts': {
      ...alg('none', nothing),
      authorization: (token) => `Bearer ${token.slice(0, -1)}`,
    },
    'alg empty': alg(''),
    'alg null': alg(null),
    'alg a list': alg(['RS256']),
    'alg absent': { header: { typ: 'JWT', kid: good } },
    'alg rs256 in lower case': alg('rs256'),
    'alg RS384': alg('RS384', rsa(key, 'RSA-SHA384')),
    'alg RS512': alg('RS512', rsa(key, 'RSA-SHA512')),
    'alg PS256': alg('PS256'),
    'alg ES256 with an own curve': alg('ES256', (signed) => createSign('SHA256').update(signed).sign(curve.privateKey)),
    'RS1 signature under RS256': { signature: rsa(key, 'RSA-SHA1') },
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
    'signature cut': { signature: (signed) => rsa(key)(signed).subarray(0, 255) },
    'signature longer': { signature: (signed) => Buffer.concat([rsa(key)(signed), Buffer.alloc(1)]) },
    'signature of the other parts in reverse': {
      signature: (signed) => rsa(key)(signed.split('.').reverse().join('.')),
    },
    'claims changed after signing': {
      claims: { ...goodClaims, aud: appId, sub: 'admin' },
      signature: () => rsa(key)(`${part(goodHeader)}.${part(goodClaims)}`),
    },
    'own key in jwk': ownKey({ jwk: attacker.publicKey.export({ format: 'jwk' }) }),
    'own list in jku': ownKey({ jku: `${evil}/keys` }),
    'own list in jku, on a name like the real one': ownKey({
      jku: 'https://login.botframework.com.evil.example/v1/.well-known/keys',
    }),
    'own certificate in x5u': ownKey({ x5u: `${evil}/cert.pem` }),
    'own certificate in x5c': ownKey({
      x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
    }),
    'real signature with a jku': { header: { ...goodHeader, jku: `${evil}/keys` } },
    'unknown critical extension': { header: { ...goodHeader, crit: ['exp'] } },
    'body not encoded (b64)': { header: { ...goodHeader, b64: false, crit: ['b64'] } },
    'kid absent': { header: { typ: 'JWT', alg: 'RS256' } },
    'kid unknown': kid('unknown'),
    'kid a path': kid('../../../../dev/null'),
    'kid an address': kid(`${evil}/key`),
    'kid SQL': kid("good' UNION SELECT 'x"),
    'kid __proto__': kid('__proto__'),
    'kid constructor': kid('constructor'),
    'kid a number': kid(0),
    'kid a list': kid([good]),
    'kid empty': kid(''),
    'kid with a null byte': kid('good\u0000'),
    'kid in other letters': kid('GOOD'),
    'kid very long': kid('g'.repeat(5000)),
    'key too short': { header: { ...goodHeader, kid: 'short' }, signature: rsa(short.privateKey) },
    'symmetric key in the list': { header: { ...goodHeader, kid: 'oct' }, signature: hmac('secret') },
    'key not endorsed for Teams': {
      header: { ...goodHeader, kid: 'unendorsed' },
      signature: rsa(unendorsed.privateKey),
    },
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
    'another service address': claim({ serviceurl: `${evil}/` }),
    'service address a prefix': claim({ serviceurl: 'https://smba.trafficmanager.net/' }),
    'service address without its slash': claim({ serviceurl: serviceUrl.slice(0, -1) }),
    'service address absent': without('serviceurl'),
    'two service addresses': claim({ serviceUrl: `${evil}/` }),
    'activity for another service address': { origin: { ...origin, serviceUrl: `${evil}/` } },
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
  return { forgeries, tokenOf, authorizationOf, claim, without }
}
