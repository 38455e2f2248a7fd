/** What an authentic request holds, and what becomes of each thing in it. Nothing authentic is refused for its content. */
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { InboundContext, InboundItem, InboundRequest } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import { checkTimes } from '#hub/connector/times.ts'
import { digest, type InboxItem, storableKey, storableReason } from '#hub/inbox/index.ts'

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
): Promise<readonly InboxItem[]> {
  const base = { connectionId, source: 'webhook' } as const
  let items: readonly InboundItem[]
  try {
    items = receive.items(request, context)
  } catch (error) {
    return [{ ...base, key: digest(request.body), body: request.body, state: 'quarantined', reason: reasonOf(error) }]
  }
  const read: InboxItem[] = []
  for (const item of items) {
    const row = { ...base, key: storableKey(item.key), body: Buffer.from(item.body) }
    try {
      const observations = await receive.normalise(item, context)
      checkTimes(observations, context.now())
      read.push({ ...row, state: observations.length === 0 ? 'ignored' : 'pending' })
    } catch (error) {
      read.push({ ...row, state: 'quarantined', reason: reasonOf(error) })
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
