/** The SQL of cases, links, messages and events: loads and saves a whole batch with a handful of statements. */
import { type Selectable, sql } from 'kysely'
import type { OutMessage } from '#hub/connector/contract.ts'
import type { Author } from '#hub/connector/facts.ts'
import { inserter, overwrite, togetherInserter } from '#hub/platform/db/bulk.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { Schema } from '#hub/platform/db/schema.ts'
import { together } from '#hub/platform/db/together.ts'
import { newId } from '#hub/platform/ids.ts'
import { contentHash, type LinkState, type LoadedBook, type MessageState } from './book.ts'
import type { DomainEvent } from './event.ts'
import { type CaseState, read, withCustom } from './fields.ts'
import { packFields, packProvenance, unpackFields, unpackProvenance } from './packed.ts'

/** A vendor's case, or one of its messages. */
export interface CaseRef {
  readonly connectionId: string
  readonly externalId: string
}
export interface MessageRef {
  readonly connectionId: string
  readonly messageId: string
}

export interface BookRefs {
  /** Those of which the hub's id is not known. */
  readonly cases: readonly CaseRef[]
  readonly caseIds: readonly string[]
  readonly messages: readonly MessageRef[]
  /** Whether the ratings and bounces that the cases have matter. */
  readonly withReports?: boolean
}

export async function loadBook(db: Db, refs: BookRefs): Promise<LoadedBook> {
  const caseIds = [...refs.caseIds, ...(await linkedCases(db, refs.cases))]
  if (caseIds.length === 0) return { cases: [], links: [], messages: [], reports: [] }
  const [cases, links, messages, reports] = await together(
    db.selectFrom('cases').selectAll().where('id', '=', sql<string>`any(${caseIds})`).execute(),
    // A message goes to the first link that takes one: always the same.
    db
      .selectFrom('case_links')
      .selectAll()
      .where('case_id', '=', sql<string>`any(${caseIds})`)
      .orderBy('created_at')
      .orderBy('connection_id')
      .execute(),
    loadMessages(db, caseIds, refs.messages),
    refs.withReports ? loadReports(db, caseIds) : Promise.resolve([]),
  )
  return { cases: cases.map(toCase), links: links.map(toLink), messages: messages.map(toMessage), reports }
}

/** The hub's ids of the cases that these are, each once. */
export async function linkedCases(db: Db, refs: readonly CaseRef[]): Promise<string[]> {
  if (refs.length === 0) return []
  const rows = await sql<{ case_id: string }>`
    select link.case_id from unnest(${refs.map((ref) => ref.connectionId)}::text[], ${refs.map((ref) => ref.externalId)}::text[])
      as ref(connection_id, external_id)
    join case_links link on link.connection_id = ref.connection_id and link.external_id = ref.external_id
      and link.external_id = any(${refs.map((ref) => ref.externalId)})
  `.execute(db)
  return [...new Set(rows.rows.map((row) => row.case_id))]
}

/** The messages named, and those of ours that still wait for their vendor's id. */
async function loadMessages(db: Db, caseIds: readonly string[], refs: readonly MessageRef[]) {
  if (refs.length === 0) return []
  return await db
    .selectFrom('messages')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb('external_id', '=', sql<string>`any(${refs.map((ref) => ref.messageId)})`).and(
          'connection_id',
          '=',
          sql<string>`any(${[...new Set(refs.map((ref) => ref.connectionId))]})`,
        ),
        eb('case_id', '=', sql<string>`any(${caseIds})`).and('external_id', 'is', null),
      ]),
    )
    .execute()
}

async function loadReports(db: Db, caseIds: readonly string[]): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('events')
    .select('id')
    .where('case_id', '=', sql<string>`any(${caseIds})`)
    .where('type', 'in', ['rating.received', 'message.bounced'])
    .execute()
  return rows.map((row) => row.id)
}

/** What a batch changed. */
interface ChangedBook {
  readonly cases: readonly CaseState[]
  readonly links: readonly LinkState[]
  readonly messages: readonly MessageState[]
}

const caseColumns = {
  id: 'text',
  subject: 'text',
  status: 'text',
  priority: 'text',
  channel: 'text',
  tags: 'text[]',
  requester_id: 'text',
  parent_id: 'text',
  assignee: 'jsonb',
  team: 'text',
  custom: 'jsonb',
  provenance: 'jsonb',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  solved_at: 'timestamptz',
}
const linkColumns = {
  connection_id: 'text',
  external_id: 'text',
  case_id: 'text',
  base: 'jsonb',
  version: 'text',
  url: 'text',
  deleted_at: 'timestamptz',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
}
const messageColumns = {
  id: 'text',
  case_id: 'text',
  connection_id: 'text',
  external_id: 'text',
  visibility: 'text',
  author: 'jsonb',
  text: 'text',
  html: 'text',
  attachments: 'jsonb',
  sent_at: 'timestamptz',
  content_hash: 'text',
  told_at: 'timestamptz',
  delivery_key: 'text',
}
const eventColumns = {
  id: 'text',
  type: 'text',
  caseId: 'text',
  profileId: 'text',
  connectionId: 'text',
  actor: 'jsonb',
  data: 'jsonb',
  cause: 'jsonb',
  occurredAt: 'timestamptz',
  recordedAt: 'timestamptz',
}
const onCase = overwrite(['id'], caseColumns)
const onLink = overwrite(['connection_id', 'external_id'], linkColumns)
const onMessage = overwrite(['id'], messageColumns)
/** The same news gives the same id: what was recorded before is not recorded again. */
const onEvent = 'on conflict (workspace_id, id) do nothing'

