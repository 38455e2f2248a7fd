import { createServer, type Server } from 'node:http'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { newId } from '#hub/platform/ids.ts'
import { saveSurvey, surveyResults, surveyRouter } from '#hub/surveys/index.ts'
import { createToken } from '#hub/surveys/token.ts'
import { testDatabase } from '#kit'
import { scanners } from './scanners.ts'
import { surveyScene } from './scene.ts'
import { surveyOf } from './survey.ts'

const database = testDatabase()
const scene = surveyScene(database)
let server: Server
let base = ''

beforeAll(async () => {
  const hub = scene.hub()
  const app = express()
  // As the hub's own app: simple queries, and the database of this file's tests.
  app.set('query parser', 'simple')
  app.use(
    surveyRouter({
      ...hub,
      get db() {
        return database.db
      },
    }),
  )
  server = createServer(app)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const address = server.address()
  base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const get = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(base + path, { redirect: 'manual', ...init })
  return { status: response.status, headers: response.headers, body: await response.text() }
}
const post = (path: string, form: Record<string, string> | string) =>
  get(path, { method: 'POST', body: new URLSearchParams(form) })
const passOf = (body: string) => /name="pass" value="([^"]+)"/.exec(body)?.[1] ?? ''
const answer = async (path: string, form: Record<string, string>) =>
  post(path, { pass: passOf((await get(path)).body), ...form })
const votes = async () => (await scene.responses()).length

describe('looking at the page', () => {
  it('records nothing, whatever fetches it: 30 kinds of machine, GET and HEAD, with and without a score', async () => {
    const { path } = await scene.askedLink()
    expect(scanners).toHaveLength(30)
    for (const headers of scanners) {
      for (const method of ['GET', 'HEAD']) {
        for (const query of ['', '?score=1', '?score=5&act=answer&comment=x&pass=x']) {
          scene.clock.advance(1000)
          expect((await get(path + query, { method, headers })).status).toBe(200)
        }
      }
    }
    expect(await votes()).toBe(0)
    expect((await scene.invitations()).map(({ state }) => state)).toEqual(['sent'])
    expect(scene.published).toEqual([])
  })

  it('selects the score of the link, and none that the scale does not have', async () => {
    const { path } = await scene.askedLink()
    const chosen = async (query: string) =>
      [...(await get(path + query)).body.matchAll(/value="(\d+)" required checked/g)].map((match) => match[1])
    expect(await chosen('?score=4')).toEqual(['4'])
    for (const query of ['', '?score=0', '?score=6', '?score=x', '?score=', '?score=4&score=5', '?score=-1']) {
      expect(await chosen(query)).toEqual([])
    }
  })

  it('keeps the address to itself: no referrer, no index, no store, no frame, no foreign style or script', async () => {
    const { path } = await scene.askedLink()
    for (const page of [path, '/s/nothing']) {
      const { headers, body } = await get(page)
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'referrer-policy': 'no-referrer',
        'x-robots-tag': 'noindex, nofollow',
        'cache-control': 'no-store',
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; style-src 'sha256-[\w+/]+=*'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
        ),
      })
      expect(body).not.toMatch(/<script|style=|onload|https?:/)
    }
  })

  it('speaks the customer’s language, and the other one on request', async () => {
    const { path } = await scene.askedLink({ locale: 'es' })
    const spanish = (await get(path)).body
    expect(spanish).toContain('<html lang="es">')
    expect(spanish).toContain('¿Qué grado de satisfacción tiene con la ayuda recibida?')
    const english = (await get(`${path}?lang=en&score=3`)).body
    expect(english).toContain('<html lang="en">')
    expect(english).toContain('How satisfied are you with the help you received?')
    expect(english).toContain(`href="${path}?lang=es&amp;score=3"`)
  })

  it('answers a made-up, a malformed and an erased link with the same page', async () => {
    const { path } = await scene.askedLink()
    const expiresAt = new Date('2027-01-01T00:00:00Z')
    const erased = createToken(scene.secrets, { invitationId: newId('inv'), expiresAt })
    const pages = await Promise.all(
      ['/s/x', `/s/${'A'.repeat(72)}`, `${path.slice(0, -2)}AA`, `/s/${erased}`, '/s/%E0%A4%A', '/s/%00'].map((one) =>
        get(one),
      ),
    )
    expect(pages.map((page) => page.status)).toEqual(pages.map(() => 404))
    expect(new Set(pages.map((page) => page.body)).size).toBe(1)
    expect((await get('/s/x', { headers: { 'accept-language': 'es-ES,es;q=0.9' } })).body).toContain(
      'Este enlace no funciona',
    )
  })

  it('says friendly that the time is over', async () => {
    const { path } = await scene.askedLink()
    const pass = passOf((await get(path)).body)
    scene.clock.advance(14 * 24 * 3_600_000)
    expect(await get(path)).toMatchObject({ status: 410, body: expect.stringContaining('This link has expired') })
    expect((await post(path, { pass, score: '5' })).status).toBe(410)
    expect(await votes()).toBe(0)
  })

  it('takes no other method', async () => {
    const { path } = await scene.askedLink()
    const answers = await Promise.all(['PUT', 'DELETE', 'PATCH', 'OPTIONS'].map((method) => get(path, { method })))
    expect(answers.map(({ status, headers }) => [status, headers.get('allow')])).toEqual(
      answers.map(() => [405, 'GET, HEAD, POST']),
    )
  })
})

