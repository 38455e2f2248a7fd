/** Carries out what agents want, on the cases of the batch. Everything here is in its transaction. */
import { type Agent, claim } from '#hub/agents/index.ts'
import { decideApproval } from '#hub/approvals/index.ts'
import { type CaseBook, eventId, type Fields, read } from '#hub/cases/index.ts'
import type { Act } from '#hub/connector/card.ts'
import type { OutMessage } from '#hub/connector/contract.ts'
import { type Attachment, type Author, type CasePriority, casePriorities, caseStatuses } from '#hub/connector/facts.ts'
import { macroById } from '#hub/macros/index.ts'
import type { ChatTarget } from '#hub/outbox/action.ts'
import { effectKey, type OutboxEntry } from '#hub/outbox/index.ts'
import type { Consequences } from '#hub/pipeline/consequences.ts'
import { planMacro } from '#hub/pipeline/macro.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Cause, Source } from '#hub/platform/db/schema.ts'
import type { PlannedAction } from '#hub/rules/plan.ts'
import { TemplateFailed } from '#hub/rules/template.ts'
import { snooze } from '#hub/snoozes/index.ts'
import { answerInChat, type SurveyHub } from '#hub/surveys/index.ts'
import {
  acts,
  fill,
  type Messages,
  messagesIn,
  type ResolveReason,
  resolveReasons,
  splitValue,
} from '#hub/workbench/index.ts'
import { isKnownIn } from './assignable.ts'
import { fromColleagues, MessageDraft, ReplyDraft } from './drafts.ts'
import { languageFor } from './languages.ts'
import { textIn } from './problems.ts'
import { reviseMessage } from './revise.ts'
import { forgetWithdrawn, type SpotKey, saveChatMessage, takeDraft, wasJustDone } from './store.ts'
import type { Wish, WorkHub } from './work.ts'

export type WishHub = WorkHub & Pick<SurveyHub, 'connections'>

interface Given {
  readonly trx: Trx
  readonly hub: WishHub
  readonly book: CaseBook
  readonly consequences: Consequences
  readonly wish: Wish
  readonly cause: Cause
  readonly now: Date
}

/** Of an agent's act: who, on what, in which language notes are written. */
interface Deed extends Given {
  readonly agent: Agent
  readonly act: Act
  readonly caseId: string
  readonly source: Source
  readonly author: Author
  readonly words: Messages
}

/** Where notes that were written in a thread stand, by the key that they leave by: saved once they are on record. */
export type Written = readonly { readonly spot: SpotKey; readonly key: string }[]

export async function carryOut(
  trx: Trx,
  hub: WishHub,
  book: CaseBook,
  consequences: Consequences,
  wishes: readonly Wish[],
): Promise<Written> {
  const written: { spot: SpotKey; key: string }[] = []
  for (const wish of wishes) {
    const { step, want } = wish
    const who = 'agent' in want ? want.agent.email : want.person.id
    const cause: Cause = { inboxSeq: step.row.seq, eventId: `chat_${step.row.seq}`, actor: who, depth: 0 }
    const given: Given = { trx, hub, book, consequences, wish, cause, now: hub.now() }
    switch (want.kind) {
      case 'note': {
        const key = note(given, want.agent, want.text, want.files)
        if (key !== undefined) written.push({ spot: want.spot, key })
        break
      }
      case 'revise':
        await reviseMessage(trx, hub, consequences, { ...want, step, cause, words: wordsFor(given, want.agent) })
        break
      case 'answer': {
        const { person, invitationId, score } = want
        const vote = { connectionId: step.connectionId, user: person.id, invitationId, score }
        const events = await answerInChat(trx, hub, vote, given.now)
        consequences.follow(events)
        if (events.length > 0) consequences.put(thanksEntry(given, invitationId))
        break
      }
      case 'claim':
        await claim(trx, { connectionId: step.connectionId, externalId: want.person.id, email: want.email }, given.now)
        break
      case 'act':
        await performAct(given, want.agent, want.act)
        break
    }
  }
  return written
}

export async function saveWritten(trx: Trx, written: Written): Promise<void> {
  for (const { spot, key } of written) await saveChatMessage(trx, spot, key)
}

