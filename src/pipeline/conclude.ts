/** From facts to everything that follows from them: who, which case, what changed, which rules, which effects. */
import {
  type CaseBook,
  type CaseRef,
  createCaseBook,
  type DomainEvent,
  linkedCases,
  loadBook,
} from '#hub/cases/index.ts'
import { type ChatStep, carryOut, readChat, saveWritten } from '#hub/chat/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { CaseFacts, FieldValue, PersonFacts } from '#hub/connector/facts.ts'
import { type PersonClaim, type ResolvedPerson, resolvePeople, rootsOfLeaves } from '#hub/identity/index.ts'
import type { CaseFact, Fact, InboxRow } from '#hub/normalise/index.ts'
import { causesOfOpening, openedCases } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Cause } from '#hub/platform/db/schema.ts'
import { together } from '#hub/platform/db/together.ts'
import { newId } from '#hub/platform/ids.ts'
import { createConsequences } from './consequences.ts'
import type { PipelineHub } from './index.ts'
import { park, takeParked } from './parked.ts'
import { profileEvents } from './profile-events.ts'
import { noteReachable } from './reachable.ts'
import type { RuleBook } from './rule-book.ts'
import { type PlacedFact, placeThreads } from './threading.ts'

export interface Work {
  readonly row: InboxRow
  readonly connection: LoadedConnection
  readonly facts: readonly Fact[]
}

/** One fact on its way through the batch. */
export interface Step<F = PlacedFact> {
  readonly row: Pick<InboxRow, 'seq' | 'source'>
  readonly connectionId: string
  readonly fact: F
}

/** What became of the rows, by their numbers. */
export interface Concluded {
  /** Rows of reconciliation that told something no webhook had told. */
  readonly repaired: ReadonlySet<number>
  /**
   * Rows that must be looked at again: what was read may be from before or after a write of ours, or what it is about is
   * about to be known.
   */
  readonly unsure: ReadonlySet<number>
}

/** What stands around a batch. */
interface Frame {
  /** The settings key `identity`, as it is stored: the answer to the batch's first statement, by which it waits for its turn. */
  readonly identity: Promise<unknown>
  /** Writes down what became of the rows, beside what follows from them. */
  settle(concluded: Concluded): Promise<void>
}

export async function conclude(
  trx: Trx,
  hub: PipelineHub,
  rules: RuleBook,
  works: readonly Work[],
  frame: Frame,
): Promise<void> {
  const refs = works.flatMap(caseRefs)
  const [identity, linked] = await together(frame.identity, linkedCases(trx, refs))
  if (works.length === 0) return await frame.settle({ repaired: new Set(), unsure: new Set() })
  const chat = await readChat(trx, hub, works.flatMap(chatSteps))
  const told = [
    ...works.flatMap(({ row, connection, facts }) =>
      facts.flatMap((fact): readonly Step<CaseFact>[] =>
        fact.type === 'chat' ? [] : [{ row, connectionId: connection.id, fact }],
      ),
    ),
    ...chat.facts.map(
      ({ step: { row, connectionId, occurredAt }, fact }): Step<CaseFact> => ({
        row,
        connectionId,
        fact: { ...fact, occurredAt, byHub: false },
      }),
    ),
  ]
  const steps = await placeThreads(trx, told)
  await noteReachable(trx, told, hub.now())
  // A tool that sends no webhooks has lost none.
  const pushing = new Set(works.flatMap(({ connection }) => (connection.connector.can.receive ? connection.id : [])))

  // Nothing waits for people to be saved. Should that fail, what was sent after it fails too, and says less.
  const resolving = resolveAll(trx, steps, hub.now(), identity)
  await together(
    resolving.then(({ saved }) => saved),
    goOn(),
  )

  async function goOn() {
    // What waits for a case tells of no people.
    const known = { refs, caseIds: [...linked, ...chat.caseIds] }
    const [{ people }, cases] = await together(resolving, loadCases(trx, steps, known))
    await followUp(trx, hub, rules, { ...cases, people, chat, pushing }, frame)
  }
}

/** What a batch is about. */
interface Matter {
  /** With those that had waited for their cases. */
  readonly all: readonly Step[]
  readonly people: ReadonlyMap<Step, ResolvedPerson>
  readonly book: CaseBook
  /** Cases of the hub's that it opened elsewhere, by the keys they were opened under. */
  readonly opened: ReadonlyMap<string, string>
  readonly chat: Awaited<ReturnType<typeof readChat>>
  /** Connections whose tools send webhooks. */
  readonly pushing: ReadonlySet<string>
}

