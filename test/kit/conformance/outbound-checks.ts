/** Outbound fixtures: exactly these requests, this receipt; each failure under its right name; no secret on the way. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { z } from 'zod'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { codeOfStatus } from '#hub/connector/http-status.ts'
import { createSandbox, type SandboxAnswer, type SandboxCall } from '#hub/connector/sandbox.ts'
import { type Check, configOf, plain, type Subject, settingsOf } from './check.ts'
import { fileChecks, fromFixture, withText } from './file-checks.ts'
import type { OutboundFixture } from './fixtures.ts'
import { declaredCalls, secretValues, settingsSchema } from './static-checks.ts'
import { meantOriginHeader, testContext } from './test-http.ts'
import { wireTexts } from './wire-texts.ts'

export function outboundChecks(subject: Subject): Check[] {
  const replays = subject.outbound.map((fixture) => ({
    name: `outbound ${fixture.name}: sends exactly this and understands the answer`,
    run: () => replaysExactly(subject, fixture),
  }))
  const perCall = declaredCalls(subject).flatMap((call) => {
    const fixture = subject.outbound.find((one) => one.call === call && one.exchange.length > 0)
    if (!fixture) return []
    const failures: Check = {
      name: `call ${call}: every failure has its right code, and no secret is in it`,
      run: () => failsRightly(subject, fixture),
    }
    const keyed: Check = {
      name: `call ${call}: the idempotency key is on the wire`,
      run: () => carriesItsKey(subject, fixture),
    }
    return effectOf(subject, call) === 'keyed' ? [failures, keyed] : [failures]
  })
  return [...replays, ...perCall, ...versionChecks(subject), ...fileChecks(subject, perform, recorded)]
}

/** A version that comes and never goes back guards nothing: two who write at once would undo each other's work. */
function versionChecks(subject: Subject): Check[] {
  const told = [...subject.inbound, ...subject.outbound].some(({ expected }) => tellsVersion(expected))
  if (!told || !subject.connector.can.writeCase) return []
  return [
    {
      name: 'call writeCase.update: the version of the case goes back with ifVersion',
      async run() {
        const shown = subject.outbound.flatMap((fixture) => {
          const given = z.object({ ifVersion: z.string() }).safeParse(fixture.args[1])
          return fixture.call === 'writeCase.update' && given.success ? [{ fixture, ...given.data }] : []
        })
        assert.ok(
          shown.length > 0,
          'cases carry a version: show in a fixture of writeCase.update where "ifVersion" goes',
        )
        for (const { fixture, ifVersion } of shown) {
          const { calls } = await perform(subject, fixture, recorded(fixture))
          const isSent = wireTexts(calls).some((text) => text.includes(JSON.stringify(ifVersion).slice(1, -1)))
          assert.ok(isSent, `outbound ${fixture.name}: ifVersion "${ifVersion}" is not sent`)
        }
      },
    },
  ]
}

function tellsVersion(expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return false
  const isCase = 'id' in expected && 'version' in expected
  return isCase || Object.values(expected).some(tellsVersion)
}

/** `keyed`, `probed` or `at_least_once`; undefined for calls without an effect. */
export function effectOf({ connector }: Pick<Subject, 'connector'>, call: string): unknown {
  const [capability = '', name = ''] = call.split('.')
  const of: unknown = Reflect.get(connector.can, capability)
  const effects: unknown = typeof of === 'object' && of !== null ? Reflect.get(of, 'effects') : undefined
  return typeof effects === 'object' && effects !== null ? Reflect.get(effects, name) : undefined
}

export interface Run {
  readonly result: unknown
  readonly error: unknown
  readonly calls: readonly SandboxCall[]
  readonly strangers: readonly string[]
  readonly logged: readonly string[]
}

