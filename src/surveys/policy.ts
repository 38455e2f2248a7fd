/** Whether to ask, and when. Pure: every answer is a decision with its reason in plain words, kept for "why not". */
import { createHash } from 'node:crypto'
import type { CaseStatus, Channel } from '#hub/connector/facts.ts'
import { afterQuietHours } from '#hub/platform/quiet-hours.ts'
import type { SurveyDefinition } from './definition.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

export interface Person {
  /** The merged profile: all its leaves share one throttle. */
  readonly rootId: string
  readonly emails: readonly string[]
  readonly isOptedOut: boolean
  /** Those of the addresses that mail does not reach. */
  readonly bouncing: readonly string[]
}

export interface Solution {
  readonly caseId: string
  readonly at: Date
  readonly connectionName: string | null
  readonly channel: Channel | null
  readonly tags: readonly string[]
  /** Opened by a rule for another case, where the customer is asked. */
  readonly isFollowUp: boolean
  /** Closed because it goes on as another case. */
  readonly isMerged?: boolean
  readonly lastPublicMessageAt: Date | null
  readonly person: Person | undefined
  /** Some tool that holds the case lets the hub write to the customer. */
  readonly isReachable: boolean
  /** That tool writes to the customer's address itself. */
  readonly isByMail: boolean
}

export type PlanDecision =
  | { readonly state: 'planned'; readonly sendAt: Date }
  | { readonly state: 'skipped'; readonly reason: string }

export function decidePlan(survey: SurveyDefinition, solution: Solution, now: Date): PlanDecision {
  const reason = whyNotPlanned(survey, solution, now)
  if (reason !== undefined) return { state: 'skipped', reason }
  const wanted = Math.max(solution.at.getTime() + survey.when.delay_s * 1000, now.getTime())
  return { state: 'planned', sendAt: afterQuietHours(new Date(wanted), survey.quiet_hours) }
}

function whyNotPlanned(survey: SurveyDefinition, solution: Solution, now: Date): string | undefined {
  const { when } = survey
  if (solution.isFollowUp) return 'a rule opened this case for another one; the customer is asked about that one'
  if (solution.isMerged) return 'it was merged into another case; the customer is asked about that one'
  const { connectionName } = solution
  if (when.connections && (connectionName === null || !when.connections.includes(connectionName))) {
    const asks = `this survey asks about cases of ${when.connections.join(', ')}`
    return connectionName === null ? asks : `it was solved in ${connectionName}; ${asks}`
  }
  if (when.channels && (solution.channel === null || !when.channels.includes(solution.channel))) {
    return `its channel is ${solution.channel ?? 'not known'}; this survey asks on ${when.channels.join(', ')}`
  }
  const tag = when.not_tags.find((one) => solution.tags.includes(one))
  if (tag !== undefined) return `it has the tag "${tag}"`
  const { person } = solution
  if (!person) return 'it has no requester'
  if (person.isOptedOut) return 'the customer does not want surveys'
  if (person.emails.length > 0 && person.emails.every(isUnread)) {
    return `nobody reads the requester's address (${person.emails.join(', ')})`
  }
  if (!solution.isReachable) return 'no tool that holds the case lets the hub write to the customer'
  if (solution.isByMail && isUnreachable(person)) return unreachable(person)
  const ageMs = now.getTime() - solution.at.getTime()
  if (ageMs > when.max_age_hours * hourMs) {
    return `it was solved ${spanText(ageMs)} before the hub learned of it, and ${when.max_age_hours} hours is the limit`
  }
  const silenceMs = solution.lastPublicMessageAt && solution.at.getTime() - solution.lastPublicMessageAt.getTime()
  if (silenceMs !== null && silenceMs > when.max_silence_days * dayMs) {
    return `nobody had written for ${spanText(silenceMs)} when it was closed`
  }
  if (!isSampled(survey, solution.caseId)) return `it is not in the sample of ${percentText(survey.sampling)}`
  return undefined
}

export interface Asked {
  readonly at: Date
  readonly throttleDays: number
  readonly caseSubject: string | null
  readonly connectionName: string | null
}

