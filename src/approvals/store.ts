/** The SQL of approvals. */
import { type Selectable, sql } from 'kysely'
import { inserter } from '#hub/platform/db/bulk.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { Schema, Source } from '#hub/platform/db/schema.ts'

export const decisions = ['approved', 'rejected'] as const
export type Decision = (typeof decisions)[number]

/** A question that somebody must answer with yes or no before it goes on. */
export interface Approval {
  readonly id: string
  readonly caseId: string
  /** For colleagues' eyes: a rule may have put the text of an internal message into it. */
  readonly question: string
  readonly askedBy: Source
  readonly connectionId: string
  /** The channel, or the agent's address. */
  readonly askedOf: string
  readonly askedAt: Date
  readonly decided: { readonly decision: Decision; readonly by: string; readonly at: Date } | null
}

/** One that is there already stays as it is. */
export const insertApprovals = inserter<Omit<Approval, 'decided'>>({
  table: 'approvals',
  columns: {
    id: 'text',
    caseId: 'text',
    question: 'text',
    askedBy: 'jsonb',
    connectionId: 'text',
    askedOf: 'text',
    askedAt: 'timestamptz',
  },
  onConflict: 'on conflict (workspace_id, id) do nothing',
})

export async function approvalById(db: Db, id: string): Promise<Approval | undefined> {
  const row = await db.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toApproval(row)
}

/** @returns false when it was decided meanwhile. */
export async function setDecision(db: Db, id: string, decision: Decision, by: string, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('approvals')
    .set({ decision, decided_by: by, decided_at: now })
    .where('id', '=', id)
    .where('decision', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export interface ApprovalFilter {
  readonly caseId?: string | undefined
  readonly isOpen?: boolean | undefined
  readonly limit: number
  /** The last of the page before. */
  readonly after?: string | undefined
}

/** Newest first. */
export async function approvalPage(db: Db, { caseId, isOpen, limit, after }: ApprovalFilter): Promise<Approval[]> {
  let query = db.selectFrom('approvals').selectAll().orderBy('asked_at', 'desc').orderBy('id', 'desc').limit(limit)
  if (caseId !== undefined) query = query.where('case_id', '=', caseId)
  if (isOpen !== undefined) query = query.where('decision', isOpen ? 'is' : 'is not', null)
  if (after !== undefined) {
    query = query.where(
      sql<boolean>`(asked_at, id) < (select last.asked_at, last.id from approvals last where last.id = ${after})`,
    )
  }
  return (await query.execute()).map(toApproval)
}

function toApproval(row: Selectable<Schema['approvals']>): Approval {
  const { decision, decided_by: by, decided_at: at } = row
  return {
    id: row.id,
    caseId: row.case_id,
    question: row.question,
    askedBy: row.asked_by,
    connectionId: row.connection_id,
    askedOf: row.asked_of,
    askedAt: row.asked_at,
    decided: decision && at ? { decision, by: by ?? '', at } : null,
  }
}
