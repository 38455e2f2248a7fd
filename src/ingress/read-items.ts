/** What an authentic request holds, and what becomes of each thing in it. Nothing authentic is refused for its content. */
import { isRead } from '#hub/chat/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { ChatHappening } from '#hub/connector/chat.ts'
import type { InboundContext, InboundItem, InboundRequest } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import { checkTimes } from '#hub/connector/times.ts'
import { digest, type InboxItem, storableKey, storableReason } from '#hub/inbox/index.ts'

/** A thing to be stored, and what happened in a chat tool if that is what it tells. */
export interface ReadItem {
  readonly stored: InboxItem
  readonly happening?: ChatHappening
  /** When it happened, as the vendor tells it. */
  readonly occurredAt?: string
}

type Receive = NonNullable<LoadedConnection['connector']['can']['receive']>

/**
 * Things that say something wait for work; events of no interest are kept as ignored; what cannot be read goes to
 * quarantine with the reason, and the others with it are not held up.
 */
export async function readItems(
  receive: Receive,
  request: InboundRequest,
  connectionId: string,
  context: InboundContext<unknown>,
): Promise<readonly ReadItem[]> {
  const base = { connectionId, source: 'webhook' } as const
  let items: readonly InboundItem[]
  try {
    items = receive.items(request, context)
  } catch (error) {
    const stored = { ...base, key: digest(request.body), body: request.body }
    return [{ stored: { ...stored, state: 'quarantined', reason: reasonOf(error) } }]
  }
  const read: ReadItem[] = []
  for (const item of items) {
    const row = { ...base, key: storableKey(item.key), body: Buffer.from(item.body) }
    try {
      const observations = await receive.normalise(item, context)
      checkTimes(observations, context.now())
      const [told] = observations.flatMap((one) => (one.type === 'chat' ? one : []))
      const happening = told?.happening
      // What only asks for something to look at is answered at once and leaves no work.
      const isNothing = observations.length === 0 || (happening !== undefined && isRead(happening))
      read.push({
        stored: { ...row, state: isNothing ? 'ignored' : 'pending' },
        ...(told ? { happening: told.happening, occurredAt: told.occurredAt } : {}),
      })
    } catch (error) {
      read.push({ stored: { ...row, state: 'quarantined', reason: reasonOf(error) } })
    }
  }
  return read
}

/** A connector that stumbles in an unforeseen way is our mistake, not the sender's: the input is kept all the same. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const reason = error instanceof UnreadableInput ? message : `the connector failed on it: ${message}`
  return storableReason(reason)
}