function wordsFor({ hub, wish }: Pick<Given, 'hub' | 'wish'>, agent: Agent): Messages {
  const { connectionId, happening } = wish.step
  const connection = hub.connections.all().find(({ id }) => id === connectionId)
  const settings = connection?.connector.can.chat?.settings(connection.config)
  if (!settings) return messagesIn.en
  const channel = happening.place?.channel
  return messagesIn[languageFor(settings, { agent: agent.language, ...(channel === undefined ? {} : { channel }) })]
}

function authorOf({ name, email }: Agent): Author {
  return { kind: 'agent', name, email }
}

/** @returns the key that the note leaves by; undefined where the case lives in no tool that takes one. */
function note(
  { wish, consequences, cause, hub }: Given,
  agent: Agent,
  text: string,
  files: readonly Attachment[],
): string | undefined {
  const { caseId, step } = wish
  if (caseId === undefined || (text.trim() === '' && files.length === 0)) return undefined
  const out: OutMessage = {
    visibility: 'internal',
    text,
    ...(files.length > 0 ? { attachments: fromColleagues(files, step.connectionId) } : {}),
  }
  const key = consequences.message(caseId, out, authorOf(agent), cause)
  if (key === undefined) {
    const { noteNotTaken } = wordsFor({ hub, wish }, agent).chat
    tell(consequences, cause, step.connectionId, { user: step.happening.user }, { ...noteNotTaken, caseId })
  }
  return key
}

async function performAct(given: Given, agent: Agent, act: Act): Promise<void> {
  const { wish, trx } = given
  const source: Source = { kind: 'person', name: agent.name }
  const deed = { ...given, agent, act, source, author: authorOf(agent), words: wordsFor(given, agent) }
  if (act.act === acts.createCase) {
    await createCase(deed)
  } else {
    const { caseId } = wish
    const perform = Object.hasOwn(deeds, act.act) ? deeds[act.act] : undefined
    if (caseId === undefined || !perform) return
    if (!given.book.get(caseId)) {
      const { noCase } = deed.words.chat
      return tell(given.consequences, given.cause, wish.step.connectionId, { user: wish.step.happening.user }, noCase)
    }
    await perform({ ...deed, caseId })
  }
  await audit(trx, agent.email, `chat.${act.act}`, wish.caseId ?? null, { connection: wish.step.connectionId })
}

const deeds: Readonly<Record<string, (deed: Deed) => void | Promise<void>>> = {
  [acts.takeCase]: (deed) => change(deed, { assignee: { email: deed.agent.email, name: deed.agent.name } }),
  [acts.assign]: (deed) => change(deed, { assignee: { email: textIn(deed.act.fields, 'agent').toLowerCase() } }),
  [acts.status]: (deed) => {
    const status = caseStatuses.find((one) => one === chosen(deed))
    if (status) change(deed, { status })
  },
  [acts.priority]: (deed) => {
    const priority: CasePriority | undefined = casePriorities.find((one) => one === chosen(deed))
    if (priority) change(deed, { priority })
  },
  [acts.setTags]: (deed) => {
    const tags = textIn(deed.act.fields, 'tags')
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean)
    change(deed, { tags: [...new Set(tags)].sort() })
  },
  [acts.setCategory]: (deed) => change(deed, { 'custom.category': textIn(deed.act.fields, 'category') || null }),
  [acts.addNote]: (deed) => {
    note(deed, deed.agent, textIn(deed.act.fields, 'text'), [])
  },
  [acts.sendReply]: sendReply,
  [acts.resolve]: resolve,
  [acts.reopen]: (deed) => change(deed, { status: 'open' }),
  [acts.escalate]: escalate,
  [acts.snooze]: snoozeCase,
  [acts.macro]: applyMacro,
  [acts.merge]: merge,
  [acts.approve]: (deed) => decide(deed, 'approved'),
  [acts.reject]: (deed) => decide(deed, 'rejected'),
}

function change({ consequences, caseId, source, cause }: Deed, values: Fields): void {
  consequences.change(caseId, values, source, cause)
}

function chosen({ act }: Deed): string {
  return textIn(act.fields, 'chosen')
}

