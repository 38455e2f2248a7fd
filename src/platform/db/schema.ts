/**
 * The tables, as Kysely sees them. `workspace_id` is not in here: the connection carries it (see database.ts), the column
 * fills itself and row-level security filters by it.
 */
import type { ColumnType, GeneratedAlways } from 'kysely'
import type { ChatLanguage, ChatPerson } from '#hub/connector/chat.ts'
import type {
  AgentFacts,
  Attachment,
  Author,
  CasePriority,
  CaseStatus,
  Channel,
  FieldValue,
  Visibility,
} from '#hub/connector/facts.ts'

/** jsonb: written as text (`json(...)` in database.ts), read as a value. */
type Json<T> = ColumnType<T, string, string>
type JsonOrNull<T> = ColumnType<T | null, string | null, string | null>
type Defaulted<T> = ColumnType<T, T | undefined, T>
type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>
/** bigint columns arrive as strings; sequences stay below 2^53, so they are parsed to numbers (see database.ts). */
type Sequence = GeneratedAlways<number>

/** A value with the time it was true at its source. */
export interface Dated<T = unknown> {
  readonly value: T
  readonly at: string
  /** Our write, which the vendor confirmed without a time of its own: `at` is that of the value before. */
  readonly undated?: true
  /** Our write: when the hub learnt that it was done, by the hub's clock. What was read before that is old. */
  readonly writtenAt?: string
  /** What the hub read itself: when it began to, by the hub's clock. What was read before that is old. */
  readonly readAt?: string
}
export type DatedFields = Readonly<Record<string, Dated>>

export interface Provenance {
  readonly at: string
  readonly source: Source
}
/** As `Dated` fields stand in the database: those of the same age together. */
export type PackedFields = Omit<Dated, 'value'> & { readonly values: Readonly<Record<string, unknown>> }
/** As provenance stands in the database: fields that got their values from the same source at the same time. */
export type PackedProvenance = Provenance & { readonly fields: readonly string[] }
/** Who set a value: a vendor's record, a rule, or a person through the API. */
export type Source =
  | { readonly kind: 'connection'; readonly connectionId: string; readonly record: string }
  | { readonly kind: 'rule'; readonly ruleId: string; readonly version: number }
  | { readonly kind: 'person'; readonly name: string }

/** Why something happened: the inbound row or act at its start, the rule that wanted it, how many rules deep. */
export interface Cause {
  readonly inboxSeq?: number
  readonly eventId?: string
  readonly ruleId?: string
  readonly ruleVersion?: number
  readonly invitationId?: string
  readonly actor?: string
  /** 0 for what came from outside; one more for each rule in the chain. */
  readonly depth: number
  /** The rules of the chain, first to last. */
  readonly chain?: readonly string[]
}

export interface Ledger {
  seq: Sequence
  attempts: Defaulted<number>
  due_at: Defaulted<Date>
  lease_until: Nullable<Date>
  fence: Nullable<number>
}

