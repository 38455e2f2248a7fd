import { sql } from 'kysely'
import { Webhook } from 'standardwebhooks'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Delivered, type OnReceipts, replay, webhookSigningSecret } from '#hub/delivery/index.ts'
import { recentSends } from '#hub/delivery/store.ts'
import { fakeClock, testDatabase } from '#kit'
import { bodyOf, localServer, reply } from '../platform/local-server.ts'
import { type Fault, openShop, openTill, passTime, rows, type Shop, till, update, type Vendor } from './till.ts'

const database = testDatabase()
let vendor: Vendor
let shop: Shop

beforeEach(async () => {
  await database.reset()
  vendor = await openTill()
  shop = await openShop(database, vendor)
})

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
const states = async () =>
  Object.groupBy(
    (await rows(shop.db)).map(({ state }) => state),
    (state) => state,
  )
/** The same choice for the same number, without a pattern that a schedule could hit. */
const chance = (seed: number) => ((Math.imul(seed + 1, 2_654_435_761) >>> 8) % 1_000) / 1_000

describe('delivery', () => {
  it('performs every effect exactly once at 30 % faults, answers lost after the effect among them', async () => {
    const faults: readonly Fault[] = ['500', '503', 'reset', '500 after', 'reset after']
    vendor.fault = (call) => (chance(call) < 0.3 ? (faults[call % faults.length] ?? 'none') : 'none')
    const keyed = numbers(200).map((n) => update(`k${n}`, `case-${n}`))
    const probed = numbers(100).map((n) => ({
      key: `p${n}`,
      action: {
        type: 'case.message' as const,
        externalId: `case-${n}`,
        message: { visibility: 'internal' as const, text: 'hello' },
        author: { kind: 'system' as const },
      },
    }))
    await shop.put([...keyed, ...probed])
    await shop.workOff(shop.deliver())
    expect(Object.keys(await states())).toEqual(['sent'])
    expect(vendor.effects.map(({ key }) => key).sort()).toEqual([...keyed, ...probed].map(({ key }) => key).sort())
    expect(vendor.calls.length).toBeGreaterThan(350)
  })

  it('repeats an at-least-once effect once and marks it', async () => {
    vendor.fault = (call) => (call === 0 ? 'reset after' : 'none')
    await shop.put([{ key: 'n1', action: { type: 'notify', notice: { to: '#ops', text: 'hello' } } }])
    await shop.workOff(shop.deliver())
    expect(vendor.effects).toHaveLength(2)
    expect(await rows(shop.db)).toMatchObject([{ state: 'sent', possibly_sent: true }])
  })

  it('keeps the order of each case, whatever has to be repeated', async () => {
    vendor.fault = (call) => (chance(call) < 0.2 ? '503' : 'none')
    const entries = numbers(12).flatMap((step) =>
      numbers(50).map((n) => update(`${n}-${String(step).padStart(2, '0')}`, `case-${n}`)),
    )
    await shop.put(entries)
    await shop.workOff(shop.deliver())
    expect(vendor.effects).toHaveLength(600)
    const byCase = Map.groupBy(vendor.effects, ({ id }) => id)
    expect(byCase.size).toBe(50)
    for (const effects of byCase.values()) {
      const keys = effects.map(({ key }) => key)
      expect(keys).toEqual([...keys].sort())
    }
  })

  it('waits as long as a 429 asks and then sends all', async () => {
    vendor.fault = (call) => (call === 3 ? '429' : 'none')
    await shop.put(numbers(20).map((n) => update(`k${n}`, `case-${n}`)))
    await shop.workOff(shop.deliver())
    expect(vendor.effects).toHaveLength(20)
    expect(vendor.calls).toHaveLength(21)
  }, 30_000)

  it('tells what the receipts mean in the transaction that settles them', async () => {
    const told: Delivered[] = []
    await shop.put([update('k1', 'case-1')])
    const delivery = shop.deliver({
      async onReceipts(trx, delivered) {
        await note(trx, delivered)
        expect(await notes()).toEqual([])
        told.push(...delivered)
      },
    })
    await delivery.drain()
    expect(told).toMatchObject([
      {
        entry: { key: 'k1', connection_id: shop.connectionId, action: { type: 'case.update' } },
        receipt: { externalId: 'k1', version: 'after k1' },
      },
    ])
    expect(await notes()).toEqual(['k1'])
    expect(await rows(shop.db)).toMatchObject([{ state: 'sent', receipt: { externalId: 'k1' }, error: null }])
  })

  it('does not lose or repeat a delivery whose receipt cannot be taken in', async () => {
    await shop.put(numbers(5).map((n) => update(`k${n}`, `case-${n}`)))
    const delivery = shop.deliver({
      async onReceipts(_trx, delivered) {
        if (delivered.some(({ entry }) => entry.key === 'k3')) throw new Error('unreadable receipt')
      },
    })
    await shop.workOff(delivery)
    expect(vendor.effects).toHaveLength(5)
    expect(Object.keys(await states())).toEqual(['sent'])
  })
})

