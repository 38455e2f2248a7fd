/** What is shown in a chat tool, drawn when it leaves: a card shows what is so now, and what has not changed is not sent. */
import { createHash } from 'node:crypto'
import { accountsOf, findAgents } from '#hub/agents/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Card } from '#hub/connector/card.ts'
import type { ChatContent, ChatPlace, ChatSettings } from '#hub/connector/chat.ts'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { readerOf } from '#hub/delivery/complete.ts'
import { withItsFiles } from '#hub/delivery/files.ts'
import type { Hub } from '#hub/hub.ts'
import type { ChatShow, ChatTarget } from '#hub/outbox/action.ts'
import { isLeftAlone } from '#hub/pipeline/chat-channels.ts'
import { loadOpened, questionIn } from '#hub/surveys/index.ts'
import * as workbench from '#hub/workbench/index.ts'
import { type Messages, messagesIn } from '#hub/workbench/index.ts'
import { languageFor } from './languages.ts'
import { loadApproval } from './load-approval.ts'
import { loadOffers } from './macros.ts'
import * as store from './store.ts'
import { customersRead } from './where.ts'

export type DrawHub = Pick<Hub, 'db' | 'connections' | 'now'>

export interface Drawn {
  readonly place: ChatPlace
  readonly content: ChatContent
  /** Of a card: the one of the same key is replaced. */
  readonly post?: { readonly cardKey: string; readonly digest: string; readonly standing: store.Post | undefined }
  /** Of what is said: how many files it has by now. */
  readonly look?: string
  /** The app was not in the channel when it was tried last. */
  readonly isTrial?: true
}

/** @returns undefined when there is nothing to show, or nobody to show it to any more. @throws ConnectorError */
export async function draw(
  hub: DrawHub,
  connection: LoadedConnection,
  show: ChatShow,
  context: Context<unknown>,
  { key, attempts }: { readonly key: string; readonly attempts: number },
): Promise<Drawn | undefined> {
  const settings = connection.connector.can.chat?.settings(connection.config)
  // What was a place for colleagues when this was wanted may be read by a customer by now.
  if (!settings || (show.what !== 'survey' && customersRead(settings, channelIn(show)))) return undefined
  switch (show.what) {
    case 'case': {
      if (await isOvertaken(hub, connection, show, key)) return undefined
      const found = await workbench.loadCase(hub, show.caseId, hub.now())
      if (!found) return undefined
      const words = wordsIn(settings, show.channel)
      const card = workbench.caseCard(found, await loadOffers(hub.db), hub.now(), words)
      return await cardAt(hub, connection, { channel: show.channel }, card)
    }
    case 'said':
      return await said(hub, connection, show, context.signal, attempts)
    case 'approval': {
      const shown = await loadApproval(hub.db, show.approvalId)
      const to = await targetOf(hub, connection, show.to, context)
      if (!shown || !to) return undefined
      return await cardAt(hub, connection, to, workbench.approvalCard(shown, wordsIn(settings, to.channel)))
    }
    case 'notice': {
      const to = await targetOf(hub, connection, show.to, context)
      if (!to) return undefined
      const { key, title, text, tone, caseId } = show
      const said = { title, text, tone, ...(caseId === undefined ? {} : { caseId }) }
      return await cardAt(hub, connection, to, workbench.noticeCard(key, said, wordsIn(settings, to.channel)))
    }
    case 'survey':
      return await survey(hub, connection, settings, show)
    case 'seat': {
      const to = await targetOf(hub, connection, { user: show.user }, context)
      return to && (await cardAt(hub, connection, to, workbench.refusalCard('no_seat', wordsIn(settings, to.channel))))
    }
  }
}

function channelIn(show: ChatShow): string | undefined {
  if ('channel' in show) return show.channel
  return 'to' in show && 'channel' in show.to ? show.to.channel : undefined
}

/** The first card is never left out: what is said hangs on it. */
async function isOvertaken(
  { db }: DrawHub,
  { id }: LoadedConnection,
  { caseId, channel }: Extract<ChatShow, { what: 'case' }>,
  key: string,
): Promise<boolean> {
  const standing = await store.postOf(db, id, channel, `case:${caseId}`)
  return standing !== undefined && (await store.isOvertaken(db, key, id, caseId, channel))
}

function wordsIn(settings: ChatSettings, channel: string): Messages {
  return messagesIn[languageFor(settings, { channel })]
}

async function cardAt(
  hub: DrawHub,
  connection: LoadedConnection,
  at: ChatPlace,
  card: Card,
): Promise<Drawn | undefined> {
  const standing = await store.postOf(hub.db, connection.id, at.channel, card.key)
  const there = await reachable(hub, connection, at, !standing && at.thread === undefined)
  if (!there) return undefined
  const digest = digestOf(card)
  if (standing?.digest === digest) return undefined
  const { isTrial, ...place } = there
  return {
    place: standing ? { ...place, message: standing.messageId } : place,
    content: { kind: 'card', card },
    post: { cardKey: card.key, digest, standing },
    ...(isTrial ? { isTrial } : {}),
  }
}

