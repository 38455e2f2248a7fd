/** Questions of rules that a person answers with yes or no. */
import { z } from 'zod'
import { type Approval, approvalById, approvalPage, decisions } from '#hub/approvals/index.ts'
import { decide } from '#hub/pipeline/command.ts'
import { audit } from '#hub/platform/db/audit.ts'
import { listOf, pageOf, toPage } from '../paging.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { byId, Id, SourceShape, Time, time, toSource } from '../wire.ts'

const tag = 'approvals'

const ApprovalShape = z
  .strictObject({
    id: z.string(),
    case_id: z.string(),
    question: z.string().meta({ description: 'For colleagues: it may quote what was said internally.' }),
    asked_by: SourceShape,
    connection_id: z.string(),
    asked_of: z.string().meta({ description: "The channel, or the agent's address." }),
    asked_at: Time,
    decision: z.strictObject({ decision: z.enum(decisions), by: z.string(), at: Time }).nullable(),
  })
  .meta({ id: 'Approval' })

function toApproval({ decided, ...approval }: Approval): z.input<typeof ApprovalShape> {
  return {
    id: approval.id,
    case_id: approval.caseId,
    question: approval.question,
    asked_by: toSource(approval.askedBy),
    connection_id: approval.connectionId,
    asked_of: approval.askedOf,
    asked_at: time(approval.askedAt),
    decision: decided && { decision: decided.decision, by: decided.by, at: time(decided.at) },
  }
}

export const approvalRoutes = [
  route({
    id: 'listApprovals',
    method: 'GET',
    path: '/approvals',
    summary: 'What was asked, newest first',
    tag,
    query: z.strictObject({
      ...pageOf(z.tuple([z.string().max(200)])),
      case: Id.optional(),
      state: z.enum(['open', 'decided']).optional(),
    }),
    response: listOf(ApprovalShape),
    async handler(hub, { query: { limit, cursor, case: caseId, state } }) {
      const isOpen = state === undefined ? undefined : state === 'open'
      const rows = await approvalPage(hub.db, { caseId, isOpen, limit: limit + 1, after: cursor?.[0] })
      return toPage(rows, limit, ({ id }) => [id], toApproval)
    },
  }),
  route({
    id: 'getApproval',
    method: 'GET',
    path: '/approvals/{id}',
    summary: 'One question, and what was decided',
    tag,
    params: byId,
    response: ApprovalShape,
    async handler(hub, { params }) {
      const approval = await approvalById(hub.db, params.id)
      if (!approval) throw notFound()
      return toApproval(approval)
    },
  }),
  route({
    id: 'decideApproval',
    method: 'POST',
    path: '/approvals/{id}/decide',
    summary: 'Say yes or no: once, with a note on the case, and rules follow it',
    tag,
    params: byId,
    body: z.strictObject({ decision: z.enum(decisions) }),
    response: ApprovalShape,
    async handler(hub, { params, body, actor }) {
      const done = await decide(hub, hub.rules, { id: params.id, decision: body.decision, by: { name: actor } })
      if (done.result === 'unknown') throw notFound()
      if (done.result !== 'decided') {
        const { decision, by } = done.approval.decided ?? {}
        throw new Problem('conflict', `${by ?? 'somebody'} ${decision ?? 'decided'} this already`)
      }
      await audit(hub.db, actor, `approval.${body.decision}`, params.id, { case_id: done.approval.caseId })
      return toApproval(done.approval)
    },
  }),
]
