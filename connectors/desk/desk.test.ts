import { describe, expect, it } from 'vitest'
import type { Context, Http } from '#hub/connector/contract.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { conformance, memoryInstallations } from '#kit'
import { config, type DeskConfig } from './config.ts'
import { desk } from './connector.ts'
import { oddMapping, writeNews } from './dialects.ts'
import { type DeskNews, legacyDesk } from './legacy-desk.ts'
import { applyMapping } from './mapper.ts'
import { startSandbox } from './sandbox.ts'

const exampleConfig = {
  answers_url: 'https://desk.example/hub/answers?tenant=7',
  answers_secret: 'whsec_YW5zd2Vyc1NlY3JldDAxMjM0NTY3ODlhYmM=',
}
conformance(desk, new URL('.', import.meta.url), exampleConfig, { sandbox: startSandbox })

const now = '2026-11-22T10:00:00.000Z'
const map = (expression: string, input: unknown) => applyMapping({ expression, input: JSON.stringify(input), now })

describe('desk settings', () => {
  it('may be empty: signed by Standard Webhooks, receiving only', () => {
    expect(config.parse({})).toEqual({ auth: { mode: 'standard_webhooks', accept_svix_headers: false } })
    expect(desk.hostsOf?.(config.parse({}))).toEqual([])
  })

  it('name the host of answers_url, and no other', () => {
    expect(desk.hostsOf?.(config.parse({ ...exampleConfig, answers_url: 'http://localhost:4010/x' }))).toEqual([
      'localhost:4010',
    ])
  })

  it.each([
    [{ mapping: '{"type": ' }, /JSONata: .* \(at character \d+\)/],
    [{ answers_url: 'https://desk.example/' }, /belong together/],
    [{ ...exampleConfig, answers_secret: 'whsec_short' }, /openssl rand/],
    [{ ...exampleConfig, answers_url: 'ftp://desk.example/' }, /Invalid URL/],
    [{ ...exampleConfig, answers_url: 'https://me:pw@desk.example/' }, /no user or password/],
    [{ auth: { mode: 'hmac', header: 'X-Sig', template: '{ts}.{body}' } }, /timestamp header/],
    [{ auth: { mode: 'none' } }, /Invalid/],
    [{ answer_url: 'https://desk.example/' }, /answer_url/],
  ])('are refused with what is wrong: %j', (given, problem) => {
    const result = config.safeParse(given)
    expect(result.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n')).toMatch(problem)
  })
})

describe('desk mapping', () => {
  it('drops what it gives no event for', async () => {
    expect(await map('kind = "ticket" ? {"type": "case"}', { kind: 'chat' })).toBe('[]')
  })

  it('keeps long numbers exact', async () => {
    const task = { expression: '{"id": no}', input: '{"no": 12345678901234567890}', now }
    expect(await applyMapping(task)).toBe('{"id":"12345678901234567890"}')
  })

  it('has $now() as the time of reading, and no other', async () => {
    expect(await map('[$now(), $millis()]', {})).toBe(JSON.stringify([now, Date.parse(now)]))
  })

  it('is ended when it takes too long, and the next one works', async () => {
    const endless = map('($f := function($n) { $f($n + 1) }; $f(0))', {})
    const slowMatch = map('$match(text, /^(a+)+$/)', { text: `${'a'.repeat(40)}!` })
    const fine = map('text', { text: 'still here' })
    await expect(endless).rejects.toThrow(/the mapping failed/)
    await expect(slowMatch).rejects.toThrow(/longer than 1000 ms/)
    expect(await fine).toBe('"still here"')
  })

  it('is ended when it takes too much memory, and the next one works', async () => {
    await expect(map('$split($pad("", 60000000, "ab"), "")', {})).rejects.toThrow(/memory/)
    expect(await map('1', {})).toBe('1')
  })

  it('cannot say more than a request could', async () => {
    await expect(map('$pad("", 2000000, "x")', {})).rejects.toThrow(/longer than 1048576 bytes/)
    const ctx = { config: config.parse({ mapping: '[1..101].{"type": "x"}' }), now: () => new Date(now) }
    await expect(Promise.resolve(desk.can.receive.normalise({ key: 'k', body: '{}' }, ctx))).rejects.toThrow(
      /101 events/,
    )
  })
})

describe('desk keys', () => {
  const standard = { 'webhook-id': 'm', 'webhook-timestamp': '1795341605', 'webhook-signature': 'v1,x' }
  const request = (body: string, headers: Record<string, string>) => ({
    method: 'POST',
    url: '/hooks/c_1',
    body: Buffer.from(body),
    headers,
  })
  const keys = (given: object, body: string, headers: Record<string, string>) =>
    desk.can.receive
      .items(request(body, headers), { config: config.parse(given), now: () => new Date(now) })
      .map((item) => item.key)

  it('are the event’s own id before anything else', () => {
    expect(keys({}, '[{"id":"e1"},{"id":90071992547409931},{"id":""},{}]', standard)).toEqual([
      'event:e1',
      'event:90071992547409931',
      'm#2',
      'm#3',
    ])
  })

  it('take a delivery id from a sender without signatures, where the settings name its header', () => {
    const bearer = { auth: { mode: 'bearer', id_header: 'X-Delivery' } }
    expect(keys(bearer, '{}', { 'x-delivery': 'd-1' })).toEqual(['d-1#0'])
    expect(keys(bearer, '{}', {})).toEqual(keys(bearer, '{}', { other: 'x' }))
  })

  it('stay short', () => {
    expect(keys({}, `{"id":"${'x'.repeat(5000)}"}`, {})[0]?.length).toBeLessThan(100)
  })

  it('refuse more than a hundred events at once', () => {
    expect(() => keys({}, JSON.stringify(Array(101).fill({})), standard)).toThrow(/101 events/)
    expect(keys({}, '[]', standard)).toEqual([])
  })
})

describe('a desk connection without answers_url', () => {
  it('refuses to send, and says what to set', async () => {
    const ctx = contextTo({})
    await expect(desk.can.notify.send(ctx, { to: 'x', text: 'y' }, 'key')).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('set answers_url'),
    })
    expect(await desk.check(ctx)).toEqual({ account: 'receives only' })
  })
})

