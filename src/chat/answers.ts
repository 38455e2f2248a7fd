/**
 * Answers to one agent, from what the hub knows: cards for their eyes, dialogs, what is wrong with what they typed. Nothing is
 * changed here but drafts.
 */
import type { Agent } from '#hub/agents/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Act, Card, Option } from '#hub/connector/card.ts'
import type { ChatAnswer, ChatHappening, ChatPlace } from '#hub/connector/chat.ts'
import type { Hub } from '#hub/hub.ts'
import { newId } from '#hub/platform/ids.ts'
import * as workbench from '#hub/workbench/index.ts'
import { acts, type Messages } from '#hub/workbench/index.ts'
import { assignableIn } from './assignable.ts'
import { fromColleagues, type MessageDraft, ReplyDraft } from './drafts.ts'
import { loadOffers, replyOfMacro } from './macros.ts'
import { problemsOf } from './problems.ts'
import { draftOf, saveDraft, withdrawDraft } from './store.ts'
import { caseHere, caseOfValue, customersRead } from './where.ts'

export type AnswerHub = Pick<Hub, 'db' | 'connections' | 'now' | 'env'>

export interface Asking {
  readonly connection: LoadedConnection
  readonly happening: ChatHappening
  readonly agent: Agent
  readonly words: Messages
}

export async function answerTo(hub: AnswerHub, asking: Asking): Promise<ChatAnswer> {
  const { what, place } = asking.happening
  switch (what.kind) {
    case 'press':
      if (what.isRefresh) return await answerRefresh(hub, asking, what.act)
      return await answerAct(hub, asking, what.act, false)
    case 'submit':
      return await answerAct(hub, asking, what.act, true)
    case 'asked':
      return await answerWords(hub, asking, what.text, place)
    case 'search':
      return await answerSearch(hub, asking, what.text, what.skip, what.count)
    case 'links':
      return await answerLinks(hub, asking, what.urls)
    case 'home':
      return { kind: 'home', card: await queueOf(hub, asking) }
    case 'shortcut':
      return await answerShortcut(hub, asking, what)
    default:
      return nothing
  }
}

const nothing: ChatAnswer = { kind: 'nothing' }
const shown = (card: Card): ChatAnswer => ({ kind: 'private', card })

/** Nobody pressed: the tool asks for the card as it is now. */
async function answerRefresh(hub: AnswerHub, asking: Asking, act: Act): Promise<ChatAnswer> {
  const found = await workbench.loadCase(hub, caseOfValue(act.value), hub.now())
  return found ? { kind: 'card', card: await caseCardOf(hub, asking, found) } : nothing
}

async function answerAct(hub: AnswerHub, asking: Asking, act: Act, isSubmit: boolean): Promise<ChatAnswer> {
  const { words } = asking
  if (act.act === acts.claimSeatForm) return { kind: 'form', form: workbench.claimSeatForm(words), replaces: false }
  if (act.act === acts.search) return shown(await searchOf(hub, asking, String(act.fields['text'] ?? '')))
  const problems = isSubmit ? await problemsOf(hub, act, words) : {}
  if (Object.keys(problems).length > 0) return { kind: 'errors', errors: problems }
  if (act.act === acts.macro) return await answerMacro(hub, asking, act)
  if (!workbench.readingActs.has(act.act)) {
    return { kind: 'toast', text: act.act === acts.sendReply ? words.chat.sent : words.chat.noted }
  }
  if (act.act === acts.customer) return await answerCustomer(hub, asking, act.value)
  const found = await workbench.loadCase(hub, caseOfValue(act.value), hub.now())
  if (!found) return shown(noticeOf(words.chat.noCase, words))
  return await answerOnCase(hub, asking, act, found)
}

