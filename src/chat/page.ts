/**
 * A person's own page of a chat tool, where the tool shows it as a web page in a frame: `/home/{connector}`, one for all
 * connections to it, of which the token tells the right one. A GET shows nothing of anybody; a POST with the tool's token
 * shows what that person may see: their queue, and from it a case, its customer, similar ones and why. Nothing is changed here.
 */
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import express, { type ErrorRequestHandler, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import type { ChatAnswer, ChatHappening, ChatLanguage } from '#hub/connector/chat.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Hub } from '#hub/hub.ts'
import { type Html, html, trusted } from '#hub/platform/html.ts'
import { createRateLimit, senderOf } from '#hub/platform/sender-limit.ts'
import { acceptedLanguage, languageOf } from '#hub/surveys/messages/index.ts'
import { fill, type Messages, messagesIn } from '#hub/workbench/index.ts'
import type { ChatDesk } from './desk.ts'
import { cardHtml, pageActs } from './page-html.ts'
import { pageStyle } from './page-style.ts'

const styleHash = `'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'`
const ownScript = new URL('./page-script.js', import.meta.url)
const lookWithinMs = 8_000
/** An office behind one address opens it in the morning. */
const burst = 300
const perSecond = 20

const Wanted = z.object({
  locale: z.string().max(35).optional().catch(undefined),
  act: z.string().max(50).optional(),
  value: z.string().max(200).default(''),
})

export function chatPageRouter(hub: Pick<Hub, 'connections' | 'log' | 'now'>, desk: ChatDesk): Router {
  const limit = createRateLimit(burst, perSecond)
  const router = Router({ strict: true, caseSensitive: true })

  function pagesOf(connectorId: unknown) {
    return hub.connections.all().flatMap((connection) => {
      const { manifest, can } = connection.connector
      return manifest.id === connectorId && can.chat?.page ? [{ connection, page: can.chat.page }] : []
    })
  }

  const shell: RequestHandler = (request, response) => {
    const [found] = pagesOf(request.params['connector'])
    if (!found) return void response.status(404).type('text').send('There is no such page.')
    const language = acceptedLanguage(request.get('accept-language')) ?? 'en'
    response.set({
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src ${styleHash}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors ${found.page.frames.join(' ')}`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex, nofollow',
      'cache-control': 'no-store',
    })
    response.type('html').send(shellHtml(found.connection.connector.manifest, found.page.scripts.length, language))
  }

  const script: RequestHandler = (request, response) => {
    const [found] = pagesOf(request.params['connector'])
    const file = found && [...found.page.scripts, ownScript][Number(request.params['number'])]
    if (!file) return void response.status(404).type('text').send('There is no such script.')
    response.set('x-content-type-options', 'nosniff')
    response.sendFile(fileURLToPath(file), { maxAge: '1h', dotfiles: 'allow' })
  }

  const look: RequestHandler = async (request, response) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    const pages = pagesOf(request.params['connector'])
    if (pages.length === 0) return void response.status(404).json({ error: 'not_found' })
    const waitSeconds = limit.take(senderOf(request.ip), hub.now())
    if (waitSeconds > 0)
      return void response.status(429).set('retry-after', String(waitSeconds)).json({ error: 'busy' })
    const wanted = Wanted.safeParse(request.body ?? {}).data
    if (!wanted || (wanted.act !== undefined && !pageActs.has(wanted.act)))
      return void response.status(400).json({ error: 'bad_request' })
    const language = languageOf(wanted.locale) ?? acceptedLanguage(request.get('accept-language')) ?? 'en'
    const words = messagesIn[language]
    const say = (status: number, told: Told) => {
      const { title, text } = toldOf(told, pages[0]?.connection.connector.manifest.name ?? '')
      send(response, status, language, noticeHtml({ title, text }, words.page.again))
    }
    const token = /^Bearer (\S+)$/.exec(request.get('authorization') ?? '')?.[1]
    if (token === undefined) return say(401, words.page.notSignedIn)
    try {
      for (const { connection, page } of pages) {
        const context = hub.connections.contextFor(connection, AbortSignal.timeout(lookWithinMs), {
          priority: 'person',
        })
        const person = await page.whoLooks(context, token)
        if (!person) continue
        const answer = await desk.answerTo(connection, person, happeningOf(person.id, wanted))
        return send(response, 200, language, answerHtml(answer, words))
      }
      say(401, words.page.notSignedIn)
    } catch (error) {
      hub.log.warn({ err: error, connector: request.params['connector'] }, "somebody's own page could not be shown")
      if (error instanceof ConnectorError && error.code === 'not_found') return say(403, words.page.notInstalled)
      say(503, words.page.failed)
    }
  }

  const unreadable: ErrorRequestHandler = (_error, _request, response, _next) => {
    response.status(400).json({ error: 'bad_request' })
  }

  const route = router.route('/home/:connector')
  route.get(shell)
  route.post(express.json({ limit: '4kb' }), look, unreadable)
  router.get('/home/:connector/scripts/:number', script)
  return router
}

function happeningOf(user: string, { locale, act, value }: z.output<typeof Wanted>): ChatHappening {
  return {
    user,
    awaits: true,
    ...(locale ? { locale } : {}),
    what: act === undefined ? { kind: 'home' } : { kind: 'press', act: { act, value, fields: {} } },
  }
}

function answerHtml(answer: ChatAnswer, words: Messages): Html {
  switch (answer.kind) {
    case 'home':
      return html`${cardHtml(answer.card, words)}<p class="actions">${button(words.page.refresh)}</p>`
    case 'private':
    case 'card':
      return html`<nav>${button(words.page.back)}</nav>${cardHtml(answer.card, words)}`
    default:
      return html`<nav>${button(words.page.back)}</nav><p>${words.nothing}</p>`
  }
}

/** Without an act: the queue. */
const button = (label: string) => html`<button type="button">${label}</button>`

function send(response: Response, status: number, language: ChatLanguage, body: Html): void {
  response.status(status).json({ html: body.text, language })
}

interface Told {
  readonly title: string
  readonly text: string
}

const toldOf = ({ title, text }: Told, tool: string): Told => ({
  title: fill(title, { tool }),
  text: fill(text, { tool }),
})

const noticeHtml = ({ title, text }: Told, again: string) =>
  html`<h1>${title}</h1><p>${text}</p><p class="actions">${button(again)}</p>`

function shellHtml(
  { id: connector, name }: { readonly id: string; readonly name: string },
  scripts: number,
  language: ChatLanguage,
): string {
  const { page } = messagesIn[language]
  const outside = toldOf(page.outside, name)
  const sources = Array.from({ length: scripts + 1 }, (_, number) => `/home/${connector}/scripts/${number}`)
  return html`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Deskweave</title>
<style>${trusted(pageStyle)}</style></head>
<body data-path="/home/${connector}">
<main aria-busy="true" aria-live="polite"><p>${page.loading}</p></main>
<template id="outside">${noticeHtml(outside, page.again)}</template>
<template id="failed">${noticeHtml(toldOf(page.failed, name), page.again)}</template>
<noscript>${outside.text}</noscript>
${sources.map((source) => html`<script src="${source}"></script>`)}
</body>
</html>`.text
}
