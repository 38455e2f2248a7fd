/** Everything an agent can do in a chat tool: what the suite runs in each of them, and what docs/chat-functions.md lists. */
import type { ChatFunction } from './chat-function.ts'
import { deeds } from './functions/acts.ts'
import { cards } from './functions/cards.ts'
import { conversation } from './functions/conversation.ts'
import { customers } from './functions/customers.ts'
import { health } from './functions/health.ts'
import { knowledge } from './functions/knowledge.ts'
import { asks, identity } from './functions/people.ts'

/** Each group runs on a hub of its own, in this order. */
export const groups = {
  cards,
  conversation,
  deeds,
  knowledge,
  asks,
  customers,
  identity,
  health,
} as const satisfies Record<string, readonly ChatFunction[]>
export type FunctionId = (typeof groups)[keyof typeof groups][number]['id']
