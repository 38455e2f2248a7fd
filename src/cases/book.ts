/**
 * The cases of one batch, in memory: loaded at once, changed observation by observation, saved at once. Pure: what it
 * needs (ids, time) is given.
 */
import { createHash } from 'node:crypto'
import type { Attachment, BounceFacts, CaseFacts, MessageFacts, RatingFacts } from '#hub/connector/facts.ts'
import type { Cause, Dated, DatedFields, Source } from '#hub/platform/db/schema.ts'
import type { DomainEvent, EventType } from './event.ts'
import { type CaseState, type Fields, fieldsOf, read, solvedStatuses, waitingStatuses } from './fields.ts'
import { type Merged, mergeCase, setFields } from './merge.ts'

export interface LinkState {
  readonly connectionId: string
  readonly externalId: string
  readonly caseId: string
  readonly base: DatedFields
  readonly version: string | null
  readonly url: string | null
  readonly deletedAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface MessageState {
  readonly id: string
  readonly caseId: string
  readonly connectionId: string
  readonly externalId: string | null
  readonly facts: Omit<MessageFacts, 'id'>
  readonly contentHash: string
  /** ISO 8601 UTC: when its vendor last told of it, by the vendor's clock. Older news does not undo an edit. */
  readonly toldAt: string
  readonly deliveryKey: string | null
}

export interface LoadedBook {
  readonly cases: readonly CaseState[]
  readonly links: readonly LinkState[]
  /** Messages that the batch may touch: by external id, and ours that still wait for one. */
  readonly messages: readonly MessageState[]
  /** The ids of the rating and bounce events that the cases have; absent when none is looked at. */
  readonly reports?: readonly string[]
}

/** What an observation is about, and why it is looked at. */
export interface News {
  readonly connectionId: string
  readonly at: string
  readonly cause: Cause
  /** When the hub began to read it, by its own clock. */
  readonly readAt?: string
  /** Another tool's record of the requester is the same person: no news for anybody. */
  readonly isSamePerson?: (leafId: string, otherLeafId: string) => boolean
}

export interface CaseBook {
  caseOf(connectionId: string, externalId: string): CaseState | undefined
  get(caseId: string): CaseState | undefined
  linksOf(caseId: string): readonly LinkState[]
  /** The cases that were known before the batch. */
  caseIds(): readonly string[]
  /** The leaf profiles that loaded cases belong to. */
  requesters(): readonly string[]
  /** A vendor's news about a case. Creates case and link when neither is known. */
  observe(facts: CaseFacts, requesterId: string | undefined, news: News): { events: DomainEvent[]; merged?: Merged }
  /** A vendor's message on a known case. Empty for one that is known already or that we wrote, if it has no further file. */
  observeMessage(caseId: string, message: MessageFacts, byHub: boolean, news: News): DomainEvent[]
  /** A file of a vendor's message. Empty for one that is known already, and while the message is unknown. */
  observeFile(caseId: string, messageId: string, file: Attachment, news: News): DomainEvent[]
  /** A rating given in the vendor's own survey. Empty for one that is known already. */
  observeRating(caseId: string, rating: RatingFacts, news: News): DomainEvent[]
  /** A message of ours that did not arrive. Empty for a report that is known already. */
  observeBounce(caseId: string, bounce: BounceFacts, news: News): DomainEvent[]
  /** The customer wrote again where the channel knows no status: what waits or is solved goes on; what is closed stays. */
  reopen(caseId: string, messageId: string, news: News): DomainEvent[]
  /** What a write of ours will change beside what it is for: known beforehand, so that its echo is empty. No event. */
  foresee(caseId: string, values: Fields, source: Source, at: string): void
  /** A rule's reply that did not leave, and why. */
  held(caseId: string, reason: string, cause: Cause, at: string): DomainEvent[]
  /** A change that the hub itself wants. */
  change(caseId: string, values: Fields, source: Source, at: string, cause: Cause): DomainEvent[]
  /** A case that the hub opens in a tool, for another case or for itself; its link follows with the receipt. */
  open(parent: CaseState | undefined, fields: Fields, source: Source, at: string): CaseState
  /** Points a vendor's case to the hub case that was opened for it. */
  link(connectionId: string, externalId: string, caseId: string, url: string | undefined, at: string): void
  changed(): { cases: readonly CaseState[]; links: readonly LinkState[]; messages: readonly MessageState[] }
}

const isSameFile = (a: Attachment, b: Attachment) =>
  a.id === undefined || b.id === undefined ? a.name === b.name : a.id === b.id

const linkKey = (connectionId: string, externalId: string) => `${connectionId}\n${externalId}`

export function createCaseBook(loaded: LoadedBook, newId: (kind: 'case' | 'msg') => string): CaseBook {
  const cases = new Map(loaded.cases.map((state) => [state.id, state]))
  const links = new Map(loaded.links.map((link) => [linkKey(link.connectionId, link.externalId), link]))
  const linksByCase = Map.groupBy(loaded.links, (link) => link.caseId) as Map<string, LinkState[]>
  const messages = new Map<string, MessageState>()
  const waiting: MessageState[] = []
  const reports = new Set(loaded.reports)
  const dirty = { cases: new Set<string>(), links: new Set<string>(), messages: new Set<MessageState>() }
  for (const message of loaded.messages) {
    if (message.externalId === null) waiting.push(message)
    else messages.set(linkKey(message.connectionId, message.externalId), message)
  }

  function keepCase(state: CaseState) {
    cases.set(state.id, state)
    dirty.cases.add(state.id)
  }
  function keepLink(link: LinkState) {
    const key = linkKey(link.connectionId, link.externalId)
    const siblings = linksByCase.get(link.caseId) ?? []
    linksByCase.set(link.caseId, [
      ...siblings.filter((other) => linkKey(other.connectionId, other.externalId) !== key),
      link,
    ])
    links.set(key, link)
    dirty.links.add(key)
  }

  /** @param before what it was until now. */
  function keepMessage(message: MessageState, before?: MessageState) {
    if (message.externalId !== null) messages.set(linkKey(message.connectionId, message.externalId), message)
    if (before) dirty.messages.delete(before)
    dirty.messages.add(message)
  }

  /** Files that came after their message. What we sent had its files when it left. */
  function attach(state: CaseState, known: MessageState, files: readonly Attachment[], news: News): DomainEvent[] {
    const { visibility, author, attachments = [] } = known.facts
    const added = files.filter((file) => !attachments.some((one) => isSameFile(one, file)))
    if (known.deliveryKey !== null || added.length === 0) return []
    keepMessage({ ...known, facts: { ...known.facts, attachments: [...attachments, ...added] } }, known)
    const source: Source = { kind: 'connection', connectionId: news.connectionId, record: known.externalId ?? known.id }
    const data = { messageId: known.id, visibility, author, files: added.map(({ name }) => name) }
    return [event('message.attached', { state, source, at: news.at, news }, data)]
  }

  /** A report is the same in whichever delivery it comes. */
  function once(report: DomainEvent): DomainEvent[] {
    if (reports.has(report.id)) return []
    reports.add(report.id)
    return [report]
  }

  const book: CaseBook = {
    caseOf: (connectionId, externalId) => {
      const link = links.get(linkKey(connectionId, externalId))
      return link && cases.get(link.caseId)
    },
    get: (caseId) => cases.get(caseId),
    linksOf: (caseId) => linksByCase.get(caseId) ?? [],
    caseIds: () => loaded.cases.map((state) => state.id),
    requesters: () => [...cases.values()].flatMap((state) => read.requester(state.fields) ?? []),

    observe(facts, requesterId, news) {
      const at = facts.updatedAt ?? news.at
      const source: Source = { kind: 'connection', connectionId: news.connectionId, record: facts.id }
      const known = links.get(linkKey(news.connectionId, facts.id))
      const ours = (known && cases.get(known.caseId)) ?? emptyCase(newId('case'), new Date(facts.createdAt ?? at))
      const merged = mergeCase(ours, known?.base ?? {}, fieldsOf(facts, requesterId), at, source, news.readAt)
      const created = new Date(facts.createdAt ?? at)
      const isNew = !cases.has(ours.id)
      const state = created < merged.state.createdAt ? { ...merged.state, createdAt: created } : merged.state
      const deletion = newest('deleted', facts.deleted, known, at)
      const url = newest('url', facts.url, known, at)
      const deletedAt = deletion?.value === true ? (known?.deletedAt ?? new Date(at)) : null
      const isNewest = !known || at >= known.updatedAt.toISOString()
      keepLink({
        connectionId: news.connectionId,
        externalId: facts.id,
        caseId: state.id,
        base: { ...merged.base, ...(deletion ? { deleted: deletion } : {}), ...(url ? { url } : {}) },
        version: isNewest ? (facts.version ?? known?.version ?? null) : known.version,
        url: typeof url?.value === 'string' ? url.value : (known?.url ?? null),
        deletedAt,
        createdAt: known?.createdAt ?? new Date(at),
        updatedAt: isNewest ? new Date(at) : known.updatedAt,
      })
      if (isNew || state !== ours) keepCase(state)
      const about = { state, source, at, news }
      if (isNew && deletedAt) {
        const gone = { deleted: true }
        return { events: [event('case.created', about, gone), event('case.deleted', about, gone)], merged }
      }
      const events = isNew
        ? [event('case.created', about, {}), ...statusEvents(undefined, about)]
        : changeEvents(withoutSamePerson(merged, news), about)
      if (deletedAt && !known?.deletedAt) events.push(event('case.deleted', about, {}))
      // What was true before the case was gone completes the picture, and is no news for anybody.
      const isOfThePast = known?.deletedAt && deletion?.value === true && !facts.deleted && at <= deletion.at
      if (isOfThePast) return { events: [], merged }
      // The first news of a case that we opened is the echo of our opening, with what the vendor filled in.
      const isOpening = known !== undefined && ours.parentId !== null && Object.keys(known.base).length === 0
      return { events: isOpening ? events.filter((one) => one.type !== 'case.updated') : events, merged }
    },

    observeMessage(caseId, message, byHub, news) {
      const state = cases.get(caseId)
      if (!state) return []
      const key = linkKey(news.connectionId, message.id)
      const hash = contentHash(message.text, message.visibility)
      const known = messages.get(key)
      const { id: externalId, ...facts } = message
      if (known) {
        // The vendor edited it (or told more); the newest text counts, and nothing is raised again.
        const isNewer = news.at > known.toldAt || (news.at === known.toldAt && known.contentHash !== hash)
        const attached = attach(state, known, message.attachments ?? [], news)
        if (!isNewer) return attached
        // Vendors name the account that we write with; who really wrote it we know better.
        const author = known.deliveryKey === null ? facts.author : known.facts.author
        // Not every telling names the files.
        const attachments = message.attachments ?? known.facts.attachments ?? []
        keepMessage({ ...known, facts: { ...facts, author, attachments }, contentHash: hash, toldAt: news.at }, known)
        return attached
      }
      // A customer may say the same words as we: "Thank you!" is no echo.
      const mayBeOurs = byHub || message.author.kind !== 'customer'
      const ours = waiting.findIndex(
        (sent) =>
          mayBeOurs && sent.caseId === caseId && sent.connectionId === news.connectionId && sent.contentHash === hash,
      )
      const sent = ours === -1 ? undefined : waiting.splice(ours, 1)[0]
      if (sent) {
        keepMessage({ ...sent, externalId, toldAt: news.at }, sent)
        return []
      }
      const next: MessageState = {
        id: newId('msg'),
        caseId,
        connectionId: news.connectionId,
        externalId,
        facts,
        contentHash: hash,
        toldAt: news.at,
        deliveryKey: null,
      }
      keepMessage(next)
      if (byHub) return []
      const source: Source = { kind: 'connection', connectionId: news.connectionId, record: externalId }
      return [
        event(
          message.author.kind === 'customer' ? 'message.received' : 'message.sent',
          { state, source, at: message.sentAt, news },
          {
            messageId: next.id,
            visibility: message.visibility,
            author: message.author,
            text: message.text,
          },
        ),
      ]
    },

    observeFile(caseId, messageId, file, news) {
      const state = cases.get(caseId)
      const known = messages.get(linkKey(news.connectionId, messageId))
      return state && known ? attach(state, known, [file], news) : []
    },

    observeRating(caseId, rating, news) {
      const state = cases.get(caseId)
      if (!state) return []
      const source: Source = { kind: 'connection', connectionId: news.connectionId, record: caseId }
      return once(event('rating.received', { state, source, at: news.at, news }, { rating }))
    },

    observeBounce(caseId, { address, permanent, reason, messageId }, news) {
      const state = cases.get(caseId)
      if (!state) return []
      const source: Source = { kind: 'connection', connectionId: news.connectionId, record: messageId ?? caseId }
      const message = messageId === undefined ? undefined : messages.get(linkKey(news.connectionId, messageId))
      const data = { address, permanent, reason, ...(message ? { messageId: message.id } : {}) }
      return once(event('message.bounced', { state, source, at: news.at, news }, data))
    },

    reopen(caseId, messageId, news) {
      const state = cases.get(caseId)
      if (!state || !waitingStatuses.has(read.status(state.fields))) return []
      const source: Source = { kind: 'connection', connectionId: news.connectionId, record: messageId }
      const { at: changedAt = news.at } = state.provenance['status'] ?? {}
      const at = changedAt > news.at ? changedAt : news.at
      const result = setFields(state, { status: 'open' }, at, source)
      keepCase(result.state)
      return changeEvents({ changes: result.changes, conflicts: [] }, { state: result.state, source, at, news })
    },

    foresee(caseId, values, source, at) {
      const state = cases.get(caseId)
      const result = state && setFields(state, values, at, source)
      if (result && Object.keys(result.changes).length > 0) keepCase(result.state)
    },

    held(caseId, reason, cause, at) {
      const state = cases.get(caseId)
      const { ruleId, ruleVersion: version = 0 } = cause
      if (!state || ruleId === undefined) return []
      return [
        event('message.held', { state, source: { kind: 'rule', ruleId, version }, at, news: { cause } }, { reason }),
      ]
    },

    change(caseId, values, source, at, cause) {
      const state = cases.get(caseId)
      if (!state) return []
      const result = setFields(state, values, at, source)
      if (Object.keys(result.changes).length === 0) return []
      keepCase(result.state)
      return changeEvents(
        { changes: result.changes, conflicts: [] },
        { state: result.state, source, at, news: { cause } },
      )
    },

    open(parent, fields, source, at) {
      const empty = { ...emptyCase(newId('case'), new Date(at)), parentId: parent?.id ?? null }
      const whose = parent ? { requester: read.requester(parent.fields) } : {}
      const { state } = setFields(empty, { ...fields, ...whose }, at, source)
      keepCase(state)
      return state
    },

    link(connectionId, externalId, caseId, url, at) {
      const time = new Date(at)
      keepLink({
        connectionId,
        externalId,
        caseId,
        base: {},
        version: null,
        url: url ?? null,
        deletedAt: null,
        createdAt: time,
        updatedAt: new Date(0),
      })
    },

    changed: () => ({
      cases: [...dirty.cases].flatMap((id) => cases.get(id) ?? []),
      links: [...dirty.links].flatMap((key) => links.get(key) ?? []),
      messages: [...dirty.messages],
    }),
  }
  return book
}

/** What the vendor last said about the link itself, dated in its base like any field of the case. */
function newest(name: 'deleted' | 'url', value: unknown, known: LinkState | undefined, at: string): Dated | undefined {
  const before = known?.base[name]
  return value === undefined || (before && at < before.at) ? before : { value, at }
}

function emptyCase(id: string, at: Date): CaseState {
  return {
    id,
    parentId: null,
    fields: { status: 'new', tags: [] },
    provenance: {},
    createdAt: at,
    updatedAt: at,
    solvedAt: null,
  }
}

interface About {
  readonly state: CaseState
  readonly source: Source
  readonly at: string
  readonly news: { readonly cause: Cause; readonly connectionId?: string }
}

type Difference = Pick<Merged, 'changes' | 'conflicts'>

function withoutSamePerson({ changes, conflicts }: Difference, { isSamePerson }: News): Difference {
  const { requester, ...others } = changes
  const isSame = typeof requester?.from === 'string' && isSamePerson?.(requester.from, String(requester.to))
  if (!isSame) return { changes, conflicts }
  return { changes: others, conflicts: conflicts.filter((conflict) => conflict.field !== 'requester') }
}

function changeEvents({ changes, conflicts }: Difference, about: About): DomainEvent[] {
  if (Object.keys(changes).length === 0 && conflicts.length === 0) return []
  const data = { changes, ...(conflicts.length > 0 ? { conflicts } : {}) }
  return [event('case.updated', about, data), ...(changes['status'] ? statusEvents(changes['status'].from, about) : [])]
}

/** What a new status means. `before` is absent for a case that was not known. */
function statusEvents(before: unknown, about: About): DomainEvent[] {
  const status = read.status(about.state.fields)
  if (before === status) return []
  const wasSolved = before === 'solved' || before === 'closed'
  const isSolved = solvedStatuses.has(status)
  const events: DomainEvent[] = []
  if (isSolved && !wasSolved) events.push(event('case.solved', about, {}))
  if (status === 'closed') events.push(event('case.closed', about, {}))
  if (wasSolved && !isSolved) events.push(event('case.reopened', about, {}))
  return events
}

/**
 * Event ids come from their cause, so that the same news gives the same ids: an update by what changed, a message by its
 * id, everything else once per case, type and time. A rating or bounce is the same in whichever delivery it comes.
 */
function event(type: EventType, about: About, data: Readonly<Record<string, unknown>>): DomainEvent {
  const requester = read.requester(about.state.fields)
  const { connectionId, cause } = about.news
  const bounced = type === 'message.bounced' ? [data['address'], data['permanent'], about.source] : undefined
  const attached = data['files'] && [data['messageId'], data['files']]
  const what = JSON.stringify(bounced ?? data['changes'] ?? data['rating'] ?? attached ?? data['messageId'] ?? '')
  const why =
    type === 'rating.received' || type === 'message.bounced'
      ? (connectionId ?? '')
      : `${cause.inboxSeq ?? ''}|${cause.eventId ?? ''}|${cause.ruleId ?? ''}|${cause.actor ?? ''}`
  return {
    id: eventId(about.state.id, type, about.at, what, why),
    type,
    caseId: about.state.id,
    ...(requester ? { profileId: requester } : {}),
    ...(connectionId ? { connectionId } : {}),
    actor: about.source,
    data,
    cause,
    occurredAt: new Date(about.at),
  }
}

export function eventId(...parts: readonly string[]): string {
  return `evt_${createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 27)}`
}

/** Vendors trim and re-wrap text; what is left when white space does not count is what we compare. */
export function contentHash(text: string, visibility: string): string {
  return createHash('sha256')
    .update(`${visibility}\n${text.replace(/\s+/g, ' ').trim()}`)
    .digest('base64url')
    .slice(0, 27)
}
