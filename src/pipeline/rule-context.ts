/** The one shape that conditions and templates read, made from what the batch holds in memory. */
import { type CaseBook, type DomainEvent, read } from '#hub/cases/index.ts'
import type { Connections } from '#hub/connections/index.ts'
import type { Author, RatingFacts, Visibility } from '#hub/connector/facts.ts'
import type { ApprovalView, CaseView, MessageView, ProfileView, RuleContext } from '#hub/rules/plan.ts'

export function contextOf(
  event: DomainEvent,
  book: CaseBook,
  profiles: ReadonlyMap<string, ProfileView>,
  connections: Pick<Connections, 'nameOf'>,
): RuleContext {
  const from = event.connectionId === undefined ? undefined : connections.nameOf(event.connectionId)
  const caseView = event.caseId === undefined ? null : caseViewOf(event, event.caseId, book, connections)
  return {
    event: {
      type: event.type,
      changes: (event.data['changes'] ?? {}) as RuleContext['event']['changes'],
      connection: from?.name ?? null,
      at: event.occurredAt.toISOString(),
    },
    case: caseView,
    profile: event.profileId === undefined ? null : (profiles.get(event.profileId) ?? null),
    message: messageOf(event),
    rating: ratingOf(event),
    approval: approvalOf(event),
  }
}

function caseViewOf(
  event: DomainEvent,
  caseId: string,
  book: CaseBook,
  connections: Pick<Connections, 'nameOf'>,
): CaseView | null {
  const state = book.get(caseId)
  if (!state) return null
  const links = book.linksOf(caseId)
  const link = links.find((one) => one.connectionId === event.connectionId) ?? links[0]
  const connection = link && connections.nameOf(link.connectionId)
  const assignee = read.assignee(state.fields)
  return {
    id: state.id,
    subject: read.subject(state.fields),
    status: read.status(state.fields),
    priority: read.priority(state.fields),
    channel: read.channel(state.fields),
    tags: read.tags(state.fields),
    team: read.team(state.fields),
    assignee: assignee && { name: assignee.name ?? null, email: assignee.email ?? null },
    custom: read.custom(state.fields),
    url: link?.url ?? null,
    connection: connection?.name ?? '',
    connector: connection?.connector ?? '',
    created_at: state.createdAt.toISOString(),
    updated_at: state.updatedAt.toISOString(),
    solved_at: state.solvedAt?.toISOString() ?? null,
  }
}

function messageOf(event: DomainEvent): MessageView | null {
  if (event.type !== 'message.received' && event.type !== 'message.sent') return null
  const { visibility, author, text } = event.data as { visibility: Visibility; author: Author; text: string }
  return { visibility, author: author.kind, text }
}

function approvalOf({ type, actor, data }: DomainEvent): ApprovalView | null {
  if (type !== 'approval.approved' && type !== 'approval.rejected') return null
  const decision = type === 'approval.approved' ? 'approved' : 'rejected'
  return { question: String(data['question']), decision, by: actor.kind === 'person' ? actor.name : '' }
}

function ratingOf(event: DomainEvent): RuleContext['rating'] {
  const rating = event.data['rating'] as RatingFacts | undefined
  return rating ? { scale: rating.scale, score: rating.score, comment: rating.comment ?? null } : null
}
