/** The question as a message in the desk: one link for each score. A link opens the page; it records nothing. */
import type { OutMessage } from '#hub/connector/contract.ts'
import { type Html, html } from '#hub/platform/html.ts'
import { questionIn, type SurveyDefinition } from './definition.ts'
import { fill, type Language, messagesIn } from './messages/index.ts'
import { scoresOf } from './scale.ts'

export interface SurveyMessage {
  readonly survey: SurveyDefinition
  readonly language: Language
  /** Of the page, without a score. */
  readonly link: string
  readonly expiresAt: Date
}

export function surveyMessage(asking: SurveyMessage): OutMessage {
  const { survey, language, link } = asking
  const { message, kinds } = messagesIn[language]
  const kind = kinds[survey.kind]
  const question = questionIn(survey, language)
  const until = fill(message.until, { date: dayIn(language, asking.expiresAt) })
  const choices = scoresOf(survey.kind).map((score, index) => ({
    score,
    link: `${link}?score=${score}`,
    label: labelOf(score, kind.scores[index]),
  }))
  const unsubscribeUrl = `${link}/unsubscribe`
  const ends = `${choices[0]?.score} = ${kind.lowest} · ${choices.at(-1)?.score} = ${kind.highest}`
  const text = [
    message.greeting,
    '',
    question,
    '',
    ...choices.toReversed().map((choice) => `${choice.label}: ${choice.link}`),
    '',
    ...(survey.kind === 'nps' ? [ends] : []),
    message.howTo,
    until,
    '',
    `${message.stop} ${unsubscribeUrl}`,
    ...(survey.sender ? ['', survey.sender] : []),
  ]
  const body = html`<p lang="${language}">${message.greeting}</p>
<p lang="${language}"><strong>${question}</strong></p>
<p>${choices.map((choice) => button(choice.link, survey.kind === 'csat' ? choice.label : String(choice.score), choice.label))}</p>
<p><small>${survey.kind === 'csat' ? '' : html`${ends}<br>`}${message.howTo} ${until}</small></p>
${survey.sender ? html`<p>${survey.sender}</p>` : ''}
<p><small>${message.stop} <a href="${unsubscribeUrl}">${messagesIn[language].page.optOut}</a></small></p>`
  return { visibility: 'public', text: text.join('\n'), html: body.text.trim(), automatic: true, unsubscribeUrl }
}

function labelOf(score: number, meaning: string | undefined): string {
  return meaning === undefined || meaning === String(score) ? String(score) : `${score} – ${meaning}`
}

/**
 * Desks strip most styles; what is left must still be a row of links with room between them.
 * @param spoken what a screen reader says: `5` alone would mean nothing.
 */
function button(link: string, label: string, spoken: string): Html {
  const style =
    'display:inline-block;margin:0 8px 8px 0;padding:10px 14px;border:1px solid #4f46e5;border-radius:8px;color:#4338ca;background:#ffffff;text-decoration:none;font-weight:600'
  return html`<a href="${link}" style="${style}"${label === spoken ? '' : html` aria-label="${spoken}"`}>${label}</a> `
}

function dayIn(language: Language, at: Date): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(at)
}
