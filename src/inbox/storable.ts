/** Keys and reasons come from vendors and connectors; what PostgreSQL or an index cannot hold is replaced. Pure. */
import { createHash } from 'node:crypto'

export function storableKey(key: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return key.length <= 200 && !/[\u0000-\u001f\ud800-\udfff]/.test(key) ? key : digest(Buffer.from(key))
}

export function storableReason(reason: string): string {
  return reason.replaceAll('\0', '').toWellFormed().slice(0, 500)
}

export function digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

const unreadable = 'unreadable:'

/** A record that reconciliation read and nobody understands: its row holds the vendor's bytes, no observation. */
export function unreadableKey(key: string): string {
  return unreadable + key
}

export function isUnreadable(key: string): boolean {
  return key.startsWith(unreadable)
}
