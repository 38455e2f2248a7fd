/** Names of attachments: no path, no control or direction marks (which make `exe.txt` of `txt.exe`), at most 255 bytes. */
import { limits } from './parsed.ts'

const namesByType: Readonly<Record<string, string>> = {
  'message/rfc822': 'message.eml',
  'message/global': 'message.eml',
  'message/delivery-status': 'delivery-status.txt',
  'message/global-delivery-status': 'delivery-status.txt',
  'message/disposition-notification': 'receipt.txt',
  'message/feedback-report': 'feedback-report.txt',
  'text/rfc822-headers': 'headers.txt',
  'text/calendar': 'invitation.ics',
  'text/plain': 'text.txt',
  'text/html': 'page.html',
  'application/ms-tnef': 'winmail.dat',
  'application/vnd.ms-tnef': 'winmail.dat',
  'application/pkcs7-mime': 'smime.p7m',
  'application/pkcs7-signature': 'smime.p7s',
  'application/pgp-signature': 'signature.asc',
  'application/pgp-encrypted': 'version.txt',
  'image/png': 'image.png',
  'image/jpeg': 'image.jpg',
  'image/gif': 'image.gif',
  'application/pdf': 'document.pdf',
}

/** @param place the attachment's number in its message, for the name of one without a name. */
export function fileName(given: string, contentType: string, place: number): string {
  const base = given.split(/[/\\]/).at(-1) ?? ''
  const clean = base
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .toWellFormed()
    .trim()
  if (/^\.*$/.test(clean)) return namesByType[contentType] ?? `attachment-${place}`
  return shorten(clean)
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= limits.fileNameBytes) return name
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : ''
  let room = limits.fileNameBytes - Buffer.byteLength(extension)
  let stem = ''
  for (const char of name.slice(0, name.length - extension.length)) {
    room -= Buffer.byteLength(char)
    if (room < 0) break
    stem += char
  }
  return stem + extension
}
