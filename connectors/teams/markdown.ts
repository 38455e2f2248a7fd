/**
 * Users' words on a card, shown exactly as they were written.
 *
 * A TextRun knows no Markdown, so free text goes there. A TextBlock and a fact do, with a subset that differs between the
 * desktop (CommonMark) and the phones, whose parser removes a backslash before `* _ [ ] )` only and shows every other one.
 * So those are escaped, and the rest is made harmless by a zero-width space at the one place where it would mean something.
 * https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format (read 2026-11)
 */

const zeroWidth = '\u200b'
const longestUrl = 1000

/** For a TextRun, a label, a button: no Markdown there, but dates in `{{…}}` are still replaced by the client. */
export function plain(text: string): string {
  return readable(text).replaceAll(/\{(?=\{)/g, `{${zeroWidth}`)
}

/** For a TextBlock or a fact: one line without any markup, mention or date of the user's making. */
export function escapeMarkdown(text: string): string {
  return oneLine(text)
    .replaceAll(/\\(?=[!-/:-@[-`{-~]|$)/g, '\\\\')
    .replaceAll(/[`*_[\]]/g, '\\$&')
    .replaceAll(/~(?=~)/g, `~${zeroWidth}`)
    .replaceAll(/\{(?=\{)/g, `{${zeroWidth}`)
    .replaceAll(/<(?=[a-z/!?])/gi, `<${zeroWidth}`)
    .replaceAll(/&(?=#?\w+;)/g, `&${zeroWidth}`)
    .replace(/^(?=[#>+\-=|:]|\d{1,9}[.)])/, zeroWidth)
}

/** A link in a TextBlock or a fact; without a usable address its text alone. */
export function markdownLink(text: string, url: string | undefined): string {
  const target = webUrl(url)
  if (!target) return escapeMarkdown(text)
  return `[${escapeMarkdown(text)}](${target.replaceAll(/[()[\]\\{}<>`|]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)})`
}

/** An address that a card may lead to: of the web, without credentials, up to 1,000 characters. */
export function webUrl(url: string | undefined): string | undefined {
  const parsed = url === undefined ? null : URL.parse(url)
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.password) return undefined
  return parsed.href.length <= longestUrl ? parsed.href : undefined
}

/** A time in the reader's own zone and format, computed by the client; what is no time stays as it is. */
export function moment(at: string): string | undefined {
  const time = /^\d{4}-\d{2}-\d{2}T/.test(at) ? new Date(at) : new Date(Number.NaN)
  if (Number.isNaN(time.getTime())) return undefined
  const stamp = time.toISOString().replace(/\.\d+Z$/, 'Z')
  return /^\d{4}-/.test(stamp) ? `{{DATE(${stamp}, SHORT)}} {{TIME(${stamp})}}` : undefined
}

export function oneLine(text: string): string {
  return readable(text).replaceAll(/\s+/g, ' ').trim()
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g

/** Control characters have nothing to show, and half a surrogate pair cannot be sent as UTF-8. */
function readable(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll(control, '').toWellFormed()
}
