/** "Why sent, why not": one plain sentence for each decision. */
import { dateText } from './policy.ts'
import { type SurveyKind, scaleOf } from './scale.ts'

export interface Decision {
  readonly state: 'planned' | 'sent' | 'answered' | 'expired' | 'skipped' | 'cancelled'
  readonly reason: string | null
  readonly sendAt: Date
  readonly sentAt: Date | null
  readonly expiresAt: Date | null
  readonly connectionName: string | null
  readonly kind: SurveyKind | null
  /** Why its message did not arrive, where a report says so. */
  readonly bounced: string | null
  readonly answer: { readonly score: number; readonly at: Date } | null
}

export function decisionLine(decision: Decision): string {
  switch (decision.state) {
    case 'planned':
      return `To be asked on ${dateText(decision.sendAt)}.`
    case 'sent':
      if (decision.bounced !== null) return `${asked(decision)}; the message did not arrive: ${decision.bounced}.`
      return `${asked(decision)}${decision.expiresAt ? `; the answer is open until ${dateText(decision.expiresAt)}` : ''}.`
    case 'answered':
      return `${asked(decision)}; ${answered(decision)}.`
    case 'expired':
      return `${asked(decision)}; ${decision.bounced === null ? '' : `the message did not arrive: ${decision.bounced}; `}no answer came${decision.expiresAt ? ` until ${dateText(decision.expiresAt)}` : ''}.`
    case 'skipped':
      return `Not asked: ${decision.reason ?? 'no reason was noted'}.`
    case 'cancelled':
      return `Not asked, the plan was cancelled: ${decision.reason ?? 'no reason was noted'}.`
  }
}

function asked({ sentAt, connectionName }: Decision): string {
  const when = sentAt ? ` on ${dateText(sentAt)}` : ''
  return `Asked${when}${connectionName === null ? '' : ` in ${connectionName}`}`
}

function answered({ answer, kind }: Decision): string {
  if (!answer) return 'answered; the answer has been erased'
  const of = kind ? ` of ${scaleOf[kind].max}` : ''
  return `answered with ${answer.score}${of} on ${dateText(answer.at)}`
}
