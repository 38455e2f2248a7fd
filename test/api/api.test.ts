import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openApiDocument } from '#hub/api/openapi.ts'
import { ProblemDocument } from '#hub/api/problem.ts'
import { routes } from '#hub/api/routes.ts'
import { suppress } from '#hub/outbox/index.ts'
import { fakeClock, testDatabase } from '#kit'
import { type LegacyDeskSandbox, startSandbox } from '../../connectors/desk/sandbox.ts'
import { ana, caseOf, connectDesk, leo, messageOf, tell } from './seed.ts'
import { startApi, type TestApi } from './server.ts'

const database = testDatabase()
const clock = fakeClock()
let api: TestApi
/** A desk that answers the hub. */
let desk: LegacyDeskSandbox
beforeAll(async () => {
  desk = await startSandbox({ now: clock.now })
  api = await startApi(database, routes, { clock, extraHosts: [new URL(desk.url).host] })
})
beforeEach(async () => {
  await database.reset()
  api.hub.signals.raise('rules')
})
afterAll(async () => {
  await api.close()
  await desk.close()
})

/** Asks, and holds the answer against the schema that the route declares. */
async function ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await api.ask(method, path, body)
  const [bare = ''] = path.split('?')
  const route = routes.find((one) => one.method === method && patternOf(one.path).test(bare))
  if (!route) throw new Error(`no route ${method} ${path}`)
  if (answer.status >= 400) throw new Error(`${method} ${path} answered ${JSON.stringify(answer.body)}`)
  expect(answer.status).toBe(route.response ? (route.status ?? 200) : 204)
  if (route.response) route.response.parse(answer.body)
  return answer.body
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)
}

async function list(path: string): Promise<Record<string, unknown>[]> {
  const { data } = await ask('GET', path)
  return z.array(z.record(z.string(), z.unknown())).parse(data)
}

async function idOf(path: string): Promise<string> {
  const [first] = await list(path)
  return z.object({ id: z.string() }).parse(first).id
}

async function acts(): Promise<readonly string[]> {
  const rows = await database.db.selectFrom('audit').select('act').orderBy('seq').execute()
  return rows.map(({ act }) => act)
}

const rule = {
  id: 'urgent',
  name: 'Urgent first',
  on: ['case.created', 'case.updated'],
  if: { field: 'case.priority', is: 'urgent' },
  then: [{ tag: { add: ['first'] } }],
  mode: 'on',
}
describe('every route', () => {
  const addresses = routes.map(({ method, path }) => [method, path.replace(/\{\w+\}/g, '17')] as const)

  it.each(addresses.filter(([, path]) => path !== '/openapi.json'))('%s %s needs a token', async (method, path) => {
    for (const headers of [{}, { authorization: 'Bearer garbage-garbage-garbage' }]) {
      const response = await fetch(api.url + path, { method, headers })
      expect(response.status).toBe(401)
      expect(ProblemDocument.parse(await response.json()).code).toBe('unauthorized')
    }
  })

  const writing = routes.filter(({ body }) => body !== undefined)
  const free = new Set(['createRule', 'putRule', 'validateRule', 'putSurvey'])
  it.each(writing.map(({ id, method, path }) => [id, method, path] as const))(
    '%s refuses extra and wrongly typed fields',
    async (id, method, path) => {
      const address = path.replace(/\{\w+\}/g, '17')
      for (const extra of ['role', 'workspace_id', 'is_admin', 'secret', 'token', 'actor', 'sealed']) {
        const answer = await api.ask(method, address, { [extra]: 'x' })
        if (id === 'validateRule') expect(answer.body['valid']).toBe(false)
        else expect([answer.status, answer.body['code']]).toEqual([422, 'invalid'])
      }
      for (const body of [[], 'text', 7, true, null, [{}]]) {
        const answer = await api.ask(method, address, JSON.stringify(body))
        expect([answer.status, answer.body['code']]).toEqual([422, 'invalid'])
      }
      if (!free.has(id)) expect(await acts()).toEqual([])
    },
  )

  const reading = routes.filter(({ method }) => method === 'GET')
  it.each(reading.map(({ path }) => path.replace(/\{\w+\}/g, '17')))(
    'GET %s refuses unknown parameters',
    async (path) => {
      const { status, body } = await api.ask('GET', `${path}?nonsense=1`)
      expect([status, body['field']]).toEqual([422, 'nonsense'])
    },
  )

  const withId = routes.filter(({ path, body }) => path.includes('{') && body === undefined)
  it.each(withId.map(({ method, path }) => [method, path] as const))(
    '%s %s answers 404 to a stranger id',
    async (method, path) => {
      const query = path.endsWith('/why') && path.startsWith('/profiles') ? '?trait=plan' : ''
      for (const id of ['nobody', '999999', '-1', '1e3', "'; drop table cases --", 'x'.repeat(300)]) {
        const { status } = await api.ask(method, path.replace(/\{\w+\}/g, encodeURIComponent(id)) + query)
        expect(status).toBe(404)
      }
    },
  )

  it.each(routes.filter(({ query }) => 'cursor' in query.shape).map(({ path }) => path.replace(/\{\w+\}/g, '17')))(
    'GET %s refuses cursors that it did not give',
    async (path) => {
      const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      for (const cursor of [
        'x',
        '!',
        made([]),
        made({}),
        made(['a', 'b', 'c']),
        made([1e300, 'x']),
        made([null]),
        made([['a']]),
      ]) {
        const { status, body } = await api.ask('GET', `${path}?cursor=${cursor}`)
        expect([status, body['field']]).toEqual([422, 'cursor'])
      }
    },
  )
})

