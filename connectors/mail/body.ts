/** A mail's content: text, HTML and what is attached. Runs in the parsing thread; throws with a reason in plain words. */
import { Transform, type TransformCallback } from 'node:stream'
import { type AttachmentStream, MailParser, type MailParserOptions, type MessageText, type MimeNode } from 'mailparser'
import { calendarLine, calendarMethod } from './calendar.ts'
import { decodeBytes } from './charset.ts'
import { fileName } from './file-name.ts'
import { limits, type ParsedAttachment, type ParsedMail, type ParseTask } from './parsed.ts'
import { sanitiseHtml } from './sanitise.ts'
import { cleanText } from './text.ts'

/** What is left for this mail and the messages inside it. */
interface Budget {
  parts: number
}

export async function parseMail({ head, body, isCut }: ParseTask): Promise<ParsedMail> {
  const parsed = await parseMessage([Buffer.from(head), body], { parts: limits.parts }, 0)
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
  }
}

const tooLarge = `[This message is larger than ${limits.bytes / 1024 / 1024} MB. Only its beginning was read; the whole message is in the mailbox.]`

interface ParsedMessage {
  readonly subject: string
  readonly from: ParsedMail['from']
  readonly date: string
  readonly text: string
  readonly html: string
  readonly attachments: readonly (ParsedAttachment & { readonly sizeBytes: number })[]
  /** What a reader should know about parts that are not shown. */
  readonly notes: readonly string[]
  readonly report: ParsedMail['report']
  readonly calendarMethod: string | undefined
}

async function parseMessage(chunks: readonly Uint8Array[], budget: Budget, depth: number): Promise<ParsedMessage> {
  const { mail, parts, hasText } = await runParser(chunks, budget)
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
      const inner = await parseMessage([part.kept], budget, depth + 1)
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
  }
}

/** What machines put into their reports: read for its data, beside being listed as attached. */
const reportTypes = new Set([
  'message/delivery-status',
  'message/global-delivery-status',
  'message/disposition-notification',
  'message/feedback-report',
  'text/rfc822-headers',
  'message/global-headers',
  'message/rfc822',
  'message/global',
])

/** Kept whole or in part while parsing; of all others only the size matters. */
function keptBytes(contentType: string): number {
  if (contentType === 'message/rfc822') return limits.bytes
  return reportTypes.has(contentType) || contentType === 'text/calendar' ? limits.reportBytes : 0
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

interface Part {
  readonly id: string
  readonly name: string
  readonly contentType: string
  readonly parameters: Readonly<Record<string, string>>
  readonly kept: Buffer
  readonly sizeBytes: number
}

type Mail = Pick<ParsedMessage, 'subject' | 'from' | 'date' | 'text' | 'html'>

interface Parsed {
  readonly mail: Mail
  readonly parts: readonly Part[]
  /** Beside or instead of HTML. */
  readonly hasText: boolean
}

function runParser(chunks: readonly Uint8Array[], budget: Budget): Promise<Parsed> {
  const parser = new AnyCharsetParser({ ...settings, maxChildNodes: Math.max(1, budget.parts) })
  const parts: Part[] = []
  let mail: Mail = { subject: '', from: undefined, date: '', text: '', html: '' }
  return new Promise((resolve, reject) => {
    parser.on('error', (error: Error) => reject(new Error(parser.hasFailed ? tooMuch : error.message)))
    parser.on('headers', (headers) => {
      mail = { ...mail, ...readHead(headers) }
    })
    parser.on('data', (data: AttachmentStream | MessageText) => {
      if (data.type === 'text') {
        mail = { ...mail, text: data.text ?? '', html: typeof data.html === 'string' ? data.html : '' }
      } else readPart(data, parts)
    })
    parser.on('end', () => {
      budget.parts -= parser.parts
      // A limit of the splitter may also end the mail there without an error.
      if (parser.hasFailed) reject(new Error(tooMuch))
      else resolve({ mail, parts, hasText: parser.hasTextPart })
    })
    for (const chunk of chunks) parser.write(chunk)
    parser.end()
  })
}

const tooMuch = `it has more than ${limits.parts} parts, or a part whose header lines are longer than 64 KiB`

function readPart(data: AttachmentStream, parts: Part[]): void {
  const kept: Buffer[] = []
  let toKeep = keptBytes(data.contentType)
  let sizeBytes = 0
  data.content.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (toKeep > 0) kept.push(chunk.subarray(0, toKeep))
    toKeep -= chunk.length
  })
  data.content.on('end', () => {
    const header = data.headers.get('content-type')
    const parameters = typeof header === 'object' && 'params' in header ? header.params : {}
    const { contentType, filename, partId } = data
    parts.push({
      id: partId ?? '1',
      name: filename ?? '',
      contentType: contentType || 'application/octet-stream',
      parameters,
      kept: Buffer.concat(kept),
      sizeBytes,
    })
    data.release()
  })
}

