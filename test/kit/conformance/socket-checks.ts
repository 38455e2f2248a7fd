/** For connectors that speak another protocol than HTTP: what must hold at a server that really speaks it. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { Page } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { type Check, configOf, type Subject } from './check.ts'
import { observationSchema } from './observation.ts'
import { secretValues, settingsSchema } from './static-checks.ts'
import { testContext } from './test-http.ts'

/** A server of the vendor's kind on this machine. */
export interface SocketServer {
  /** Settings for a connection to it, as an admin would enter them. */
  readonly config: Readonly<Record<string, unknown>>
  /** Something happens that `changes` has to tell of. */
  play(): Promise<void>
  close(): Promise<void>
}
export type StartServer = () => Promise<SocketServer>

const now = new Date('2026-11-20T10:15:30Z')
const key = '7c1e0a64f2b94d0e8a35d1c2b3a49586'

export function socketChecks(subject: Subject, start: StartServer): Check[] {
  const { connector } = subject
  const check = (name: string, run: (server: SocketServer) => Promise<void>): Check => ({
    name: `sockets: ${name}`,
    async run() {
      const server = await start()
      try {
        await run(server)
      } finally {
        await server.close()
      }
    },
  })
  return [
    check('its settings are accepted, and check() finds the account', async (server) => {
      const { ctx, logged } = contextTo(subject, server.config)
      const { account } = await connector.check(ctx)
      assert.ok(account.length > 0)
      assertNoSecret(subject, server.config, logged)
    }),
    check('wrong credentials are auth_failed, and no secret is told', async (server) => {
      const config = { ...server.config, ...wrongSecrets(subject, server.config) }
      await fails(subject, config, ['auth_failed'], (ctx) => connector.check(ctx))
    }),
    check('a server that is not there is unavailable', async (server) => {
      await server.close()
      await fails(subject, server.config, ['unavailable'], (ctx) => connector.check(ctx))
      const { changes } = connector.can
      if (changes) await fails(subject, server.config, ['unavailable'], (ctx) => gather(changes.since(ctx, undefined)))
    }),
    ...readingChecks(subject, check),
    ...probeChecks(subject, check),
  ]
}

type MakeCheck = (name: string, run: (server: SocketServer) => Promise<void>) => Check

function readingChecks(subject: Subject, check: MakeCheck): Check[] {
  const { changes } = subject.connector.can
  if (!changes) return []
  return [
    check('reading finds what came since, says the same twice, and goes on from each cursor', async (server) => {
      const { ctx } = contextTo(subject, server.config)
      const read = (cursor: string | undefined) => gather(changes.since(ctx, cursor))
      const before = (await read(undefined)).at(-1)?.cursor
      assert.ok(before !== undefined, 'the first reading gave no cursor')
      await server.play()
      const pages = await read(before)
      assert.ok(observationsIn(pages).length > 0, 'what came since the first reading was not found')
      for (const observation of observationsIn(pages)) observationSchema.parse(observation)
      assert.deepEqual(observationsIn(await read(before)), observationsIn(pages), 'the second reading differs')
      for (const [index, { cursor }] of pages.entries()) {
        const rest = observationsIn(pages.slice(index + 1))
        assert.deepEqual(observationsIn(await read(cursor)), rest, `read on from page ${index + 1}`)
      }
    }),
  ]
}

/** `find` must not see what was never written: the hub would take an unsent effect for done. */
function probeChecks(subject: Subject, check: MakeCheck): Check[] {
  const { writeCase } = subject.connector.can
  if (!writeCase?.find) return []
  return [
    check('find() does not find what was never written', async (server) => {
      const { ctx } = contextTo(subject, server.config)
      for (const call of ['create', 'message'] as const) {
        if (writeCase.effects[call] !== 'probed') continue
        const found = await writeCase.find?.(ctx, call, 'aaaaaaaaaaaaaaaa', key)
        assert.ok(found === undefined || found === 'unknown', `${call}: found ${inspect(found)}`)
      }
    }),
  ]
}

function contextTo(subject: Subject, given: SocketServer['config']) {
  const config = configOf({ ...subject, exampleConfig: given }, {})
  return testContext(subject.connector, config, now, 'http://127.0.0.1:9')
}

async function fails(
  subject: Subject,
  config: SocketServer['config'],
  codes: readonly string[],
  call: (ctx: ReturnType<typeof contextTo>['ctx']) => Promise<unknown>,
): Promise<void> {
  const { ctx, logged } = contextTo(subject, config)
  const error = await call(ctx).then(
    () => assert.fail(`expected ${codes.join(' or ')}, and it worked`),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof ConnectorError, `expected ConnectorError ${codes.join(' or ')}, got ${inspect(error)}`)
  assert.ok(codes.includes(error.code), `expected ${codes.join(' or ')}, got ${error.code} (${error.message})`)
  assertNoSecret(subject, config, [...logged, error.message])
}

/** Every secret of the top level replaced by another of the same length. */
function wrongSecrets(subject: Subject, config: SocketServer['config']): Record<string, string> {
  const secrets = secretValues(settingsSchema(subject), config)
  const wrong = Object.entries(config).filter(([, value]) => typeof value === 'string' && secrets.includes(value))
  return Object.fromEntries(wrong.map(([name, value]) => [name, 'x'.repeat(String(value).length)]))
}

function assertNoSecret(subject: Subject, config: SocketServer['config'], texts: readonly string[]): void {
  for (const secret of secretValues(settingsSchema(subject), config)) {
    const isShown = texts.some((text) => text.includes(secret) || text.includes(Buffer.from(secret).toString('base64')))
    assert.ok(!isShown, 'a secret of the settings is in a log line or an error')
  }
}

function observationsIn(pages: readonly Page[]): readonly Observation[] {
  return pages.flatMap((page) => page.observations)
}

async function gather(pages: AsyncIterable<Page>): Promise<readonly Page[]> {
  const all: Page[] = []
  for await (const page of pages) {
    all.push(page)
    assert.ok(all.length < 100, 'changes gave 100 pages and no end')
  }
  return all
}