/** The draft is there once: a second press finds nothing to send. */
async function sendReply(deed: Deed): Promise<void> {
  const { trx, act, agent, book, caseId, consequences, cause, author, words, wish } = deed
  const draft = ReplyDraft.safeParse(await takeDraft(trx, splitValue(act.value)[1] ?? '', agent.id, caseId))
  const told = { user: wish.step.happening.user }
  if (!draft.success)
    return tell(consequences, cause, wish.step.connectionId, told, { ...words.chat.draftSpent, caseId })
  await forgetWithdrawn(trx, agent.id, caseId)
  const { connectionId, text: said, files } = draft.data
  const attachments = files.length > 0 ? { attachments: files } : {}
  const out: OutMessage = { visibility: 'public', text: said, ...attachments }
  // Another way than the one that was confirmed may lead to somebody else.
  const isStillThere = book
    .linksOf(caseId)
    .some((link) => link.deletedAt === null && (connectionId === null || link.connectionId === connectionId))
  const key = isStillThere ? consequences.message(caseId, out, author, cause, connectionId ?? undefined) : undefined
  if (key !== undefined) return
  const { title, text } = words.chat.replyNotTaken
  tell(consequences, cause, wish.step.connectionId, told, { title, text: fill(text, { text: out.text }), caseId })
}

/** Whoever resolves what nobody has takes it, where its tools know them: many desks solve nothing that is nobody's. */
async function resolve(deed: Deed): Promise<void> {
  const { words, act, trx, book, caseId, agent } = deed
  const reason: ResolveReason = resolveReasons.find((one) => one === textIn(act.fields, 'reason')) ?? 'answered'
  const remark = textIn(act.fields, 'note')
  const said = fill(words.chat.resolvedAs, { reason: words.forms.reasons[reason] })
  note(deed, deed.agent, remark === '' ? said : `${said}\n${remark}`, [])
  const state = book.get(caseId)
  const isNobodys = state !== undefined && !read.assignee(state.fields)
  const links = book.linksOf(caseId).filter(({ deletedAt }) => deletedAt === null)
  const takes = isNobodys && (await isKnownIn(trx, links, agent.email))
  const taken = takes ? { assignee: { email: agent.email, name: agent.name } } : {}
  change(deed, { ...taken, status: 'solved', 'custom.resolution': reason })
}

async function escalate(deed: Deed): Promise<void> {
  if (await wasJustDone(deed.trx, deed.agent.email, `chat.${deed.act.act}`, deed.caseId)) return
  const { words, agent, caseId, cause, source, now, consequences, book } = deed
  note(deed, agent, fill(words.chat.escalatedBy, { name: agent.name }), [])
  change(deed, { priority: 'urgent' })
  const state = book.get(caseId)
  const profileId = state ? read.requester(state.fields) : null
  consequences.follow([
    {
      id: eventId(caseId, 'case.escalated', cause.eventId ?? ''),
      type: 'case.escalated',
      caseId,
      ...(profileId === null ? {} : { profileId }),
      actor: source,
      data: {},
      cause,
      occurredAt: now,
    },
  ])
}

const snoozeMs: Readonly<Record<string, number>> = {
  '1h': 3_600_000,
  '4h': 4 * 3_600_000,
  '1d': 24 * 3_600_000,
  '7d': 7 * 24 * 3_600_000,
}

async function snoozeCase(deed: Deed): Promise<void> {
  const ms = Object.hasOwn(snoozeMs, chosen(deed)) ? snoozeMs[chosen(deed)] : undefined
  if (ms === undefined) return
  const { trx, caseId, agent, now, consequences } = deed
  consequences.follow((await snooze(trx, { caseId, until: new Date(now.getTime() + ms), by: agent.name }, now)) ?? [])
}

/** What a macro says to the customer is previewed and sent by the agent; the rest is done at once. */
async function applyMacro(deed: Deed): Promise<void> {
  const { trx, hub, book, caseId, consequences, cause, source, author, now, words, wish } = deed
  const macro = await macroById(trx, chosen(deed))
  if (!macro) return
  let planned: readonly PlannedAction[]
  try {
    planned = await planMacro(trx, hub.connections, macro, book, caseId, now)
  } catch (error) {
    if (!(error instanceof TemplateFailed)) throw error
    const { title, text } = words.chat.macroFailed
    const told = { title, text: fill(text, { name: macro.name, reason: error.message }), caseId }
    return tell(consequences, cause, wish.step.connectionId, { user: wish.step.happening.user }, told)
  }
  const silent = planned.filter(({ type }) => type !== 'reply')
  consequences.apply(caseId, silent, author, cause, source)
}

