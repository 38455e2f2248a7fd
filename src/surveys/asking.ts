/** From a solved case to a question in the desk: planned in the batch's transaction, sent later by a job. */
import type { DomainEvent } from '#hub/cases/index.ts'
import { threadOfCaseId } from '#hub/connector/chat.ts'
import type { CaseStatus, Channel } from '#hub/connector/facts.ts'
import type { Hub } from '#hub/hub.ts'
import { effectKey, hubAuthor, type OutboxEntry, putInOutbox } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { newId } from '#hub/platform/ids.ts'
import type { SurveyDefinition } from './definition.ts'
import { languageOf } from './messages/index.ts'
import { type Asked, decidePlan, decideSend } from './policy.ts'
import * as store from './store.ts'
import { surveyMessage } from './survey-message.ts'
import { createToken } from './token.ts'

export const sendJob = 'survey.send'

/** What surveys ask of the connections: what is there, and what it can. */
interface Tools {
  all(): readonly Tool[]
}
interface Tool {
  readonly id: string
  readonly name: string
  readonly config: unknown
  readonly connector: {
    readonly can: {
      readonly writeCase?: { readonly needsThread?: true }
      readonly writeRating?: unknown
      readonly writePersonRating?: unknown
      readonly chat?: { settings(config: unknown): { readonly surveys: boolean } }
    }
  }
}

export interface SurveyHub extends Pick<Hub, 'db' | 'log' | 'now' | 'secrets'> {
  readonly env: Pick<Hub['env'], 'baseUrl'>
  readonly queue: Pick<Hub['queue'], 'sendMany'>
  readonly signals: Pick<Hub['signals'], 'raise'>
  readonly connections: Tools
  /** One transaction under the workspace's lock. */
  readonly inWorkspace: <T>(work: (trx: Trx) => Promise<T>) => Promise<T>
  /** Records events and lets rules follow them, in the given transaction. */
  readonly publish: (trx: Trx, events: readonly DomainEvent[]) => Promise<void>
}

export interface SolvedCase {
  readonly eventId: string
  readonly caseId: string
  /** The requester's leaf profile. */
  readonly profileId: string | null
  /** Where it was solved. */
  readonly connectionId: string | null
  readonly at: Date
  readonly status: CaseStatus
  readonly tags: readonly string[]
  readonly channel: Channel | null
  /** Closed because it goes on as another case. */
  readonly isMerged?: boolean
}

/**
 * Notes for every survey that is on whether it will ask about each solution, and why not. The cases must be saved before.
 * @returns how many are planned.
 */
export async function planSurveys(
  trx: Trx,
  hub: Pick<SurveyHub, 'connections' | 'queue'>,
  solved: readonly SolvedCase[],
  now: Date,
): Promise<number> {
  const surveys = (await store.loadSurveys(trx)).filter((survey) => survey.enabled)
  if (surveys.length === 0 || solved.length === 0) return 0
  const caseIds = solved.map((one) => one.caseId)
  const people = await store.loadPeople(
    trx,
    solved.flatMap((one) => one.profileId ?? []),
  )
  const facts = await store.loadSolvedFacts(trx, caseIds)
  const links = Map.groupBy(await store.loadLinks(trx, caseIds), (link) => link.caseId)
  const tools = new Map(hub.connections.all().map((tool) => [tool.id, tool]))

  const rows = solved.flatMap((one) =>
    surveys.map((survey): store.NewInvitation => {
      const way = wayTo(links.get(one.caseId), one.connectionId, hub.connections)
      const solution = {
        ...one,
        connectionName: (one.connectionId !== null && tools.get(one.connectionId)?.name) || null,
        person: one.profileId === null ? undefined : people.get(one.profileId),
        isFollowUp: facts.get(one.caseId)?.isFollowUp ?? false,
        lastPublicMessageAt: facts.get(one.caseId)?.lastPublicMessageAt ?? null,
        isReachable: way !== undefined,
        isByMail: way !== undefined && isByMail(way, tools),
      }
      const decision = decidePlan(survey, solution, now)
      return {
        id: newId('inv'),
        survey_id: survey.id,
        case_id: one.caseId,
        event_id: one.eventId,
        profile_id: one.profileId,
        connection_id: one.connectionId,
        state: decision.state,
        reason: decision.state === 'skipped' ? decision.reason : null,
        send_at: decision.state === 'planned' ? decision.sendAt : now,
        created_at: now,
      }
    }),
  )
  const added = await store.insertInvitations(trx, rows)
  await store.supersede(trx, [...added], 'the case was solved again later')
  const planned = rows.filter((row) => row.state === 'planned' && added.has(row.id))
  await sendLater(trx, hub, planned)
  return planned.length
}

/** A case that is open again: what was planned is not sent. */
export async function cancelSurveys(trx: Trx, caseIds: readonly string[], reason: string): Promise<void> {
  await store.cancelPlanned(trx, caseIds, reason)
}

/**
 * Looks at each invitation once more and sends those that still hold. Under the workspace's lock, so that two that are due
 * at the same instant see each other. @returns how many were sent.
 */
