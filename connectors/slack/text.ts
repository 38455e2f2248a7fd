/**
 * Texts for Slack. What people wrote goes out as `plain_text` wherever a block allows it. Where only mrkdwn can do it (links,
 * times, bold), it is made harmless first: Slack has no escape for its formatting characters, only for & < and >.
 */
import type { MrkdwnElement, PlainTextElement } from '@slack/types'
import { limits } from './limits.ts'

/** Invisible, and no part of any word that Slack looks for. */
const joiner = '\u2060'

/** Without control characters and halves of characters. */
export function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .trim()
}

/** For names, titles and labels: what turns the direction of writing could make one line look like another. */
export function oneLine(text: string): string {
  return clean(text)
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** At most `longest` characters; what was cut ends with "…". Never cuts a character in two. */
export function cut(text: string, longest: number): string {
  if (text.length <= longest) return text
  const end = longest - 1
  const isPair = /[\ud800-\udbff]/.test(text.charAt(end - 1))
  return `${text.slice(0, isPair ? end - 1 : end).trimEnd()}…`
}

/** Slack refuses empty texts: nothing is shown as a dash. Emoji codes (`:lock:`) in it stay letters. */
export function plain(text: string, longest: number): PlainTextElement {
  return { type: 'plain_text', text: cut(oneLine(text) || '–', longest), emoji: false }
}

/** As `plain`, keeping its lines. */
export function plainLines(text: string, longest: number): PlainTextElement {
  return { type: 'plain_text', text: cut(clean(text) || '–', longest), emoji: false }
}

/** @param text mrkdwn put together from the functions below. `verbatim`: Slack looks for no links, names or channels in it. */
export function mrkdwn(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true }
}

/** One line of somebody's text for mrkdwn, at most `longest` characters after escaping. */
export function escaped(text: string, longest: number): string {
  const line = oneLine(text) || '–'
  for (let room = longest; room > 1; ) {
    const result = escapeLine(cut(line, room))
    if (result.length <= longest) return result
    room -= Math.max(1, Math.floor((result.length - longest) / 5))
  }
  // Not even one character of it, once made harmless, may have the room.
  return '…'
}

/** Bold, at most `longest` characters; with an address a link, see `linked`. */
export function bold(text: string, longest: number, url?: string): string {
  return `*${linked(text.replaceAll('*', '∗'), url, longest - 2)}*`
}

/** Look-alikes, as Slack formats inside link texts too. Between letters (`error_code`) the characters format nothing. */
const lookAlikes: Readonly<Record<string, string>> = {
  '*': '∗',
  '＊': '﹡',
  _: 'ˍ',
  '＿': '⸏',
  '~': '∼',
  '`': 'ˋ',
  '｀': 'ˋ',
}
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function escapeLine(line: string): string {
  return line
    .replace(/[`｀＊＿]|(?<![A-Za-z0-9])[*_~]|[*_~](?![A-Za-z0-9])/g, (found) => lookAlikes[found] ?? found)
    .replace(/(?<!\d):(?=[^\s:]+:)|:(?=[^\s:\d][^\s:]*:)/g, `:${joiner}`)
    .replace(/(?<![A-Za-z0-9])@(?=here|channel|everyone|group)/gi, `@${joiner}`)
    .replace(/^(?=[>＞])/, '\u00ad')
    .replace(/[&<>]/g, (found) => entities[found] ?? found)
}

/** The address as Slack takes it in a button; undefined when it is none that a browser or a mail program opens. */
export function webAddress(url: string | undefined): string | undefined {
  const parsed = url === undefined ? null : URL.parse(url)
  if (parsed === null || !['http:', 'https:', 'mailto:'].includes(parsed.protocol)) return undefined
  const href = parsed.href.replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E')
  return href.length <= limits.url ? href : undefined
}

/** Longer addresses would leave no room for the words. */
const longestInline = 1_000

/** A link where the address can be one, else the label alone. At most `longest` characters, at least 1,200. */
export function linked(label: string, url: string | undefined, longest: number): string {
  const address = inlineAddress(url)
  return address ? `<${address}|${escaped(label, longest - address.length - 3)}>` : escaped(label, longest)
}

function inlineAddress(url: string | undefined): string | undefined {
  const address = webAddress(url)?.replaceAll('^', '%5E').replaceAll('&', '&amp;')
  return address !== undefined && address.length <= longestInline ? address : undefined
}

/** In the reader's own time zone and language; for clients that cannot, in UTC. What is no time stays as it is. */
export function time(at: string, url?: string): string {
  const milliseconds = Date.parse(at)
  if (!(milliseconds > 0)) return linked(at, url, 1_200)
  const address = inlineAddress(url)
  const fallback = `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return `<!date^${Math.floor(milliseconds / 1000)}^{date_short_pretty} {time}${address ? `^${address}` : ''}|${fallback}>`
}

/** What a customer reads as somebody wrote it: nothing in it calls a channel or is a link under another name. */
export function customerText(text: string): string {
  return clean(text).replace(/[&<>]/g, (found) => entities[found] ?? found) || '–'
}