/** Performs the fixture's call against a stand-in that gives these answers, one after the other. */
async function perform(
  subject: Subject,
  fixture: OutboundFixture,
  answers: readonly SandboxAnswer[],
  args: readonly unknown[] = fixture.args,
): Promise<Run> {
  const left = [...answers]
  const overrun = { status: 418, json: { error: 'the fixture has no further exchange' } }
  const standIn = await createSandbox({
    routes: [{ method: '*', path: '*', answer: () => left.shift() ?? overrun }],
  })
  try {
    const config = configOf(subject, fixture)
    const { ctx, strangers, logged } = testContext(subject.connector, config, new Date(fixture.now), standIn.url)
    const outcome = await invoke(subject, ctx, fixture.call, args).then(
      (result) => ({ result, error: undefined }),
      (error: unknown) => ({ result: undefined, error }),
    )
    return { ...outcome, calls: standIn.requests, strangers, logged }
  } finally {
    await standIn.close()
  }
}

/** Calls `check` or `can.<capability>.<call>`; the pages of `changes.since` are gathered. */
export async function invoke(
  { connector }: Pick<Subject, 'connector'>,
  ctx: Context<unknown>,
  call: string,
  args: readonly unknown[],
): Promise<unknown> {
  if (call === 'check') return connector.check(ctx)
  const { method, holder } = methodOf(connector, call)
  assert.ok(typeof method === 'function', `the connector declares no call ${call}`)
  const result: unknown = await Reflect.apply(method, holder, [ctx, ...args.map(fromFixture)])
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return result
  const pages: unknown[] = []
  for await (const page of iterate(result)) {
    pages.push(page)
    assert.ok(pages.length < 100, `${call} gave 100 pages and no end: it repeats itself`)
  }
  return pages
}

/** `readFile` is a call by itself, `writeCase.revise` one with data of its own. */
function methodOf(connector: Subject['connector'], call: string): { method: unknown; holder: unknown } {
  let holder: unknown
  let method: unknown = connector.can
  for (const name of call.split('.')) {
    holder = method
    method = typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined
  }
  if (typeof method !== 'object' || method === null) return { method, holder }
  return { method: Reflect.get(method, 'run'), holder: method }
}

async function* iterate(source: object): AsyncGenerator<unknown> {
  const start: unknown = Reflect.get(source, Symbol.asyncIterator)
  assert.ok(typeof start === 'function')
  const iterator: AsyncIterator<unknown> = Reflect.apply(start, source, [])
  for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value
}

function recorded(fixture: OutboundFixture): SandboxAnswer[] {
  return fixture.exchange.map(({ response }) => ({
    status: response.status,
    ...(response.headers ? { headers: response.headers } : {}),
    ...(response.json === undefined ? {} : { json: response.json }),
    ...(response.body === undefined ? {} : { body: response.body }),
  }))
}

async function replaysExactly(subject: Subject, fixture: OutboundFixture): Promise<void> {
  const run = await perform(subject, fixture, recorded(fixture))
  assert.deepEqual(run.strangers, [], 'hosts that neither the manifest nor hostsOf names')
  const sent = run.calls.map((call, index) => describe(call, fixture.exchange[index]?.request.headers))
  const expected = fixture.exchange.map(({ request }) => ({
    request: `${request.method} ${canonicalUrl(request.url)}`,
    headers: request.headers ?? {},
    body: request.json === undefined ? (request.body ?? '') : plain(request.json),
  }))
  if (fixture.refused !== undefined) {
    assert.deepEqual(sent, expected)
    assertCode(run.error, [fixture.refused], 'refused by the connector')
    return
  }
  if (run.error !== undefined) {
    assert.deepEqual(sent, expected)
    throw run.error
  }
  assert.deepEqual(sent, expected)
  assert.deepEqual(plain(withText(run.result)), fixture.expected)
  assertNoSecret(subject, fixture, [...run.logged, inspect(run.result, { depth: 20 })])
}

