/** Which addresses our messages reach, from what came back and from who writes. */
import { namedCases } from '#hub/cases/index.ts'
import { normaliseEmail } from '#hub/identity/index.ts'
import type { Fact } from '#hub/normalise/index.ts'
import { lift, suppress } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Step } from './conclude.ts'

export async function noteReachable(trx: Trx, steps: readonly Step<Fact>[], now: Date): Promise<void> {
  await lift(
    trx,
    steps.flatMap(({ fact }) =>
      fact.type === 'threaded' && !fact.thread.automatic ? (normaliseEmail(fact.thread.from) ?? []) : [],
    ),
  )
  const gone = steps.flatMap(({ connectionId, fact }) => {
    const address = fact.type === 'bounce' && fact.bounce.permanent ? normaliseEmail(fact.bounce.address) : undefined
    return fact.type === 'bounce' && address ? [{ connectionId, address, bounce: fact.bounce }] : []
  })
  if (gone.length === 0) return
  const refs = gone.map(({ connectionId, bounce }) => ({ connectionId, externalId: bounce.caseId }))
  const known = await namedCases(trx, refs, [])
  await suppress(
    trx,
    gone.flatMap(({ connectionId, address, bounce }) => {
      const about = known.find((one) => one.connectionId === connectionId && one.externalIds.includes(bounce.caseId))
      // Who has a message of ours can send its report with any address in it: only those of the case count.
      const isTheirs = about?.participants.some((one) => normaliseEmail(one) === address)
      return about && isTheirs ? [{ address, reason: bounce.reason, connectionId, caseId: about.caseId }] : []
    }),
    now,
  )
}