/** What it says to the customer is looked at before it is sent; one that says nothing is done at once. */
async function answerMacro(hub: AnswerHub, { words, agent }: Asking, act: Act): Promise<ChatAnswer> {
  const caseId = caseOfValue(act.value)
  const reply = await replyOfMacro(hub, String(act.fields['chosen'] ?? ''), caseId)
  if (reply === undefined) return { kind: 'toast', text: words.chat.noted }
  const found = await workbench.loadCase(hub, caseId, hub.now())
  if (!found) return shown(noticeOf(words.chat.noCase, words))
  return { kind: 'form', form: workbench.replyForm(found, agent, words, { text: reply }), replaces: false }
}

async function answerOnCase(hub: AnswerHub, asking: Asking, act: Act, found: workbench.ShownCase): Promise<ChatAnswer> {
  const { words, agent } = asking
  const form = (made: ReturnType<typeof workbench.noteForm>): Extract<ChatAnswer, { kind: 'form' }> => ({
    kind: 'form',
    form: made,
    replaces: false,
  })
  switch (act.act) {
    case acts.openCase:
      return shown(await caseCardOf(hub, asking, found))
    case acts.replyForm:
      return form(workbench.replyForm(found, agent, words))
    case acts.previewReply:
      return await previewAgain(hub, asking, found, act)
    case acts.editReply: {
      // Its preview may still stand somewhere: the old text must not leave beside the new one.
      const id = workbench.splitValue(act.value)[1] ?? ''
      const draft = ReplyDraft.safeParse(await withdrawDraft(hub.db, id, agent.id, found.id))
      if (!draft.success) return shown(noticeOf(words.chat.draftSpent, words))
      const { text, files } = draft.data
      const again = { text, id, files: files.map(({ name }) => name) }
      return { ...form(workbench.replyForm(found, agent, words, again)), replaces: true }
    }
    case acts.noteForm:
      return form(workbench.noteForm(found, words))
    case acts.assignForm:
      return form(workbench.assignForm(found, await assignableIn(hub, found), words))
    case acts.tagsForm:
      return form(workbench.tagsForm(found, words))
    case acts.categoryForm:
      return form(workbench.categoryForm(found, words))
    case acts.resolveForm:
      return form(workbench.resolveForm(found, words))
    case acts.mergeForm:
      return form(workbench.mergeForm(found, words))
    case acts.similar:
      return shown(workbench.similarCard(found, await workbench.loadSimilar(hub, found.id), hub.now(), words))
    case acts.why: {
      const why = await workbench.loadWhy(hub, found.id)
      return why ? shown(workbench.whyCard(why, words)) : nothing
    }
    default:
      return nothing
  }
}

/** What was typed, with the files of the draft that it was changed from. */
async function previewAgain(
  hub: AnswerHub,
  asking: Asking,
  found: workbench.ShownCase,
  { value, fields }: Act,
): Promise<ChatAnswer> {
  const [, id] = workbench.splitValue(value)
  const text = String(fields['text'] ?? '')
  if (id === undefined) return await preview(hub, asking, found, { text, files: [] }, true)
  const before = ReplyDraft.safeParse(await draftOf(hub.db, id, asking.agent.id, found.id))
  // Sent meanwhile, or too old: nobody knows any more which files went with it.
  if (!before.success) return shown(noticeOf(asking.words.chat.draftSpent, asking.words))
  return await preview(hub, asking, found, { text, files: before.data.files }, true)
}

/** All that goes, the recipient and the channel as the customer will see them; it waits in a draft until it is confirmed. */
async function preview(
  hub: AnswerHub,
  { agent, words }: Asking,
  found: workbench.ShownCase,
  { text, files }: Pick<ReplyDraft, 'text' | 'files'>,
  replaces: boolean,
): Promise<ChatAnswer> {
  const id = newId('draft')
  const draft: ReplyDraft = { kind: 'reply', text, files, connectionId: found.way?.connectionId ?? null }
  await saveDraft(hub.db, { id, agentId: agent.id, caseId: found.id, content: draft }, hub.now())
  const shown = { id, text, files: files.map(({ name }) => name), at: hub.now().toISOString() }
  return { kind: 'form', form: workbench.confirmReplyForm(found, agent, shown, words), replaces }
}

