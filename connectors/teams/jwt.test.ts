import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { clouds } from './clouds.ts'
import { checkToken, readKeys } from './jwt.ts'
import { type GetJson, isFetchDue, signingKeys } from './signing-keys.ts'
import { attacker, badKeys, type Forgery, forgeriesOf, jwk } from './test-forgeries.ts'

const now = new Date('2026-11-20T10:15:30Z')
const seconds = now.getTime() / 1000
const appId = '0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9'
const tenantId = '2f0e4b7c-5d1a-4c3e-9b8a-1d2c3e4f5a6b'
const serviceUrl = `https://smba.trafficmanager.net/emea/${tenantId}/`
const origin = { serviceUrl, channelId: 'msteams', tenantId }
const expected = { issuer: clouds.public.issuer, appId, tenants: [tenantId] } as const

const microsoft = generateKeyPairSync('rsa', { modulusLength: 2048 })

const list = { keys: [jwk(microsoft.publicKey, 'good'), ...badKeys] }

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

const { forgeries, tokenOf, authorizationOf, claim, without } = forgeriesOf({
  appId,
  origin,
  now,
  evil: 'https://evil.example',
  key: microsoft.privateKey,
  kid: 'good',
})

function keysBy(getJson: GetJson, clock = () => now) {
  const keys = signingKeys(clouds.public)
  return (id: string) => keys(id, getJson, clock())
}

function check(forgery: Forgery, server = keyServer()) {
  const keys = keysBy(server.getJson)
  return checkToken(authorizationOf(forgery), forgery.origin ?? origin, expected, keys, now)
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

  it('are due when absent, a day old, or an hour old and unknown, and not within a minute of the last try, or five seconds while there are none', () => {
    const ring = (ageMs: number) => ({ keys: readKeys(list), fetchedAt: new Date(now.getTime() - ageMs) })
    const hourMs = 3_600_000
    expect(isFetchDue(undefined, 'good', undefined, now)).toBe(true)
    expect(isFetchDue(undefined, 'good', new Date(now.getTime() - 4_999), now)).toBe(false)
    expect(isFetchDue(undefined, 'good', new Date(now.getTime() - 5_000), now)).toBe(true)
    expect(isFetchDue(ring(24 * hourMs), 'good', new Date(now.getTime() - 59_999), now)).toBe(false)
    expect(isFetchDue(ring(24 * hourMs), 'good', undefined, now)).toBe(true)
    expect(isFetchDue(ring(23 * hourMs), 'good', undefined, now)).toBe(false)
    expect(isFetchDue(ring(hourMs), 'unknown', undefined, now)).toBe(true)
    expect(isFetchDue(ring(hourMs - 1), 'unknown', undefined, now)).toBe(false)
  })
})
