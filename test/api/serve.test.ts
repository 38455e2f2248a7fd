import { request as plainRequest } from 'node:http'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bodyLimits } from '#hub/api/json-body.ts'
import { notFound, Problem, ProblemDocument } from '#hub/api/problem.ts'
import { route } from '#hub/api/route.ts'
import { audit } from '#hub/platform/db/audit.ts'
import { testDatabase } from '#kit'
import { cpuTimeMs } from '#kit/cpu-time.ts'
import { startApi, type TestApi, token } from './server.ts'

const database = testDatabase()

const Thing = z.strictObject({
  name: z.string().max(50),
  inner: z.strictObject({ size: z.int().max(10) }).optional(),
  free: z.unknown().optional(),
})
const routes = [
  route({
    id: 'open',
    method: 'GET',
    path: '/open',
    summary: 'for all',
    tag: 'test',
    isPublic: true,
    response: z.strictObject({ ok: z.boolean() }),
    handler: () => ({ ok: true }),
  }),
  route({
    id: 'listThings',
    method: 'GET',
    path: '/things',
    summary: 'list',
    tag: 'test',
    query: z.strictObject({ limit: z.coerce.number<string>().int().max(10).default(5) }),
    response: z.strictObject({ limit: z.int() }),
    handler: (_hub, { query }) => ({ limit: query.limit }),
  }),
  route({
    id: 'createThing',
    method: 'POST',
    path: '/things',
    summary: 'create',
    tag: 'test',
    status: 201,
    body: Thing,
    response: z.strictObject({ name: z.string(), number: z.int() }),
    async handler(hub, { body, actor }) {
      if (body.name === 'taken') throw new Problem('conflict', 'name: is taken', { field: 'name' })
      await audit(hub.db, actor, 'thing.created', body.name)
      const { count } = await hub.db
        .selectFrom('audit')
        .select((q) => q.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return { name: body.name, number: count }
    },
  }),
  route({
    id: 'getThing',
    method: 'GET',
    path: '/things/{id}',
    summary: 'one',
    tag: 'test',
    params: z.strictObject({ id: z.string() }),
    response: z.strictObject({ id: z.string() }),
    handler(_hub, { params }) {
      if (params.id !== 'one') throw notFound()
      return { id: params.id }
    },
  }),
  route({
    id: 'touchThing',
    method: 'POST',
    path: '/things/{id}/touch',
    summary: 'no body',
    tag: 'test',
    params: z.strictObject({ id: z.string() }),
    handler() {},
  }),
  route({
    id: 'breakThing',
    method: 'DELETE',
    path: '/things/{id}',
    summary: 'fails',
    tag: 'test',
    params: z.strictObject({ id: z.string() }),
    handler() {
      throw new Error('password=hunter2 in /srv/secret.ts')
    },
  }),
]

let api: TestApi
beforeAll(async () => {
  api = await startApi(database, routes)
})
beforeEach(() => database.reset())
afterAll(() => api.close())

async function audited(): Promise<number> {
  const rows = await database.db.selectFrom('audit').select('seq').execute()
  return rows.length
}

/** For requests that fetch would mend. */
function raw(
  method: string,
  path: string,
  headers: readonly string[],
  body?: string | Buffer,
): Promise<{ status: number; text: string; allow: string | undefined }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(api.url)
    const outgoing = plainRequest({ hostname, port, path, method, headers: ['host', 'hub', ...headers] }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
          allow: answer.headers.allow,
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
const auth = ['authorization', `Bearer ${token}`]
const json = ['content-type', 'application/json']

describe('who may ask', () => {
  it.each([
    ['none', {}],
    ['another token', { authorization: 'Bearer something-else-entirely' }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['no scheme', { authorization: token }],
    ['another scheme', { authorization: `Basic ${Buffer.from(`admin:${token}`).toString('base64')}` }],
    ['the token and more', { authorization: `Bearer ${token} ${token}` }],
    ['a part of the token', { authorization: `Bearer ${token.slice(0, -1)}` }],
    ['null', { authorization: 'Bearer null' }],
  ])('refuses a request with %s', async (_what, headers) => {
    const response = await fetch(`${api.url}/things`, { headers })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="deskweave"')
    expect(ProblemDocument.parse(await response.json()).code).toBe('unauthorized')
  })

  it('answers public routes without a token, for reading only', async () => {
    expect((await fetch(`${api.url}/open`)).status).toBe(200)
    expect((await fetch(`${api.url}/open`, { method: 'POST' })).status).toBe(401)
  })

  it('does not say whether an address exists to those without a token', async () => {
    const known = await fetch(`${api.url}/things/one`)
    const unknown = await fetch(`${api.url}/nothing`)
    expect([known.status, unknown.status]).toEqual([401, 401])
    expect(await known.text()).toBe(await unknown.text())
  })

  it('does not read the body of a request without a token', async () => {
    const answer = await raw('POST', '/api/v1/things', json, Buffer.alloc(bodyLimits.bytes + 1, ' '))
    expect(answer.status).toBe(401)
  })
})

describe('addresses and methods', () => {
  it('answers the same for an unknown address and an unknown id', async () => {
    const address = await api.ask('GET', '/nothing')
    const id = await api.ask('GET', '/things/two')
    expect([address.status, id.status]).toEqual([404, 404])
    expect(address.body).toEqual(id.body)
  })

  it('names the methods that an address has', async () => {
    const answer = await api.ask('PUT', '/things')
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST')
    expect((await api.ask('OPTIONS', '/things/one')).headers.get('allow')).toBe('GET, HEAD, DELETE')
  })

  it('answers HEAD as GET without a body', async () => {
    const response = await fetch(`${api.url}/things`, { method: 'HEAD', headers: { authorization: `Bearer ${token}` } })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  it.each([
    '/api/v1/things/',
    '/api/v1//things',
    '/api//v1/things',
    '/API/v1/things',
    '/api/V1/things',
    '/api/v1/Things',
    '/api/v1/./things',
    '/api/v1/x/../things',
    '/api/v1/%2e%2e/v1/things',
    '/api/v1/things%2fone',
    '/api/v1/things%5Cone',
    '/api/v1/things%00',
    '/api/v1/things/%E0%A4%A',
    '/api/v1',
    '/api',
    '/api/v2/things',
  ])('has one spelling for each address: %s is none', async (path) => {
    expect((await raw('GET', path, auth)).status).toBe(404)
  })

  it.each(['authorization', 'content-type', 'idempotency-key'])('refuses a repeated %s', async (name) => {
    const value = name === 'authorization' ? `Bearer ${token}` : name === 'content-type' ? 'application/json' : 'k'
    const headers = [...(name === 'authorization' ? [] : auth), ...(name === 'content-type' ? [] : json)]
    const answer = await raw('POST', '/api/v1/things', [...headers, name, value, name, value], '{"name":"a"}')
    expect(answer.status).toBe(400)
    expect(await audited()).toBe(0)
  })

  it('takes the method only from where it belongs', async () => {
    expect((await api.ask('POST', '/things/one', undefined, { 'x-http-method-override': 'DELETE' })).status).toBe(400)
  })
})

describe('bodies', () => {
  const cases: readonly (readonly [what: string, body: string | Buffer, status: number])[] = [
    ['nothing', '', 422],
    ['half of JSON', '{"name":', 400],
    ['two values', '{"name":"a"} {}', 400],
    ['a list', '[]', 422],
    ['a text', '"name"', 422],
    ['null', 'null', 422],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400],
    ['a number for a text', '{"name":1}', 422],
    ['a list for a text', '{"name":["a"]}', 422],
    ['an object for a text', '{"name":{"$ne":null}}', 422],
    ['an unknown field', '{"name":"a","role":"admin"}', 422],
    ['an unknown field inside', '{"name":"a","inner":{"size":1,"workspace_id":"other"}}', 422],
    ['a number too large', '{"name":"a","inner":{"size":1e99}}', 422],
    ['a prototype', '{"name":"a","__proto__":{"admin":true}}', 400],
    ['a prototype far inside', '{"name":"a","free":[{"constructor":{}}]}', 400],
    ['the character 0', '{"name":"a\\u0000b"}', 400],
    ['half of a surrogate pair', '{"name":"\\ud800"}', 400],
    ['100,000 levels of lists', `{"name":"a","free":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400],
    ['100,000 levels of objects', `${'{"free":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 400],
    ['60,000 fields', `{${Array.from({ length: 60_000 }, (_, n) => `"k${n}":1`).join(',')}}`, 400],
    ['a hundred thousand values', `{"name":"a","free":[${'0,'.repeat(100_000)}0]}`, 400],
    ['one byte too many', `{"name":"${'x'.repeat(bodyLimits.bytes)}"}`, 413],
  ]
  it.each(cases)('refuses %s and changes nothing', async (_what, body, status) => {
    const startedMs = cpuTimeMs()
    const answer = await raw('POST', '/api/v1/things', [...auth, ...json], body)
    expect(answer.status).toBe(status)
    expect(ProblemDocument.parse(JSON.parse(answer.text)).status).toBe(status)
    expect(answer.text).not.toContain('node_modules')
    expect(await audited()).toBe(0)
    expect(cpuTimeMs() - startedMs).toBeLessThan(1_000)
  })

  it('names the field that is wrong', async () => {
    const unknown = await api.ask('POST', '/things', { name: 'a', inner: { size: 1, colour: 'red' } })
    expect(unknown.body).toMatchObject({ code: 'invalid', field: 'inner.colour' })
    const wrong = await api.ask('POST', '/things', { name: 'a', inner: { size: 'big' } })
    expect(wrong.body).toMatchObject({ status: 422, title: 'Unprocessable Entity', field: 'inner.size' })
  })

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['application/json; charset=latin1'],
    ['application/json, text/plain'],
    ['application/merge-patch+json'],
    ['multipart/form-data; boundary=x'],
  ])('refuses a body of type %s', async (type) => {
    const answer = await raw('POST', '/api/v1/things', [...auth, 'content-type', type], '{"name":"a"}')
    expect(answer.status).toBe(415)
    expect(await audited()).toBe(0)
  })

  it('refuses a body without a type and one that is packed', async () => {
    expect((await raw('POST', '/api/v1/things', auth, '{"name":"a"}')).status).toBe(415)
    const packed = await raw('POST', '/api/v1/things', [...auth, ...json, 'content-encoding', 'gzip'], '{"name":"a"}')
    expect(packed.status).toBe(415)
  })

  it('takes UTF-8 when it is named', async () => {
    const type = 'application/json; charset=utf-8'
    const answer = await api.ask('POST', '/things', { name: 'ñandú' }, { 'content-type': type })
    expect([answer.status, answer.body['name']]).toEqual([201, 'ñandú'])
  })

  it('takes no body, or an empty object, where none belongs', async () => {
    expect((await api.ask('POST', '/things/one/touch')).status).toBe(204)
    expect((await api.ask('POST', '/things/one/touch', {})).status).toBe(204)
    expect((await api.ask('POST', '/things/one/touch', { all: true })).status).toBe(422)
  })
})

describe('queries', () => {
  it.each([
    ['an unknown parameter', '?offset=3', 'offset'],
    ['a repeated parameter', '?limit=1&limit=2', 'limit'],
    ['a list', '?limit[]=1', 'limit[]'],
    ['no number', '?limit=many', 'limit'],
    ['a number out of range', '?limit=11', 'limit'],
    ['a prototype', '?__proto__=1', '__proto__'],
  ])('refuses %s and names it', async (_what, query, field) => {
    const answer = await api.ask('GET', `/things${query}`)
    expect(answer.status).toBe(422)
    expect(answer.body).toMatchObject({ code: 'invalid', field })
  })

  it('refuses what the database could not hold', async () => {
    expect((await api.ask('GET', '/things?limit=%00')).status).toBe(400)
  })
})

describe('failures', () => {
  it('tells a client nothing about the inside, and the log everything', async () => {
    const answer = await api.ask('DELETE', '/things/one')
    expect(answer.status).toBe(500)
    expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|secret\.ts/)
    const line = api.lines.find(({ message }) => message === 'api request failed')
    expect(line?.data).toMatchObject({ request_id: answer.headers.get('x-request-id'), route: '/things/{id}' })
  })

  it('answers 503 while the database cannot be reached', async () => {
    const failing = route({
      id: 'down',
      method: 'GET',
      path: '/down',
      summary: 'fails',
      tag: 'test',
      handler() {
        throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      },
    })
    const other = await startApi(database, [failing])
    const answer = await other.ask('GET', '/down')
    await other.close()
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30'])
  })

  it('keeps bodies and tokens out of the log', async () => {
    await api.ask('POST', '/things', { name: 'a-name-to-look-for' })
    const text = JSON.stringify(api.lines)
    expect(text).toContain('/things')
    expect(text).not.toContain('a-name-to-look-for')
    expect(text).not.toContain(token)
  })

  it('sets the headers that keep browsers out', async () => {
    const { headers } = await api.ask('GET', '/things')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=/)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('idempotency keys', () => {
  it('gives 100 requests at once one effect and one answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => api.ask('POST', '/things', { name: 'a' }, { 'idempotency-key': 'once' })),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(answers.map(({ body }) => body['number']))).toEqual(new Set([1]))
    expect(await audited()).toBe(1)
  })

  it('gives a second process the answer of the first', async () => {
    const first = await api.ask('POST', '/things', { name: 'a' }, { 'idempotency-key': 'k' })
    const other = await startApi(database, routes)
    const second = await other.ask('POST', '/things', { name: 'a' }, { 'idempotency-key': 'k' })
    await other.close()
    expect([second.status, second.body]).toEqual([first.status, first.body])
    expect(await audited()).toBe(1)
  })

  it('refuses a key that was used for something else', async () => {
    await api.ask('POST', '/things', { name: 'a' }, { 'idempotency-key': 'k' })
    const body = await api.ask('POST', '/things', { name: 'b' }, { 'idempotency-key': 'k' })
    const path = await api.ask('POST', '/things/one/touch', undefined, { 'idempotency-key': 'k' })
    expect([body.status, path.status]).toEqual([409, 409])
    expect(body.body['field']).toBe('Idempotency-Key')
    expect(await audited()).toBe(1)
  })

  it('frees the key of a request that was refused', async () => {
    const refused = await api.ask('POST', '/things', { name: 'taken' }, { 'idempotency-key': 'k' })
    const better = await api.ask('POST', '/things', { name: 'free' }, { 'idempotency-key': 'k' })
    expect([refused.status, better.status]).toEqual([409, 201])
  })

  it('keeps answers sealed, since they may hold a secret', async () => {
    await api.ask('POST', '/things', { name: 'a-name-to-look-for' }, { 'idempotency-key': 'k' })
    const rows = await database.db.selectFrom('api_idempotency').selectAll().execute()
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain('a-name-to-look-for')
  })

  it('forgets a key after 24 hours', async () => {
    await api.ask('POST', '/things', { name: 'a' }, { 'idempotency-key': 'k' })
    await sql`update api_idempotency set created_at = now() - interval '25 hours'`.execute(database.db)
    const later = await api.ask('POST', '/things', { name: 'b' }, { 'idempotency-key': 'k' })
    expect([later.status, await audited()]).toEqual([201, 2])
  })

  it('goes on where a process died in the middle', async () => {
    await api.ask('POST', '/things', { name: 'a' }, { 'idempotency-key': 'k' })
    await sql`update api_idempotency set status = 0, created_at = now() - interval '2 minutes'`.execute(database.db)
    const again = await api.ask('POST', '/things', { name: 'a' }, { 'idempotency-key': 'k' })
    expect([again.status, await audited()]).toEqual([201, 2])
  })

  it.each(['', 'k'.repeat(256), 'two words'])('refuses the key "%s"', async (key) => {
    const answer = await raw('POST', '/api/v1/things', [...auth, ...json, 'idempotency-key', key], '{"name":"a"}')
    expect(answer.status).toBe(422)
  })
})
