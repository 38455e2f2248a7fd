/** Which of a batch's automatic mails do not leave. */
import type { CaseBook } from '#hub/cases/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { whyHeld } from './automatic-mail.ts'
import type { AutomaticMail } from './effects.ts'
import { mailCounts } from './mail-counts.ts'

interface Held {
  readonly mail: AutomaticMail
  readonly reason: string
}

/** @param leaving what may leave in this batch, in its order: it counts too, and grows by those of `mails` that may. */
export async function heldMails(
  trx: Trx,
  book: CaseBook,
  mails: readonly AutomaticMail[],
  leaving: AutomaticMail[],
): Promise<readonly Held[]> {
  const counts = await mailCounts(
    trx,
    book,
    [...leaving, ...mails].map((mail) => mail.caseId),
  )
  const requesterOf = (mail: AutomaticMail) => counts.get(mail.caseId)?.rootId ?? mail.caseId
  const held: Held[] = []
  for (const mail of mails) {
    const known = counts.get(mail.caseId)
    if (!known) continue
    const here = leaving.filter((other) => other.caseId === mail.caseId)
    const alsoToday = leaving.filter((other) => requesterOf(other) === requesterOf(mail))
    const reason = whyHeld(
      {
        ...known,
        repliesOnCase: known.repliesOnCase + here.length,
        repliesToday: known.repliesToday + alsoToday.length,
      },
      mail.cause.inboxSeq !== undefined,
    )
    if (reason === undefined) leaving.push(mail)
    else held.push({ mail, reason })
  }
  return held
}