/** The people of the batch are on their way to the server by now: what is read here comes after them. */
async function followUp(
  trx: Trx,
  hub: PipelineHub,
  rules: RuleBook,
  { all, people, book, opened, chat, pushing }: Matter,
  frame: Frame,
): Promise<void> {
  const now = hub.now()
  const ours = book.caseIds().filter((caseId) => book.get(caseId)?.parentId)
  const leaves = [...people.values()].map((person) => person.profileId)
  const [openings, consequences, requesters] = await together(
    causesOfOpening(trx, ours),
    createConsequences(trx, hub, rules, book, { leaves, hasActs: chat.wishes.length > 0 }),
    rootsOfLeaves(trx, book.requesters()),
  )

  const roots = new Map([...people.values()].map((person) => [person.profileId, person.rootId]))
  for (const [leaf, root] of requesters) roots.set(leaf, root)
  const isSamePerson = (leaf: string, other: string) => roots.has(leaf) && roots.get(leaf) === roots.get(other)

  const repaired = new Set<number>()
  const unsure = new Set(chat.early)
  const early: Step[] = []
  for (const step of all) {
    const events = observe(step)
    if (events === 'too early') early.push(step)
    else take(step, events)
  }
  // A message may stand before its case in one batch; only what no case came for waits in the database.
  const orphans: Step[] = []
  for (const step of early) {
    const events = observe(step)
    if (events === 'too early') orphans.push(step)
    else take(step, events)
  }
  await park(trx, orphans, now)
  const written = await carryOut(trx, hub, book, consequences, chat.wishes)
  await together(consequences.save(), frame.settle({ repaired, unsure }))
  await saveWritten(trx, written)

  function take(step: Step, events: readonly DomainEvent[]) {
    const isRepair = step.row.source === 'reconcile' && pushing.has(step.connectionId)
    if (isRepair && events.length > 0) repaired.add(step.row.seq)
    consequences.follow(events)
  }

  /** Rules that open case after case are one chain, though each case comes back as news from outside. */
  function causeOf({ fact, connectionId, row }: Step): Cause {
    const externalId = caseIdOf(fact)
    const about = externalId === undefined ? undefined : book.caseOf(connectionId, externalId)?.id
    const key = fact.type === 'case' ? fact.case.createdByKey : undefined
    const opening = openings.get(about ?? (key === undefined ? '' : (opened.get(key) ?? '')))
    if (!opening) return { inboxSeq: row.seq, depth: 0 }
    return { inboxSeq: row.seq, depth: opening.depth, ...(opening.chain ? { chain: opening.chain } : {}) }
  }

  function observe(step: Step): readonly DomainEvent[] | 'too early' {
    const { fact, connectionId, row } = step
    const news = {
      connectionId,
      at: iso(fact.occurredAt),
      cause: causeOf(step),
      isSamePerson,
      ...(fact.readAt === undefined ? {} : { readAt: fact.readAt }),
    }
    const person = people.get(step)
    const aboutPerson = person ? profileEvents(person, news) : []
    if (fact.type === 'person') return aboutPerson
    if (fact.type === 'case') {
      const own = fact.case.createdByKey && opened.get(fact.case.createdByKey)
      if (own && !book.caseOf(connectionId, fact.case.id))
        book.link(connectionId, fact.case.id, own, fact.case.url, news.at)
      const claimed = fact.claims === undefined ? undefined : book.caseOf(connectionId, fact.claims)?.id
      const facts = claimed === undefined ? fact.case : withCustom(fact.case, { related_case: claimed })
      const { events, merged } = book.observe(withIsoTimes(facts), person?.profileId, news)
      if (merged?.unsure) unsure.add(row.seq)
      return [...aboutPerson, ...events]
    }
    if (fact.type === 'bounce') {
      const bounced = book.caseOf(connectionId, fact.bounce.caseId)
      return bounced ? book.observeBounce(bounced.id, fact.bounce, news) : []
    }
    const about = book.caseOf(connectionId, fact.caseId)
    if (!about) return 'too early'
    if (fact.type === 'rating') return book.observeRating(about.id, fact.rating, news)
    if (fact.type === 'file') return book.observeFile(about.id, fact.messageId, fact.file, news)
    const again = fact.reopens ? book.reopen(about.id, fact.message.id, news) : []
    const message = { ...fact.message, sentAt: iso(fact.message.sentAt) }
    return [...again, ...book.observeMessage(about.id, message, fact.byHub, news)]
  }
}

function chatSteps({ row, connection, facts }: Work): readonly ChatStep[] {
  return facts.flatMap((fact) =>
    fact.type === 'chat'
      ? [{ row, connectionId: connection.id, occurredAt: iso(fact.occurredAt), happening: fact.happening }]
      : [],
  )
}

