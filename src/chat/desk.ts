/** Answers one person in a chat tool: in the response where they wait for it, else right after it. */
import PQueue from 'p-queue'
import { askForSeat } from '#hub/agents/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { ChatAnswer, ChatHappening, ChatLanguage } from '#hub/connector/chat.ts'
import type { Reply } from '#hub/connector/contract.ts'
import type { Hub } from '#hub/hub.ts'
import type { InboxItem } from '#hub/inbox/index.ts'
import { clean } from '#hub/normalise/clean.ts'
import { acts, claimSeatForm, type Messages, messagesIn, noticeCard, refusalCard } from '#hub/workbench/index.ts'
import type { Acquaintance } from './acquaintances.ts'
import { answerTo } from './answers.ts'
import { isLook } from './happenings.ts'
import { languageFor } from './languages.ts'
import { type Actor, actorOf, meet } from './people.ts'
import { problemsOf } from './problems.ts'
import { savePerson } from './store.ts'
import { caseHere } from './where.ts'

type DeskHub = Pick<Hub, 'log' | 'now' | 'db' | 'connections' | 'env'>

export interface ChatDesk {
  /**
   * @param isNew false for what was seen before: it is not shown a second time.
   * @param withinMs how long an answer in the response may take; what comes later is shown apart.
   * @param send called once, as soon as the response is known.
   */
  respond(
    connection: LoadedConnection,
    item: { readonly stored: InboxItem; readonly happening?: ChatHappening },
    isNew: boolean,
    withinMs: number,
    send: (reply: Reply) => void,
  ): Promise<void>
  /** What somebody may look at, as the vendor has told of them. */
  look(connection: LoadedConnection, known: Acquaintance, happening: ChatHappening): Promise<InLanguage>
  /** Finishes what is in hand. */
  stop(): Promise<void>
}

/** An answer, and the language that it is in. */
export interface InLanguage {
  readonly answer: ChatAnswer
  readonly language: ChatLanguage
}

const nothing: ChatAnswer = { kind: 'nothing' }

/** Opening a dialog or showing a card at the vendor. */
const showWithinMs = 10_000
/**
 * Answers worked at once, of those that somebody waits for in a response and of the others: more of them would take the
 * database's connections from what they are answers to. Neither kind stands behind the other.
 */
const answersAtOnce = 3
/** A hub that stops finishes the answers in hand within this time. */
const stopWithinMs = 4_000

