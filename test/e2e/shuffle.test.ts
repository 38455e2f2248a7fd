/** Deliveries come late, twice and in any order; what the hub holds in the end is the same. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { profileDetails, rootsOfLeaves } from '#hub/identity/index.ts'
import { createInbox, type Inbox } from '#hub/inbox/index.ts'
import { workInbox } from '#hub/pipeline/index.ts'
import { createRuleBook, type RuleBook } from '#hub/pipeline/rule-book.ts'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'

const database = testDatabase()
let hub: TestHub
let inbox: Inbox
let rules: RuleBook

beforeAll(async () => {
  // The test itself works the inbox, so that it rules where one batch ends.
  hub = await startTestHub(database, { env: { DESKWEAVE_ROLE: 'web' } })
  inbox = createInbox(hub.running.hub.intake, () => {})
  rules = createRuleBook(hub.running.hub.signals)
})
afterAll(() => hub?.stop())

type Desk = 'A' | 'B'
interface News {
  readonly desk: Desk
  readonly body: object
}
/** Some news, and whether the hub works what it has before it hears the next. */
type Delivery = News & { readonly pause: boolean }

const addresses = ['ana@acme.example', 'ana@home.example', 'ruiz@acme.example', 'a.ruiz@mail.example']
const person = fc.record(
  {
    id: fc.constantFrom('U-1', 'U-2', 'U-3'),
    name: fc.constantFrom('Ana Ruiz', 'Ana', 'A. Ruiz'),
    emails: fc.subarray(addresses, { maxLength: 2 }),
    phones: fc.subarray(['+34600111222', '+34600111333'], { maxLength: 1 }),
    locale: fc.constantFrom('es-ES', 'en'),
    company: fc.record({ id: fc.constantFrom('C-1', 'C-2'), name: fc.constantFrom('Acme', 'Acme Inc') }),
    traits: fc.record({ plan: fc.constantFrom('pro', 'free', null) }, { requiredKeys: [] }),
    verified: fc.constantFrom(true, true, true, false),
  },
  { requiredKeys: ['id'] },
)
const oneCase = fc.record(
  {
    id: fc.constantFrom('T-1', 'T-2'),
    subject: fc.constantFrom('Invoice', 'Invoice wrong'),
    status: fc.constantFrom('new', 'open', 'pending', 'solved', 'closed'),
    priority: fc.constantFrom('low', 'urgent', null),
    tags: fc.subarray(['vip', 'billing', 'eu']),
    requester: person,
    assignee: fc.constantFrom(
      null,
      { id: 'A-1', email: 'leo@desk.example' },
      { id: 'A-2', email: 'noor@desk.example' },
    ),
    team: fc.constantFrom('Support', null),
    custom: fc.record({ plan: fc.constantFrom('a', 'b'), seats: fc.constantFrom(1, null) }, { requiredKeys: [] }),
    url: fc.constantFrom('https://desk.example/1', 'https://desk.example/2'),
    deleted: fc.constantFrom(true, false),
  },
  { requiredKeys: ['id'] },
)
const message = fc
  .record({
    n: fc.integer({ min: 1, max: 4 }),
    visibility: fc.constantFrom('public', 'internal'),
    kind: fc.constantFrom('customer', 'agent'),
    text: fc.constantFrom('Help', 'Help!', 'Thank you'),
  })
  .map(({ n, visibility, kind, text }) => ({
    id: `M-${n}`,
    case_id: `T-${1 + (n % 2)}`,
    visibility,
    author: { kind },
    text,
    sent_at: '2026-11-22T10:00:00Z',
  }))
const rating = fc.record({
  case_id: fc.constantFrom('T-1', 'T-2'),
  scale: fc.constant('csat_5'),
  score: fc.integer({ min: 1, max: 5 }),
})
const told = fc.oneof(
  { weight: 4, arbitrary: oneCase.map((one) => ({ type: 'case', case: one })) },
  { weight: 2, arbitrary: message.map((one) => ({ type: 'message', message: one })) },
  { weight: 2, arbitrary: person.map((one) => ({ type: 'person', person: one })) },
  { weight: 1, arbitrary: rating.map((one) => ({ type: 'rating', rating: one })) },
)
const stream = fc
  .array(fc.record({ desk: fc.constantFrom<Desk>('A', 'B'), body: told }), { minLength: 5, maxLength: 30 })
  .map((list) =>
    list.map(({ desk, body }, minute): News => {
      const occurred_at = new Date(Date.UTC(2026, 10, 22, 10, minute)).toISOString()
      return { desk, body: { ...body, occurred_at } }
    }),
  )
const shuffled = stream.chain((news) =>
  fc.array(fc.constantFrom(...news), { maxLength: 15 }).chain((copies) => {
    const all = [...news, ...copies]
    return fc.tuple(
      fc.constant(news),
      fc
        .tuple(
          fc.shuffledSubarray(all, { minLength: all.length }),
          fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }),
        )
        .map(([order, pauses]) => order.map((one, index): Delivery => ({ ...one, pause: pauses[index] ?? false }))),
    )
  }),
)

let plays = 0

