/** What nobody should send, and how it is answered: nothing stored of what is not authentic, nothing lost of what is. */
import http from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { signStandardWebhook } from '#hub/connector/hmac.ts'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'

const database = testDatabase()
let hub: TestHub
let id: string
let secret: string

beforeAll(async () => {
  hub = await startTestHub(database)
  id = await hub.connect('desk', 'Desk', {
    config: {},
    connect: (hook) => {
      secret = hook.secret
    },
  })
})
afterAll(() => hub?.stop())
beforeEach(async () => {
  await hub.running.hub.intake.query('delete from inbox')
})

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

function send(
  path: string,
  body: string | Buffer,
  headers: http.OutgoingHttpHeaders,
  method = 'POST',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${hub.url}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}

const json = { 'content-type': 'application/json' }
let count = 0
function signed(body: string | Buffer, options: { at?: Date; secret?: string } = {}) {
  count += 1
  const webhook = { id: `msg_${count}`, sentAt: options.at ?? new Date(), body, secrets: [options.secret ?? secret] }
  return { ...json, ...signStandardWebhook(webhook) }
}
const rows = async () =>
  (
    await hub.running.hub.intake.query<{ state: string; body: Buffer; reason: string | null }>(
      'select state, body, reason from inbox order by seq',
    )
  ).rows
const hook = () => `/hooks/${id}`
const aCase = JSON.stringify({
  type: 'case',
  occurred_at: '2026-11-22T10:00:00Z',
  case: { id: 'T-1', subject: 'x', status: 'open' },
})

describe('what is not authentic', () => {
  it.each([
    ['no signature', () => json],
    ['a wrong secret', () => signed(aCase, { secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` })],
    ['a signature of another body', () => signed(aCase.replace('T-1', 'T-2'))],
    ['re-serialised JSON', () => signed(JSON.stringify(JSON.parse(aCase), null, 1))],
    ['301 s old', () => signed(aCase, { at: new Date(Date.now() - 302_000) })],
    ['301 s in the future', () => signed(aCase, { at: new Date(Date.now() + 302_000) })],
    ['a signature cut short', () => ({ ...signed(aCase), 'webhook-signature': 'v1,' })],
    ['an empty signature', () => ({ ...signed(aCase), 'webhook-signature': '' })],
    ['a timestamp that is no number', () => ({ ...signed(aCase), 'webhook-timestamp': 'NaN' })],
    ['the signature twice', () => ({ ...signed(aCase), 'webhook-signature': ['v1,AAAA', 'v1,BBBB'] })],
  ])('%s: 401 with the same small answer, nothing stored', async (_, headers) => {
    const answer = await send(hook(), aCase, headers())
    expect(answer).toMatchObject({ status: 401, body: '{"status":"unauthorized"}' })
    expect(await rows()).toEqual([])
  })

  it('a body cut on its way: 401, nothing stored', async () => {
    expect((await send(hook(), aCase.slice(0, -5), signed(aCase))).status).toBe(401)
    expect(await rows()).toEqual([])
  })

  it('an unknown connection: 404 as for any unknown path', async () => {
    const unknown = await send('/hooks/con_nobody', aCase, signed(aCase))
    const odd = await Promise.all(
      ['/hooks/', '/hooks/a/b', `/hooks/${id}/`, `/hooks/%63on`, '/hooks/..%2f', `/hooks//${id}`].map((path) =>
        send(path, aCase, signed(aCase)),
      ),
    )
    expect(unknown).toMatchObject({ status: 404, body: '{"status":"not_found"}' })
    for (const one of odd) expect(one.status, one.body).toBe(404)
    expect(await rows()).toEqual([])
  })
})

describe('what comes in the wrong shape', () => {
  it('2 MiB: 413', async () => {
    const big = JSON.stringify({ type: 'case', pad: 'x'.repeat(2 * 1024 * 1024) })
    expect((await send(hook(), big, signed(big)).catch(() => ({ status: 413 }))).status).toBe(413)
    expect(await rows()).toEqual([])
  })

  it('a batch of 2 MiB is taken, one of 5 MiB is not', async () => {
    const item = (n: number) => ({
      type: 'message',
      occurred_at: '2026-11-22T10:00:00Z',
      message: {
        id: `M-${n}`,
        case_id: 'T-1',
        visibility: 'public',
        author: { kind: 'customer' },
        text: 'x'.repeat(50_000),
      },
    })
    const two = JSON.stringify(Array.from({ length: 40 }, (_, n) => item(n)))
    expect((await send(hook(), two, signed(two))).status).toBe(202)
    const five = JSON.stringify(Array.from({ length: 100 }, (_, n) => item(n)))
    expect((await send(hook(), five, signed(five)).catch(() => ({ status: 413 }))).status).toBe(413)
    expect(await rows()).toHaveLength(40)
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'multipart/form-data; boundary=x',
    '',
  ])('content type "%s": 415', async (type) => {
    expect((await send(hook(), aCase, { ...signed(aCase), 'content-type': type })).status).toBe(415)
    expect(await rows()).toEqual([])
  })

  it('a compressed body: 415', async () => {
    expect((await send(hook(), aCase, { ...signed(aCase), 'content-encoding': 'gzip' })).status).toBe(415)
  })

  it.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s: 405 with Allow', async (method) => {
    const answer = await send(hook(), '', {}, method)
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('POST')
  })
})

