/**
 * /s/{token}: GET and HEAD show, whoever fetches; only a POST that carries the page's pass records, once. Below it,
 * /unsubscribe ends all surveys to this person by one POST.
 */
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import { createRateLimit, senderOf } from '#hub/platform/sender-limit.ts'
import { recordAnswer, recordOptOut } from './answering.ts'
import type { SurveyHub } from './asking.ts'
import type { SurveyDefinition } from './definition.ts'
import { acceptedLanguage, type Language, languageOf } from './messages/index.ts'
import {
  longestComment,
  type Notice,
  noticePage,
  type QuestionPage,
  questionPage,
  stopPage,
  thanksPage,
} from './page.ts'
import { pageStyleHash } from './page-style.ts'
import { scaleOf } from './scale.ts'
import { loadOpened, type OpenedInvitation } from './store.ts'
import { createPass, isPassGood, readToken } from './token.ts'

const headers = {
  'content-security-policy': `default-src 'none'; style-src ${pageStyleHash}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
}

/** An office behind one address may answer at once; a guesser gets no further with it. */
const burst = 300
const perSecond = 20

const Form = z.object({
  pass: z.string().max(200).optional().catch(undefined),
  score: z
    .string()
    .regex(/^\d{1,2}$/)
    .transform(Number)
    .optional()
    .catch(undefined),
  comment: z.string().optional().catch(undefined),
  act: z.enum(['answer', 'opt_out']).catch('answer'),
})
type Form = z.output<typeof Form>
const OneClick = z.object({ 'List-Unsubscribe': z.literal('One-Click') })
/** The same as one part of a multipart form. */
const oneClickPart =
  /^content-disposition:[^\r\n]*;[ \t]*name="?List-Unsubscribe"?[ \t]*\r?\n(?:[^\r\n]+\r?\n)*\r?\nOne-Click\r?\n--/im

export function surveyRouter(hub: SurveyHub): Router {
  const limit = createRateLimit(burst, perSecond)
  const router = Router()

  const protect: RequestHandler = (request, response, next) => {
    response.set(headers)
    const waitSeconds = limit.take(senderOf(request.ip), hub.now())
    if (waitSeconds === 0) return next()
    response.set('retry-after', String(waitSeconds))
    notice(request, response, 429, 'tooMany')
  }

  const show: RequestHandler = async (request, response) => {
    const open = await openInvitation(hub, request, response)
    if (open) response.status(200).send(questionPage(pageOf(hub, request, open)))
  }

  const submit: RequestHandler = async (request, response) => {
    const form = Form.parse(request.body ?? {})
    const now = hub.now()
    const open = await openInvitation(hub, request, response)
    if (!open) return
    const { survey, language, invitation } = open
    const again = (status: number, problem: NonNullable<QuestionPage['problem']>) =>
      response.status(status).send(questionPage({ ...pageOf(hub, request, open, form), problem }))
    if (!isPassGood(hub.secrets, invitation.id, form.pass ?? '', now)) return void again(403, 'again')
    if (form.act === 'opt_out') {
      if (invitation.profileId) await recordOptOut(hub, invitation.profileId, now)
      return void notice(request, response, 200, 'optedOut', language)
    }
    const { min, max } = scaleOf[survey.kind]
    const { score } = form
    if (score === undefined || score < min || score > max) return void again(422, 'choose_score')
    const comment = cleanComment(form.comment) || null
    const isRecorded = await recordAnswer(hub, invitation.id, survey, { score, comment }, now)
    if (isRecorded) return void response.status(200).send(thanksPage({ survey, language, score, comment }))
    notice(request, response, 200, 'answered', language)
  }

  /** RFC 8058: a mail program posts this for its reader, without having fetched anything before. */
  const unsubscribe: RequestHandler = async (request, response) => {
    const token = readToken(hub.secrets, tokenOf(request))
    const invitation = token && (await loadOpened(hub.db, token.invitationId))
    if (!invitation) return void notice(request, response, 404, 'notFound')
    const language =
      chosenLanguage(request) ?? languageOf(invitation.locale) ?? invitation.survey?.default_language ?? 'en'
    if (request.method !== 'POST' || !isOneClick(request.body))
      return void response.send(stopPage(language, tokenOf(request)))
    if (invitation.profileId) await recordOptOut(hub, invitation.profileId, hub.now())
    notice(request, response, 200, 'optedOut', language)
  }

  const form = express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 })
  const stop = router.route('/s/:token/unsubscribe')
  stop.all(protect)
  stop.get(unsubscribe)
  // RFC 8058, 3.2: mail programs should send a multipart form, and may send the other one.
  stop.post(form, express.text({ type: 'multipart/form-data', limit: '16kb' }), unsubscribe)
  stop.all(notAllowed)

  const route = router.route('/s/:token')
  route.all(protect)
  route.get(show)
  route.post(form, submit)
  route.all(notAllowed)
  router.use('/s', onError(hub))
  return router
}

function isOneClick(body: unknown): boolean {
  return typeof body === 'string' ? oneClickPart.test(body) : OneClick.safeParse(body).success
}

const notAllowed: RequestHandler = (_request, response) => {
  response.set('allow', 'GET, HEAD, POST').status(405).end()
}

interface Open {
  readonly invitation: OpenedInvitation
  readonly survey: SurveyDefinition
  readonly language: Language
}

/** @returns undefined when there is nothing to ask any more; then the answer has been sent. */
async function openInvitation(hub: SurveyHub, request: Request, response: Response): Promise<Open | undefined> {
  const token = readToken(hub.secrets, tokenOf(request))
  const invitation = token && (await loadOpened(hub.db, token.invitationId))
  // What the hub did not sign and what it has erased look the same.
  if (!invitation) return void notice(request, response, 404, 'notFound')
  const { state, survey } = invitation
  const language = chosenLanguage(request) ?? languageOf(invitation.locale) ?? survey?.default_language ?? 'en'
  if (state === 'answered') return void notice(request, response, 200, 'answered', language)
  if (state !== 'sent' || !survey || token.expiresAt <= hub.now()) {
    return void notice(request, response, 410, 'expired', language)
  }
  return { invitation, survey, language }
}

function pageOf(hub: SurveyHub, request: Request, open: Open, form?: Form): QuestionPage {
  const { invitation, survey, language } = open
  return {
    survey,
    language,
    subject: invitation.subject,
    token: tokenOf(request),
    pass: createPass(hub.secrets, invitation.id, hub.now()),
    score: preselected(survey, form ? form.score : request.query['score']),
    comment: cleanComment(form?.comment),
  }
}

function preselected(survey: SurveyDefinition, value: unknown): number | undefined {
  const { min, max } = scaleOf[survey.kind]
  const score = typeof value === 'number' ? value : /^\d{1,2}$/.test(String(value)) ? Number(value) : undefined
  return score !== undefined && score >= min && score <= max ? score : undefined
}

/** What PostgreSQL cannot keep and nobody can see is left out. */
function cleanComment(text: string | undefined): string {
  return (text ?? '')
    .replaceAll('\r\n', '\n')
    .replace(/[\p{Cc}\p{Cs}]/gu, (character) => (character === '\n' || character === '\t' ? character : ''))
    .trim()
    .slice(0, longestComment)
}

function tokenOf(request: Request): string {
  const { token } = request.params
  return typeof token === 'string' ? token : ''
}

function chosenLanguage(request: Request): Language | undefined {
  const { lang } = request.query
  return typeof lang === 'string' ? languageOf(lang) : undefined
}

function notice(request: Request, response: Response, status: number, name: Notice, language?: Language): void {
  const spoken = language ?? chosenLanguage(request) ?? acceptedLanguage(request.get('accept-language')) ?? 'en'
  response.status(status).send(noticePage(spoken, name))
}

/** Also for paths and bodies that cannot be read: nobody sees a stack, and nothing is recorded. */
function onError(hub: Pick<SurveyHub, 'log'>): ErrorRequestHandler {
  return (err: unknown, request, response, next) => {
    if (response.headersSent) return next(err)
    response.set(headers)
    const status = err instanceof Error && 'status' in err ? Number(err.status) : 500
    if (status === 413) return notice(request, response, 413, 'tooLarge')
    if (status >= 400 && status < 500) return notice(request, response, 404, 'notFound')
    hub.log.error({ err }, 'a survey page failed; nothing was recorded')
    response.set('retry-after', '30')
    notice(request, response, 503, 'unavailable')
  }
}
