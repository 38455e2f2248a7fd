/** The card of a case: what is known about it, what was said last, and everything that can be done. */

import { casePriorities, caseStatuses } from '#hub/connector/facts.ts'
import { acts } from './acts.ts'
import type { ButtonAction, Card, CardAction, CardBlock, Fact, Option, SelectAction } from './card.ts'
import { agentName, firstUrl, isDone, stateWords, subjectOf, toneOf } from './case-line.ts'
import { fill, type Messages } from './messages/index.ts'
import type { ShownCase, ShownMessage } from './shown.ts'

/** What depends on the workspace, not on the case. */
export interface CaseOffers {
  /** Answers to choose from; without any there is nothing to choose. */
  readonly macros: readonly Option[]
}

export function caseCard(shown: ShownCase, offers: CaseOffers, now: Date, words: Messages): Card {
  const subject = subjectOf(shown, words)
  const url = firstUrl(shown)
  const hasSubject = Boolean(shown.subject?.trim())
  const person = shown.requester ?? words.case.unknownPerson
  return {
    key: `case:${shown.id}`,
    title: subject,
    ...(url ? { url } : {}),
    tone: toneOf(shown),
    blocks: [
      ...deliveryNotices(shown, words),
      { kind: 'facts', facts: caseFacts(shown, words) },
      ...conversation(shown, words),
    ],
    actions: caseActions(shown, offers, words),
    summary: [
      fill(hasSubject ? words.case.summary : words.case.summaryUnnamed, { subject, person }),
      ...stateWords(shown, now, words),
    ].join(' · '),
  }
}

function deliveryNotices({ deliveries, tools }: ShownCase, words: Messages): readonly CardBlock[] {
  const { waiting, failed } = deliveries
  return [
    ...(failed > 0 ? [notice(fill(words.case.deliveryFailed, { count: failed }), 'urgent')] : []),
    ...(waiting > 0 ? [notice(fill(words.case.deliveryWaiting, { count: waiting }), 'attention')] : []),
    ...(tools.some(({ takesMessages }) => takesMessages) ? [] : [notice(words.case.noReply, 'neutral')]),
  ]
}

function notice(text: string, tone: 'neutral' | 'attention' | 'urgent'): CardBlock {
  return { kind: 'notice', text, tone }
}

function caseFacts(shown: ShownCase, words: Messages): readonly Fact[] {
  const { customer, tools } = shown
  const said = (label: string, value: string | null | undefined): readonly Fact[] => (value ? [{ label, value }] : [])
  return [
    { label: words.case.status, value: words.statuses[shown.status] },
    {
      label: words.case.priority,
      value: shown.priority ? words.priorities[shown.priority] : words.case.noPriority,
    },
    { label: words.case.assignee, value: agentName(shown.assignee) ?? words.case.nobody },
    ...(shown.waitingSince && !isDone(shown.status)
      ? [{ label: words.case.waitingSince, value: { at: shown.waitingSince } }]
      : []),
    ...said(words.case.team, shown.team),
    { label: words.case.customer, value: customerName(shown, words) },
    ...said(words.case.company, customer?.company),
    ...said(words.case.plan, customer?.plan),
    ...said(words.case.channel, shown.channel && words.channels[shown.channel]),
    ...said(words.case.category, shown.category),
    ...(shown.snoozedUntil ? [{ label: words.case.snoozedUntil, value: { at: shown.snoozedUntil } }] : []),
    ...said(words.case.tags, shown.tags.join(', ')),
    { label: words.case.createdAt, value: { at: shown.createdAt } },
    ...tools.map((tool) => ({
      label: words.case.tools,
      value: `${tool.name} ${tool.externalId}`,
      ...(tool.url ? { url: tool.url } : {}),
    })),
  ]
}

function customerName({ customer, requester }: ShownCase, words: Messages): string {
  const [name, address] = [requester ?? words.case.unknownPerson, customer?.address]
  return address && address !== name ? `${name} <${address}>` : name
}

