/**
 * Acts that begin in the hub: a person's change through API or chat, an answered survey. They enter at the same place as
 * observations do, and leave by the same outbox.
 */
import { createCaseBook, type DomainEvent, type Fields, loadBook } from '#hub/cases/index.ts'
import type { OutMessage } from '#hub/connector/contract.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { newId } from '#hub/platform/ids.ts'
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
  const consequences: Consequences = await createConsequences(trx, hub, rules, book, [])
  return { book, consequences }
}
