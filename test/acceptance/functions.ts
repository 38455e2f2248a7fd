/** Everything an agent can do in a chat tool: what the suite runs in each of them, and what docs/chat-functions.md lists. */
import type { ChatFunction } from './chat-function.ts'
import { deeds } from './functions/acts.ts'
import { cards } from './functions/cards.ts'
import { conversation } from './functions/conversation.ts'
import { customers } from './functions/customers.ts'
import { health } from './functions/health.ts'
import { knowledge } from './functions/knowledge.ts'
import { asks, identity } from './functions/people.ts'

/** Each group runs on a hub of its own, in this order; one has no more than a tool's limits for a minute let through. */
export const groups = {
  conversation: [...cards, ...conversation],
  deeds,
  knowledge,
  people: [...asks, ...identity],
  channels: [...customers, ...health],
} as const satisfies Record<string, readonly ChatFunction[]>

export type FunctionId = (typeof groups)[keyof typeof groups][number]['id']