/** One message of the case, in the thread below its card. */
async function said(
  hub: DrawHub,
  connection: LoadedConnection,
  { caseId, channel, messageId }: Extract<ChatShow, { what: 'said' }>,
  signal: AbortSignal,
  attempts: number,
): Promise<Drawn | undefined> {
  const [message, post] = await Promise.all([
    store.messageOf(hub.db, messageId),
    store.postOf(hub.db, connection.id, channel, `case:${caseId}`),
  ])
  if (!message || !post) return undefined
  // What was written in this very thread stands there already; files that came later do not.
  const shown = await store.filesShown(hub.db, message.id, connection.id, channel)
  const attachments = message.attachments.slice(shown)
  if (shown !== undefined && attachments.length === 0) return undefined
  const place = await reachable(hub, connection, { channel, thread: post.messageId }, false)
  if (!place) return undefined
  const { author, visibility, sent_at } = message
  const words = wordsIn(connection.connector.can.chat?.settings(connection.config) ?? noSettings, channel)
  const { takesFiles } = connection.connector.can.chat ?? {}
  const read = readerOf(hub, signal)
  const text = shown === undefined ? message.text : attachments.map(({ name }) => name).join(', ')
  const { files, filesMayWait, ...whole } = await withItsFiles(
    { visibility, text, attachments },
    takesFiles,
    read,
    attempts,
  )
  const named =
    shown === undefined && attachments.length > 0 && !files ? { files: attachments.map(({ name }) => name) } : {}
  return {
    place,
    content: {
      kind: 'said',
      said: {
        author: author.name ?? author.email ?? words.authors[author.kind],
        visibility,
        text: whole.text,
        at: sent_at.toISOString(),
        ...named,
      },
      ...(files ? { files } : {}),
      ...(filesMayWait ? { filesMayWait } : {}),
    },
    look: String(message.attachments.length),
  }
}

const noSettings: ChatSettings = { channels: [], language: 'en', reactions: {}, surveys: true }

async function survey(
  hub: DrawHub,
  connection: LoadedConnection,
  settings: ChatSettings,
  { invitationId, channel, thread }: Extract<ChatShow, { what: 'survey' }>,
): Promise<Drawn | undefined> {
  const opened = await loadOpened(hub.db, invitationId)
  if (!opened?.survey || (opened.state !== 'sent' && opened.state !== 'answered')) return undefined
  const language = opened.locale === 'es' || opened.locale === 'en' ? opened.locale : languageFor(settings, { channel })
  const score = await store.scoreOf(hub.db, invitationId)
  const shown = {
    invitationId,
    kind: opened.survey.kind,
    question: questionIn(opened.survey, language),
    subject: opened.subject,
    ...(score === undefined ? {} : { score }),
  }
  return await cardAt(hub, connection, { channel, thread }, workbench.surveyCard(shown, language, messagesIn[language]))
}

/**
 * A place to post to; undefined when the app is not there any more: that is for the connection's health, not for a retry.
 * @param mayTry what is new in the channel finds out, once in a while, whether the app is there again without a word from the
 * tool. What hangs on something that stands there already cannot: its refusal may be about that.
 */
async function reachable(
  hub: DrawHub,
  connection: LoadedConnection,
  place: ChatPlace,
  mayTry: boolean,
): Promise<(ChatPlace & { readonly isTrial?: true }) | undefined> {
  const known = await store.channelOf(hub.db, connection.id, place.channel)
  const isGone = known?.state === 'gone'
  if (isGone && !(mayTry && !isLeftAlone({ state: known.state, triedAt: known.tried_at }, hub.now()))) return undefined
  const reference = place.reference ?? known?.reference ?? undefined
  return { ...place, ...(reference === undefined ? {} : { reference }), ...(isGone ? { isTrial: true } : {}) }
}

/** @throws ConnectorError rejected for an agent who has no account there. */
async function targetOf(
  hub: DrawHub,
  connection: LoadedConnection,
  to: ChatTarget,
  context: Context<unknown>,
): Promise<ChatPlace | undefined> {
  if ('channel' in to) return to
  const user = 'user' in to ? to.user : await accountOf(hub, connection, to.agent)
  if (user === undefined) return undefined
  const person = (await store.knownPeople(hub.db, connection.id, [user])).get(user)
  const reference = person?.reference ?? undefined
  if (person?.directChannel) {
    return { channel: person.directChannel, ...(reference === undefined ? {} : { reference }) }
  }
  const place = await connection.connector.can.chat?.direct(context, user, reference)
  if (place && person) await store.saveDirectChannel(hub.db, connection.id, user, place.channel)
  return place
}

/** @returns undefined for who has left since: nothing more is said to them. */
async function accountOf(hub: DrawHub, connection: LoadedConnection, email: string): Promise<string | undefined> {
  const [agent] = await findAgents(hub.db, [email])
  if (agent?.active === false) return undefined
  const accounts = agent ? await accountsOf(hub.db, [agent.id]) : []
  const account = accounts.findLast(({ connectionId }) => connectionId === connection.id)
  if (account) return account.externalId
  throw new ConnectorError(
    'rejected',
    `${email} is not known in "${connection.name}" yet: they are once they have used the app there, or when an administrator links their account`,
  )
}

/** How long somebody has been waiting grows by itself: a card is another when more than that has changed. */
function digestOf({ summary: _summary, ...card }: Card): string {
  return createHash('sha256').update(JSON.stringify(card)).digest('base64url').slice(0, 27)
}
