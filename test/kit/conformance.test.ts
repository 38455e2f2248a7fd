import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Capabilities, Connector, Http, InboundRequest } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { fetchFile } from '#hub/connector/file.ts'
import { signHmac } from '#hub/connector/hmac.ts'
import { checks } from '#kit'
import { acmeDesk } from '../../connectors/_template/connector.ts'
import { profile } from '../../connectors/_template/receive.ts'
import { startSandbox } from '../../connectors/_template/sandbox.ts'

const folder = new URL('../../connectors/_template/', import.meta.url)
const token = 'made-up-token-0001'
const exampleConfig = { subdomain: 'acme', api_token: token }
const options = {
  sandbox: startSandbox,
  sign: (request: InboundRequest, secret: string, now: Date) => signHmac(request, secret, profile, now),
}

/** Names of the checks that match and fail. */
async function failing(
  connector: Connector,
  match: RegExp,
  changed: Partial<typeof options> = options,
  from: URL = folder,
): Promise<string[]> {
  const failed: string[] = []
  for (const { name, skip, run } of checks(connector, from, exampleConfig, changed)) {
    if (skip !== undefined || !match.test(name)) continue
    try {
      await run()
    } catch {
      failed.push(name)
    }
  }
  return failed
}

const good: Connector = acmeDesk
const { receive, writeCase, changes } = acmeDesk.can
type Receive = NonNullable<Capabilities<unknown>['receive']>
type WriteCase = NonNullable<Capabilities<unknown>['writeCase']>

const withReceive = (part: Partial<Receive>): Connector => ({
  ...good,
  can: { ...good.can, receive: { ...receive, ...part } },
})
const withWrite = (part: Partial<WriteCase>): Connector => ({
  ...good,
  can: { ...good.can, writeCase: { ...writeCase, ...part } },
})
/** Reads right, then tells something else. */
const telling = (change: (one: Observation) => Observation | object): Connector =>
  withReceive({ normalise: (item) => receive.normalise(item).map((one) => JSON.parse(JSON.stringify(change(one)))) })

/** Reads files, too. */
function reading(readFile: NonNullable<Capabilities<unknown>['readFile']>): Connector {
  return { ...good, can: { ...good.can, readFile } }
}

const text = (request: InboundRequest) => request.body.toString('utf8')
const header = (request: InboundRequest, name: string) => request.headers[name] ?? ''
const always = (): never => {
  throw new Error('made up')
}

/** Same calls, but through a door that was changed. */
function withHttp(change: (http: Http) => Http): Connector {
  return withWrite({
    create: (ctx, draft, key) => acmeDesk.can.writeCase.create({ ...typed(ctx), http: change(ctx.http) }, draft, key),
    update: (ctx, id, update, key) =>
      acmeDesk.can.writeCase.update({ ...typed(ctx), http: change(ctx.http) }, id, update, key),
  })
}
const typed = (ctx: Parameters<WriteCase['create']>[0]) => ({ ...ctx, config: acmeDesk.config.parse(ctx.config) })