async function answerCustomer(hub: AnswerHub, { words }: Asking, profileId: string): Promise<ChatAnswer> {
  const customer = await workbench.loadCustomer(hub, profileId)
  return shown(customer ? workbench.customerCard(customer, hub.now(), words) : noticeOf(words.chat.noCase, words))
}

async function answerShortcut(
  hub: AnswerHub,
  asking: Asking,
  { name, message }: Extract<ChatHappening['what'], { kind: 'shortcut' }>,
): Promise<ChatAnswer> {
  const { words, agent, connection, happening } = asking
  if (name === 'find_case') return { kind: 'form', form: workbench.searchForm(words), replaces: false }
  if (!message) return shown(noticeOf(words.chat.notHere, words))
  if (name === 'public_reply') {
    const caseId = await caseHere(hub.db, connection.id, happening.place)
    const found = caseId === undefined ? undefined : await workbench.loadCase(hub, caseId, hub.now())
    if (!found) return shown(noticeOf(words.chat.notHere, words))
    const files = fromColleagues(message.files, connection.id)
    const text = message.text || files.map((file) => file.name).join(', ')
    if (text === '') return shown(noticeOf(words.chat.nothingToSend, words))
    return await preview(hub, asking, found, { text, files }, false)
  }
  const id = newId('draft')
  const { text, authorName } = message
  const files = fromColleagues(message.files, connection.id)
  const content: MessageDraft = { kind: 'message', text, author: authorName ?? null, files }
  await saveDraft(hub.db, { id, agentId: agent.id, caseId: null, content }, hub.now())
  const isCustomers = isReadByCustomers(asking)
  const source: workbench.ShownMessage = {
    author: { kind: isCustomers ? 'customer' : 'agent', name: authorName ?? null },
    visibility: isCustomers ? 'public' : 'internal',
    text,
    at: hub.now().toISOString(),
    files: files.map((file) => file.name),
  }
  return { kind: 'form', form: workbench.createCaseForm({ id, message: source }, toolsOf(hub), words), replaces: false }
}

/** Where a case can be opened for colleagues. */
function toolsOf({ connections }: AnswerHub): readonly Option[] {
  return connections
    .all()
    .flatMap(({ id, name, connector: { can } }) =>
      can.writeCase && !can.writeCase.isConversation ? [{ value: id, label: name }] : [],
    )
}

/** A few words are commands, in both languages; everything else is looked for. */
async function answerWords(
  hub: AnswerHub,
  asking: Asking,
  text: string,
  place: ChatPlace | undefined,
): Promise<ChatAnswer> {
  const { words, connection } = asking
  const [first = '', ...rest] = oneWord(text).split(/\s+/)
  const command = Object.hasOwn(commands, first.toLowerCase()) ? commands[first.toLowerCase()] : undefined
  if (first === '' || command === 'help') return shown(workbench.helpCard(words))
  if (command === 'queue') return shown(await queueOf(hub, asking))
  if (command === 'find') return shown(await searchOf(hub, asking, rest.join(' ')))
  if (command === undefined || rest.length > 0) return shown(await searchOf(hub, asking, text))
  const caseId = await caseHere(hub.db, connection.id, place)
  const found = caseId === undefined ? undefined : await workbench.loadCase(hub, caseId, hub.now())
  if (!found) return shown(noticeOf(words.chat.notHere, words))
  if (command === 'case') return shown(await caseCardOf(hub, asking, found))
  if (command === 'customer') {
    return found.customer
      ? await answerCustomer(hub, asking, found.customer.id)
      : shown(noticeOf(words.chat.noCase, words))
  }
  return await answerOnCase(hub, asking, { act: acts[command], value: found.id, fields: {} }, found)
}

