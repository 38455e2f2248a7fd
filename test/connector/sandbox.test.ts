import { afterEach, describe, expect, it } from 'vitest'
import { signStandardWebhook, verifyStandardWebhook } from '#hub/connector/hmac.ts'
import { createSandbox, createWebhooks, type Sandbox, type SandboxOptions } from '#hub/connector/sandbox.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close()
})
function closed<T extends { close(): Promise<void> }>(thing: T): T {
  opened.push(thing)
  return thing
}

const noon = new Date('2026-11-20T12:00:00Z')

async function ticketDesk(options: Partial<SandboxOptions> = {}): Promise<Sandbox & { tickets: string[] }> {
  const tickets: string[] = []
  const sandbox = await createSandbox({
    now: () => noon,
    routes: [
      { method: 'GET', path: '/tickets/:id', answer: ({ params }) => ({ status: 200, json: { id: params['id'] } }) },
      {
        method: 'POST',
        path: '/tickets',
        answer(request) {
          tickets.push(JSON.stringify(request.json()))
          return { status: 201, json: { id: tickets.length } }
        },
      },
      { method: 'GET', path: '/door', backstage: true, answer: () => ({ status: 200, json: 'open' }) },
    ],
    ...options,
  })
  return closed({ ...sandbox, tickets })
}
function post(sandbox: Sandbox, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${sandbox.url}/tickets`, { method: 'POST', body, headers })
}

describe('a sandbox', () => {
  it('answers its routes and remembers what was called', async () => {
    const desk = await ticketDesk()
    expect(await (await fetch(`${desk.url}/tickets/a%2Fb?x=1`)).json()).toEqual({ id: 'a/b' })
    expect((await post(desk, '{"subject":"Hi"}')).status).toBe(201)
    expect((await post(desk, '{broken')).status).toBe(400)
    expect((await fetch(`${desk.url}/nowhere`)).status).toBe(404)
    expect(desk.requests.map(({ method, path, query, status }) => [method, path, query, status])).toEqual([
      ['GET', '/tickets/a%2Fb', { x: '1' }, 200],
      ['POST', '/tickets', {}, 201],
    ])
  })

  it('does a thing once per idempotency key and answers the same again', async () => {
    const desk = await ticketDesk({ idempotencyHeader: 'idempotency-key' })
    const key = { 'idempotency-key': 'k1' }
    const answers = await Promise.all([post(desk, '{"n":1}', key), post(desk, '{"n":1}', key)])
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([{ id: 1 }, { id: 1 }])
    expect(desk.tickets).toHaveLength(1)
    expect(desk.requests.map(({ idempotencyKey, outcome }) => [idempotencyKey, outcome])).toEqual([
      ['k1', 'answered'],
      ['k1', 'repeated'],
    ])
  })

  it('takes a key again when its first call failed', async () => {
    const desk = await ticketDesk({ idempotencyHeader: 'idempotency-key' })
    const key = { 'idempotency-key': 'k1' }
    expect((await post(desk, '{broken', key)).status).toBe(400)
    expect((await post(desk, '{}', key)).status).toBe(201)
  })

  it('limits calls by window and says when to come back', async () => {
    let now = noon.getTime()
    const desk = await ticketDesk({
      limits: [{ budget: 'default', requests: 2, perSeconds: 10 }],
      limitHeaders: (state) => ({ 'x-ratelimit-remaining': String(Math.max(state.remaining, 0)) }),
      now: () => new Date(now),
    })
    const statuses = async () => (await fetch(`${desk.url}/tickets/1`)).status
    expect([await statuses(), await statuses(), await statuses()]).toEqual([200, 200, 429])
    now += 4_000
    const refused = await fetch(`${desk.url}/tickets/1`)
    expect(refused.headers.get('retry-after')).toBe('6')
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0')
    now += 6_000
    expect(await statuses()).toBe(200)
    expect((await fetch(`${desk.url}/door`)).status).toBe(200)
  })

  it('says in the vendor’s own headers, too, when a refusal on demand ends', async () => {
    const desk = await ticketDesk({
      limits: [{ budget: 'default', requests: 9, perSeconds: 60 }],
      limitHeaders: ({ remaining, resetSeconds }) => ({
        'x-desk-left': String(remaining),
        'x-desk-in': String(resetSeconds),
      }),
    })
    desk.faults.set({ failRate: 1, status: 429, retryAfter: 7 })
    const { status, headers } = await fetch(`${desk.url}/tickets/1`)
    expect([status, headers.get('retry-after'), headers.get('x-desk-left'), headers.get('x-desk-in')]).toEqual([
      429,
      '7',
      '0',
      '7',
    ])
  })

  it('fails before the effect as it is told', async () => {
    const desk = await ticketDesk()
    desk.faults.set({ failRate: 1, status: 429, retryAfter: 7 })
    const answer = await post(desk, '{}')
    expect([answer.status, answer.headers.get('retry-after'), desk.tickets.length]).toEqual([429, '7', 0])
    desk.faults.set({})
    expect((await post(desk, '{}')).status).toBe(201)
  })

  it('loses an answer after the effect', async () => {
    const desk = await ticketDesk()
    desk.faults.set({ dropAnswerAfterEffect: 1 })
    await expect(post(desk, '{}')).rejects.toThrow()
    expect(desk.tickets).toHaveLength(1)
    expect(desk.requests[0]).toMatchObject({ outcome: 'answer_dropped', status: 0 })
  })

  it('fails the same calls for the same seed', async () => {
    const run = async (seed: number) => {
      const desk = await ticketDesk({ seed })
      desk.faults.set({ failRate: 0.5 })
      for (let index = 0; index < 20; index += 1) await fetch(`${desk.url}/tickets/${index}`)
      return desk.requests.map((call) => call.status).join()
    }
    const first = await run(7)
    expect(await run(7)).toBe(first)
    expect(first).toMatch(/200.*503|503.*200/)
    expect(await run(8)).not.toBe(first)
  })

  it('refuses callers it does not know', async () => {
    const desk = await ticketDesk({
      authorise: ({ headers }) => (headers['authorization'] === 'Bearer good' ? undefined : { status: 401 }),
    })
    expect((await post(desk, '{}')).status).toBe(401)
    expect((await post(desk, '{}', { authorization: 'Bearer good' })).status).toBe(201)
    expect(desk.requests.map((call) => call.outcome)).toEqual(['refused', 'answered'])
  })
})

describe('webhooks of a sandbox', () => {
  const secret = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX'

  async function scene(statuses: number[] = []) {
    const received: { id: string; event: string; good: boolean }[] = []
    const hub = await createSandbox({
      routes: [
        {
          method: 'POST',
          path: '/hooks/c_1',
          answer({ headers, body }) {
            const good = verifyStandardWebhook({ headers, body }, secret, noon).ok
            received.push({ id: headers['webhook-id'] ?? '', event: body.toString(), good })
            return { status: statuses.shift() ?? 202, headers: { 'retry-after': '0' } }
          },
        },
      ],
    })
    const webhooks = closed(
      createWebhooks<string>({
        sign: (event, id, sentAt, key) => ({
          headers: signStandardWebhook({ id, sentAt, body: event, secrets: [key] }),
          body: event,
        }),
        retryDelayMs: ({ attempt, status }) => (attempt < 3 && (status === undefined || status >= 500) ? 1 : undefined),
        timeoutMs: 2_000,
        seed: 3,
        now: () => noon,
      }),
    )
    closed(hub)
    webhooks.connect({ url: `${hub.url}/hooks/c_1`, secret })
    return { webhooks, received, events: () => received.map(({ event }) => event) }
  }

  it('arrive signed', async () => {
    const { webhooks, received } = await scene()
    expect(await webhooks.emit('a')).toBe('accepted')
    expect(received).toEqual([{ id: 'evt_00000001', event: 'a', good: true }])
  })

  it('are repeated under the same id, as the vendor does it', async () => {
    const { webhooks, received } = await scene([503, 500])
    expect(await webhooks.emit('a')).toBe('accepted')
    expect(new Set(received.map(({ id }) => id)).size).toBe(1)
    expect(webhooks.counters).toMatchObject({ attempts: 3, accepted: 1, gaveUp: 0 })
  })

  it('are given up when the vendor gives up', async () => {
    const { webhooks } = await scene([400])
    expect(await webhooks.emit('a')).toBe('gave_up')
    expect(webhooks.counters).toMatchObject({ attempts: 1, gaveUp: 1 })
  })

  it('come twice, late or never when told', async () => {
    const { webhooks, events } = await scene()
    await webhooks.emit('first', { late: true })
    await webhooks.emit('second', { late: true })
    await webhooks.emit('twice', { duplicate: true })
    await webhooks.emit('never', { lose: true })
    await webhooks.sendLate()
    expect(events()).toEqual(['twice', 'twice', 'second', 'first'])
    expect(webhooks.counters).toMatchObject({ events: 4, duplicated: 1, heldBack: 2, lost: 1 })
  })

  it('meet chance as their seed has it', async () => {
    const { webhooks, events } = await scene()
    webhooks.faults.set({ loseRate: 0.3, duplicateRate: 0.3 })
    for (let index = 0; index < 30; index += 1) await webhooks.emit(String(index))
    const { lost, duplicated } = webhooks.counters
    expect([lost > 0, duplicated > 0]).toEqual([true, true])
    expect(events()).toHaveLength(30 - lost + duplicated)
  })

  it('stop at once when the sandbox closes', async () => {
    const { webhooks } = await scene([503, 503, 503])
    const slow = createWebhooks<string>({
      sign: (event) => ({ headers: {}, body: event }),
      retryDelayMs: () => 3_600_000,
      timeoutMs: 1_000,
    })
    slow.connect({ url: 'http://127.0.0.1:9/', secret })
    const delivery = slow.emit('a')
    await slow.close()
    expect(await delivery).toBe('gave_up')
    expect(await webhooks.emit('b')).toBe('gave_up')
  })
})
