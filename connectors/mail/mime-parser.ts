/** mailparser with our limits, and with all text decoded by us. */
import { Transform, type TransformCallback } from 'node:stream'
import { MailParser, type MailParserOptions, type MimeNode } from 'mailparser'
import { decodeBytes } from './charset.ts'
import { limits } from './parsed.ts'

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

/** Beside what its types know: limits of the splitter below it, and messages inside a mail as attachments. */
interface Settings extends MailParserOptions {
  readonly maxHeadSize: number
  readonly maxChildNodes: number
  readonly ignoreEmbedded: boolean
}

const settings: Omit<Settings, 'maxChildNodes'> = {
  maxHeadSize: limits.partHeadBytes,
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

const labelMark = 'as-'

/** The parser decodes UTF-8 and unlabelled text itself, with question marks for every error; here all text is ours to decode. */
export class MimeParser extends MailParser {
  parts = 0
  hasTextPart = false

  /** @param mostParts it fails when the message has more. */
  constructor(mostParts: number) {
    // biome-ignore lint/suspicious/noExplicitAny: its types know only the stream class of another package.
    const options: Settings = { ...settings, maxChildNodes: Math.max(1, mostParts), Iconv: TextDecoding as any }
    super(options)
  }

  override createNode(part: unknown): MimeNode {
    this.parts += 1
    const node = super.createNode(part)
    if (node.contentType === 'text/plain' && !node.isAttachment) this.hasTextPart = true
    node.charset = `${labelMark}${node.charset ?? ''}`
    return node
  }
}
