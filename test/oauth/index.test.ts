/** An app installed by a link in a browser, from the API's link to a token that is used, and all that may not work. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type SlackSandbox, startSandbox } from '../../connectors/slack/sandbox.ts'

const database = testDatabase()

describe('an app installed by a link', () => {
  const clock = { at: new Date('2026-11-20T10:15:30Z') }
  let sandbox: SlackSandbox
  let hub: TestHub
  let connection: string

  beforeAll(async () => {
    sandbox = await startSandbox({ isByLink: true, rotates: true, now: () => clock.at })
    hub = await startTestHub(database, { hosts: [sandbox.url], now: () => clock.at })
    connection = await hub.connect('slack', 'Acme Slack', sandbox)
  })
  afterAll(async () => {
    await hub.stop()
    await sandbox.close()
  })

  const link = async () => ((await hub.api('POST', `/connections/${connection}/install-link`)) as { url: string }).url
  const local = (url: string) => `${hub.url}${new URL(url).pathname}${new URL(url).search}`
  const browse = (url: string, cookie?: string, language = 'en') =>
    fetch(local(url), { redirect: 'manual', headers: { 'accept-language': language, ...(cookie ? { cookie } : {}) } })
  const begin = async (url: string) => {
    const begun = await browse(url)
    expect(begun.status).toBe(302)
    const cookie = begun.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    return { vendor: begun.headers.get('location') ?? '', cookie, setCookie: begun.headers.getSetCookie()[0] ?? '' }
  }
  const installed = async () => {
    const { data } = (await hub.api('GET', `/connections/${connection}/installations`)) as {
      data: { key: string; name: string }[]
    }
    return data.map(({ key }) => key)
  }

  it('leads the administrator to Slack with the scopes of the manifest, and keeps what Slack grants', async () => {
    const { vendor, cookie, setCookie } = await begin(await link())
    const asked = new URL(vendor)
    expect(asked.origin + asked.pathname).toBe(`${sandbox.url}/oauth/v2/authorize`)
    expect(asked.searchParams.get('scope')).toContain('chat:write')
    expect(new URL(asked.searchParams.get('redirect_uri') ?? '').pathname).toBe('/oauth/slack/callback')
    expect(setCookie).toMatch(/HttpOnly/i)
    expect(setCookie).toMatch(/SameSite=Lax/i)

    const done = await browse(sandbox.allow(vendor), cookie)
    expect(done.status).toBe(200)
    expect(done.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await done.text()).toContain('Acme is connected.')
    expect(await installed()).toEqual(['T0ACME'])
  })

  it('keeps the tokens where nobody can read them', async () => {
    const { rows } = await hub.running.hub.intake.query<{ all: string }>(
      `select string_agg(i::text, '') || (select string_agg(a::text, '') from audit a) as all from installations i`,
    )
    for (const token of sandbox.world.tokens.keys()) {
      expect(rows[0]?.all).not.toContain(token)
      expect(rows[0]?.all).not.toContain(Buffer.from(token).toString('hex'))
    }
    expect(JSON.stringify(await hub.api('GET', `/connections/${connection}`))).not.toContain('xox')
  })

  it('installs once for each link, and only in the browser that began', async () => {
    const url = await link()
    const [one, other] = [await begin(url), await begin(url)]
    const before = await installed()
    expect((await browse(sandbox.allow(one.vendor), other.cookie)).status).toBe(403)
    expect((await browse(sandbox.allow(one.vendor))).status).toBe(403)
    expect((await browse(sandbox.allow(other.vendor), other.cookie)).status).toBe(200)
    expect((await browse(sandbox.allow(one.vendor), one.cookie)).status).toBe(410)
    expect(await installed()).toEqual(before)
  })

  it.each([
    ['a changed state', (back: URL): void => back.searchParams.set('state', `${back.searchParams.get('state')}x`), 400],
    ['no state', (back: URL): void => back.searchParams.delete('state'), 400],
    ['two states', (back: URL): void => back.searchParams.append('state', 'other'), 400],
    ['no code', (back: URL): void => back.searchParams.delete('code'), 400],
    ['a made-up code', (back: URL): void => back.searchParams.set('code', 'made-up'), 502],
    ['another connector', (back: URL): void => void Object.assign(back, { pathname: '/oauth/hubspot/callback' }), 400],
  ] as const)('refuses %s', async (_what, bend, status) => {
    const before = await installed()
    const { vendor, cookie } = await begin(await link())
    const back = new URL(sandbox.allow(vendor, 'T0ACME'))
    bend(back)
    const answer = await browse(back.href, cookie, 'es-ES,es;q=0.9')
    expect(answer.status).toBe(status)
    expect(await answer.text()).toContain('<html lang="es">')
    expect(await installed()).toEqual(before)
  })

  it('is over after ten minutes at Slack, and the link after a day', async () => {
    const url = await link()
    const { vendor, cookie } = await begin(url)
    const before = clock.at
    clock.at = new Date(before.getTime() + 11 * 60_000)
    expect((await browse(sandbox.allow(vendor), cookie)).status).toBe(400)
    clock.at = new Date(before.getTime() + 25 * 3_600_000)
    expect((await browse(url)).status).toBe(400)
    clock.at = before
  })

  it('never leads to another place than the vendor’s page', async () => {
    for (const url of [
      '/oauth/slack/start',
      '/oauth/slack/start?ticket=x.y',
      '/oauth/slack/callback?redirect=https://x.example',
    ]) {
      const answer = await browse(`http://hub${url}`)
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    }
    const put = await fetch(`${hub.url}/oauth/slack/start`, { method: 'POST' })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('renews tokens once, however many calls ask, and saves them before they are used', async () => {
    clock.at = new Date(clock.at.getTime() + 11 * 3_600_000)
    const connected = await hub.running.hub.connections.byId(connection)
    if (!connected) throw new Error('no connection')
    const { whoIs } = connected.connector.can.chat ?? {}
    const contexts = Array.from({ length: 10 }, () =>
      hub.running.hub.connections.contextFor(connected, AbortSignal.timeout(5_000)),
    )
    const before = refreshes(sandbox)
    const people = await Promise.all(contexts.map((ctx) => whoIs?.(ctx, sandbox.users.leo.id, 'T0ACME')))
    expect(people.map((person) => person?.email)).toEqual(Array(10).fill('leo@acme.example'))
    expect(refreshes(sandbox) - before).toBe(1)
  })

  it('forgets a workspace that took the app away, and answers what still comes from there', async () => {
    expect(await installed()).toEqual(['T0ACME'])
    clock.at = new Date(clock.at.getTime() + 2_000)
    await sandbox.uninstall('T0ACME')
    expect(await installed()).toEqual([])
    const stored = async () => Number((await hub.running.hub.intake.query('select count(*) as n from inbox')).rows[0].n)
    const before = await stored()
    await sandbox.say(sandbox.users.leo, { channel: sandbox.channels.cases }, 'Anybody there?')
    expect(sandbox.webhooks.counters.gaveUp).toBe(0)
    expect(await stored()).toBe(before)
  })
})

function refreshes(sandbox: SlackSandbox): number {
  return sandbox.requests.filter((call) => call.body.toString().includes('grant_type=refresh_token')).length
}