const inboundMistakes: readonly [string, Connector, RegExp][] = [
  [
    'skips the replay window',
    withReceive({
      verify: (request, secret) =>
        receive.verify(request, secret, {
          config: undefined,
          now: () => new Date(Number(header(request, 'x-acme-desk-timestamp')) * 1000),
        }),
    }),
    /299 s early or late/,
  ],
  [
    'is stricter about the time than others',
    withReceive({
      verify: (request, secret, ctx) => {
        const age = ctx.now().getTime() - Number(header(request, 'x-acme-desk-timestamp')) * 1000
        return Math.abs(age) > 60_000 ? { ok: false, reason: 'stale' } : receive.verify(request, secret, ctx)
      },
    }),
    /299 s early or late/,
  ],
  [
    'verifies re-serialised JSON',
    withReceive({
      verify(request, secret, ctx) {
        try {
          const body = Buffer.from(JSON.stringify(JSON.parse(text(request))))
          return receive.verify({ ...request, body }, secret, ctx)
        } catch {
          return { ok: false, reason: 'bad_signature' }
        }
      },
    }),
    /one byte changed or written anew/,
  ],
  [
    'compares up to the shorter signature',
    withReceive({
      verify(request, secret, ctx) {
        const given = header(request, profile.header)
        const expected = signHmac(
          request,
          secret || 'x',
          profile,
          new Date(Number(header(request, 'x-acme-desk-timestamp')) * 1000 || 0),
        )
        const whole = expected[profile.header] ?? ''
        return whole.startsWith(given)
          ? receive.verify({ ...request, headers: { ...request.headers, ...expected } }, secret, ctx)
          : { ok: false, reason: 'bad_signature' }
      },
    }),
    /missing or cut anywhere/,
  ],
  [
    'lets an empty secret pass',
    withReceive({
      verify: (request, secret, ctx) => (secret === '' ? { ok: true } : receive.verify(request, secret, ctx)),
    }),
    /an empty or a cut secret/,
  ],
  [
    'does not look at the secret',
    withReceive({ verify: (request, _secret, ctx) => receive.verify(request, 'acme-webhook-secret-0001', ctx) }),
    /an empty or a cut secret/,
  ],
  [
    'throws on a missing header',
    withReceive({
      verify: (request, secret, ctx) =>
        request.headers[profile.header] ? receive.verify(request, secret, ctx) : always(),
    }),
    /missing or cut anywhere|garbage in its place/,
  ],
  [
    'takes everything for a handshake',
    withReceive({ handshake: () => ({ status: 200, headers: {}, body: '' }) }),
    /accepted as recorded/,
  ],
  [
    'keys by a header outside the signature',
    withReceive({ items: (request) => [{ key: header(request, 'x-delivery-id') || 'e100', body: text(request) }] }),
    /keys do not depend on headers/,
  ],
  [
    'has a new key each time',
    withReceive({ items: (request) => [{ key: `${performance.now()}`, body: text(request) }] }),
    /twice alike/,
  ],
  [
    'has one key for everything',
    withReceive({ items: (request) => [{ key: 'the-one', body: text(request) }] }),
    /twice alike/,
  ],
  [
    'makes internal messages public',
    telling((one) => (one.type === 'message' ? { ...one, message: { ...one.message, visibility: 'public' } } : one)),
    /expected items and observations/,
  ],
  [
    'tells a wrong status',
    telling((one) => (one.type === 'case' ? { ...one, case: { ...one.case, status: 'closed' } } : one)),
    /expected items and observations/,
  ],
  ['never sees its own echo', telling((one) => ({ ...one, byHub: false })), /expected items and observations/],
  [
    'tells more than the contract knows',
    telling((one) => ({ ...one, rawPayload: {} })),
    /expected items and observations/,
  ],
  [
    'breaks on a field it does not know',
    withReceive({
      normalise(item) {
        const keys = Object.keys(JSON.parse(item.body))
        return keys.length > 5 ? always() : receive.normalise(item)
      },
    }),
    /fields that the vendor adds/,
  ],
  [
    'reads the vendor while it receives',
    withReceive({
      async normalise(item) {
        await fetch('https://acme.acme-desk.example/api/v1/tickets/4242')
        return receive.normalise(item)
      },
    }),
    /expected items and observations/,
  ],
  [
    'lets broken JSON through as a SyntaxError',
    withReceive({
      normalise(item) {
        JSON.parse(item.body)
        return receive.normalise(item)
      },
      items: (request) => [{ key: 'k', body: text(request) }],
    }),
    /cut, empty or garbage/,
  ],
  [
    'trips over a null',
    withReceive({
      normalise(item) {
        const event: unknown = parsedOr(item.body, { ticket: {} })
        z.unknown().parse(event)
        if (item.body.includes('"ticket":null')) always()
        return receive.normalise(item)
      },
    }),
    /value of another type/,
  ],
  [
    'overflows the stack on deep nesting',
    withReceive({
      items(request) {
        const depth = (value: unknown): number =>
          typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0
        depth(parsedOr(text(request), {}))
        return receive.items(request)
      },
    }),
    /100,000 levels/,
  ],
  [
    'merges what came into an object',
    withReceive({
      normalise(item) {
        mergeInto({}, parsedOr(item.body, {}))
        return receive.normalise(item)
      },
    }),
    /__proto__ and constructor/,
  ],
]

