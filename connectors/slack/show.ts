/** Shows one person an answer, where that person is: in a dialog, below the message that was pressed, on the app's page. */
import { z } from 'zod'
import type { Card } from '#hub/connector/card.ts'
import type { ChatAnswer, ChatHappening, ChatPlace, ChatResult } from '#hub/connector/chat.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { call, type Slack, type SlackMethod, type Workspace } from './client.ts'
import { SlackRefusal } from './errors.ts'
import { type Handle, unpackHandle } from './handle.ts'
import { type Spoken, spokenIn } from './phrases.ts'
import { renderCard, renderHome, type SlackMessage } from './render-card.ts'
import { renderForm } from './render-form.ts'
import { escaped, plainLines } from './text.ts'
import { cardView } from './views.ts'
import type { Place } from './wire.ts'
import { workspaceFor } from './workspaces.ts'

/** What showing needs at hand. */
interface Scene {
  readonly ctx: Slack
  readonly workspace: Workspace
  readonly user: string
  readonly place: ChatPlace
  readonly handle: Handle
  readonly spoken: Spoken
}

const Anything = z.object({})

/** @throws ConnectorError */
export async function show(ctx: Slack, happening: ChatHappening, answer: ChatAnswer): Promise<void> {
  const { user, place = { channel: user } } = happening
  const workspace = await workspaceFor(ctx, place)
  const spoken = spokenIn(ctx.config, place.channel, happening.locale)
  await showIn({ ctx, workspace, user, place, handle: unpackHandle(happening.handle), spoken }, answer)
}

async function showIn(scene: Scene, answer: ChatAnswer): Promise<void> {
  const { ctx, workspace, user, handle, spoken } = scene
  switch (answer.kind) {
    case 'form':
      return await openView(scene, renderForm(answer.form, spoken.words, carried(scene)), answer.replaces)
    case 'errors':
      return await whisper(scene, line([spoken.notTaken, ...Object.values(answer.errors)].join('\n')))
    case 'private':
      if (handle.view) return await openView(scene, cardView(answer.card, spoken, carried(scene)), false)
      return await whisper(scene, renderCard(answer.card, spoken.words))
    case 'card':
      return await replace(scene, answer.card)
    case 'toast':
      return await whisper(scene, line(answer.text))
    case 'results':
      return await whisper(scene, resultsMessage(answer.results, answer.whenEmpty, spoken))
    case 'unfurls':
      return await unfurl(scene, answer.cards)
    case 'home': {
      const view = renderHome(answer.card, spoken.words)
      await call(ctx, workspace, 'views.publish', { user_id: user, view }, Anything)
      return
    }
    case 'nothing':
      return
  }
}

/** A dialog opens only within three seconds of the press; after that the person is asked to press again. */
async function openView(scene: Scene, view: object, replaces: boolean): Promise<void> {
  const { ctx, workspace, handle, spoken } = scene
  const [method, args] = viewCall(handle, view, replaces)
  if (method === undefined) return await whisper(scene, line(spoken.pressAgain))
  try {
    await call(ctx, workspace, method, args, Anything)
  } catch (error) {
    if (!(error instanceof SlackRefusal) || !tooLate.has(error.error)) throw error
    await whisper(scene, line(spoken.pressAgain))
  }
}
const tooLate = new Set(['expired_trigger_id', 'exchanged_trigger_id', 'trigger_expired', 'trigger_exchanged'])

function viewCall(
  { trigger, view: current }: Handle,
  view: object,
  replaces: boolean,
): readonly [SlackMethod | undefined, Record<string, unknown>] {
  if (current && replaces) return ['views.update', { view_id: current.id, view }]
  if (trigger === undefined) return [undefined, {}]
  return [current ? 'views.push' : 'views.open', { trigger_id: trigger, view }]
}

