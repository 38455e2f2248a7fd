/** Which conversation a mail belongs to: its own id, the ids that it answers, and the cases that it has proof of. */
import { createHash } from 'node:crypto'
import { readAddresses } from './addresses.ts'
import type { MailConfig } from './config.ts'
import { firstOf, type Header, valuesOf } from './headers.ts'
import { isOwnSubaddress, isShapedLikeOurs, provenCase, provenMessageId, type Signer } from './signed-address.ts'
import { isAgent } from './trust.ts'

const maxIdLength = 500
const maxAnswers = 20
const maxRecipients = 200
const maxGuests = 50

/**
 * The message id with its angle brackets, as it stands in `References`; case kept. A mail without a usable one gets one from
 * its content, the same wherever and however often it is read.
 */
export function messageIdOf(headers: readonly Header[], raw: Buffer, bodyAt: number): string {
  const [given] = idsIn(firstOf(headers, 'message-id') ?? '')
  return given ?? `<${digestOf(headers, raw, bodyAt).slice(0, 32)}@no-message-id.invalid>`
}

function digestOf(headers: readonly Header[], raw: Buffer, bodyAt: number): string {
  const digest = createHash('sha256')
  for (const name of ['message-id', 'from', 'date', 'subject']) digest.update(`${firstOf(headers, name) ?? ''}\n`)
  // Servers differ in what they do to the ends of a message.
  let end = raw.length
  while (end > bodyAt && (raw[end - 1] === 10 || raw[end - 1] === 13)) end -= 1
  return digest.update(raw.subarray(bodyAt, end)).digest('hex')
}

/** Message ids that this mail answers: `In-Reply-To`, then `References` from the right; at most 20, each once. */
function answeredIds(headers: readonly Header[]): readonly string[] {
  const direct = valuesOf(headers, 'in-reply-to').flatMap(idsIn)
  const chain = valuesOf(headers, 'references').flatMap(idsIn).reverse()
  return [...new Set([...direct, ...chain])].slice(0, maxAnswers)
}

/** Ids of others only: one that looks like ours is proof of a case, or it is forged and counts for nothing. */
export function answersOf(headers: readonly Header[], config: Signer): readonly string[] {
  return answeredIds(headers).filter((id) => !isShapedLikeOurs(config, id))
}

/**
 * Cases that the sender has proof of, the best first. What the server was told to deliver to comes before what the message says
 * about itself; but a signed address is as good in `To` as in `Delivered-To`, since nobody can make one up: whoever has it got it
 * from a mail about this very case.
 */
export function provenOf(headers: readonly Header[], config: MailConfig): readonly string[] {
  const proofs = [
    ...recipientsOf(headers).map((address) => provenCase(config, address)),
    ...answeredIds(headers).map((id) => provenMessageId(config, id)),
  ]
  return [...new Set(proofs.filter((caseId) => caseId !== undefined))]
}

/** The topmost of each line that delivering servers add, then `To` and `Cc`. */
export function recipientsOf(headers: readonly Header[]): readonly string[] {
  const delivered = ['delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to'].flatMap((name) =>
    addressesIn(firstOf(headers, name) ?? ''),
  )
  return [...new Set([...delivered, ...namedRecipientsOf(headers)])].slice(0, maxRecipients)
}

function namedRecipientsOf(headers: readonly Header[]): readonly string[] {
  return ['to', 'cc'].flatMap((name) => valuesOf(headers, name).flatMap(addressesIn))
}

/** Whom a mail of ours went to: people, not ourselves. */
export function guestsOf(headers: readonly Header[], config: MailConfig): readonly string[] {
  const named = namedRecipientsOf(headers).filter((one) => !isAgent(one, config) && !isOwnSubaddress(config, one))
  return [...new Set(named)].slice(0, maxGuests)
}

function addressesIn(value: string): readonly string[] {
  return readAddresses(value).mailboxes.map(({ address }) => address)
}

/** Ids with their angle brackets. Old programs leave the brackets out, or write several ids into one line. */
export function idsIn(value: string): readonly string[] {
  const inBrackets = value.match(/<[^<>\s]+>/g)
  const bare = value.trim()
  const ids = inBrackets ?? (/^[^<>\s]+@[^<>\s]+$/.test(bare) ? [`<${bare}>`] : [])
  return ids.filter((id) => id.length <= maxIdLength)
}

const aheadMs = 10 * 60_000
/** Mail waits in queues for up to five days. */
const behindMs = 7 * 24 * 3_600_000

/** What the sender's clock said, where it can be: otherwise when the mail arrived. */
export function sentAtOf(headers: readonly Header[], receivedAt: string): string {
  const said = Date.parse((firstOf(headers, 'date') ?? '').slice(0, 100))
  const arrived = Date.parse(receivedAt)
  const isPlausible = said <= arrived + aheadMs && said >= arrived - behindMs
  return new Date(isPlausible ? said : arrived).toISOString()
}
