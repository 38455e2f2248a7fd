/** A rule as an admin writes it, checked (`validateRule`). This is what files hold, the API takes and the table keeps. */
import type { EventType } from '#hub/cases/event.ts'
import type { CasePriority, CaseStatus, Channel, FieldValue, Scalar } from '#hub/connector/facts.ts'
import type { RuleMode } from '#hub/platform/db/schema.ts'

export interface RuleDefinition {
  readonly id: string
  readonly name: string
  readonly owner?: string
  readonly on: readonly EventType[]
  /** Absent: always. */
  readonly if?: ConditionDefinition
  readonly then: readonly ActionDefinition[]
  readonly mode: RuleMode
}

export type ConditionDefinition = GroupDefinition | TestDefinition

/** Several groups in one map must all hold. */
export interface GroupDefinition {
  readonly all?: readonly ConditionDefinition[]
  readonly any?: readonly ConditionDefinition[]
  readonly none?: readonly ConditionDefinition[]
}

/** Several operators on one field must all hold. */
export interface TestDefinition {
  readonly field: string
  readonly is?: Scalar
  readonly is_not?: Scalar
  readonly in?: readonly Scalar[]
  readonly not_in?: readonly Scalar[]
  readonly any_of?: readonly Scalar[]
  readonly all_of?: readonly Scalar[]
  readonly none_of?: readonly Scalar[]
  readonly contains?: Scalar
  readonly not_contains?: Scalar
  readonly starts_with?: string
  readonly ends_with?: string
  readonly is_set?: boolean
  readonly is_empty?: boolean
  readonly greater_than?: number
  readonly less_than?: number
  readonly at_least?: number
  readonly at_most?: number
  readonly changed?: boolean
  readonly changed_to?: Scalar
  readonly changed_from?: Scalar
  readonly hours_since?: HoursDefinition
}
export interface HoursDefinition {
  readonly greater_than?: number
  readonly less_than?: number
  readonly at_least?: number
  readonly at_most?: number
}
export type OperatorName = Exclude<keyof TestDefinition, 'field'>

export function isGroup(condition: ConditionDefinition): condition is GroupDefinition {
  return !('field' in condition)
}

/** A map with one key, the action's name. Texts marked (T) are Liquid templates. */
export type ActionDefinition =
  | { readonly assign: { readonly agent?: string | null; readonly team?: string | null } }
  | { readonly status: CaseStatus }
  | { readonly priority: CasePriority }
  | { readonly tag: { readonly add?: readonly string[]; readonly remove?: readonly string[] } }
  /** (T) public */
  | { readonly reply: { readonly text: string } }
  /** (T) internal */
  | { readonly note: { readonly text: string } }
  | {
      readonly create_case: {
        readonly connection: string
        /** (T) */
        readonly subject: string
        /** (T) */
        readonly text: string
        readonly priority?: CasePriority
        readonly tags?: readonly string[]
        readonly team?: string
      }
    }
  /** (T) in traits that are texts */
  | { readonly update_person: { readonly traits: Readonly<Record<string, FieldValue>>; readonly connection?: string } }
  | { readonly notify: NotifyDefinition }
  /** (T) `to` and `question` */
  | { readonly approval: { readonly connection: string; readonly to: string; readonly question: string } }
  /** (T) in texts of the body; without body: the event, the case and the profile */
  | { readonly webhook: { readonly url: string; readonly body?: unknown } }

/** Chat tools that a notice may name by itself, where there is one connection of them. */
export const chatTools = ['slack', 'teams'] as const satisfies readonly Channel[]
export type ChatTool = (typeof chatTools)[number]

/**
 * A text, the case's card, or both: in one connection, or in chat tools by their names, whose values say where there.
 * (T) `to`, `text` and what stands at the tools.
 */
export interface NotifyDefinition extends Readonly<Partial<Record<ChatTool, string>>> {
  readonly connection?: string
  readonly to?: string
  readonly text?: string
  readonly card?: 'case'
}

/** A connection by its name, or the only one of a tool. */
export type ToolRef = { readonly connection: string } | { readonly connector: ChatTool }

export function placesOf(notify: NotifyDefinition): readonly { readonly tool: ToolRef; readonly to: string }[] {
  const { connection, to } = notify
  return [
    ...(connection === undefined || to === undefined ? [] : [{ tool: { connection }, to }]),
    ...chatTools.flatMap((connector) => {
      const place = notify[connector]
      return place === undefined ? [] : [{ tool: { connector }, to: place }]
    }),
  ]
}

export const actionNames = [
  'assign',
  'status',
  'priority',
  'tag',
  'reply',
  'note',
  'create_case',
  'update_person',
  'notify',
  'approval',
  'webhook',
] as const
export type ActionName = (typeof actionNames)[number]

export const ruleModes = ['draft', 'simulate', 'on', 'off'] as const satisfies readonly RuleMode[]
