/** Cards that list cases: an agent's queue with their figures, what a search found, solved cases like this one. */
import type { ChatResult } from '#hub/connector/chat.ts'
import type { Card, CardBlock, Fact } from './card.ts'
import { caseItem, subjectOf, toneOf } from './case-line.ts'
import { fill, type Messages } from './messages/index.ts'
import type { ShownCase, ShownQueue, ShownRow, ShownSearch } from './shown.ts'

/** @param agentId whose queue it is. */
export function queueCard(agentId: string, { rows, figures }: ShownQueue, now: Date, words: Messages): Card {
  const { queue } = words
  const facts: readonly Fact[] = [
    { label: queue.open, value: String(figures.open) },
    { label: queue.waiting, value: String(figures.waiting) },
    { label: queue.pressing, value: String(figures.pressing) },
    { label: queue.solved, value: String(figures.solvedLast7Days) },
    ...(figures.satisfaction === null ? [] : [{ label: queue.satisfaction, value: figures.satisfaction.toFixed(1) }]),
  ]
  const more = fill(queue.more, { shown: rows.length, count: figures.open })
  return {
    key: `queue:${agentId}`,
    title: queue.title,
    blocks: [
      { kind: 'heading', text: queue.figures },
      { kind: 'facts', facts },
      { kind: 'heading', text: queue.cases },
      {
        kind: 'list',
        items: rows.map((row) => caseItem(row, now, words, { assignee: true })),
        whenEmpty: queue.empty,
      },
      ...(figures.open > rows.length ? [{ kind: 'text', text: more, isSubtle: true } as const] : []),
    ],
    actions: [],
    summary: fill(queue.summary, { open: figures.open, waiting: figures.waiting }),
  }
}

export function searchCard({ text, rows }: ShownSearch, now: Date, words: Messages): Card {
  return {
    key: `search:${text}`,
    title: fill(words.search.title, { text }),
    blocks: [listOf(rows, words.search.empty, now, words)],
    actions: [],
    summary: fill(words.search.summary, { text, count: rows.length }),
  }
}

/** A case in a list of results, and the short card that is put into a conversation. */
export function caseResult(shown: ShownCase, now: Date, words: Messages): ChatResult {
  const { title, detail = '', url, action } = caseItem(shown, now, words)
  return {
    title,
    detail,
    card: {
      key: `case:${shown.id}`,
      title,
      ...(url ? { url } : {}),
      tone: toneOf(shown),
      blocks: [{ kind: 'text', text: detail }],
      actions: action ? [action] : [],
      summary: `${title}: ${detail}`,
    },
  }
}

/** @param about the case that has not been solved yet. */
export function similarCard(
  about: { readonly id: string; readonly subject: string | null },
  rows: readonly ShownRow[],
  now: Date,
  words: Messages,
): Card {
  const subject = subjectOf(about, words)
  return {
    key: `similar:${about.id}`,
    title: fill(words.similar.title, { subject }),
    blocks: [listOf(rows, words.similar.empty, now, words)],
    actions: [],
    summary: fill(words.similar.summary, { subject, count: rows.length }),
  }
}

function listOf(rows: readonly ShownRow[], whenEmpty: string, now: Date, words: Messages): CardBlock {
  return { kind: 'list', items: rows.map((row) => caseItem(row, now, words)), whenEmpty }
}