describe('the OpenAPI document', () => {
  const document = z
    .object({
      openapi: z.literal('3.1.0'),
      paths: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))),
      components: z.object({
        schemas: z.record(z.string(), z.unknown()),
        securitySchemes: z.record(z.string(), z.unknown()),
      }),
    })
    .parse(openApiDocument())
  const text = JSON.stringify(document)

  it('describes every route and nothing else', () => {
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} /api/v1${path}`).sort())
  })

  it('has a line for each route in docs/api.md, and docs/api.md no other', () => {
    const lines = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8').matchAll(
      /^\| `((?:GET|POST|PUT|PATCH|DELETE) \S+)`/gm,
    )
    const told = [...lines].map(([, line]) => line)
    expect(told.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort())
  })

  it('holds every schema that it names', () => {
    const named = new Set([...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref = '']) => ref))
    for (const ref of named) {
      expect(ref).toMatch(/^#\/components\/schemas\/\w+$/)
      expect(Object.keys(document.components.schemas)).toContain(ref.split('/').at(-1))
    }
    expect(text).not.toContain('$defs')
    expect(text).not.toContain('$id')
  })

  it('gives each operation a name of its own, its parameters, its answer and its problems', () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.values(item).map((operation) => ({ path, operation: Operation.parse(operation) })),
    )
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
      const answers = Object.keys(operation.responses)
      expect(answers.some((status) => status.startsWith('2'))).toBe(true)
      expect(answers).toContain('422')
      if (operation.security === undefined) expect(answers).toContain('401')
    }
  })

  it('is answered without a token, as it is written', async () => {
    const response = await fetch(`${api.url}/openapi.json`)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument())))
  })
})
const Operation = z.object({
  operationId: z.string(),
  summary: z.string().min(3),
  parameters: z.array(z.object({ name: z.string(), in: z.enum(['path', 'query', 'header']), schema: z.object({}) })),
  responses: z.record(z.string(), z.unknown()),
  security: z.array(z.unknown()).optional(),
})

describe('connections', () => {
  it('shows the webhook secret once, and no secret ever again', async () => {
    const config = z.object({ answers_url: z.string(), answers_secret: z.string() }).parse(desk.config)
    const created = await ask('POST', '/connections', { connector: 'desk', name: 'Desk', config })
    const { secret } = z.object({ secret: z.string() }).parse(created['webhook'])
    expect(secret).toMatch(/^whsec_/)
    const id = String(created['id'])
    await ask('PATCH', `/connections/${id}`, { name: 'Old desk' })
    const later = JSON.stringify([
      await ask('GET', `/connections/${id}`),
      await list('/connections'),
      await list('/audit'),
    ])
    expect(later).toContain(config.answers_url)
    for (const hidden of [secret, secret.slice(6), config.answers_secret, config.answers_secret.slice(6)]) {
      expect(later).not.toContain(hidden)
    }
    expect(JSON.stringify(api.lines)).not.toContain(secret.slice(6))
  })

  it('names what is wrong with the settings', async () => {
    const wrong = await api.ask('POST', '/connections', { connector: 'desk', name: 'D', config: { answers_url: 'x' } })
    expect([wrong.status, wrong.body['field']]).toEqual([422, 'config.answers_url'])
    const unknown = await api.ask('POST', '/connections', { connector: 'acme', name: 'D', config: {} })
    expect([unknown.status, unknown.body['field']]).toEqual([422, 'connector'])
    await connectDesk(api, 'Desk')
    const taken = await api.ask('POST', '/connections', { connector: 'desk', name: 'Desk', config: {} })
    expect([taken.status, taken.body['field']]).toEqual([409, 'name'])
  })

  it('pauses, resumes, rotates and removes, and writes down who did', async () => {
    const { connectionId, webhookSecret } = await connectDesk(api)
    expect(await ask('PATCH', `/connections/${connectionId}`, { status: 'paused' })).toMatchObject({ status: 'paused' })
    expect(await ask('PATCH', `/connections/${connectionId}`, { status: 'connected' })).toMatchObject({
      status: 'connected',
    })
    const rotated = await ask('POST', `/connections/${connectionId}/rotate-secret`)
    expect(rotated['secret']).not.toBe(webhookSecret)
    const weak = await api.ask('POST', `/connections/${connectionId}/rotate-secret`, { new_secret: 'aaaa' })
    expect([weak.status, weak.body['field']]).toEqual([422, 'new_secret'])
    await ask('DELETE', `/connections/${connectionId}`)
    expect(await list('/connections')).toEqual([])
    const entries = await list('/audit?actor=admin')
    expect(entries).toHaveLength((await acts()).length)
    expect(entries.map(({ act }) => act)).toEqual(
      expect.arrayContaining(['connection.installed', 'connection.secret_rotated', 'connection.removed']),
    )
  })

  it('connects once, however often the request is sent', async () => {
    const body = { connector: 'desk', name: 'Desk', config: {} }
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => api.ask('POST', '/connections', body, { 'idempotency-key': 'install-1' })),
    )
    expect(new Set(answers.map(({ body: { id } }) => id)).size).toBe(1)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(await list('/connections')).toHaveLength(1)
  })

  it('reads a connection when asked to', async () => {
    const { connectionId } = await connectDesk(api)
    expect(await ask('POST', `/connections/${connectionId}/reconcile`, {})).toEqual({ read: 0 })
    await ask('PATCH', `/connections/${connectionId}`, { status: 'paused' })
    expect((await api.ask('POST', `/connections/${connectionId}/reconcile`)).status).toBe(409)
  })
})

describe('cases', () => {
  it('finds a case by its id in the desk and tells where everything came from', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(api, connectionId, [
      caseOf('T-1', { requester: ana, custom: { colour: 'red' }, url: 'https://desk.example/T-1' }),
    ])
    await tell(api, connectionId, [
      messageOf('M-1', 'T-1', 'Where is it?'),
      messageOf('M-2', 'T-1', 'Between us', { visibility: 'internal' }),
    ])
    const [found] = await list(`/cases?link=${connectionId}:T-1`)
    expect(found).toMatchObject({
      subject: 'Case T-1',
      requester: { name: 'Ana García' },
      links: [{ connection_id: connectionId, external_id: 'T-1', url: 'https://desk.example/T-1', deleted_at: null }],
      custom: { colour: 'red' },
    })
    const id = String(found?.['id'])
    expect(await ask('GET', `/cases/${id}`)).toEqual(found)
    const messages = await list(`/cases/${id}/messages`)
    expect(messages.map(({ text, visibility }) => [text, visibility])).toEqual(
      expect.arrayContaining([
        ['Where is it?', 'public'],
        ['Between us', 'internal'],
      ]),
    )
    expect(await list(`/cases/${id}/messages?visibility=public`)).toHaveLength(1)
    const why = await ask('GET', `/cases/${id}/why`)
    expect(why['fields']).toContainEqual({
      field: 'custom.colour',
      value: 'red',
      at: expect.any(String),
      source: { kind: 'connection', connection_id: connectionId, record: 'T-1' },
    })
    expect(
      z
        .array(z.looseObject({ type: z.string() }))
        .parse(why['events'])
        .map(({ type }) => type),
    ).toContain('case.created')
    expect(await list(`/cases?link=${connectionId}:T-9`)).toEqual([])
  })

  it('filters by status and by a person, also one that was merged', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(api, connectionId, [
      caseOf('T-1', { requester: ana }),
      caseOf('T-2', { requester: leo, status: 'solved' }),
      caseOf('T-3', { requester: leo }),
    ])
    const subjects = async (query: string) => (await list(`/cases?${query}`)).map(({ subject }) => subject).sort()
    expect(await subjects('status=solved')).toEqual(['Case T-2'])
    const anaId = await idOf('/profiles?identity=email:ana@acme.example')
    const leoId = await idOf('/profiles?identity=email:leo@other.example')
    expect(await subjects(`requester=${anaId}`)).toEqual(['Case T-1'])
    await ask('POST', `/profiles/${anaId}/merge`, { with: leoId })
    expect(await subjects(`requester=${leoId}`)).toEqual(['Case T-1', 'Case T-2', 'Case T-3'])
  })

  it('pages without gaps and repetitions while cases come in', async () => {
    const { connectionId } = await connectDesk(api)
    const ids = Array.from({ length: 25 }, (_, n) => `T-${n}`)
    await tell(
      api,
      connectionId,
      ids.map((id) => caseOf(id)),
    )
    const seen: unknown[] = []
    let cursor: string | null = null
    let round = 0
    do {
      const { data, next } = await ask('GET', `/cases?limit=4${cursor ? `&cursor=${cursor}` : ''}`)
      seen.push(
        ...z
          .array(z.looseObject({ subject: z.string() }))
          .parse(data)
          .map(({ subject }) => subject),
      )
      cursor = z.string().nullable().parse(next)
      round += 1
      await tell(api, connectionId, [caseOf(`new-${round}`, {}, '2026-11-22T09:30:00Z')])
    } while (cursor)
    expect(seen.filter((subject) => !String(subject).includes('new')).sort()).toEqual(
      ids.map((id) => `Case ${id}`).sort(),
    )
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('lets a client follow changes without missing a case that changes meanwhile', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(
      api,
      connectionId,
      ['T-1', 'T-2', 'T-3'].map((id) => caseOf(id)),
    )
    const first = await ask('GET', '/cases?limit=2&updated_since=2026-11-22T00:00:00%2B01:00')
    await tell(api, connectionId, [caseOf('T-3', { status: 'pending' }, '2026-11-22T09:45:00Z')])
    const second = await ask('GET', `/cases?limit=2&updated_since=2026-11-22T00:00:00%2B01:00&cursor=${first['next']}`)
    const seen = z
      .array(z.looseObject({ subject: z.string(), status: z.string() }))
      .parse([...z.array(z.unknown()).parse(first['data']), ...z.array(z.unknown()).parse(second['data'])])
    expect(seen.at(-1)).toMatchObject({ subject: 'Case T-3', status: 'pending' })
    expect(new Set(seen.map(({ subject }) => subject)).size).toBe(3)
  })

  it('changes a case here and tells the desk, with the person who did it', async () => {
    const { connectionId } = await connectDesk(api, 'Desk', desk.config)
    await tell(api, connectionId, [caseOf('T-1', { requester: ana })])
    const id = await idOf(`/cases?link=${connectionId}:T-1`)
    const change = {
      status: 'pending',
      priority: 'high',
      tags: ['b', 'a', 'b'],
      assignee: { email: 'leo@desk.example' },
      custom: { colour: 'blue' },
    }
    expect(await ask('PATCH', `/cases/${id}`, change)).toMatchObject({
      status: 'pending',
      priority: 'high',
      tags: ['a', 'b'],
      assignee: { email: 'leo@desk.example' },
      custom: { colour: 'blue' },
    })
    const [delivery] = await list(`/deliveries?case=${id}`)
    expect(delivery).toMatchObject({
      state: 'pending',
      lane: connectionId,
      action: { type: 'case.update' },
      cause: { actor: 'admin' },
    })
    const why = await ask('GET', `/cases/${id}/why`)
    expect(why['fields']).toContainEqual(
      expect.objectContaining({ field: 'status', value: 'pending', source: { kind: 'person', name: 'admin' } }),
    )
    expect(await acts()).toContain('case.changed')
    expect((await api.ask('PATCH', '/cases/nobody', { status: 'open' })).status).toBe(404)
    expect((await api.ask('PATCH', `/cases/${id}`, {})).status).toBe(422)
  })

  it('adds a note, internal unless a reply was asked for', async () => {
    const { connectionId } = await connectDesk(api, 'Desk', desk.config)
    await tell(api, connectionId, [caseOf('T-1', { requester: ana })])
    const id = await idOf(`/cases?link=${connectionId}:T-1`)
    expect(await ask('POST', `/cases/${id}/messages`, { text: 'Between us' })).toMatchObject({ visibility: 'internal' })
    const [message] = await list(`/cases/${id}/messages`)
    expect(message).toMatchObject({
      text: 'Between us',
      visibility: 'internal',
      external_id: null,
      author: { kind: 'agent', name: 'admin' },
    })
    expect((await api.ask('POST', '/cases/nobody/messages', { text: 'x' })).status).toBe(404)
    expect((await api.ask('POST', `/cases/${id}/messages`, { text: 'x', visibility: 'secret' })).status).toBe(422)
  })

  it('writes where the case still is, not where it was deleted', async () => {
    const gone = (await connectDesk(api, 'Old desk')).connectionId
    const there = (await connectDesk(api, 'New desk')).connectionId
    await tell(api, gone, [caseOf('T-1')])
    const id = await idOf(`/cases?link=${gone}:T-1`)
    await database.db
      .insertInto('case_links')
      .values({
        connection_id: there,
        external_id: 'N-1',
        case_id: id,
        base: '[]',
        created_at: new Date(),
        updated_at: new Date(),
      })
      .execute()
    const link = (connectionId: string) =>
      database.db.updateTable('case_links').set({ deleted_at: new Date() }).where('connection_id', '=', connectionId)
    await link(gone).execute()
    await ask('POST', `/cases/${id}/messages`, { text: 'Between us' })
    await ask('PATCH', `/cases/${id}`, { priority: 'urgent' })
    const told = await database.db.selectFrom('outbox').select(['connection_id', 'action']).orderBy('seq').execute()
    expect(told.map((entry) => [entry.connection_id, entry.action])).toEqual([
      [there, expect.objectContaining({ type: 'case.message', externalId: 'N-1' })],
      [there, expect.objectContaining({ type: 'case.update', externalId: 'N-1' })],
    ])
    await link(there).execute()
    expect((await api.ask('POST', `/cases/${id}/messages`, { text: 'x' })).status).toBe(409)
  })

  it('says so when no tool takes messages', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(api, connectionId, [caseOf('T-1')])
    const id = await idOf(`/cases?link=${connectionId}:T-1`)
    await ask('DELETE', `/connections/${connectionId}`)
    expect((await api.ask('POST', `/cases/${id}/messages`, { text: 'x' })).status).toBe(409)
  })
})

describe('profiles', () => {
  it('finds a person by any identity, with the source of every value', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(api, connectionId, [caseOf('T-1', { requester: ana })])
    for (const identity of ['email:ANA@acme.example', 'phone:+34 600 111 222', `${connectionId}:U-1`]) {
      const [profile, ...others] = await list(`/profiles?identity=${encodeURIComponent(identity)}`)
      expect(others).toEqual([])
      expect(profile).toMatchObject({ name: 'Ana García', open_cases: 1, company: { name: 'Acme' } })
      expect(profile?.['traits']).toMatchObject({
        plan: { value: 'pro', source: { connection_id: connectionId, record: 'U-1' } },
      })
    }
    expect(await list('/profiles?identity=email:nobody@acme.example')).toEqual([])
    expect(await list('/profiles?q=garc')).toHaveLength(1)
    expect(await list('/profiles?q=leo')).toEqual([])
    expect((await api.ask('GET', '/profiles?q=a&identity=email:a@b.example')).status).toBe(422)
    const id = await idOf('/profiles')
    expect(await ask('GET', `/profiles/${id}/why?trait=plan`)).toMatchObject({
      value: 'pro',
      rule_id: null,
      merges: [],
    })
    expect((await api.ask('GET', `/profiles/${id}/why?trait=shoe_size`)).status).toBe(404)
    expect(await list('/companies?domain=acme.example')).toHaveLength(1)
    expect(await ask('GET', `/companies/${await idOf('/companies')}`)).toMatchObject({
      people: 1,
      records: [{ external_id: 'C-1' }],
    })
  })

  it('pages profiles by the size that was asked for', async () => {
    const { connectionId } = await connectDesk(api)
    const people = Array.from({ length: 7 }, (_, n) => ({
      id: `P-${n}`,
      name: `Person ${n}`,
      emails: [`p${n}@x.example`],
    }))
    await tell(
      api,
      connectionId,
      people.map((person) => ({ type: 'person', occurred_at: '2026-11-22T09:00:00Z', person })),
    )
    const names: unknown[] = []
    let cursor: unknown = null
    do {
      const page = await ask('GET', `/profiles?limit=3${cursor ? `&cursor=${cursor}` : ''}`)
      const data = z.array(z.looseObject({ name: z.string() })).parse(page['data'])
      expect(data.length).toBeLessThanOrEqual(3)
      names.push(...data.map(({ name }) => name))
      cursor = page['next']
    } while (cursor)
    expect(names.sort()).toEqual(people.map(({ name }) => name))
  })

  it('merges and parts two profiles, and tells both as they are', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(api, connectionId, [caseOf('T-1', { requester: ana }), caseOf('T-2', { requester: leo })])
    const anaId = await idOf('/profiles?identity=email:ana@acme.example')
    const leoId = await idOf('/profiles?identity=email:leo@other.example')
    const before = await Promise.all([ask('GET', `/profiles/${anaId}`), ask('GET', `/profiles/${leoId}`)])
    const merged = await ask('POST', `/profiles/${leoId}/merge`, { with: anaId, reason: 'same person' })
    expect(await list('/profiles')).toHaveLength(1)
    expect((await api.ask('POST', `/profiles/${leoId}/merge`, { with: anaId })).status).toBe(409)
    expect(await list('/events?type=profile.merged')).toMatchObject([{ actor: { kind: 'person', name: 'admin' } }])
    const wrong = await api.ask('POST', `/profiles/${anaId}/unmerge`, { merge_id: 'other' })
    expect([wrong.status, wrong.body['field']]).toEqual([422, 'merge_id'])
    await ask('POST', `/profiles/${leoId}/unmerge`, { merge_id: merged['merge_id'] })
    const after = await Promise.all([ask('GET', `/profiles/${anaId}`), ask('GET', `/profiles/${leoId}`)])
    expect(after.map(({ merges: _, ...profile }) => profile)).toEqual(
      before.map(({ merges: _, ...profile }) => profile),
    )
    expect((await api.ask('POST', `/profiles/${anaId}/unmerge`, { merge_id: merged['merge_id'] })).status).toBe(409)
    expect(await acts()).toEqual(expect.arrayContaining(['profile.merged', 'profile.unmerged']))
  })

  it('shows everything around a person over all tools, newest first and page by page', async () => {
    const first = await connectDesk(api, 'One')
    const second = await connectDesk(api, 'Two')
    await tell(api, first.connectionId, [caseOf('T-1', { requester: ana })])
    await tell(api, first.connectionId, [messageOf('M-1', 'T-1', 'Hello', { sent_at: '2026-11-22T09:01:00Z' })])
    await tell(api, second.connectionId, [caseOf('X-1', { requester: { ...ana, id: 'Z-9' } }, '2026-11-22T09:02:00Z')])
    await tell(api, second.connectionId, [caseOf('X-2', { requester: leo }, '2026-11-22T09:03:00Z')])
    const id = await idOf('/profiles?identity=email:ana@acme.example')
    const all = await list(`/profiles/${id}/timeline?limit=200`)
    expect(all.map(({ at }) => at)).toEqual(
      all
        .map(({ at }) => at)
        .sort()
        .reverse(),
    )
    expect(all.filter(({ kind }) => kind === 'message')).toMatchObject([{ message: { text: 'Hello' } }])
    expect(JSON.stringify(all)).not.toContain('X-2')
    const paged: unknown[] = []
    let cursor: unknown = null
    do {
      const page = await ask('GET', `/profiles/${id}/timeline?limit=1${cursor ? `&cursor=${cursor}` : ''}`)
      paged.push(...z.array(z.unknown()).parse(page['data']))
      cursor = page['next']
    } while (cursor)
    expect(paged).toEqual(all)
  })

  it('asks about likely duplicates and takes the answer', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(api, connectionId, [caseOf('T-1', { requester: ana }), caseOf('T-2', { requester: leo })])
    const [a, b] = [await idOf('/profiles?q=ana'), await idOf('/profiles?q=leo')].sort()
    const suggest = async (id: string) =>
      database.db
        .insertInto('merge_suggestions')
        .values({ id, profile_a: a ?? '', profile_b: b ?? '', reason: 'limit', evidence: '{}', created_at: new Date() })
        .execute()
    await suggest('sug_1')
    expect(await list('/merge-suggestions')).toMatchObject([{ id: 'sug_1', reason: 'limit' }])
    await ask('POST', '/merge-suggestions/sug_1/dismiss')
    expect(await list('/merge-suggestions')).toEqual([])
    expect((await api.ask('POST', '/merge-suggestions/sug_1/accept')).status).toBe(409)
    await database.db.deleteFrom('merge_suggestions').execute()
    await suggest('sug_2')
    await ask('POST', '/merge-suggestions/sug_2/accept')
    expect(await list('/profiles')).toHaveLength(1)
  })
})

describe('rules', () => {
  it('keeps versions in words, and brings earlier ones back', async () => {
    await ask('POST', '/rules', rule)
    expect((await api.ask('POST', '/rules', rule)).status).toBe(409)
    expect(await ask('PUT', '/rules/urgent', { ...rule, mode: 'off' })).toMatchObject({
      version: 2,
      mode: 'off',
      source: 'api',
      author: 'admin',
    })
    const versions = await list('/rules/urgent/versions')
    expect(versions.map(({ version, current }) => [version, current])).toEqual([
      [2, true],
      [1, false],
    ])
    expect(JSON.stringify(versions[0]?.['changes'])).toContain('off')
    expect(await ask('POST', '/rules/urgent/rollback', { version: 1 })).toMatchObject({ version: 3, mode: 'on' })
    expect((await api.ask('POST', '/rules/urgent/rollback', { version: 9 })).status).toBe(404)
    await ask('DELETE', '/rules/urgent')
    expect((await api.ask('GET', '/rules/urgent')).status).toBe(404)
    expect(await list('/rules')).toEqual([])
    expect(await acts()).toEqual(['rule.saved', 'rule.saved', 'rule.rolled_back', 'rule.removed'])
  })

  it('names the place of a mistake', async () => {
    const broken = { ...rule, if: { all: [{ field: 'case.priorty', is: 'urgent' }] } }
    const refused = await api.ask('POST', '/rules', broken)
    expect([refused.status, refused.body['field']]).toEqual([422, 'if.all[0].field'])
    expect(refused.body['detail']).toContain('case.priority')
    expect(await ask('POST', '/rules/validate', broken)).toMatchObject({
      valid: false,
      problems: [{ field: 'if.all[0].field' }],
    })
    expect(await ask('POST', '/rules/validate', rule)).toEqual({ valid: true, problems: [] })
    const other = await api.ask('PUT', '/rules/other', rule)
    expect([other.status, other.body['field']]).toEqual([422, 'id'])
  })

  it('acts on the next case as soon as it is saved, and explains itself', async () => {
    const { connectionId } = await connectDesk(api)
    await ask('PUT', '/rules/urgent', rule)
    await tell(api, connectionId, [caseOf('T-1', { priority: 'urgent' }), caseOf('T-2', { priority: 'low' })])
    const [urgent, low] = [await idOf(`/cases?link=${connectionId}:T-1`), await idOf(`/cases?link=${connectionId}:T-2`)]
    expect(await ask('GET', `/cases/${urgent}`)).toMatchObject({ tags: ['first'] })
    expect(await ask('GET', `/cases/${urgent}/why`)).toMatchObject({
      rule_runs: expect.arrayContaining([expect.objectContaining({ rule_id: 'urgent', result: 'matched' })]),
    })
    expect(await ask('POST', '/rules/urgent/explain', { case_id: urgent })).toMatchObject({
      result: 'matched',
      rule_id: 'urgent',
    })
    const not = await ask('POST', '/rules/urgent/explain', { case_id: low })
    expect(not).toMatchObject({ result: 'not_matched' })
    expect(not['reason']).toContain('priority')
    const nobody = await api.ask('POST', '/rules/urgent/explain', { case_id: 'nobody' })
    expect([nobody.status, nobody.body['field']]).toEqual([422, 'case_id'])
  })
})

describe('ledgers', () => {
  it('shows what arrived byte for byte, and works it again', async () => {
    const { connectionId } = await connectDesk(api)
    const inbox = {
      connection_id: connectionId,
      source: 'webhook',
      state: 'quarantined',
      reason: 'not readable',
    } as const
    const bytes = Buffer.from([0xff, 0x00, 0x7b])
    await database.db
      .insertInto('inbox')
      .values([
        { ...inbox, dedupe_key: 'a', body: Buffer.from('{"é":1}') },
        { ...inbox, dedupe_key: 'b', body: bytes },
      ])
      .execute()
    const rows = await list('/inbox?state=quarantined')
    expect(rows.map(({ id }) => id)).toEqual(['2', '1'])
    expect(rows[0]).not.toHaveProperty('body')
    expect(await ask('GET', '/inbox/1')).toMatchObject({ encoding: 'utf8', body: '{"é":1}', reason: 'not readable' })
    expect(await ask('GET', '/inbox/2')).toMatchObject({ encoding: 'base64', body: bytes.toString('base64') })
    expect(await ask('POST', '/inbox/1/replay')).toEqual({ replayed: ['1'] })
    expect(await ask('POST', '/inbox/1/replay')).toEqual({ replayed: [] })
    expect(await ask('POST', '/inbox/replay', { state: 'quarantined' })).toEqual({ replayed: ['2'] })
    expect(await list('/inbox?state=pending')).toHaveLength(2)
    expect(await acts()).toContain('inbox.replayed')
  })

  it('gives dead letters another turn under their own key', async () => {
    const dead = {
      lane: 'con_x',
      order_key: 'case',
      action: JSON.stringify({
        type: 'case.update',
        externalId: 'T-1',
        change: { addTags: ['Keep_This Case'], custom: { keepThis: 1 } },
      }),
      cause: JSON.stringify({ depth: 0, actor: 'admin' }),
      state: 'dead',
      attempts: 4,
      error: JSON.stringify({ code: 'rejected', message: 'no' }),
    } as const
    await database.db
      .insertInto('outbox')
      .values([
        { ...dead, key: 'k1' },
        { ...dead, key: 'k2' },
        { ...dead, key: 'k3', state: 'sent' },
      ])
      .execute()
    expect(await ask('GET', '/deliveries/1')).toMatchObject({
      id: '1',
      key: 'k1',
      action: {
        type: 'case.update',
        external_id: 'T-1',
        change: { add_tags: ['Keep_This Case'], custom: { keepThis: 1 } },
      },
      error: { code: 'rejected' },
    })
    expect((await api.ask('POST', '/deliveries/3/replay')).status).toBe(409)
    expect(await ask('POST', '/deliveries/1/replay')).toEqual({ replayed: ['1'] })
    expect(await ask('POST', '/deliveries/replay', { ids: ['1', '2', '3'] })).toEqual({ replayed: ['2'] })
    expect(await list('/deliveries?state=pending')).toMatchObject([{ key: 'k2' }, { key: 'k1' }])
    expect(await ask('POST', '/deliveries/replay', { state: 'dead' })).toEqual({ replayed: [] })
  })

  it('tells events in their order to a client that keeps its place', async () => {
    const { connectionId } = await connectDesk(api)
    await tell(api, connectionId, [caseOf('T-1', { requester: ana }), caseOf('T-2')])
    const all = await list('/events?limit=200')
    const seqs = z
      .array(z.object({ seq: z.int() }))
      .parse(all.map(({ seq }) => ({ seq })))
      .map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    expect(await list(`/events?after=${seqs[0]}`)).toEqual(all.slice(1))
    const first = await ask('GET', '/events?limit=1')
    expect((await ask('GET', `/events?limit=200&cursor=${first['next']}`))['data']).toEqual(all.slice(1))
    expect(await list(`/events?after=${seqs.at(-1)}`)).toEqual([])
    expect((await list('/events?type=case.created')).length).toBe(2)
  })

  it('measures what webhooks lost', async () => {
    const { connectionId } = await connectDesk(api)
    const row = {
      connection_id: connectionId,
      body: Buffer.from('{}'),
      state: 'done',
      received_at: new Date('2026-11-22T09:00:00Z'),
    } as const
    await database.db
      .insertInto('inbox')
      .values([
        { ...row, dedupe_key: 'a', source: 'webhook', duplicates: 2 },
        { ...row, dedupe_key: 'b', source: 'webhook', state: 'quarantined' },
        { ...row, dedupe_key: 'c', source: 'webhook' },
        { ...row, dedupe_key: 'd', source: 'reconcile', repaired: true },
        { ...row, dedupe_key: 'e', source: 'reconcile' },
        { ...row, dedupe_key: 'f', source: 'webhook', received_at: new Date('2026-01-01') },
      ])
      .execute()
    expect(await ask('GET', '/insights/lost-events?days=7')).toEqual({
      since: '2026-11-15T10:00:00.000Z',
      data: [
        {
          connection_id: connectionId,
          name: 'Desk',
          received: 3,
          duplicates: 2,
          quarantined: 1,
          repaired: 1,
          lost_share: 0.25,
        },
      ],
    })
  })
})

describe('suppressions', () => {
  const gone = (address: string) => ({
    address,
    reason: '5.1.1 no such user',
    connectionId: 'con_mail',
    caseId: 'case_1',
  })

  it('are listed newest first, page by page, and found by their address', async () => {
    for (const [n, address] of ['ana@example.com', 'bob@example.com', 'eve@example.com'].entries()) {
      await suppress(database.db, [gone(address)], new Date(Date.parse('2026-11-22T09:00:00Z') + n))
    }
    const { data, next } = await ask('GET', '/suppressions?limit=2')
    expect(data).toMatchObject([{ address: 'eve@example.com' }, { address: 'bob@example.com' }])
    expect(await list(`/suppressions?limit=2&cursor=${String(next)}`)).toEqual([
      {
        address: 'ana@example.com',
        reason: '5.1.1 no such user',
        connection_id: 'con_mail',
        case_id: 'case_1',
        suppressed_at: '2026-11-22T09:00:00.000Z',
      },
    ])
    expect(await list('/suppressions?address=Bob@Example.com')).toMatchObject([{ address: 'bob@example.com' }])
  })

  it('are lifted by a person, in whatever spelling, and it is written down', async () => {
    await suppress(database.db, [gone('ana+x@example.com'), gone('bob@example.com')], clock.now())
    await ask('DELETE', '/suppressions/Ana%2Bx@Example.com')
    expect(await list('/suppressions')).toMatchObject([{ address: 'bob@example.com' }])
    expect(await list('/audit?act=suppression.lifted')).toMatchObject([{ actor: 'admin', target: 'ana+x@example.com' }])
    for (const address of ['ana%2Bx@example.com', 'nobody']) {
      expect((await api.ask('DELETE', `/suppressions/${address}`)).status).toBe(404)
    }
  })
})

describe('surveys and settings', () => {
  it('keeps surveys, and shows results and decisions', async () => {
    const survey = { name: 'After a case', kind: 'csat' }
    expect(await ask('PUT', '/surveys/csat', survey)).toMatchObject({
      id: 'csat',
      enabled: true,
      definition: { throttle_days: 30 },
    })
    expect(await ask('PUT', '/surveys/csat', { ...survey, enabled: false })).toMatchObject({ enabled: false })
    expect(await list('/surveys')).toHaveLength(1)
    expect(await ask('GET', '/surveys/csat/results')).toMatchObject({ asked: 0, n: 0, mean: null })
    const refused = await api.ask('PUT', '/surveys/csat', { ...survey, throttle_days: -1 })
    expect([refused.status, refused.body['field']]).toEqual([422, 'throttle_days'])
    const invitation = {
      survey_id: 'csat',
      case_id: 'case_1',
      state: 'skipped',
      reason: 'asked 3 days ago',
      send_at: new Date('2026-11-22T10:00:00Z'),
      created_at: new Date('2026-11-22T09:00:00Z'),
    } as const
    await database.db
      .insertInto('invitations')
      .values([
        { ...invitation, id: 'inv_1', event_id: 'e1' },
        { ...invitation, id: 'inv_2', event_id: 'e2', state: 'answered', sent_at: new Date('2026-11-22T10:00:00Z') },
      ])
      .execute()
    await database.db
      .insertInto('responses')
      .values({
        id: 'res_1',
        invitation_id: 'inv_2',
        survey_id: 'csat',
        case_id: 'case_1',
        scale: 'csat_5',
        score: 4,
        answered_at: new Date('2026-11-22T10:05:00Z'),
      })
      .execute()
    const page = await ask('GET', '/invitations?limit=1')
    expect(page['data']).toMatchObject([{ id: 'inv_2', state: 'answered' }])
    expect(await list(`/invitations?limit=1&cursor=${page['next']}`)).toMatchObject([
      { id: 'inv_1', line: expect.stringContaining('asked 3 days ago') },
    ])
    expect(await list('/invitations?state=skipped&survey=csat')).toHaveLength(1)
    expect(await list('/responses?case=case_1')).toMatchObject([{ score: 4, comment: null }])
    expect(await acts()).toEqual(['survey.saved', 'survey.saved'])
  })

  it('keeps settings whole, and refuses what they cannot be', async () => {
    expect(await ask('GET', '/settings/identity')).toMatchObject({ blocked_emails: [], limits: { email: 20 } })
    await ask('PUT', '/settings/identity', { blocked_emails: ['Info@Acme.Example'], default_country: 'ES' })
    expect(await ask('GET', '/settings/identity')).toMatchObject({
      blocked_emails: ['info@acme.example'],
      default_country: 'ES',
    })
    const refused = await api.ask('PUT', '/settings/identity', { default_country: 'Spain' })
    expect([refused.status, refused.body['field']]).toEqual([422, 'default_country'])
  })
})

it('answers one workspace only what is its own', async () => {
  const { connectionId } = await connectDesk(api)
  await tell(api, connectionId, [caseOf('T-1', { requester: ana })])
  const id = await idOf('/cases')
  const profile = await idOf('/profiles')
  const stranger = await startApi({ ...database, ...(await database.open('other')) }, routes)
  try {
    for (const path of [
      `/cases/${id}`,
      `/cases/${id}/messages`,
      `/cases/${id}/why`,
      `/profiles/${profile}`,
      `/connections/${connectionId}`,
      '/inbox/1',
    ]) {
      expect((await stranger.ask('GET', path)).status).toBe(404)
    }
    for (const path of ['/cases', '/profiles', '/connections', '/inbox', '/events', '/audit', '/deliveries']) {
      expect((await stranger.ask('GET', path)).body['data']).toEqual([])
    }
  } finally {
    await stranger.close()
  }
})
