/** Inbound fixtures: accepted as recorded, refused when bent, split and read the same way every time. */
import assert from 'node:assert/strict'
import type { Http, InboundContext, InboundItem, InboundRequest, Verdict } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { type Check, configOf, noKeys, plain, type Subject } from './check.ts'
import { type InboundFixture, requestOf } from './fixtures.ts'
import { hostileChecks } from './hostile-checks.ts'
import { withMemberAdded } from './json-text.ts'
import { observationSchema } from './observation.ts'
import { offline } from './offline.ts'
import { type QualityRule, reasonAgainst } from './quality.ts'

type Receive = NonNullable<Subject['connector']['can']['receive']>

/** One fixture with everything its checks need. */
export interface Received {
  readonly fixture: InboundFixture
  readonly receive: Receive
  readonly request: InboundRequest
  readonly ctx: InboundContext<unknown>
  /** What `verify` may fetch keys by. */
  readonly http: Http
}

export function inboundChecks(subject: Subject): Check[] {
  const receive = subject.connector.can.receive
  if (!receive) return []
  return [...subject.inbound.flatMap((fixture) => fixtureChecks(subject, receive, fixture)), ...acrossFixtures(subject)]
}

function fixtureChecks(subject: Subject, receive: Receive, fixture: InboundFixture): Check[] {
  const now = new Date(fixture.now)
  // Read by each check, so that one broken fixture fails its own checks only.
  const received = (): Received => ({
    fixture,
    receive,
    request: requestOf(fixture, subject.sign),
    ctx: { config: configOf(subject, fixture), now: () => now },
    http: subject.publishedKeys ?? noKeys,
  })
  const check = (name: string, run: (given: Received) => void | Promise<void>): Check => ({
    name: `inbound ${fixture.name}: ${name}`,
    run: () => offline(() => run(received())),
  })
  const letIn = check('is a request that the hub lets in: POST with JSON, or with a form', isLetIn)
  if ('reply' in fixture.expected) {
    const handshake = check('is a handshake, answered at once', answersHandshake)
    // Where the vendor signs it, nobody else gets an answer.
    return fixture.proof ? [letIn, handshake, ...authenticityChecks(subject, fixture, check)] : [letIn, handshake]
  }
  const reading =
    'items' in fixture.expected
      ? [
          check('gives the expected items and observations, twice alike', readsAsExpected),
          check('keys do not depend on headers outside the signature', keepsKeys),
          check('tolerates fields that the vendor adds one day', toleratesNewFields),
          ...hostileChecks(check),
        ]
      : [check('is refused as unreadable, not as a failure', isUnreadable)]
  return [letIn, ...authenticityChecks(subject, fixture, check), ...reading]
}

export type MakeCheck = (name: string, run: (given: Received) => void | Promise<void>) => Check

