/** The pages of /s/{token}, as plain HTML: they work without JavaScript, and with a keyboard, and with a screen reader. */

import { type Html, html, trusted } from '#hub/platform/html.ts'
import { commentQuestionIn, questionIn, type SurveyDefinition } from './definition.ts'
import { fill, type KindMessages, type Language, languages, messagesIn, type PageText } from './messages/index.ts'
import { pageStyle } from './page-style.ts'
import { type SurveyKind, scaleOf, scoresOf } from './scale.ts'

/** So that its URL-encoding stays below the 16 KiB that are read. */
export const longestComment = 1000

export interface QuestionPage {
  readonly survey: SurveyDefinition
  readonly language: Language
  readonly subject: string | null
  readonly token: string
  readonly pass: string
  readonly score: number | undefined
  readonly comment: string
  readonly problem?: 'choose_score' | 'again'
}

export function questionPage(page: QuestionPage): string {
  const { survey, language, token, score } = page
  const messages = messagesIn[language]
  const kind = messages.kinds[survey.kind]
  const problem = page.problem && { choose_score: messages.page.chooseScore, again: messages.page.again }[page.problem]
  const switches = languages.map((other) => {
    const name = messagesIn[other].language
    const here = `/s/${token}?lang=${other}${score === undefined ? '' : `&score=${score}`}`
    return other === language
      ? html`<li><span aria-current="true" lang="${other}">${name}</span></li>`
      : html`<li><a href="${here}" lang="${other}" hreflang="${other}">${name}</a></li>`
  })
  return document(
    language,
    problem ? `${problem} ${messages.page.title}` : messages.page.title,
    html`<main>
<div class="head">
${survey.sender ? html`<p class="sender">${survey.sender}</p>` : ''}
<p class="about">${page.subject ? fill(messages.page.about, { subject: page.subject }) : messages.page.title}</p>
</div>
${problem ? html`<p class="alert" role="alert">${problem}</p>` : ''}
<form method="post" action="/s/${token}?lang=${language}">
<input type="hidden" name="pass" value="${page.pass}">
<fieldset>
<legend><h1>${questionIn(survey, language)}</h1></legend>
<div class="scale ${survey.kind}">
${scoresOf(survey.kind).map((one) => choice(survey.kind, kind, one, score === one))}
</div>
${survey.kind === 'csat' ? '' : html`<p class="ends" aria-hidden="true"><span>${scaleOf[survey.kind].min} – ${kind.lowest}</span><span>${scaleOf[survey.kind].max} – ${kind.highest}</span></p>`}
</fieldset>
<div class="comment">
<label for="comment">${commentQuestionIn(survey, language)} <span class="optional">(${messages.page.optional})</span></label>
<textarea id="comment" name="comment" maxlength="${longestComment}" rows="4" aria-describedby="comment-hint">
${page.comment}</textarea>
<p class="hint" id="comment-hint">${fill(messages.page.commentHint, { max: longestComment })}</p>
</div>
<button class="send" type="submit" name="act" value="answer">${messages.page.send}</button>
<p class="note">${messages.page.oneAnswer}</p>
<button class="opt-out" type="submit" name="act" value="opt_out" formnovalidate>${messages.page.optOut}</button>
</form>
</main>
<footer><nav aria-label="${messages.page.switchLanguage}"><ul>${switches}</ul></nav></footer>`,
  )
}

function choice(kindName: SurveyKind, kind: KindMessages, score: number, isChosen: boolean): Html {
  const { min, max } = scaleOf[kindName]
  const meaning = kind.scores[score - min] ?? String(score)
  const input = html`<input type="radio" name="score" value="${score}" required${isChosen ? trusted(' checked') : ''}>`
  if (kindName === 'csat') {
    return html`<label class="choice">${input}<span class="tile">${face(score)}<span class="meaning"><span class="sr">${score}: </span>${meaning}</span></span></label>
`
  }
  const end = score === min ? kind.lowest : score === max ? kind.highest : String(score)
  const spoken = meaning === String(score) ? end : meaning
  return html`<label class="choice">${input}<span class="tile">${score}${spoken === String(score) ? '' : html`<span class="sr">: ${spoken}</span>`}</span></label>
`
}

/** From a deep frown to a wide smile. */
function face(score: number): Html {
  const bend = 15.5 + (score - 3) * 2.2
  const ends = 15.5 - (score - 3) * 0.9
  return html`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><circle cx="12" cy="12" r="10"/><path d="M8.7 9.4v.6M15.3 9.4v.6M7.8 ${ends}Q12 ${bend} 16.2 ${ends}"/></svg>`
}

export interface ThanksPage {
  readonly survey: SurveyDefinition
  readonly language: Language
  readonly score: number
  readonly comment: string | null
}

export function thanksPage({ survey, language, score, comment }: ThanksPage): string {
  const { thanks, kinds } = messagesIn[language]
  const meaning = kinds[survey.kind].scores[score - scaleOf[survey.kind].min]
  return document(
    language,
    thanks.title,
    html`<main class="short">
${tick}<h1>${thanks.title}</h1>
<p class="text">${thanks.text}</p>
<dl>
<dt>${fill(thanks.score, { score, max: scaleOf[survey.kind].max })}</dt>${meaning === undefined || meaning === String(score) ? '' : html`<dd>${meaning}</dd>`}
${comment === null ? '' : html`<dt>${thanks.comment}</dt><dd>${comment}</dd>`}
</dl>
</main>`,
  )
}

const tick = html`<div class="mark"><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="M5 12.5l4.5 4.5L19 7.5"/></svg></div>
`

export type Notice = 'answered' | 'optedOut' | 'expired' | 'notFound' | 'tooMany' | 'tooLarge' | 'unavailable'

export function noticePage(language: Language, notice: Notice): string {
  const { title, text }: PageText = messagesIn[language][notice]
  const isGood = notice === 'answered' || notice === 'optedOut'
  return document(
    language,
    title,
    html`<main class="short">
${isGood ? tick : ''}<h1>${title}</h1>
<p class="text">${text}</p>
</main>`,
  )
}

/** Where the unsubscribe link of a message leads. Only its button changes anything. */
export function stopPage(language: Language, token: string): string {
  const { stop, page } = messagesIn[language]
  return document(
    language,
    stop.title,
    html`<main class="short">
<h1>${stop.title}</h1>
<p class="text">${stop.text}</p>
<form method="post" action="/s/${token}/unsubscribe?lang=${language}">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button class="send" type="submit">${page.optOut}</button>
</form>
</main>`,
  )
}

function document(language: Language, title: string, body: Html): string {
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${title}</title>
<style>${trusted(pageStyle)}</style>
</head>
<body>
${body}
</body>
</html>
`.text
}
