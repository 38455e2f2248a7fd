/**
 * The response to a request of Teams: an invoke's answer travels in its body, everything else is only acknowledged.
 * https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/request-response (read 2026-11)
 */
import type { ChatAnswer, ChatResult } from '#hub/connector/chat.ts'
import type { InboundContext, InboundItem, Reply } from '#hub/connector/contract.ts'
import { asAttachment, cardType } from './activity.ts'
import type { TeamsConfig } from './config.ts'
import { inDialog } from './dialog-card.ts'
import { formWithErrors } from './form-errors.ts'
import { mostResults } from './happening.ts'
import { oneLine } from './markdown.ts'
import { parsed } from './parsed.ts'
import { spokenIn } from './phrases.ts'
import { readActivity } from './read-activity.ts'
import { renderCard } from './render-card.ts'
import { renderForm } from './render-form.ts'
import { foldLine } from './room.ts'
import { WireActivity, WireTask } from './wire.ts'
import type { CardWords } from './words.ts'

/** How the body of each invoke's answer is built. */
type Way = 'card' | 'task' | 'extension'
const ways: ReadonlyMap<string, Way> = new Map([
  ['adaptiveCard/action', 'card'],
  ['task/fetch', 'task'],
  ['task/submit', 'task'],
  ['composeExtension/fetchTask', 'task'],
  ['composeExtension/submitAction', 'task'],
  ['composeExtension/query', 'extension'],
  ['composeExtension/queryLink', 'extension'],
])

export function reply(
  item: InboundItem,
  answer: ChatAnswer | undefined,
  { config }: InboundContext<TeamsConfig>,
): Reply {
  const activity = parsed(item.body)
  const wire = WireActivity.safeParse(activity).data
  if (wire?.type !== 'invoke') return { status: 202, headers: {}, body: '' }
  const reader = { locale: wire.locale, channel: wire.conversation.id.split(';')[0] }
  const { words, workingOnIt, notOurs } = spokenIn(config, reader)
  const way = ways.get(wire.name ?? '')
  const incoming = readActivity(activity)
  if (!way || incoming.kind === 'dismiss' || incoming.kind === 'other') return json({})
  const late: ChatAnswer = { kind: 'toast', text: incoming.kind === 'unreadable' ? notOurs : workingOnIt }
  const given = answer ?? late
  switch (way) {
    case 'card':
      return json(cardAnswer(given, words))
    case 'task':
      return json(taskAnswer(given, words, wire))
    case 'extension':
      return json(extensionAnswer(given, words, wire))
  }
}

const json = (body: object): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
})

/** Of Action.Execute. The card that comes back is shown to the one who pressed; what all see is changed by an update. */
function cardAnswer(answer: ChatAnswer, words: CardWords): object {
  if (answer.kind === 'card' || answer.kind === 'private' || answer.kind === 'home') {
    return { statusCode: 200, type: cardType, value: renderCard(answer.card, words) }
  }
  // A form stands in the card's place: only a button that is known to open one opens a dialog.
  if (answer.kind === 'form')
    return { statusCode: 200, type: cardType, value: renderForm(answer.form, words).card.content }
  if (answer.kind === 'errors') {
    const message = Object.values(answer.errors).join(' ')
    return { statusCode: 400, type: 'application/vnd.microsoft.error', value: { code: 'BadRequest', message } }
  }
  const text = textOf(answer)
  return { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: text ?? '' }
}

const longestTitle = 60

/** Of dialogs. An empty answer closes one that was sent. */
function taskAnswer(answer: ChatAnswer, words: CardWords, wire: WireActivity): object {
  switch (answer.kind) {
    case 'form':
      return proceed(renderForm(answer.form, words))
    case 'card':
    case 'private':
    case 'home': {
      const { card } = answer
      const content = asAttachment(inDialog(renderCard(card, words)))
      return proceed({ title: foldLine(card.title, longestTitle), width: 'large', height: 'large', card: content })
    }
    case 'errors': {
      const form = formWithErrors(WireTask.safeParse(wire.value).data?.data, answer.errors)
      return form ? proceed(renderForm(form, words)) : closing(Object.values(answer.errors).join(' '))
    }
    case 'results':
      return extensionAnswer(answer, words, wire)
    case 'toast':
    case 'unfurls':
    case 'nothing': {
      const text = textOf(answer)
      return text === undefined ? {} : closing(text)
    }
  }
}

const proceed = (value: object) => ({ task: { type: 'continue', value } })
/** The dialog closes with a line to read. */
const closing = (value: string) => ({ task: { type: 'message', value } })

/** Of the search box and of pasted links. */
function extensionAnswer(answer: ChatAnswer, words: CardWords, wire: WireActivity): object {
  switch (answer.kind) {
    case 'results':
      if (answer.results.length === 0) return extension({ type: 'message', text: answer.whenEmpty })
      return found(answer.results.slice(0, mostResults).map((result) => resultOf(result, words)))
    case 'unfurls': {
      const incoming = readActivity({ ...wire })
      const card = incoming.kind === 'link' ? answer.cards[incoming.url] : undefined
      if (!card) return {}
      return found([resultOf({ title: card.title, detail: card.summary, card }, words)])
    }
    case 'card':
    case 'private':
    case 'home':
      return found([resultOf({ title: answer.card.title, detail: answer.card.summary, card: answer.card }, words)])
    case 'form':
    case 'errors':
    case 'toast':
    case 'nothing': {
      const text = textOf(answer)
      return text === undefined ? {} : extension({ type: 'message', text })
    }
  }
}

const extension = (value: object) => ({ composeExtension: value })
const found = (attachments: readonly object[]) => extension({ type: 'result', attachmentLayout: 'list', attachments })

/** Teams shows the preview in its list, and puts the card into the conversation. */
function resultOf({ title, detail, card }: ChatResult, words: CardWords): object {
  const preview = { title: harmless(title, 120), text: harmless(detail, 200) }
  return {
    ...asAttachment(renderCard(card, words)),
    preview: { contentType: 'application/vnd.microsoft.card.thumbnail', content: preview },
  }
}

/** The previews of the list know some HTML. */
const harmless = (text: string, longest: number) =>
  foldLine(oneLine(text), longest).replaceAll(/<(?=[a-z/!?])/gi, '<\u200b')

function textOf(answer: ChatAnswer): string | undefined {
  if (answer.kind === 'toast') return answer.text
  if (answer.kind === 'errors') return Object.values(answer.errors).join(' ')
  if (answer.kind === 'results') return answer.results.map(({ title }) => title).join('\n') || answer.whenEmpty
  return undefined
}