/** A received call in the words of a fixture; of its headers only those the fixture asks for. */
function describe(call: SandboxCall, wanted: Readonly<Record<string, string>> = {}): object {
  const headers = Object.entries(wanted).map(([name, value]) => {
    const given = call.headers[name]
    return [name, value === '*' && given !== undefined ? '*' : given]
  })
  const text = call.body.toString('utf8')
  const isJson = call.headers['content-type']?.includes('json') ?? false
  return {
    request: `${call.method} ${canonicalUrl(`${call.headers[meantOriginHeader]}${call.path}${call.search}`)}`,
    headers: Object.fromEntries(headers),
    body: isJson && text !== '' ? JSON.parse(text) : text,
  }
}

function canonicalUrl(text: string): string {
  const url = new URL(text)
  url.searchParams.sort()
  return `${url.origin}${decodeURIComponent(url.pathname)}?${url.searchParams}`
}

const statuses = [400, 401, 403, 404, 409, 422, 429, 500, 503] as const

async function failsRightly(subject: Subject, fixture: OutboundFixture): Promise<void> {
  for (const [step, { request, errors }] of fixture.exchange.entries()) {
    const before = recorded(fixture).slice(0, step)
    const after = recorded(fixture).slice(step + 1)
    for (const status of statuses) {
      const failure = { status, headers: { 'retry-after': '7' }, json: { error: 'no' } }
      const run = await perform(subject, fixture, [...before, failure, ...after])
      const expected = errors?.[status] ?? fixture.errors?.[status] ?? codeOfStatus(status)
      if (expected === 'handled') continue
      const place = `${status} at request ${step + 1}`
      assertCode(run.error, [expected], place)
      if (status === 429) assert.equal(run.error.retryAfterMs, 7000, `${place}: Retry-After 7 s`)
      assertNoSecret(subject, fixture, [...run.logged, inspect(run.error, { depth: 20 })])
    }
    const lost = errors?.['cut'] ?? fixture.errors?.['cut']
    const usual = request.method === 'GET' ? ['outcome_unknown', 'unavailable'] : ['outcome_unknown']
    const cut = await perform(subject, fixture, [...before, { status: 0, drop: true }])
    assertCode(cut.error, lost === undefined ? usual : [lost], `connection cut at request ${step + 1}`)
    assertNoSecret(subject, fixture, [...cut.logged, inspect(cut.error, { depth: 20 })])
  }
}

function assertCode(error: unknown, expected: readonly unknown[], place: string): asserts error is ConnectorError {
  const shown = error === undefined ? 'no error at all' : inspect(error)
  assert.ok(error instanceof ConnectorError, `${place}: expected ConnectorError ${expected.join(' or ')}, got ${shown}`)
  assert.ok(
    expected.includes(error.code),
    `${place}: expected ${expected.join(' or ')}, got ${error.code} (${error.message})`,
  )
}

async function carriesItsKey(subject: Subject, fixture: OutboundFixture): Promise<void> {
  const key = fixture.args.at(-1)
  assert.ok(
    typeof key === 'string' && key.length >= 8,
    'the last argument must be the idempotency key, at least 8 characters',
  )
  const others = ['0d9c5f1e7a3b48260d9c5f1e7a3b4826', 'f4b1c2d3e5a69788f4b1c2d3e5a69788']
  for (const other of others) {
    const run = await perform(subject, fixture, recorded(fixture), [...fixture.args.slice(0, -1), other])
    assert.ok(
      wireTexts(run.calls).some((text) => text.includes(other)),
      'declared keyed, but the key given to the call is not sent',
    )
  }
}

function assertNoSecret(subject: Subject, fixture: OutboundFixture, texts: readonly string[]): void {
  const given = settingsOf(subject, fixture)
  const secrets = secretValues(settingsSchema(subject), given).filter((secret) => secret.length >= 6)
  for (const secret of secrets) {
    const shown = texts.some((text) => text.includes(secret) || text.includes(Buffer.from(secret).toString('base64')))
    assert.ok(!shown, 'a secret of the settings is in a log line, an error or a result')
  }
}
