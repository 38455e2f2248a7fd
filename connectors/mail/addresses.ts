/**
 * The addresses in a `From`, `To` or `Delivered-To` line (RFC 5322), in one pass over it. What can be understood in more than
 * one way is malformed here: identity is no place for guessing.
 */
import { domainToASCII } from 'node:url'

export interface Mailbox {
  /** Lower-case; the domain in ASCII. */
  readonly address: string
}

export interface AddressList {
  readonly mailboxes: readonly Mailbox[]
  /** Some part is no address, is a group, or can be read in several ways. */
  readonly isMalformed: boolean
}

const maxAddresses = 200

export function readAddresses(value: string): AddressList {
  const mailboxes: Mailbox[] = []
  let isMalformed = false
  for (const entry of splitEntries(value)) {
    if (mailboxes.length >= maxAddresses) break
    if (entry === 'broken') {
      isMalformed = true
      continue
    }
    const written = entry.angle ?? entry.words
    if (written.trim() === '' && entry.angle === undefined) continue
    const address = addressIn(written)
    if (address === undefined) isMalformed = true
    else mailboxes.push({ address })
  }
  return { mailboxes, isMalformed }
}

interface Entry {
  /** Everything outside of quotes, comments and angle brackets. */
  readonly words: string
  readonly angle: string | undefined
}

/** Splits at commas that are in no quotes, comments or angle brackets. A group, or a bracket too many, is broken. */
function* splitEntries(value: string): Generator<Entry | 'broken'> {
  let words = ''
  let angle: string | undefined
  let isBroken = false
  let depth = 0
  let state: 'words' | 'quoted' | 'angle' = 'words'
  const finish = (): Entry | 'broken' => {
    const entry = isBroken ? 'broken' : ({ words, angle } as const)
    words = ''
    angle = undefined
    isBroken = false
    return entry
  }
  for (let at = 0; at < value.length; at++) {
    const char = value[at] ?? ''
    if (char === '\\' && (state === 'quoted' || depth > 0)) at += 1
    else if (depth > 0) depth += char === '(' ? 1 : char === ')' ? -1 : 0
    else if (state === 'quoted') state = char === '"' ? 'words' : 'quoted'
    else if (state === 'angle') {
      if (char === '>') state = 'words'
      else if (char === '<' || char === '"' || char === '(') isBroken = true
      else angle += char
    } else if (char === '"') state = 'quoted'
    else if (char === '(') depth = 1
    else if (char === '<') {
      isBroken ||= angle !== undefined
      angle = ''
      state = 'angle'
    } else if (char === ',') yield finish()
    else if (char === ';' || char === ':' || char === '>') isBroken = true
    else words += char
  }
  isBroken ||= state !== 'words' || depth > 0
  yield finish()
}

const localPart = /^[^\s\p{Cc}@<>()[\]\\,;:"]{1,64}$/u
const domainName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/

function addressIn(written: string): string | undefined {
  const text = written.trim()
  const at = text.lastIndexOf('@')
  if (at < 1 || text.length > 320) return undefined
  const local = text.slice(0, at)
  const domain = domainToASCII(text.slice(at + 1)).toLowerCase()
  return localPart.test(local) && domainName.test(domain) ? `${local}@${domain}`.toLowerCase() : undefined
}