function authenticityChecks(subject: Subject, fixture: InboundFixture, check: MakeCheck): Check[] {
  const unsigned = fixture.proof?.unsigned ?? []
  const excused = (part: 'body' | 'time', rule: QualityRule, made: Check): Check => {
    if (!unsigned.includes(part)) return made
    const reason = reasonAgainst(subject.quality, rule)
    if (reason !== undefined) return { ...made, skip: reason }
    const complaint = `the fixture says that ${part} is not signed; quality.json must say why (${rule})`
    return { ...made, run: () => assert.fail(complaint) }
  }
  return [
    check('is accepted as recorded', async (given) => {
      assert.deepEqual(await verdict(given), { ok: true }, `verify() refuses the fixture${signedAnew(subject, given)}`)
      assert.equal(given.receive.handshake?.(given.request, given.ctx), undefined, 'taken for a handshake')
    }),
    check('is refused when a header of its proof is missing or cut anywhere', async (given) => {
      const names = given.fixture.proof?.headers ?? []
      assert.ok(names.length > 0, 'the fixture must name the headers of its proof: "proof": { "headers": […] }')
      for (const name of names) {
        const value = given.request.headers[name]
        assert.ok(value, `the request has no header ${name}`)
        const { [name]: _, ...without } = given.request.headers
        await refuses(given, { headers: without }, `without ${name}`)
        for (let length = 0; length < value.length; length += 1) {
          await refuses(
            given,
            { headers: { ...without, [name]: value.slice(0, length) } },
            `${name} cut to ${length} characters`,
          )
        }
      }
    }),
    keyed(
      subject,
      check('is refused with another, an empty or a cut secret', async (given) => {
        const { secret } = given.fixture
        for (const other of [bent(secret), '', secret.slice(0, -6), `${secret}${secret}`]) {
          const { ok } = await given.receive.verify(given.request, other, given.ctx, given.http)
          assert.equal(ok, false, `accepted with ${other === '' ? 'an empty secret' : 'another secret'}`)
        }
      }),
    ),
    excused(
      'body',
      'signed_body',
      check('is refused with one byte changed or written anew', async (given) => {
        const { body } = given.request
        for (const place of [0, body.length >> 1, body.length - 1]) {
          const changed = Buffer.from(body)
          changed[place] = (changed[place] ?? 0) ^ 1
          await refuses(given, { body: changed }, `byte ${place} changed`)
        }
        await refuses(given, { body: Buffer.concat([body, Buffer.from(' ')]) }, 'a space added')
        for (const again of rewritten(body)) await refuses(given, { body: again }, 'parsed and written anew')
      }),
    ),
    excused(
      'time',
      'replay_window',
      check('is taken up to 299 s early or late, and not from 301 s on', async (given) => {
        for (const [seconds, ok] of [
          [-3600, false],
          [-301, false],
          [-299, true],
          [299, true],
          [301, false],
          [3600, false],
        ] as const) {
          const now = new Date(given.ctx.now().getTime() + seconds * 1000)
          const { ok: taken } = await verdict(given, {}, { ...given.ctx, now: () => now })
          assert.equal(
            taken,
            ok,
            `${taken ? 'accepted' : 'refused'} when our clock is ${seconds} s off the signed time`,
          )
        }
      }),
    ),
    check('garbage in its place is refused, not thrown', async (given) => {
      const long = 'A'.repeat(8192)
      for (const value of ['', ' ', '\u0000', 'v1,', 'null', ',', '=', 'ﬀ', long]) {
        const headers = Object.fromEntries(Object.keys(given.request.headers).map((name) => [name, value]))
        await refuses(given, { headers }, `all headers "${value.slice(0, 10)}"`)
      }
      await refuses(given, { headers: {}, body: Buffer.alloc(0) }, 'nothing at all')
    }),
  ]
}

/** Who signs with a key pair of their own shares no secret with anybody. */
function keyed({ publishedKeys }: Subject, check: Check): Check {
  return publishedKeys ? { ...check, skip: 'the vendor signs with keys that it publishes' } : check
}

/** What an author puts into the fixture after it was changed. */
function signedAnew({ sign }: Subject, { fixture, request, ctx }: Received): string {
  if (!sign || fixture.request.sign) return ''
  return `; sign() would give it ${JSON.stringify(sign(request, fixture.secret, ctx.now()))}`
}

/** As the ingress: others get 405 and 415, and the connector does not see them. */
function isLetIn({ receive, request: { method, headers } }: Received): void {
  assert.equal(method, 'POST', 'the hub takes webhooks by POST only')
  const type = headers['content-type'] ?? ''
  if (receive.takesForms && /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return
  assert.match(type, /^application\/([a-z0-9.-]+\+)?json\s*(;|$)/i, `content-type "${type}": the hub takes JSON only`)
}

async function verdict(given: Received, change: Partial<InboundRequest> = {}, ctx = given.ctx): Promise<Verdict> {
  return await given.receive.verify({ ...given.request, ...change }, given.fixture.secret, ctx, given.http)
}
async function refuses(given: Received, change: Partial<InboundRequest>, what: string): Promise<void> {
  assert.equal((await verdict(given, change)).ok, false, `accepted: ${what}`)
}

/** Another secret of the same form. */
function bent(secret: string): string {
  const place = secret.length >> 1
  return `${secret.slice(0, place)}${secret[place] === 'A' ? 'B' : 'A'}${secret.slice(place + 1)}`
}

function rewritten(body: Buffer): Buffer[] {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return [JSON.stringify(value), JSON.stringify(value, null, 2)]
      .map((text) => Buffer.from(text))
      .filter((text) => !text.equals(body))
  } catch {
    return []
  }
}

function answersHandshake(given: Received): void {
  const { receive, request, ctx, fixture } = given
  const reply = fixture.proof ? receive.signedHandshake?.(request, ctx) : receive.handshake?.(request, ctx)
  assert.deepEqual({ ...reply }, 'reply' in given.fixture.expected ? given.fixture.expected.reply : {})
}