describe('dead letters', () => {
  it('take what is refused for good, after one attempt and with the reason', async () => {
    vendor.fault = (_call, { key }) => (key === 'bad' ? '400' : 'none')
    await shop.put([update('bad', 'case-1'), update('good', 'case-1')])
    await shop.workOff(shop.deliver())
    expect(vendor.calls.map(({ key }) => key)).toEqual(['bad', 'good'])
    expect(await rows(shop.db)).toMatchObject([
      {
        key: 'bad',
        state: 'dead',
        attempts: 1,
        error: { code: 'rejected', message: expect.stringContaining('answered 400: fault') },
      },
      { key: 'good', state: 'sent' },
    ])
  })

  it('take what the connector cannot do', async () => {
    await shop.put([
      { key: 'r', action: { type: 'rating.record', externalId: '1', rating: { scale: 'csat_5', score: 5 } } },
    ])
    await shop.workOff(shop.deliver())
    expect(await rows(shop.db)).toMatchObject([
      { state: 'dead', error: { message: expect.stringContaining('Till cannot perform rating.record') } },
    ])
  })

  it('are replayed with the same key, while others are retried, without a double', async () => {
    vendor.fault = (call) => (call < 40 ? (call % 2 === 0 ? '400' : '503') : 'none')
    await shop.put(numbers(40).map((n) => update(`k${n}`, `case-${n}`)))
    const delivery = shop.deliver()
    await delivery.drain()
    const dead = await shop.db.selectFrom('outbox').select('seq').where('state', '=', 'dead').execute()
    expect(dead).toHaveLength(20)
    expect(
      await replay(
        shop.db,
        dead.map(({ seq }) => seq),
      ),
    ).toBe(20)
    expect(
      await replay(
        shop.db,
        dead.map(({ seq }) => seq),
      ),
    ).toBe(0)
    await shop.workOff(delivery)
    expect(vendor.effects.map(({ key }) => key).sort()).toEqual(
      numbers(40)
        .map((n) => `k${n}`)
        .sort(),
    )
  })
})

describe('a conflict', () => {
  it('is settled on what the vendor holds now', async () => {
    vendor.version = 'v2'
    vendor.fault = (_call, { change }) => (change?.ifVersion === 'v1' ? '409' : 'none')
    await shop.put([
      {
        key: 'k',
        orderKey: 'case-1',
        action: { type: 'case.update', externalId: 'case-1', change: { status: 'open', ifVersion: 'v1' } },
      },
    ])
    await shop.deliver().drain()
    expect(vendor.effects).toMatchObject([{ change: { status: 'open', ifVersion: 'v2' } }])
    expect(await rows(shop.db)).toMatchObject([{ state: 'sent', attempts: 1 }])
  })
})

