/**
 * The dialogs. Only two of them end at a customer: the reply and its confirmation, where the text, the recipient and the
 * channel stand as the customer will see them. A field begins with what somebody chose to say to the customer, and with nothing
 * else that was said internally.
 */

import { casePriorities } from '#hub/connector/facts.ts'
import { acts, joinValue } from './acts.ts'
import type { ButtonAction, CardBlock, Fact, Form, Option } from './card.ts'
import { messageBlock, named } from './case-card.ts'
import { agentName, subjectOf } from './case-line.ts'
import { type Messages, resolveReasons } from './messages/index.ts'
import type { ShownAgent, ShownCase, ShownMessage } from './shown.ts'

/** What the vendors' dialogs take in one field. */
export const longestText = 3000

/** @param draft what is to be said, when it comes back from the preview or from a macro. */
/** @param draft what it begins with; `id`, where the hub keeps a draft already whose files go with it. */
export function replyForm(
  shown: ShownCase,
  from: ShownAgent,
  words: Messages,
  draft: { readonly text?: string; readonly id?: string; readonly files?: readonly string[] } = {},
): Form {
  const { forms } = words
  const { text, id, files = [] } = draft
  return {
    act: acts.previewReply,
    value: id === undefined ? shown.id : joinValue(shown.id, id),
    title: forms.reply,
    submit: forms.preview,
    cancel: words.cancel,
    blocks: [{ kind: 'notice', text: forms.replyWarning, tone: 'attention' }, ...wayOf(shown, from, words, files)],
    fields: [
      {
        name: 'text',
        label: forms.replyText,
        kind: 'text',
        isLong: true,
        isRequired: true,
        longest: longestText,
        ...(text ? { initial: text } : {}),
      },
    ],
  }
}

/** @param draft what is sent, and the id under which the hub keeps it until then. */
export function confirmReplyForm(
  shown: ShownCase,
  from: ShownAgent,
  draft: { readonly id: string; readonly text: string; readonly files: readonly string[]; readonly at: string },
  words: Messages,
): Form {
  const { forms } = words
  const value = joinValue(shown.id, draft.id)
  const change: ButtonAction = {
    kind: 'button',
    act: acts.editReply,
    value,
    label: forms.changeText,
    opensForm: true,
  }
  return {
    act: acts.sendReply,
    value,
    title: forms.confirmReply,
    submit: forms.send,
    cancel: words.cancel,
    blocks: [
      ...wayOf(shown, from, words),
      { kind: 'text', text: forms.exactly },
      messageBlock(
        {
          author: { kind: 'agent', name: agentName(from) ?? null },
          visibility: 'public',
          text: draft.text,
          at: draft.at,
          files: draft.files,
        },
        words,
      ),
      // A text that no field takes whole can be sent as it is, or not.
      ...(draft.text.length > longestText
        ? []
        : [{ kind: 'list', items: [{ title: forms.notYet, action: change }], whenEmpty: '' } as const]),
    ],
    fields: [],
  }
}

/** To whom, from whom, by which way; and a warning where it would not arrive. */
function wayOf(
  { way, ...shown }: ShownCase,
  from: ShownAgent,
  words: Messages,
  files: readonly string[] = [],
): readonly CardBlock[] {
  const { forms } = words
  const { address } = way ?? {}
  const name = way?.name ?? shown.requester ?? words.case.unknownPerson
  const channel = shown.channel ? [words.channels[shown.channel]] : []
  const facts: readonly Fact[] = [
    { label: forms.to, value: address && address !== name ? `${name} <${address}>` : name },
    { label: forms.from, value: agentName(from) ?? words.authors.agent },
    { label: forms.via, value: [...channel, ...(way ? [way.tool] : [])].join(' · ') },
    { label: forms.subject, value: subjectOf(shown, words) },
    ...(files.length > 0 ? [{ label: forms.files, value: files.join(', ') }] : []),
  ]
  const dead = { kind: 'notice', text: forms.deadAddress, tone: 'urgent' } as const
  return [...(way?.isDead ? [dead] : []), { kind: 'facts', facts }]
}

export function noteForm(shown: Pick<ShownCase, 'id' | 'subject'>, words: Messages): Form {
  const { forms } = words
  return form(acts.addNote, shown, forms.note, forms.addNote, words, [
    {
      name: 'text',
      label: forms.noteText,
      hint: forms.noteHint,
      kind: 'text',
      isLong: true,
      isRequired: true,
      longest: longestText,
    },
  ])
}

/** @param agents those who may have it, by address; the first 100 can be shown. */
export function assignForm(shown: ShownCase, agents: readonly Option[], words: Messages): Form {
  const { forms } = words
  const current = shown.assignee?.email
  return form(acts.assign, shown, forms.assign, forms.save, words, [
    {
      name: 'agent',
      label: forms.assignTo,
      hint: forms.assignHint,
      kind: 'choice',
      isRequired: true,
      options: agents.slice(0, 100),
      ...(current && agents.some(({ value }) => value === current) ? { initial: current } : {}),
    },
  ])
}

