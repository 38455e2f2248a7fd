/**
 * Reads one mail.
 *
 * In: the raw message and where it lay. Out: what it says to the hub, or in plain words why a person must look at it.
 * Never: a decision about which case it joins, an answer, anything fetched from where the mail points to.
 */
import { domainToASCII } from 'node:url'
import type { MessageFacts, Observation, PersonFacts, ThreadFacts } from '#hub/connector/facts.ts'
import { automaticSign } from './automatic.ts'
import { readBounces } from './bounce.ts'
import type { MailConfig } from './config.ts'
import { firstOf, type Header, type HeaderBlock, readHeaders, valuesOf } from './headers.ts'
import { limits, type ParsedMail, type ParseTask } from './parsed.ts'
import { parseInWorker } from './parser.ts'
import { caseIdOf, loopMark, provenMessageId } from './signed-address.ts'
import { answersOf, guestsOf, messageIdOf, provenOf, sentAtOf } from './thread.ts'
import { isAgent, judgeSender, readFrom } from './trust.ts'

export interface MailOrigin {
  readonly config: MailConfig
  readonly folder: 'inbox' | 'sent'
  /** When it came into the mailbox (INTERNALDATE), ISO 8601. */
  readonly receivedAt: string
  /** Its place in the mailbox. */
  readonly key: string
}

export type Unreadable = { readonly unreadable: string }

const maxHops = 25

/**
 * @returns an empty list for what says nothing to the hub: our own mail come back, a report that proves nothing.
 * @throws the signal's reason when it aborts; nothing else.
 */
export async function readMail(
  raw: Buffer,
  origin: MailOrigin,
  signal?: AbortSignal,
): Promise<readonly Observation[] | Unreadable> {
  const block = readHeaders(raw)
  if ('unreadable' in block) return block
  const { headers } = block
  const hops = valuesOf(headers, 'received').length
  if (hops > maxHops) return { unreadable: `${hops} servers have handed it on: it goes in circles` }
  const answer = await parseInWorker(taskFor(raw, block), signal)
  if ('problem' in answer) return { unreadable: answer.problem }
  const read: ReadMail = { ...origin, headers, mail: answer.mail, messageId: messageIdOf(headers, raw, block.bodyAt) }
  return origin.folder === 'sent' ? readSent(read) : readReceived(read)
}

/** The content of one part. @returns `undefined` where there is none of this id, or the mail cannot be read. */
export async function readPart(raw: Buffer, part: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const block = readHeaders(raw)
  if ('unreadable' in block) return undefined
  const answer = await parseInWorker({ ...taskFor(raw, block), wanted: part }, signal)
  return 'mail' in answer ? answer.mail.wanted : undefined
}

function taskFor(raw: Buffer, { headers, bodyAt }: HeaderBlock): ParseTask {
  return {
    head: headFor(headers),
    body: raw.subarray(bodyAt, bodyAt + limits.bytes),
    isCut: raw.length - bodyAt > limits.bytes,
  }
}

interface ReadMail extends MailOrigin {
  readonly headers: readonly Header[]
  readonly mail: ParsedMail
  readonly messageId: string
}

function readReceived(read: ReadMail): readonly Observation[] | Unreadable {
  const { headers, mail, config } = read
  // Before anything about the sender: reports come from servers, our own among them, and carry their own proof.
  const bounces = readBounces(headers, mail, config)
  if (bounces) {
    const occurredAt = sentAtOf(headers, read.receivedAt)
    return bounces.map((bounce) => ({ type: 'bounce', occurredAt, byHub: false, bounce }))
  }
  if (isEcho(read)) return []
  const from = readSender(read)
  if ('unreadable' in from) return from
  const sender = judgeSender(headers, from.address, config)
  if ('unreadable' in sender) return sender
  const proven = provenOf(headers, config)
  // Being one of ours is not enough to act as one by mail: it takes an answer to a mail of ours as well.
  const kind = sender.isAgent && proven.length > 0 ? 'agent' : 'customer'
  const person = personOf(from, sender.isVerified)
  return [threaded(read, { kind, from, proven, requester: person })]
}

/**
 * The Sent folder: only whoever has the mailbox's password writes to it. What the hub sent is there too, under its signed id.
 */
