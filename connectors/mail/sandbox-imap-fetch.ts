/** UID FETCH: what a client asked of a mail, as it goes over the wire. Pure. RFC 9051 sections 6.4.5 and 7.5.2. */
import addressparser from 'nodemailer/lib/addressparser'
import { internalDate, quote, stringOf, type Word } from './sandbox-imap-words.ts'
import type { StoredMail } from './sandbox-mailboxes.ts'

/** Text and bytes in turn, to be written one after the other. @throws Error for items that it does not know */
export function fetched(mail: StoredMail, seq: number, items: readonly Word[]): readonly (string | Buffer)[] {
  const wanted = items.map(String)
  const all = wanted.some((item) => item.toUpperCase() === 'UID') ? wanted : ['UID', ...wanted]
  const parts = all.flatMap((item, index) => [index === 0 ? '' : ' ', ...render(mail, item)])
  return [`* ${seq} FETCH (`, ...parts, ')\r\n']
}

/** A body that is asked for without PEEK counts as seen. */
export function marksAsSeen(items: readonly Word[]): boolean {
  return items.some((item) => /^(BODY\[|RFC822$|RFC822\.TEXT$)/i.test(String(item)))
}

function render(mail: StoredMail, item: string): readonly (string | Buffer)[] {
  const name = item.toUpperCase()
  switch (name) {
    case 'UID':
      return [`UID ${mail.uid}`]
    case 'FLAGS':
      return [`FLAGS (${[...mail.flags].join(' ')})`]
    case 'INTERNALDATE':
      return [`INTERNALDATE ${quote(internalDate(mail.receivedAt))}`]
    case 'RFC822.SIZE':
      return [`RFC822.SIZE ${mail.raw.length}`]
    case 'ENVELOPE':
      return [`ENVELOPE ${envelopeOf(mail.raw)}`]
    default: {
      const section = /^BODY(?:\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?$/i.exec(item)
      if (!section) throw new Error(`the sandbox does not know the item ${item.slice(0, 40)}`)
      const [, what = '', start, count] = section
      const whole = sectionOf(mail.raw, what)
      const bytes = start === undefined ? whole : whole.subarray(Number(start), Number(start) + Number(count))
      return [`BODY[${what}]${start === undefined ? '' : `<${start}>`} {${bytes.length}}\r\n`, bytes]
    }
  }
}

function sectionOf(raw: Buffer, section: string): Buffer {
  const { header, body } = splitMail(raw)
  const name = section.toUpperCase()
  if (name === '') return raw
  if (name === 'HEADER') return header
  if (name === 'TEXT') return body
  const fields = /^HEADER\.FIELDS \(([^)]*)\)$/.exec(name)?.[1]?.split(' ')
  if (!fields) throw new Error(`the sandbox does not know the section ${section.slice(0, 40)}`)
  const chosen = linesOf(header).filter((line) => fields.includes(line.split(':', 1)[0]?.toUpperCase() ?? ''))
  return Buffer.from(`${chosen.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1')
}

/** The empty line belongs to the header. */
export function splitMail(raw: Buffer): { readonly header: Buffer; readonly body: Buffer } {
  const end = raw.indexOf('\r\n\r\n')
  if (end < 0) return { header: raw, body: Buffer.alloc(0) }
  return { header: raw.subarray(0, end + 4), body: raw.subarray(end + 4) }
}

/** The values of a header, unfolded. */
export function headerOf(raw: Buffer, name: string): readonly string[] {
  const prefix = `${name.toLowerCase()}:`
  return linesOf(splitMail(raw).header).flatMap((line) =>
    line.toLowerCase().startsWith(prefix)
      ? [
          line
            .slice(prefix.length)
            .replaceAll(/\r\n(?=[ \t])/g, '')
            .trim(),
        ]
      : [],
  )
}

/** Folded lines are one. */
function linesOf(header: Buffer): readonly string[] {
  return header
    .toString('latin1')
    .split(/\r\n(?![ \t])/)
    .filter((line) => line !== '')
}

function envelopeOf(raw: Buffer): string {
  const text = (name: string) => stringOf(headerOf(raw, name)[0])
  const from = addressesOf(raw, 'from')
  const orFrom = (name: string) => (headerOf(raw, name).length > 0 ? addressesOf(raw, name) : from)
  const parts = [
    text('date'),
    text('subject'),
    from,
    orFrom('sender'),
    orFrom('reply-to'),
    ...['to', 'cc', 'bcc'].map((name) => addressesOf(raw, name)),
    text('in-reply-to'),
    text('message-id'),
  ]
  return `(${parts.join(' ')})`
}

function addressesOf(raw: Buffer, name: string): string {
  const found = addressparser(headerOf(raw, name).join(', '), { flatten: true })
  if (found.length === 0) return 'NIL'
  const parts = found.map(({ name: display, address }) => {
    const at = address.lastIndexOf('@')
    const [local, domain] = at < 0 ? [address, ''] : [address.slice(0, at), address.slice(at + 1)]
    return `(${stringOf(display || undefined)} NIL ${stringOf(local)} ${stringOf(domain)})`
  })
  return `(${parts.join('')})`
}
