/** What one language needs. Texts in braces are filled in by the code that uses them. */
import type { CasePriority, CaseStatus, Channel } from '#hub/connector/facts.ts'
import type { PlannedAction } from '#hub/rules/plan.ts'
import type { ShownStep, ShownWhy, SurveyState } from '../shown.ts'

export interface Messages {
  readonly statuses: Readonly<Record<CaseStatus, string>>
  readonly priorities: Readonly<Record<CasePriority, string>>
  readonly channels: Readonly<Record<Channel, string>>
  readonly authors: Readonly<Record<'customer' | 'agent' | 'system', string>>
  readonly duration: {
    /** {count} */
    readonly minutes: string
    readonly hours: string
    readonly days: string
    readonly now: string
  }
  readonly yes: string
  readonly no: string
  readonly cancel: string
  readonly nothing: string
  /** What a renderer itself adds to a card. */
  readonly drawing: {
    /** Stands where something was cut, and leads to the whole. */
    readonly more: string
    /** {count} */
    readonly surplus: string
    readonly internal: string
    readonly public: string
    readonly set: string
    readonly choose: string
    readonly required: string
    readonly tooLongToEdit: string
  }
  readonly case: {
    readonly noSubject: string
    readonly unknownPerson: string
    readonly status: string
    readonly priority: string
    readonly noPriority: string
    readonly assignee: string
    readonly nobody: string
    readonly team: string
    readonly tags: string
    readonly customer: string
    readonly company: string
    readonly plan: string
    readonly channel: string
    readonly tools: string
    readonly waitingSince: string
    readonly category: string
    readonly snoozedUntil: string
    readonly createdAt: string
    readonly conversation: string
    readonly noMessages: string
    /** {count} */
    readonly earlier: string
    readonly earlierOne: string
    /** {count} */
    readonly deliveryWaiting: string
    /** {count} */
    readonly deliveryFailed: string
    readonly noReply: string
    /** {subject}, {person} */
    readonly summary: string
    /** {person} */
    readonly summaryUnnamed: string
    /** {duration} */
    readonly waiting: string
    /** {name} */
    readonly assignedTo: string
  }
  readonly actions: {
    readonly open: string
    readonly reply: string
    readonly note: string
    readonly take: string
    readonly assign: string
    readonly status: string
    readonly priority: string
    readonly tags: string
    readonly resolve: string
    readonly reopen: string
    readonly escalate: string
    readonly snooze: string
    readonly macro: string
    /** {tool} */
    readonly openIn: string
    readonly customer: string
    readonly similar: string
    readonly why: string
    readonly approve: string
    readonly reject: string
    readonly merge: string
    readonly category: string
  }
  readonly escalate: { readonly title: string; readonly text: string; readonly yes: string }
  readonly snooze: {
    readonly hour: string
    readonly hours: string
    readonly tomorrow: string
    readonly week: string
    /** {subject} */
    readonly over: string
    readonly overText: string
  }
  readonly customer: {
    /** {name} */
    readonly title: string
    readonly unnamed: string
    readonly identities: string
    readonly email: string
    readonly phone: string
    /** {tool} */
    readonly external: string
    /** {value} */
    readonly unproven: string
    readonly company: string
    readonly about: string
    /** {value}, {source} */
    readonly traitFrom: string
    readonly openCases: string
    readonly noOpenCases: string
    readonly satisfaction: string
    readonly noScores: string
    /** {score}, {max} */
    readonly score: string
    /** {score}, {comment} */
    readonly scoreSaid: string
    readonly journey: string
    readonly noJourney: string
    readonly steps: Readonly<Record<ShownStep['kind'], string>>
    /** {name}, {count} */
    readonly summary: string
  }
  readonly queue: {
    readonly title: string
    readonly empty: string
    readonly figures: string
    readonly open: string
    readonly waiting: string
    readonly pressing: string
    readonly solved: string
    readonly satisfaction: string
    readonly cases: string
    /** {shown}, {count} */
    readonly more: string
    /** {open}, {waiting} */
    readonly summary: string
  }
  readonly search: {
    /** {text} */
    readonly title: string
    readonly empty: string
    /** {count}, {text} */
    readonly summary: string
  }
  readonly similar: {
    /** {subject} */
    readonly title: string
    readonly empty: string
    /** {count}, {subject} */
    readonly summary: string
  }
  readonly why: {
    /** {subject} */
    readonly title: string
    readonly rules: string
    readonly noRules: string
    readonly results: Readonly<Record<ShownWhy['runs'][number]['result'], string>>
    readonly did: Readonly<Record<PlannedAction['type'], string>>
    readonly values: string
    /** {value}, {source} */
    readonly valueFrom: string
    /** {name} */
    readonly rule: string
    readonly survey: string
    readonly surveyStates: Readonly<Record<SurveyState, string>>
    /** {subject}, {count} */
    readonly summary: string
  }
  readonly approval: {
    readonly title: string
    readonly case: string
    readonly askedBy: string
    readonly askedAt: string
    /** {name} */
    readonly approved: string
    /** {name} */
    readonly rejected: string
    readonly sure: string
    /** {question} */
    readonly rejectText: string
  }
  readonly survey: {
    /** {subject} */
    readonly about: string
    /** {lowest}, {min}, {highest}, {max} */
    readonly ends: string
    /** {score} */
    readonly thanks: string
  }
  readonly forms: {
    readonly reply: string
    readonly replyWarning: string
    readonly files: string
    readonly replyText: string
    readonly preview: string
    readonly to: string
    readonly from: string
    readonly via: string
    readonly deadAddress: string
    readonly confirmReply: string
    readonly exactly: string
    readonly notYet: string
    readonly changeText: string
    readonly send: string
    readonly note: string
    readonly noteText: string
    readonly noteHint: string
    readonly addNote: string
    readonly assign: string
    readonly assignTo: string
    readonly assignHint: string
    readonly save: string
    readonly tags: string
    readonly tagsHint: string
    readonly resolve: string
    readonly resolveIt: string
    readonly reason: string
    readonly reasons: Readonly<Record<ResolveReason, string>>
    readonly reasonNote: string
    readonly reasonHint: string
    readonly create: string
    readonly firstEntry: string
    readonly tool: string
    readonly subject: string
    readonly requester: string
    readonly requesterHint: string
    readonly createIt: string
    readonly merge: string
    readonly mergeInto: string
    readonly mergeHint: string
    readonly mergeWarning: string
    readonly mergeIt: string
    readonly category: string
    readonly categoryHint: string
    readonly search: string
    readonly searchFor: string
    readonly searchHint: string
    readonly find: string
    readonly seat: string
    readonly seatText: string
    readonly seatAddress: string
    readonly seatHint: string
    readonly ask: string
  }
  /** Somebody's own page, in a frame of their chat tool: `{tool}` is its name. */
  readonly page: {
    readonly loading: string
    readonly refresh: string
    readonly back: string
    readonly again: string
    readonly outside: { readonly title: string; readonly text: string }
    readonly notSignedIn: { readonly title: string; readonly text: string }
    readonly notInstalled: { readonly title: string; readonly text: string }
    readonly failed: { readonly title: string; readonly text: string }
    readonly tooOften: { readonly title: string; readonly text: string }
  }
  /** What the app says to one person. */
  readonly chat: {
    readonly refusals: Readonly<Record<Refusal, { readonly title: string; readonly text: string }>>
    readonly otherAddress: string
    readonly claimed: { readonly title: string; readonly text: string }
    readonly claim: {
      /** {name}, {email} */
      readonly asked: { readonly title: string; readonly text: string }
      readonly confirmed: { readonly title: string; readonly text: string }
      readonly dismissed: { readonly title: string; readonly text: string }
    }
    readonly noted: string
    readonly sent: string
    readonly failed: { readonly title: string; readonly text: string }
    readonly noCase: { readonly title: string; readonly text: string }
    /** In place of what is found, where it would be put into a conversation that customers read. */
    readonly customersRead: string
    /** A preview whose text was sent, or changed since, or is older than drafts are kept. */
    readonly draftSpent: { readonly title: string; readonly text: string }
    readonly nothingToSend: { readonly title: string; readonly text: string }
    readonly notHere: { readonly title: string; readonly text: string }
    /** `{name}` of the macro, `{reason}` in the words of those who write templates. */
    readonly macroFailed: { readonly title: string; readonly text: string }
    readonly replyNotTaken: { readonly title: string; readonly text: string }
    readonly noteNotTaken: { readonly title: string; readonly text: string }
    readonly help: {
      readonly title: string
      readonly text: string
      readonly commands: readonly (readonly [string, string])[]
    }
    readonly mergeProblem: string
    readonly badAddress: string
    readonly required: string
    /** {subject} */
    readonly mergedInto: string
    readonly mergedFrom: string
    /** {name} */
    readonly escalatedBy: string
    /** {reason} */
    readonly resolvedAs: string
    readonly deleted: string
    /** {subject}, {by} */
    readonly assigned: { readonly title: string; readonly text: string; readonly by: string }
    /** {subject}, {text} */
    readonly answered: { readonly title: string; readonly text: string }
  }
}

export const refusals = ['no_seat', 'guest', 'bot', 'viewer', 'inactive'] as const
export type Refusal = (typeof refusals)[number]

export const resolveReasons = ['answered', 'fixed', 'no_answer', 'duplicate', 'not_ours'] as const
export type ResolveReason = (typeof resolveReasons)[number]
