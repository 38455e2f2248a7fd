/**
 * Which case a message of a channel without cases of its own (mail) belongs to. Pure: who takes part in which case is given;
 * what one message of a batch opens, the next may join.
 *
 * Proof or a reference names a case; only who takes part in it joins it. Everybody else opens a case of their own that
 * tells us, and nobody else, which one they meant.
 */
import { createHash } from 'node:crypto'
import { type CaseFacts, type MessageFacts, type ThreadFacts, visibilities } from '#hub/connector/facts.ts'
import { normaliseEmail } from '#hub/identity/email.ts'
import { contentHash as contentHashOf } from './book.ts'

/** A case that some message names, as one connection knows it. */
export interface NamedCase {
  readonly connectionId: string
  /** The hub's id. */
  readonly caseId: string
  /** Its ids there; messages go by the first. */
  readonly externalIds: readonly string[]
  readonly isClosed: boolean
  /** Addresses of its requester, of everybody who wrote in it, and of those whom an agent wrote to. */
  readonly participants: readonly string[]
  /** Those of its messages that somebody names, or that came again. */
  readonly messages: readonly NamedMessage[]
}

export interface NamedMessage {
  /** The vendor's id. */
  readonly id: string
  readonly from: string | null
  readonly contentHash: string
  /** The hub sent it: whatever comes with its id is its copy. */
  readonly isOurs: boolean
}

export type Placement =
  /** Known already, or of no interest. */
  | { readonly kind: 'nowhere' }
  | {
      readonly kind: 'joins'
      readonly externalId: string
      readonly message: MessageFacts
      /** A person wrote again: a case that waits or is solved goes on. */
      readonly reopens: boolean
      /** Kept on the case; it is nobody's reply. */
      readonly isSilent: boolean
      /** Those whom its author, one of ours, brought in. */
      readonly guests: readonly string[]
    }
  /** `claims`: the connection's id of the case that the sender named and may not, or can no longer, join. */
  | { readonly kind: 'opens'; readonly case: CaseFacts; readonly message: MessageFacts; readonly claims?: string }

export interface Threads {
  /** Messages in the order in which they were written. */
  place(connectionId: string, message: MessageFacts, thread: ThreadFacts): Placement
}

interface Known {
  readonly externalId: string
  readonly isClosed: boolean
  readonly participants: Set<string>
}
interface KnownMessage {
  readonly message: NamedMessage
  readonly known: Known
}

const key = (connectionId: string, id: string) => `${connectionId}\n${id}`

export function createThreads(named: readonly NamedCase[]): Threads {
  const byCaseId = new Map<string, Known>()
  const byMessageId = new Map<string, KnownMessage>()
  for (const { connectionId, externalIds, isClosed, participants, messages } of named) {
    const [externalId] = externalIds
    if (externalId === undefined) continue
    const known = { externalId, isClosed, participants: new Set(participants.map(addressOf)) }
    for (const id of externalIds) byCaseId.set(key(connectionId, id), known)
    for (const message of messages) byMessageId.set(key(connectionId, message.id), { message, known })
  }

  function place(connectionId: string, given: MessageFacts, thread: ThreadFacts): Placement {
    const message = underItsOwnId(connectionId, given, thread)
    if (!message) return { kind: 'nowhere' }
    const from = addressOf(thread.from)
    // Its own id last: a message that opened this very case under another id.
    const candidates = [
      ...thread.proven.map((id) => byCaseId.get(key(connectionId, id))),
      ...thread.answers.map((id) => byMessageId.get(key(connectionId, id))?.known),
      byCaseId.get(key(connectionId, thread.opens.id)),
    ].filter((one) => one !== undefined)
    // What an agent wrote comes from our own mailbox, which strangers cannot write to.
    const isOurs = message.author.kind === 'agent'
    const mine = candidates.find((one) => isOurs || one.participants.has(from))
    if (mine && (!mine.isClosed || isOurs || thread.automatic)) return join(connectionId, mine, message, thread)
    if (thread.automatic || isOurs) return { kind: 'nowhere' }
    return open(connectionId, message, thread, mine ?? candidates[0])
  }

  /** @returns undefined when it is known. */
  function underItsOwnId(connectionId: string, message: MessageFacts, thread: ThreadFacts): MessageFacts | undefined {
    const same = (id: string) => byMessageId.get(key(connectionId, id))?.message
    const known = same(message.id)
    if (!known) return message
    const isCopy = known.from !== null && addressOf(known.from) === addressOf(thread.from) && hasText(known, message)
    const id = otherMessageId(message, thread.from)
    return known.isOurs || isCopy || same(id) ? undefined : { ...message, id }
  }

  function note(connectionId: string, message: MessageFacts, known: Known, { from }: ThreadFacts) {
    const contentHash = contentHashOf(message.text, message.visibility)
    byMessageId.set(key(connectionId, message.id), {
      known,
      message: { id: message.id, from, contentHash, isOurs: false },
    })
  }

  function join(connectionId: string, known: Known, message: MessageFacts, thread: ThreadFacts): Placement {
    note(connectionId, message, known, thread)
    const { externalId } = known
    if (!thread.automatic) {
      const isOurs = message.author.kind === 'agent'
      // A stranger in copy of a customer's mail is the customer's wish, not ours.
      const guests = isOurs ? [...new Set(thread.guests?.map(addressOf))] : []
      for (const one of [thread.from, ...guests]) known.participants.add(addressOf(one))
      return {
        kind: 'joins',
        externalId,
        message,
        reopens: message.author.kind === 'customer',
        isSilent: false,
        guests,
      }
    }
    const quiet = { ...message, visibility: 'internal', author: { ...message.author, kind: 'system' } } as const
    return { kind: 'joins', externalId, message: quiet, reopens: false, isSilent: true, guests: [] }
  }

  function open(
    connectionId: string,
    message: MessageFacts,
    thread: ThreadFacts,
    claimed: Known | undefined,
  ): Placement {
    const { opens } = thread
    const isTaken = byCaseId.has(key(connectionId, opens.id))
    const id = isTaken ? anotherId(opens.id, message.id) : opens.id
    const participants = new Set([thread.from, ...(opens.requester?.emails ?? [])].map(addressOf))
    const known = { externalId: id, isClosed: false, participants }
    byCaseId.set(key(connectionId, id), known)
    note(connectionId, message, known, thread)
    return { kind: 'opens', case: { ...opens, id }, message, ...(claimed ? { claims: claimed.externalId } : {}) }
  }

  return { place }
}

function addressOf(text: string): string {
  return normaliseEmail(text) ?? text.trim().toLowerCase()
}

/**
 * Broken programs give one id to all their messages, and somebody may give theirs the id of another's: such a message is one of
 * its own, under an id that is the same each time.
 */
export function otherMessageId({ id, text }: MessageFacts, from: string): string {
  return `${id} ${digest(`${addressOf(from)}\n${contentHashOf(text, 'public')}`)}`
}

function hasText(known: NamedMessage, { text }: MessageFacts): boolean {
  return visibilities.some((visibility) => known.contentHash === contentHashOf(text, visibility))
}

/** A stranger sent a message that claims to be the one that opened somebody's case. */
function anotherId(caseId: string, messageId: string): string {
  return digest(`${caseId}\n${messageId}`)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
