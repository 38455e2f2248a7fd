/** What a rule sees and what it may ask for. Templates are already filled in when an action leaves the rules room. */
import type { EventType } from '#hub/cases/event.ts'
import type { CasePriority, CaseStatus, FieldValue, Visibility } from '#hub/connector/facts.ts'
import type { ToolRef } from './definition.ts'

/** The one shape that conditions and Liquid templates read; names as admins write them. */
export interface RuleContext {
  readonly event: {
    readonly type: EventType
    readonly changes: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>
    readonly connection: string | null
    readonly at: string
  }
  readonly case: CaseView | null
  readonly profile: ProfileView | null
  readonly message: MessageView | null
  readonly rating: { readonly scale: string; readonly score: number; readonly comment: string | null } | null
  readonly approval: ApprovalView | null
}

export interface CaseView {
  readonly id: string
  readonly subject: string | null
  readonly status: CaseStatus
  readonly priority: CasePriority | null
  readonly channel: string | null
  readonly tags: readonly string[]
  readonly team: string | null
  readonly assignee: { readonly name: string | null; readonly email: string | null } | null
  readonly custom: Readonly<Record<string, FieldValue>>
  readonly url: string | null
  /** The name and the connector of the connection where the case lives. */
  readonly connection: string
  readonly connector: string
  readonly created_at: string
  readonly updated_at: string
  readonly solved_at: string | null
}

export interface ProfileView {
  readonly id: string
  readonly name: string | null
  readonly emails: readonly string[]
  readonly phones: readonly string[]
  readonly locale: string | null
  readonly traits: Readonly<Record<string, FieldValue>>
  /** `name` and `domain` beside the company's own traits, such as `plan`. */
  readonly company: Readonly<Record<string, FieldValue>> | null
  readonly open_cases: number
}

export interface MessageView {
  readonly visibility: Visibility
  readonly author: 'customer' | 'agent' | 'system'
  readonly text: string
}

export interface ApprovalView {
  /** For colleagues: it may quote what was said internally. */
  readonly question: string
  readonly decision: 'approved' | 'rejected'
  readonly by: string
}

export type PlannedAction =
  | { readonly type: 'assign'; readonly agent?: string | null; readonly team?: string | null }
  | { readonly type: 'status'; readonly status: CaseStatus }
  | { readonly type: 'priority'; readonly priority: CasePriority }
  | { readonly type: 'tag'; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly type: 'reply'; readonly text: string }
  | { readonly type: 'note'; readonly text: string }
  /** `connection` is a connection's name. */
  | {
      readonly type: 'create_case'
      readonly connection: string
      readonly subject: string
      readonly text: string
      readonly priority?: CasePriority
      readonly tags?: readonly string[]
      readonly team?: string
    }
  | {
      readonly type: 'update_person'
      readonly connection?: string
      readonly traits: Readonly<Record<string, FieldValue>>
    }
  | ({ readonly type: 'notify'; readonly to: string; readonly text?: string; readonly card?: 'case' } & ToolRef)
  | { readonly type: 'approval'; readonly connection: string; readonly to: string; readonly question: string }
  | { readonly type: 'webhook'; readonly url: string; readonly body: unknown }

/** The answer of one rule to one event. `failed`: it matched, but a template or value in it could not be worked out. */
export type RuleOutcome = { readonly ruleId: string; readonly version: number } & (
  | { readonly result: 'matched' | 'simulated'; readonly actions: readonly PlannedAction[] }
  | { readonly result: 'failed'; readonly problem: string }
)
