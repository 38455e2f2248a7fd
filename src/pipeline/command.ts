/**
 * Acts that begin in the hub: a person's change through API or chat, an answered survey. They enter at the same place as
 * observations do, and leave by the same outbox.
 */
import { isAddress } from '#hub/agents/address.ts'
import { type Approval, type Decided, type Decider, type Decision, decideApproval } from '#hub/approvals/index.ts'
import { createCaseBook, type DomainEvent, type Fields, loadBook } from '#hub/cases/index.ts'
import type { OutMessage } from '#hub/connector/contract.ts'
import { effectKey, type OutboxEntry } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Cause } from '#hub/platform/db/schema.ts'
import { newId } from '#hub/platform/ids.ts'
import { type Snooze, snooze, unsnooze } from '#hub/snoozes/index.ts'
import { type Consequences, createConsequences } from './consequences.ts'
import { inWorkspace, type PipelineHub } from './index.ts'
import type { RuleBook } from './rule-book.ts'

export interface CaseCommand {
  readonly caseId: string
  /** Who does it, as the audit names them. */
  readonly actor: string
  readonly change?: Fields
  readonly message?: OutMessage
}

/** @returns false when there is no such case. */
export async function command(hub: PipelineHub, rules: RuleBook, act: CaseCommand): Promise<boolean> {
  const done = await inWorkspace(hub.db, async (trx) => {
    const { book, consequences } = await open(trx, hub, rules, [act.caseId])
    if (!book.get(act.caseId)) return false
    const cause = { eventId: newId('cmd'), actor: act.actor, depth: 0 }
    if (act.change) consequences.change(act.caseId, act.change, { kind: 'person', name: act.actor }, cause)
    if (act.message) consequences.message(act.caseId, act.message, { kind: 'agent', name: act.actor }, cause)
    await consequences.save()
    return true
  })
  hub.signals.raise('outbox')
  return done
}

/** A person's yes or no, with the note that it leaves on the case and everything that follows from it. */
export async function decide(
  hub: PipelineHub,
  rules: RuleBook,
  { id, decision, by }: { readonly id: string; readonly decision: Decision; readonly by: Decider },
): Promise<Decided> {
  const decided = await inWorkspace(hub.db, async (trx) => {
    const done = await decideApproval(trx, id, decision, by, hub.now())
    if (done.result !== 'decided') return done
    const { event, note } = done
    const { consequences } = await open(trx, hub, rules, [note.caseId])
    const cause = { ...event.cause, eventId: event.id }
    const author = { kind: 'agent', name: by.name, ...(by.agent ? { email: by.agent.email } : {}) } as const
    consequences.message(note.caseId, { visibility: 'internal', text: note.text }, author, cause)
    consequences.follow([event])
    consequences.put(cardOf(done.approval, cause))
    await consequences.save()
    return done
  })
  hub.signals.raise('outbox')
  return decided
}

/** Where it was asked, its card says what was decided. */
function cardOf({ id, caseId, connectionId, askedOf }: Approval, cause: Cause): OutboxEntry {
  const to = isAddress(askedOf) ? { agent: askedOf } : { channel: askedOf }
  return {
    key: effectKey(cause.eventId ?? '', 'approval', id),
    lane: connectionId,
    orderKey: caseId,
    connectionId,
    caseId,
    action: { type: 'chat.show', show: { what: 'approval', approvalId: id, to } },
    cause,
  }
}

/** @returns false when there is no such case. */
export async function putAside(hub: PipelineHub, rules: RuleBook, wanted: Snooze): Promise<boolean> {
  const done = await inWorkspace(hub.db, async (trx) => {
    const events = await snooze(trx, wanted, hub.now())
    if (events) await publish(trx, hub, rules, events)
    return events !== undefined
  })
  hub.signals.raise('outbox')
  return done
}

/** @returns false when the case was not put aside. */
export async function takeBack(hub: PipelineHub, rules: RuleBook, caseId: string, by: string): Promise<boolean> {
  const done = await inWorkspace(hub.db, async (trx) => {
    const events = await unsnooze(trx, caseId, by, hub.now())
    await publish(trx, hub, rules, events)
    return events.length > 0
  })
  hub.signals.raise('outbox')
  return done
}

/** Events that another room raised in its own transaction, under the workspace's lock: recorded, and followed by rules. */
export async function publish(
  trx: Trx,
  hub: PipelineHub,
  rules: RuleBook,
  events: readonly DomainEvent[],
): Promise<void> {
  const caseIds = [...new Set(events.flatMap((event) => event.caseId ?? []))]
  const { consequences } = await open(trx, hub, rules, caseIds)
  consequences.follow(events)
  await consequences.save()
}

async function open(trx: Trx, hub: PipelineHub, rules: RuleBook, caseIds: readonly string[]) {
  const book = createCaseBook(await loadBook(trx, { cases: [], caseIds, messages: [] }), newId)
  const consequences: Consequences = await createConsequences(trx, hub, rules, book, { leaves: [], hasActs: false })
  return { book, consequences }
}