/** The card that was pressed, as it is now; a dialog's button leaves its card alone. */
async function replace(scene: Scene, card: Card): Promise<void> {
  const { ctx, workspace, place, handle, spoken } = scene
  const message = renderCard(card, spoken.words)
  if (handle.isEphemeral) {
    if (await respond(scene, message, true)) return
    return await whisper(scene, message)
  }
  if (place.message === undefined) return await whisper(scene, message)
  await call(ctx, workspace, 'chat.update', { channel: place.channel, ts: place.message, ...message }, Anything)
}

/** For the eyes of one: by the response address where there is one, as it also works where the app is no member. */
async function whisper(scene: Scene, message: SlackMessage): Promise<void> {
  const { ctx, workspace, user, place } = scene
  // Between the two of them there is nobody else, and a whisper would be gone at the next start of the client.
  if (isDirect(place)) {
    await call(ctx, workspace, 'chat.postMessage', { channel: place.channel, ...unfolded, ...message }, Anything)
    return
  }
  if (await respond(scene, message, false)) return
  const thread = place.thread === undefined ? {} : { thread_ts: place.thread }
  try {
    await call(ctx, workspace, 'chat.postEphemeral', { channel: place.channel, user, ...thread, ...message }, Anything)
  } catch (error) {
    if (!(error instanceof SlackRefusal) || !notThere.has(error.error)) throw error
    await call(ctx, workspace, 'chat.postMessage', { channel: user, ...unfolded, ...message }, Anything)
  }
}
const notThere = new Set(['not_in_channel', 'channel_not_found', 'user_not_in_channel', 'is_archived'])
export const unfolded = { unfurl_links: false, unfurl_media: false }

function isDirect({ channel }: ChatPlace): boolean {
  return /^[DUW]/.test(channel)
}

/** @returns false when the address takes no more: it is good for half an hour and five answers. */
async function respond(scene: Scene, message: SlackMessage, replaces: boolean): Promise<boolean> {
  const { ctx, place, handle } = scene
  if (handle.response === undefined) return false
  const thread = place.thread === undefined || replaces ? {} : { thread_ts: place.thread }
  const answer = await ctx.http.fetch(handle.response, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ response_type: 'ephemeral', replace_original: replaces, ...thread, ...message }),
  })
  if (answer.status === 404 || answer.status === 410) return false
  const error = errorOfAnswer(answer, 'POST to the response address', ctx.now())
  if (error) throw error
  return true
}

async function unfurl({ ctx, workspace, place, spoken }: Scene, cards: Readonly<Record<string, Card>>) {
  const drawn = Object.entries(cards).map(([url, card]) => [url, { blocks: renderCard(card, spoken.words).blocks }])
  if (drawn.length === 0) return
  const where = { channel: place.channel, ts: place.message }
  await call(ctx, workspace, 'chat.unfurl', { ...where, unfurls: Object.fromEntries(drawn) }, Anything)
}

/** One found is shown whole, several as a list. */
function resultsMessage(results: readonly ChatResult[], whenEmpty: string, { words }: Spoken): SlackMessage {
  const [only, ...others] = results
  if (only && others.length === 0) return renderCard(only.card, words)
  if (!only) return line(whenEmpty)
  const items = results.map(({ title, detail, card }) => ({ title, detail, ...(card.url ? { url: card.url } : {}) }))
  const title = results.map((one) => one.title).join(', ')
  const list = { kind: 'list' as const, items, whenEmpty }
  const { blocks } = renderCard({ key: 'search', title, blocks: [list], actions: [], summary: title }, words)
  return { text: escaped(title, 500), blocks: blocks.slice(1) }
}

function line(text: string): SlackMessage {
  return { text: escaped(text, 500), blocks: [{ type: 'section', text: plainLines(text, 3_000) }] }
}

/** A dialog forgets where it was asked for. */
function carried({ place, handle }: Scene): Place {
  return {
    channel: place.channel,
    ...(place.message ? { messageTs: place.message } : {}),
    ...(place.thread ? { threadTs: place.thread } : {}),
    ...(handle.isEphemeral ? { isEphemeral: true } : {}),
  }
}
