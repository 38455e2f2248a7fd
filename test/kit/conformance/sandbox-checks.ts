/** The connector and its sandbox play together over real HTTP: what chance does to webhooks must not change what is known. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { z } from 'zod'
import type { Page } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { createSandbox, type StartSandbox, type VendorSandbox } from '#hub/connector/sandbox.ts'
import { isSigningSecret } from '#hub/connector/signing-secret.ts'
import { chatChecks, type Play } from './chat-checks.ts'
import { type Check, noKeys, plain, type Subject } from './check.ts'
import { readItems } from './inbound-checks.ts'
import { observationSchema } from './observation.ts'
import { effectOf, invoke } from './outbound-checks.ts'
import { reasonAgainst } from './quality.ts'
import { testContext } from './test-http.ts'

const now = new Date('2026-11-20T10:15:30Z')
/** The webhook secret that the hub would make: long enough and valid base64, so that every scheme can use it. */
const hubsSecret = 'whsec_S2l0U2VjcmV0MDEyMzQ1Njc4OWFiY2RlZg=='
/** As in the hub: what an admin enters (the vendor's own secret, its public key) counts before ours. */
function webhookSecret({ config }: VendorSandbox): string {
  const [entered] = Object.entries(config).flatMap(([name, value]) => (isSigningSecret(name) ? [value] : []))
  return typeof entered === 'string' ? entered : hubsSecret
}

export function sandboxChecks(subject: Subject): Check[] {
  const { sandbox: start, connector } = subject
  if (!start) {
    const skip = reasonAgainst(subject.quality, 'sandbox')
    const run = () =>
      assert.fail('pass startSandbox to conformance(), or say in quality.json why there is none (sandbox)')
    return [{ name: 'sandbox: plays the vendor', run, ...(skip === undefined ? {} : { skip }) }]
  }
  const check = (name: string, run: (sandbox: VendorSandbox) => Promise<void>): Check => ({
    name: `sandbox: ${name}`,
    run: () => withSandbox(start, run),
  })
  const checks = [
    check('its settings are accepted, and check() finds the account', async (sandbox) => {
      const { account } = await connector.check(contextTo(subject, sandbox))
      assert.ok(account.length > 0)
    }),
    check('Retry-After becomes the wait the vendor asked for', async (sandbox) => {
      const fixture = subject.outbound.find((one) => one.exchange.length > 0)
      assert.ok(fixture, 'no outbound fixture with an exchange')
      sandbox.faults.set({ failRate: 1, status: 429, retryAfter: 7 })
      const error = await invoke(subject, contextTo(subject, sandbox), fixture.call, fixture.args).catch(
        (thrown: unknown) => thrown,
      )
      assert.ok(error instanceof ConnectorError, `expected rate_limited, got ${error}`)
      assert.deepEqual([error.code, error.retryAfterMs], ['rate_limited', 7000])
    }),
  ]
  if (effectOf(subject, 'writeCase.create') === 'keyed')
    checks.push(check('a repeated create has one effect', (sandbox) => createsOnce(subject, sandbox)))
  if (effectOf(subject, 'writeCase.create') === 'probed')
    checks.push(
      check('find() finds a case that was written, and none that was not', (sandbox) =>
        findsWhatWasWritten(subject, sandbox),
      ),
    )
  if (!connector.can.receive) return checks
  return [...checks, ...webhookChecks(subject, start), ...chatChecks(subject, (use) => playChat(subject, start, use))]
}

async function playChat(subject: Subject, start: StartSandbox, use: Parameters<Play>[0]): Promise<void> {
  const seen: Seen = { items: new Map(), refused: 0, deliveries: 0 }
  await withSandbox(start, async (sandbox) => {
    await withHub(subject, sandbox, seen, async () => {
      await use(sandbox, contextTo(subject, sandbox), { all: () => [...seen.items.values()].flat() })
    })
  })
  assert.equal(seen.refused, 0, 'requests that verify() refused')
}