describe('what is authentic and odd', () => {
  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`
  it.each([
    ['broken JSON', '{"type":"case","case":{"id":"T-1","subject":"he said "hello""}}'],
    ['no JSON at all', 'hello'],
    ['an empty body', ''],
    ['a number', '42'],
    ['a case without an id', '{"type":"case","occurred_at":"2026-11-22T10:00:00Z","case":{"subject":"x"}}'],
    ['a status nobody knows', aCase.replace('open', 'half-open')],
    ['nested 20,000 deep', deep],
    ['the year 0', aCase.replace('2026-11-22', '0000-01-01')],
    ['the far future', aCase.replace('2026-11-22', '9999-12-31')],
  ])('%s: quarantined with its bytes and the reason', async (_, body) => {
    const answer = await send(hook(), body, signed(body))
    expect(answer.status, answer.body).toBe(202)
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'quarantined' })
    const [row, ...others] = await rows()
    expect(others).toEqual([])
    expect(row).toMatchObject({ state: 'quarantined' })
    expect(row?.reason).toBeTruthy()
    expect(row?.body.toString()).toBe(body)
  })

  it('an event of no interest: ignored, and kept', async () => {
    const body = '{"type":"weather","occurred_at":"2026-11-22T10:00:00Z"}'
    expect(JSON.parse((await send(hook(), body, signed(body))).body)).toMatchObject({ status: 'ignored' })
    expect(await rows()).toMatchObject([{ state: 'ignored' }])
  })

  it('keys that could be a prototype pollute nothing', async () => {
    const body = aCase.replace(
      '"subject":"x"',
      '"subject":"p","custom":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"__proto__":{"polluted":1}',
    )
    const answer = await send(hook(), body, signed(body))
    expect(answer.status).toBe(202)
    expect(['accepted', 'quarantined']).toContain(JSON.parse(answer.body).status)
    await hub.settled()
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    expect((await rows())[0]?.body.toString()).toBe(body)
  })

  it('lone surrogates and NUL characters end as readable text', async () => {
    const body = aCase.replace('"x"', '"half \\ud800 and \\u0000 nul"')
    expect((await send(hook(), body, signed(body))).status).toBe(202)
    await hub.settled()
    const found = await hub.running.hub.intake.query<{ subject: string }>(
      `select subject from cases where subject like 'half%'`,
    )
    expect(found.rows).toEqual([{ subject: 'half \ufffd and \ufffd nul' }])
  })

  it('ids beyond 2^53 stay exact', async () => {
    const body = `{"type":"case","occurred_at":"2026-11-22T10:00:00Z","case":{"id":9223372036854775807,"subject":"big","status":"open"}}`
    expect((await send(hook(), body, signed(body))).status).toBe(202)
    await hub.settled()
    const { rows: links } = await hub.running.hub.intake.query(
      `select external_id from case_links where external_id like '92233%'`,
    )
    expect(links).toEqual([{ external_id: '9223372036854775807' }])
  })

  it('a batch with one unreadable item: the others are worked', async () => {
    const item = (n: number) => ({
      type: 'case',
      occurred_at: '2026-11-22T10:00:00Z',
      case: { id: `B-${n}`, subject: 'b', status: 'open' },
    })
    const body = JSON.stringify([item(1), { type: 'case', case: 'nonsense' }, item(2)])
    const answer = JSON.parse((await send(hook(), body, signed(body))).body)
    expect(answer).toMatchObject({
      status: 'accepted',
      items: { accepted: 2, quarantined: 1, duplicate: 0, ignored: 0 },
    })
    await hub.settled()
    const { rows: links } = await hub.running.hub.intake.query(
      `select external_id from case_links where external_id like 'B-%' order by 1`,
    )
    expect(links.map((link) => link.external_id)).toEqual(['B-1', 'B-2'])
  })

  it('the same delivery again: a duplicate, whatever became of the first', async () => {
    const headers = signed(aCase)
    const first = JSON.parse((await send(hook(), aCase, headers)).body)
    const again = await Promise.all(Array.from({ length: 100 }, () => send(hook(), aCase, headers)))
    expect(first).toMatchObject({ status: 'accepted' })
    expect(new Set(again.map((one) => one.body))).toEqual(
      new Set([JSON.stringify({ id: first.id, status: 'duplicate' })]),
    )
    expect(await rows()).toHaveLength(1)
  })
})