const outboundMistakes: readonly [string, Connector, RegExp][] = [
  [
    'drops the idempotency key',
    withHttp((http) => ({ ...http, json: (method, path, { json } = {}) => http.json(method, path, { json }) })),
    /idempotency key is on the wire/,
  ],
  [
    'makes up an idempotency key',
    withHttp((http) => ({
      ...http,
      json: (method, path, given = {}) =>
        http.json(method, path, { ...given, headers: { 'idempotency-key': 'made-up' } }),
    })),
    /idempotency key is on the wire|sends exactly this/,
  ],
  [
    'uses another method',
    withHttp((http) => ({ ...http, json: (_, path, given) => http.json('PUT', path, given) })),
    /sends exactly this/,
  ],
  [
    'sends a field too many',
    withHttp((http) => ({
      ...http,
      json: (method, path, { json, ...given } = {}) =>
        http.json(method, path, { ...given, json: { ...Object(json), notify: true } }),
    })),
    /sends exactly this/,
  ],
  [
    'makes a note public',
    withWrite({
      message: (ctx, id, message, key) =>
        acmeDesk.can.writeCase.message(typed(ctx), id, { ...message, visibility: 'public' }, key),
    }),
    /outbound note: sends exactly this/,
  ],
  [
    'loses the files of a note',
    withWrite({
      message: (ctx, id, { attachments: _, ...message }, key) =>
        acmeDesk.can.writeCase.message(typed(ctx), id, message, key),
    }),
    /files that cannot travel are named/,
  ],
  [
    'asks once more than it has to',
    withHttp((http) => ({
      ...http,
      async json(method, path, given) {
        await http.json('GET', '/me').catch(() => undefined)
        return http.json(method, path, given)
      },
    })),
    /sends exactly this/,
  ],
  [
    'calls a host of its own choice',
    withHttp((http) => ({
      ...http,
      async json(method, path, given) {
        await http.fetch('https://telemetry.example/').catch(() => undefined)
        return http.json(method, path, given)
      },
    })),
    /sends exactly this/,
  ],
  [
    'takes a failure for success',
    withHttp((http) => ({ ...http, json: (...given) => http.json(...given).catch(() => ({ id: '4242' })) })),
    /every failure has its right code/,
  ],
  [
    'throws errors without a code',
    withHttp((http) => ({
      ...http,
      json: (...given) =>
        http.json(...given).catch((cause) => {
          throw new Error('it did not work', { cause })
        }),
    })),
    /every failure has its right code/,
  ],
  [
    'forgets how long to wait',
    withHttp((http) => ({
      ...http,
      json: (...given) =>
        http.json(...given).catch((cause) => {
          throw cause instanceof ConnectorError ? new ConnectorError(cause.code, cause.message) : cause
        }),
    })),
    /every failure has its right code/,
  ],
  [
    'has the token in its errors',
    withHttp((http) => ({
      ...http,
      json: (...given) =>
        http.json(...given).catch((cause) => {
          throw cause instanceof ConnectorError
            ? new ConnectorError(cause.code, `refused ${token}`, { cause, retryAfterMs: 7000 })
            : cause
        }),
    })),
    /every failure has its right code/,
  ],
  [
    'has the token in its log',
    withWrite({
      update(ctx, id, change, key) {
        ctx.log.info({ config: ctx.config }, 'updating')
        return acmeDesk.can.writeCase.update(typed(ctx), id, change, key)
      },
    }),
    /outbound update: sends exactly this/,
  ],
  [
    'pages for ever',
    {
      ...good,
      can: {
        ...good.can,
        changes: {
          async *since() {
            for (;;) yield { observations: [], cursor: 'x' }
          },
        },
      },
    },
    /outbound changes/,
  ],
]

