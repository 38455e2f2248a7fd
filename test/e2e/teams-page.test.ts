/** An agent's own page in Teams, end to end: in a frame, by the token that Teams gives, in a real browser with Microsoft's library. */
import { join } from 'node:path'
import type { Browser, Frame } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createAgent, WrittenAgent } from '#hub/agents/index.ts'
import { acts } from '#hub/workbench/index.ts'
import { testDatabase } from '#kit'
import { hasChromium, needsChromium, startChromium } from '#kit/chromium.ts'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { startSandbox as startTeams, type TeamsSandbox } from '../../connectors/teams/sandbox.ts'
import type { TokenParts } from '../../connectors/teams/sandbox-keys.ts'
import { person } from '../../connectors/teams/sandbox-world.ts'

const database = testDatabase()
let hub: TestHub
let desk: LegacyDeskSandbox
let teams: TeamsSandbox
/** Another place where the app is installed. */
let second: TeamsSandbox
let page = ''
const hostile = 'Invoice <img src=x onerror="document.title=`pwned`"> & more'

beforeAll(async () => {
  desk = await startDesk()
  teams = await startTeams()
  second = await startTeams()
  hub = await startTestHub(database, { hosts: [desk.url, teams.url, second.url] })
  await hub.connect('desk', 'Legacy desk', desk)
  await hub.connect('teams', 'Teams', teams)
  teams.connect({ url: `${hub.url}/teams/messages`, secret: '' })
  page = `${hub.url}/home/teams`
  const { jo } = teams.people
  await createAgent(hub.running.hub.db, WrittenAgent.parse({ email: jo.email, name: jo.name }), new Date())
  for (const [subject, priority] of [
    [hostile, 'low'],
    ['The door does not open', 'urgent'],
  ] as const) {
    const { id } = desk.desk.openCase({
      subject,
      priority,
      text: 'Can you help?',
      requester: { name: 'Ana García', emails: ['ana@customer.example'] },
    })
    desk.desk.changeCase(id, { assignee_email: jo.email })
  }
  await hub.settled()
  await hub.until('the queue', async () => (await look()).html.includes('The door does not open'))
})
afterAll(async () => {
  await hub?.stop()
  await teams?.close()
  await second?.close()
  await desk?.close()
})

interface Looked {
  readonly status: number
  readonly html: string
}

