import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { defineConnector, type RateLimit } from '#hub/connector/contract.ts'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import { createOutboundHttp, outboundAccount } from '#hub/platform/outbound-http.ts'
import { redactor } from '#hub/platform/redact-text.ts'
import { createGuardedAgent, extraHosts } from '#hub/platform/ssrf.ts'
import { bodyOf, type LocalServer, localServer, reply } from './local-server.ts'

const token = 'tok-1234567890abcdef'

interface Setting {
  readonly hosts?: readonly string[]
  readonly ownHosts?: readonly string[]
  readonly extra?: readonly string[]
  readonly limits?: readonly RateLimit[]
  readonly signal?: AbortSignal
  readonly beforeSend?: () => void
  readonly withoutApi?: boolean
}

/** The door of a connection whose API is at `baseUrl`. */
function doorTo(baseUrl: string, setting: Setting = {}) {
  const config = z.object({ api: z.string(), token: z.string().meta({ secret: true }) })
  const connector = defineConnector({
    manifest: {
      id: 'desk',
      name: 'Desk',
      docs: 'https://desk.example/docs',
      hosts: setting.hosts ?? ['*.desk.example', 'files.example'],
      limits: setting.limits ?? [],
    },
    config,
    hostsOf: () => setting.ownHosts ?? [],
    ...(setting.withoutApi
      ? {}
      : { api: (c: z.output<typeof config>) => ({ baseUrl: c.api, headers: { authorization: `Bearer ${c.token}` } }) }),
    check: async () => ({ account: 'x' }),
    can: {},
  })
  const extra = extraHosts(setting.extra ?? [new URL(baseUrl).host])
  const agent = createGuardedAgent({ extraHosts: extra })
  onTestFinished(() => agent.destroy())
  const account = outboundAccount({
    connectionId: 'c_1',
    connector,
    config: { api: baseUrl, token },
    redact: redactor([token]),
    agent,
    extraHosts: extra,
    limits: new AccountLimits('desk c_1', setting.limits ?? []),
    now: () => new Date('2026-11-22T10:00:00Z'),
  })
  return createOutboundHttp(account, {
    signal: setting.signal ?? new AbortController().signal,
    priority: 'rule',
    ...(setting.beforeSend ? { beforeSend: setting.beforeSend } : {}),
  })
}

