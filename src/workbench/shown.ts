/** What cards show, as `load.ts` reads it: names as people know them, times in ISO 8601 in UTC. */
import type { CasePriority, CaseStatus, Channel, SurveyScale, Visibility } from '#hub/connector/facts.ts'
import type { IdentityKind } from '#hub/platform/db/schema.ts'
import type { ActionName } from '#hub/rules/definition.ts'

/** A case in a list. */
export interface ShownRow {
  readonly id: string
  readonly subject: string | null
  readonly status: CaseStatus
  readonly priority: CasePriority | null
  readonly assignee: ShownAgent | null
  readonly requester: string | null
  /** Since when a customer has been waiting for a word from us; null when it is not our turn. */
  readonly waitingSince: string | null
  readonly updatedAt: string
  readonly tools: readonly ShownTool[]
}

export interface ShownAgent {
  readonly name: string | null
  readonly email: string | null
}

/** Where a case lives. */
export interface ShownTool {
  readonly connectionId: string
  /** The connection's name, such as `Support desk`. */
  readonly name: string
  readonly externalId: string
  readonly url: string | null
  /** Whether a reply can be given there from the hub. */
  readonly takesMessages: boolean
}

export interface ShownCase extends ShownRow {
  readonly channel: Channel | null
  readonly team: string | null
  readonly tags: readonly string[]
  readonly category: string | null
  /** Out of sight until then. */
  readonly snoozedUntil: string | null
  readonly customer: ShownRequester | null
  /** Where a reply would go; null when the case lives in no tool that takes one. */
  readonly way: ShownWay | null
  readonly createdAt: string
  /** The latest, in the order in which they were said. */
  readonly messages: readonly ShownMessage[]
  /** How many were said before these. */
  readonly earlierMessages: number
  /** What was done here and has not reached the tools. */
  readonly deliveries: { readonly waiting: number; readonly failed: number }
}

export interface ShownWay {
  readonly connectionId: string
  /** The connection's name. */
  readonly tool: string
  readonly address: string | null
  readonly name: string | null
  /** Mail to the address came back: a reply would not arrive. */
  readonly isDead: boolean
}

export interface ShownRequester {
  readonly id: string
  readonly name: string | null
  readonly address: string | null
  readonly company: string | null
  readonly plan: string | null
}

export interface ShownMessage {
  readonly author: { readonly kind: 'customer' | 'agent' | 'system'; readonly name: string | null }
  readonly visibility: Visibility
  readonly text: string
  readonly at: string
  readonly files: readonly string[]
}

export interface ShownCustomer {
  readonly id: string
  readonly name: string | null
  readonly identities: readonly {
    readonly kind: IdentityKind
    readonly value: string
    readonly isVerified: boolean
    /** For ids of a tool: its name. */
    readonly tool: string | null
  }[]
  readonly company: {
    readonly name: string | null
    readonly domain: string | null
    readonly plan: string | null
  } | null
  readonly traits: readonly { readonly name: string; readonly value: string; readonly source: string }[]
  /** The most urgent first. */
  readonly openCases: readonly ShownRow[]
  /** The newest first. */
  readonly scores: readonly ShownScore[]
  /** The newest first. */
  readonly journey: readonly ShownStep[]
}

export interface ShownScore {
  readonly scale: SurveyScale
  readonly score: number
  /** The customer's own words. */
  readonly comment: string | null
  readonly at: string
}

export const stepKinds = [
  'created',
  'solved',
  'reopened',
  'closed',
  'wrote',
  'answered',
  'asked',
  'scored',
  'merged',
] as const

/** A station of a customer's journey. It says what happened, never what was said. */
export interface ShownStep {
  readonly kind: (typeof stepKinds)[number]
  readonly at: string
  readonly subject: string | null
}

export interface ShownQueue {
  /** The most urgent first. */
  readonly rows: readonly ShownRow[]
  readonly figures: {
    readonly open: number
    readonly waiting: number
    /** Of high or urgent priority. */
    readonly pressing: number
    readonly solvedLast7Days: number
    /** The mean of the five-point answers of the last 30 days, to one decimal. */
    readonly satisfaction: number | null
  }
}

export interface ShownSearch {
  readonly text: string
  readonly rows: readonly ShownRow[]
}

export interface ShownWhy {
  readonly caseId: string
  readonly subject: string | null
  readonly values: readonly {
    /** `status`, `custom.contract`, … */
    readonly field: string
    readonly value: unknown
    readonly at: string
    readonly source:
      | { readonly kind: 'tool'; readonly name: string }
      | { readonly kind: 'rule'; readonly name: string }
      | { readonly kind: 'person'; readonly name: string }
  }[]
  /** The newest first. */
  readonly runs: readonly {
    readonly rule: string
    readonly result: 'matched' | 'simulated' | 'failed' | 'cut'
    readonly actions: readonly ActionName[]
    readonly at: string
  }[]
  readonly survey: { readonly state: SurveyState; readonly at: string } | null
}
export type SurveyState = 'planned' | 'sent' | 'answered' | 'expired' | 'skipped' | 'cancelled'

export interface ShownApproval {
  readonly id: string
  readonly caseId: string
  readonly subject: string | null
  readonly question: string
  /** The rule or the person that asks. */
  readonly askedBy: string
  readonly askedAt: string
  readonly decision: { readonly isApproved: boolean; readonly by: string; readonly at: string } | null
}
