import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Http, InboundRequest } from '#hub/connector/contract.ts'
import { cloudNames } from './clouds.ts'
import { config, endpointsOf } from './config.ts'
import { verify } from './receive.ts'
import { settings } from './test-door.ts'

const noNetwork: Http = {
  fetch: () => Promise.reject(new Error('nothing is to be fetched')),
  json: () => Promise.reject(new Error('nothing is to be fetched')),
}
const body = readFileSync(new URL('fixtures/activities/message-in-channel.json', import.meta.url))
const fromHere: InboundRequest = {
  method: 'POST',
  url: 'http://localhost:3000/teams/messages',
  headers: { 'content-type': 'application/json' },
  body,
  isLocal: true,
}
const check = (request: InboundRequest, more: object) =>
  verify(request, '', { config: config.parse({ ...settings, ...more }), now: () => new Date() }, noNetwork)

describe('a request without a token', () => {
  it('is refused, also from this machine', async () => {
    expect(await check(fromHere, {})).toMatchObject({ ok: false })
  })

  it('is taken for development: from this machine, by a hub that is localhost', async () => {
    for (const url of ['http://localhost:3000/teams/messages', 'http://127.0.0.1/x', 'http://[::1]:3000/x']) {
      expect(await check({ ...fromHere, url }, { allow_unsigned: true })).toEqual({ ok: true })
    }
  })

  it('is refused in development from another machine, by a hub with an address of its own, and with a bad token', async () => {
    const { isLocal: _, ...fromElsewhere } = fromHere
    const others: readonly InboundRequest[] = [
      fromElsewhere,
      { ...fromHere, url: 'https://hub.example.com/teams/messages' },
      { ...fromHere, url: 'http://localhost.evil.example/teams/messages' },
      { ...fromHere, headers: { ...fromHere.headers, authorization: 'Bearer x.y.z' } },
    ]
    for (const request of others) expect(await check(request, { allow_unsigned: true })).toMatchObject({ ok: false })
  })
})

describe('the addresses of a connection', () => {
  it.each(cloudNames)('are all of one cloud, and nothing but a sandbox or a proxy changes them: %s', (cloud) => {
    const real = endpointsOf(config.parse({ ...settings, cloud }))
    const moved = endpointsOf(config.parse({ ...settings, cloud, api_base: 'http://127.0.0.1:4010/' }))
    for (const name of ['metadata', 'token', 'service', 'graph'] as const) {
      expect(new URL(real[name]).protocol).toBe('https:')
      expect(moved[name]).toBe(`http://127.0.0.1:4010${new URL(real[name]).pathname}`)
    }
    expect([moved.issuer, moved.scopes, moved.app]).toEqual([real.issuer, real.scopes, real.app])
    const end = cloud === 'public' || cloud === 'gcc' ? '.com' : '.us'
    for (const url of [real.issuer, real.graph, real.app]) expect(new URL(url).hostname.endsWith(end)).toBe(true)
  })
})
