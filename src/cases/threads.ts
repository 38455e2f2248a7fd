/**
 * Which case a message of a channel without cases of its own (mail) belongs to. Pure: who takes part in which case is given;
 * what one message of a batch opens, the next may join.
 *
 * Proof or a reference names a case; only who takes part in it joins it. Everybody else opens a case of their own that
 * tells us, and nobody else, which one they meant.
 */
import { createHash } from 'node:crypto'
import type { CaseFacts, MessageFacts, ThreadFacts } from '#hub/connector/facts.ts'
import { normaliseEmail } from '#hub/identity/email.ts'

/** A case that some message names, as one connection knows it. */
export interface NamedCase {
  readonly connectionId: string
  /** The hub's id. */
  readonly caseId: string
  /** Its ids there; messages go by the first. */
  readonly externalIds: readonly string[]
  readonly isClosed: boolean
  /** Addresses of its requester and of everybody who wrote in it. */
  readonly participants: readonly string[]
  /** The vendor's ids of those of its messages that somebody names, or that came again. */
  readonly messageIds: readonly string[]
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

const key = (connectionId: string, id: string) => `${connectionId}\n${id}`

export function createThreads(named: readonly NamedCase[]): Threads {
  const byCaseId = new Map<string, Known>()
  const byMessageId = new Map<string, Known>()
  for (const { connectionId, externalIds, isClosed, participants, messageIds } of named) {
    const [externalId] = externalIds
    if (externalId === undefined) continue
    const known = { externalId, isClosed, participants: new Set(participants.map(addressOf)) }
    for (const id of externalIds) byCaseId.set(key(connectionId, id), known)
    for (const id of messageIds) byMessageId.set(key(connectionId, id), known)
  }

  function place(connectionId: string, message: MessageFacts, thread: ThreadFacts): Placement {
    if (byMessageId.has(key(connectionId, message.id))) return { kind: 'nowhere' }
    const from = addressOf(thread.from)
    // Its own id last: a message that opened this very case under another id.
    const candidates = [
      ...thread.proven.map((id) => byCaseId.get(key(connectionId, id))),
      ...thread.answers.map((id) => byMessageId.get(key(connectionId, id))),
      byCaseId.get(key(connectionId, thread.opens.id)),
    ].filter((one) => one !== undefined)
    // What an agent wrote comes from our own mailbox, which strangers cannot write to.
    const isOurs = message.author.kind === 'agent'
    const mine = candidates.find((one) => isOurs || one.participants.has(from))
    if (mine && (!mine.isClosed || isOurs || thread.automatic)) return join(connectionId, mine, message, thread)
    if (thread.automatic || isOurs) return { kind: 'nowhere' }
    return open(connectionId, message, thread, mine ?? candidates[0])
  }

  function join(connectionId: string, known: Known, message: MessageFacts, thread: ThreadFacts): Placement {
    byMessageId.set(key(connectionId, message.id), known)
    const { externalId } = known
    if (!thread.automatic) {
      known.participants.add(addressOf(thread.from))
      return { kind: 'joins', externalId, message, reopens: message.author.kind === 'customer', isSilent: false }
    }
    const quiet = { ...message, visibility: 'internal', author: { ...message.author, kind: 'system' } } as const
    return { kind: 'joins', externalId, message: quiet, reopens: false, isSilent: true }
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
    byMessageId.set(key(connectionId, message.id), known)
    return { kind: 'opens', case: { ...opens, id }, message, ...(claimed ? { claims: claimed.externalId } : {}) }
  }

  return { place }
}

function addressOf(text: string): string {
  return normaliseEmail(text) ?? text.trim().toLowerCase()
}

/** A stranger sent a message that claims to be the one that opened somebody's case. */
function anotherId(caseId: string, messageId: string): string {
  return createHash('sha256').update(`${caseId}\n${messageId}`).digest('hex').slice(0, 16)
}
