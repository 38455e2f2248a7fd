/** Cards with one thing to say or to ask: a notice, an approval, a survey. */

import { type Language, messagesIn as surveyMessages } from '#hub/surveys/messages/index.ts'
import { type SurveyKind, scaleOf, scoresOf } from '#hub/surveys/scale.ts'
import { acts, joinValue } from './acts.ts'
import type { Card, Tone } from './card.ts'
import { subjectOf } from './case-line.ts'
import { fill, type Messages, type Refusal } from './messages/index.ts'
import type { ShownApproval } from './shown.ts'

/** @param key a newer notice of the same key replaces this one. */
export function noticeCard(
  key: string,
  { title, text, tone, caseId }: { title: string; text: string; tone: Tone; caseId?: string },
  words: Messages,
): Card {
  return {
    key: `notice:${key}`,
    title,
    tone,
    blocks: [{ kind: 'text', text }],
    actions: caseId
      ? [{ kind: 'button', act: acts.openCase, value: caseId, label: words.actions.open, opensForm: true }]
      : [],
    summary: `${title}: ${text}`,
  }
}

/** For somebody who may not act: why, and what they can do about it. */
export function refusalCard(why: Refusal, words: Messages): Card {
  const { title, text } = words.chat.refusals[why]
  return {
    key: `refusal:${why}`,
    title,
    tone: 'attention',
    blocks: [{ kind: 'text', text }],
    actions:
      why === 'no_seat'
        ? [{ kind: 'button', act: acts.claimSeatForm, value: '', label: words.chat.otherAddress, opensForm: true }]
        : [],
    summary: `${title}: ${text}`,
  }
}

export function helpCard(words: Messages): Card {
  const { title, text, commands } = words.chat.help
  return {
    key: 'help',
    title,
    blocks: [
      { kind: 'text', text },
      { kind: 'facts', facts: commands.map(([label, value]) => ({ label, value })) },
    ],
    actions: [],
    summary: `${title}: ${commands.map(([name]) => name).join(', ')}`,
  }
}

/** Once decided, it says so and asks no more. */
export function approvalCard(shown: ShownApproval, words: Messages): Card {
  const { approval, actions } = words
  const { decision, question } = shown
  const told = decision && fill(decision.isApproved ? approval.approved : approval.rejected, { name: decision.by })
  return {
    key: `approval:${shown.id}`,
    title: told ?? approval.title,
    tone: decision ? (decision.isApproved ? 'good' : 'neutral') : 'attention',
    blocks: [
      { kind: 'text', text: question },
      {
        kind: 'facts',
        facts: [
          { label: approval.case, value: subjectOf(shown, words) },
          { label: approval.askedBy, value: shown.askedBy },
          { label: approval.askedAt, value: { at: shown.askedAt } },
          ...(told && decision ? [{ label: told, value: { at: decision.at } }] : []),
        ],
      },
    ],
    actions: [
      ...(decision
        ? []
        : [
            { kind: 'button', act: acts.approve, value: shown.id, label: actions.approve, style: 'primary' } as const,
            {
              kind: 'button',
              act: acts.reject,
              value: shown.id,
              label: actions.reject,
              style: 'danger',
              confirm: {
                title: approval.sure,
                text: fill(approval.rejectText, { question }),
                yes: actions.reject,
                no: words.cancel,
              },
            } as const,
          ]),
      { kind: 'button', act: acts.openCase, value: shown.caseId, label: actions.open, opensForm: true },
    ],
    summary: `${told ?? approval.title}: ${question}`,
  }
}

export interface ShownSurvey {
  readonly invitationId: string
  readonly kind: SurveyKind
  /** The survey's own; otherwise the usual one of its kind. */
  readonly question?: string
  readonly subject: string | null
  /** Once answered, it thanks and takes no more. */
  readonly score?: number
}

/** For the customer: nothing on it is internal. */
export function surveyCard(shown: ShownSurvey, language: Language, words: Messages): Card {
  const texts = surveyMessages[language].kinds[shown.kind]
  const { min, max } = scaleOf[shown.kind]
  const question = shown.question ?? texts.question
  const nameOf = (score: number) => texts.scores[score - min] ?? String(score)
  const ends = fill(words.survey.ends, { min, lowest: texts.lowest, max, highest: texts.highest })
  const isAnswered = shown.score !== undefined
  const thanks = shown.score === undefined ? '' : fill(words.survey.thanks, { score: nameOf(shown.score) })
  return {
    key: `survey:${shown.invitationId}`,
    title: question,
    ...(isAnswered ? { tone: 'good' as const } : {}),
    blocks: [
      { kind: 'text', text: fill(words.survey.about, { subject: subjectOf(shown, words) }), isSubtle: true },
      ...(isAnswered ? [{ kind: 'notice', text: thanks, tone: 'good' } as const] : []),
      // Five buttons have room for their meaning; longer scales say it once.
      ...(isAnswered || shown.kind === 'csat' ? [] : [{ kind: 'text', text: ends, isSubtle: true } as const]),
    ],
    actions: isAnswered
      ? []
      : scoresOf(shown.kind).map((score) => ({
          kind: 'button',
          act: acts.answerSurvey,
          value: joinValue(shown.invitationId, score),
          label: shown.kind === 'csat' ? `${score} – ${nameOf(score)}` : String(score),
        })),
    summary: isAnswered ? thanks : question,
  }
}