/** @param token `null` for none. */
async function look(token: string | null = teams.pageToken(teams.people.jo), body: object = {}): Promise<Looked> {
  const response = await fetch(page, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  const { html = '' } = (await response.json()) as { html?: string }
  return { status: response.status, html }
}

const claims =
  (change: Readonly<Record<string, unknown>>) =>
  ({ header, claims: good }: TokenParts): TokenParts => ({ header, claims: { ...good, ...change } })

describe('an agent’s own page in Teams', () => {
  it('shows their queue, the most urgent first, to whom Teams vouches for', async () => {
    const { status, html } = await look()
    expect(status).toBe(200)
    expect(html.indexOf('The door does not open')).toBeLessThan(html.indexOf('Invoice'))
    expect(html).not.toContain('<img')
    expect(html).toContain('&lt;img src=x')
  })

  it('speaks the reader’s language', async () => {
    expect((await look(undefined, { locale: 'es-ES' })).html).toContain('Actualizar')
  })

  it('goes from the queue into a case, its customer, similar ones and why, and changes nothing', async () => {
    const value = /data-act="case\.open" data-value="([^"]+)"/.exec((await look()).html)?.[1] ?? ''
    const opened = await look(undefined, { act: acts.openCase, value })
    expect(opened.html).toContain('Can you help?')
    for (const act of [acts.customer, acts.similar, acts.why]) expect(opened.html).toContain(`data-act="${act}"`)
    expect(opened.html).not.toContain(`data-act="${acts.takeCase}"`)
    for (const act of [acts.takeCase, acts.sendReply, acts.replyForm, 'nonsense']) {
      expect(await look(undefined, { act, value }), act).toMatchObject({ status: 400 })
    }
  })

  it.each([
    ['of another app', claims({ aud: '11111111-2222-4333-8444-555555555555' })],
    [
      'of an app whose address only begins like ours',
      claims({ aud: 'api://evil.example/0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9/x' }),
    ],
    ['of a tenant that is not linked', claims({ tid: '9c8b7a6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d' })],
    [
      'from another issuer',
      claims({ iss: 'https://login.microsoftonline.com/9c8b7a6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d/v2.0' }),
    ],
    [
      'of an app whose address only ends like ours',
      claims({ aud: 'api://evil.example/0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9' }),
    ],
    ['that another app than Teams has asked for', claims({ azp: '0f0e0d0c-1111-4222-8333-444444444444' })],
    ['that nobody says who has asked for', claims({ azp: undefined })],
    ['of a bot instead of a person', claims({ scp: undefined })],
    ['for something else', claims({ scp: 'User.Read' })],
    ['that has expired', claims({ exp: 1_700_000_000 })],
    ['that is not valid yet', claims({ nbf: 4_000_000_000 })],
    ['that names nobody', claims({ oid: undefined })],
    ['without a signature', ({ claims }: TokenParts) => ({ header: { alg: 'none', kid: 'sandbox-key-1' }, claims })],
    [
      'signed with an unknown key',
      ({ header, claims }: TokenParts) => ({ header: { ...header, kid: 'unknown' }, claims }),
    ],
  ])('shows nothing for a token %s', async (_, change) => {
    const { status, html } = await look(teams.pageToken(teams.people.jo, change))
    expect(status).toBe(401)
    expect(html).not.toContain('The door does not open')
  })

  it('takes a token of version 1, which names the app by its address', async () => {
    const { jo } = teams.people
    const old = {
      aud: `api://localhost/${teams.config.app_id}`,
      iss: `https://sts.windows.net/${jo.tenantId}/`,
      azp: undefined,
      appid: '1fec8e78-bce4-4aaf-ab1b-5451cc387264',
    }
    expect(await look(teams.pageToken(jo, claims(old)))).toMatchObject({ status: 200 })
  })

  it('shows nothing without a token, for the token of a request, and for one whose bits are turned', async () => {
    const good = teams.pageToken(teams.people.jo)
    for (const token of [null, teams.token(), `${good.slice(0, -4)}AAAA`, 'x'.repeat(9_000)]) {
      expect(await look(token)).toMatchObject({ status: 401 })
    }
  })

  it('shows viewers their queue and a case, and lets them do nothing', async () => {
    const { kim } = teams.people
    const viewer = WrittenAgent.parse({ email: kim.email, name: kim.name, role: 'viewer' })
    await createAgent(hub.running.hub.db, viewer, new Date())
    expect((await look(teams.pageToken(kim))).html).toContain('My cases')
    const value = /data-act="case\.open" data-value="([^"]+)"/.exec((await look()).html)?.[1] ?? ''
    expect((await look(teams.pageToken(kim), { act: acts.openCase, value })).html).toContain('Can you help?')
  })

  it('is of one language, that of the agent before that of their Teams', async () => {
    const { gus } = teams.people
    const html = async (body: object) => (await look(teams.pageToken(gus), body)).html
    expect(await html({ locale: 'es-MX' })).toMatch(/Los invitados.*Actualizar/s)
    expect(await html({ locale: 'de-DE' })).toMatch(/Guests.*Refresh/s)
  })

  it('is shown by way of one connection while another of the same tool is out of order', async () => {
    const noa = person(8, 'Noa Two', 'noa@acme.example')
    for (const one of [teams, second]) one.world.addPerson(noa)
    teams.faults.set({ failRate: 1, status: 503 })
    onTestFinished(() => teams.faults.set({}))
    expect(await look(teams.pageToken(noa))).toMatchObject({ status: 503 })
    const id = await hub.connect('teams', 'Teams two', second)
    onTestFinished(() => hub.running.hub.connections.remove(id))
    expect(await look(teams.pageToken(noa))).toMatchObject({ status: 200 })
  })

  it('asks Teams once a minute at most who somebody is', async () => {
    const members = () => teams.requests.filter(({ path }) => path.includes('/members/')).length
    await look()
    const before = members()
    await Promise.all(Array.from({ length: 20 }, () => look()))
    expect(members()).toBe(before)
  })

  it('says to guests, and to people without a seat, why there is nothing for them', async () => {
    const { gus, rita } = teams.people
    const nia = teams.world.addPerson(person(9, 'Nia New', 'nia@acme.example'))
    expect((await look(teams.pageToken(gus))).html).toContain('Guests cannot act on cases')
    expect((await look(teams.pageToken(nia))).html).toContain('You have no seat here yet')
    expect(await look(teams.pageToken(rita))).toMatchObject({ status: 401 })
  })

  it('is shown by Teams only, without anything of anybody', async () => {
    const shell = await fetch(page)
    expect(shell.headers.get('content-security-policy')).toContain('frame-ancestors https://teams.microsoft.com')
    expect(await shell.text()).not.toContain('door')
    expect((await fetch(`${hub.url}/home/slack`)).status).toBe(404)
    expect((await fetch(`${page}/scripts/7`)).status).toBe(404)
  })

  it.each(['{', '[]', '"x"', '{"act":7}'])('answers %s with a clear refusal', async (body) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${teams.pageToken(teams.people.jo)}` }
    expect((await fetch(page, { method: 'POST', headers, body })).status).toBe(400)
  })

  describe.skipIf(!hasChromium)(`in a browser (${needsChromium})`, () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await startChromium()
    })
    afterAll(async () => {
      await browser?.close()
    })

    /** Teams' side of its own library: what the page asks of the window around it, answered as Teams does. */
    const teamsWindow = (token: string, signsIn: boolean) => `<!doctype html><title>Teams</title>
<iframe src="${page}" style="border:0;width:100%;height:900px"></iframe>
<script>
addEventListener('message', ({ source, origin, data }) => {
  const answers = {
    initialize: ['content', 'web', JSON.stringify({ apiVersion: 4, hostVersionsInfo: {}, isLegacyTeams: false, supports: {} }), '2.58.0'],
    getContext: [{ locale: 'es-ES', hostName: 'Teams', sessionId: 's', theme: 'dark' }],
    'authentication.getAuthToken': [${signsIn}, ${JSON.stringify(token)}],
  }
  const args = answers[data.func]
  if (args) source.postMessage({ id: data.id, uuidAsString: data.uuidAsString, args }, origin)
})
</script>`

    async function open(signsIn = true): Promise<Frame> {
      const context = await browser.newContext({ viewport: { width: 1000, height: 950 }, timezoneId: 'Europe/Madrid' })
      await context.route(
        ({ hostname }) => hostname !== '127.0.0.1' && hostname !== 'localhost',
        (route) =>
          route.request().url() === 'https://teams.microsoft.com/v2/'
            ? route.fulfill({ contentType: 'text/html', body: teamsWindow(teams.pageToken(teams.people.jo), signsIn) })
            : route.abort(),
      )
      const tab = await context.newPage()
      tab.setDefaultTimeout(10_000)
      await tab.goto('https://teams.microsoft.com/v2/')
      const frame = tab.frames().find((one) => one !== tab.mainFrame())
      if (!frame) throw new Error('Teams shows no frame')
      return frame
    }
    const picture = async (frame: Frame, name: string) => {
      const folder = process.env['SCREENSHOTS']
      if (folder) await frame.page().screenshot({ path: join(folder, `${name}.png`) })
    }

    it('signs in by Microsoft’s own library, and is used with the keyboard', async () => {
      const frame = await open()
      await frame.getByText('The door does not open').waitFor()
      await picture(frame, 'teams-page')
      await frame.getByRole('button').first().focus()
      await frame.page().keyboard.press('Enter')
      await frame.getByText('Can you help?').waitFor()
      await picture(frame, 'teams-page-case')
      await frame.getByRole('button', { name: 'Volver a mi cola' }).click()
      await frame.getByText('Invoice <img src=x').waitFor()
      expect(await frame.title()).toBe('Deskweave')
      expect(await frame.evaluate('document.documentElement.dataset.theme')).toBe('dark')
    })

    it('shows what was asked for last, however late an earlier answer comes', async () => {
      const frame = await open()
      await frame.getByText('The door does not open').waitFor()
      const { promise: isLate, resolve: letGo } = Promise.withResolvers<void>()
      let posts = 0
      await frame.page().route('**/home/teams', async (route) => {
        posts += 1
        if (posts === 1) await isLate
        await route.continue()
      })
      await frame.getByRole('button', { name: 'The door' }).click()
      await frame.getByRole('button', { name: 'Invoice' }).click()
      await frame.getByRole('heading', { name: 'Invoice' }).waitFor()
      const late = frame.page().waitForResponse('**/home/teams')
      letGo()
      await late
      expect(await frame.getByRole('heading', { name: 'Invoice' }).isVisible()).toBe(true)
      expect(await frame.getByRole('heading', { name: 'The door' }).count()).toBe(0)
    })

    it('says so when Teams vouches for nobody', async () => {
      const frame = await open(false)
      await frame.getByText('No se pudo iniciar su sesión').or(frame.getByText('You could not be signed in')).waitFor()
    })

    it('says outside of Teams where it belongs', async () => {
      const tab = await (await browser.newContext({ locale: 'es-ES' })).newPage()
      await tab.goto(page)
      await tab.getByText('Esta página va dentro de').waitFor()
    })
  })
})