function caseRefs({ connection, facts }: Work): readonly CaseRef[] {
  return facts.flatMap((fact) => {
    const externalId = fact.type === 'chat' || fact.type === 'threaded' ? undefined : caseIdOf(fact)
    return externalId === undefined ? [] : { connectionId: connection.id, externalId }
  })
}

/** What is known already of the cases that a batch tells of. */
interface KnownCases {
  /** Looked up. */
  readonly refs: readonly CaseRef[]
  /** The hub's own ids of what was found, and of more. */
  readonly caseIds: readonly string[]
}

/** What is stored of the cases that a batch tells of, and what waited for them. */
async function loadCases(trx: Trx, steps: readonly Step[], known: KnownCases) {
  const lookedUp = new Set(known.refs.map(refText))
  const keys = steps.flatMap(({ fact }) =>
    fact.type === 'case' && fact.case.createdByKey ? fact.case.createdByKey : [],
  )
  const refs = steps.flatMap(({ connectionId, fact }) =>
    fact.type === 'case' ? { connectionId, externalId: fact.case.id } : [],
  )
  const [parked, opened] = await together(takeParked(trx, refs), openedCases(trx, keys))
  const all = [...steps, ...parked]
  const book = await loadBook(trx, {
    cases: all
      .flatMap(({ connectionId, fact }) =>
        [caseIdOf(fact), fact.claims].flatMap((externalId) =>
          externalId === undefined ? [] : { connectionId, externalId },
        ),
      )
      .filter((ref) => !lookedUp.has(refText(ref))),
    caseIds: [...opened.values(), ...known.caseIds],
    messages: all.flatMap(({ connectionId, fact }) => {
      const messageId = messageIdOf(fact)
      return messageId === undefined ? [] : { connectionId, messageId }
    }),
    withReports: all.some(({ fact }) => fact.type === 'rating' || fact.type === 'bounce'),
  })
  return { all, opened, book: createCaseBook(book, newId) }
}

function refText({ connectionId, externalId }: CaseRef): string {
  return `${connectionId}\0${externalId}`
}

function caseIdOf(fact: PlacedFact): string | undefined {
  switch (fact.type) {
    case 'case':
      return fact.case.id
    case 'bounce':
      return fact.bounce.caseId
    case 'file':
    case 'message':
    case 'rating':
      return fact.caseId
    case 'person':
      return undefined
  }
}

function messageIdOf(fact: PlacedFact): string | undefined {
  if (fact.type === 'message') return fact.message.id
  if (fact.type === 'file') return fact.messageId
  return fact.type === 'bounce' ? fact.bounce.messageId : undefined
}

function withCustom(facts: CaseFacts, custom: Readonly<Record<string, FieldValue>>): CaseFacts {
  return { ...facts, custom: { ...facts.custom, ...custom } }
}

/** Who each step is about: the requester of a case, the person of a record. */
async function resolveAll(
  trx: Trx,
  steps: readonly Step[],
  now: Date,
  identity: unknown,
): Promise<{ readonly people: ReadonlyMap<Step, ResolvedPerson>; readonly saved: Promise<void> }> {
  const claims: PersonClaim[] = []
  const claimants: Step[] = []
  for (const step of steps) {
    const person = personOf(step.fact)
    if (!person) continue
    const at = iso(
      person.updatedAt ?? (step.fact.type === 'case' ? step.fact.case.updatedAt : undefined) ?? step.fact.occurredAt,
    )
    claims.push({ connectionId: step.connectionId, person, at, inboxSeq: step.row.seq })
    claimants.push(step)
  }
  const { people, saved } = await resolvePeople(trx, claims, now, identity)
  const known = claimants.flatMap((step, index) => {
    const person = people[index]
    return person ? [[step, person] as const] : []
  })
  return { people: new Map(known), saved }
}

function personOf(fact: PlacedFact): PersonFacts | undefined {
  if (fact.type === 'person') return fact.person
  return fact.type === 'case' ? fact.case.requester : undefined
}

/** One spelling of a time, so that times compare as text. */
function iso(time: string): string {
  return new Date(time).toISOString()
}

function withIsoTimes<T extends { readonly createdAt?: string; readonly updatedAt?: string }>(facts: T): T {
  return {
    ...facts,
    ...(facts.createdAt === undefined ? {} : { createdAt: iso(facts.createdAt) }),
    ...(facts.updatedAt === undefined ? {} : { updatedAt: iso(facts.updatedAt) }),
  }
}