const otherMistakes: readonly [string, Connector, RegExp][] = [
  [
    'declares a call that no fixture shows',
    { ...good, can: { ...good.can, notify: { effects: { send: 'at_least_once' }, send: async () => ({}) } } },
    /every declared call/,
  ],
  [
    'takes files, and shows none',
    withWrite({ takesFiles: { maxBytes: 1_000 } }),
    /files travel, with their names and contents/,
  ],
  [
    'revises without a word on lost answers',
    withWrite({ revise: { takes: ['internal'], run: async () => ({}) } }),
    /settled/,
  ],
  [
    'merges, and no fixture shows it',
    withWrite({ effects: { ...writeCase.effects, merge: 'at_least_once' }, merge: async () => ({}) }),
    /every declared call/,
  ],
  ['reads files, and no fixture shows it', reading(async () => Buffer.from('x')), /every declared call/],
  [
    'says that it looks first, and cannot',
    withWrite({ effects: { create: 'probed', update: 'keyed', message: 'keyed' } }),
    /settled/,
  ],
  [
    'looks first, and never finds anything',
    withWrite({ effects: { create: 'probed', update: 'keyed', message: 'keyed' }, find: async () => undefined }),
    /finds a case that was written/,
  ],
  [
    'finds what was never written',
    withWrite({
      effects: { create: 'probed', update: 'keyed', message: 'keyed' },
      find: async () => ({ externalId: '1' }),
    }),
    /finds a case that was written/,
  ],
  [
    'leaves a secret unmarked',
    { ...good, config: z.object({ subdomain: z.string(), api_token: z.string() }) },
    /every secret is marked/,
  ],
  [
    'has no default budget',
    {
      ...good,
      manifest: { ...good.manifest, id: '_template', limits: [{ budget: 'search', requests: 1, perSeconds: 1 }] },
    },
    /manifest: complete/,
  ],
  [
    'finds nothing when it reads',
    {
      ...good,
      can: {
        ...good.can,
        changes: {
          async *since(ctx, cursor) {
            for await (const page of changes.since(typed(ctx), cursor)) yield { ...page, observations: [] }
          },
        },
      },
    },
    /lost webhooks/,
  ],
  [
    'reads none of the cases that it told of',
    { ...good, can: { ...good.can, readCases: { get: async () => [] } } },
    /readCases reads the cases/,
  ],
  [
    'has other keys for what is sent again',
    withReceive({ items: (request) => [{ key: `${sent++}`, body: text(request) }] }),
    /doubled and late/,
  ],
]
let sent = 0

