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
import { createRateLimit } from '#hub/platform/sender-limit.ts'
import { within } from '#hub/platform/timing.ts'
import { acceptedLanguage, languageOf } from '#hub/surveys/messages/index.ts'
import { fill, type Messages, messagesIn } from '#hub/workbench/index.ts'
import { createAcquaintances } from './acquaintances.ts'
import type { ChatDesk } from './desk.ts'
import { lookingActs } from './happenings.ts'
import { cardHtml } from './page-html.ts'
import { pageStyle } from './page-style.ts'

const styleHash = `'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'`
const ownScript = new URL('./page-script.js', import.meta.url)
const lookWithinMs = 9_000
/** Of one person. */
const burst = 60
const perSecond = 2

const Wanted = z.object({
  locale: z.string().max(35).optional().catch(undefined),
  act: z.string().max(50).optional(),
  value: z.string().max(200).default(''),
})
type Wanted = z.output<typeof Wanted>

export function chatPageRouter(hub: Pick<Hub, 'connections' | 'env' | 'log' | 'now'>, desk: ChatDesk): Router {
  const limit = createRateLimit(burst, perSecond)
  const people = createAcquaintances(hub.now)
  const router = Router({ strict: true, caseSensitive: true })

  function pagesOf(connectorId: unknown) {
    return hub.connections.all().flatMap((connection) => {
      const { manifest, can } = connection.connector
      const isOff = connection.status === 'paused' || connection.status === 'needs_attention'
      return manifest.id === connectorId && can.chat?.page && !isOff ? [{ connection, page: can.chat.page }] : []
    })
  }

  const shell: RequestHandler = (request, response) => {
    const [found] = pagesOf(request.params['connector'])
    if (!found)
      return void response.status(404).type('text').send('There is no such page, or its connection is switched off.')
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
    const number = String(request.params['number'])
    const file = found && /^\d$/.test(number) ? [...found.page.scripts, ownScript][Number(number)] : undefined
    if (!file) return void response.status(404).type('text').send('There is no such script.')
    // Asked for anew each time, and sent only when it is another one: a page and its scripts are of one version.
    response.set({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' })
    response.sendFile(fileURLToPath(file), { cacheControl: false, dotfiles: 'allow' })
  }

  /** @returns undefined when the token vouches for nobody in any of these connections. @throws what kept the last one from telling */
  async function answerFor(pages: ReturnType<typeof pagesOf>, token: string, wanted: Wanted) {
    const signal = AbortSignal.timeout(lookWithinMs)
    let problem: unknown
    for (const { connection, page } of pages) {
      try {
        const context = hub.connections.contextFor(connection, signal, { priority: 'person' })
        const subject = await page.subjectOf(context, token, hub.env.baseUrl)
        if (subject === undefined) continue
        if (limit.take(`${connection.id} ${subject}`, hub.now()) > 0) return 'too often'
        const known = await people(`${connection.id} ${subject}`, () => page.whoIs(context, subject))
        return await desk.look(connection, known, happeningOf(known.person.id, wanted))
      } catch (error) {
        problem = error
      }
    }
    if (problem !== undefined) throw problem
    return undefined
  }

  const look: RequestHandler = async (request, response) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    const pages = pagesOf(request.params['connector'])
    const [first] = pages
    if (!first) return void response.status(404).json({ error: 'not_found' })
    const wanted = Wanted.safeParse(request.body ?? {}).data
    if (!wanted || (wanted.act !== undefined && !lookingActs.has(wanted.act)))
      return void response.status(400).json({ error: 'bad_request' })
    const language = languageOf(wanted.locale) ?? acceptedLanguage(request.get('accept-language')) ?? 'en'
    const words = messagesIn[language]
    const say = (status: number, told: Told) =>
      send(
        response,
        status,
        language,
        noticeHtml(toldOf(told, first.connection.connector.manifest.name), words.page.again),
      )
    const token = /^Bearer (\S+)$/.exec(request.get('authorization') ?? '')?.[1]
    if (token === undefined) return say(401, words.page.notSignedIn)
    try {
      const looked = await within(lookWithinMs, answerFor(pages, token, wanted), `no answer within ${lookWithinMs} ms`)
      if (looked === 'too often') return say(429, words.page.tooOften)
      if (!looked) return say(401, words.page.notSignedIn)
      send(
        response,
        200,
        looked.language,
        answerHtml(looked.answer, wanted.act !== undefined, messagesIn[looked.language]),
      )
    } catch (error) {
      hub.log.warn({ err: error, connector: request.params['connector'] }, "somebody's own page could not be shown")
      if (error instanceof ConnectorError && error.code === 'not_found') return say(403, words.page.notInstalled)
      say(503, words.page.failed)
    }
  }

  const unreadable: ErrorRequestHandler = (error: unknown, _request, response, next) => {
    const status = z.object({ status: z.number().min(400).max(499) }).safeParse(error).data?.status
    if (status === undefined) return next(error)
    response.status(status).json({ error: 'bad_request' })
  }

  const route = router.route('/home/:connector')
  route.get(shell)
  route.post(express.json({ limit: '4kb' }), look, unreadable)
  router.get('/home/:connector/scripts/:number', script)
  return router
}

function happeningOf(user: string, { locale, act, value }: Wanted): ChatHappening {
  return {
    user,
    awaits: true,
    ...(locale ? { locale } : {}),
    what: act === undefined ? { kind: 'home' } : { kind: 'press', act: { act, value, fields: {} } },
  }
}

/** @param isInside opened from the queue, to which there is a way back. */
function answerHtml(answer: ChatAnswer, isInside: boolean, words: Messages): Html {
  if (answer.kind !== 'home' && answer.kind !== 'private' && answer.kind !== 'card')
    return html`<p>${words.nothing}</p>`
  const card = cardHtml(answer.card, words)
  if (isInside) return html`<nav>${button(words.page.back)}</nav>${card}`
  return html`${card}<p class="actions">${button(words.page.refresh)}</p>`
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
  html`<h1 tabindex="-1">${title}</h1><p>${text}</p><p class="actions"><button type="button" data-again>${again}</button></p>`

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
<template id="not-signed-in">${noticeHtml(toldOf(page.notSignedIn, name), page.again)}</template>
<noscript>${outside.text}</noscript>
${sources.map((source) => html`<script src="${source}"></script>`)}
</body>
</html>`.text
}
