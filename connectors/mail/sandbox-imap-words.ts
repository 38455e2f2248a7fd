/** IMAP's command language, as far as clients use it: lines with literals in them, and the words of a line. RFC 9051 section 9. */
import type { Socket } from 'node:net'

/** An atom, string or literal; or a list of them. Bytes are characters here (latin1), as literals may hold anything. */
export type Word = string | readonly Word[]

/** Larger than the mails that are allowed, so that a client cannot fill the memory. */
const maxLiteralBytes = 64 * 1024 * 1024

/**
 * Commands as they come in. A literal is waited for, and asked for where the client does not send it unasked.
 * @param write takes `+ …`. @throws Error when the client cannot be understood any more
 */
export async function* commandsOf(socket: Socket, write: (line: string) => void): AsyncGenerator<string> {
  let pending: Buffer = Buffer.alloc(0)
  let command = ''
  let missing = 0
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (;;) {
      if (missing > 0) {
        if (pending.length < missing) break
        command += pending.toString('latin1', 0, missing)
        pending = pending.subarray(missing)
        missing = 0
      }
      const end = pending.indexOf('\r\n')
      if (end < 0) break
      const line = pending.toString('latin1', 0, end)
      pending = pending.subarray(end + 2)
      const literal = /\{(\d+)(\+?)\}$/.exec(line)
      if (!literal) {
        yield command + line
        command = ''
        continue
      }
      missing = Number(literal[1])
      if (missing > maxLiteralBytes) throw new Error('a literal is too long')
      if (literal[2] === '') write('+ go on')
      command += `${line}\r\n`
      if (missing === 0) break
    }
  }
}

/** @throws Error naming the place that it cannot read */
export function wordsOf(text: string): readonly Word[] {
  let at = 0
  return list(false)

  function list(isNested: boolean): readonly Word[] {
    const words: Word[] = []
    while (at < text.length) {
      const character = text[at]
      if (character === ' ') at += 1
      else if (character === ')' && isNested) {
        at += 1
        return words
      } else if (character === '(') {
        at += 1
        words.push(list(true))
      } else words.push(string())
    }
    if (isNested) throw new Error('a list has no end')
    return words
  }

  function string(): string {
    if (text[at] === '"') return quoted()
    const literal = /^\{(\d+)\+?\}\r\n/.exec(text.slice(at, at + 24))
    if (literal) {
      const start = at + literal[0].length
      at = start + Number(literal[1])
      return text.slice(start, at)
    }
    // A section may hold a list: BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.100>
    const atom = /^[^\s()"[\]]*(\[[^\]]*\])?[^\s()"]*/.exec(text.slice(at, at + 4_096))?.[0] ?? ''
    if (atom === '') throw new Error(`unexpected ${text.slice(at, at + 10)}`)
    at += atom.length
    return atom
  }

  function quoted(): string {
    const match = /^"((?:[^"\\]|\\.)*)"/.exec(text.slice(at))
    if (!match) throw new Error('a quoted string has no end')
    at += match[0].length
    return (match[1] ?? '').replaceAll(/\\(.)/g, '$1')
  }
}

export function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

/** A string of any bytes: quoted where that is allowed, else a literal. */
export function stringOf(text: string | undefined): string {
  if (text === undefined) return 'NIL'
  return /^[\x20-\x7e]*$/.test(text) ? quote(text) : `{${Buffer.byteLength(text, 'latin1')}}\r\n${text}`
}

/** `1:3,7,10:*` as a test. @param last what `*` stands for. */
export function inSet(set: string, last: number): (number: number) => boolean {
  const ranges = set.split(',').map((range) => {
    const [first = '', second = first] = range.split(':')
    const [a, b] = [first, second].map((end) => (end === '*' ? last : Number(end)))
    if (!isWhole(a) || !isWhole(b)) throw new Error(`"${set}" is not a set of messages`)
    return a <= b ? ([a, b] as const) : ([b, a] as const)
  })
  return (number) => ranges.some(([low, high]) => number >= low && number <= high)
}

function isWhole(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export function internalDate(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${two(date.getUTCDate())}-${months[date.getUTCMonth()]}-${date.getUTCFullYear()}`
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`
}

/** Midnight UTC of `1-Nov-2026`, or the moment of an internal date. @throws Error */
export function dateOf(text: string): Date {
  const [, day, month = '', year, time = '00:00:00', zone = '+0000'] =
    /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4})(?: (\d\d:\d\d:\d\d) ([+-]\d{4}))?$/.exec(text) ?? []
  const number = months.findIndex((name) => name.toLowerCase() === month.toLowerCase()) + 1
  const iso = `${year}-${String(number).padStart(2, '0')}-${day?.padStart(2, '0')}T${time}${zone.slice(0, 3)}:${zone.slice(3)}`
  const date = new Date(iso)
  if (number === 0 || Number.isNaN(date.getTime())) throw new Error(`"${text}" is not a date`)
  return date
}