describe('the conformance kit', () => {
  it('is content with the template but for what is still to do', async () => {
    const failed = await failing(good, /./)
    expect(failed.filter((name) => !/is real$|not placeholders$|its id is the folder/.test(name))).toEqual([])
  }, 30_000)

  it.each([...inboundMistakes, ...outboundMistakes, ...otherMistakes])(
    'catches a connector that %s',
    async (_, bad, match) => {
      expect(await failing(bad, match)).not.toEqual([])
    },
  )

  it.each<[string, Change, RegExp]>([
    ['comes by GET', (fixture) => Object.assign(fixture.request, { method: 'GET' }), /lets in: .*by POST only/],
    [
      'brings a form',
      (fixture) => Object.assign(fixture.request, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
      /lets in: .*takes JSON only/,
    ],
    [
      'was changed after it was signed, and says the right signature',
      (fixture) => Object.assign(fixture, { now: '2026-11-20T10:15:31Z', secret: 'another-secret-0001' }),
      /accepted as recorded: .*sign\(\) would give it \{"x-acme-desk-timestamp":"1795169731"/,
    ],
    [
      'points to a record that cannot be read',
      (fixture) =>
        Object.assign(fixture.expected, {
          observations: [
            { type: 'pointer', entity: 'person', id: '7', occurredAt: '2026-11-20T10:15:29.000Z', byHub: false },
          ],
        }),
      /points to: .*no readPeople/,
    ],
    [
      'carries a version that no write gives back',
      ({ expected }) => Object.assign(expected, { observations: [{ case: { id: '4242', version: 'v7' } }] }),
      /goes back with ifVersion: .*show in a fixture of writeCase.update/,
    ],
  ])('catches a webhook that %s', async (_, change, match) => {
    expect(await complaints(folderWith(change))).toEqual(expect.arrayContaining([expect.stringMatching(match)]))
  })

  it('does not take a fixture with a number that JSON cannot hold', () => {
    const changed = folderWith(
      ({ expected }) => Object.assign(expected, { items: ['LONG'] }),
      (text) => text.replace('"LONG"', '9007199254740993'),
    )
    expect(() => checks(good, changed, exampleConfig, options)).toThrow(/ticket.json: .*9007199254740993 is longer/)
  })

  it('catches a connector that reads more of a file than it is asked for', async () => {
    const file = { name: 'a.txt', url: 'https://acme.acme-desk.example/files/a' }
    const made = folderWithCall('read-file', {
      about: 'A file is read.',
      source: 'made up for this test',
      now: '2026-11-20T10:15:30Z',
      call: 'readFile',
      args: [file, 100],
      exchange: [{ request: { method: 'GET', url: file.url }, response: { status: 200, body: 'paper jam' } }],
      expected: { text: 'paper jam' },
    })
    const greedy = reading(async (ctx, { url = '' }) => (await ctx.http.fetch(url)).bytes())
    const careful = reading((ctx, { url = '' }, maxBytes) => fetchFile(ctx, new URL(url), { maxBytes }))
    expect(await failing(greedy, /readFile: what is larger|read-file: sends exactly/, options, made)).toEqual([
      'call readFile: what is larger than asked for is rejected, whatever the vendor says of its size',
    ])
    expect(await failing(careful, /readFile|read-file/, options, made)).toEqual([])
  })

  it('does not take a missing sandbox without a reason', async () => {
    expect(await failing(good, /plays the vendor/, { sign: options.sign })).toEqual(['sandbox: plays the vendor'])
  })
})

interface Fixture {
  readonly request: object
  readonly expected: object
}
type Change = (fixture: Fixture) => void
const folders: string[] = []
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true })
})

/** The template with one more outbound fixture. */
function folderWithCall(name: string, fixture: object): URL {
  const made = mkdtempSync(join(tmpdir(), 'kit-'))
  folders.push(made)
  cpSync(folder, made, { recursive: true })
  writeFileSync(join(made, `fixtures/outbound/${name}.json`), JSON.stringify(fixture))
  return pathToFileURL(`${made}/`)
}

/** The template with another `ticket.json`. */
function folderWith(change: Change, write = (text: string) => text): URL {
  const made = mkdtempSync(join(tmpdir(), 'kit-'))
  folders.push(made)
  cpSync(folder, made, { recursive: true })
  const file = join(made, 'fixtures/inbound/ticket.json')
  const fixture = z
    .looseObject({ request: z.looseObject({}), expected: z.looseObject({}) })
    .parse(JSON.parse(readFileSync(file, 'utf8')))
  change(fixture)
  writeFileSync(file, write(JSON.stringify(fixture)))
  return pathToFileURL(`${made}/`)
}

/** `name: message` of each check that fails, of those that look at this fixture. */
async function complaints(changed: URL): Promise<string[]> {
  const failed: string[] = []
  for (const { name, skip, run } of checks(good, changed, exampleConfig, options)) {
    if (skip !== undefined || !/^inbound ticket|^pointers|ifVersion$/.test(name)) continue
    try {
      await run()
    } catch (error) {
      failed.push(`${name}: ${error}`)
    }
  }
  return failed
}

function parsedOr(body: string, otherwise: object): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return otherwise
  }
}

/** The classic: a deep merge that follows `__proto__`. */
function mergeInto(target: object, source: unknown): void {
  if (typeof source !== 'object' || source === null) return
  for (const [key, value] of Object.entries(source)) {
    const held: unknown = Reflect.get(target, key)
    if (typeof held === 'object' && held !== null && typeof value === 'object') mergeInto(held, value)
    else Reflect.set(target, key, value)
  }
}
