/** The preview of cards: for this machine only, no script but its own, and every card drawn by both. */
import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { samples } from '../../scripts/preview/samples.ts'
import { type PreviewServer, startPreview } from '../../scripts/preview/server.ts'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
let preview: PreviewServer
beforeAll(async () => {
  preview = await startPreview(0)
})
afterAll(() => preview.close())

describe('the preview of cards', () => {
  it('has every card and form, and runs no script but its own', async () => {
    const answer = await fetch(`${preview.url}?lang=es`)
    const page = await answer.text()
    expect(answer.headers.get('content-security-policy')).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    )
    expect(page).not.toMatch(/<script(?![^>]* src=)|\son\w+=|style="/)
    for (const { name } of samples('es')) expect(page).toContain(`<section id="${name}">`)
  })

  it('answers under the names of this machine only', async () => {
    const status = await new Promise((resolve, reject) => {
      const asking = request(preview.url, { headers: { host: 'evil.example' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asking.once('error', reject).end()
    })
    expect(status).toBe(403)
    expect((await fetch(new URL('/anything', preview.url))).status).toBe(404)
  })

  it.skipIf(!existsSync(executablePath))('draws every card in both renderings, in both languages', async () => {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
    try {
      for (const language of ['en', 'es'] as const) {
        const page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
        const complaints: string[] = []
        page.on('console', (message) => complaints.push(message.text()))
        page.on('pageerror', (error) => complaints.push(error.message))
        await page.goto(`${preview.url}?lang=${language}`)
        await page.waitForSelector('html[data-drawn=yes]', { state: 'attached' })
        expect(complaints).toEqual([])
        expect(await page.locator('.not-drawn').allInnerTexts()).toEqual([])
        expect(await page.locator('.adaptive > .ac-adaptiveCard').count()).toBe(samples(language).length)
        const width = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        expect(width).toBe(0)
      }
    } finally {
      await browser.close()
    }
  })
})
