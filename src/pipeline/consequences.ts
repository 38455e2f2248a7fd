/**
 * What follows from events: rules, what they change, what follows from that, until nothing does or the chain is cut. All in
 * memory; `save` writes it in the batch's transaction.
 */
import { type CaseBook, type DomainEvent, type Fields, read, saveBook } from '#hub/cases/index.ts'
import { followInChat } from '#hub/chat/index.ts'
import type { Author } from '#hub/connector/facts.ts'
import { profileViewsFor } from '#hub/identity/index.ts'
import { type OutboxEntry, putInOutbox } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Cause, Source } from '#hub/platform/db/schema.ts'
import { together } from '#hub/platform/db/together.ts'
import {
  admit,
  causeOfRule,
  evaluateRules,
  type RuleRun,
  type RuleSet,
  recordRuns,
  runsSince,
} from '#hub/rules/index.ts'
import type { PlannedAction, ProfileView, RuleOutcome } from '#hub/rules/plan.ts'
import { snoozedAmong, wakeEarly } from '#hub/snoozes/index.ts'
import { cancelSurveys, planSurveys, type SolvedCase } from '#hub/surveys/index.ts'
import { type RefusedWish, showInChat } from './chat-wishes.ts'
import { type AutomaticMail, createEffects, type Effects } from './effects.ts'
import { heldMails } from './held-mails.ts'
import type { PipelineHub } from './index.ts'
import type { RuleBook } from './rule-book.ts'
import { contextOf } from './rule-context.ts'

export interface Consequences {
  /** Takes events in the order they happened, with everything that follows from them. */
  follow(events: readonly DomainEvent[]): void
  /** A person's change to a case, with everything that follows from it. */
  change(caseId: string, values: Fields, source: Source, cause: Cause): void
  message: Effects['message']
  /** What a person applies to a case, with everything that follows. */
  apply(caseId: string, actions: readonly PlannedAction[], author: Author, cause: Cause, source: Source): void
  openCase: Effects['openCase']
  merge: Effects['merge']
  put: Effects['put']
  save(): Promise<void>
}

/** What may happen to a batch beside what its rules do. */
interface Expected {
  /** The leaf profiles that its events may be about. */
  readonly leaves: readonly string[]
  /** People in chat act on its cases, perhaps by a macro, whose actions may be about their customers. */
  readonly hasActs: boolean
}

