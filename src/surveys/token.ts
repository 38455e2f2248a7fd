/**
 * What a survey link carries: which invitation, until when, and a MAC over both, so that nobody makes one from a copy of
 * the database. (The messages that were sent, with their links, are in it.) The page adds a pass of its own, without which a POST records nothing.
 */
import { randomBytes } from 'node:crypto'
import type { SecretBox } from '#hub/platform/secret-box.ts'

type Signer = Pick<SecretBox, 'sign'>
type Verifier = Pick<SecretBox, 'verify'>

const idPattern = /^inv_[0-9a-f]{32}$/
const idBytes = 16
const timeBytes = 6
const headBytes = idBytes + timeBytes
const macBytes = 32
/** 54 bytes: a whole number of base64url characters, so that each token has one spelling. */
const tokenPattern = /^[A-Za-z0-9_-]{72}$/

export interface TokenContent {
  readonly invitationId: string
  readonly expiresAt: Date
}

/** @param content expiresAt in whole seconds. @throws RangeError for an id that is no invitation's. */
export function createToken(secrets: Signer, content: TokenContent): string {
  if (!idPattern.test(content.invitationId)) {
    throw new RangeError(`invitation id "${content.invitationId}": expected inv_ and 32 hex digits`)
  }
  const head = Buffer.alloc(headBytes)
  head.write(content.invitationId.slice(4), 'hex')
  head.writeUIntBE(Math.floor(content.expiresAt.getTime() / 1000), idBytes, timeBytes)
  return Buffer.concat([head, secrets.sign('survey', head)]).toString('base64url')
}

/** @returns undefined for what the hub did not sign, whatever is wrong with it, in the same time. Expired ones are read. */
export function readToken(secrets: Verifier, token: string): TokenContent | undefined {
  const hasForm = tokenPattern.test(token)
  const bytes = hasForm ? Buffer.from(token, 'base64url') : Buffer.alloc(headBytes + macBytes)
  const head = bytes.subarray(0, headBytes)
  const isOurs = secrets.verify('survey', head, bytes.subarray(headBytes))
  if (!hasForm || !isOurs) return undefined
  return {
    invitationId: `inv_${head.toString('hex', 0, idBytes)}`,
    expiresAt: new Date(head.readUIntBE(idBytes, timeBytes) * 1000),
  }
}

const saltBytes = 4
const passHeadBytes = timeBytes + saltBytes
const passPattern = /^[A-Za-z0-9_-]{56}$/
/** A page may stay open in a tab over the day. */
export const passLifetimeMs = 12 * 3_600_000
const clockSkewMs = 60_000

/** The hidden field that shows that somebody had the page before they posted. */
export function createPass(secrets: Signer, invitationId: string, now: Date): string {
  const head = Buffer.concat([Buffer.alloc(timeBytes), randomBytes(saltBytes)])
  head.writeUIntBE(Math.floor(now.getTime() / 1000), 0, timeBytes)
  return Buffer.concat([head, secrets.sign('survey page', passData(invitationId, head))]).toString('base64url')
}

export function isPassGood(secrets: Verifier, invitationId: string, pass: string, now: Date): boolean {
  if (!passPattern.test(pass)) return false
  const bytes = Buffer.from(pass, 'base64url')
  const head = bytes.subarray(0, passHeadBytes)
  if (!secrets.verify('survey page', passData(invitationId, head), bytes.subarray(passHeadBytes))) return false
  const ageMs = now.getTime() - head.readUIntBE(0, timeBytes) * 1000
  return ageMs >= -clockSkewMs && ageMs <= passLifetimeMs
}

function passData(invitationId: string, head: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${invitationId}|`), head])
}