async function serve(listener: RequestListener): Promise<LocalServer> {
  const server = await localServer(listener)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

describe('http.json', () => {
  it('calls below the base URL with its headers, query and JSON body', async () => {
    const server = await serve(async (request, response) => {
      const { authorization, 'content-type': type, 'x-key': key } = request.headers
      reply(response, 200, {
        url: request.url,
        method: request.method,
        authorization,
        type,
        key,
        body: await bodyOf(request),
      })
    })
    const answer = await doorTo(`${server.url}/api/v2/`).json('POST', '/tickets', {
      query: { page: 2, none: undefined, q: 'a b&c' },
      headers: { 'X-Key': 'k1' },
      json: { subject: 'Ñ' },
    })
    expect(answer).toEqual({
      url: '/api/v2/tickets?page=2&q=a+b%26c',
      method: 'POST',
      authorization: `Bearer ${token}`,
      type: 'application/json',
      key: 'k1',
      body: '{"subject":"Ñ"}',
    })
  })

  it('answers undefined when there is no body', async () => {
    const server = await serve((_request, response) => response.writeHead(204).end())
    expect(await doorTo(server.url).json('DELETE', '/tickets/1')).toBeUndefined()
  })

  it.each([
    [301, 'rejected'],
    [400, 'rejected'],
    [401, 'auth_failed'],
    [403, 'auth_failed'],
    [404, 'not_found'],
    [409, 'conflict'],
    [410, 'not_found'],
    [412, 'conflict'],
    [422, 'rejected'],
    [429, 'rate_limited'],
    [500, 'outcome_unknown'],
    [502, 'outcome_unknown'],
    [503, 'unavailable'],
  ])('turns status %i into %s', async (status, code) => {
    const server = await serve((_request, response) =>
      reply(response, status, { message: `no, not with ${token}` }, { 'retry-after': '30', location: '/elsewhere' }),
    )
    const failed = doorTo(server.url).json('PUT', '/tickets/1', { query: { email: 'ana@example.com' } })
    await expect(failed).rejects.toMatchObject({
      code,
      retryAfterMs: 30_000,
      message: `PUT ${server.host}/tickets/1 answered ${status}: no, not with [secret]`,
    })
  })

  it('follows no redirect', async () => {
    const target = await serve((_request, response) => response.end('{}'))
    const server = await serve((_request, response) => response.writeHead(308, { location: target.url }).end())
    await expect(doorTo(server.url).json('POST', '/x', { json: {} })).rejects.toMatchObject({ code: 'rejected' })
    expect(target.connections()).toBe(0)
  })

  it('calls an answer malformed that is not JSON', async () => {
    const server = await serve((_request, response) => response.end('<html>'))
    await expect(doorTo(server.url).json('GET', '/x')).rejects.toMatchObject({ code: 'malformed' })
  })

  it('stops reading an answer after 1 MiB', async () => {
    let written = 0
    const server = await serve((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 97)
      const pour = () => {
        while (!response.destroyed) {
          written += chunk.length
          if (!response.write(chunk)) return response.once('drain', pour)
        }
      }
      pour()
    })
    await expect(doorTo(server.url).json('GET', '/endless')).rejects.toMatchObject({ code: 'malformed' })
    expect(written).toBeLessThan(64 * 1024 * 1024)
  })

  it('reads a longer answer for a call that asks for a file, up to 25 MiB', async () => {
    const mebibyte = 1024 * 1024
    const server = await serve((request, response) => response.end(Buffer.alloc(Number(request.url?.slice(1)), 255)))
    const door = doorTo(server.url)
    const file = async (bytes: number, maxBytes: number) => {
      const answer = await door.fetch(`${server.url}/${bytes}`, { maxBytes })
      return (await answer.bytes()).length
    }
    expect(await file(2 * mebibyte, 3 * mebibyte)).toBe(2 * mebibyte)
    await expect(file(3 * mebibyte + 1, 3 * mebibyte)).rejects.toMatchObject({ code: 'malformed' })
    await expect(file(26 * mebibyte, 99 * mebibyte)).rejects.toMatchObject({ code: 'malformed' })
    await expect(door.fetch(`${server.url}/${2 * mebibyte}`)).rejects.toMatchObject({ code: 'malformed' })
  })

  it.each([
    '//evil.example/x',
    'https://evil.example/x',
    '@evil.example/x',
    '.evil.example/x',
    '/../../admin',
    'tickets',
    '/\\..\\..\\x',
  ])('stays below the base URL when asked for "%s"', async (path) => {
    const server = await serve((request, response) => reply(response, 200, { url: request.url }))
    const asked = await doorTo(`${server.url}/api/v2`)
      .json('GET', path)
      .catch((error) => error)
    if (asked instanceof Error) expect(asked).toMatchObject({ code: 'host_refused' })
    else expect(asked).toEqual({ url: expect.stringMatching(/^\/api\/v2\//) })
  })

  it('lets no header break out of its line', async () => {
    const server = await serve((_request, response) => reply(response, 200, {}))
    const failed = doorTo(server.url).json('POST', '/x', { headers: { 'x-name': 'a\r\nx-evil: 1' }, json: {} })
    await expect(failed).rejects.toMatchObject({ code: 'rejected' })
    expect(server.connections()).toBe(0)
  })
})

describe('a call without an answer', () => {
  it.each([
    ['GET', 'unavailable'],
    ['POST', 'outcome_unknown'],
    ['PATCH', 'outcome_unknown'],
    ['DELETE', 'outcome_unknown'],
  ] as const)('%s that is cut off is %s', async (method, code) => {
    const server = await serve((request) => request.socket.destroy())
    await expect(doorTo(server.url).json(method, '/x')).rejects.toMatchObject({ code })
  })

  it('is unavailable when nobody listens', async () => {
    const server = await localServer(() => {})
    await server[Symbol.asyncDispose]()
    await expect(doorTo(server.url).json('POST', '/x')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is unavailable when the name is unknown', async () => {
    const door = doorTo('http://nowhere.invalid:8080')
    await expect(door.json('POST', '/x')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is outcome_unknown when the hub stops while the vendor works on it', async () => {
    const stop = new AbortController()
    const server = await serve(() => stop.abort(new Error('stopping')))
    const door = doorTo(server.url, { signal: stop.signal })
    await expect(door.json('POST', '/x')).rejects.toMatchObject({ code: 'outcome_unknown' })
    await expect(door.json('POST', '/x')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is outcome_unknown when the server speaks no HTTP', async () => {
    const raw = createServer((socket) => socket.on('data', () => socket.end('SSH-2.0-x\r\n')))
    await new Promise<void>((done) => raw.listen(0, '127.0.0.1', done))
    onTestFinished(() => void raw.close())
    const address = raw.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await expect(doorTo(`http://127.0.0.1:${port}`).json('POST', '/x')).rejects.toMatchObject({
      code: 'outcome_unknown',
    })
  })

  it('does not leave when the caller may not send any more', async () => {
    let served = 0
    const server = await serve((_request, response) => {
      served += 1
      reply(response, 200, {})
    })
    const door = doorTo(server.url, {
      beforeSend: () => {
        throw new Error('the lane is lost')
      },
    })
    await expect(door.json('POST', '/x')).rejects.toMatchObject({ code: 'unavailable' })
    expect(served).toBe(0)
  })
})

describe('allowed hosts', () => {
  it.each([
    ['http://acme.desk.example', 'plain http'],
    ['https://evil.example', 'another host'],
    ['https://a.b.desk.example', 'two labels in place of the star'],
    ['https://desk.example', 'no label in place of the star'],
    ['https://-a.desk.example', 'no host label'],
    ['https://acme.desk.example.evil.example', 'the host as a prefix'],
    ['https://evil.example/acme.desk.example', 'the host in the path'],
    ['https://acme.desk.example@evil.example', 'the host as a user name'],
    ['https://acme.desk.example:8443', 'another port'],
    ['https://127.0.0.1', 'an address'],
    ['ftp://acme.desk.example', 'another protocol'],
  ])('a connection may not point its API to %s (%s)', (baseUrl) => {
    expect(() => doorTo(baseUrl, { extra: [] })).toThrow(expect.objectContaining({ code: 'host_refused' }))
  })

  it.each(['https://acme.desk.example', 'https://files.example/api', 'https://self.hosted.example:8443/desk'])(
    'a connection may point its API to %s',
    (baseUrl) => {
      expect(() => doorTo(baseUrl, { extra: [], ownHosts: ['self.hosted.example:8443'] })).not.toThrow()
    },
  )

  it('sends credentials to the own account only, not to a neighbour below the star or a sandbox of others', async () => {
    const other = await serve((_request, response) => response.end('{}'))
    const server = await serve((_request, response) => response.end('{}'))
    const door = doorTo(server.url, { extra: [server.host, other.host] })
    const headers = { Authorization: `Bearer ${token}` }
    for (const url of ['https://neighbour.desk.example/next', `${other.url}/next`, 'https://evil.example/next']) {
      await expect(door.fetch(url, { headers })).rejects.toMatchObject({ code: 'host_refused' })
    }
    expect(other.connections()).toBe(0)
    expect((await door.fetch(`${server.url}/next`, { headers })).status).toBe(200)
  })
})

describe('http.fetch', () => {
  it('gives any status as a standard response', async () => {
    const server = await serve(async (request, response) => {
      response.writeHead(418, { 'set-cookie': ['a=1', 'b=2'], 'content-type': 'text/plain' }).end(await bodyOf(request))
    })
    const response = await doorTo(server.url).fetch(`${server.url}/tea`, {
      method: 'post',
      body: new TextEncoder().encode('té'),
    })
    expect(response.status).toBe(418)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await response.text()).toBe('té')
  })

  it('gives an empty answer without a body', async () => {
    const server = await serve((_request, response) => response.writeHead(204).end())
    expect((await doorTo(server.url).fetch(server.url)).body).toBeNull()
  })
})

describe('rate budgets', () => {
  it('makes 60 calls under a limit of 20 per 0.2 s without one refusal, at most 20 in any window', async () => {
    const arrived: number[] = []
    const server = await serve((_request, response) => {
      const now = performance.now()
      arrived.push(now)
      const used = arrived.filter((time) => time > now - 200).length
      setTimeout(() => reply(response, used > 20 ? 429 : 200, {}), 5)
    })
    const door = doorTo(server.url, { limits: [{ budget: 'default', requests: 20, perSeconds: 0.2 }] })
    await Promise.all(Array.from({ length: 60 }, () => door.json('GET', '/x')))
    expect(arrived).toHaveLength(60)
  })

  it('holds every call of the account after a 429 until the vendor wants it again', async () => {
    const arrived: number[] = []
    const server = await serve((_request, response) => {
      arrived.push(performance.now())
      if (arrived.length === 1) reply(response, 429, {}, { 'retry-after': '0.3' })
      else reply(response, 200, {})
    })
    const door = doorTo(server.url)
    await expect(door.json('POST', '/x')).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 300 })
    await Promise.all([door.json('POST', '/x'), door.json('POST', '/x')])
    expect((arrived[1] ?? 0) - (arrived[0] ?? 0)).toBeGreaterThanOrEqual(299)
  })

  it('names the declared budgets when a connector spends another', async () => {
    const server = await serve((_request, response) => response.end('{}'))
    await expect(doorTo(server.url).json('GET', '/x', { budget: 'search' })).rejects.toThrow('no budget "search"')
  })
})
