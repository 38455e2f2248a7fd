/**
 * `npm run bench`: both sides of each ratio on one machine, in one run, taking turns; the median of five. `-- --json FILE`
 * writes the figures; `-- --rounds N` takes another number of turns; `-- ingest`, `-- effect`, `-- identity`, `-- start`,
 * `-- rules`, `-- delivery` or `-- presses` runs one part; `-- delivery --window 1` is a quick look at windows of one second in
 * place of ten.
 */
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbedded } from '#hub/platform/embedded-postgres.ts'
import { startHubProcess, temporaryFolder } from '#kit/hub-process.ts'
import { measureDelivery } from './delivery.ts'
import { measureIdentity } from './identity.ts'
import { httpRequest, loadAtRate, loadFlatOut, quantile } from './load.ts'
import { measurePresses } from './presses.ts'
import { measureRules } from './rules.ts'
import { createDatabase, type Side, type Sink, startHubSide, startReference, startSink } from './sides.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    window: { type: 'string', default: '10' },
  },
})
const rounds = Number(values.rounds)
/** Long enough for what a hub does at rest to show. */
const settleMs = 20_000
const wants = (part: string) => positionals.length === 0 || positionals.includes(part)
const quiet = { debug() {}, info() {}, warn() {}, error: console.error }

interface Row {
  readonly what: string
  readonly hub: number
  readonly yardstick: number
  readonly ratio: number
  readonly goal: string
}
const rows: Row[] = []
/** What has a goal of its own and no yardstick. */
const starts: { readonly what: string; readonly hub: number; readonly goal: string }[] = []

