/** Acme Desk's words to the hub's and back. Pure; tables are complete, or they do not compile. */
import type { CaseFacts, CaseStatus, MessageFacts, Observation } from '#hub/connector/facts.ts'
import type { WireComment, WireEvent, WireState, WireTicket } from './wire.ts'

const toStatus = {
  new: 'new',
  open: 'open',
  waiting: 'pending',
  done: 'solved',
} as const satisfies Record<WireState, CaseStatus>

export const fromStatus = {
  new: 'new',
  open: 'open',
  pending: 'waiting',
  on_hold: 'waiting',
  solved: 'done',
  closed: 'done',
} as const satisfies Record<CaseStatus, WireState>

export function toObservation(event: WireEvent): Observation {
  const head = { occurredAt: event.at, byHub: event.via_api }
  if (event.event === 'ticket') return { ...head, type: 'case', case: toCase(event.ticket) }
  return { ...head, type: 'message', caseId: event.comment.ticket_id, message: toMessage(event.comment) }
}

export function toCase({ id, subject, state, tags, requester, created_at, updated_at }: WireTicket): CaseFacts {
  const { email, ...person } = requester
  return {
    id,
    subject,
    status: toStatus[state],
    tags,
    requester: { ...person, ...(email === undefined ? {} : { emails: [email] }) },
    createdAt: created_at,
    updatedAt: updated_at,
  }
}

function toMessage({ id, is_public, by, text, created_at }: WireComment): MessageFacts {
  return {
    id,
    visibility: is_public ? 'public' : 'internal',
    author: { kind: by === 'requester' ? 'customer' : 'agent' },
    text,
    sentAt: created_at,
  }
}