describe('sending an answer', () => {
  it('records it, tells the rules and rates the case in every tool that keeps ratings', async () => {
    const { path, invitationId, caseId } = await scene.askedLink({ in: ['c_a', 'c_b', 'c_board'] })
    const { status, body } = await answer(path, { score: '2', comment: 'Slow,\r\nbut kind.' })
    expect(status).toBe(200)
    expect(body).toContain('Your score: 2 of 5')
    expect(body).toContain('Slow,\nbut kind.')

    const [response] = await scene.responses()
    expect(response).toMatchObject({
      invitation_id: invitationId,
      case_id: caseId,
      scale: 'csat_5',
      score: 2,
      comment: 'Slow,\nbut kind.',
      answered_at: scene.clock.now(),
    })
    const rating = { scale: 'csat_5', score: 2, comment: 'Slow,\nbut kind.' }
    expect(scene.published.map(({ type, caseId: about, data }) => ({ type, about, data }))).toEqual([
      { type: 'survey.answered', about: caseId, data: { surveyId: 'csat', invitationId, rating } },
      { type: 'survey.low_score', about: caseId, data: { surveyId: 'csat', invitationId, rating } },
    ])
    const ratings = (await scene.outbox()).filter((entry) => entry.lane !== 'c_a' || entry.seq > 1)
    expect(ratings.map(({ lane, action }) => ({ lane, action }))).toEqual([
      { lane: 'c_a', action: { type: 'rating.record', externalId: expect.any(String), rating } },
      { lane: 'c_board', action: { type: 'rating.record', externalId: expect.any(String), rating } },
    ])
    expect(await surveyResults(database.db, 'csat')).toMatchObject({
      asked: 1,
      response_rate: { count: 1, of: 1 },
      mean: 2,
      low: { count: 1 },
    })
  })

  it('raises no alarm for a good score', async () => {
    const { path } = await scene.askedLink()
    await answer(path, { score: '3' })
    expect(scene.published.map((event) => event.type)).toEqual(['survey.answered'])
    expect((await scene.responses()).map(({ comment }) => comment)).toEqual([null])
  })

  it('counts the first answer only, and is friendly about the second', async () => {
    const { path } = await scene.askedLink()
    const pass = passOf((await get(path)).body)
    await post(path, { pass, score: '5', comment: 'first' })
    const again = await post(path, { pass, score: '1', comment: 'second' })
    expect(again).toMatchObject({ status: 200, body: expect.stringContaining('Already answered, thank you') })
    expect(again.body).not.toContain('first')
    expect((await get(path)).body).toContain('Already answered, thank you')
    expect((await scene.responses()).map(({ score }) => score)).toEqual([5])
    expect(scene.published).toHaveLength(1)
  })

  it('records one of 100 answers that come at once', async () => {
    const { path } = await scene.askedLink()
    const pass = passOf((await get(path)).body)
    scene.clock.advance(10_000)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => post(path, { pass, score: String((n % 5) + 1) })),
    )
    expect(answers.filter(({ body }) => body.includes('Thank you!'))).toHaveLength(1)
    expect(answers.filter(({ body }) => body.includes('Already answered'))).toHaveLength(99)
    expect(await votes()).toBe(1)
    expect((await scene.outbox()).map((entry) => z.object({ type: z.string() }).parse(entry.action).type)).toEqual([
      'case.message',
      'rating.record',
    ])
  })

  it('needs the pass of the page: a blind POST gets the form again, with what it said', async () => {
    const { path } = await scene.askedLink()
    const other = { invitationId: newId('inv'), expiresAt: new Date('2027-01-01T00:00:00Z') }
    for (const pass of ['', 'x', createToken(scene.secrets, other)]) {
      const blind = await post(path, { pass, score: '1', comment: 'kept' })
      expect(blind.status).toBe(403)
      expect(blind.body).toContain('Your answer has not been recorded yet')
      expect(blind.body).toContain('value="1" required checked')
      expect(blind.body).toMatch(/<textarea[^>]*>\nkept<\/textarea>/)
    }
    expect(await votes()).toBe(0)
    const retry = await post(path, { pass: passOf((await post(path, { score: '4' })).body), score: '4' })
    expect(retry.body).toContain('Thank you!')
  })

  it('asks for a score that the scale has', async () => {
    const { path } = await scene.askedLink()
    const pass = passOf((await get(path)).body)
    const forms = [{ pass }, { pass, score: '0' }, { pass, score: '6' }, { pass, score: '4.5' }, { pass, score: 'NaN' }]
    for (const form of [...forms, `pass=${pass}&score=1&score=5`]) {
      const refused = await post(path, form)
      expect(refused).toMatchObject({ status: 422, body: expect.stringContaining('Please choose a score') })
    }
    expect(await votes()).toBe(0)
  })

  it('reads forms only, up to 16 KiB', async () => {
    const { path } = await scene.askedLink()
    const pass = passOf((await get(path)).body)
    const long = await post(path, { pass, score: '5', comment: 'x'.repeat(17_000) })
    expect(long).toMatchObject({ status: 413, body: expect.stringContaining('That was too long') })
    const json = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ pass, score: '5' }),
    }
    expect((await get(path, json)).status).toBe(403)
    expect(await votes()).toBe(0)
  })

  it('keeps a comment of the longest length in any script, without what the database cannot hold', async () => {
    const { path } = await scene.askedLink()
    const { status } = await answer(path, { score: '5', comment: `${'語'.repeat(990)}\u0000\u001b👍 fin` })
    expect(status).toBe(200)
    expect((await scene.responses()).map(({ comment }) => comment)).toEqual([`${'語'.repeat(990)}👍 fin`])
  })

  it('stops asking people who say so', async () => {
    const { path } = await scene.askedLink()
    const { status, body } = await answer(path, { act: 'opt_out' })
    expect({ status, body }).toMatchObject({
      status: 200,
      body: expect.stringContaining('We will not send you any more'),
    })
    expect(await votes()).toBe(0)
    scene.clock.advance(90 * 24 * 3_600_000)
    const [invitation] = await scene.invitations()
    await scene.plan(await scene.solvedCase(invitation?.profile_id ?? ''))
    expect((await scene.invitations()).at(-1)).toMatchObject({
      state: 'skipped',
      reason: 'the customer does not want surveys',
    })
  })

  it('ends all questions by the one request of a mail program, and by a page with a button for people', async () => {
    const { path } = await scene.askedLink()
    const [asked] = await scene.outbox()
    const { message } = z.object({ message: z.object({ unsubscribeUrl: z.string() }) }).parse(asked?.action)
    expect(message.unsubscribeUrl).toBe(`https://hub.example${path}/unsubscribe`)
    const page = await get(`${path}/unsubscribe`)
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('No more surveys?') })
    expect((await post(`${path}/unsubscribe`, { other: 'x' })).body).toContain('No more surveys?')
    const [invitation] = await scene.invitations()
    const next = async () => {
      scene.clock.advance(90 * 24 * 3_600_000)
      await scene.plan(await scene.solvedCase(invitation?.profile_id ?? ''))
      return (await scene.invitations()).at(-1)
    }
    expect(await next()).toMatchObject({ state: 'planned' })

    // Long after the question has expired.
    const done = await post(`${path}/unsubscribe`, { 'List-Unsubscribe': 'One-Click' })
    expect(done).toMatchObject({ status: 200, body: expect.stringContaining('We will not send you any more') })
    expect(await next()).toMatchObject({ state: 'skipped', reason: 'the customer does not want surveys' })
    expect((await post('/s/made-up/unsubscribe', { 'List-Unsubscribe': 'One-Click' })).status).toBe(404)
  })

  it('ends all questions by the request in the form that RFC 8058 prefers, multipart, and by no other', async () => {
    const { path } = await scene.askedLink()
    const [invitation] = await scene.invitations()
    const ask = (fields: Record<string, string>) => {
      const body = new FormData()
      for (const [name, value] of Object.entries(fields)) body.set(name, value)
      return get(`${path}/unsubscribe`, { method: 'POST', body })
    }
    const next = async () => {
      scene.clock.advance(90 * 24 * 3_600_000)
      await scene.plan(await scene.solvedCase(invitation?.profile_id ?? ''))
      return (await scene.invitations()).at(-1)
    }
    for (const fields of [{}, { 'List-Unsubscribe': 'No' }, { other: 'List-Unsubscribe=One-Click' }]) {
      expect((await ask(fields)).body).toContain('No more surveys?')
    }
    expect(await next()).toMatchObject({ state: 'planned' })
    const done = await ask({ 'List-Unsubscribe': 'One-Click' })
    expect(done).toMatchObject({ status: 200, body: expect.stringContaining('We will not send you any more') })
    expect(await next()).toMatchObject({ state: 'skipped', reason: 'the customer does not want surveys' })
  })

  it('writes the score to the person’s records in every CRM that keeps it, whichever profile they were merged into', async () => {
    const asked = await scene.askedLink()
    const [invitation] = await scene.invitations()
    const contact = await scene.person('c_crm', { id: '512', emails: ['ana@private.example'] })
    const unknown = await scene.person('c_crm', { emails: ['ana@third.example'] })
    for (const merged of [contact, unknown]) await scene.merge(invitation?.profile_id ?? '', merged)
    await answer(asked.path, { score: '4' })
    const rating = { scale: 'csat_5', score: 4 }
    const entries = (await scene.outbox()).filter(({ lane }) => lane === 'c_crm')
    expect(entries.map(({ action }) => action)).toEqual([{ type: 'person.rating', externalId: '512', rating }])
  })

  it('says so when it cannot record, and takes the same answer later', async () => {
    const { path } = await scene.askedLink()
    const pass = passOf((await get(path)).body)
    scene.breakPublishing(true)
    const failed = await post(path, { pass, score: '5' })
    expect(failed).toMatchObject({ status: 503, body: expect.stringContaining('could not be recorded') })
    expect(failed.body).not.toContain('rules')
    expect(await votes()).toBe(0)
    scene.breakPublishing(false)
    expect((await post(path, { pass, score: '5' })).body).toContain('Thank you!')
    expect(await votes()).toBe(1)
  })
})

