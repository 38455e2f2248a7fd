/** Why a case is as it is: which rules acted, where each value came from. What was said stays out of it. */

import { casePriorities, caseStatuses, channels } from '#hub/connector/facts.ts'
import type { Card, Fact, ListItem } from './card.ts'
import { subjectOf } from './case-line.ts'
import { fill, type Messages } from './messages/index.ts'
import type { ShownWhy } from './shown.ts'

export function whyCard(shown: ShownWhy, words: Messages): Card {
  const { why } = words
  const subject = subjectOf(shown, words)
  return {
    key: `why:${shown.caseId}`,
    title: fill(why.title, { subject }),
    blocks: [
      { kind: 'heading', text: why.rules },
      { kind: 'list', items: shown.runs.map((run) => runItem(run, words)), whenEmpty: why.noRules },
      { kind: 'heading', text: why.values },
      { kind: 'facts', facts: shown.values.map((value) => valueFact(value, words)) },
      ...(shown.survey
        ? [
            { kind: 'heading', text: why.survey } as const,
            {
              kind: 'facts',
              facts: [{ label: why.surveyStates[shown.survey.state], value: { at: shown.survey.at } }],
            } as const,
          ]
        : []),
    ],
    actions: [],
    summary: fill(why.summary, { subject, count: shown.runs.length }),
  }
}

function runItem({ rule, result, actions, at }: ShownWhy['runs'][number], { why }: Messages): ListItem {
  const did = [...new Set(actions)].map((type) => why.did[type]).join(', ')
  const when = `${at.slice(0, 16).replace('T', ' ')} UTC`
  return {
    title: rule,
    detail: [why.results[result], ...(did ? [did] : []), when].join(' · '),
    tone: result === 'failed' || result === 'cut' ? 'attention' : 'neutral',
  }
}

function valueFact({ field, value, source }: ShownWhy['values'][number], words: Messages): Fact {
  const name = source.kind === 'rule' ? fill(words.why.rule, { name: source.name }) : source.name
  return {
    label: fieldName(field, words),
    value: fill(words.why.valueFrom, { value: valueWords(field, value, words), source: name }),
  }
}

function fieldName(field: string, words: Messages): string {
  if (field.startsWith('custom.')) return field.slice('custom.'.length)
  const { status, priority, assignee, team, tags, channel, customer } = words.case
  const names = { status, priority, assignee, team, tags, channel, requester: customer, subject: words.forms.subject }
  return new Map(Object.entries(names)).get(field) ?? field
}

function valueWords(field: string, value: unknown, words: Messages): string {
  if (value === null || value === undefined || value === '') return words.nothing
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : words.nothing
  if (typeof value === 'object') return JSON.stringify(value)
  const text = String(value)
  const catalogue = { status: [caseStatuses, words.statuses], priority: [casePriorities, words.priorities] } as const
  if (field === 'status') return nameIn(catalogue.status, text)
  if (field === 'priority') return nameIn(catalogue.priority, text)
  if (field === 'channel') return nameIn([channels, words.channels], text)
  return text
}

function nameIn<T extends string>(
  [values, names]: readonly [readonly T[], Readonly<Record<T, string>>],
  text: string,
): string {
  const known = values.find((value) => value === text)
  return known ? names[known] : text
}
