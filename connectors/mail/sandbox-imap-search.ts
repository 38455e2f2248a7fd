/** UID SEARCH: which mails fit the criteria. Pure. RFC 9051 section 6.4.4. */
import { headerOf, splitMail } from './sandbox-imap-fetch.ts'
import { dateOf, inSet, type Word } from './sandbox-imap-words.ts'
import type { StoredMail } from './sandbox-mailboxes.ts'

type Fits = (mail: StoredMail, seq: number) => boolean

/** @throws Error for criteria that it does not know */
export function search(mails: readonly StoredMail[], words: readonly Word[]): readonly StoredMail[] {
  const left = [...words]
  if (String(left[0]).toUpperCase() === 'CHARSET') left.splice(0, 2)
  const fits = allOf(left, mails)
  return mails.filter((mail, index) => fits(mail, index + 1))
}

function allOf(left: Word[], mails: readonly StoredMail[]): Fits {
  const tests: Fits[] = []
  while (left.length > 0) tests.push(one(left, mails))
  return (mail, seq) => tests.every((fits) => fits(mail, seq))
}

function one(left: Word[], mails: readonly StoredMail[]): Fits {
  const word = left.shift()
  if (typeof word !== 'string') return allOf([...(word ?? [])], mails)
  const argument = () => {
    const value = left.shift()
    if (typeof value !== 'string') throw new Error(`${word} wants a string`)
    return value
  }
  const name = word.toUpperCase()
  const flag = flagNames[name.replace(/^UN/, '')]
  if (flag) return (mail) => mail.flags.has(flag) !== name.startsWith('UN')
  switch (name) {
    case 'ALL':
      return () => true
    case 'NOT': {
      const fits = one(left, mails)
      return (mail, seq) => !fits(mail, seq)
    }
    case 'OR': {
      const [a, b] = [one(left, mails), one(left, mails)]
      return (mail, seq) => a(mail, seq) || b(mail, seq)
    }
    case 'UID': {
      const isIn = inSet(argument(), mails.at(-1)?.uid ?? 0)
      return (mail) => isIn(mail.uid)
    }
    case 'HEADER':
      return headerHolds(argument(), argument())
    case 'FROM':
    case 'TO':
    case 'CC':
    case 'SUBJECT':
      return headerHolds(name, argument())
    case 'TEXT':
      return holds((mail) => mail.raw.toString('latin1'), argument())
    case 'BODY':
      return holds((mail) => splitMail(mail.raw).body.toString('latin1'), argument())
    case 'SINCE': {
      const from = dateOf(argument())
      return (mail) => mail.receivedAt >= from
    }
    case 'BEFORE': {
      const to = dateOf(argument())
      return (mail) => mail.receivedAt < to
    }
    default: {
      if (!/^[\d*][\d,:*]*$/.test(word)) throw new Error(`unknown search criterion ${word.slice(0, 40)}`)
      const isIn = inSet(word, mails.length)
      return (_mail, seq) => isIn(seq)
    }
  }
}

const flagNames: Readonly<Record<string, string>> = {
  SEEN: '\\Seen',
  ANSWERED: '\\Answered',
  DELETED: '\\Deleted',
  FLAGGED: '\\Flagged',
  DRAFT: '\\Draft',
}

/** An empty text asks whether there is such a header at all. */
function headerHolds(name: string, text: string): Fits {
  const wanted = text.toLowerCase()
  return (mail) => headerOf(mail.raw, name).some((value) => value.toLowerCase().includes(wanted))
}

function holds(read: (mail: StoredMail) => string, text: string): Fits {
  const wanted = text.toLowerCase()
  return (mail) => read(mail).toLowerCase().includes(wanted)
}