export async function createConsequences(
  trx: Trx,
  hub: PipelineHub,
  rules: RuleBook,
  book: CaseBook,
  { leaves, hasActs }: Expected,
): Promise<Consequences> {
  const ruleSet = await rules.current(trx)
  const wanted = [...new Set([...leaves, ...book.requesters()])]
  const now = hub.now()
  const [profiles, runsWithin, snoozed] = await together(
    hasActs || ruleSet.readsPeople ? profileViewsFor(trx, wanted) : Promise.resolve(new Map<string, ProfileView>()),
    runsWithinHour(trx, ruleSet, book, now),
    snoozedAmong(trx, book.caseIds()),
  )
  const effects = createEffects({ book, profiles, connections: hub.connections.all(), now })
  const recorded: DomainEvent[] = []
  const runs: RuleRun[] = []
  const solved: SolvedCase[] = []
  const reopened = new Set<string>()
  const runsOfCase = new Map(runsWithin)

  function take(event: DomainEvent): readonly DomainEvent[] {
    recorded.push(event)
    if (event.data['deleted'] === true) return []
    if (event.caseId && event.type === 'case.solved') noteSolved(event, event.caseId)
    if (event.caseId && event.type === 'case.reopened') reopened.add(event.caseId)
    if (event.type === 'survey.answered') effects.beforeRating(event)
    effects.afterMerge(event)
    if (!ruleSet.byEvent.has(event.type) && ruleSet.unreadable.length === 0) return []
    const context = contextOf(event, book, profiles, hub.connections)
    return evaluateRules(ruleSet, context, now).flatMap((outcome) => act(event, outcome))
  }

  function act(event: DomainEvent, outcome: RuleOutcome): readonly DomainEvent[] {
    const run = {
      ruleId: outcome.ruleId,
      ruleVersion: outcome.version,
      eventId: event.id,
      ...(event.caseId ? { caseId: event.caseId } : {}),
      ranAt: now,
    }
    if (outcome.result === 'failed') {
      runs.push({ ...run, result: 'failed', detail: { problem: outcome.problem } })
      return []
    }
    const admission = admit(event.cause, outcome.ruleId, runsOfCase.get(event.caseId ?? '') ?? 0)
    if (!admission.ok) {
      runs.push({ ...run, result: 'cut', detail: { problem: admission.problem, ring: admission.ring } })
      hub.log.warn({ case_id: event.caseId, ring: admission.ring }, 'a chain of rules was cut')
      return []
    }
    runs.push({ ...run, result: outcome.result, detail: { actions: outcome.actions, depth: event.cause.depth } })
    if (outcome.result === 'simulated') return []
    if (event.caseId) runsOfCase.set(event.caseId, (runsOfCase.get(event.caseId) ?? 0) + 1)
    return effects.apply(event, outcome, causeOfRule(event, { id: outcome.ruleId, version: outcome.version }))
  }

  /** The rule's run tells why, the case's history too, and rules may tell people. */
  function hold(mail: AutomaticMail, reason: string) {
    effects.hold(mail)
    noteHeld(mail.cause, reason)
    const { ruleId } = mail.cause
    hub.log.warn({ case_id: mail.caseId, rule_id: ruleId, reason }, "a rule's reply was held")
    follow(book.held(mail.caseId, reason, mail.cause, now.toISOString()))
  }

  function noteHeld({ eventId, ruleId }: Cause, reason: string) {
    const at = runs.findIndex((run) => run.eventId === eventId && run.ruleId === ruleId)
    const run = runs[at]
    if (run) runs[at] = { ...run, detail: { ...run.detail, held: reason } }
  }

  function refuse({ cause, caseId, reason }: RefusedWish) {
    noteHeld(cause, reason)
    hub.log.warn(
      { case_id: caseId, rule_id: cause.ruleId, reason },
      'what a rule wanted to show in a chat tool was not shown',
    )
  }

  function noteSolved(event: DomainEvent, caseId: string) {
    const state = book.get(caseId)
    if (!state) return
    reopened.delete(caseId)
    const profileId = read.requester(state.fields)
    solved.push({
      eventId: event.id,
      caseId,
      profileId,
      connectionId: event.connectionId ?? book.linksOf(caseId)[0]?.connectionId ?? null,
      at: event.occurredAt,
      status: read.status(state.fields),
      tags: read.tags(state.fields),
      channel: read.channel(state.fields),
      isMerged: typeof read.custom(state.fields)['merged_into'] === 'string',
    })
  }

  function follow(events: readonly DomainEvent[]) {
    const queue = [...events]
    for (let event = queue.shift(); event; event = queue.shift()) queue.push(...take(event))
    effects.flushWrites()
  }

  /** Cards follow what leaves, and leave with it; they show what rules said of people. */
  async function saveEntries(entries: readonly OutboxEntry[]) {
    const connections = hub.connections.all()
    const shown = await followInChat(trx, { book, connections, events: recorded, outgoing: entries }, now)
    await putInOutbox(trx, [...entries, ...shown], hub.handover)
  }

  return {
    follow,
    change: (caseId, values, source, cause) => follow(effects.change(caseId, values, source, cause)),
    message: effects.message,
    apply: (caseId, actions, author, cause, source) => follow(effects.applyTo(caseId, actions, author, cause, source)),
    openCase: effects.openCase,
    merge: effects.merge,
    put: effects.put,
    async save() {
      const awake = recorded.flatMap(stirs).filter((caseId) => snoozed.has(caseId))
      follow(await wakeEarly(trx, awake, now))
      // What follows from a held reply may be another reply.
      const leaving: AutomaticMail[] = []
      for (let mails = effects.takeMails(); mails.length > 0; mails = effects.takeMails()) {
        for (const { mail, reason } of await heldMails(trx, book, mails, leaving)) hold(mail, reason)
      }
      const wanted = await showInChat(trx, effects.takeWishes(), now)
      for (const one of [...effects.takeRefused(), ...wanted.refused]) refuse(one)
      const entries = [...effects.entries(), ...wanted.entries]
      await together(
        saveBook(trx, book.changed(), recorded, now),
        recordRuns(trx, runs),
        effects.saveTraits(trx).then(() => saveEntries(entries)),
      )
      if (reopened.size > 0) await cancelSurveys(trx, [...reopened], 'the case was reopened')
      if (solved.length > 0) await planSurveys(trx, hub, solved, now)
    },
  }
}

/** Cases that nobody may leave put aside after this. */
function stirs({ type, caseId }: DomainEvent): readonly string[] {
  return caseId && (type === 'message.received' || type === 'case.solved') ? [caseId] : []
}

/** How often rules ran on these cases within the last hour; nobody counts while there are no rules. */
async function runsWithinHour(
  trx: Trx,
  ruleSet: RuleSet,
  book: CaseBook,
  now: Date,
): Promise<ReadonlyMap<string, number>> {
  const caseIds = book.caseIds()
  if (ruleSet.byEvent.size === 0 || caseIds.length === 0) return new Map()
  return await runsSince(trx, caseIds, new Date(now.getTime() - 3_600_000))
}