function conversation({ messages, earlierMessages }: ShownCase, words: Messages): readonly CardBlock[] {
  const earlier = earlierMessages === 1 ? words.case.earlierOne : fill(words.case.earlier, { count: earlierMessages })
  return [
    { kind: 'heading', text: words.case.conversation },
    ...(earlierMessages > 0 ? [{ kind: 'text', text: earlier, isSubtle: true } as const] : []),
    ...(messages.length === 0 ? [{ kind: 'text', text: words.case.noMessages, isSubtle: true } as const] : []),
    ...messages.map((message) => messageBlock(message, words)),
  ]
}

export function messageBlock({ author, visibility, text, at, files }: ShownMessage, words: Messages): CardBlock {
  const name = author.name ?? words.authors[author.kind]
  return {
    kind: 'message',
    message: { author: name, visibility, text, at, ...(files.length > 0 ? { files } : {}) },
  }
}

function caseActions(shown: ShownCase, { macros }: CaseOffers, words: Messages): readonly CardAction[] {
  const { id, tools } = shown
  const labels = words.actions
  const press = (act: string, label: string, more: Partial<ButtonAction> = {}): ButtonAction => ({
    kind: 'button',
    act,
    value: id,
    label,
    ...more,
  })
  const opens = (act: string, label: string, more: Partial<ButtonAction> = {}) =>
    press(act, label, { opensForm: true, ...more })
  const takesMessages = tools.some((tool) => tool.takesMessages)
  return [
    ...(takesMessages
      ? [opens(acts.replyForm, labels.reply, { style: 'primary' }), opens(acts.noteForm, labels.note)]
      : []),
    press(acts.takeCase, labels.take),
    ...(isDone(shown.status) ? [press(acts.reopen, labels.reopen)] : [opens(acts.resolveForm, labels.resolve)]),
    opens(acts.assignForm, labels.assign),
    choose(acts.status, labels.status, id, named(caseStatuses, words.statuses), shown.status),
    choose(acts.priority, labels.priority, id, named(casePriorities, words.priorities), shown.priority),
    opens(acts.tagsForm, labels.tags),
    opens(acts.categoryForm, labels.category),
    ...(isDone(shown.status) ? [] : [escalation(press, words), snoozing(id, words)]),
    ...(macros.length > 0 && takesMessages
      ? [{ ...choose(acts.macro, labels.macro, id, macros, null), opensForm: true }]
      : []),
    ...(shown.customer ? [opens(acts.customer, labels.customer, { value: shown.customer.id })] : []),
    opens(acts.similar, labels.similar),
    ...(isDone(shown.status) ? [] : [opens(acts.mergeForm, labels.merge)]),
    opens(acts.why, labels.why),
    ...tools.flatMap(({ name, url }): readonly CardAction[] =>
      url ? [{ kind: 'link', label: fill(labels.openIn, { tool: name }), url }] : [],
    ),
  ]
}

function escalation(press: (act: string, label: string, more: Partial<ButtonAction>) => ButtonAction, words: Messages) {
  const { title, text, yes } = words.escalate
  return press(acts.escalate, words.actions.escalate, {
    style: 'danger',
    confirm: { title, text, yes, no: words.cancel },
  })
}

function snoozing(id: string, words: Messages): CardAction {
  const { hour, hours, tomorrow, week } = words.snooze
  const options = [
    { value: '1h', label: hour },
    { value: '4h', label: hours },
    { value: '1d', label: tomorrow },
    { value: '7d', label: week },
  ]
  return choose(acts.snooze, words.actions.snooze, id, options, null)
}

function choose(
  act: string,
  label: string,
  value: string,
  options: readonly Option[],
  chosen: string | null,
): SelectAction {
  return { kind: 'select', act, value, label, options, ...(chosen ? { chosen } : {}) }
}

export function named<T extends string>(values: readonly T[], names: Readonly<Record<T, string>>): readonly Option[] {
  return values.map((value) => ({ value, label: names[value] }))
}
