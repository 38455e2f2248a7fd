/** The fields that conditions read: name, type and where the value is. Conditions and templates know no others. */
import { casePriorities, caseStatuses, channels, surveyScales, visibilities } from '#hub/connector/facts.ts'
import { isMap } from './check.ts'
import type { RuleContext } from './plan.ts'
import { nearest } from './suggest.ts'

/** `any`: a custom field or trait; the vendor decides what it holds. */
export type FieldType = 'enum' | 'text' | 'list' | 'number' | 'time' | 'any'

export interface Field {
  readonly name: string
  readonly type: FieldType
  /** What an `enum` can be. */
  readonly values?: readonly string[]
  /** Its key in the changes of an event, where changes of it are known. */
  readonly change?: string
  /** Takes the compared part out of a changed value; the value itself when absent. */
  readonly changedPart?: (value: unknown) => unknown
  /** `undefined`: there is no such case, profile, message, rating or approval. `null`: it is there, and this is empty. */
  readonly read: (context: RuleContext) => unknown
}

const fixed: readonly Field[] = [
  { name: 'event.connection', type: 'text', read: (c) => c.event.connection },
  { name: 'case.subject', type: 'text', change: 'subject', read: (c) => c.case?.subject },
  { name: 'case.status', type: 'enum', values: caseStatuses, change: 'status', read: (c) => c.case?.status },
  { name: 'case.priority', type: 'enum', values: casePriorities, change: 'priority', read: (c) => c.case?.priority },
  { name: 'case.channel', type: 'enum', values: channels, change: 'channel', read: (c) => c.case?.channel },
  { name: 'case.tags', type: 'list', change: 'tags', read: (c) => c.case?.tags },
  { name: 'case.team', type: 'text', change: 'team', read: (c) => c.case?.team },
  {
    name: 'case.assignee.email',
    type: 'text',
    change: 'assignee',
    changedPart: (agent) => ownValue(agent, 'email'),
    read: (c) => (c.case ? (c.case.assignee?.email ?? null) : undefined),
  },
  { name: 'case.connection', type: 'text', read: (c) => c.case?.connection },
  { name: 'case.connector', type: 'text', read: (c) => c.case?.connector },
  { name: 'case.created_at', type: 'time', read: (c) => c.case?.created_at },
  { name: 'case.updated_at', type: 'time', read: (c) => c.case?.updated_at },
  { name: 'case.solved_at', type: 'time', read: (c) => c.case?.solved_at },
  { name: 'profile.name', type: 'text', read: (c) => c.profile?.name },
  { name: 'profile.emails', type: 'list', read: (c) => c.profile?.emails },
  { name: 'profile.phones', type: 'list', read: (c) => c.profile?.phones },
  { name: 'profile.locale', type: 'text', read: (c) => c.profile?.locale },
  { name: 'profile.open_cases', type: 'number', read: (c) => c.profile?.open_cases },
  { name: 'message.visibility', type: 'enum', values: visibilities, read: (c) => c.message?.visibility },
  { name: 'message.author', type: 'enum', values: ['customer', 'agent', 'system'], read: (c) => c.message?.author },
  { name: 'message.text', type: 'text', read: (c) => c.message?.text },
  { name: 'rating.score', type: 'number', read: (c) => c.rating?.score },
  { name: 'rating.scale', type: 'enum', values: surveyScales, read: (c) => c.rating?.scale },
  { name: 'rating.comment', type: 'text', read: (c) => c.rating?.comment },
  { name: 'approval.decision', type: 'enum', values: ['approved', 'rejected'], read: (c) => c.approval?.decision },
  { name: 'approval.question', type: 'text', read: (c) => c.approval?.question },
  { name: 'approval.by', type: 'text', read: (c) => c.approval?.by },
]
const byName = new Map(fixed.map((field) => [field.name, field]))

/** Fields whose last part the company chooses. */
const open: Readonly<Record<string, (name: string) => Omit<Field, 'name' | 'type'>>> = {
  'case.custom.': (name) => ({
    change: `custom.${name}`,
    read: (c) => (c.case ? ownValue(c.case.custom, name) : undefined),
  }),
  'profile.traits.': (name) => ({ read: (c) => (c.profile ? ownValue(c.profile.traits, name) : undefined) }),
  'profile.company.': (name) => ({ read: (c) => (c.profile ? ownValue(c.profile.company, name) : undefined) }),
}
export const openPrefixes = Object.keys(open)
export const fieldNames = fixed.map((field) => field.name)

export function findField(name: string): Field | undefined {
  const known = byName.get(name)
  if (known) return known
  for (const [prefix, make] of Object.entries(open)) {
    const rest = name.slice(prefix.length)
    if (name.startsWith(prefix) && rest !== '') return { name, type: 'any', ...make(rest) }
  }
  return undefined
}

/** The field that was probably meant, also by the words of other tools. */
export function nearestField(name: string, names: readonly string[] = fieldNames): string | undefined {
  const translated = translateFieldName(name)
  return nearest(translated, names) ?? nearestOpenField(translated)
}

/** `profile.trait.plan` is near `profile.traits.plan`; `case.product` is near nothing, as any name could be meant. */
function nearestOpenField(name: string): string | undefined {
  const [first = '', second = '', ...rest] = name.split('.')
  const prefix = rest.length === 0 ? undefined : nearest(`${first}.${second}.`, openPrefixes)
  return prefix === undefined ? undefined : prefix + rest.join('.')
}

function translateFieldName(name: string): string {
  return name
    .replace(/^(ticket|issue|conversation)\./i, 'case.')
    .replace(/^(customer|contact|requester|user|person|end_user)\./i, 'profile.')
    .replace(/^comment\./i, 'message.')
    .replace(/^organi[sz]ation\./i, 'profile.company.')
}

function ownValue(value: unknown, key: string): unknown {
  return isMap(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : null
}

/** A value in the form it is compared in. `undefined`: there is nothing that could have a value. */
export type Comparable = string | number | readonly string[] | null | undefined

/** Texts are compared without regard to case; in fields of any type, numbers and yes/no by their text. */
export function comparable(type: FieldType, value: unknown): Comparable {
  if (value === undefined) return undefined
  if (value === null || value === '') return null
  switch (type) {
    case 'number':
      return typeof value === 'number' ? value : null
    case 'time':
      return typeof value === 'string' ? timeOf(value) : null
    case 'list':
      return Array.isArray(value) ? value.map(fold) : null
    case 'any':
      if (Array.isArray(value)) return value.map(fold)
      return typeof value === 'object' ? null : fold(value)
    default:
      return typeof value === 'string' ? fold(value) : null
  }
}

export function fold(value: unknown): string {
  if (typeof value === 'object' || typeof value === 'symbol') return ''
  const text = String(value)
  return isFolded(text) ? text : text.normalize('NFC').toLowerCase()
}

/** Most values are plain lower case; looking is ten times cheaper than folding. */
function isFolded(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127 || (code > 64 && code < 91)) return false
  }
  return true
}

/** Milliseconds since 1970, or null for what is no ISO 8601 date. */
export function timeOf(value: string): number | null {
  if (!/^\d{4}-\d\d-\d\d/.test(value)) return null
  const time = Date.parse(value.toUpperCase())
  return Number.isNaN(time) ? null : time
}