describe('what strangers wrote', () => {
  const payloads = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    '</textarea><svg onload=alert(1)>',
    '</title></style><script>alert(1)</script>',
    '{{constructor.constructor("alert(1)")()}}',
    '`+alert(1)+`',
    '&lt;script&gt;',
    '<a href="javascript:alert(1)">x</a>',
  ]

  it.each(payloads)('is shown as text: %s', async (payload) => {
    await saveSurvey(
      database.db,
      surveyOf({ sender: payload, question: { en: payload }, comment_question: { en: payload } }),
    )
    const { path } = await scene.askedLink({ subject: payload })
    const question = await get(path)
    const refused = await post(path, { score: '3', comment: payload })
    const thanks = await answer(path, { score: '3', comment: payload })
    const escaped = payload.replace(/[&<>"'`]/g, (character) => `&#${character.codePointAt(0)};`)
    const named = { '&#38;': '&amp;', '&#60;': '&lt;', '&#62;': '&gt;', '&#34;': '&quot;' }
    const shown = Object.entries(named).reduce((text, [number, name]) => text.replaceAll(number, name), escaped)
    const count = (body: string) => body.split(shown).length - 1
    expect([count(question.body), count(refused.body), count(thanks.body)]).toEqual([4, 5, 1])
    const tags = (body: string) => [...body.matchAll(/<\/?([a-z]+)/gi)].map((match) => match[1])
    expect(tags(question.body)).not.toContain('script')
    expect(tags(question.body)).not.toContain('img')
    const message = await scene.sentMessage()
    expect(tags(message.html)).toSatisfy((list: string[]) =>
      list.every((tag) => ['p', 'a', 'strong', 'small', 'br'].includes(tag)),
    )
  })
})

describe('too many requests', () => {
  it('are asked to come back later, and record nothing', async () => {
    const { path } = await scene.askedLink()
    const pages = await Promise.all(Array.from({ length: 320 }, () => get(path, { method: 'HEAD' })))
    const refused = pages.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]?.headers.get('retry-after')).toBe('1')
    expect(await votes()).toBe(0)
    scene.clock.advance(60_000)
  })
})