export function createChatDesk(hub: DeskHub): ChatDesk {
  const turns = {
    awaited: new PQueue({ concurrency: answersAtOnce }),
    others: new PQueue({ concurrency: answersAtOnce }),
  }
  const inHand = new Set<Promise<void>>()
  const meetings = new Map<string, ReturnType<typeof meet>>()

  /** Somebody who presses often is looked up once at a time. Not in turn: the vendor may be asked, who takes seconds. */
  function meetOnce(connection: LoadedConnection, happening: ChatHappening): ReturnType<typeof meet> {
    const key = JSON.stringify([connection.id, happening.user, happening.place?.reference])
    const under = meetings.get(key)
    if (under) return under
    const context = () =>
      hub.connections.contextFor(connection, AbortSignal.timeout(showWithinMs), { priority: 'person' })
    const meeting = meet(hub.db, connection, [happening], context, hub.now()).finally(() => meetings.delete(key))
    meetings.set(key, meeting)
    return meeting
  }

  const answerSafely = async (connection: LoadedConnection, happening: ChatHappening): Promise<ChatAnswer> =>
    (await answerInLanguage(connection, happening)).answer

  /** Never throws: the person is told. */
  async function answerInLanguage(connection: LoadedConnection, happening: ChatHappening): Promise<InLanguage> {
    const settings = connection.connector.can.chat?.settings(connection.config)
    if (!settings) return { answer: nothing, language: 'en' }
    const reader = {
      ...(happening.locale ? { locale: happening.locale } : {}),
      channel: happening.place?.channel ?? '',
    }
    let language = languageFor(settings, reader)
    const said = (answer: ChatAnswer): InLanguage => ({ answer, language })
    try {
      if (!isForDesk(happening)) return said(nothing)
      const unknown = await meetOnce(connection, happening)
      // Its card thanks whoever was asked, who is no agent; anybody else's press changes nothing.
      if (isSurveyAnswer(happening)) return said(nothing)
      if (unknown.has(happening.user)) throw unknown.get(happening.user)
      return await turns[happening.awaits ? 'awaited' : 'others'].add(async () => {
        const actor = await actorOf(hub.db, connection.id, happening.user, hub.now())
        const agent = actor.may || isLook(happening) ? actor.agent : undefined
        if (!agent)
          return said(actor.may ? nothing : await refuse(hub, connection, happening, actor, messagesIn[language]))
        language = languageFor(settings, { ...reader, agent: agent.language })
        return said(await answerTo(hub, { connection, happening, agent, words: messagesIn[language] }))
      })
    } catch (error) {
      hub.log.error({ err: error, connection_id: connection.id, kind: happening.what.kind }, 'an answer failed')
      const words = messagesIn[language]
      const card = noticeCard('failed', { ...words.chat.failed, tone: 'attention' }, words)
      return said({ kind: 'private', card })
    }
  }

  const respond: ChatDesk['respond'] = async (connection, { stored, happening }, isNew, withinMs, send) => {
    const { chat } = connection.connector.can
    if (!chat) return
    const item = { key: stored.key, body: stored.body.toString('utf8') }
    const ctx = { config: connection.config, now: hub.now }
    if (!happening) return send(chat.reply(item, undefined, ctx))
    if (!happening.awaits) send(chat.reply(item, undefined, ctx))
    // As the pipeline will read it: what PostgreSQL cannot hold can be neither looked for nor kept in a draft.
    const answering = answerSafely(connection, clean(happening))
    if (happening.awaits) {
      const inTime = await Promise.race([answering, after(withinMs)])
      send(chat.reply(item, inTime, ctx))
      if (inTime) return
    }
    const answer = await answering
    if (!isNew || answer.kind === 'nothing' || answer.kind === 'toast') return
    await show(hub, connection, happening, answer)
  }

  return {
    async look(connection, { person, readAt }, happening) {
      await savePerson(hub.db, connection.id, person, undefined, readAt)
      return await answerInLanguage(connection, clean(happening))
    },
    respond(...given) {
      const responding = respond(...given).finally(() => inHand.delete(responding))
      inHand.add(responding)
      return responding
    },
    async stop() {
      await Promise.race([Promise.allSettled(inHand), after(stopWithinMs)])
    },
  }
}
async function after(ms: number): Promise<undefined> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref())
}

async function show(
  hub: DeskHub,
  connection: LoadedConnection,
  happening: ChatHappening,
  answer: ChatAnswer,
): Promise<void> {
  try {
    const context = hub.connections.contextFor(connection, AbortSignal.timeout(showWithinMs), { priority: 'person' })
    await connection.connector.can.chat?.show(context, happening, answer)
  } catch (error) {
    // They can ask again; what they did is stored all the same.
    hub.log.warn(
      { err: error, connection_id: connection.id, kind: happening.what.kind },
      'an answer could not be shown',
    )
    await hub.connections.reportFailure(connection.id, error, 'sending')
  }
}

/** What is said to nobody in particular, and what the app itself is told, has no answer. */
function isForDesk({ what, user }: ChatHappening): boolean {
  if (user === '') return false
  return !['edited', 'deleted', 'reaction', 'channel', 'uninstalled'].includes(what.kind)
}

function isSurveyAnswer({ what }: ChatHappening): boolean {
  return what.kind === 'press' && what.act.act === acts.answerSurvey
}

/** Somebody without a seat learns so, and where they can say who they are; a line in a thread draws that once. */
async function refuse(
  hub: DeskHub,
  connection: LoadedConnection,
  { what, place, user }: ChatHappening,
  { why }: Extract<Actor, { may: false }>,
  words: Messages,
): Promise<ChatAnswer> {
  if (why === 'bot') return { kind: 'nothing' }
  const answer: ChatAnswer = { kind: 'private', card: refusalCard(why, words) }
  if (what.kind === 'message') {
    const caseId = await caseHere(hub.db, connection.id, place)
    const isFirst =
      caseId !== undefined && (await askForSeat(hub.db, { connectionId: connection.id, externalId: user }, hub.now()))
    return isFirst ? answer : { kind: 'nothing' }
  }
  if ((what.kind !== 'press' && what.kind !== 'submit') || why !== 'no_seat') return answer
  if (what.act.act === acts.claimSeatForm) return { kind: 'form', form: claimSeatForm(words), replaces: false }
  if (what.act.act !== acts.claimSeat) return answer
  const errors = await problemsOf(hub, what.act, words)
  if (Object.keys(errors).length > 0) return { kind: 'errors', errors }
  return { kind: 'private', card: noticeCard('seat', { ...words.chat.claimed, tone: 'good' }, words) }
}
