import type { LookupAddress } from 'node:dns'
import { describe, expect, it } from 'vitest'
import { ConnectorError } from '#hub/connector/errors.ts'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import { hostPolicy } from '#hub/platform/host-policy.ts'
import { createOutboundNet } from '#hub/platform/outbound-net.ts'
import { extraHosts } from '#hub/platform/ssrf.ts'

const calm = { signal: new AbortController().signal, priority: 'rule' } as const
const limits = (requests: number, clock?: () => number) =>
  new AccountLimits('con_1', [{ budget: 'default', requests, perSeconds: 60 }], clock)
const anyHost = hostPolicy({ name: 'x', manifestHosts: [], ownHosts: [], extraHosts: extraHosts([]), api: undefined })

function netThatFinds(...addresses: readonly string[]) {
  const policy = hostPolicy({
    name: 'mail connection con_1',
    manifestHosts: ['*.mail.example'],
    ownHosts: ['imap.example.com:993'],
    extraHosts: extraHosts(['localhost:1143']),
    api: undefined,
  })
  const found: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  return createOutboundNet({ hosts: policy, limits: limits(100), name: 'mail connection con_1' }, calm, () =>
    Promise.resolve(found),
  )
}

describe('sockets that are not HTTP', () => {
  it('gives the checked address and the name for TLS', async () => {
    expect(await netThatFinds('93.184.216.34').resolve('imap.example.com', 993)).toEqual({
      address: '93.184.216.34',
      servername: 'imap.example.com',
    })
    await expect(netThatFinds('93.184.216.34').resolve('eu.mail.example', 993)).resolves.toBeDefined()
  })

  it.each([
    ['a host of nobody', 'imap.other.example', 993],
    ['another port of a host that named its port', 'imap.example.com', 25],
    ['two labels in place of the star', 'a.b.mail.example', 993],
    ['a name that is a URL', 'imap.example.com:993/', 993],
    ['no name', '', 993],
  ])('refuses %s', async (_what, host, port) => {
    await expect(netThatFinds('93.184.216.34').resolve(host, port)).rejects.toMatchObject({ code: 'host_refused' })
  })

  it.each([['127.0.0.1'], ['10.1.2.3'], ['::1'], ['::ffff:10.0.0.1']])(
    'refuses a name that leads to %s, also beside a public address',
    async (address) => {
      const net = netThatFinds('93.184.216.34', address)
      await expect(net.resolve('imap.example.com', 993)).rejects.toMatchObject({ code: 'host_refused' })
    },
  )

  it('goes where the operator opened the door on purpose', async () => {
    await expect(netThatFinds('127.0.0.1').resolve('localhost', 1143)).resolves.toMatchObject({ address: '127.0.0.1' })
  })

  it('says unavailable when the name has no address', async () => {
    await expect(netThatFinds().resolve('imap.example.com', 993)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('effects that leave by a socket', () => {
  const account = (requests: number) => ({
    hosts: anyHost,
    limits: limits(requests, () => 0),
    name: 'mail connection con_1',
  })
  const send = async (leaving: () => void) => {
    leaving()
    return 'sent'
  }

  it('spend the account’s budget, and wait when it is spent', async () => {
    const giveUp = new AbortController()
    // Half of the first window is kept back.
    const net = createOutboundNet(account(4), { ...calm, signal: giveUp.signal })
    await expect(net.spend(send)).resolves.toBe('sent')
    await expect(net.spend(send)).resolves.toBe('sent')
    const third = net.spend(send)
    giveUp.abort()
    await expect(third).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('cost nothing when they never left', async () => {
    const net = createOutboundNet(account(1), calm)
    const refused = new ConnectorError('unavailable', 'connection refused')
    for (let attempt = 0; attempt < 3; attempt += 1)
      await expect(net.spend(() => Promise.reject(refused))).rejects.toBe(refused)
    await expect(net.spend(send)).resolves.toBe('sent')
  })

  it('do not leave when another process has taken the work over', async () => {
    const lost = new Error('lease ran out')
    const net = createOutboundNet(account(1), {
      ...calm,
      beforeSend: () => {
        throw lost
      },
    })
    let sent = false
    const exchange = async (leaving: () => void) => {
      leaving()
      sent = true
    }
    await expect(net.spend(exchange)).rejects.toMatchObject({ code: 'unavailable', cause: lost })
    expect(sent).toBe(false)
  })
})
