/**
 * The header block of a mail, in its own order and with every repetition: who added a line is told only by where it stands, and
 * two `From` lines must be seen as two. Time is linear in the size, which is limited before anything is read.
 */
import { decodeBytes } from './charset.ts'

export interface Header {
  /** Lower-case. */
  readonly name: string
  /** Unfolded, without control characters, not decoded. */
  readonly value: string
}

export interface HeaderBlock {
  /** From the top of the message on: the last server's lines come first. */
  readonly headers: readonly Header[]
  /** Where the body starts in the raw message. */
  readonly bodyAt: number
}

const maxBlockBytes = 64 * 1024

/** @returns a reason in plain words when the block is larger than 64 KiB. */
export function readHeaders(raw: Buffer): HeaderBlock | { readonly unreadable: string } {
  const end = endOfBlock(raw)
  if (end === undefined) return { unreadable: 'its header lines are longer than 64 KiB together' }
  const headers: Header[] = []
  let open: { name: string; lines: string[] } | undefined
  const close = (): void => {
    if (open) headers.push({ name: open.name, value: clean(open.lines.join(' ')) })
    open = undefined
  }
  for (const line of decodeBytes(raw.subarray(0, end.headersEnd), 'utf-8').split(/\r?\n/)) {
    if (/^[ \t]/.test(line)) {
      open?.lines.push(line)
      continue
    }
    close()
    const colon = line.indexOf(':')
    // Lines that are no headers are passed over; a name with odd characters in it counts as the name that others may see.
    const name = line.slice(0, Math.max(colon, 0)).replace(/[^\x21-\x7e]/g, '')
    if (name !== '') open = { name: name.toLowerCase(), lines: [line.slice(colon + 1)] }
  }
  close()
  return { headers, bodyAt: end.bodyAt }
}

export function valuesOf(headers: readonly Header[], name: string): readonly string[] {
  return headers.filter((header) => header.name === name).map((header) => header.value)
}

export function firstOf(headers: readonly Header[], name: string): string | undefined {
  return headers.find((header) => header.name === name)?.value
}

/** The block ends at the first empty line, or with the message. */
function endOfBlock(raw: Buffer): { readonly headersEnd: number; readonly bodyAt: number } | undefined {
  const limit = Math.min(raw.length, maxBlockBytes)
  let lineStart = 0
  while (lineStart < limit) {
    const newline = raw.indexOf(10, lineStart)
    if (newline === -1 || newline >= limit) break
    const isEmpty = newline === lineStart || (newline === lineStart + 1 && raw[lineStart] === 13)
    if (isEmpty) return { headersEnd: lineStart, bodyAt: newline + 1 }
    lineStart = newline + 1
  }
  return raw.length <= maxBlockBytes ? { headersEnd: raw.length, bodyAt: raw.length } : undefined
}

function clean(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go.
  return value.replace(/[\x00-\x1f\x7f]+/g, ' ').trim()
}
