/** How a tool learns that a message was changed or taken back. Pure. */
import type { Capabilities } from '#hub/connector/contract.ts'
import type { Author, Visibility } from '#hub/connector/facts.ts'
import type { Action } from './action.ts'

export interface Revision {
  /** The case, as the tool knows it. */
  readonly externalId: string
  /** The message there; absent while its receipt is not here yet. */
  readonly messageExternalId?: string | undefined
  readonly visibility: Visibility
  /** As it is now; absent when it was taken back. */
  readonly text?: string | undefined
  readonly earlierText: string
  readonly author: Author
}

/** Long enough to know which message is meant. */
const quotedChars = 140

/** In its place where the tool can do that; otherwise as one more message, which is seen by the same people. */
export function reviseOrCorrect(writeCase: Capabilities<unknown>['writeCase'], revision: Revision): Action {
  const { externalId, messageExternalId, visibility, text, earlierText, author } = revision
  if (messageExternalId !== undefined && writeCase?.revise?.takes.includes(visibility)) {
    return { type: 'case.revise', externalId, messageId: messageExternalId, ...(text === undefined ? {} : { text }) }
  }
  const correction = text === undefined ? `Withdrawn: ${quoted(earlierText)}` : `Correction: ${text}`
  return { type: 'case.message', externalId, message: { visibility, text: correction }, author }
}

function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const characters = [...line]
  return characters.length > quotedChars ? `“${characters.slice(0, quotedChars - 1).join('')}…”` : `“${line}”`
}
