/** The survey page in a real browser: without JavaScript, by keyboard, in both languages, on a phone, and for screen readers. */
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { hasChromium, needsChromium, startChromium } from '#kit/chromium.ts'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { startSandbox, type ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const database = testDatabase()
let hub: TestHub
let zendesk: ZendeskSandbox
let browser: Browser

describe.skipIf(!hasChromium)(`the survey page (${needsChromium})`, () => {
  beforeAll(async () => {
    zendesk = await startSandbox({ keepBackSeconds: 0 })
    hub = await startTestHub(database, { hosts: [zendesk.url] })
    await hub.connect('zendesk', 'Zendesk', zendesk)
    const survey = {
      id: 'after',
      name: 'After',
      kind: 'csat',
      sender: 'Acme Support',
      when: { delay_s: 0 },
      throttle_days: 0,
    }
    await hub.api('PUT', '/surveys/after', survey)
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await hub?.stop()
    await zendesk?.close()
  })

  /** A solved case of a new customer, and the link to the answer with this score. */
  async function invited(name: string, score: number, locale = 'en-US'): Promise<string> {
    const email = `${name}@acme.example`
    await zendesk.createUser({ name, email, locale })
    const ticketId = await zendesk.customerWrites({ from: email, subject: `Help for ${name}`, text: 'Please' })
    await zendesk.agentSolves(ticketId, 'Done.')
    return await hub.until('the invitation', async () => {
      const text = zendesk.desk
        .ticket(ticketId)
        .comments.map((comment) => comment.body)
        .join('\n')
      return text.match(new RegExp(`https?://\\S+/s/[\\w.-]+\\?score=${score}`))?.[0]
    })
  }
  async function open(url: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    await page.goto(url)
    return page
  }
  const responses = async () =>
    ((await hub.api('GET', '/responses?limit=200')) as { data: { score: number; comment: string | null }[] }).data

  it('records one click and a confirmation, without JavaScript', async () => {
    const before = (await responses()).length
    const page = await open(await invited('bea', 4), { javaScriptEnabled: false })
    expect(await page.locator('input[name=score]:checked').getAttribute('value')).toBe('4')
    expect(await responses()).toHaveLength(before)
    await page.locator('textarea').fill('Quick & <b>kind</b>')
    await page.locator('button.send').click()
    await page.waitForSelector('main')
    expect(await page.locator('main').innerText()).toContain('Quick & <b>kind</b>')
    expect((await responses())[0]).toMatchObject({ score: 4, comment: 'Quick & <b>kind</b>' })
    await page.reload()
    expect(await responses()).toHaveLength(before + 1)
  })

  it('can be answered by keyboard alone', async () => {
    const page = await open(await invited('cid', 5))
    await page.locator('input[name=score]:checked').focus()
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Tab')
    await page.keyboard.type('Slow')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    const answer = await hub.until('the answer', async () => (await responses()).find((one) => one.comment === 'Slow'))
    expect(answer.score).toBe(3)
  })

  it('speaks Spanish to a Spanish customer, and English on request', async () => {
    const page = await open(await invited('dora', 5, 'es-ES'))
    expect(await page.locator('html').getAttribute('lang')).toBe('es')
    await page.locator('footer a[lang=en]').click()
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    expect(await page.locator('input[name=score]:checked').getAttribute('value')).toBe('5')
  })

  it.each([
    ['phone', { viewport: { width: 360, height: 740 } }],
    ['desktop, dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' as const }],
  ])('has no accessibility problem and fits the screen: %s', async (name, options) => {
    const page = await open(await invited(`fit-${name.slice(0, 5)}`, 5), { ...options, bypassCSP: true })
    await page.addScriptTag({ path: axeSource })
    const found = await page.evaluate(`axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] })`)
    const { violations } = found as { violations: { id: string; nodes: { html: string }[] }[] }
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(overflow).toBeLessThanOrEqual(0)
  })
})
