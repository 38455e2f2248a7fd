/**
 * Agents in Microsoft's own stand-in for Teams: its page in a browser, what it shows, and what comes of it in the desk.
 * SCREENSHOTS=<folder> keeps pictures of what was shown.
 */
import { randomUUID } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAgent, WrittenAgent } from '#hub/agents/index.ts'
import { freePort } from '#hub/platform/free-port.ts'
import { testDatabase } from '#kit'
import { hasChromium, needsChromium, startChromium } from '#kit/chromium.ts'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { bot, channels, people } from '../../connectors/teams/sandbox-world.ts'
import { type Playground, startPlayground } from './playground.ts'

/** Known to the desk, too. */
const leo = { ...people.jo, name: 'Leo Martín', email: 'leo@desk.example' }
const database = testDatabase()
let hub: TestHub
let desk: LegacyDeskSandbox
let playground: Playground
let browser: Browser
let page: Page
/** What the page asked of anybody but this machine. */
const asked: string[] = []

describe.skipIf(!hasChromium)(`an agent in Microsoft's playground (${needsChromium})`, { timeout: 40_000 }, () => {
  beforeAll(async () => {
    desk = await startDesk()
    const port = await freePort()
    const url = `http://localhost:${port}`
    hub = await startTestHub(database, { hosts: [desk.url, url] })
    await hub.connect('desk', 'Legacy desk', desk)
    await hub.connect('teams', 'Teams', {
      config: {
        app_id: bot.appId,
        tenant_id: bot.tenantId,
        client_secret: 'the playground asks for none',
        channels: [{ channel: channels.cases.id, for: 'cases' }],
        allow_unsigned: true,
        api_base: url,
      },
      connect() {},
    })
    await createAgent(hub.running.hub.db, WrittenAgent.parse({ email: leo.email, name: leo.name }), new Date())
    playground = await startPlayground(port, `${hub.url}/teams/messages`, leo)
    browser = await startChromium()
    const context = await browser.newContext({ viewport: { width: 1400, height: 1500 }, timezoneId: 'Europe/London' })
    await context.route(
      (address) => address.hostname !== 'localhost',
      (route) => {
        asked.push(new URL(route.request().url()).hostname)
        return route.abort()
      },
    )
    page = await context.newPage()
    page.setDefaultTimeout(15_000)
    await page.goto(url, { waitUntil: 'domcontentloaded' })
    await page.getByRole('button', { name: 'Hide log panel' }).click()
    await page.getByRole('treeitem', { name: 'Support - Cases' }).click()
    await page.getByText('Start a new post').waitFor()
    // Where the channel is was told with the news that the app is there.
    await hub.until('the channel', async () => {
      const { rows } = await hub.running.hub.intake.query('select from chat_channels where channel = $1', [
        channels.cases.id,
      ])
      return rows.length > 0
    })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await playground?.stop()
    await hub?.stop()
    await desk?.close()
  })

  const say = async (box: Locator, text: string, button: string) => {
    await box.click()
    await page.keyboard.type(text)
    await page.getByRole('button', { name: button }).click()
  }
  const picture = async (name: string) => {
    const folder = process.env['SCREENSHOTS']
    if (folder) await page.screenshot({ path: join(folder, `${name}.png`) })
  }
  /** A post of the channel with its thread. */
  const post = (text: string): Locator =>
    page.getByRole('group').filter({ has: page.getByRole('button', { name: 'Send Message' }), hasText: text })

  async function arrive(subject: string) {
    const opened = desk.desk.openCase({
      subject,
      text: `${subject}: can you help?`,
      requester: { name: 'Ana García', emails: ['ana@customer.example'] },
    })
    const thread = post(subject)
    await thread.getByRole('heading', { name: subject }).waitFor()
    await thread.getByText(`${subject}: can you help?`).nth(1).waitFor()
    return { opened, thread, ledger: () => desk.desk.cases.get(opened.id) }
  }

  it('sees a case as a card, with what the customer said in its thread', async () => {
    const { thread } = await arrive('Invoice is wrong')
    for (const text of ['Nobody yet', 'Ana García <ana@customer.example>', 'Visible to the customer']) {
      expect(await thread.getByText(text).first().isVisible(), text).toBe(true)
    }
    for (const name of ['Reply to customer…', 'Internal note…', 'Assign to me', 'Resolve…']) {
      expect(await thread.getByRole('button', { name }).isVisible(), name).toBe(true)
    }
    await picture('card')
  })

  it('takes a case with a press, and the card says so', async () => {
    const { thread, ledger } = await arrive('Where is my parcel')
    await thread.getByRole('button', { name: 'Assign to me' }).click()
    await thread.getByText(leo.name).first().waitFor()
    expect(ledger()?.assignee).toMatchObject({ email: leo.email })
    await picture('taken')
  })

  it('changes a field that the card offers', async () => {
    const { thread, ledger } = await arrive('Refund')
    await thread.getByRole('combobox', { name: 'Priority' }).click()
    await page.getByRole('option', { name: 'Urgent' }).click()
    await thread.getByRole('button', { name: 'Set' }).nth(1).click()
    await thread.getByRole('paragraph').getByText('Urgent').waitFor()
    // Nothing on the way to the desk counts as a desk that cannot be reached.
    expect(await thread.getByText('cannot be reached').count()).toBe(0)
    expect(ledger()).toMatchObject({ priority: 'urgent' })
    await picture('urgent')
  })

  it('makes a case of a message by a dialog, with an internal note that no customer sees', async () => {
    const about = `Water damage ${randomUUID().slice(0, 8)}`
    await say(page.getByRole('textbox').first(), 'They called: the cellar is full of water', 'Post')
    const message = post('They called')
    await message.getByRole('button', { name: 'Show more information' }).last().click()
    await page.getByRole('menuitem', { name: 'Action Command' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox').fill('createCase')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await dialog.getByText('First entry of the case').waitFor()
    await picture('dialog')

    await dialog.getByRole('button', { name: 'Create case' }).click()
    await dialog.getByText('Please fill this in').first().waitFor()
    expect([...desk.desk.cases.values()].some(({ subject }) => subject === about)).toBe(false)
    await picture('dialog-refused')

    await dialog.getByRole('textbox', { name: 'Subject' }).fill(about)
    await dialog.getByRole('textbox', { name: 'Customer’s e-mail' }).fill('ben@customer.example')
    await dialog.getByRole('button', { name: 'Create case' }).click()
    // What an answer to a dialog says in closing is not shown by the playground, which leaves an empty one.
    await dialog.getByText('First entry of the case').waitFor({ state: 'hidden' })
    await dialog.getByRole('button', { name: 'Close' }).click()
    await dialog.waitFor({ state: 'hidden' })
    const thread = post(about)
    await thread.getByText('Internal note', { exact: false }).first().waitFor()
    const made = [...desk.desk.cases.values()].filter(({ subject }) => subject === about)
    expect(made).toMatchObject([
      {
        requester: { emails: ['ben@customer.example'] },
        messages: [{ visibility: 'internal', text: `${leo.name}: They called: the cellar is full of water` }],
      },
    ])
    await picture('case-of-a-message')
  })

  it('is answered in private, with the cases that are found', async () => {
    await arrive('Broken umbrella')
    await hub.settled()
    await page.getByRole('treeitem', { name: 'Personal Chat' }).click()
    await say(page.getByRole('textbox'), 'find umbrella', 'Send Message')
    await page.getByText('Search: “umbrella”').waitFor()
    await page.getByText('Broken umbrella').last().waitFor()
    await picture('private')
    await page.getByRole('treeitem', { name: 'Support - Cases' }).click()
  })

  it('finds a case by the search of the message extension, and puts its card into the conversation', async () => {
    await arrive('Lost suitcase')
    await hub.settled()
    await page.getByRole('button', { name: 'Trigger Message Extension App' }).first().click()
    await page.getByRole('menuitem', { name: 'Search Command' }).click()
    await page.getByRole('button', { name: 'Specify Command ID or Parameter' }).click()
    // The playground knows no manifest: these two stand there.
    await page.getByRole('textbox', { name: 'Command ID' }).fill('searchCases')
    await page.getByRole('textbox', { name: 'Parameter name' }).fill('words')
    await page.getByRole('textbox', { name: 'Enter a search term' }).fill('suitcase')
    await page.keyboard.press('Enter')
    const result = page.getByRole('heading', { name: 'Lost suitcase', level: 1 })
    await result.waitFor()
    await picture('search')
    await result.click()
    await page.getByRole('textbox').first().getByText('Lost suitcase').waitFor()
    await picture('search-chosen')
  })

  it('is heard on this machine only, and nothing leaves it', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4')
    if (outside) {
      const { port } = new URL(playground.url)
      await expect(fetch(`http://${outside.address}:${port}/`)).rejects.toThrow('fetch failed')
    }
    expect([...playground.refused, ...asked].filter((what) => !known.test(what))).toEqual([])
  })
})

/** Telemetry, which its switch does not stop altogether; a browser to be opened; fonts. */
const known = /^169\.254\.169\.254$|\.applicationinsights\.azure\.com$|^xdg-open$|\.cdn\.office\.net$/
