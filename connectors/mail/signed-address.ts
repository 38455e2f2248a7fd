/**
 * What proves that somebody writes about one of our cases: addresses and message ids that carry our signature. Each proof names
 * the case in clear and is bound to its purpose and to the mailbox, so that one made for something else or elsewhere is worth
 * nothing here.
 *
 * - reply address `support+r.CASE.MAC@example.com`
 * - return path `support+b.CASE.MESSAGE.MAC@example.com`
 * - message id `<c.CASE.MESSAGE.MAC@example.com>`
 *
 * CASE has 16, MESSAGE 10 and MAC (HMAC-SHA256, the first 128 bits) 26 characters of lower-case base32.
 */
import { createHash, createHmac } from 'node:crypto'
import { sameText } from '#hub/connector/hmac.ts'
import type { MailConfig } from './config.ts'

/** What signing needs of a connection's settings. */
export type Signer = Pick<MailConfig, 'address' | 'signing_secret' | 'plus_addressing'>

const caseIdShape = /^[a-z0-9]{16}$/
const tagShape = /^[a-z2-7]{10}$/
/** RFC 5321, 4.5.3.1.1: some servers refuse a longer local part. */
const maxLocalPart = 64

/**
 * @param seed what opened the case: the message id and sender of a mail, the key of a call of ours.
 * @returns 16 characters of [a-z2-7], the same for the same seed.
 */
export function caseIdOf(config: Pick<MailConfig, 'address'>, seed: string): string {
  const digest = createHash('sha256').update(`case\0${config.address}\0${seed}`).digest()
  return base32(digest.subarray(0, 10))
}

/**
 * Where answers about a case go. The plain address where a signed one would not arrive: the server knows no plus addresses, or
 * the local part would be too long. Answers are then known by their references.
 */
export function replyAddress(config: Signer, caseId: string): string {
  return subaddress(config, `r.${caseId}.${mac(config, 'reply', caseIn(caseId))}`) ?? config.address
}

/** The return path (VERP) of one message, so that what comes back is known by its recipient. Plain as in `replyAddress`. */
export function bounceAddress(config: Signer, caseId: string, messageId: string): string {
  const tag = tagOf(messageId)
  const long = tag && subaddress(config, `b.${caseId}.${tag}.${mac(config, 'bounce', caseIn(caseId), tag)}`)
  return long ?? subaddress(config, `b.${caseId}.${mac(config, 'bounce', caseIn(caseId))}`) ?? config.address
}

/** The same for each attempt: `key` is the idempotency key of the call. */
export function messageIdFor(config: Signer, caseId: string, key: string): string {
  const tag = base32(createHash('sha256').update(`message\0${key}`).digest()).slice(0, 10)
  return signedMessageId(config, caseIn(caseId), tag)
}

/** Ours in `X-Loop`: mail that carries it has been through this connection before. */
export function loopMark(config: Signer): string {
  return `${mac(config, 'loop')}@${domainOf(config)}`
}

/** The case that a recipient's address proves: a reply address, or a return path (machines answer there). */
export function provenCase(config: Signer, recipient: string): string | undefined {
  const parts = subaddressIn(config, recipient)
  if (parts?.[0] !== 'r') return provenBounce(config, recipient)?.caseId
  const [, caseId = '', given = ''] = parts
  if (parts.length !== 3 || !caseIdShape.test(caseId)) return undefined
  return sameText(given, mac(config, 'reply', caseId)) ? caseId : undefined
}

/** An address of this mailbox with something after a plus: signed by us, or by nobody. */
export function isOwnSubaddress(config: Signer, recipient: string): boolean {
  return subaddressIn(config, recipient) !== undefined
}

/** The case, and the message where the return path was long enough to name it. */
export function provenBounce(
  config: Signer,
  recipient: string,
): { readonly caseId: string; readonly messageId?: string } | undefined {
  const parts = subaddressIn(config, recipient)
  if (parts?.[0] !== 'b' || parts.length < 3 || parts.length > 4) return undefined
  const caseId = parts[1] ?? ''
  const tag = parts.length === 4 ? (parts[2] ?? '') : undefined
  if (!caseIdShape.test(caseId) || (tag !== undefined && !tagShape.test(tag))) return undefined
  const expected = tag === undefined ? mac(config, 'bounce', caseId) : mac(config, 'bounce', caseId, tag)
  if (!sameText(parts.at(-1) ?? '', expected)) return undefined
  return tag === undefined ? { caseId } : { caseId, messageId: signedMessageId(config, caseId, tag) }
}

/** The case that a message id of ours proves. With or without angle brackets. */
export function provenMessageId(config: Signer, messageId: string): string | undefined {
  const [, caseId = '', tag = '', given = '', domain] = messageIdShape.exec(messageId) ?? []
  if (domain?.toLowerCase() !== domainOf(config)) return undefined
  return sameText(given, mac(config, 'message', caseId, tag)) ? caseId : undefined
}

/** Looks like one of ours, whether or not its signature is good. */
export function isShapedLikeOurs(config: Signer, messageId: string): boolean {
  return messageIdShape.exec(messageId)?.[4]?.toLowerCase() === domainOf(config)
}

const messageIdShape = /^<?c\.([a-z0-9]{16})\.([a-z2-7]{10})\.([a-z2-7]{26})@([^<>@\s]{1,253})>?$/

function signedMessageId(config: Signer, caseId: string, tag: string): string {
  return `<c.${caseId}.${tag}.${mac(config, 'message', caseId, tag)}@${domainOf(config)}>`
}

function tagOf(messageId: string): string | undefined {
  return messageIdShape.exec(messageId)?.[2]
}

function caseIn(caseId: string): string {
  if (caseIdShape.test(caseId)) return caseId
  throw new TypeError(`mail case id "${caseId}": expected 16 of [a-z0-9]; take it from caseIdOf()`)
}

/** No part can hold a NUL, so the border between two parts is where we drew it. */
function mac(config: Signer, purpose: 'reply' | 'bounce' | 'message' | 'loop', ...parts: readonly string[]): string {
  const signed = [purpose, config.address, ...parts].join('\0')
  return base32(createHmac('sha256', config.signing_secret).update(signed).digest().subarray(0, 16))
}

function subaddress(config: Signer, detail: string): string | undefined {
  const local = `${config.address.slice(0, config.address.lastIndexOf('@'))}+${detail}`
  return config.plus_addressing && local.length <= maxLocalPart ? `${local}@${domainOf(config)}` : undefined
}

/** Mail servers may change the case of an address; the alphabet of our parts has one case only. */
function subaddressIn(config: Signer, recipient: string): readonly string[] | undefined {
  const address = recipient.trim().toLowerCase()
  const at = config.address.lastIndexOf('@')
  const before = `${config.address.slice(0, at)}+`
  const after = config.address.slice(at)
  if (address.length > 320 || !address.startsWith(before) || !address.endsWith(after)) return undefined
  return address.slice(before.length, address.length - after.length).split('.')
}

function domainOf(config: Signer): string {
  return config.address.slice(config.address.lastIndexOf('@') + 1)
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** RFC 4648 without padding, in lower case. */
function base32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(value >> bits) & 31]
    }
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text
}