function readHead(headers: AttachmentStream['headers']): Pick<Mail, 'subject' | 'from' | 'date'> {
  const subject = headers.get('subject')
  const from = headers.get('from')
  const date = headers.get('date')
  const sender = typeof from === 'object' && 'value' in from && Array.isArray(from.value) ? from.value[0] : undefined
  return {
    subject: typeof subject === 'string' ? cleanText(subject).replace(/\s+/g, ' ') : '',
    from: sender?.address ? { address: sender.address.toLowerCase(), name: cleanText(sender.name) } : undefined,
    date: date instanceof Date ? date.toISOString() : '',
  }
}

/** The parser's own way from HTML to text, for mails whose HTML stands where it expects a text beside it. */
async function textOf(html: string): Promise<string> {
  const page = [Buffer.from('content-type: text/html; charset=utf-8\r\n\r\n'), Buffer.from(html)]
  return (await runParser(page, { parts: 1 })).mail.text
}

/** Beside what its types know: limits of the splitter below it, and messages inside a mail as attachments. */
interface Settings extends MailParserOptions {
  readonly maxHeadSize: number
  readonly maxChildNodes: number
  readonly ignoreEmbedded: boolean
}

const settings: Settings = {
  maxHeadSize: limits.partHeadBytes,
  maxChildNodes: limits.parts,
  ignoreEmbedded: true,
  keepDeliveryStatus: true,
  skipImageLinks: true,
  skipTextLinks: true,
}

/** Decodes one text part when all of it (up to the limit) is there. Called by the parser as node-iconv would be. */
class TextDecoding extends Transform {
  private readonly label: string
  private readonly chunks: Buffer[] = []
  private size = 0

  constructor(label: string) {
    super()
    this.label = label.slice(labelMark.length)
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    if (this.size < limits.textPartBytes) this.chunks.push(chunk.subarray(0, limits.textPartBytes - this.size))
    this.size += chunk.length
    done()
  }

  override _flush(done: TransformCallback): void {
    const bytes = Buffer.concat(this.chunks)
    done(null, Buffer.from(decodeBytes(bytes, this.label || labelInside(bytes), this.size > limits.textPartBytes)))
  }
}

/** HTML that names its charset only itself. */
function labelInside(bytes: Buffer): string {
  return /<meta[^>]{0,200}charset=["']?([\w-]{1,40})/i.exec(bytes.toString('latin1', 0, 1024))?.[1] ?? ''
}

declare module 'mailparser' {
  interface MailParser {
    readonly hasFailed: boolean
    createNode(part: unknown): MimeNode
  }
  interface MimeNode {
    charset?: string
    readonly contentType: string | false
    readonly isAttachment?: boolean
  }
}

const labelMark = 'as-'

/** The parser decodes UTF-8 and unlabelled text itself, with question marks for every error; here all text is ours to decode. */
class AnyCharsetParser extends MailParser {
  parts = 0
  hasTextPart = false

  constructor(options: Settings) {
    // biome-ignore lint/suspicious/noExplicitAny: its types know only the stream class of another package.
    super({ ...options, Iconv: TextDecoding as any })
  }

  override createNode(part: unknown): MimeNode {
    this.parts += 1
    const node = super.createNode(part)
    if (node.contentType === 'text/plain' && !node.isAttachment) this.hasTextPart = true
    node.charset = `${labelMark}${node.charset ?? ''}`
    return node
  }
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