function webhookChecks(subject: Subject, start: StartSandbox): Check[] {
  const known = async (play: (sandbox: VendorSandbox) => Promise<void>) => {
    const seen: Seen = { items: new Map(), refused: 0, deliveries: 0 }
    await withSandbox(start, async (sandbox) => {
      await withHub(subject, sandbox, seen, async () => {
        await play(sandbox)
        await sandbox.webhooks.settled()
      })
    })
    return seen
  }
  const plainPlay = (sandbox: VendorSandbox) => sandbox.play()
  const lost: Check = {
    name: 'sandbox: reading finds what lost webhooks were about',
    run: async () => {
      const told = caseIds([...(await known(plainPlay)).items.values()].flat())
      const since = async (cursor: string | undefined) => {
        const read = await withSandbox(start, async (sandbox) => {
          const ctx = contextTo(subject, sandbox)
          const first = await pages(subject, ctx, undefined)
          sandbox.webhooks.faults.set({ loseRate: 1 })
          await sandbox.play()
          return await pages(subject, ctx, cursor ?? first.at(-1)?.cursor)
        })
        for (const one of read.flatMap((page) => page.observations)) observationSchema.parse(one)
        return read
      }
      const read = await since(undefined)
      const idsIn = (found: readonly Page[]) => caseIds(found.flatMap((page) => page.observations))
      assert.ok(told.length > 0, 'the scene is about no case')
      assert.deepEqual(missing(told, idsIn(read)), [], 'cases that changes() did not find')
      for (const [index, { cursor }] of read.slice(0, -1).entries()) {
        const rest = idsIn(read.slice(index + 1))
        assert.deepEqual(
          missing(rest, idsIn(await since(cursor))),
          [],
          `cases not found from the cursor of page ${index + 1} on`,
        )
      }
    },
  }
  const noPolling = reasonAgainst(subject.quality, 'poll_fallback')
  return [
    {
      name: 'sandbox: its webhooks are authentic and readable',
      async run() {
        const seen = await known(plainPlay)
        assert.equal(seen.refused, 0, 'webhooks that verify() refused')
        assert.ok(seen.items.size >= 3, `a scene has at least three webhooks; this one had ${seen.items.size}`)
        assert.ok([...seen.items.values()].flat().length > 0, 'no webhook said anything')
      },
    },
    {
      name: 'sandbox: doubled and late webhooks say the same, each thing once',
      async run() {
        const clean = await known(plainPlay)
        const rough = await known(async (sandbox) => {
          sandbox.webhooks.faults.set({ duplicateRate: 1, lateRate: 0.5 })
          await sandbox.play()
          await sandbox.webhooks.sendLate()
        })
        assert.ok(rough.deliveries > rough.items.size, 'nothing was doubled: give the scene more webhooks')
        assert.deepEqual(sorted(rough), sorted(clean))
      },
    },
    ...(subject.connector.can.readCases
      ? [
          {
            name: 'sandbox: readCases reads the cases that its webhooks were about',
            run: () => readsCases(subject, start),
          },
        ]
      : []),
    subject.connector.can.changes || noPolling === undefined ? lost : { ...lost, skip: noPolling },
  ]
}

async function withSandbox<T>(start: StartSandbox, use: (sandbox: VendorSandbox) => Promise<T>): Promise<T> {
  const sandbox = await start({ seed: 11, now: () => now })
  try {
    return await use(sandbox)
  } finally {
    await sandbox.close()
  }
}

function contextTo(subject: Subject, sandbox: VendorSandbox) {
  const config = subject.connector.config.parse(sandbox.config)
  return testContext(subject.connector, config, now, sandbox.url).ctx
}

interface Seen {
  /** Observations by item key: the first delivery of a key counts. */
  readonly items: Map<string, readonly Observation[]>
  refused: number
  deliveries: number
}

/** A stand-in of the hub's intake: verify, split, keep each key once, read. */
async function withHub(subject: Subject, sandbox: VendorSandbox, seen: Seen, use: () => Promise<void>): Promise<void> {
  const { receive } = subject.connector.can
  assert.ok(receive)
  const secret = webhookSecret(sandbox)
  const ctx = { config: subject.connector.config.parse(sandbox.config), now: () => now }
  const hub = await createSandbox({
    routes: [
      {
        method: '*',
        path: '*',
        async answer({ method, path, query, headers, body }) {
          const url = `${hub.url}${path}${query.size > 0 ? `?${query}` : ''}`
          const request = { method, url, headers, body }
          const reply = receive.handshake?.(request, ctx)
          if (reply) return reply
          if (!(await receive.verify(request, secret, ctx, subject.publishedKeys ?? noKeys)).ok) {
            seen.refused += 1
            return { status: 401 }
          }
          const items = receive.items(request, ctx)
          for (const item of items) {
            seen.deliveries += 1
            if (seen.items.has(item.key)) continue
            seen.items.set(item.key, (await readItems({ receive, ctx }, [item])).observations)
          }
          const [first] = items
          return (first && subject.connector.can.chat?.reply(first, undefined, ctx)) ?? { status: 202 }
        },
      },
    ],
  })
  try {
    sandbox.connect({ url: `${hub.url}/hooks/c_1`, secret })
    await use()
  } finally {
    await hub.close()
  }
}

