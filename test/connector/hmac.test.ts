import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  decodeSecret,
  type HmacProfile,
  hmacAlgorithms,
  profileProblem,
  readTimestamp,
  sameSecret,
  secretEncodings,
  signatureEncodings,
  signedKey,
  signHmac,
  signStandardWebhook,
  timestampFormats,
  verifyHmac,
  verifyStandardWebhook,
} from '#hub/connector/hmac.ts'

const vector = z.object({ secret: z.string(), body: z.string(), headers: z.record(z.string(), z.string()) })
const profile = z.object({
  header: z.string(),
  algorithm: z.enum(hmacAlgorithms),
  encoding: z.enum(signatureEncodings),
  prefix: z.string().exactOptional(),
  template: z.string(),
  timestamp: z.object({ header: z.string(), format: z.enum(timestampFormats) }).exactOptional(),
  secretEncoding: z.enum(secretEncodings).exactOptional(),
})
const vectors = z
  .object({
    standard: z.array(vector),
    hmac: z.array(
      vector.extend({
        vendor: z.string(),
        profile,
        method: z.string().exactOptional(),
        url: z.string().exactOptional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('./signature-vectors.json', import.meta.url), 'utf8')))

const now = new Date(1795169730_000)
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const ok = { ok: true }
const forged = { ok: false, reason: 'bad_signature' }
const stale = { ok: false, reason: 'stale' }
const missing = { ok: false, reason: 'missing_header' }

const secret = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX'
const otherSecret = 'whsec_BAECAwQFBgcICQoLDA0ODxAREhMUFRYX'
function standard(body: string | Buffer, sentAt = now, secrets = [secret], id = 'msg_1') {
  return { headers: signStandardWebhook({ id, sentAt, body, secrets }), body: Buffer.from(body) }
}

describe('Standard Webhooks', () => {
  it.each(vectors.standard)('accepts the vector %#', ({ secret, body, headers }) => {
    const sentAt = new Date(Number(headers['webhook-timestamp']) * 1000)
    expect(verifyStandardWebhook({ headers, body: Buffer.from(body) }, secret, sentAt)).toEqual(ok)
    expect(signStandardWebhook({ id: headers['webhook-id'] ?? '', sentAt, body, secrets: [secret] })).toEqual(headers)
  })

  it('signs and verifies as the reference library does', () => {
    const body = '{"text":"Ünïcode ✓"}'
    const today = new Date()
    const { headers } = standard(body, today)
    expect(new Webhook(secret).verify(body, headers)).toEqual({ text: 'Ünïcode ✓' })
    const theirs = { ...headers, 'webhook-signature': new Webhook(secret).sign('msg_1', today, body) }
    expect(verifyStandardWebhook({ headers: theirs, body: Buffer.from(body) }, secret, today)).toEqual(ok)
  })

  it('takes the time five minutes off, both ways, and not a second more', () => {
    const request = standard('{}')
    expect([-301, -300, -299, 299, 300, 301].map((s) => verifyStandardWebhook(request, secret, at(s)))).toEqual([
      stale,
      ok,
      ok,
      ok,
      ok,
      stale,
    ])
  })

  it('accepts one good signature among several and unknown versions', () => {
    const request = standard('{}', now, [otherSecret, secret])
    expect(verifyStandardWebhook(request, secret, now)).toEqual(ok)
    const withUnknown = `v9,abc v1a,def ${request.headers['webhook-signature']}`
    const headers = { ...request.headers, 'webhook-signature': withUnknown }
    expect(verifyStandardWebhook({ ...request, headers }, secret, now)).toEqual(ok)
  })

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('says that %s is missing', (name) => {
    const request = standard('{}')
    const { [name]: _, ...headers } = request.headers
    expect(verifyStandardWebhook({ ...request, headers }, secret, now)).toEqual(missing)
    expect(verifyStandardWebhook({ ...request, headers: { ...headers, [name]: '' } }, secret, now)).toEqual(missing)
  })

  it('accepts svix- headers only where they are allowed', () => {
    const request = standard('{}')
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([k, v]) => [k.replace('webhook', 'svix'), v]),
    )
    expect(verifyStandardWebhook({ ...request, headers }, secret, now)).toEqual(missing)
    expect(verifyStandardWebhook({ ...request, headers }, secret, now, { acceptSvix: true })).toEqual(ok)
  })

  it('accepts no proper prefix, other case or other padding of a good signature', () => {
    const request = standard('{"a":1}')
    const good = request.headers['webhook-signature'] ?? ''
    const bent = Array.from({ length: good.length }, (_, length) => good.slice(0, length))
    bent.push(
      good.toLowerCase(),
      good.toUpperCase(),
      `${good}=`,
      good.replace(/=+$/, ''),
      ` ${good}x`,
      good.replace('v1', 'v2'),
    )
    const verdicts = bent.map((signature) =>
      verifyStandardWebhook(
        { ...request, headers: { ...request.headers, 'webhook-signature': signature } },
        secret,
        now,
      ),
    )
    expect(verdicts.filter((verdict) => verdict.ok)).toEqual([])
  })

  it.each(['', 'whsec_', 'whsec_!!!', 'whsec_A', 'not base64 at all'])(
    'never verifies with the secret "%s"',
    (empty) => {
      expect(verifyStandardWebhook(standard('{}'), empty, now)).toEqual(forged)
      expect(() => standard('{}', now, [empty])).toThrow(/expected whsec_/)
    },
  )

  it.each([
    '',
    ' 1795169730',
    '1795169730 ',
    '+795169730',
    '1.7951697e9',
    '01795169730',
    '0x6affffff',
    'NaN',
    '１７９５１６９７３０',
  ])('refuses the timestamp "%s"', (timestamp) => {
    const request = standard('{}')
    const headers = { ...request.headers, 'webhook-timestamp': timestamp }
    expect(verifyStandardWebhook({ ...request, headers }, secret, now).ok).toBe(false)
  })

  it('reads bytes, not text: CRLF, a byte order mark, escapes and broken UTF-8 keep their signature', () => {
    for (const body of [
      Buffer.from('{\r\n"a": 1}\r\n'),
      Buffer.from('\ufeff{}'),
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
    ]) {
      expect(verifyStandardWebhook(standard(body), secret, now)).toEqual(ok)
    }
    const escaped = standard('{"name":"Garc\\u00eda", "n":1.0}')
    const again = { ...escaped, body: Buffer.from(JSON.stringify(JSON.parse(escaped.body.toString()))) }
    expect(verifyStandardWebhook(escaped, secret, now)).toEqual(ok)
    expect(verifyStandardWebhook(again, secret, now)).toEqual(forged)
  })

  it('verifies what it signed and nothing with one bit changed', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(bytes, fc.nat(), fc.nat(7), (content, place, bit) => {
        const request = standard(Buffer.from(content))
        const changed = Buffer.from(content)
        const index = place % changed.length
        changed[index] = (changed[index] ?? 0) ^ (1 << bit)
        expect(verifyStandardWebhook(request, secret, now)).toEqual(ok)
        expect(verifyStandardWebhook({ ...request, body: changed }, secret, now)).toEqual(forged)
      }),
    )
  })

  it('never throws, whatever the headers and the secret are', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    fc.assert(
      fc.property(text, text, text, text, (id, timestamp, signature, anySecret) => {
        const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
        expect(verifyStandardWebhook({ headers, body: Buffer.from('{}') }, anySecret, now).ok).toBe(false)
      }),
    )
  })
})

