/** Which addresses our messages reach, from what came back and from who writes. */
import { namedCases } from '#hub/cases/index.ts'
import { normaliseEmail } from '#hub/identity/index.ts'
import type { Fact } from '#hub/normalise/index.ts'
import { lift, noteSoftBounces, suppress } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Step } from './conclude.ts'

export async function noteReachable(trx: Trx, steps: readonly Step<Fact>[], now: Date): Promise<void> {
  const writes = steps.map(({ fact }) =>
    fact.type === 'threaded' && !fact.thread.automatic ? normaliseEmail(fact.thread.from) : undefined,
  )
  await lift(
    trx,
    writes.filter((address) => address !== undefined),
  )
  const told = steps.flatMap(({ connectionId, fact }, at) => {
    const address = fact.type === 'bounce' ? normaliseEmail(fact.bounce.address) : undefined
    // Whoever writes after the report is reached again.
    const isOver = address !== undefined && writes.includes(address, at)
    return fact.type === 'bounce' && address && !isOver ? [{ connectionId, address, fact }] : []
  })
  if (told.length === 0) return
  const refs = told.map(({ connectionId, fact }) => ({ connectionId, externalId: fact.bounce.caseId }))
  const known = await namedCases(trx, refs, [])
  const bounces = told.flatMap(({ connectionId, address, fact: { bounce, occurredAt } }) => {
    const about = known.find((one) => one.connectionId === connectionId && one.externalIds.includes(bounce.caseId))
    // Who has a message of ours can send its report with any address in it: only those of the case count.
    const isTheirs = about?.participants.some((one) => normaliseEmail(one) === address)
    if (!about || !isTheirs) return []
    const { messageId, reason, permanent } = bounce
    // Where the report does not name the message, those of one day are one.
    const message = `${connectionId} ${messageId ?? `${bounce.caseId} ${occurredAt.slice(0, 10)}`}`
    return [
      { address, reason, connectionId, caseId: about.caseId, permanent, message, bouncedAt: new Date(occurredAt) },
    ]
  })
  await suppress(
    trx,
    bounces.filter(({ permanent }) => permanent),
    now,
  )
  await noteSoftBounces(
    trx,
    bounces.filter(({ permanent }) => !permanent),
    now,
  )
}
