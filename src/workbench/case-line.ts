/** A case in one line: for lists, titles and notifications. */

import type { CasePriority, CaseStatus } from '#hub/connector/facts.ts'
import { acts } from './acts.ts'
import type { ListItem, Tone } from './card.ts'
import { durationWords } from './durations.ts'
import { fill, type Messages } from './messages/index.ts'
import type { ShownAgent, ShownRow } from './shown.ts'

export function isDone(status: CaseStatus): boolean {
  return status === 'solved' || status === 'closed'
}

export function subjectOf({ subject }: { readonly subject: string | null }, words: Messages): string {
  return subject?.trim() || words.case.noSubject
}

export function agentName(agent: ShownAgent | null): string | undefined {
  return agent?.name ?? agent?.email ?? undefined
}

export function toneOf({ status, priority }: Pick<ShownRow, 'status' | 'priority'>): Tone {
  if (isDone(status)) return 'good'
  if (priority === 'urgent') return 'urgent'
  return priority === 'high' ? 'attention' : 'neutral'
}

/** Status, priority, whose turn it is and who has it. */
export function stateWords(row: ShownRow, now: Date, words: Messages): readonly string[] {
  const assignee = agentName(row.assignee)
  return [
    words.statuses[row.status],
    ...(row.priority ? [`${words.case.priority}: ${words.priorities[row.priority]}`] : []),
    ...(row.waitingSince && !isDone(row.status)
      ? [fill(words.case.waiting, { duration: durationWords(row.waitingSince, now, words) })]
      : []),
    ...(assignee ? [fill(words.case.assignedTo, { name: assignee })] : []),
  ]
}

/** @param told what everybody who reads this list knows already. */
export function caseItem(row: ShownRow, now: Date, words: Messages, told: { readonly assignee?: true } = {}): ListItem {
  const url = firstUrl(row)
  const tools = row.tools.map(({ name }) => name).join(', ')
  return {
    title: subjectOf(row, words),
    detail: [
      row.requester ?? words.case.unknownPerson,
      ...stateWords(told.assignee ? { ...row, assignee: null } : row, now, words),
      ...(tools ? [tools] : []),
    ].join(' · '),
    tone: toneOf(row),
    ...(url ? { url } : {}),
    action: { kind: 'button', act: acts.openCase, value: row.id, label: words.actions.open, opensForm: true },
  }
}

export function firstUrl({ tools }: Pick<ShownRow, 'tools'>): string | undefined {
  return tools.find(({ url }) => url !== null)?.url ?? undefined
}

const ranks: Readonly<Record<CasePriority, number>> = { urgent: 3, high: 2, normal: 1, low: 0 }

/** By priority (none counts as normal), then by who has been waiting longest; then what has not moved for longest. */
export function byUrgency(a: ShownRow, b: ShownRow): number {
  return (
    ranks[b.priority ?? 'normal'] - ranks[a.priority ?? 'normal'] ||
    compare(a.waitingSince ?? '9', b.waitingSince ?? '9') ||
    compare(a.updatedAt, b.updatedAt) ||
    compare(a.id, b.id)
  )
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