export interface Planned {
  readonly now: Date
  readonly sendAt: Date
  /** Undefined when the case is gone. */
  readonly status: CaseStatus | undefined
  readonly solvedAt: Date
  readonly person: Person | undefined
  readonly isReachable: boolean
  readonly isByMail: boolean
  /** Every question this person has got, whatever tool and survey it came from. */
  readonly asked: readonly Asked[]
}

export type SendDecision =
  | { readonly state: 'sent' }
  | { readonly state: 'planned'; readonly sendAt: Date }
  | { readonly state: 'skipped' | 'cancelled'; readonly reason: string }

/** @param survey undefined when it was removed since. */
export function decideSend(survey: SurveyDefinition | undefined, planned: Planned): SendDecision {
  const { now, status, person } = planned
  if (!survey?.enabled) return { state: 'cancelled', reason: 'the survey was switched off' }
  if (status === undefined) return { state: 'cancelled', reason: 'the case no longer exists' }
  if (status !== 'solved' && status !== 'closed') return { state: 'cancelled', reason: 'the case is open again' }
  if (now < planned.sendAt) return { state: 'planned', sendAt: planned.sendAt }
  const reason = whyNotSent(survey, planned, person)
  if (reason !== undefined) return { state: 'skipped', reason }
  const sendAt = afterQuietHours(now, survey.quiet_hours)
  return sendAt > now ? { state: 'planned', sendAt } : { state: 'sent' }
}

function whyNotSent(survey: SurveyDefinition, planned: Planned, person: Person | undefined): string | undefined {
  if (!person) return 'it has no requester'
  if (person.isOptedOut) return 'the customer does not want surveys'
  if (!planned.isReachable) return 'no tool that holds the case lets the hub write to the customer any more'
  if (planned.isByMail && isUnreachable(person)) return unreachable(person)
  const limitHours = survey.when.max_age_hours
  if (planned.now.getTime() - planned.solvedAt.getTime() > limitHours * hourMs) {
    return `it could not be sent within ${limitHours} hours of the solution`
  }
  return whyThrottled(survey.throttle_days, planned.asked, planned.now)
}

/** Between two questions to one person lies the longer of the two surveys' throttles. */
function whyThrottled(throttleDays: number, asked: readonly Asked[], now: Date): string | undefined {
  const next = (one: Asked) => one.at.getTime() + Math.max(throttleDays, one.throttleDays) * dayMs
  const [last] = asked.filter((one) => next(one) > now.getTime()).sort((a, b) => next(b) - next(a))
  if (!last) return undefined
  const about = last.caseSubject === null ? 'another case' : `the case “${last.caseSubject}”`
  const where = last.connectionName === null ? '' : ` in ${last.connectionName}`
  return `the customer was asked on ${dateText(last.at)} about ${about}${where}; next possible on ${dateText(new Date(next(last)))}`
}

/** The same case gets the same answer; surveys draw their samples apart from each other. */
function isSampled(survey: SurveyDefinition, caseId: string): boolean {
  const draw = createHash('sha256').update(`${survey.id}\n${caseId}`).digest().readUInt32BE() / 2 ** 32
  return draw < survey.sampling
}

function isUnreachable({ emails, bouncing }: Person): boolean {
  return emails.length > 0 && emails.every((email) => bouncing.includes(email))
}

function unreachable({ emails }: Person): string {
  return `the customer is unreachable: mail to ${emails.join(', ')} bounces`
}

const unreadNames = /^(no|do[._-]?not|donot)[._-]?reply\b|^(mailer-daemon|postmaster|bounces?|auto-?reply)$/i

function isUnread(email: string): boolean {
  return unreadNames.test(email.split(/[@+]/, 1)[0] ?? '')
}

function spanText(ms: number): string {
  return ms >= 2 * dayMs ? `${Math.floor(ms / dayMs)} days` : `${Math.floor(ms / hourMs)} hours`
}

function percentText(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}

/** `2026-11-22 10:05 UTC` */
export function dateText(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