export interface Schema {
  workspaces: { name: string; created_at: Defaulted<Date> }
  settings: { key: string; value: Json<unknown>; updated_at: Defaulted<Date> }
  connections: {
    id: string
    connector: string
    name: string
    config: Json<Record<string, unknown>>
    sealed: Buffer
    status: ConnectionStatus
    status_reason: Nullable<string>
    account: Nullable<string>
    change_cursor: Nullable<string>
    last_inbound_at: Nullable<Date>
    last_reconciled_at: Nullable<Date>
    created_at: Defaulted<Date>
    updated_at: Defaulted<Date>
  }
  inbox: Ledger & {
    connection_id: string
    dedupe_key: string
    source: 'webhook' | 'reconcile'
    body: Buffer
    state: InboxState
    reason: Nullable<string>
    duplicates: Defaulted<number>
    repaired: Defaulted<boolean>
    received_at: Defaulted<Date>
    processed_at: Nullable<Date>
  }
  companies: {
    id: string
    name: Nullable<string>
    domain: Nullable<string>
    traits: Json<Record<string, FieldValue>>
    created_at: Defaulted<Date>
    updated_at: Defaulted<Date>
  }
  company_records: {
    connection_id: string
    external_id: string
    company_id: string
    facts: Json<DatedFields>
    observed_at: Date
  }
  profiles: {
    id: string
    root_id: string
    name: Nullable<string>
    created_at: Defaulted<Date>
    updated_at: Defaulted<Date>
  }
  person_records: {
    connection_id: string
    external_id: string
    profile_id: string
    company_id: Nullable<string>
    verified: boolean
    facts: Json<DatedFields>
    observed_at: Date
  }
  identities: {
    kind: IdentityKind
    value: string
    scope: Defaulted<string>
    profile_id: string
    verified: boolean
    connection_id: string
    external_id: string
    first_seen_at: Date
  }
  merges: {
    id: string
    kept_id: string
    merged_id: string
    cause: Json<unknown>
    actor: string
    merged_at: Date
    undone_at: Nullable<Date>
    undone_by: Nullable<string>
  }
  merge_suggestions: {
    id: string
    profile_a: string
    profile_b: string
    reason: string
    evidence: Json<unknown>
    state: Defaulted<'open' | 'accepted' | 'dismissed'>
    created_at: Date
  }
  cases: {
    id: string
    subject: Nullable<string>
    status: CaseStatus
    priority: Nullable<CasePriority>
    channel: Nullable<Channel>
    tags: Defaulted<string[]>
    requester_id: Nullable<string>
    parent_id: Nullable<string>
    assignee: JsonOrNull<AgentFacts>
    /** Worked out by the database, in lower case. */
    assignee_email: GeneratedAlways<string | null>
    team: Nullable<string>
    custom: Json<Record<string, FieldValue>>
    provenance: Json<readonly PackedProvenance[]>
    created_at: Date
    updated_at: Date
    solved_at: Nullable<Date>
  }
  case_links: {
    connection_id: string
    external_id: string
    case_id: string
    base: Json<readonly PackedFields[]>
    version: Nullable<string>
    url: Nullable<string>
    deleted_at: Nullable<Date>
    created_at: Date
    updated_at: Date
  }
  messages: {
    id: string
    case_id: string
    connection_id: string
    external_id: Nullable<string>
    visibility: Visibility
    author: Json<Author>
    text: string
    html: Nullable<string>
    attachments: Json<readonly Attachment[]>
    sent_at: Date
    content_hash: string
    told_at: Defaulted<Date>
    delivery_key: Nullable<string>
    created_at: Defaulted<Date>
  }
  parked_observations: {
    seq: Sequence
    connection_id: string
    case_external_id: string
    inbox_seq: number
    observation: Json<unknown>
    parked_at: Date
  }
  events: {
    seq: Sequence
    id: string
    type: string
    case_id: Nullable<string>
    profile_id: Nullable<string>
    connection_id: Nullable<string>
    actor: Json<Source>
    data: Json<Record<string, unknown>>
    cause: Json<Cause>
    occurred_at: Date
    recorded_at: Date
  }
  rules: {
    id: string
    version: number
    is_current: boolean
    mode: RuleMode
    position: Defaulted<number>
    name: string
    definition: Json<unknown>
    source: string
    author: string
    created_at: Date
  }
  rule_runs: {
    seq: Sequence
    rule_id: string
    rule_version: number
    event_id: string
    case_id: Nullable<string>
    result: 'matched' | 'simulated' | 'failed' | 'cut'
    detail: Json<Record<string, unknown>>
    ran_at: Date
  }
  outbox: Ledger & {
    key: string
    lane: string
    order_key: string
    connection_id: Nullable<string>
    case_id: Nullable<string>
    action: Json<unknown>
    cause: Json<Cause>
    state: Defaulted<'pending' | 'sent' | 'dead' | 'cancelled'>
    possibly_sent: Defaulted<boolean>
    outcome_unknown: Defaulted<boolean>
    error: JsonOrNull<{ code: string; message: string }>
    receipt: JsonOrNull<unknown>
    created_at: Defaulted<Date>
    sent_at: Nullable<Date>
  }
  lanes: {
    lane: string
    owner: Nullable<string>
    fence: Defaulted<number>
    lease_until: Nullable<Date>
    paused_reason: Nullable<string>
  }
  surveys: { id: string; definition: Json<unknown>; enabled: boolean; updated_at: Defaulted<Date> }
  invitations: {
    id: string
    survey_id: string
    case_id: string
    event_id: string
    profile_id: Nullable<string>
    connection_id: Nullable<string>
    state: 'planned' | 'sent' | 'answered' | 'expired' | 'skipped' | 'cancelled'
    reason: Nullable<string>
    send_at: Date
    sent_at: Nullable<Date>
    expires_at: Nullable<Date>
    locale: Nullable<string>
    created_at: Date
  }
  responses: {
    id: string
    invitation_id: string
    survey_id: string
    case_id: string
    profile_id: Nullable<string>
    scale: 'csat_5' | 'nps_11' | 'ces_7'
    score: number
    comment: Nullable<string>
    answered_at: Date
  }
  agents: {
    id: string
    email: string
    name: string
    role: AgentRole
    language: Nullable<ChatLanguage>
    quiet_hours: JsonOrNull<QuietHours>
    active: Defaulted<boolean>
    created_at: Defaulted<Date>
    updated_at: Defaulted<Date>
  }
  agent_accounts: {
    connection_id: string
    external_id: string
    agent_id: string
    proof: 'email' | 'admin'
    created_at: Defaulted<Date>
  }
  desk_agents: { connection_id: string; agents: Json<readonly AgentFacts[]>; read_at: Date }
  chat_people: {
    connection_id: string
    external_id: string
    facts: Json<ChatPerson>
    reference: Nullable<string>
    direct_channel: Nullable<string>
    claimed_email: Nullable<string>
    asked_at: Nullable<Date>
    read_at: Date
  }
  chat_channels: {
    connection_id: string
    channel: string
    name: Nullable<string>
    reference: Nullable<string>
    state: 'open' | 'gone'
    tried_at: Nullable<Date>
    updated_at: Date
  }
  chat_posts: {
    connection_id: string
    channel: string
    card_key: string
    message_id: string
    case_id: Nullable<string>
    digest: string
    posted_at: Date
    updated_at: Date
  }
  chat_messages: {
    connection_id: string
    channel: string
    message_id: string
    case_id: string
    hub_message_id: string
    files: Defaulted<number>
  }
  drafts: {
    id: string
    agent_id: string
    case_id: Nullable<string>
    content: Json<unknown>
    is_withdrawn: Defaulted<boolean>
    created_at: Date
  }
  macros: {
    id: string
    name: string
    definition: Json<unknown>
    position: Defaulted<number>
    updated_at: Defaulted<Date>
  }
  approvals: {
    id: string
    case_id: string
    question: string
    asked_by: Json<Source>
    connection_id: string
    asked_of: string
    asked_at: Date
    decision: Nullable<'approved' | 'rejected'>
    decided_by: Nullable<string>
    decided_at: Nullable<Date>
  }
  snoozes: { case_id: string; until: Date; by: string }
  installations: {
    connection_id: string
    key: string
    name: Nullable<string>
    sealed: Buffer
    installed_at: Defaulted<Date>
    updated_at: Defaulted<Date>
  }
  suppressions: {
    address: string
    reason: string
    connection_id: string
    case_id: Nullable<string>
    suppressed_at: Date
  }
  soft_bounces: { address: string; message: string; bounced_at: Date }
  case_guests: { connection_id: string; external_id: string; address: string; message_id: string }
  leases: { name: string; owner: string; lease_until: Date }
  api_idempotency: {
    key: string
    request_hash: string
    status: number
    body: Json<unknown>
    created_at: Defaulted<Date>
  }
  audit: {
    seq: Sequence
    at: Defaulted<Date>
    actor: string
    act: string
    target: Nullable<string>
    detail: Json<Record<string, unknown>>
  }
}

export const agentRoles = ['admin', 'lead', 'agent', 'viewer'] as const
export type AgentRole = (typeof agentRoles)[number]

/** Local times of a day, `22:00` to `07:00`; over midnight when the end is before the beginning. */
export interface QuietHours {
  /** IANA, such as `Europe/Madrid`. */
  readonly time_zone: string
  readonly from: string
  readonly to: string
}

export type ConnectionStatus = 'connected' | 'degraded' | 'needs_attention' | 'paused'
export type InboxState = 'pending' | 'done' | 'ignored' | 'quarantined' | 'dead'
export type IdentityKind = 'email' | 'phone' | 'external'
export type RuleMode = 'draft' | 'simulate' | 'on' | 'off'
