/** What the hub shows in Teams, and whom it meets there. */
import type { Card } from '#hub/connector/card.ts'
import type { ChatAnswer, ChatContent, ChatHappening, ChatPlace } from '#hub/connector/chat.ts'
import type { Receipt } from '#hub/connector/contract.ts'
import { cardActivity, contentActivity } from './activity.ts'
import type { Teams } from './client.ts'
import { direct, replace, send } from './conversations.ts'
import { spokenIn } from './phrases.ts'
import { readReference, referenceOf } from './reference.ts'
import { renderCard } from './render-card.ts'
import { renderForm } from './render-form.ts'
import { shareFiles } from './share-files.ts'
import type { CardWords } from './words.ts'

export async function post(ctx: Teams, place: ChatPlace, content: ChatContent, key: string): Promise<Receipt> {
  const { files = [], filesMayWait } = content.kind === 'said' ? content : {}
  const shared = await shareFiles(ctx, referenceOf(place, ctx.config), { files, mayWait: filesMayWait === true, key })
  const stands = await send(ctx, place, contentActivity(content, spokenIn(ctx.config, place).words, shared), key)
  return { ...(stands.message === undefined ? {} : { externalId: stands.message }), place: stands }
}

export async function update(ctx: Teams, place: ChatPlace, content: ChatContent, key: string): Promise<Receipt> {
  return { externalId: await replace(ctx, place, contentActivity(content, spokenIn(ctx.config, place).words), key) }
}

/**
 * An answer to one person goes into their private conversation with the app. Messages that only one person sees in a channel
 * are a preview at Microsoft (2026-11), and vanish after a day.
 * @throws ConnectorError not_found when the app is not there for this person.
 */
export async function show(ctx: Teams, happening: ChatHappening, answer: ChatAnswer): Promise<void> {
  const { user, place, locale } = happening
  const activity = privately(answer, spokenIn(ctx.config, { locale }).words)
  if (!activity) return
  const isThere = readReference(place?.reference)?.kind === 'personal'
  const {
    message: _message,
    thread: _thread,
    ...to
  } = place && isThere ? place : await direct(ctx, user, place?.reference)
  await send(ctx, to, activity, showKey(happening))
}

/** Nothing repeats it, so any name will do for Microsoft's support. */
const showKey = ({ what, place }: ChatHappening) => `show-${what.kind}-${place?.message ?? ''}`

function privately(answer: ChatAnswer, words: CardWords) {
  switch (answer.kind) {
    case 'private':
    case 'card':
    case 'home':
      return drawn(answer.card, words)
    case 'form': {
      // Only a button opens a dialog; in a message the form itself does the same.
      const { card, title } = renderForm(answer.form, words)
      return cardActivity(card.content, title)
    }
    case 'results':
      return drawn(listOf(answer), words)
    case 'toast':
      return line(answer.text)
    case 'errors':
      return line(Object.values(answer.errors).join('\n'))
    case 'unfurls':
    case 'nothing':
      return undefined
  }
}

const drawn = (card: Card, words: CardWords) => cardActivity(renderCard(card, words), card.summary)

const line = (text: string) => ({ type: 'message', textFormat: 'plain', text }) as const

const listOf = ({ results, whenEmpty }: ChatAnswer & { kind: 'results' }): Card => ({
  key: 'results',
  title: results[0]?.title ?? whenEmpty,
  summary: results[0]?.title ?? whenEmpty,
  blocks: [
    {
      kind: 'list',
      items: results.map(({ title, detail, card: { url } }) => ({
        title,
        detail,
        ...(url === undefined ? {} : { url }),
      })),
      whenEmpty,
    },
  ],
  actions: [],
})
