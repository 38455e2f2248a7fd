/** Shapes that several resources share, and how the hub's own values become them: snake_case, times in UTC. */
import { z } from 'zod'
import type { AgentFacts } from '#hub/connector/facts.ts'
import type { Cause, Source } from '#hub/platform/db/schema.ts'

export const Id = z.string().min(1).max(200)
export const byId = z.strictObject({ id: Id })
/** Ledger rows have numbers; on the wire they are texts, like every id. */
export const bySeq = z.strictObject({
  id: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
})
export const Seq = z.string().regex(/^\d{1,15}$/)

export const Time = z.iso.datetime().meta({ description: 'ISO 8601 in UTC.' })
export const MaybeTime = Time.nullable()
/** A time as clients may write it. */
export const TimeInput = z.iso.datetime({ offset: true }).transform((text) => new Date(text))

export function time(date: Date): string {
  return date.toISOString()
}
export function maybeTime(date: Date | null): string | null {
  return date === null ? null : date.toISOString()
}

export const Plain = z.record(z.string(), z.unknown())
const Field = z.unknown().meta({ description: 'A text, number, boolean, a list of them, or null.' })
export const Traits = z.record(z.string(), Field)

export const Agent = z.strictObject({
  id: z.string().nullable(),
  name: z.string().nullable(),
  email: z.string().nullable(),
})
export function toAgent(agent: AgentFacts | null): z.input<typeof Agent> | null {
  return agent && { id: agent.id ?? null, name: agent.name ?? null, email: agent.email ?? null }
}

export const SourceShape = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('connection'), connection_id: z.string(), record: z.string() }),
    z.strictObject({ kind: z.literal('rule'), rule_id: z.string(), version: z.int() }),
    z.strictObject({ kind: z.literal('person'), name: z.string() }),
  ])
  .meta({ description: "Who set a value: a vendor's record, a rule, or a person." })
export function toSource(source: Source): z.input<typeof SourceShape> {
  if (source.kind === 'connection') {
    return { kind: 'connection', connection_id: source.connectionId, record: source.record }
  }
  if (source.kind === 'rule') return { kind: 'rule', rule_id: source.ruleId, version: source.version }
  return { kind: 'person', name: source.name }
}

export const CauseShape = z
  .strictObject({
    inbox_id: z.string().optional(),
    event_id: z.string().optional(),
    rule_id: z.string().optional(),
    rule_version: z.int().optional(),
    invitation_id: z.string().optional(),
    actor: z.string().optional(),
    depth: z.int().meta({ description: '0 for what came from outside; one more for each rule in the chain.' }),
    chain: z.array(z.string()).optional().meta({ description: 'The rules of the chain, first to last.' }),
  })
  .meta({ description: 'Why it happened.' })
export function toCause(cause: Cause): z.input<typeof CauseShape> {
  return {
    ...(cause.inboxSeq === undefined ? {} : { inbox_id: String(cause.inboxSeq) }),
    ...(cause.eventId === undefined ? {} : { event_id: cause.eventId }),
    ...(cause.ruleId === undefined ? {} : { rule_id: cause.ruleId }),
    ...(cause.ruleVersion === undefined ? {} : { rule_version: cause.ruleVersion }),
    ...(cause.invitationId === undefined ? {} : { invitation_id: cause.invitationId }),
    ...(cause.actor === undefined ? {} : { actor: cause.actor }),
    depth: cause.depth,
    ...(cause.chain === undefined ? {} : { chain: [...cause.chain] }),
  }
}

/** Below these stand names that people chose. */
const theirs = new Set(['custom', 'traits', 'body', 'config'])

/** Field names in snake_case, at every depth where the names are ours. */
export function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      theirs.has(name) ? child : snakeCase(child),
    ]),
  )
}