/** Plays a stream into two desks of its own, among people of its own. @returns what the hub holds in the end. */
async function play(deliveries: readonly Delivery[]): Promise<unknown> {
  plays += 1
  const suffix = String(plays).padStart(3, '0')
  const desks = new Map<Desk, string>()
  for (const desk of ['A', 'B'] as const) {
    desks.set(desk, await hub.connect('desk', `${desk} ${suffix}`, { config: {}, connect() {} }))
  }
  const own = (body: object) =>
    JSON.stringify(body)
      .replaceAll(/(acme|home|mail)\.example/g, `$1-${suffix}.example`)
      .replaceAll('+34600111', `+346${10_000 + plays}`)
  for (const [index, { desk, body, pause }] of deliveries.entries()) {
    const connectionId = desks.get(desk) ?? ''
    await inbox.put([
      { connectionId, key: `msg_${index}`, body: Buffer.from(own(body)), source: 'webhook', state: 'pending' },
    ])
    if (pause) await work()
  }
  await work()
  const held = JSON.stringify(await holdings([...desks.values()]))
    .replaceAll(`-${suffix}.example`, '.example')
    .replaceAll(`+346${10_000 + plays}`, '+34600111')
  return canonical(JSON.parse([...desks].reduce((text, [desk, id]) => text.replaceAll(id, `con_${desk}`), held)))
}

async function work(): Promise<void> {
  await workInbox(hub.running.hub, rules, new AbortController().signal)
  const { rows } = await hub.running.hub.intake.query(`select reason from inbox where state <> 'done'`)
  expect(rows).toEqual([])
}

async function holdings(desks: readonly string[]): Promise<unknown> {
  const { db, intake } = hub.running.hub
  const query = async (text: string) => (await intake.query<Record<string, unknown>>(text, [desks])).rows
  const records = await query(
    `select connection_id || '/' || external_id as record, profile_id from person_records where connection_id = any($1)`,
  )
  const roots = await rootsOfLeaves(
    db,
    records.map((one) => String(one['profile_id'])),
  )
  const recordsOf = (root: unknown) =>
    records.flatMap((one) => (roots.get(String(one['profile_id'])) === root ? String(one['record']) : [])).toSorted()
  const requesterOf = (leaf: unknown) => (leaf === null ? null : recordsOf(roots.get(String(leaf))))
  const details = await profileDetails(db, [...new Set(roots.values())])
  const cases = await query(
    `select link.connection_id, link.external_id, link.base, link.url, link.deleted_at is not null as deleted,
       subject, status, priority, channel, tags, requester_id, assignee, team, custom, cases.created_at
     from case_links link join cases on cases.id = link.case_id where connection_id = any($1)`,
  )
  return {
    people: [...details.values()].map(({ id, name, identities, traits, company, open_cases }) => ({
      records: recordsOf(id),
      name,
      identities: identities.map((one) => JSON.stringify(one)).toSorted(),
      // The value that counts; which of two equal sources it is told from hangs on the ids of connections.
      traits: Object.fromEntries(
        Object.entries(traits).map(([trait, { value }]) => [trait, Array.isArray(value) ? value.toSorted() : value]),
      ),
      company: company && { ...company, id: undefined },
      open_cases,
    })),
    cases: cases.map(({ requester_id, base, custom, ...one }) => ({
      ...one,
      // A field that is empty is as good as one that nobody told of.
      custom: Object.fromEntries(Object.entries(custom as object).filter(([, value]) => value !== null)),
      requester: requesterOf(requester_id),
      base: Object.fromEntries(
        Object.entries(base as Record<string, { value: unknown; at: string }>).map(([field, { value, at }]) => [
          field,
          { at, value: field === 'requester' ? requesterOf(value) : value },
        ]),
      ),
    })),
    messages: await query(
      `select connection_id, external_id, visibility, author, text, html, attachments, sent_at, told_at
       from messages where connection_id = any($1)`,
    ),
    ratings: await query(
      `select connection_id, data, occurred_at from events where type = 'rating.received' and connection_id = any($1)`,
    ),
    openings: await query(
      `select link.connection_id, link.external_id from events join case_links link on link.case_id = events.case_id
       where type = 'case.created' and link.connection_id = any($1)`,
    ),
    waiting: await query(
      `select distinct connection_id, case_external_id, observation - 'text' as observation
       from parked_observations where connection_id = any($1)`,
    ),
  }
}

/** Keys in order, and lists of records too. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(canonical).toSorted((a, b) => compare(JSON.stringify(a), JSON.stringify(b)))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => compare(a, b))
      .map(([key, inner]) => [key, canonical(inner)]),
  )
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

describe('news of two desks', () => {
  it('end in the same state however they are shuffled, repeated and batched', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(shuffled, async ([ordered, deliveries]) => {
        const straight = await play(ordered.map((news) => ({ ...news, pause: true })))
        expect(await play(deliveries)).toEqual(straight)
      }),
      { numRuns: Number(process.env['SHUFFLES'] ?? 15), interruptAfterTimeLimit: 40_000, markInterruptAsFailure: true },
    )
  })
})
