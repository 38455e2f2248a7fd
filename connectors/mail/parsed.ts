/** What passes between the reader and the thread that parses: plain data, no message content beyond what the hub keeps. */

export interface ParseTask {
  /** The body, at most `limits.bytes` of it. */
  readonly body: Uint8Array
  /** The header lines that parsing needs, in place of those of the mail: ending with an empty line. */
  readonly head: string
  /** Not the whole mail: the last part breaks off. */
  readonly isCut: boolean
  /** The id of a part whose whole content is wanted. */
  readonly wanted?: string
}

export type ParseAnswer = { readonly mail: ParsedMail } | { readonly problem: string }

export interface ParsedMail {
  readonly subject: string
  /** The sender as the parser reads the `From` line: a second opinion on the address, and the name. */
  readonly from: { readonly address: string; readonly name: string } | undefined
  readonly text: string
  /** Sanitised; empty when the mail has none. */
  readonly html: string
  readonly attachments: readonly ParsedAttachment[]
  /** Attachments beyond the limit. */
  readonly leftOut: number
  /** The parts of a machine's report, each with at most its first 64 KiB. */
  readonly report: readonly { readonly contentType: string; readonly text: string }[]
  /** `METHOD` of the first calendar part, such as `REPLY`. */
  readonly calendarMethod?: string
  /** The part that was wanted. */
  readonly wanted?: Uint8Array
}

export interface ParsedAttachment {
  readonly id: string
  readonly name: string
  readonly contentType: string
  /** Absent for one that breaks off. */
  readonly sizeBytes?: number
}

export const limits = {
  bytes: 25 * 1024 * 1024,
  parts: 200,
  attachments: 100,
  nestedMessages: 3,
  partHeadBytes: 64 * 1024,
  /** Of one text part, before it is decoded. */
  textPartBytes: 1024 * 1024,
  /** Of the text and of the HTML that the hub keeps. */
  textChars: 256 * 1024,
  reportBytes: 64 * 1024,
  fileNameBytes: 255,
} as const
