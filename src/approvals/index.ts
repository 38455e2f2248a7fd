/**
 * In: questions that rules ask; the decision of whoever was asked. Out: each decided once, with the event that rules follow
 * and the note that stays on the case. Never here: showing the question; that is chat's.
 */
import { isAddress } from '#hub/agents/address.ts'
import { type Agent, mayAct } from '#hub/agents/index.ts'
import { casesInBrief, type DomainEvent, eventBy } from '#hub/cases/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { fill, messagesIn } from '#hub/workbench/messages/index.ts'
import { type Approval, approvalById, type Decision, setDecision } from './store.ts'

export { type Approval, approvalById, approvalPage, type Decision, decisions, insertApprovals } from './store.ts'

/** Who decides: an agent, or through the API whoever holds its token. */
export interface Decider {
  /** As cards and notes name them. */
  readonly name: string
  readonly agent?: Agent
}

export type Decided =
  | {
      readonly result: 'decided'
      readonly approval: Approval
      /** To be followed by rules, and the note to be written on the case, in the same transaction. */
      readonly event: DomainEvent
      readonly note: { readonly caseId: string; readonly text: string }
    }
  /** Somebody was faster; `approval` says who. */
  | { readonly result: 'decided_before'; readonly approval: Approval }
  /** They may not change anything, or another agent was asked. */
  | { readonly result: 'not_theirs'; readonly approval: Approval }
  | { readonly result: 'unknown' }

/** Once: the first word counts. Under the workspace's lock. */
export async function decideApproval(
  trx: Trx,
  id: string,
  decision: Decision,
  by: Decider,
  now: Date,
): Promise<Decided> {
  const asked = await approvalById(trx, id)
  const about = asked && (await casesInBrief(trx, [asked.caseId])).get(asked.caseId)
  if (!asked || !about) return { result: 'unknown' }
  if (asked.decided) return { result: 'decided_before', approval: asked }
  if (by.agent && !mayDecide(asked, by.agent)) return { result: 'not_theirs', approval: asked }
  if (!(await setDecision(trx, id, decision, by.name, now))) {
    return { result: 'decided_before', approval: (await approvalById(trx, id)) ?? asked }
  }
  const approval: Approval = { ...asked, decided: { decision, by: by.name, at: now } }
  const { question, caseId } = approval
  const actor = { kind: 'person', name: by.name } as const
  const words = messagesIn[by.agent?.language ?? 'en'].approval
  return {
    result: 'decided',
    approval,
    event: eventBy(actor, `approval.${decision}`, about, { approvalId: id, question }, id, now),
    note: { caseId, text: `${fill(words[decision], { name: by.name })}: ${question}` },
  }
}

/** A question in a channel is for all who work there; one to a person for that person, and those who lead. */
export function mayDecide({ askedOf }: Pick<Approval, 'askedOf'>, agent: Agent): boolean {
  if (!mayAct(agent)) return false
  return !isAddress(askedOf) || askedOf === agent.email || agent.role === 'admin' || agent.role === 'lead'
}