if (wants('rules')) await benchRules()
if (wants('delivery')) await benchDelivery()
if (wants('presses')) await benchPresses()
if (wants('start')) await benchStart()
if (['ingest', 'effect', 'identity'].some(wants)) await benchWithDatabase()
console.table(Object.fromEntries([...rows, ...starts].map(({ what, ...row }) => [what, row])))
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`
console.log(`median of ${rounds}, ${machine}`)
if (values.json) writeFileSync(values.json, JSON.stringify({ machine, rounds, rows, starts }, null, 2))

async function benchWithDatabase() {
  const data = mkdtempSync(join(tmpdir(), 'deskweave-bench-db-'))
  const postgres = await startEmbedded({ dataDir: data, log: quiet })
  const sink = await startSink()
  try {
    if (wants('ingest')) await benchIngest(postgres.url, sink)
    if (wants('effect')) await benchEffect(postgres.url, sink)
    if (wants('identity')) await benchIdentity(postgres.url)
  } finally {
    sink.stop()
    await postgres.stop()
    rmSync(data, { recursive: true, force: true })
  }
}

/** Not repeated: a run takes ten windows, and both sides have the same ones. */
async function benchDelivery() {
  for (const { what, ratio, refused } of await measureDelivery(Number(values.window))) {
    const isHub = what.startsWith('hub')
    starts.push({ what: `${what}: share of the allowed rate`, hub: ratio, goal: isHub ? '≥ 0.98' : '–' })
    starts.push({ what: `${what}: refused calls`, hub: refused, goal: isHub ? '0' : '–' })
  }
}

/** One run, which has its own good and bad times in it. */
async function benchPresses() {
  const { presses, acknowledged, done, doubles, told, deskSeconds, cardSeconds } = await measurePresses()
  const note = (what: string, hub: number, goal: string) =>
    starts.push({ what: `presses: ${what}`, hub: Number(hub.toFixed(1)), goal })
  note('a second', acknowledged.sent / acknowledged.seconds, '200')
  note('acknowledged, p50 ms', acknowledged.p50Ms, '–')
  note('acknowledged, p99 ms', acknowledged.p99Ms, '< 1000')
  note('acknowledged, longest, ms', acknowledged.maxMs, '< 3000')
  note('not acknowledged', presses - acknowledged.answered2xx, '0')
  note('done in the desks', done, `${presses}`)
  note('done twice', doubles, '0')
  note('cards that said that a desk was away', told, '> 0')
  note('from the last press until all desks had all, s', deskSeconds, '–')
  note('from the last press until no card said so, s', cardSeconds, '–')
}

async function benchRules() {
  const figures = await measureRules(rounds)
  for (const { rules, hub, yardstick } of figures) {
    const goal = rules === 1_000 ? '≥ 1000' : '–'
    add(`${rules} rules, events/s`, [median(hub), median(yardstick)], goal)
  }
  const [few, many] = [100, 1_000].map((rules) => median(figures.find((each) => each.rules === rules)?.hub ?? []))
  if (few === undefined || many === undefined) return
  starts.push({ what: '1,000 rules against 100, times slower', hub: Number((few / many).toFixed(1)), goal: '≤ 6' })
}

/** Accept only: tenant, signature, dedupe and the durable row against express with the signature and nothing behind it. */
async function benchIngest(databaseUrl: string, to: Sink) {
  const hub = await startHubSide('web', await createDatabase(databaseUrl), to.url)
  const express = await startReference('ingest', '', to.url)
  const perSecond = await alternate([hub, express], async (side) => {
    const requests = signed(side, 20_000, () => 0)
    let index = 0
    const result = await loadFlatOut(side.port, 50, () => requests[index++])
    mustBeAll(result.answered2xx, requests.length)
    return result.perSecond
  })
  add('accepted webhooks/s, 50 connections', perSecond, '≥ 0.50')
  await Promise.all([hub.stop(), express.stop()])
}

/** From the webhook to the effect at a sink, and how long it takes at a steady rate. */
async function benchEffect(databaseUrl: string, to: Sink) {
  const hub = await startHubSide('web,worker', await createDatabase(databaseUrl), to.url)
  const reference = await startReference('pipeline', await createDatabase(databaseUrl), to.url)
  const throughput = await alternate([hub, reference], async (side) => {
    const requests = signed(side, 10_000, () => 0)
    const { done } = await to.expect(requests.length)
    const started = Date.now()
    let index = 0
    const result = await loadFlatOut(side.port, 50, () => requests[index++])
    mustBeAll(result.answered2xx, requests.length)
    return (requests.length * 1000) / ((await done).at - started)
  })
  add('event → effect, events/s', throughput, '≥ 0.50')
  const latency = await alternate([hub, reference], async (side) => {
    const startAtMs = Date.now() + 1_000
    const requests = signed(side, 1_000, (index) => startAtMs + index * 10)
    const { done } = await to.expect(requests.length)
    await loadAtRate(side.port, startAtMs, 100, requests)
    return (await done).p99Ms
  })
  add('event → effect at 100/s, p99 ms', latency, '≤ 2')
  await Promise.all([hub.stop(), reference.stop()])
}

/** Who is it: the pipeline's small batches against one person at a time and against batches of thousands. */
async function benchIdentity(databaseUrl: string) {
  const { perSecond, liveBatchMs, profiles } = await measureIdentity(await createDatabase(databaseUrl), rounds)
  const live = median(perSecond.live)
  add('identity, observations/s in batches of 100 (yardstick: one at a time)', [live, median(perSecond.single)], '≥ 10')
  add('identity, the same (yardstick: batches of 5,000)', [live, median(perSecond.bulk)], '≥ 0.25')
  const p99Ms = quantile(
    liveBatchMs.toSorted((a, b) => a - b),
    0.99,
  )
  starts.push({ what: 'identity, p99 of a batch of 100, ms', hub: Number(p99Ms.toFixed(1)), goal: '≤ 10' })
  starts.push({ what: 'identity, profiles, each as in a union-find', hub: profiles, goal: 'all' })
}

/** An empty hub with its own PostgreSQL: how soon it is ready, and what it takes while nothing happens. */
async function benchStart() {
  const figures = { firstMs: [] as number[], nextMs: [] as number[], rssMb: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    const data = temporaryFolder()
    for (const place of ['firstMs', 'nextMs'] as const) {
      const startedMs = performance.now()
      const hub = await startHubProcess({ dataDir: data.path, env: { NODE_ENV: 'production' } })
      figures[place].push(performance.now() - startedMs)
      if (place === 'nextMs') {
        await new Promise((resolve) => setTimeout(resolve, settleMs))
        figures.rssMb.push(rssMb(hub.pid))
      }
      await hub.stop()
    }
    data.remove()
  }
  const note = (what: string, values: readonly number[], goal: string) =>
    starts.push({ what, hub: Math.round(median(values)), goal })
  note('start to ready, empty data folder, ms', figures.firstMs, '< 3000')
  note('start to ready, existing data folder, ms', figures.nextMs, '< 1000')
  note('idle hub process, MB resident', figures.rssMb, '< 130')
}

/** Resident memory as Linux counts it. */
function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

async function alternate(sides: readonly [Side, Side], measure: (side: Side) => Promise<number>) {
  const figures: [number[], number[]] = [[], []]
  // One turn each to warm up.
  for (const side of sides) await measure(side)
  for (let round = 0; round < rounds; round += 1) {
    for (const index of [0, 1] as const) figures[index].push(await measure(sides[index]))
  }
  return figures.map(median) as [number, number]
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function add(what: string, [hub, yardstick]: readonly [number, number], goal: string) {
  const round = (value: number) => Number(value.toFixed(value < 100 ? 2 : 0))
  rows.push({ what, hub: round(hub), yardstick: round(yardstick), ratio: Number((hub / yardstick).toFixed(2)), goal })
}

function mustBeAll(got: number, wanted: number) {
  if (got !== wanted) throw new Error(`${wanted - got} of ${wanted} requests were not answered 2xx`)
}

/** About 1 KB each: a new case of one of the customers, signed as Standard Webhooks says. */
function signed(side: Side, count: number, sentAtMs: (index: number) => number): Buffer[] {
  const key = Buffer.from(side.secret.replace('whsec_', ''), 'base64')
  const run = randomUUID().slice(0, 8)
  return Array.from({ length: count }, (_, index) => {
    const id = `msg_${run}_${index}`
    const now = new Date().toISOString()
    const person = index % Math.ceil(count / 4)
    const timestamp = String(Math.floor(Date.now() / 1000))
    const body = JSON.stringify({
      type: 'case',
      occurred_at: now,
      case: {
        id: `${run}-${index}`,
        subject: 'The invoice of last month shows a wrong amount',
        status: 'open',
        priority: 'high',
        channel: 'email',
        tags: ['billing', 'invoice'],
        requester: {
          id: `${run}-person-${person}`,
          name: `Customer ${person}`,
          emails: [`${run}.${person}@customers.example`],
          phones: [],
          locale: 'en-GB',
          traits: { plan: 'pro' },
        },
        team: 'billing',
        url: `https://desk.example/cases/${run}-${index}`,
        created_at: now,
        updated_at: now,
        custom: { sent_at_ms: String(sentAtMs(index)), note: 'x'.repeat(380) },
      },
    })
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    }
    return httpRequest(side.path, headers, body)
  })
}
