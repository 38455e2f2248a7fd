import { sql } from 'kysely'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ConnectorError } from '#hub/connector/errors.ts'
import { fakeClock, testDatabase } from '#kit'
import { goodToken, type Office, openOffice, openVendor, post, type Vendor } from './vendor.ts'

const database = testDatabase()
let vendor: Vendor
let office: Office

beforeEach(async () => {
  await database.reset()
  vendor = await openVendor()
  office = await openOffice(database, vendor)
})

const settings = (token = goodToken) => ({ api_base: vendor.url, auth: { kind: 'token', token } })
const install = (name = 'Acme desk', token = goodToken) =>
  office.connections.install('acme', name, settings(token), 'ana')

async function load(id: string) {
  const connection = await office.connections.byId(id)
  if (!connection) throw new Error(`no connection ${id}`)
  return connection
}

async function laneReason(id: string) {
  const row = await office.db.selectFrom('lanes').select('paused_reason').where('lane', '=', id).executeTakeFirst()
  return row?.paused_reason
}

async function acts() {
  const rows = await office.db.selectFrom('audit').select(['actor', 'act', 'target']).orderBy('seq').execute()
  return rows
}

describe('install', () => {
  it('checks the settings at the vendor, saves them and shows the webhook secret once', async () => {
    const installed = await install()
    expect(installed).toEqual({
      id: expect.stringMatching(/^con_[0-9a-f]{32}$/),
      connector: 'acme',
      name: 'Acme desk',
      status: 'connected',
      webhook: { url: `https://hub.example/hooks/${installed.id}`, secret: expect.stringMatching(/^whsec_/) },
    })
    expect(await office.connections.get(installed.id)).toMatchObject({
      account: 'ana@acme.example',
      config: { api_base: vendor.url, auth: { kind: 'token' } },
      webhookUrl: `https://hub.example/hooks/${installed.id}`,
    })
    const connection = await load(installed.id)
    expect(connection.config).toEqual({ ...settings(), region: 'eu' })
    expect(connection.webhookSecrets(new Date())).toEqual([installed.webhook?.secret])
    expect(await acts()).toEqual([{ actor: 'ana', act: 'connection.installed', target: installed.id }])
  })

  it('leaves no secret readable in the database, the log or an answer', async () => {
    const { id, webhook } = await install()
    await office.connections.reportFailure(id, new ConnectorError('auth_failed', 'no'))
    const { rows } = await sql<{ dump: string }>`
      select coalesce(jsonb_agg(to_jsonb(c))::text, '') || (select coalesce(jsonb_agg(to_jsonb(a))::text, '') from audit a) as dump
      from connections c`.execute(office.db)
    const seen = JSON.stringify([rows, await office.connections.list(), office.log.lines])
    expect(seen).not.toContain(goodToken)
    expect(seen).not.toContain(Buffer.from(goodToken).toString('hex'))
    expect(seen).not.toContain(webhook?.secret)
  })

  it('names the field that does not fit', async () => {
    const refused = office.connections.install('acme', 'x', {
      api_base: vendor.url,
      auth: { kind: 'token', token: 'short' },
    })
    await expect(refused).rejects.toMatchObject({
      name: 'InvalidConfig',
      problems: [{ field: 'auth.token', message: expect.any(String) }],
    })
  })

  it('refuses a setting that does not exist, which may be a misspelt secret', async () => {
    const refused = office.connections.install('acme', 'x', { ...settings(), tokn: 'secret' })
    await expect(refused).rejects.toMatchObject({ problems: [{ field: 'tokn' }] })
  })

  it.each([
    ['a wrong token', { token: 'tok-wrong-1234567' }, /check failed: GET .*answered 401/],
    ['a vendor that is down', { status: 503 }, /answered 503/],
    ['missing permissions', { missing: ['tickets:write'] }, /lacks tickets:write/],
  ])(
    'saves nothing for %s and says why',
    async (_case, { token, ...answer }: { token?: string; status?: number; missing?: string[] }, why) => {
      Object.assign(vendor, answer)
      const refused = await install('Acme desk', token).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'check_failed', message: expect.stringMatching(why) })
      expect(String(refused)).not.toContain(token ?? goodToken)
      expect(await office.connections.list()).toEqual([])
    },
  )

  it('refuses a host beyond the manifest', async () => {
    const config = { ...settings(), api_base: 'https://evil.example' }
    await expect(office.connections.install('acme', 'x', config)).rejects.toMatchObject({
      code: 'check_failed',
      message: expect.stringContaining('evil.example'),
    })
  })

  it('refuses an unknown connector, naming those there are', async () => {
    await expect(office.connections.install('toString', 'x', {})).rejects.toMatchObject({
      code: 'unknown_connector',
      message: 'no connector "toString"; there are acme, mute',
    })
  })

  it('refuses a name that is taken', async () => {
    await install('Same')
    await expect(install('Same')).rejects.toMatchObject({ code: 'name_taken' })
  })

  it("takes the vendor's own signing secret, unless it could be guessed", async () => {
    const own = 'Zm9yIHRlc3RzIG9ubHkuLi4gMTIzNDU2'
    const installed = await office.connections.install('acme', 'own', { ...settings(), webhook_secret: own })
    expect(installed.webhook?.secret).toBe(own)
    await expect(office.connections.install('acme', 'weak', { ...settings(), webhook_secret: 'weak' })).rejects.toThrow(
      TypeError,
    )
  })

  it('gives no webhook to a connector that receives none', async () => {
    expect(await office.connections.install('mute', 'm', {})).not.toHaveProperty('webhook')
  })
})