async function readsAsExpected(given: Received): Promise<void> {
  const { expected } = given.fixture
  assert.ok('items' in expected)
  const items = given.receive.items(given.request, given.ctx)
  assert.deepEqual(
    items.map((item) => item.key),
    expected.items,
  )
  assert.equal(new Set(expected.items).size, expected.items.length, 'two items have the same key')
  assert.deepEqual(given.receive.items(given.request, given.ctx), items, 'the second time gives other items')
  const first = await readItems(given, items)
  assert.deepEqual(first.unreadable, expected.unreadable ?? [], 'places of unreadable items')
  for (const observation of first.observations) observationSchema.parse(observation)
  assert.deepEqual(plain(first.observations), expected.observations)
  assert.deepEqual(await readItems(given, items), first, 'the second time gives other observations')
}

export async function readItems(
  { receive, ctx }: Pick<Received, 'receive' | 'ctx'>,
  items: readonly InboundItem[],
): Promise<{ readonly observations: Observation[]; readonly unreadable: number[] }> {
  const observations: Observation[] = []
  const unreadable: number[] = []
  for (const [index, item] of items.entries()) {
    try {
      observations.push(...(await receive.normalise(item, ctx)))
    } catch (error) {
      if (!(error instanceof UnreadableInput)) throw error
      unreadable.push(index)
    }
  }
  return { observations, unreadable }
}

function keepsKeys(given: Received): void {
  const keysOf = (headers: InboundRequest['headers']) =>
    given.receive.items({ ...given.request, headers }, given.ctx).map((item) => item.key)
  const { headers } = given.request
  const signed = given.fixture.proof?.headers ?? []
  const others = [...Object.keys(headers), 'x-delivery-id', 'x-request-id'].filter(
    (name) => !signed.includes(name) && name !== 'content-type',
  )
  for (const name of others)
    assert.deepEqual(keysOf({ ...headers, [name]: 'changed-on-the-way' }), keysOf(headers), name)
}

const newField = 'brand_new_field_of_the_vendor'

async function toleratesNewFields(given: Received): Promise<void> {
  const { body } = given.request
  const { items, observations } =
    'items' in given.fixture.expected ? given.fixture.expected : { items: [], observations: [] }
  for (const changed of withNewFields(body.toString('utf8'), given.request.headers['content-type'])) {
    const read = await readItems(
      given,
      given.receive.items({ ...given.request, body: Buffer.from(changed) }, given.ctx),
    )
    const without = JSON.parse(JSON.stringify(read.observations), (key, value) =>
      key === newField ? undefined : value,
    )
    assert.deepEqual(without, observations, `a new field changed what the ${items.length} items say: ${changed}`)
  }
}

function withNewFields(text: string, contentType = ''): string[] {
  if (contentType.includes('x-www-form-urlencoded')) return [`${text}&${newField}=1`]
  return withMemberAdded(text, `"${newField}":"new"`)
}

async function isUnreadable(given: Received): Promise<void> {
  await assert.rejects(async () => {
    for (const item of given.receive.items(given.request, given.ctx)) await given.receive.normalise(item, given.ctx)
  }, UnreadableInput)
}

function acrossFixtures(subject: Subject): Check[] {
  const echo: Check = {
    name: 'own echo: a fixture shows our own write coming back with byHub',
    run() {
      const observations = subject.inbound.flatMap(({ expected }) => ('items' in expected ? expected.observations : []))
      const shown = observations.some(
        (one) => typeof one === 'object' && one !== null && 'byHub' in one && one.byHub === true,
      )
      assert.ok(
        shown,
        'no inbound fixture expects byHub: true; add one, or say in quality.json why the vendor cannot tell (own_echo)',
      )
    },
  }
  const noEcho = reasonAgainst(subject.quality, 'own_echo')
  return [
    noEcho === undefined ? echo : { ...echo, skip: noEcho },
    {
      name: 'fixtures: different requests have different keys, and one carries its own signature',
      run() {
        const keys = subject.inbound.flatMap(({ expected }) => ('items' in expected ? expected.items : []))
        assert.equal(new Set(keys).size, keys.length, 'two fixtures share an item key')
        assert.ok(
          subject.inbound.some((fixture) => !fixture.request.sign),
          'every fixture is signed by the kit: record one with its signature',
        )
      },
    },
  ]
}
