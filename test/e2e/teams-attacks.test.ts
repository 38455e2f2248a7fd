/** Requests in Teams' name that are not from Microsoft: nothing of them is kept, and nothing that they name is called. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fakeClock, testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { startSandbox, type TeamsSandbox } from '../../connectors/teams/sandbox.ts'
import { keyId, signingKey } from '../../connectors/teams/sandbox-keys.ts'
import { badKeys, type Forgery, forgeriesOf } from '../../connectors/teams/test-forgeries.ts'

const database = testDatabase()
let hub: TestHub
let teams: TeamsSandbox
/** A host that the hub may call, so that only the check itself keeps it from calling there. */
const called: string[] = []
const sink = createServer((request, response) => {
  called.push(`${request.method} ${request.url}`)
  response.end('{}')
})
let evil = ''
/** Stands still unless a test moves it on: a token that is good in a second must not become good meanwhile. */
const clock = fakeClock('2026-11-22T10:00:00Z')

beforeAll(async () => {
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', () => resolve()))
  const address = sink.address()
  if (typeof address !== 'object' || !address) throw new Error('the sink has no port')
  evil = `http://127.0.0.1:${address.port}`
  teams = await startSandbox({ now: clock.now })
  teams.publish(badKeys)
  hub = await startTestHub(database, { hosts: [teams.url, evil], now: clock.now })
  await hub.connect('teams', 'Teams', teams)
  teams.connect({ url: `${hub.url}/teams/messages`, secret: '' })
})
afterAll(async () => {
  await hub?.stop()
  await teams?.close()
  sink.close()
})

async function stored(): Promise<number> {
  const { rows } = await hub.running.hub.intake.query<{ count: number }>('select count(*)::int as count from inbox')
  return rows[0]?.count ?? 0
}
const keyFetches = () => teams.requests.filter(({ path }) => path.includes('.well-known')).length

function forger() {
  const { app_id: appId, tenant_id: tenantId } = teams.config
  const origin = { serviceUrl: teams.serviceUrl, channelId: 'msteams', tenantId: String(tenantId) }
  return forgeriesOf({ appId: String(appId), origin, now: clock.now(), evil, key: signingKey, kid: keyId })
}

/** The activity with what the forgery says of itself. */
function activityOf({ origin }: Forgery) {
  const activity = teams.activity('Let me in')
  if (!origin) return activity
  const { serviceUrl, channelId, tenantId } = origin
  const { conversation, channelData } = activity
  return {
    ...activity,
    serviceUrl,
    channelId,
    conversation: { ...Object(conversation), tenantId },
    channelData: { ...Object(channelData), tenant: tenantId === undefined ? undefined : { id: tenantId } },
  }
}

/** No client can send it: the line break would be left out, and what is left is a good token. */
const unsendable = new Set(['line break after it'])

describe('a request in the name of Teams', () => {
  it('is stored when its token is good', async () => {
    const before = await stored()
    expect(await teams.send(teams.activity())).toMatchObject({ status: 202 })
    expect(await stored()).toBe(before + 1)
  })

  it('is refused in 64 and more ways, nothing of it is stored, and no host that it names is called', async () => {
    const { forgeries, authorizationOf } = forger()
    const before = await stored()
    const accepted: string[] = []
    const names = Object.keys(forgeries).filter((name) => !unsendable.has(name))
    for (const name of names) {
      const forgery = forgeries[name] ?? {}
      const { status } = await teams.send(activityOf(forgery), authorizationOf(forgery) ?? null)
      if (status < 400 || status >= 500) accepted.push(`${name}: ${status}`)
    }
    expect(names.length).toBeGreaterThanOrEqual(64)
    expect(accepted).toEqual([])
    expect(await stored()).toBe(before)
    expect(called).toEqual([])
  })

  it('is refused with a good token for a service address that is not of Teams, and no token of ours goes there', async () => {
    const before = await stored()
    const serviceUrl = `${evil}/emea/`
    const token = teams.token(({ header, claims }) => ({ header, claims: { ...claims, serviceurl: serviceUrl } }))
    const activity = { ...teams.activity('help'), serviceUrl }
    expect(await teams.send(activity, `Bearer ${token}`)).toMatchObject({ status: 401 })
    expect(await stored()).toBe(before)
    expect(called).toEqual([])
  })

  it('makes at most two fetches of keys, however many unknown ones a flood names', async () => {
    const { tokenOf } = forger()
    const unsigned = Buffer.alloc(256)
    const before = keyFetches()
    const floods = Array.from({ length: 1_000 }, (_, number) => async () => {
      const header = { typ: 'JWT', alg: 'RS256', kid: `made-up-${number}` }
      return await teams.send(teams.activity('flood'), `Bearer ${tokenOf({ header, signature: () => unsigned })}`)
    })
    const statuses = new Set<number>()
    for (let start = 0; start < floods.length; start += 50) {
      const answers = await Promise.all(floods.slice(start, start + 50).map((flood) => flood()))
      for (const { status } of answers) statuses.add(status)
      clock.advance(1_000)
    }
    expect([...statuses]).toEqual([401])
    expect(keyFetches() - before).toBeLessThanOrEqual(2)
    expect(await teams.send(teams.activity('still there'))).toMatchObject({ status: 202 })
  }, 60_000)

  it('is taken once, however often it is sent with its good token', async () => {
    const before = await stored()
    const activity = teams.activity('Again and again')
    const token = `Bearer ${teams.token()}`
    for (let time = 0; time < 5; time += 1) expect((await teams.send(activity, token)).status).toBe(202)
    expect(await stored()).toBe(before + 1)
  })

  it('is to come again while the keys cannot be read', async () => {
    const other = await startSandbox()
    other.faults.set({ failRate: 1, status: 503 })
    const free = await startTestHub(database, { hosts: [other.url] })
    try {
      other.faults.set({})
      await free.connect('teams', 'Other tenant', other)
      other.faults.set({ failRate: 1, status: 503 })
      other.connect({ url: `${free.url}/teams/messages`, secret: '' })
      expect(await other.send(other.activity())).toMatchObject({ status: 503 })
    } finally {
      await free.stop()
      await other.close()
    }
  })
})

describe('a hub for development', () => {
  it('takes requests without a token from this machine only, and not through a tunnel', async () => {
    const sandbox = await startSandbox()
    const local = await startTestHub(database, { hosts: [sandbox.url] })
    try {
      await local.connect('teams', 'Playground', { ...sandbox, config: { ...sandbox.config, allow_unsigned: true } })
      const send = async (headers: Readonly<Record<string, string>>) => {
        const body = JSON.stringify(sandbox.activity())
        const plain = { 'content-type': 'application/json' }
        const answer = await fetch(`${local.url}/teams/messages`, {
          method: 'POST',
          headers: { ...plain, ...headers },
          body,
        })
        return answer.status
      }
      expect(await send({})).toBe(202)
      for (const name of ['x-forwarded-for', 'x-forwarded-host', 'forwarded', 'x-real-ip', 'via']) {
        expect(await send({ [name]: '203.0.113.7' }), name).toBe(401)
      }
    } finally {
      await local.stop()
      await sandbox.close()
    }
  })
})
