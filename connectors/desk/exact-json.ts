/** JSON whose long numbers stay exact: a desk's 64-bit ids are longer than a JavaScript number can hold. */
import { isUtf8 } from 'node:buffer'
import { UnreadableInput } from '#hub/connector/errors.ts'

/** A number that could be too long; asking each value for its digits costs ten times the parsing. */
const longNumber = /\d{16}/

/** Whole numbers beyond 2^53 come back as their digits. @throws UnreadableInput */
export function parseExactJson(text: string): unknown {
  try {
    if (!longNumber.test(text)) return JSON.parse(text)
    return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
      if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
      const source = context?.source ?? ''
      return /^-?\d+$/.test(source) ? source : value
    })
  } catch (cause) {
    const why = cause instanceof RangeError ? 'it is nested too deeply' : messageOf(cause)
    throw new UnreadableInput(`desk webhook: the body is not JSON that can be read: ${why}`, { cause })
  }
}

/** UTF-8 to the letter; a byte order mark is passed over. @throws UnreadableInput */
export function readUtf8(body: Buffer): string {
  if (!isUtf8(body)) throw new UnreadableInput('desk webhook: the body is not UTF-8')
  const text = body.toString()
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
