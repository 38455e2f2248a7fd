/** A mail's content: text, HTML and what is attached. Runs in the parsing thread; throws with a reason in plain words. */
import { calendarLine, calendarMethod } from './calendar.ts'
import { decodeBytes } from './charset.ts'
import { fileName } from './file-name.ts'
import { limits, type ParsedAttachment, type ParsedMail, type ParseTask } from './parsed.ts'
import { type Budget, type Mail, parseParts, reportTypes, textOf } from './parts.ts'
import { sanitiseHtml } from './sanitise.ts'
import { cleanText } from './text.ts'

export async function parseMail({ head, body, isCut, wanted }: ParseTask): Promise<ParsedMail> {
  const parsed = await parseMessage([Buffer.from(head), body], { parts: limits.parts }, 0, wanted)
  const attachments = parsed.attachments.map((one, index): ParsedAttachment => {
    const { sizeBytes, ...rest } = one
    return isCut && index === parsed.attachments.length - 1 ? rest : { ...rest, sizeBytes }
  })
  const leftOut = Math.max(0, attachments.length - limits.attachments)
  const notes = [
    ...parsed.notes,
    ...(isCut ? [tooLarge] : []),
    ...(leftOut > 0 ? [`[${leftOut} more attachments]`] : []),
  ]
  const { html } = parsed
  return {
    subject: parsed.subject,
    from: parsed.from,
    text: cutText([cleanText(parsed.text), ...notes].filter((one) => one !== '').join('\n\n')),
    html: html === '' ? '' : cutHtml([html, ...notes.map(asHtml)].join('\n')),
    attachments: attachments.slice(0, limits.attachments),
    leftOut,
    report: parsed.report,
    ...(parsed.calendarMethod ? { calendarMethod: parsed.calendarMethod } : {}),
    ...(parsed.wanted ? { wanted: parsed.wanted } : {}),
  }
}

const tooLarge = `[This message is larger than ${limits.bytes / 1024 / 1024} MB. Only its beginning was read; the whole message is in the mailbox.]`

interface ParsedMessage extends Mail {
  readonly attachments: readonly (ParsedAttachment & { readonly sizeBytes: number })[]
  /** What a reader should know about parts that are not shown. */
  readonly notes: readonly string[]
  readonly report: ParsedMail['report']
  readonly calendarMethod: string | undefined
  readonly wanted: Uint8Array | undefined
}

/** @param wanted of a part inside an attached message: the ids of both, with a slash between. */
async function parseMessage(
  chunks: readonly Uint8Array[],
  budget: Budget,
  depth: number,
  wanted: string | undefined,
): Promise<ParsedMessage> {
  const [here, ...within] = wanted?.split('/') ?? []
  const { mail, parts, hasText } = await parseParts(chunks, budget, here)
  let found = within.length > 0 ? undefined : parts.find(({ id }) => id === here)?.kept
  const attachments: (ParsedAttachment & { readonly sizeBytes: number })[] = []
  const notes: string[] = []
  const report: { contentType: string; text: string }[] = []
  let method: string | undefined
  for (const [index, part] of parts.entries()) {
    const { contentType, sizeBytes } = part
    const name = fileName(part.name, contentType, index + 1)
    attachments.push({ id: part.id, name, contentType, sizeBytes })
    const text = (): string => decodeBytes(part.kept.subarray(0, limits.reportBytes), '', true)
    if (reportTypes.has(contentType)) report.push({ contentType, text: text() })
    if (contentType === 'text/calendar') {
      method ??= calendarMethod(text())
      notes.push(calendarLine(text()))
    }
    const hidden = hiddenContent(contentType, part.parameters)
    if (hidden) notes.push(hidden)
    if (contentType === 'message/rfc822' && depth < limits.nestedMessages) {
      const further = part.id === here && within.length > 0 ? within.join('/') : undefined
      const inner = await parseMessage([part.kept], budget, depth + 1, further)
      found ??= inner.wanted && Buffer.from(inner.wanted)
      notes.push(quoted(inner))
      attachments.push(...inner.attachments.map((one) => ({ ...one, id: `${part.id}/${one.id}` })))
    }
  }
  const html = sanitiseHtml(mail.html.slice(0, limits.textPartBytes))
  const text = hasText || html === '' ? mail.text : await textOf(html.replace(/<img [^>]*>/g, ''))
  return {
    ...mail,
    text,
    html,
    attachments: withUniqueIds(attachments),
    notes: [...new Set(notes.filter((note) => note !== ''))],
    report,
    calendarMethod: method,
    wanted: found,
  }
}

function hiddenContent(contentType: string, parameters: Readonly<Record<string, string>>): string | undefined {
  const isSmime = contentType === 'application/pkcs7-mime' || contentType === 'application/x-pkcs7-mime'
  if (isSmime && parameters['smime-type'] === 'signed-data') {
    return '[This message is signed in a form (S/MIME) that hides its content here. Open it in the mailbox.]'
  }
  return isSmime || contentType === 'application/pgp-encrypted'
    ? '[This message is encrypted. Open it in the mailbox, with the key it was encrypted for.]'
    : undefined
}

function quoted(inner: ParsedMessage): string {
  const lines = [
    '---------- Attached message ----------',
    ...(inner.from ? [`From: ${[inner.from.name, `<${inner.from.address}>`].join(' ').trim()}`] : []),
    ...(inner.date === '' ? [] : [`Date: ${inner.date}`]),
    ...(inner.subject === '' ? [] : [`Subject: ${inner.subject}`]),
  ]
  return [lines.join('\n'), cleanText(inner.text), ...inner.notes].filter((one) => one !== '').join('\n\n')
}

function withUniqueIds<A extends { readonly id: string }>(attachments: readonly A[]): readonly A[] {
  const seen = new Set<string>()
  return attachments.map((one, index) => {
    const id = seen.has(one.id) ? `${one.id}#${index + 1}` : one.id
    seen.add(id)
    return { ...one, id }
  })
}

function asHtml(note: string): string {
  const escaped = note.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<p>${escaped.replaceAll('\n', '<br />')}</p>`
}

function cutText(text: string): string {
  return text.length <= limits.textChars
    ? text
    : `${text.slice(0, limits.textChars).toWellFormed()}\n\n[The rest is in the mailbox.]`
}

/** HTML cannot be cut anywhere; the text says it all. */
function cutHtml(html: string): string {
  return html.length <= 4 * limits.textChars ? html : ''
}
