/** What an approval's card shows. */
import { approvalById } from '#hub/approvals/index.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { namesOfRules, type ShownApproval } from '#hub/workbench/index.ts'

export async function loadApproval(db: Db, id: string): Promise<ShownApproval | undefined> {
  const approval = await approvalById(db, id)
  if (!approval) return undefined
  const { caseId, question, askedBy, askedAt, decided } = approval
  const asker = askedBy.kind === 'rule' ? (await namesOfRules(db, [askedBy.ruleId])).get(askedBy.ruleId) : undefined
  const about = await db.selectFrom('cases').select('subject').where('id', '=', caseId).executeTakeFirst()
  return {
    id,
    caseId,
    subject: about?.subject ?? null,
    question,
    askedBy: askedBy.kind === 'person' ? askedBy.name : (asker ?? 'Deskweave'),
    askedAt: askedAt.toISOString(),
    decision: decided && {
      isApproved: decided.decision === 'approved',
      by: decided.by,
      at: decided.at.toISOString(),
    },
  }
}
