/**
 * Rules' actions as changes of the hub's cases and as outbox entries. Pure until `saveTraits`: it collects; the batch
 * saves.
 */
import {
  type CaseBook,
  type CaseState,
  type DomainEvent,
  type Fields,
  type LinkState,
  read,
  tagSet,
  withCustom,
} from '#hub/cases/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { CaseChange, CaseField, OutMessage } from '#hub/connector/contract.ts'
import type { Attachment, Author, CasePriority, FieldValue, PersonFacts, RatingFacts } from '#hub/connector/facts.ts'
import { setTraits } from '#hub/identity/index.ts'
import { type Action, effectKey, hubAuthor, type OutboxEntry } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Cause, Source } from '#hub/platform/db/schema.ts'
import type { PlannedAction, ProfileView, RuleOutcome } from '#hub/rules/plan.ts'
import type { ChatWish, RefusedWish } from './chat-wishes.ts'

export interface Setting {
  readonly book: CaseBook
  readonly profiles: ReadonlyMap<string, ProfileView>
  readonly connections: readonly LoadedConnection[]
  readonly now: Date
}

export interface Effects {
  /** Carries out a matched rule's actions. @returns the events of what it changed in the hub. */
  apply(event: DomainEvent, outcome: Extract<RuleOutcome, { actions: unknown }>, cause: Cause): readonly DomainEvent[]
  /** Where both sides had changed a field and ours was kept, the vendor is told. */
  afterMerge(event: DomainEvent): void
  /** A rating is about to be written back: what that changes on the case is known before it comes back. */
  beforeRating(event: DomainEvent): void
  /** A change that a person or a rule made to a case. */
  change(caseId: string, values: Fields, source: Source, cause: Cause): readonly DomainEvent[]
  /**
   * @param connectionId where it should go if the case lives there.
   * @returns the key that it leaves by; undefined when none of the case's tools takes it.
   */
  message(caseId: string, message: OutMessage, author: Author, cause: Cause, connectionId?: string): string | undefined
  /** What a person applies to a case, such as a macro. @returns the events of what it changed in the hub. */
  applyTo(
    caseId: string,
    actions: readonly PlannedAction[],
    author: Author,
    cause: Cause,
    source: Source,
  ): readonly DomainEvent[]
  /** A case for colleagues, in another tool. @returns its id; undefined when there is no such connection that takes it. */
  openCase(connectionId: string, draft: NewCase, cause: Cause, source: Source, parentId?: string): string | undefined
  /** Has the tool that both cases live in make one of them. @returns false when there is none that can. */
  merge(caseId: string, intoId: string, cause: Cause): boolean
  put(entry: OutboxEntry): void
  /** Turns the changes collected so far into one write per link. */
  flushWrites(): void
  /** Rules' replies that would leave as mail, since the last look. */
  takeMails(): readonly AutomaticMail[]
  /** This one does not leave. */
  hold(mail: AutomaticMail): void
  entries(): readonly OutboxEntry[]
  /** What is to be shown in chat tools, since the last look. */
  takeWishes(): readonly ChatWish[]
  /** What cannot be shown there, since the last look. */
  takeRefused(): readonly RefusedWish[]
  saveTraits(trx: Trx): Promise<void>
}

export interface AutomaticMail {
  /** Among the entries. */
  readonly place: number
  readonly caseId: string
  readonly cause: Cause
}

export interface NewCase {
  readonly subject: string
  readonly text: string
  readonly requester?: PersonFacts
  readonly priority?: CasePriority
  readonly team?: string
  readonly tags?: readonly string[]
  /** Of its first entry: they follow in a note, once the case is there. */
  readonly files?: { readonly attachments: readonly Attachment[]; readonly author: Author }
}

interface PendingWrite {
  readonly link: LinkState
  readonly before: CaseState
  readonly fields: Set<string>
  cause: Cause
}

