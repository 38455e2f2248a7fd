/**
 * A case as a flat set of named fields, so that one merge serves them all: `status`, `tags`, `custom.<name>`, …
 * `requester` holds the leaf profile's id.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AgentFacts, CaseFacts, CasePriority, CaseStatus, Channel, FieldValue } from '#hub/connector/facts.ts'
import type { Provenance } from '#hub/platform/db/schema.ts'

export type Fields = Readonly<Record<string, unknown>>

export interface CaseState {
  readonly id: string
  readonly parentId: string | null
  readonly fields: Fields
  readonly provenance: Readonly<Record<string, Provenance>>
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly solvedAt: Date | null
}

const plainFields = ['subject', 'status', 'priority', 'channel', 'tags', 'assignee', 'team'] as const
const customPrefix = 'custom.'

/** What the vendor says, field by field; fields it does not mention are absent. Tags are a sorted set. */
export function fieldsOf(facts: CaseFacts, requesterId: string | undefined): Fields {
  const fields: Record<string, unknown> = {}
  for (const name of plainFields) {
    if (facts[name] !== undefined) fields[name] = name === 'tags' ? tagSet(facts.tags ?? []) : facts[name]
  }
  if (requesterId !== undefined) fields['requester'] = requesterId
  for (const [name, value] of Object.entries(facts.custom ?? {})) fields[customPrefix + name] = value
  return fields
}

export function tagSet(tags: readonly string[]): readonly string[] {
  return [...new Set(tags)].sort()
}

/** Agents have another id in every tool, so the same e-mail is the same agent. */
export function sameValue(field: string, a: unknown, b: unknown): boolean {
  if (field === 'assignee') return agentKey(a as AgentFacts | null) === agentKey(b as AgentFacts | null)
  return isDeepStrictEqual(a ?? null, b ?? null)
}
function agentKey(agent: AgentFacts | null | undefined): string {
  return agent?.email?.toLowerCase() ?? agent?.id ?? agent?.name ?? ''
}

export const solvedStatuses: ReadonlySet<CaseStatus> = new Set<CaseStatus>(['solved', 'closed'])
/** Where the customer's word is waited for: it opens the case again. */
export const waitingStatuses: ReadonlySet<CaseStatus> = new Set<CaseStatus>(['pending', 'on_hold', 'solved'])

/** Typed reads of the flat fields. */
export const read = {
  subject: (fields: Fields) => (fields['subject'] ?? null) as string | null,
  status: (fields: Fields) => (fields['status'] ?? 'new') as CaseStatus,
  priority: (fields: Fields) => (fields['priority'] ?? null) as CasePriority | null,
  channel: (fields: Fields) => (fields['channel'] ?? null) as Channel | null,
  tags: (fields: Fields) => (fields['tags'] ?? []) as readonly string[],
  requester: (fields: Fields) => (fields['requester'] ?? null) as string | null,
  assignee: (fields: Fields) => (fields['assignee'] ?? null) as AgentFacts | null,
  team: (fields: Fields) => (fields['team'] ?? null) as string | null,
  custom: (fields: Fields): Readonly<Record<string, FieldValue>> =>
    Object.fromEntries(
      Object.entries(fields)
        .filter(([name]) => name.startsWith(customPrefix))
        .map(([name, value]) => [name.slice(customPrefix.length), value as FieldValue]),
    ),
}

export function withCustom(custom: Readonly<Record<string, FieldValue>>): Fields {
  return Object.fromEntries(Object.entries(custom).map(([name, value]) => [customPrefix + name, value]))
}
