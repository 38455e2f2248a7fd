import type { LookupFunction } from 'node:net'
import { describe, expect, it } from 'vitest'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import { exchange, NoAnswer } from '#hub/platform/http-exchange.ts'
import { AddressRefused, createGuardedAgent, extraHosts, guardedLookup, isPublicAddress } from '#hub/platform/ssrf.ts'
import { guardedWebhookFetch } from '#hub/platform/webhook-call.ts'
import { localServer } from './local-server.ts'

const closed = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd12:3456:789a::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'localhost',
  '',
]
const open = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.0.1',
  '172.32.0.1',
  '192.167.1.1',
  '2606:4700::1111',
  '2a00:1450:4001::200e',
  '2001:4860:4860::8888',
]

describe('isPublicAddress', () => {
  it.each(closed)('keeps the hub away from "%s"', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
  it.each(open)('lets the hub call %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

describe('guardedLookup', () => {
  const answering =
    (...answers: readonly (readonly string[])[]): LookupFunction =>
    (_host, _options, callback) => {
      const answer = answers[count++ % answers.length] ?? []
      callback(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    }
  let count = 0

  it('never hands out an address of a name that also points inside, however its answers flip', () => {
    const flipping = guardedLookup(
      answering(
        ['127.0.0.1'],
        ['8.8.8.8'],
        ['8.8.8.8', '10.0.0.1'],
        ['::1', '8.8.8.8'],
        ['8.8.8.8', '::ffff:10.0.0.1'],
      ),
    )
    const handedOut = new Set<string>()
    let refused = 0
    for (let attempt = 0; attempt < 500; attempt += 1) {
      flipping('flip.example', { all: true }, (error, addresses) => {
        if (error) refused += 1
        else if (Array.isArray(addresses)) for (const each of addresses) handedOut.add(each.address)
      })
    }
    expect([...handedOut]).toEqual(['8.8.8.8'])
    expect(refused).toBe(400)
  })

  it('passes on that a name is unknown', () => {
    const failing: LookupFunction = (_host, _options, callback) =>
      callback(Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' }), '')
    guardedLookup(failing)('nowhere.example', {}, (error) => expect(error).toMatchObject({ code: 'ENOTFOUND' }))
  })
})

describe('createGuardedAgent', () => {
  const call = { method: 'GET', headers: {}, timeoutMs: 2_000, maxBytes: 1_000, signal: new AbortController().signal }

  it('opens no socket to this machine, by name or by any spelling of its address', async () => {
    await using sink = await localServer((_request, response) => response.end('inside'))
    const port = new URL(sink.url).port
    const toSink: LookupFunction = (_host, options, callback) =>
      options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)
    const agent = createGuardedAgent({ extraHosts: extraHosts([]), lookup: toSink })
    const spellings = [
      'rebound.example',
      'localhost',
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.0.0.1',
      '0x7f000001',
      '0177.0.0.1',
      '017700000001',
      '0.0.0.0',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::1]',
      '[::]',
      '①②⑦.0.0.1',
      '127。0。0。1',
    ]
    for (const host of spellings) {
      const refused = await exchange(agent, { ...call, url: new URL(`http://${host}:${port}/`) }).catch(
        (error) => error,
      )
      expect(refused, host).toBeInstanceOf(NoAnswer)
      expect(refused, host).toMatchObject({ sent: false, cause: expect.any(AddressRefused) })
    }
    expect(sink.connections()).toBe(0)
    await agent.destroy()
  })

  it('calls a listed host, and the same host on another port not', async () => {
    await using sink = await localServer((_request, response) => response.end('listed'))
    await using other = await localServer((_request, response) => response.end('not listed'))
    const agent = createGuardedAgent({ extraHosts: extraHosts([sink.host]) })
    expect((await exchange(agent, { ...call, url: new URL(sink.url) })).body.toString()).toBe('listed')
    await expect(exchange(agent, { ...call, url: new URL(other.url) })).rejects.toMatchObject({ sent: false })
    expect(other.connections()).toBe(0)
    await agent.destroy()
  })
})

describe('extraHosts', () => {
  it('knows a host on its port only, whatever the case and the brackets', () => {
    const hosts = extraHosts(['Desk.Internal:8443', '[::1]:3000', 'plain.internal'])
    expect(hosts.has(new URL('https://desk.internal:8443/x'))).toBe(true)
    expect(hosts.has(new URL('http://[::1]:3000'))).toBe(true)
    expect(hosts.has(new URL('https://plain.internal'))).toBe(true)
    expect(hosts.has(new URL('http://plain.internal'))).toBe(false)
    expect(hosts.has(new URL('https://desk.internal'))).toBe(false)
  })

  it.each(['desk.internal/path', 'me@desk.internal', ':::', 'https://desk.internal'])('refuses "%s"', (entry) => {
    expect(() => extraHosts([entry])).toThrow(TypeError)
  })
})

describe('guardedWebhookFetch', () => {
  it.each([
    'http://hooks.example/x',
    'https://10.0.0.1/x',
    'https://[::1]/x',
    'https://2130706433/x',
    'https://user:pass@hooks.example/x',
    'ftp://hooks.example/x',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '//hooks.example/x',
    'hooks.example/x',
    '',
  ])('refuses "%s" before anything is sent', async (url) => {
    const door = {
      agent: createGuardedAgent({ extraHosts: extraHosts([]) }),
      extraHosts: extraHosts([]),
      now: () => new Date(),
    }
    const sent = guardedWebhookFetch(
      door,
      new AccountLimits('webhook', []),
      { url, headers: {}, body: '{}' },
      {
        signal: new AbortController().signal,
        priority: 'rule',
      },
    )
    await expect(sent).rejects.toMatchObject({ code: 'host_refused' })
    await door.agent.destroy()
  })
})
