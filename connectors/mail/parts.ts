/** One message taken apart: its text and HTML, and the parts beside them. Messages inside it stay bytes. */
import type { AttachmentStream, MessageText } from 'mailparser'
import { MimeParser } from './mime-parser.ts'
import { limits, type ParsedMail } from './parsed.ts'
import { cleanText } from './text.ts'

/** What is left for this mail and the messages inside it. */
export interface Budget {
  parts: number
}

/** Something attached, or a machine's report. */
interface Part {
  readonly id: string
  readonly name: string
  readonly contentType: string
  readonly parameters: Readonly<Record<string, string>>
  readonly kept: Buffer
  readonly sizeBytes: number
}

export interface Mail {
  readonly subject: string
  readonly from: ParsedMail['from']
  /** ISO 8601; empty when it has none. */
  readonly date: string
  readonly text: string
  /** As it came. */
  readonly html: string
}

interface Message {
  readonly mail: Mail
  readonly parts: readonly Part[]
  /** Beside or instead of HTML. */
  readonly hasText: boolean
}

/** @param wanted the id of a part that is kept whole. @throws Error in plain words. */
export function parseParts(chunks: readonly Uint8Array[], budget: Budget, wanted?: string): Promise<Message> {
  const parser = new MimeParser(budget.parts)
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
      } else readPart(data, parts, wanted)
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

function readPart(data: AttachmentStream, parts: Part[], wanted: string | undefined): void {
  const kept: Buffer[] = []
  const id = data.partId ?? '1'
  let toKeep = id === wanted ? limits.bytes : keptBytes(data.contentType)
  let sizeBytes = 0
  data.content.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (toKeep > 0) kept.push(chunk.subarray(0, toKeep))
    toKeep -= chunk.length
  })
  data.content.on('end', () => {
    const header = data.headers.get('content-type')
    const parameters = typeof header === 'object' && 'params' in header ? header.params : {}
    const { contentType, filename } = data
    parts.push({
      id,
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
export async function textOf(html: string): Promise<string> {
  const page = [Buffer.from('content-type: text/html; charset=utf-8\r\n\r\n'), Buffer.from(html)]
  return (await parseParts(page, { parts: 1 })).mail.text
}

/** What machines put into their reports: read for its data, beside being listed as attached. */
export const reportTypes = new Set([
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