describe('a refused credential', () => {
  it('rests the lane, loses nothing and goes on in order when a person has acted', async () => {
    const isRefusing = { now: true }
    vendor.fault = () => (isRefusing.now ? '401' : 'none')
    await shop.put(numbers(60).map((n) => update(`k${String(n).padStart(2, '0')}`, `case-${n % 3}`)))
    const delivery = shop.deliver()
    await delivery.drain()
    expect((await shop.connections.get(shop.connectionId))?.status).toBe('needs_attention')
    expect(vendor.calls.length).toBeLessThanOrEqual(10)
    expect((await states())['pending']).toHaveLength(60)
    await passTime(shop.db)
    await delivery.drain()
    expect(vendor.calls.length).toBeLessThanOrEqual(10)

    isRefusing.now = false
    await shop.connections.resume(shop.connectionId, 'ana')
    await shop.workOff(delivery)
    expect((await states())['sent']).toHaveLength(60)
    for (const effects of Map.groupBy(vendor.effects, ({ id }) => id).values()) {
      const keys = effects.map(({ key }) => key)
      expect(keys).toEqual([...keys].sort())
    }
    expect(shop.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })
})

describe('a refused password of a mailbox', () => {
  it('rests the lane for a while, and for a person after the third', async () => {
    const clock = fakeClock(new Date())
    const post = { ...till, can: { ...till.can, watch: { run: async () => {} } } }
    await database.reset()
    shop = await openShop(database, vendor, post, clock.now)
    const isRefusing = { now: true }
    vendor.fault = () => (isRefusing.now ? '401' : 'none')
    await shop.put([update('k1', 'case-1'), update('k2', 'case-1')])
    const delivery = shop.deliver()
    for (const restMs of [60_000, 300_000]) {
      await delivery.drain()
      await passTime(shop.db)
      await delivery.drain()
      expect(shop.connections.restMs(shop.connectionId)).toBe(restMs)
      clock.advance(restMs)
    }
    expect(vendor.calls).toHaveLength(2)
    await delivery.drain()
    expect((await shop.connections.get(shop.connectionId))?.status).toBe('needs_attention')
    isRefusing.now = false
    await shop.connections.resume(shop.connectionId)
    await shop.workOff(delivery)
    expect(vendor.effects.map(({ key }) => key)).toEqual(['k1', 'k2'])
    expect(vendor.calls).toHaveLength(5)
  })
})

describe('several workers on one database', () => {
  it('share lanes without doing anything twice', async () => {
    const second = await shop.connections.install('till', 'Second till', { base: vendor.url, token: 'tok-2234567890' })
    const third = await shop.connections.install('till', 'Third till', { base: vendor.url, token: 'tok-3234567890' })
    const lanes = [shop.connectionId, second.id, third.id]
    await shop.put(
      numbers(300).map((n) => {
        const id = lanes[n % 3] ?? ''
        return { ...update(`k${n}`, `case-${n % 20}`), lane: id, connectionId: id }
      }),
    )
    const workers = [shop.deliver(), shop.deliver(), shop.deliver()]
    await shop.workOff(...workers)
    expect(vendor.calls).toHaveLength(300)
    expect((await states())['sent']).toHaveLength(300)
  })

  it('one takes over the lane of another that died in the middle of a call', async () => {
    // The first worker has claimed a row and is silent from then on: its leases run out.
    await shop.put([update('k1', 'case-1'), update('k2', 'case-1')])
    await sql`insert into lanes (lane, owner, fence, lease_until) values (${shop.connectionId}, 'dead', nextval('fences'), now() + interval '30 s')
      on conflict (workspace_id, lane) do update set owner = 'dead', fence = excluded.fence, lease_until = excluded.lease_until`.execute(
      shop.db,
    )
    await sql`update outbox set fence = nextval('fences'), attempts = 1, lease_until = now() + interval '30 s' where key = 'k1'`.execute(
      shop.db,
    )
    const survivor = shop.deliver()
    await survivor.drain()
    expect(vendor.calls).toEqual([])

    await sql`update lanes set lease_until = now() - interval '1 s'`.execute(shop.db)
    await survivor.drain()
    expect(vendor.calls).toEqual([])
    await sql`update outbox set lease_until = now() - interval '1 s' where lease_until is not null`.execute(shop.db)
    await shop.workOff(survivor)
    expect(vendor.effects.map(({ key }) => key)).toEqual(['k1', 'k2'])
  })

  it('a worker that lost its lane in the middle of a call writes nothing over its successor', async () => {
    let answer: (() => void) | undefined
    const arrived = Promise.withResolvers<void>()
    const gate = await localServer(async (request, response) => {
      const { key } = JSON.parse(await bodyOf(request))
      calls.push(key)
      if (calls.length === 1) {
        arrived.resolve()
        await new Promise<void>((done) => (answer = done))
      }
      reply(response, 200, { externalId: `call ${calls.length}`, version: 'v' })
    })
    onTestFinished(() => gate[Symbol.asyncDispose]())
    const calls: string[] = []
    const place = await openAt(gate.host)
    await place.put([update('k1', 'case-1')])
    const zombie = place.deliver({ onReceipts: note })
    const zombieDone = zombie.drain()
    await arrived.promise

    await sql`update lanes set lease_until = now() - interval '1 s'`.execute(place.db)
    await sql`update outbox set lease_until = now() - interval '1 s'`.execute(place.db)
    const successor = place.deliver({ onReceipts: note })
    await successor.drain()
    answer?.()
    await zombieDone
    expect(calls).toEqual(['k1', 'k1'])
    expect(await rows(place.db)).toMatchObject([{ state: 'sent', attempts: 2, receipt: { externalId: 'call 2' } }])
    expect(await notes()).toEqual(['k1'])
  })
})

describe('the rate budget', () => {
  it('is told what an earlier process has just spent', async () => {
    await shop.put([update('sent', 'a'), update('old', 'b'), update('held', 'c'), update('new', 'd')])
    await sql`update outbox set attempts = 1, state = case when key in ('sent', 'old') then 'sent' else 'pending' end,
      sent_at = case key when 'sent' then now() - interval '2 s' when 'old' then now() - interval '70 s' end,
      lease_until = case key when 'held' then now() end where key <> 'new'`.execute(shop.db)
    const ages = [...(await recentSends(shop.db, shop.connectionId, 60_000))].sort((a, b) => a - b)
    expect(ages).toHaveLength(2)
    expect(ages[0]).toBeLessThan(1)
    expect(ages[1]).toBeGreaterThan(1_999)
  })
})

describe('start and stop', () => {
  it('works what a signal announces and gives the lanes back', async () => {
    const delivery = shop.deliver()
    delivery.start()
    await shop.put([update('k1', 'case-1')])
    shop.signals.raise('outbox')
    await vi.waitFor(() => expect(vendor.effects).toHaveLength(1))
    await delivery.stop()
    expect(await shop.db.selectFrom('lanes').select(['owner', 'lease_until']).execute()).toEqual([
      { owner: null, lease_until: null },
    ])
    expect(await rows(shop.db)).toMatchObject([{ state: 'sent' }])
  })

  it('gives back what has not begun, untouched', async () => {
    const arrived = Promise.withResolvers<void>()
    vendor.fault = () => {
      arrived.resolve()
      return 'none'
    }
    await shop.put(numbers(150).map((n) => update(`k${n}`, `case-${n}`)))
    const delivery = shop.deliver()
    const drained = delivery.drain()
    await arrived.promise
    await delivery.stop()
    await drained
    const after = await shop.db.selectFrom('outbox').select(['state', 'attempts', 'fence', 'lease_until']).execute()
    const left = after.filter(({ state }) => state === 'pending')
    expect(left.length).toBeGreaterThan(0)
    for (const row of left) expect(row).toEqual({ state: 'pending', attempts: 0, fence: null, lease_until: null })
    expect(after.filter(({ state }) => state === 'sent')).toHaveLength(vendor.effects.length)
  })
})

describe('webhooks to free URLs', () => {
  it('are signed by Standard Webhooks, the same id at every attempt', async () => {
    const received: { headers: Record<string, string>; body: string }[] = []
    const subscriber = await localServer(async (request, response) => {
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request.headers
      const headers = {
        'webhook-id': String(id),
        'webhook-timestamp': String(at),
        'webhook-signature': String(signature),
      }
      received.push({ headers, body: await bodyOf(request) })
      response.writeHead(received.length === 1 ? 503 : 204).end()
    })
    onTestFinished(() => subscriber[Symbol.asyncDispose]())
    const place = await openHooks(subscriber.host)
    const body = { text: 'Ñandú', n: 1 }
    await place.put([hook('w1', `${subscriber.url}/in?x=1`, body)])
    await place.workOff(place.deliver())
    expect(received).toHaveLength(2)
    const checker = new Webhook(await webhookSigningSecret(place))
    for (const { headers, body: text } of received) {
      expect(checker.verify(text, headers)).toEqual(body)
      expect(headers['webhook-id']).toBe('w1')
    }
  })

  it('are set aside when the receiver is gone or forbids them, and go to no internal place', async () => {
    const subscriber = await localServer((request, response) => response.writeHead(Number(request.url?.slice(1))).end())
    const inside = await localServer((_request, response) => response.end())
    onTestFinished(() => subscriber[Symbol.asyncDispose]())
    onTestFinished(() => inside[Symbol.asyncDispose]())
    const place = await openHooks(subscriber.host)
    await place.put([
      ...[410, 404, 401, 403, 400, 302].map((status) => hook(`s${status}`, `${subscriber.url}/${status}`, {})),
      hook('inside', inside.url.replace('http:', 'https:'), {}),
    ])
    await place.workOff(place.deliver())
    const after = await rows(place.db)
    expect(after.map(({ state, attempts }) => `${state} ${attempts}`)).toEqual(Array(7).fill('dead 1'))
    expect(after.at(-1)?.error).toMatchObject({ code: 'host_refused' })
    expect(inside.connections()).toBe(0)
  })

  function hook(key: string, url: string, body: unknown) {
    return { key, lane: 'webhook:test', action: { type: 'webhook' as const, url, body } }
  }

  /** A shop whose extra host is the subscriber. */
  async function openHooks(host: string) {
    const place = await openAt(host)
    return {
      ...place,
      put: (entries: readonly ReturnType<typeof hook>[]) =>
        sql`insert into outbox (key, lane, order_key, action, cause)
          select entry->>'key', entry->>'lane', entry->>'key', entry->'action', '{"depth":0}'
          from jsonb_array_elements(${JSON.stringify(entries)}::jsonb) entry`.execute(place.db),
    }
  }
})

/** A trace of the receipts that lives and dies with their transaction. */
const note: OnReceipts = async (trx, delivered) => {
  for (const { entry } of delivered) {
    await trx.insertInto('audit').values({ actor: 'test', act: 'receipt', target: entry.key, detail: '{}' }).execute()
  }
}
async function notes() {
  const noted = await database.db.selectFrom('audit').select('target').where('act', '=', 'receipt').execute()
  return noted.map(({ target }) => target)
}

/** An empty shop whose vendor is at `host`. */
async function openAt(host: string): Promise<Shop> {
  await database.reset()
  return await openShop(database, { host, url: `http://${host}` })
}