function readSent(read: ReadMail): readonly Observation[] | Unreadable {
  const { headers, config } = read
  const from = readSender(read)
  if ('unreadable' in from) return from
  if (!isAgent(from.address, config)) return []
  const caseId = provenMessageId(config, read.messageId)
  if (caseId) {
    const message = messageOf(read, 'agent', from)
    return [{ type: 'message', occurredAt: message.sentAt, byHub: true, caseId, message }]
  }
  const [customer] = guestsOf(headers, config)
  if (customer === undefined) return []
  const requester = { emails: [customer], verified: false }
  return [threaded(read, { kind: 'agent', from, proven: provenOf(headers, config), requester })]
}

/** Ours once more: a copy to ourselves, or a mail that came back around. */
function isEcho({ headers, messageId, config }: ReadMail): boolean {
  if (provenMessageId(config, messageId) !== undefined) return true
  return valuesOf(headers, 'x-loop').some((mark) => mark.trim().toLowerCase() === loopMark(config))
}

interface From {
  readonly address: string
  readonly name: string
}

/** The address as we read it; the parser, which gives the name, must read the same. */
function readSender({ headers, mail }: ReadMail): From | Unreadable {
  const from = readFrom(headers)
  if ('unreadable' in from) return from
  const { address } = from
  const other = mail.from?.address
  if (other !== undefined && ascii(other) !== address) {
    return { unreadable: `its From line can be read as ${address} and as ${other.slice(0, 100)}` }
  }
  const name = mail.from?.name.slice(0, 200) ?? ''
  // A name that shows another address is there to deceive.
  return { address, name: name.includes('@') ? '' : name }
}

function ascii(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}@${domainToASCII(address.slice(at + 1))}`.toLowerCase()
}

function personOf({ address, name }: From, verified: boolean): PersonFacts {
  return { emails: [address], ...(name === '' ? {} : { name }), verified }
}

interface Part {
  readonly kind: 'agent' | 'customer'
  readonly from: From
  readonly proven: readonly string[]
  readonly requester: PersonFacts
}

function threaded(read: ReadMail, { kind, from, proven, requester }: Part): Observation {
  const { headers, mail, config, messageId } = read
  const claimed = messageOf(read, kind, from)
  const isUnproven = kind === 'customer' && requester.verified === false
  const message = isUnproven ? { ...claimed, author: { ...claimed.author, verified: false as const } } : claimed
  const { subject, calendarMethod } = mail
  const clues = { headers, from: from.address, subject, ...(calendarMethod ? { calendarMethod } : {}) }
  const thread: ThreadFacts = {
    opens: {
      // With the sender in it, so that nobody's mail opens a case under the id of another's.
      id: caseIdOf(config, `${messageId}\n${from.address}`),
      ...(subject === '' ? {} : { subject: subject.slice(0, 500).toWellFormed() }),
      status: 'new',
      channel: 'email',
      requester,
      createdAt: message.sentAt,
      updatedAt: message.sentAt,
    },
    proven,
    answers: answersOf(headers, config),
    from: from.address,
    ...(kind === 'agent' ? { guests: guestsOf(headers, config) } : {}),
    automatic: automaticSign(clues, kind === 'agent' && read.folder === 'sent' ? nobody : config) !== undefined,
  }
  return { type: 'threaded', occurredAt: message.sentAt, byHub: false, message, thread }
}

/** In the Sent folder our own address is no sign of a machine. */
const nobody = { address: '' }

function messageOf(read: ReadMail, kind: 'agent' | 'customer', from: From): MessageFacts {
  const { mail, headers, receivedAt, messageId, key } = read
  // By their ids they are found again in the mailbox.
  const attachments = mail.attachments.map((file) => ({ ...file, id: `${key}|${file.id}` }))
  return {
    id: messageId,
    visibility: 'public',
    author: { kind, email: from.address, ...(from.name === '' ? {} : { name: from.name }) },
    text: mail.text,
    ...(mail.html === '' ? {} : { html: mail.html }),
    ...(attachments.length === 0 ? {} : { attachments }),
    sentAt: sentAtOf(headers, receivedAt),
  }
}

const maxHeadValue = 8_000

/**
 * The few lines that parsing needs. All others stay out of the parser: it reads long address lines slowly, and of several lines
 * of a name it takes the last.
 */
function headFor(headers: readonly Header[]): string {
  const names = ['content-type', 'content-transfer-encoding', 'content-disposition', 'from', 'subject']
  const lines = names.flatMap((name) => {
    const value = firstOf(headers, name)
    return value === undefined ? [] : [`${name}: ${value.slice(0, maxHeadValue)}`]
  })
  return `${lines.join('\r\n')}\r\n\r\n`
}