export function createEffects({ book, profiles, connections, now }: Setting): Effects {
  const entries: OutboxEntry[] = []
  const mails: AutomaticMail[] = []
  const held = new Set<number>()
  const mergedAway = new Set<string>()
  const wishes: ChatWish[] = []
  const refused: RefusedWish[] = []
  const writes = new Map<string, PendingWrite>()
  const traits: { profileId: string; traits: Readonly<Record<string, FieldValue>>; ruleId: string }[] = []
  const at = now.toISOString()
  const byId = new Map(connections.map((connection) => [connection.id, connection]))
  const byName = new Map(connections.map((connection) => [connection.name, connection]))

  function put(
    connection: LoadedConnection,
    caseId: string,
    action: Action,
    cause: Cause,
    ...what: readonly (string | number)[]
  ): string {
    const key = effectKey(cause.eventId ?? cause.actor ?? '', cause.ruleId ?? '', connection.id, action.type, ...what)
    entries.push({
      key,
      lane: connection.id,
      orderKey: caseId,
      connectionId: connection.id,
      caseId,
      action,
      cause,
    })
    return key
  }

  /** A record that was deleted in its tool takes nothing any more. */
  function linksThere(caseId: string): readonly LinkState[] {
    return book.linksOf(caseId).filter((link) => link.deletedAt === null)
  }

  function change(caseId: string, values: Fields, source: Source, cause: Cause): readonly DomainEvent[] {
    const before = book.get(caseId)
    const tags = before && values['tags'] !== undefined ? { tags: tagsThere(before, read.tags(values)) } : {}
    const events = book.change(caseId, { ...values, ...tags }, source, at, cause)
    if (!before || events.length === 0) return events
    const changed = Object.keys((events[0]?.data['changes'] ?? {}) as object)
    for (const link of linksThere(caseId)) collect(link, before, changed, cause)
    return events
  }

  /** New tags in the form that the case's tools keep: in any other the echo would be a change of somebody else. */
  function tagsThere(before: CaseState, wanted: readonly string[]): readonly string[] {
    const known = new Set(read.tags(before.fields))
    return tagSet(wanted.map((tag) => (known.has(tag) ? tag : inFormOf(linksThere(before.id), tag))))
  }

  function inFormOf(links: readonly LinkState[], tag: string): string {
    return links.reduce((form, link) => normaliserOf(byId.get(link.connectionId))(form), tag)
  }

  function collect(link: LinkState, before: CaseState, fields: readonly string[], cause: Cause) {
    const key = `${link.connectionId}\n${link.externalId}`
    const pending = writes.get(key) ?? { link, before, fields: new Set<string>(), cause }
    for (const field of fields) pending.fields.add(field)
    pending.cause = cause
    writes.set(key, pending)
  }

  function message(caseId: string, out: OutMessage, author: Author, cause: Cause, connectionId?: string) {
    const links = linksThere(caseId).filter((link) => takes(link, out))
    const link = links.find((one) => one.connectionId === connectionId) ?? links[0]
    const connection = link && byId.get(link.connectionId)
    if (!link || !connection) return undefined
    const action: Action = { type: 'case.message', externalId: link.externalId, message: out, author }
    const isMail = connection.connector.can.writeCase?.needsThread === true
    if (isMail && out.automatic && out.visibility === 'public') mails.push({ place: entries.length, caseId, cause })
    return put(connection, caseId, action, cause, out.visibility, out.text)
  }

  /** Where everything written is the customer's to read, notes go only for want of a better place: there they stay with us. */
  function takes({ connectionId, caseId }: LinkState, { visibility }: OutMessage): boolean {
    const writeCase = byId.get(connectionId)?.connector.can.writeCase
    if (!writeCase) return false
    if (visibility === 'public' || !writeCase.isConversation) return true
    return !linksThere(caseId).some((link) => {
      const other = byId.get(link.connectionId)?.connector.can.writeCase
      return other && !other.isConversation
    })
  }

  function applyOne(
    event: DomainEvent,
    planned: PlannedAction,
    cause: Cause,
    ruleId: string,
    source: Source,
  ): readonly DomainEvent[] {
    const { caseId } = event
    switch (planned.type) {
      case 'assign': {
        const values = {
          ...(planned.agent === undefined
            ? {}
            : { assignee: planned.agent === null ? null : { email: planned.agent } }),
          ...(planned.team === undefined ? {} : { team: planned.team }),
        }
        return caseId ? change(caseId, values, source, cause) : []
      }
      case 'status':
        return caseId ? change(caseId, { status: planned.status }, source, cause) : []
      case 'priority':
        return caseId ? change(caseId, { priority: planned.priority }, source, cause) : []
      case 'tag': {
        const state = caseId === undefined ? undefined : book.get(caseId)
        if (!caseId || !state) return []
        const tags = new Set([...read.tags(state.fields), ...planned.add])
        for (const tag of planned.remove) {
          tags.delete(tag)
          tags.delete(inFormOf(linksThere(caseId), tag))
        }
        return change(caseId, { tags: [...tags].sort() }, source, cause)
      }
      case 'reply':
      case 'note':
        if (caseId) {
          const visibility = planned.type === 'reply' ? 'public' : 'internal'
          const out: OutMessage = { visibility, text: planned.text, automatic: true }
          message(caseId, out, hubAuthor, cause, event.connectionId)
        }
        return []
      case 'create_case':
        openElsewhere(event, planned, cause, source)
        return []
      case 'update_person':
        updatePerson(event, planned, cause, ruleId)
        return []
      case 'notify':
        notify(event, planned, cause)
        return []
      case 'approval': {
        const { question, to } = planned
        wish(event, byName.get(planned.connection), to, { what: 'approval', question, askedBy: source }, cause)
        return []
      }
      case 'webhook':
        entries.push({
          key: effectKey(event.id, ruleId, 'webhook', planned.url, JSON.stringify(planned.body ?? null)),
          lane: `webhook:${new URL(planned.url).host}`,
          orderKey: caseId ?? event.id,
          ...(caseId === undefined ? {} : { caseId }),
          action: { type: 'webhook', url: planned.url, body: planned.body },
          cause,
        })
        return []
    }
  }

  function notify(event: DomainEvent, planned: Extract<PlannedAction, { type: 'notify' }>, cause: Cause) {
    const { to, text, card } = planned
    const connection =
      'connector' in planned ? onlyOne(planned.connector, event, cause) : byName.get(planned.connection)
    if (card && event.caseId) wish(event, connection, to, { what: 'case', caseId: event.caseId }, cause)
    if (text === undefined) return
    if (connection?.connector.can.notify) {
      const action: Action = { type: 'notify', notice: { to, text } }
      put(connection, event.caseId ?? event.profileId ?? event.id, action, cause, to, text)
    } else wish(event, connection, to, { what: 'notice', text }, cause)
  }

  /** When the rule was checked there was one: which one is meant among several cannot be told. */
  function onlyOne(connector: string, { caseId }: DomainEvent, cause: Cause): LoadedConnection | undefined {
    const all = connections.filter((one) => one.connector.manifest.id === connector)
    if (all.length === 1) return all[0]
    const reason =
      all.length === 0 ? `there is no ${connector} connection` : `there are ${all.length} ${connector} connections`
    refused.push({ cause, ...(caseId ? { caseId } : {}), reason })
    return undefined
  }

  function wish(
    event: DomainEvent,
    connection: LoadedConnection | undefined,
    to: string,
    show: ChatWish['show'],
    cause: Cause,
  ) {
    if (!connection?.connector.can.chat) return
    const state = event.caseId === undefined ? undefined : book.get(event.caseId)
    const profile = event.profileId === undefined ? undefined : profiles.get(event.profileId)
    wishes.push({
      cause,
      connection,
      to,
      show,
      about: {
        orderKey: event.caseId ?? event.profileId ?? event.id,
        ...(state ? { caseId: state.id } : {}),
        title: (state ? read.subject(state.fields) : profile?.name) ?? null,
        priority: state ? read.priority(state.fields) : null,
      },
    })
  }

  function openElsewhere(
    event: DomainEvent,
    planned: Extract<PlannedAction, { type: 'create_case' }>,
    cause: Cause,
    source: Source,
  ) {
    const connection = byName.get(planned.connection)
    if (event.caseId === undefined || !connection) return
    const profile = event.profileId === undefined ? undefined : profiles.get(event.profileId)
    const { type: _type, connection: _name, ...draft } = planned
    openCase(connection.id, { ...draft, requester: requesterOf(profile) }, cause, source, event.caseId)
  }

  function openCase(connectionId: string, wanted: NewCase, cause: Cause, source: Source, parentId?: string) {
    const { subject, text, requester = {}, priority, team, files } = wanted
    const parent = parentId === undefined ? undefined : book.get(parentId)
    const connection = byId.get(connectionId)
    const tags = wanted.tags && tagSet(wanted.tags.map(normaliserOf(connection)))
    const { writeCase } = connection?.connector.can ?? {}
    // What is written for colleagues has no place where a customer reads everything.
    if ((parentId !== undefined && !parent) || !connection || !writeCase || writeCase.isConversation) return undefined
    const optional = { ...(priority ? { priority } : {}), ...(team ? { team } : {}), ...(tags ? { tags } : {}) }
    const opened = book.open(parent, { subject, ...optional }, source, at)
    const draft = { subject, text, visibility: 'internal' as const, requester, ...optional }
    const action: Action = { type: 'case.create', caseId: opened.id, draft }
    put(connection, opened.id, action, cause, subject, text, parent?.id ?? '')
    if (files) {
      const { attachments, author } = files
      const names = attachments.map(({ name }) => name).join(', ')
      const message: OutMessage = { visibility: 'internal', text: names, attachments }
      put(connection, opened.id, { type: 'case.message', externalId: null, message, author }, cause, 'files')
    }
    return opened.id
  }

  function updatePerson(
    event: DomainEvent,
    planned: Extract<PlannedAction, { type: 'update_person' }>,
    cause: Cause,
    ruleId: string,
  ) {
    const profile = event.profileId === undefined ? undefined : profiles.get(event.profileId)
    if (!profile || !event.profileId) return
    traits.push({ profileId: event.profileId, traits: planned.traits, ruleId })
    for (const connection of connections) {
      if (!connection.connector.can.writePerson) continue
      if (planned.connection !== undefined && planned.connection !== connection.name) continue
      const person = { ...requesterOf(profile), traits: planned.traits }
      put(connection, profile.id, { type: 'person.upsert', person }, cause, JSON.stringify(planned.traits))
    }
  }

  return {
    apply(event, outcome, cause) {
      const source: Source = { kind: 'rule', ruleId: outcome.ruleId, version: outcome.version }
      return outcome.actions.flatMap((planned) => applyOne(event, planned, cause, outcome.ruleId, source))
    },
    afterMerge(event) {
      const conflicts = (event.data['conflicts'] ?? []) as readonly { field: string; kept: string }[]
      const ours = conflicts.filter((conflict) => conflict.kept === 'ours').map((conflict) => conflict.field)
      const state = event.caseId === undefined ? undefined : book.get(event.caseId)
      const link = state && book.linksOf(state.id).find((one) => one.connectionId === event.connectionId)
      if (state && link && ours.length > 0) collect(link, state, ours, { ...event.cause, eventId: event.id })
    },
    beforeRating(event) {
      const state = event.caseId === undefined ? undefined : book.get(event.caseId)
      const rating = event.data['rating'] as RatingFacts | undefined
      if (!state || !rating) return
      for (const link of linksThere(state.id)) {
        const connection = byId.get(link.connectionId)
        const changes = connection?.connector.can.writeRating?.changes?.(connection.config, rating)
        const tags = [...new Set([...read.tags(state.fields), ...(changes?.addTags ?? [])])].sort()
        book.foresee(state.id, { tags, ...withCustom(changes?.custom ?? {}) }, event.actor, at)
      }
    },
    change,
    message,
    applyTo(caseId, actions, author, cause, source) {
      const state = book.get(caseId)
      if (!state) return []
      const profileId = read.requester(state.fields)
      const about: DomainEvent = {
        id: cause.eventId ?? caseId,
        type: 'case.updated',
        caseId,
        ...(profileId === null ? {} : { profileId }),
        actor: source,
        data: {},
        cause,
        occurredAt: now,
      }
      return actions.flatMap((planned) => {
        if (planned.type !== 'note') return applyOne(about, planned, cause, '', source)
        message(caseId, { visibility: 'internal', text: planned.text }, author, cause)
        return []
      })
    },
    openCase,
    merge(caseId, intoId, cause) {
      for (const link of linksThere(caseId)) {
        const into = linksThere(intoId).find((other) => other.connectionId === link.connectionId)
        const connection = byId.get(link.connectionId)
        if (!into || !connection?.connector.can.writeCase?.merge) continue
        const action: Action = { type: 'case.merge', externalId: link.externalId, intoExternalId: into.externalId }
        put(connection, caseId, action, cause, link.externalId, into.externalId)
        mergedAway.add(`${link.connectionId}\n${link.externalId}`)
        return true
      }
      return false
    },
    put: (entry) => void entries.push(entry),
    flushWrites() {
      for (const { link, before, fields, cause } of writes.values()) {
        const connection = byId.get(link.connectionId)
        const state = book.get(link.caseId)
        const { writeCase } = connection?.connector.can ?? {}
        if (!connection || !state || !writeCase) continue
        // A merged record is closed by its own tool, and takes nothing more.
        if (mergedAway.has(`${link.connectionId}\n${link.externalId}`)) continue
        const takesCustom = (name: string) => writeCase.takesCustom?.(connection.config, name) ?? true
        const takes = { fields: new Set(writeCase.fields), takesCustom, normaliseTag: normaliserOf(connection) }
        const change = changeFor(state, before, link, fields, takes)
        if (!change) continue
        const action: Action = { type: 'case.update', externalId: link.externalId, change }
        put(connection, link.caseId, action, cause, link.externalId, JSON.stringify(change))
      }
      writes.clear()
    },
    takeMails: () => mails.splice(0),
    hold: ({ place }) => held.add(place),
    entries: () => entries.filter((_entry, place) => !held.has(place)),
    takeWishes: () => wishes.splice(0),
    takeRefused: () => refused.splice(0),
    saveTraits: (trx) => setTraits(trx, traits, now),
  }
}