const commands: Readonly<Record<string, 'help' | 'queue' | 'find' | 'case' | 'customer' | 'why' | 'similar'>> = {
  ...{ help: 'help', ayuda: 'help', '?': 'help' },
  ...{ queue: 'queue', cola: 'queue', figures: 'queue', cifras: 'queue', mine: 'queue' },
  ...{ find: 'find', search: 'find', buscar: 'find' },
  ...{ case: 'case', caso: 'case', status: 'case', estado: 'case' },
  ...{ customer: 'customer', cliente: 'customer', who: 'customer', quién: 'customer' },
  ...{ why: 'why', porqué: 'why', porque: 'why' },
  ...{ similar: 'similar', parecidos: 'similar' },
}

/** As people write a question: `why?`, and in Spanish two words and two signs. */
function oneWord(text: string): string {
  return text
    .trim()
    .replace(/^¿?por\s+qu[eé]\??$/i, 'porqué')
    .replace(/^¿?(\p{L}+)\?$/u, '$1')
}

async function queueOf(hub: AnswerHub, { agent, words }: Asking): Promise<Card> {
  return workbench.queueCard(agent.id, await workbench.loadQueue(hub, [agent.email], hub.now()), hub.now(), words)
}

async function searchOf(hub: AnswerHub, { words }: Asking, text: string): Promise<Card> {
  return workbench.searchCard(await workbench.loadSearch(hub, text), hub.now(), words)
}

async function caseCardOf(hub: AnswerHub, { words }: Asking, found: workbench.ShownCase): Promise<Card> {
  return workbench.caseCard(found, await loadOffers(hub.db), hub.now(), words)
}

/** Without words yet, the agent's own queue. What is chosen of it is put into the conversation, for all who read it. */
async function answerSearch(
  hub: AnswerHub,
  asking: Asking,
  text: string,
  skip: number,
  count: number,
): Promise<ChatAnswer> {
  const { words, agent } = asking
  if (isReadByCustomers(asking)) return { kind: 'results', results: [], whenEmpty: words.chat.customersRead }
  const { rows } = text.trim()
    ? await workbench.loadSearch(hub, text)
    : await workbench.loadQueue(hub, [agent.email], hub.now())
  const page = rows.slice(skip, skip + count)
  const found = await Promise.all(page.map(({ id }) => workbench.loadCase(hub, id, hub.now())))
  return {
    kind: 'results',
    results: found.flatMap((one) => (one ? [workbench.caseResult(one, hub.now(), words)] : [])),
    whenEmpty: words.search.empty,
  }
}

/** Links to a case in the hub's own console. All who read the channel see what they unfold to. */
async function answerLinks(hub: AnswerHub, asking: Asking, urls: readonly string[]): Promise<ChatAnswer> {
  if (isReadByCustomers(asking)) return nothing
  const cards: Record<string, Card> = {}
  for (const url of urls.slice(0, 5)) {
    const id = caseInLink(hub.env.baseUrl, url)
    const found = id === undefined ? undefined : await workbench.loadCase(hub, id, hub.now())
    if (found) cards[url] = workbench.caseResult(found, hub.now(), asking.words).card
  }
  return Object.keys(cards).length > 0 ? { kind: 'unfurls', cards } : nothing
}

function isReadByCustomers({ connection, happening }: Asking): boolean {
  const settings = connection.connector.can.chat?.settings(connection.config)
  return settings !== undefined && customersRead(settings, happening.place?.channel)
}

function caseInLink(baseUrl: string, url: string): string | undefined {
  const parsed = URL.parse(url)
  if (!parsed || parsed.origin !== new URL(baseUrl).origin) return undefined
  return /^\/cases\/([A-Za-z0-9_]{1,64})$/.exec(parsed.pathname)?.[1]
}

function noticeOf(said: { readonly title: string; readonly text: string }, words: Messages): Card {
  return workbench.noticeCard('answer', { ...said, tone: 'attention' }, words)
}