/** The first word counts; the card says whose it was, to everybody who looks at it. */
async function decide(deed: Deed, decision: 'approved' | 'rejected'): Promise<void> {
  const { trx, act, agent, consequences, cause, now, wish } = deed
  const decided = await decideApproval(trx, act.value, decision, { name: agent.name, agent }, now)
  if (decided.result === 'unknown') return
  const { connectionId, happening } = wish.step
  if (decided.result === 'decided') {
    // The decision stands on the case before what rules make of it.
    note(deed, agent, decided.note.text, [])
    consequences.follow([decided.event])
  }
  const channel = happening.place?.channel
  if (channel === undefined) return
  consequences.put({
    key: effectKey(cause.eventId ?? '', 'approval', act.value),
    lane: connectionId,
    orderKey: decided.approval.caseId,
    connectionId,
    caseId: decided.approval.caseId,
    action: { type: 'chat.show', show: { what: 'approval', approvalId: act.value, to: { channel } } },
    cause,
  })
}

/**
 * The tool that has both merges them in its own way; elsewhere each says where the other went, and this one is closed. What
 * the customer writes on it later stays on it and opens it again.
 */
function merge(deed: Deed): void {
  const { wish, book, caseId, consequences, cause, words, source, agent } = deed
  const intoId = wish.want.kind === 'act' ? wish.want.intoCaseId : undefined
  const [from, into] = [book.get(caseId), intoId === undefined ? undefined : book.get(intoId)]
  if (!from || !into || from.id === into.id) return
  const subjectOf = (state: typeof from) => read.subject(state.fields) ?? words.case.noSubject
  const isNative = consequences.merge(from.id, into.id, cause)
  if (!isNative) note(deed, agent, fill(words.chat.mergedInto, { subject: subjectOf(into) }), [])
  note(
    { ...deed, wish: { ...wish, caseId: into.id } },
    agent,
    fill(words.chat.mergedFrom, { subject: subjectOf(from) }),
    [],
  )
  consequences.change(from.id, { status: 'closed', 'custom.merged_into': into.id }, source, cause)
}

async function createCase(deed: Omit<Deed, 'caseId'>): Promise<void> {
  const { trx, act, agent, consequences, cause, source, words, wish } = deed
  const told = { user: wish.step.happening.user }
  const draft = MessageDraft.safeParse(await takeDraft(trx, act.value, agent.id, null))
  if (!draft.success) return tell(consequences, cause, wish.step.connectionId, told, words.chat.noCase)
  const { text, author, files } = draft.data
  const requester = textIn(act.fields, 'requester').toLowerCase()
  const priority = casePriorities.find((one) => one === textIn(act.fields, 'priority'))
  consequences.openCase(
    textIn(act.fields, 'tool'),
    {
      subject: textIn(act.fields, 'subject'),
      text: (author === null ? text : `${author}: ${text}`) || textIn(act.fields, 'subject'),
      ...(files.length > 0 ? { files: { attachments: files, author: deed.author } } : {}),
      ...(requester === '' ? {} : { requester: { emails: [requester] } }),
      ...(priority ? { priority } : {}),
    },
    cause,
    source,
  )
}

/** The question's card thanks and takes no more. */
function thanksEntry({ cause, wish: { step } }: Given, invitationId: string): OutboxEntry {
  const { channel = '', thread, message = '' } = step.happening.place ?? {}
  return {
    key: effectKey(cause.eventId ?? '', 'thanks', invitationId),
    lane: step.connectionId,
    orderKey: invitationId,
    connectionId: step.connectionId,
    action: { type: 'chat.show', show: { what: 'survey', invitationId, channel, thread: thread ?? message } },
    cause,
  }
}

/** One private line to somebody, once for this cause. */
function tell(
  consequences: Consequences,
  cause: Cause,
  connectionId: string,
  to: ChatTarget,
  said: { readonly title: string; readonly text: string; readonly caseId?: string },
): void {
  consequences.put(noticeEntry(cause, connectionId, to, said))
}

function noticeEntry(
  cause: Cause,
  connectionId: string,
  to: ChatTarget,
  { title, text, caseId }: { readonly title: string; readonly text: string; readonly caseId?: string },
): OutboxEntry {
  const key = effectKey(cause.eventId ?? '', 'notice', connectionId, JSON.stringify(to), title, text)
  return {
    key,
    lane: connectionId,
    orderKey: caseId ?? key,
    connectionId,
    ...(caseId === undefined ? {} : { caseId }),
    action: {
      type: 'chat.show',
      show: { what: 'notice', to, key, title, text, tone: 'attention', ...(caseId === undefined ? {} : { caseId }) },
    },
    cause,
  }
}