describe('HMAC profiles', () => {
  it.each(vectors.hmac)('accepts the vector of $vendor', ({ vendor: _, profile, secret, body, ...rest }) => {
    const request = { ...rest, body: Buffer.from(body) }
    expect(profileProblem(profile)).toBeUndefined()
    expect(verifyHmac(request, secret, profile, now)).toEqual(ok)
    expect(signHmac(request, secret, profile, now)).toEqual(rest.headers)
    expect(verifyHmac({ ...request, body: Buffer.from(`${body} `) }, secret, profile, now)).toEqual(forged)
    expect(verifyHmac(request, `${secret}x`, profile, now)).toEqual(forged)
    expect(verifyHmac(request, '', profile, now)).toEqual(forged)
    expect(verifyHmac({ ...request, headers: {} }, secret, profile, now)).toEqual(missing)
    expect(verifyHmac(request, secret, profile, at(301))).toEqual(profile.timestamp ? stale : ok)
    expect(verifyHmac(request, secret, profile, at(-301))).toEqual(profile.timestamp ? stale : ok)
    const good = rest.headers[profile.header] ?? ''
    for (let length = 0; length < good.length; length += 1) {
      const headers = { ...rest.headers, [profile.header]: good.slice(0, length) }
      expect(verifyHmac({ ...request, headers }, secret, profile, now).ok).toBe(false)
    }
    if (profile.encoding === 'hex') {
      const digest = good.slice(profile.prefix?.length ?? 0)
      const headers = { ...rest.headers, [profile.header]: `${profile.prefix ?? ''}${digest.toUpperCase()}` }
      expect(verifyHmac({ ...request, headers }, secret, profile, now)).toEqual(forged)
    }
  })

  it('refuses bytes slid between timestamp and body, where the scheme has no separator', () => {
    const zendesk: HmacProfile = {
      header: 'x-sig',
      algorithm: 'sha256',
      encoding: 'base64',
      template: '{ts}{body}',
      timestamp: { header: 'x-ts', format: 'rfc3339' },
    }
    const headers = signHmac({ body: '7Z{"a":1}' }, 'secret', zendesk, now)
    const slid = { ...headers, 'x-ts': `${headers['x-ts']}7Z` }
    expect(verifyHmac({ headers, body: Buffer.from('7Z{"a":1}') }, 'secret', zendesk, now)).toEqual(ok)
    expect(verifyHmac({ headers: slid, body: Buffer.from('{"a":1}') }, 'secret', zendesk, now)).toEqual(forged)
  })

  it('never fills in a placeholder that came with the request', () => {
    const odd: HmacProfile = {
      header: 'x-sig',
      algorithm: 'sha256',
      encoding: 'hex',
      template: '{id}.{body}',
      idHeader: 'x-id',
    }
    const headers = signHmac({ body: 'B', id: '{body}' }, 'secret', odd, now)
    expect(verifyHmac({ headers, body: Buffer.from('B') }, 'secret', odd, now)).toEqual(ok)
    expect(verifyHmac({ headers: { ...headers, 'x-id': 'B' }, body: Buffer.from('B') }, 'secret', odd, now)).toEqual(
      forged,
    )
  })

  it.each([
    [{ template: '{ts}' }, /\{body\} is missing/],
    [{ template: '{body}{tst}' }, /unknown part \{tst\}/],
    [{ template: '{ts}.{body}' }, /timestamp header/],
    [{ template: '{id}.{body}' }, /id header/],
    [{ template: '{body}', timestamp: { header: 'x-ts', format: 'unix_seconds' as const } }, /protects from nothing/],
  ])('names what is wrong with %j', (part, problem) => {
    const whole: HmacProfile = { header: 'x-sig', algorithm: 'sha256', encoding: 'hex', ...part }
    expect(profileProblem(whole)).toMatch(problem)
  })

  it('takes an id as key only when it is signed', () => {
    const github: HmacProfile = {
      header: 'x-hub-signature-256',
      algorithm: 'sha256',
      encoding: 'hex',
      prefix: 'sha256=',
      template: '{body}',
      idHeader: 'x-github-delivery',
    }
    const delivered = (id: string) =>
      signedKey({ headers: { 'x-github-delivery': id }, body: Buffer.from('{}') }, github)
    expect(delivered('one')).toBe(delivered('two'))
    const signing: HmacProfile = { ...github, template: '{id}.{body}' }
    expect(signedKey({ headers: { 'x-github-delivery': 'one' }, body: Buffer.from('{}') }, signing)).toBe('one')
  })
})