function normaliserOf(connection: LoadedConnection | undefined): (tag: string) => string {
  const writeCase = connection?.connector.can.writeCase
  return (tag) => writeCase?.normaliseTag?.(tag) ?? tag
}

interface Takes {
  readonly fields: ReadonlySet<CaseField>
  takesCustom(name: string): boolean
  normaliseTag(tag: string): string
}

/** What a link's vendor must be told; `undefined` when it takes none of the changed fields, or knows already. */
function changeFor(
  state: CaseState,
  before: CaseState,
  link: LinkState,
  changed: ReadonlySet<string>,
  takes: Takes,
): CaseChange | undefined {
  const { fields } = state
  const has = (field: CaseField) => takes.fields.has(field) && changed.has(field)
  const tagsOf = (list: readonly string[]) => new Set(list.map((tag) => takes.normaliseTag(tag)))
  const known = tagsOf((link.base['tags']?.value ?? before.fields['tags'] ?? []) as readonly string[])
  const tags = tagsOf(read.tags(fields))
  const priority = read.priority(fields)
  const assignee = read.assignee(fields)
  const custom = Object.entries(read.custom(fields)).filter(
    ([name]) => changed.has(`custom.${name}`) && takes.takesCustom(name),
  )
  const change: CaseChange = {
    ...(has('status') ? { status: read.status(fields) } : {}),
    ...(has('priority') && priority ? { priority } : {}),
    ...(has('subject') ? { subject: read.subject(fields) ?? '' } : {}),
    ...(has('tags') ? { addTags: [...tags.difference(known)], removeTags: [...known.difference(tags)] } : {}),
    ...(has('assignee') ? { assigneeEmail: assignee?.email ?? null } : {}),
    ...(has('team') ? { team: read.team(fields) } : {}),
    ...(takes.fields.has('custom') && custom.length > 0 ? { custom: Object.fromEntries(custom) } : {}),
  }
  if (Object.keys(change).length === 0) return undefined
  return { ...change, ...(link.version ? { ifVersion: link.version } : {}) }
}

function requesterOf(profile: ProfileView | undefined): PersonFacts {
  if (!profile) return {}
  return {
    ...(profile.name ? { name: profile.name } : {}),
    emails: profile.emails,
    phones: profile.phones,
    ...(profile.locale ? { locale: profile.locale } : {}),
  }
}