const insertBook = togetherInserter(
  { table: 'cases', columns: caseColumns, onConflict: onCase },
  { table: 'case_links', columns: linkColumns, onConflict: onLink },
  { table: 'messages', columns: messageColumns, onConflict: onMessage },
  { table: 'events', columns: eventColumns, onConflict: onEvent },
)
const insertEvents = inserter({ table: 'events', columns: eventColumns, onConflict: onEvent })
const insertMessages = inserter({ table: 'messages', columns: messageColumns })

/** Cases and what happened to them, in one round trip. */
export async function saveBook(db: Db, book: ChangedBook, events: readonly DomainEvent[], now: Date): Promise<void> {
  const { cases, links, messages } = book
  await insertBook(db, cases.map(fromCase), links.map(fromLink), messages.map(fromMessage), eventRows(events, now))
}

export async function appendEvents(db: Db, events: readonly DomainEvent[], now: Date): Promise<void> {
  await insertEvents(db, eventRows(events, now))
}

/** Times as text: written out by `JSON.stringify`, a `Date` takes longer than all the rest of the row. */
function eventRows(events: readonly DomainEvent[], now: Date): readonly object[] {
  const recordedAt = now.toISOString()
  return events.map(({ caseId, profileId, connectionId, occurredAt, ...event }) => ({
    ...event,
    caseId: caseId ?? null,
    profileId: profileId ?? null,
    connectionId: connectionId ?? null,
    occurredAt: occurredAt.toISOString(),
    recordedAt,
  }))
}

function toCase(row: Selectable<Schema['cases']>): CaseState {
  return {
    id: row.id,
    parentId: row.parent_id,
    fields: {
      subject: row.subject,
      status: row.status,
      priority: row.priority,
      channel: row.channel,
      tags: row.tags,
      requester: row.requester_id,
      assignee: row.assignee,
      team: row.team,
      ...withCustom(row.custom),
    },
    provenance: unpackProvenance(row.provenance),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    solvedAt: row.solved_at,
  }
}

function fromCase(state: CaseState) {
  const { fields } = state
  return {
    id: state.id,
    subject: read.subject(fields),
    status: read.status(fields),
    priority: read.priority(fields),
    channel: read.channel(fields),
    tags: read.tags(fields),
    requester_id: read.requester(fields),
    parent_id: state.parentId,
    assignee: read.assignee(fields),
    team: read.team(fields),
    custom: read.custom(fields),
    provenance: packProvenance(state.provenance),
    created_at: state.createdAt.toISOString(),
    updated_at: state.updatedAt.toISOString(),
    solved_at: state.solvedAt?.toISOString() ?? null,
  }
}

function toLink(row: Selectable<Schema['case_links']>): LinkState {
  return {
    connectionId: row.connection_id,
    externalId: row.external_id,
    caseId: row.case_id,
    base: unpackFields(row.base),
    version: row.version,
    url: row.url,
    deletedAt: row.deleted_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function fromLink(link: LinkState) {
  return {
    connection_id: link.connectionId,
    external_id: link.externalId,
    case_id: link.caseId,
    base: packFields(link.base),
    version: link.version,
    url: link.url,
    deleted_at: link.deletedAt?.toISOString() ?? null,
    created_at: link.createdAt.toISOString(),
    updated_at: link.updatedAt.toISOString(),
  }
}

function toMessage(row: Selectable<Schema['messages']>): MessageState {
  return {
    id: row.id,
    caseId: row.case_id,
    connectionId: row.connection_id,
    externalId: row.external_id,
    facts: {
      visibility: row.visibility,
      author: row.author,
      text: row.text,
      ...(row.html === null ? {} : { html: row.html }),
      attachments: row.attachments,
      sentAt: row.sent_at.toISOString(),
    },
    contentHash: row.content_hash,
    toldAt: row.told_at.toISOString(),
    deliveryKey: row.delivery_key,
  }
}

function fromMessage(message: MessageState) {
  return {
    id: message.id,
    case_id: message.caseId,
    connection_id: message.connectionId,
    external_id: message.externalId,
    visibility: message.facts.visibility,
    author: message.facts.author,
    text: message.facts.text,
    html: message.facts.html ?? null,
    attachments: message.facts.attachments ?? [],
    sent_at: message.facts.sentAt,
    content_hash: message.contentHash,
    told_at: message.toldAt,
    delivery_key: message.deliveryKey,
  }
}

export interface Outgoing {
  readonly deliveryKey: string
  readonly caseId: string
  readonly connectionId: string
  readonly message: OutMessage
  readonly author: Author
}

/** Messages that leave from the hub: known by their delivery until the vendor gives them an id. */
export async function noteOutgoing(db: Db, outgoing: readonly Outgoing[]): Promise<void> {
  const now = new Date()
  const rows = outgoing.map(({ deliveryKey, caseId, connectionId, message, author }) => ({
    id: newId('msg'),
    case_id: caseId,
    connection_id: connectionId,
    external_id: null,
    visibility: message.visibility,
    author,
    text: message.text,
    html: message.html ?? null,
    attachments: message.attachments ?? [],
    sent_at: now,
    content_hash: contentHash(message.text, message.visibility),
    // Its vendor has told nothing of it yet.
    told_at: new Date(0),
    delivery_key: deliveryKey,
  }))
  await insertMessages(db, rows)
}