describe('update', () => {
  it('keeps the secrets that are not entered again', async () => {
    const { id } = await install()
    await office.connections.update(id, {
      name: 'Renamed',
      config: { api_base: vendor.url, region: 'us', auth: { kind: 'token' } },
    })
    expect((await load(id)).config).toEqual({ ...settings(), region: 'us' })
    expect(office.connections.nameOf(id)).toEqual({ name: 'Renamed', connector: 'acme' })
  })

  it('keeps the old settings when the new ones fail', async () => {
    const { id } = await install()
    await expect(office.connections.update(id, { config: settings('tok-wrong-1234567') })).rejects.toMatchObject({
      code: 'check_failed',
    })
    expect((await load(id)).config).toMatchObject(settings())
  })

  it('brings a connection back that needed attention', async () => {
    const { id } = await install()
    await office.connections.reportFailure(id, new ConnectorError('auth_failed', 'GET x answered 401'))
    expect(await laneReason(id)).toBe('GET x answered 401')
    await office.connections.update(id, { config: settings() })
    expect((await load(id)).status).toBe('connected')
    expect(await laneReason(id)).toBeNull()
  })
})

describe('status', () => {
  it('needs attention after a refused credential: logged and audited once, its lane at rest', async () => {
    const { id } = await install()
    const error = new ConnectorError('auth_failed', 'GET x answered 401')
    await Promise.all([1, 2, 3, 4].map(() => office.connections.reportFailure(id, error)))
    expect((await load(id)).status).toBe('needs_attention')
    expect(office.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    expect((await acts()).filter(({ act }) => act === 'connection.needs_attention')).toEqual([
      { actor: 'hub', act: 'connection.needs_attention', target: id },
    ])
    expect(await laneReason(id)).toBe('GET x answered 401')
  })

  it('rests after each refused password of a mailbox, and needs attention after the third', async () => {
    const clock = fakeClock('2026-11-22T10:00:00Z')
    const connectors = { post: async () => post }
    const { connections } = await openOffice(database, vendor, { now: clock.now, connectors })
    const { id } = await connections.install('post', 'Support', { password: 'one' })
    const refuse = () => connections.reportFailure(id, new ConnectorError('auth_failed', 'the sign-in was refused'))
    await refuse()
    expect(connections.restMs(id)).toBe(60_000)
    clock.advance(60_000)
    expect(connections.restMs(id)).toBe(0)
    await refuse()
    expect(connections.restMs(id)).toBe(300_000)
    clock.advance(300_000)
    expect((await connections.byId(id))?.status).toBe('connected')
    await refuse()
    expect((await connections.byId(id))?.status).toBe('needs_attention')
    expect(await laneReason(id)).toBe('the sign-in was refused')
    expect(connections.restMs(id)).toBe(Number.POSITIVE_INFINITY)
    await connections.resume(id)
    expect(connections.restMs(id)).toBe(0)
    await refuse()
    await connections.update(id, { config: { password: 'two' } })
    expect(connections.restMs(id)).toBe(0)
  })

  it('is degraded in an outage and connected again afterwards', async () => {
    const { id } = await install()
    for (let time = 0; time < 3; time += 1)
      await office.connections.reportFailure(id, new ConnectorError('unavailable', 'refused'))
    expect((await load(id)).status).toBe('degraded')
    await office.connections.reportSuccess(id)
    expect((await load(id)).status).toBe('connected')
  })

  it('is paused and resumed by a person', async () => {
    const { id } = await install()
    await office.connections.pause(id, 'ana')
    expect((await load(id)).status).toBe('paused')
    expect(await laneReason(id)).toBe('paused by ana')
    await office.connections.resume(id, 'ana')
    expect((await load(id)).status).toBe('connected')
    expect(await laneReason(id)).toBeNull()
    expect((await acts()).slice(1).map(({ act }) => act)).toEqual(['connection.paused', 'connection.connected'])
  })
})

describe('remove', () => {
  it('cancels what has not left and forgets the connection', async () => {
    const { id } = await install()
    await sql`insert into outbox (key, lane, order_key, action, cause) values ('k', ${id}, 'c', '{}', '{}')`.execute(
      office.db,
    )
    await office.connections.remove(id)
    expect(await office.connections.byId(id)).toBeUndefined()
    expect(await office.db.selectFrom('outbox').select('state').execute()).toEqual([{ state: 'cancelled' }])
    await expect(office.connections.remove(id)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('webhook secrets', () => {
  it('rotate with an overlap in which both are good', async () => {
    const { id, webhook } = await install()
    const { secret } = await office.connections.rotateWebhookSecret(id, {}, 'ana')
    const connection = await load(id)
    const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000)
    expect(connection.webhookSecrets(inHours(0))).toEqual([secret, webhook?.secret])
    expect(connection.webhookSecrets(inHours(25))).toEqual([secret])
  })

  it('cannot be blank or short', async () => {
    const { id } = await install()
    for (const newSecret of ['', ' ', 'short']) {
      await expect(office.connections.rotateWebhookSecret(id, { newSecret })).rejects.toThrow(TypeError)
    }
    expect((await load(id)).webhookSecrets(new Date())).toHaveLength(1)
  })

  it('open for their own connection only', async () => {
    const one = await install('One')
    const two = await install('Two')
    await sql`update connections c set sealed = o.sealed, updated_at = clock_timestamp() from connections o
      where c.id = ${two.id} and o.id = ${one.id}`.execute(office.db)
    office.signals.raise('connections')
    await vi.waitFor(() => expect(office.connections.isKnown(two.id)).toBe(false))
    await expect(office.connections.byId(two.id)).rejects.toThrow('cannot be opened')
    expect((await load(one.id)).id).toBe(one.id)
  })
})

describe('replicas', () => {
  it('hear of installs, changes and removals', async () => {
    const other = await openOffice(database, vendor)
    const { id } = await install()
    await vi.waitFor(() => expect(other.connections.isKnown(id)).toBe(true))
    await office.connections.pause(id)
    await vi.waitFor(() => expect(other.connections.all()[0]?.status).toBe('paused'))
    await office.connections.remove(id)
    await vi.waitFor(() => expect(other.connections.all()).toEqual([]))
  })

  it('go on with the last known connections while the database is away', async () => {
    const handle = await database.open('test')
    const other = await openOffice({ ...database, db: handle.db, pool: handle.pool, url: database.url }, vendor)
    const { id } = await install()
    // Its reading is over: one that the pool's end meets under way is told so only after five seconds.
    await vi.waitFor(() => expect(other.connections.isKnown(id)).toBe(true))
    await handle.close()
    other.signals.raise('connections')
    await vi.waitFor(() => expect(other.log.lines.some(({ level }) => level === 'warn')).toBe(true))
    expect((await other.connections.byId(id))?.name).toBe('Acme desk')
  })
})

describe('contextFor', () => {
  it("calls the vendor with the connection's credentials and keeps them out of the connector's log", async () => {
    const { id } = await install()
    const context = office.connections.contextFor(await load(id), new AbortController().signal)
    expect(await context.http.json('GET', '/me')).toMatchObject({ account: 'ana@acme.example' })
    context.log.warn({ header: `Bearer ${goodToken}`, error: new Error(goodToken) }, `sent ${goodToken}`)
    const line = office.log.lines.at(-1)
    expect(line).toMatchObject({
      level: 'warn',
      message: 'sent [secret]',
      data: { connection_id: id, connector: 'acme', header: 'Bearer [secret]' },
    })
    expect(JSON.stringify(line)).not.toContain(goodToken)
  })
})

describe('what ingress notes', () => {
  it('keeps the time of the last webhook', async () => {
    const { id } = await install()
    office.connections.noteInbound(id)
    await office.connections.close()
    expect((await office.connections.get(id))?.lastInboundAt).toBeInstanceOf(Date)
  })

  it('logs refusals once a minute, however many', async () => {
    const { id } = await install()
    for (let time = 0; time < 100; time += 1) office.connections.noteRefused(id)
    expect(office.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })
})
