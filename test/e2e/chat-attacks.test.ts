/** What nobody should send to Slack's address, and how it is answered: nothing stored of what is not authentic. */
import { createHmac } from 'node:crypto'
import http from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type SlackSandbox, startSandbox } from '../../connectors/slack/sandbox.ts'

const database = testDatabase()
const otherSecret = 'fedcba9876543210fedcba9876543210'
let hub: TestHub
let slack: SlackSandbox
let id: string
let otherId: string
let secret: string

beforeAll(async () => {
  slack = await startSandbox()
  hub = await startTestHub(database, { hosts: [slack.url] })
  id = await hub.connect('slack', 'Slack', slack)
  secret = String(slack.config['signing_secret'])
  otherId = await hub.connect('slack', 'Another app', {
    config: { ...slack.config, signing_secret: otherSecret, app_id: 'A0OTHER' },
    connect: () => {},
  })
})
afterAll(async () => {
  await hub?.stop()
  await slack?.close()
})
beforeEach(async () => {
  await hub.running.hub.db.deleteFrom('inbox').execute()
})

const shared = '/slack/events'
const own = () => `/hooks/${id}`
const seconds = () => Math.floor(Date.now() / 1_000)
const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

function send(path: string, body: string | Buffer, headers: http.OutgoingHttpHeaders, method = 'POST') {
  return new Promise<{ status: number; body: string; length?: string }>((resolve, reject) => {
    const length = { 'content-length': Buffer.byteLength(body) }
    const request = http.request(
      `${hub.url}/`,
      { method, headers: { ...headers, ...length }, path, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
            ...(response.headers['content-length'] ? { length: response.headers['content-length'] } : {}),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function digest(body: string | Buffer, at: string | number, key = secret): string {
  const bytes = Buffer.concat([Buffer.from(`v0:${at}:`), Buffer.from(body)])
  return `v0=${createHmac('sha256', key).update(bytes).digest('hex')}`
}
function signed(body: string | Buffer, { at = seconds(), key = secret }: { at?: string | number; key?: string } = {}) {
  return { 'x-slack-request-timestamp': String(at), 'x-slack-signature': digest(body, at, key) }
}

let count = 0
function anEvent(more: object = {}, event: object = {}): string {
  count += 1
  return JSON.stringify({
    type: 'event_callback',
    team_id: 'T0ACME',
    api_app_id: slack.config['app_id'],
    event_id: `EvAttack${count}`,
    event_time: seconds(),
    authorizations: [{ team_id: 'T0ACME', user_id: 'UBOT0ACME', is_bot: true, is_enterprise_install: false }],
    event: { type: 'message', channel: 'C0CASES', user: 'U0LEO', text: 'hello', ts: `${seconds()}.${count}`, ...event },
    ...more,
  })
}
const rows = async () =>
  (await hub.running.hub.db.selectFrom('inbox').select(['connection_id', 'dedupe_key']).execute()).length

/** Each is refused, by both addresses, and nothing of it is stored. */
async function areRefused(tries: readonly { readonly body: string | Buffer; readonly headers: object }[]) {
  for (const path of [shared, own()]) {
    for (const { body, headers } of tries) {
      const { status } = await send(path, body, { ...headers })
      expect([401, 413, 415], `${path} ${JSON.stringify(headers)} ${String(body).slice(0, 200)}`).toContain(status)
    }
  }
  expect(await rows()).toBe(0)
}

it('takes what Slack signs, at both of its addresses', async () => {
  for (const path of [shared, own()]) {
    const body = anEvent()
    // Whole, not in chunks.
    expect(await send(path, body, { ...json, ...signed(body) })).toEqual({ status: 200, body: '', length: '0' })
  }
  expect(await rows()).toBe(2)
})

describe('a signature', () => {
  it('is refused when it is missing, cut, lengthened, padded or made up', async () => {
    const body = anEvent()
    const at = seconds()
    const good = digest(body, at)
    const bad = [
      ...Array.from({ length: good.length }, (_, length) => good.slice(0, length)),
      ...Array.from({ length: 200 }, (_, number) => digest(`${number}`, at)),
      ...[`${good}0`, `${good}=`, ` ${good} x`, good.replace('v0=', 'v1='), good.replace('v0=', ''), `${good},${good}`],
      ...['v0=', 'v0', 'null', 'undefined', `v0=${'0'.repeat(64)}`],
    ]
    const time = { 'x-slack-request-timestamp': String(at) }
    await areRefused([
      { body, headers: json },
      { body, headers: { ...json, ...time } },
      { body, headers: { ...json, 'x-slack-signature': good } },
      ...bad.map((signature) => ({ body, headers: { ...json, ...time, 'x-slack-signature': signature } })),
    ])
  })

  it('is refused under an empty secret, another connection’s, and of other bytes', async () => {
    const body = anEvent()
    const spaced = JSON.stringify(JSON.parse(body), null, 1)
    await areRefused([
      { body, headers: { ...json, ...signed(body, { key: '' }) } },
      { body, headers: { ...json, ...signed(body, { key: 'undefined' }) } },
      { body: spaced, headers: { ...json, ...signed(body) } },
      { body: `${body} `, headers: { ...json, ...signed(body) } },
      { body: `\uFEFF${body}`, headers: { ...json, ...signed(body) } },
    ])
    expect((await send(own(), body, { ...json, ...signed(body, { key: otherSecret }) })).status).toBe(401)
    expect((await send(`/hooks/${otherId}`, body, { ...json, ...signed(body) })).status).toBe(401)
    expect(await rows()).toBe(0)
  })

  it('is of the bytes as they came, however they are written', async () => {
    const pretty = JSON.stringify(JSON.parse(anEvent()), null, 2).replaceAll('\n', '\r\n')
    const escaped = anEvent().replace('hello', 'h\\u00e9llo \\ud83d\\ude00')
    const raw = anEvent().replace('hello', 'héllo 😀 ñ')
    for (const body of [pretty, escaped, raw]) {
      expect((await send(shared, body, { ...json, ...signed(body) })).status).toBe(200)
    }
    expect(await rows()).toBe(3)
  })
})

describe('a time', () => {
  it('is refused when it is old, of the future, or no time', async () => {
    const body = anEvent()
    const wrong = [
      ...[-86_400, -302, 302, 86_400].map((offset) => seconds() + offset),
      ...['NaN', 'Infinity', '-1', '0', '', ' ', 'abc', `${seconds()}.5`, `${seconds()}e0`, `+${seconds()}`],
      ...[`0${seconds()}`, `${seconds()}000`, `0x${seconds().toString(16)}`, `${seconds()}, ${seconds()}`, '1e10'],
    ]
    await areRefused(wrong.map((at) => ({ body, headers: { ...json, ...signed(body, { at }) } })))
  })

  it('may be off by less than five minutes', async () => {
    for (const offset of [-297, 297]) {
      const body = anEvent()
      expect((await send(shared, body, { ...json, ...signed(body, { at: seconds() + offset }) })).status).toBe(200)
    }
    expect(await rows()).toBe(2)
  })
})

describe('a handshake', () => {
  it('of the certificate is answered exactly, and never lets anything else in', async () => {
    expect((await send(shared, 'ssl_check=1&token=x', form)).status).toBe(200)
    const payload = `payload=${encodeURIComponent(JSON.stringify({ type: 'block_actions' }))}`
    const command = 'command=%2Fdeskweave&text=queue&user_id=U0LEO&team_id=T0ACME'
    await areRefused(
      [
        ...[
          'ssl_check=0',
          'ssl_check=',
          'ssl_check',
          'ssl_check=true',
          'ssl_check=01',
          'ssl_check=1%00',
          'SSL_CHECK=1',
        ],
        ...['ssl_check=1&ssl_check=1', 'ssl_check=0&ssl_check=1', 'ssl_check=1&ssl_check=0', 'ssl_check[]=1', ''],
        ...[`ssl_check=1&${payload}`, `${payload}&ssl_check=1`, `ssl_check=1&${command}`, `${command}&ssl_check=1`],
        ...[
          `ssl_check=1&token=x&x=${'y'.repeat(600)}`,
          'ssl_check=1;payload=x',
          '{"ssl_check":1}',
          '{"ssl_check":"1"}',
        ],
      ].map((body) => ({ body, headers: body.startsWith('{') ? json : form })),
    )
    for (const path of [`${shared}?ssl_check=1`, `${own()}?ssl_check=1`]) {
      expect((await send(path, anEvent(), json)).status).toBe(401)
      expect((await send(path, command, form)).status).toBe(401)
    }
    expect((await send(shared, 'ssl_check=1', json)).status).toBe(401)
    expect(await rows()).toBe(0)
  })

  it('of the address is answered to Slack only, and carries no event', async () => {
    const challenge = { type: 'url_verification', challenge: 'abc', token: 'x' }
    const bare = JSON.stringify(challenge)
    await areRefused(
      [bare, JSON.stringify({ ...challenge, event: { type: 'message' } }), anEvent(challenge)].map((body) => ({
        body,
        headers: json,
      })),
    )
    expect(await send(shared, bare, { ...json, ...signed(bare) })).toEqual({ status: 200, body: 'abc', length: '3' })
    expect(await rows()).toBe(0)
    const long = JSON.stringify({ ...challenge, challenge: 'x'.repeat(20_000) })
    expect((await send(shared, long, { ...json, ...signed(long) })).body).not.toContain('xxx')
  })
})

describe('other ways in', () => {
  it('are closed: only the one path and method take anything', async () => {
    const body = anEvent()
    const headers = { ...json, ...signed(body) }
    const around = [
      ...['/slack/events/', '//slack/events', '/slack//events', '/slack/./events', '/slack/../slack/events'],
      ...[
        '/slack%2Fevents',
        '/slack%2fevents',
        '/%73lack/events',
        '/slack/events%00',
        '/slack/events%20',
        '/SLACK/events',
      ],
      ...[
        '/slack/events;x=1',
        '/slack/events\\',
        '/slack\\events',
        '/slack/events/..',
        '/hooks/../slack/events',
        '/slack',
      ],
      ...[
        `/hooks/${id}/`,
        `/hooks//${id}`,
        `/hooks/%63${id.slice(1)}`,
        `/hooks/${id}%2F`,
        `/hooks/${id}/x`,
        `/hooks/${id}.`,
      ],
      ...[`/Hooks/${id}`, `/hooks/${id.toUpperCase()}`, '/hooks/', `/api/v1/hooks/${id}`, '/teams/messages'],
    ]
    for (const path of around) {
      const { status } = await send(path, body, headers)
      expect(status, path).toBeGreaterThanOrEqual(400)
    }
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']) {
      for (const path of [shared, own()]) {
        const overriding = { ...headers, 'x-http-method-override': 'POST', 'x-method-override': 'POST' }
        const { status } = await send(path, method === 'GET' || method === 'HEAD' ? '' : body, overriding, method)
        expect(status, `${method} ${path}`).toBe(405)
      }
    }
    expect(await rows()).toBe(0)
  })

  it('are closed for repeated headers, encodings, other types and bodies that are too large', async () => {
    const body = anEvent()
    const { 'x-slack-signature': signature, 'x-slack-request-timestamp': time } = signed(body)
    const twice = (name: string, ...values: string[]) => ({ ...json, ...signed(body), [name]: values })
    const large = Buffer.alloc(2 * 1024 * 1024, 0x20)
    await areRefused([
      { body, headers: twice('x-slack-signature', signature, signature) },
      { body, headers: twice('x-slack-signature', 'v0=0', signature) },
      { body, headers: twice('x-slack-request-timestamp', time, time) },
      { body, headers: twice('x-slack-request-timestamp', time, '0') },
      { body, headers: { ...signed(body), 'content-type': 'text/plain' } },
      { body, headers: { ...signed(body), 'content-type': 'multipart/form-data; boundary=x' } },
      { body, headers: signed(body) },
      { body, headers: { ...json, ...signed(body), 'content-encoding': 'gzip' } },
      { body: large, headers: { ...json, ...signed(large) } },
      { body: large, headers: { ...form, ...signed(large) } },
    ])
  })

  it('are closed to what is one thing as JSON and another as a form', async () => {
    const payload = JSON.stringify({
      type: 'block_actions',
      user: { id: 'U0LEO' },
      team: { id: 'T0ACME' },
      actions: [],
    })
    const asForm = `payload=${encodeURIComponent(payload)}`
    await areRefused([
      { body: payload, headers: form },
      { body: asForm, headers: json },
      { body: `${anEvent()}&${asForm}`, headers: form },
      { body: `x=${encodeURIComponent(anEvent())}`, headers: { ...form, ...signed(asForm) } },
    ])
  })
})

describe('whom it is for', () => {
  it('a workspace that nobody claimed: Slack is content, and nothing is stored', async () => {
    const statuses = new Set<number>()
    for (let batch = 0; batch < 20; batch += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => {
          const body = anEvent({ team_id: 'T0NOBODY', authorizations: [{ team_id: 'T0NOBODY', user_id: 'UB' }] })
          return send(shared, body, { ...json, ...signed(body) })
        }),
      )
      for (const { status } of answers) statuses.add(status)
    }
    expect([...statuses]).toEqual([200])
    expect(await rows()).toBe(0)
  })

  it('another app under this one’s secret: nothing is stored', async () => {
    const body = anEvent({ api_app_id: 'A0STRANGER' })
    expect((await send(own(), body, { ...json, ...signed(body) })).status).toBe(200)
    expect(await rows()).toBe(0)
  })

  it('a connection without a secret cannot be made, and its secret cannot be blanked', async () => {
    const { signing_secret: _secret, ...without } = slack.config
    for (const config of [
      without,
      { ...slack.config, signing_secret: '' },
      { ...slack.config, signing_secret: 'short' },
    ]) {
      await expect(hub.api('POST', '/connections', { connector: 'slack', name: 'X', config })).rejects.toThrow(/ 422:/)
    }
    for (const signing_secret of ['', ' '.repeat(40), null]) {
      const config = { ...slack.config, signing_secret }
      await expect(hub.api('PATCH', `/connections/${id}`, { config })).rejects.toThrow(/ 422:/)
    }
    const body = anEvent()
    await areRefused([{ body, headers: { ...json, ...signed(body, { key: '' }) } }])
    expect((await send(own(), body, { ...json, ...signed(body) })).status).toBe(200)
  })
})

describe('what comes again', () => {
  it('is one row for an event, however often it is told', async () => {
    const body = anEvent()
    for (let round = 0; round < 3; round += 1) {
      const again = { 'x-slack-retry-num': String(round), 'x-slack-retry-reason': 'http_timeout' }
      const told = Array.from({ length: 5 }, () => send(shared, body, { ...json, ...again, ...signed(body) }))
      for (const { status } of await Promise.all(told)) expect(status).toBe(200)
    }
    expect(await rows()).toBe(1)
  })

  it('is one row for a press, though ten of it arrive at once', async () => {
    const press = {
      type: 'block_actions',
      trigger_id: '1.2.attack',
      api_app_id: slack.config['app_id'],
      user: { id: 'U0LEO', team_id: 'T0ACME' },
      team: { id: 'T0ACME' },
      container: { type: 'message', message_ts: '1.2', channel_id: 'C0CASES' },
      channel: { id: 'C0CASES' },
      actions: [{ type: 'button', action_id: '0|case.take', block_id: 'b', value: 'case_none', action_ts: '1.3' }],
    }
    const body = `payload=${encodeURIComponent(JSON.stringify(press))}`
    const told = Array.from({ length: 10 }, () => send(shared, body, { ...form, ...signed(body) }))
    for (const { status } of await Promise.all(told)) expect(status).toBe(200)
    expect(await rows()).toBe(1)
  })
})
