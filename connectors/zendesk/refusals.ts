/** Zendesk's rules for tickets that a write of ours can break, and what to do about each. */
import { ConnectorError } from '#hub/connector/errors.ts'

export function isOutsideGroup(error: unknown): boolean {
  return isRefused(error, 'Assignee: is not a member of the group')
}

/** @returns the error to throw: with what to do, where Zendesk's words say only what is missing. */
export function inOurWords(error: unknown): unknown {
  if (!isRefused(error, 'Assignee: is required when solving a ticket')) return error
  return new ConnectorError(
    'rejected',
    'status "solved": Zendesk solves no ticket that is assigned to nobody; assign it first and solve it again, or have the ' +
      'rule that solves it assign it too',
    { cause: error },
  )
}

function isRefused(error: unknown, words: string): boolean {
  return error instanceof ConnectorError && error.code === 'rejected' && error.message.includes(words)
}