export function tagsForm(shown: Pick<ShownCase, 'id' | 'subject' | 'tags'>, words: Messages): Form {
  const { forms } = words
  return form(acts.setTags, shown, forms.tags, forms.save, words, [
    {
      name: 'tags',
      label: forms.tags,
      hint: forms.tagsHint,
      kind: 'text',
      longest: longestText,
      ...(shown.tags.length > 0 ? { initial: shown.tags.join(', ') } : {}),
    },
  ])
}

export function resolveForm(shown: Pick<ShownCase, 'id' | 'subject'>, words: Messages): Form {
  const { forms } = words
  return form(acts.resolve, shown, forms.resolve, forms.resolveIt, words, [
    {
      name: 'reason',
      label: forms.reason,
      kind: 'choice',
      isRequired: true,
      options: named(resolveReasons, forms.reasons),
    },
    {
      name: 'note',
      label: forms.reasonNote,
      hint: forms.reasonHint,
      kind: 'text',
      isLong: true,
      longest: longestText,
    },
  ])
}

export function mergeForm(shown: Pick<ShownCase, 'id' | 'subject'>, words: Messages): Form {
  const { forms } = words
  const made = form(acts.merge, shown, forms.merge, forms.mergeIt, words, [
    { name: 'into', label: forms.mergeInto, hint: forms.mergeHint, kind: 'text', isRequired: true, longest: 200 },
  ])
  return { ...made, blocks: [...made.blocks, { kind: 'notice', text: forms.mergeWarning, tone: 'attention' }] }
}

export function categoryForm(shown: Pick<ShownCase, 'id' | 'subject' | 'category'>, words: Messages): Form {
  const { forms } = words
  return form(acts.setCategory, shown, forms.category, forms.save, words, [
    {
      name: 'category',
      label: forms.category,
      hint: forms.categoryHint,
      kind: 'text',
      longest: 200,
      ...(shown.category ? { initial: shown.category } : {}),
    },
  ])
}

export function searchForm(words: Messages): Form {
  const { forms } = words
  return {
    act: acts.search,
    value: '',
    title: forms.search,
    submit: forms.find,
    cancel: words.cancel,
    blocks: [],
    fields: [
      { name: 'text', label: forms.searchFor, hint: forms.searchHint, kind: 'text', isRequired: true, longest: 200 },
    ],
  }
}

/** For somebody whose chat address is no agent's. */
export function claimSeatForm(words: Messages): Form {
  const { forms } = words
  return {
    act: acts.claimSeat,
    value: '',
    title: forms.seat,
    submit: forms.ask,
    cancel: words.cancel,
    blocks: [{ kind: 'text', text: forms.seatText }],
    fields: [
      {
        name: 'email',
        label: forms.seatAddress,
        hint: forms.seatHint,
        kind: 'text',
        isRequired: true,
        longest: 254,
      },
    ],
  }
}

/**
 * A case from what somebody wrote in the chat.
 * @param source the id under which the hub keeps the message. @param tools where a case can be opened.
 */
export function createCaseForm(
  source: { readonly id: string; readonly message: ShownMessage },
  tools: readonly Option[],
  words: Messages,
): Form {
  const { forms } = words
  const [tool] = tools
  const { message } = source
  // Customers see subjects: an internal message does not become one by itself.
  const subject = message.visibility === 'public' ? firstLine(message.text) : ''
  return {
    act: acts.createCase,
    value: source.id,
    title: forms.create,
    submit: forms.createIt,
    cancel: words.cancel,
    blocks: [{ kind: 'text', text: forms.firstEntry, isSubtle: true }, messageBlock(message, words)],
    fields: [
      {
        name: 'tool',
        label: forms.tool,
        kind: 'choice',
        isRequired: true,
        options: tools.slice(0, 100),
        ...(tool ? { initial: tool.value } : {}),
      },
      {
        name: 'subject',
        label: forms.subject,
        kind: 'text',
        isRequired: true,
        longest: longestSubject,
        ...(subject ? { initial: subject } : {}),
      },
      { name: 'requester', label: forms.requester, hint: forms.requesterHint, kind: 'text', longest: 254 },
      {
        name: 'priority',
        label: words.case.priority,
        kind: 'choice',
        options: named(casePriorities, words.priorities),
        initial: 'normal',
      },
    ],
  }
}

const longestSubject = 200

/** The first line that says something: a greeting alone does not. */
function firstLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim())
  const line = lines.find(({ length }) => length >= 15) ?? lines.find(Boolean) ?? ''
  return line.length > longestSubject
    ? `${line
        .slice(0, longestSubject - 1)
        .toWellFormed()
        .trimEnd()}…`
    : line
}

function form(
  act: string,
  shown: Pick<ShownCase, 'id' | 'subject'>,
  title: string,
  submit: string,
  words: Messages,
  fields: Form['fields'],
): Form {
  const about: CardBlock = { kind: 'text', text: subjectOf(shown, words), isSubtle: true }
  return { act, value: shown.id, title, submit, cancel: words.cancel, blocks: [about], fields }
}