export async function sendDue(hub: SurveyHub, invitationIds: readonly string[], now: Date): Promise<number> {
  const sent = await hub.inWorkspace(async (trx) => {
    const planned = await store.loadPlanned(trx, invitationIds)
    if (planned.length === 0) return 0
    const surveys = new Map((await store.loadSurveys(trx)).map((survey) => [survey.id, survey]))
    const people = await store.loadPeople(
      trx,
      planned.flatMap((one) => one.requesterId ?? []),
    )
    const caseIds = planned.map((one) => one.caseId)
    const links = Map.groupBy(await store.loadLinks(trx, caseIds), (link) => link.caseId)
    const rootIds = [...new Set([...people.values()].map((person) => person.rootId))]
    const tools = new Map(hub.connections.all().map((tool) => [tool.id, tool]))
    const askedByRoot = new Map(await store.loadAsked(trx, rootIds, new Date(now.getTime() - longestThrottleMs)))

    const decided: store.Decided[] = []
    const entries: OutboxEntry[] = []
    for (const one of planned) {
      const survey = surveys.get(one.surveyId)
      const person = one.requesterId === null ? undefined : people.get(one.requesterId)
      const asked: readonly Asked[] = (person && askedByRoot.get(person.rootId)) ?? []
      const way = wayTo(links.get(one.caseId), one.connectionId, hub.connections)
      const reach = { isReachable: way !== undefined, isByMail: way !== undefined && isByMail(way, tools) }
      const decision = decideSend(survey, { ...one, now, person, asked, ...reach })
      if (decision.state !== 'sent' || !survey || !person || !way) {
        decided.push({ id: one.id, profile_id: one.requesterId, ...withWireNames(decision) })
        continue
      }
      const isInChat = tools.get(way.connectionId)?.connector.can.chat !== undefined
      const asking = ask(hub, survey, one, way, isInChat, person.locale, now)
      decided.push(asking.decided)
      entries.push(asking.entry)
      const connectionName = hub.connections.all().find((tool) => tool.id === way.connectionId)?.name ?? null
      askedByRoot.set(person.rootId, [
        ...asked,
        { at: now, throttleDays: survey.throttle_days, caseSubject: one.subject, connectionName },
      ])
    }
    await store.saveDecided(trx, decided)
    await sendLater(
      trx,
      hub,
      decided.flatMap((one) => (one.state === 'planned' && one.send_at ? { id: one.id, send_at: one.send_at } : [])),
    )
    await putInOutbox(trx, entries)
    return entries.length
  })
  if (sent > 0) hub.signals.raise('outbox')
  return sent
}

/** The definition allows no longer one. */
const longestThrottleMs = 366 * 24 * 3_600_000

function ask(
  hub: Pick<SurveyHub, 'env' | 'secrets'>,
  survey: SurveyDefinition,
  invitation: store.PlannedInvitation,
  way: store.Link,
  isInChat: boolean,
  locale: string | null,
  now: Date,
): { readonly decided: store.Decided; readonly entry: OutboxEntry } {
  const language = languageOf(locale) ?? survey.default_language
  // The token holds whole seconds.
  const expiresAt = new Date(Math.floor(now.getTime() / 1000) * 1000 + survey.expires_days * 24 * 3_600_000)
  const token = createToken(hub.secrets, { invitationId: invitation.id, expiresAt })
  const link = `${hub.env.baseUrl}/s/${token}`
  return {
    decided: {
      id: invitation.id,
      state: 'sent',
      sent_at: now,
      expires_at: expiresAt,
      // Where it is not known, the card is drawn in its channel's.
      ...(isInChat && !languageOf(locale) ? {} : { locale: language }),
      connection_id: way.connectionId,
      profile_id: invitation.requesterId,
    },
    entry: {
      key: effectKey(invitation.id, isInChat ? 'chat.show' : 'case.message'),
      lane: way.connectionId,
      orderKey: invitation.caseId,
      connectionId: way.connectionId,
      caseId: invitation.caseId,
      action: isInChat
        ? {
            type: 'chat.show',
            show: { what: 'survey', invitationId: invitation.id, ...threadOfCaseId(way.externalId) },
          }
        : {
            type: 'case.message',
            externalId: way.externalId,
            message: surveyMessage({ survey, language, link, expiresAt }),
            author: hubAuthor,
          },
      cause: { invitationId: invitation.id, eventId: invitation.eventId, depth: 0 },
    },
  }
}

function withWireNames(decision: ReturnType<typeof decideSend>): Omit<store.Decided, 'id'> {
  if (decision.state === 'planned') return { state: 'planned', send_at: decision.sendAt }
  return decision
}

async function sendLater(
  trx: Trx,
  hub: Pick<SurveyHub, 'queue'>,
  invitations: readonly { readonly id: string; readonly send_at: Date }[],
): Promise<void> {
  const jobs = invitations.map((one) => ({
    data: { invitationId: one.id },
    startAfter: one.send_at,
    singletonKey: one.id,
  }))
  await hub.queue.sendMany(trx, sendJob, jobs)
}

/** Through a tool that writes to the customer's address itself. */
function isByMail(way: store.Link, tools: ReadonlyMap<string, Tool>): boolean {
  return tools.get(way.connectionId)?.connector.can.writeCase?.needsThread === true
}

/** Where to write to the customer: where they wrote last, else where the case was solved, else its oldest link. */
function wayTo(
  links: readonly store.Link[] | undefined,
  solvedIn: string | null,
  tools: Tools,
): store.Link | undefined {
  const writable = new Set(tools.all().flatMap((tool) => (takesQuestions(tool) ? tool.id : [])))
  const open = (links ?? []).filter((link) => writable.has(link.connectionId))
  return (
    open.find((link) => link.isWhereCustomerWrote) ?? open.find((link) => link.connectionId === solvedIn) ?? open[0]
  )
}

/** Where people talk, the administrator may not want to be asked for feedback. */
function takesQuestions({ config, connector: { can } }: Tool): boolean {
  return can.writeCase !== undefined && can.chat?.settings(config).surveys !== false
}
