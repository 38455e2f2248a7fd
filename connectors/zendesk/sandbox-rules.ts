/**
 * Zendesk's own rules for tickets, which nobody can turn off.
 * https://support.zendesk.com/hc/en-us/articles/4408894213018-About-native-system-ticket-rules
 */
import { type Desk, DeskRefusal, type DeskTicket, type DeskUser, type TicketPatch } from './sandbox-desk.ts'

type People = Pick<Desk, 'users' | 'groups'>
type Before = Pick<DeskTicket, 'status' | 'assigneeId' | 'groupId'>

export const lightAgent = 1

/** @returns what the patch does, with what Zendesk does by itself because of it. @throws DeskRefusal */
export function underRules(people: People, before: Before, patch: TicketPatch): TicketPatch {
  const assignee = assigneeOf(people, patch)
  if (patch.groupId && !people.groups.has(patch.groupId)) throw invalid('group', 'Group: does not exist')
  const place = placeOf(people, before, patch, assignee)
  const assigneeId = place.assigneeId === undefined ? before.assigneeId : place.assigneeId
  const wanted = patch.status ?? before.status
  const status = wanted === 'new' && assigneeId ? 'open' : wanted
  if (patch.status === 'new' && before.status !== 'new') throw invalid('status', 'Status: cannot be set back to new')
  if (status === 'solved' && !assigneeId) throw invalid('base', 'Assignee: is required when solving a ticket')
  return { ...patch, ...place, status, comment: commentOf(people, patch) }
}

function assigneeOf({ users }: People, { assigneeId }: TicketPatch): DeskUser | undefined {
  if (!assigneeId) return undefined
  const assignee = users.get(assigneeId)
  if ((assignee?.role ?? 'end-user') === 'end-user') throw invalid('assignee', 'Assignee: is not an agent')
  if (assignee?.roleType === lightAgent || assignee?.suspended) throw invalid('assignee', 'Assignee: is invalid')
  return assignee
}

/** An agent works in their own groups only: where none is set, theirs is; and who is not in a new group loses the ticket. */
function placeOf({ users }: People, before: Before, patch: TicketPatch, assignee: DeskUser | undefined) {
  const groupId = patch.groupId === undefined ? before.groupId : patch.groupId
  if (assignee) {
    if (groupId === null) return { assigneeId: assignee.id, groupId: assignee.groupIds[0] ?? null }
    if (!assignee.groupIds.includes(groupId)) throw invalid('assignee', 'Assignee: is not a member of the group')
    return { assigneeId: assignee.id, groupId }
  }
  const holder = before.assigneeId === null ? undefined : users.get(before.assigneeId)
  const isLeft = holder !== undefined && patch.groupId != null && !holder.groupIds.includes(patch.groupId)
  return { assigneeId: isLeft ? null : patch.assigneeId, groupId: patch.groupId }
}

/** What light agents say is read by agents only, whatever was asked for. */
function commentOf({ users }: People, { comment }: TicketPatch): TicketPatch['comment'] {
  const author = comment?.authorId === undefined ? undefined : users.get(comment.authorId)
  if (author?.suspended) throw invalid('author', 'Author: is invalid')
  return comment && { ...comment, isPublic: comment.isPublic && author?.roleType !== lightAgent }
}

function invalid(field: string, words: string): DeskRefusal {
  return new DeskRefusal(422, 'RecordInvalid', words, field)
}