describe('the Legacy desk', () => {
  it('tells the same in its own odd form, through a mapping', async () => {
    const news: DeskNews[] = []
    const legacy = legacyDesk({
      now: () => new Date(now),
      url: () => 'https://desk.example',
      tell: (one) => news.push(structuredClone(one)),
    })
    const { id } = legacy.openCase({
      subject: 'Hi',
      text: 'Help',
      requester: { name: 'Ana', emails: ['ana@acme.example'] },
    })
    legacy.changeCase(id, {
      status: 'on_hold',
      priority: 'urgent',
      add_tags: ['a', 'b'],
      assignee_email: 'leo@desk.example',
    })
    legacy.addMessage(id, { visibility: 'internal', text: 'Psst' }, true)
    legacy.rate(id, { score: 4, comment: 'Fine' })
    const read = async (dialect: 'odd' | 'event_format') => {
      const settings = config.parse(dialect === 'odd' ? { mapping: oddMapping } : {})
      const ctx = { config: settings, now: () => new Date(now) }
      const all = news.map((one) =>
        desk.can.receive.normalise({ key: 'k', body: JSON.stringify(writeNews(one, dialect)) }, ctx),
      )
      return (await Promise.all(all)).flat()
    }
    const [odd, plain] = [await read('odd'), await read('event_format')]
    expect(odd.map((one) => one.type)).toEqual(['person', 'case', 'message', 'case', 'message', 'rating'])
    for (const [index, told] of odd.entries()) expect(plain[index]).toMatchObject(known(told))
  })

  it('does what the hub asks, once for each key', async () => {
    const sandbox = await startSandbox({ now: () => new Date(now) })
    const ctx = contextTo(sandbox.config)
    const { writeCase, notify } = desk.can
    const requester = { emails: ['ana@acme.example'] }
    const draft = { subject: 'Call back', text: 'Please', visibility: 'internal', requester } as const
    const created = await writeCase.create(ctx, draft, 'key-create')
    expect(await writeCase.create(ctx, draft, 'key-create')).toEqual(created)
    const id = created.externalId ?? ''
    await writeCase.update(
      ctx,
      id,
      {
        status: 'open',
        addTags: ['vip', 'x'],
        removeTags: ['x'],
        ...(created.version ? { ifVersion: created.version } : {}),
      },
      'key-1',
    )
    await writeCase.message(ctx, id, { visibility: 'internal', text: 'Psst' }, 'key-2')
    await notify.send(ctx, { to: 'senior', text: 'Look' }, 'key-3')
    expect(sandbox.desk.cases.size).toBe(1)
    expect(sandbox.desk.cases.get(id)).toMatchObject({ status: 'open', tags: ['vip'], requester })
    expect(sandbox.desk.cases.get(id)?.messages.map(({ visibility, text }) => [visibility, text])).toEqual([
      ['internal', 'Please'],
      ['internal', 'Psst'],
    ])
    expect(sandbox.desk.notices).toEqual([{ to: 'senior', text: 'Look' }])
    await expect(writeCase.update(ctx, id, { status: 'open', ifVersion: '1' }, 'key-4')).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(writeCase.update(ctx, 'T-99', { status: 'open' }, 'key-5')).rejects.toMatchObject({
      code: 'not_found',
    })
    await expect(
      writeCase.update(contextTo({ ...sandbox.config, answers_secret: exampleConfig.answers_secret }), id, {}, 'key-6'),
    ).rejects.toMatchObject({ code: 'auth_failed' })
    await sandbox.close()
  })

  it('shows messages under the name of whom they are from, and follows their edits', async () => {
    const sandbox = await startSandbox({ now: () => new Date(now) })
    const ctx = contextTo(sandbox.config)
    const { writeCase } = desk.can
    const { id } = sandbox.desk.openCase({ subject: 'Hi', text: 'Help', requester: { emails: ['ana@acme.example'] } })
    const author = { name: 'Noor Haddad', email: 'noor@desk.example' }
    const send = async (text: string) => {
      const receipt = await writeCase.message(ctx, id, { visibility: 'internal', text, author }, `key-${text}`)
      return receipt.externalId ?? ''
    }
    const [kept, gone] = [await send('Plan Pro'), await send('Password')]
    await writeCase.revise.run(ctx, id, kept, 'Plan Basic', 'key-edit')
    await writeCase.revise.run(ctx, id, gone, undefined, 'key-delete')
    const shown = sandbox.desk.cases.get(id)?.messages.slice(1)
    expect(shown?.map((message) => [message.author.name, message.text])).toEqual([['Noor Haddad', 'Plan Basic']])
    await expect(writeCase.revise.run(ctx, id, 'M-99', 'x', 'key-none')).rejects.toMatchObject({ code: 'not_found' })
    await sandbox.close()
  })

  it('fetches files from hosts that its settings name, and from no other', async () => {
    const fetched: unknown[] = []
    const http: Http = {
      fetch: async (url, init) => {
        fetched.push([String(url), Object.keys(init?.headers ?? {})])
        return new Response('paper jam')
      },
      json: () => Promise.reject(new Error('not JSON')),
    }
    const ctx = { ...contextTo({ ...exampleConfig, file_hosts: ['files.example.com:8443'] }), http }
    const read = (url?: string) => desk.can.readFile(ctx, { name: 'a', ...(url === undefined ? {} : { url }) }, 9)
    expect(Buffer.from(await read('https://files.example.com:8443/a')).toString()).toBe('paper jam')
    expect(fetched).toEqual([['https://files.example.com:8443/a', []]])
    for (const url of ['https://files.example.com/a', 'https://evil.example/a', 'file:///etc/passwd']) {
      await expect(read(url)).rejects.toMatchObject({ code: 'host_refused' })
    }
    await expect(read()).rejects.toMatchObject({ code: 'not_found' })
    expect(fetched).toHaveLength(1)
  })

  it('lets its users act over HTTP', async () => {
    const sandbox = await startSandbox()
    const call = async (method: string, path: string, body?: object) => {
      const init = { method, ...(body ? { body: JSON.stringify(body) } : {}) }
      const answer = await fetch(`${sandbox.url}${path}`, init)
      return { status: answer.status, body: await answer.json() }
    }
    const { body } = await call('POST', '/cases', {
      subject: 'Hi',
      text: 'Help',
      requester: { emails: ['a@b.example'] },
    })
    expect(body).toMatchObject({ id: 'T-1', status: 'new' })
    expect((await call('PATCH', '/cases/T-1', { status: 'solved' })).body).toMatchObject({
      status: 'solved',
      version: '2',
    })
    expect((await call('POST', '/cases/T-1/messages', { visibility: 'public', text: 'Done' })).status).toBe(200)
    expect((await call('GET', '/cases/T-2')).status).toBe(404)
    expect((await call('PATCH', '/cases/T-1', { status: 'done' })).status).toBe(422)
    await sandbox.close()
  })
})

/** What the odd form tells: of an agent no id, of a person no traits, of a case no link. */
function known(told: Observation): object {
  if (told.type !== 'case') return told
  const { assignee, ...rest } = told.case
  return { ...told, case: { ...rest, assignee: assignee ? { email: assignee.email } : null } }
}

function contextTo(settings: object): Context<DeskConfig> {
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const http: Http = {
    fetch: (url, { method = 'GET', headers = {}, body } = {}) =>
      fetch(url, { method, headers, ...(typeof body === 'string' ? { body } : {}) }),
    json: () => Promise.reject(new Error('the desk connector signs its own bodies')),
  }
  const noSockets = () => Promise.reject(new Error('the desk connector speaks HTTP only'))
  const net = { resolve: noSockets, spend: noSockets }
  const signal = new AbortController().signal
  return {
    config: config.parse(settings),
    now: () => new Date(now),
    http,
    net,
    log,
    signal,
    installations: memoryInstallations(),
  }
}