async function readsCases(subject: Subject, start: StartSandbox): Promise<void> {
  const { readCases } = subject.connector.can
  assert.ok(readCases)
  await withSandbox(start, async (sandbox) => {
    const seen: Seen = { items: new Map(), refused: 0, deliveries: 0 }
    await withHub(subject, sandbox, seen, async () => {
      await sandbox.play()
      await sandbox.webhooks.settled()
    })
    const told = caseIds([...seen.items.values()].flat())
    const read = await readCases.get(contextTo(subject, sandbox), told)
    for (const facts of read)
      observationSchema.parse({ type: 'case', occurredAt: now.toISOString(), byHub: false, case: facts })
    const ids = read.map(({ id }) => id)
    assert.deepEqual(missing(told, ids), [], 'cases that webhooks told of and readCases() did not give')
    assert.deepEqual(missing(ids, told), [], 'cases that readCases() gave and nobody asked for')
  })
}

async function createsOnce(subject: Subject, sandbox: VendorSandbox): Promise<void> {
  const fixture = subject.outbound.find((one) => one.call === 'writeCase.create')
  assert.ok(fixture, 'no outbound fixture for writeCase.create')
  const ctx = contextTo(subject, sandbox)
  sandbox.faults.set({ dropAnswerAfterEffect: 1 })
  await invoke(subject, ctx, fixture.call, fixture.args).catch(() => undefined)
  sandbox.faults.set({})
  await invoke(subject, ctx, fixture.call, fixture.args)
  const outcomes = sandbox.requests.filter((call) => call.idempotencyKey !== undefined).map((call) => call.outcome)
  assert.deepEqual(outcomes, ['answer_dropped', 'repeated'], 'the second attempt must be recognised by its key')
}

/** To `find`, a written call and one whose answer was lost are the same. `unknown` is an answer, too: then the hub marks it. */
async function findsWhatWasWritten(subject: Subject, sandbox: VendorSandbox): Promise<void> {
  const key = '7c1e0a64f2b94d0e8a35d1c2b3a49586'
  const requester = { name: 'Ana García', emails: ['ana@acme.example'] }
  const draft = { subject: 'Call back', text: 'Please call Ana.', visibility: 'public', requester }
  const ctx = contextTo(subject, sandbox)
  const find = () => invoke(subject, ctx, 'writeCase.find', ['create', 'aaaaaaaaaaaaaaaa', key])
  const before = await find()
  assert.ok(before === undefined || before === 'unknown', `found before it was written: ${inspect(before)}`)
  const written = receipt.parse(await invoke(subject, ctx, 'writeCase.create', [draft, key]))
  const after = await find()
  if (after === 'unknown') return
  assert.ok(after !== undefined, `written as ${written.externalId}, and find() says that it is not there`)
  assert.equal(receipt.parse(after).externalId, written.externalId, 'find() found something else than was written')
}
const receipt = z.looseObject({ externalId: z.string() })

async function pages(subject: Subject, ctx: ReturnType<typeof contextTo>, cursor: string | undefined) {
  const { changes } = subject.connector.can
  assert.ok(changes, 'the connector has no changes(); say in quality.json why (poll_fallback)')
  const all = []
  for await (const page of changes.since(ctx, cursor)) all.push(page)
  return all
}

function caseIds(observations: readonly Observation[]): string[] {
  const ids = observations.flatMap((one) => {
    if (one.type === 'case') return [one.case.id]
    return one.type === 'pointer' && one.entity === 'case' ? [one.id] : []
  })
  return [...new Set(ids)]
}

const missing = (wanted: readonly string[], found: readonly string[]) => wanted.filter((id) => !found.includes(id))

const anyPort = /127\.0\.0\.1:\d+/g

function sorted(seen: Seen): string[] {
  return [...seen.items]
    .map(([key, observations]) => JSON.stringify([key, plain(observations)]).replaceAll(anyPort, 'the sandbox'))
    .sort()
}