describe('secrets and timestamps', () => {
  it('decodes each encoding strictly', () => {
    expect(decodeSecret('+/+/', 'base64')).toEqual(decodeSecret('whsec_-_-_', 'base64'))
    expect(decodeSecret('0g', 'hex')).toBeUndefined()
    expect(decodeSecret('', 'utf8')).toBeUndefined()
    expect(decodeSecret('whsec_x', 'utf8')).toEqual(Buffer.from('whsec_x'))
  })

  it('compares tokens of any length, and never an empty one', () => {
    expect(sameSecret('token', 'token')).toBe(true)
    expect([sameSecret('toke', 'token'), sameSecret('tokenn', 'token'), sameSecret('', '')]).toEqual([
      false,
      false,
      false,
    ])
  })

  it.each([
    ['2026-11-20T10:15:30Z', true],
    ['2026-11-20T10:15:30.123Z', true],
    ['2026-11-20T11:15:30+01:00', true],
    ['2026-11-20 10:15:30Z', false],
    ['2026-11-20T10:15:30', false],
    ['2026-13-20T10:15:30Z', false],
    ['2026-11-20T25:15:30Z', false],
    ['2026-11-20', false],
  ])('reads %s as an RFC 3339 time: %s', (text, good) => {
    expect(readTimestamp(text, 'rfc3339') !== undefined).toBe(good)
  })
})
