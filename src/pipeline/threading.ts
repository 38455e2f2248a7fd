/** Mail has no cases: each message is given its case before the batch is worked, by one query for all. */
import { createThreads, namedCases, noteGuests, otherMessageId, type Placement } from '#hub/cases/index.ts'
import type { CaseFact } from '#hub/normalise/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Step } from './conclude.ts'

/** A fact about a case that is told by its id. */
export type PlacedFact = Exclude<CaseFact, { type: 'threaded' }> & {
  /** A message only: the customer wrote again. */
  readonly reopens?: boolean
  /** A new case only: the connection's id of the case that its sender had named. */
  readonly claims?: string
}

type ThreadedFact = Extract<CaseFact, { type: 'threaded' }>

export async function placeThreads(trx: Trx, steps: readonly Step<CaseFact>[]): Promise<readonly Step[]> {
  const threaded = steps.flatMap((step) => (step.fact.type === 'threaded' ? [{ ...step, fact: step.fact }] : []))
  const named = threaded.length === 0 ? [] : await casesNamedBy(trx, threaded)
  const threads = createThreads(named)
  const guests: Parameters<typeof noteGuests>[1][number][] = []
  const inOrder = threaded.toSorted((a, b) => Date.parse(a.fact.message.sentAt) - Date.parse(b.fact.message.sentAt))
  let next = 0
  const placed = steps.flatMap((step): readonly Step[] => {
    const { fact: told } = step
    if (told.type !== 'threaded') return [{ ...step, fact: told }]
    const turn = inOrder[next]
    next += 1
    if (!turn) return []
    const { connectionId } = turn
    const placement = threads.place(connectionId, turn.fact.message, turn.fact.thread)
    if (placement.kind === 'joins') {
      const { externalId, message } = placement
      guests.push(...placement.guests.map((address) => ({ connectionId, externalId, address, messageId: message.id })))
    }
    return factsOf(placement, turn.fact).map((fact) => ({ ...turn, fact }))
  })
  await noteGuests(trx, guests)
  return placed
}

function casesNamedBy(trx: Trx, threaded: readonly Step<ThreadedFact>[]) {
  return namedCases(
    trx,
    threaded.flatMap(({ connectionId, fact: { thread } }) =>
      [...thread.proven, thread.opens.id].map((externalId) => ({ connectionId, externalId })),
    ),
    threaded.flatMap(({ connectionId, fact: { message, thread } }) =>
      [message.id, otherMessageId(message, thread.from), ...thread.answers].map((messageId) => ({
        connectionId,
        messageId,
      })),
    ),
  )
}

function factsOf(placement: Placement, { occurredAt, byHub, readAt }: ThreadedFact): readonly PlacedFact[] {
  if (placement.kind === 'nowhere') return []
  const about = { occurredAt, byHub, ...(readAt === undefined ? {} : { readAt }) }
  const { message } = placement
  if (placement.kind === 'opens') {
    const claims = placement.claims === undefined ? {} : { claims: placement.claims }
    return [
      { ...about, type: 'case', case: placement.case, ...claims },
      { ...about, type: 'message', caseId: placement.case.id, message },
    ]
  }
  // What the hub itself wrote is kept and raises nothing; so is what a machine answered.
  const told = { ...about, byHub: byHub || placement.isSilent }
  return [{ ...told, type: 'message', caseId: placement.externalId, message, reopens: placement.reopens }]
}
