/**
 * The words connectors and the hub share. A connector reports facts ("the case looks like this now"); the hub derives
 * events ("it was solved").
 *
 * Glossary: a *case* is one customer issue, a *link* its counterpart in a vendor; a *person* is a vendor's record, a
 * *profile* our unified customer; an *agent* works on cases; a *connection* is one installed account of a connector.
 *
 * In every shape here an absent field means "the vendor did not say"; `null` means "the vendor says it is empty".
 * All times are ISO 8601 in UTC. All ids are strings, whatever the vendor uses (64-bit numbers stay exact).
 */
import type { ChatHappening } from './chat.ts'

export const caseStatuses = ['new', 'open', 'pending', 'on_hold', 'solved', 'closed'] as const
export type CaseStatus = (typeof caseStatuses)[number]

export const casePriorities = ['low', 'normal', 'high', 'urgent'] as const
export type CasePriority = (typeof casePriorities)[number]

export const channels = ['email', 'chat', 'web', 'phone', 'social', 'api', 'slack', 'teams'] as const
export type Channel = (typeof channels)[number]

/** `public` is seen by the requester; `internal` never is. */
export const visibilities = ['public', 'internal'] as const
export type Visibility = (typeof visibilities)[number]

export const surveyScales = ['csat_5', 'nps_11', 'ces_7'] as const
export type SurveyScale = (typeof surveyScales)[number]

export type Scalar = string | number | boolean
/** What a custom field or a trait may hold. */
export type FieldValue = Scalar | readonly Scalar[] | null

export interface CompanyFacts {
  readonly id?: string
  readonly name?: string
  /** Lower-case host name, such as `acme.example`. */
  readonly domain?: string
  readonly traits?: Readonly<Record<string, FieldValue>>
}

export interface PersonFacts {
  /** The vendor's id. Absent where a vendor has no directory (plain mail). */
  readonly id?: string
  readonly name?: string
  readonly emails?: readonly string[]
  readonly phones?: readonly string[]
  readonly company?: CompanyFacts
  /** BCP 47, such as `es-ES`. */
  readonly locale?: string
  readonly traits?: Readonly<Record<string, FieldValue>>
  /** `false`: anybody could have claimed these addresses (an open form, mail without DMARC), so they never merge profiles. */
  readonly verified?: boolean
  readonly updatedAt?: string
}

export interface AgentFacts {
  readonly id?: string
  readonly name?: string
  readonly email?: string
}

export interface CaseFacts {
  readonly id: string
  readonly subject?: string
  readonly status?: CaseStatus
  readonly priority?: CasePriority | null
  readonly channel?: Channel
  readonly tags?: readonly string[]
  readonly requester?: PersonFacts
  readonly assignee?: AgentFacts | null
  /** The vendor's name for the team (group, queue) that owns the case. */
  readonly team?: string | null
  readonly custom?: Readonly<Record<string, FieldValue>>
  /** Where an agent opens the case in the vendor's own tool. */
  readonly url?: string
  readonly createdAt?: string
  /** Orders news about this case: facts older than what the hub holds are dropped, field by field. */
  readonly updatedAt?: string
  /** The vendor's opaque stamp for conditional writes (etag, `updated_stamp`). */
  readonly version?: string
  readonly deleted?: boolean
  /** The key of the hub's own `create` call, where the vendor keeps and returns it: this case is one that we opened. */
  readonly createdByKey?: string
}

export interface Attachment {
  readonly id?: string
  readonly name: string
  readonly contentType?: string
  readonly sizeBytes?: number
  readonly url?: string
  /** Its address is for colleagues: it stands in nothing that a customer reads. */
  readonly isInternal?: true
  /** The connection that told of it, which can read it. The hub's own note: connectors leave it out. */
  readonly source?: string
}

export interface Author {
  readonly kind: 'customer' | 'agent' | 'system'
  readonly id?: string
  readonly name?: string
  readonly email?: string
  /** `false`: anybody could have written under this name (mail without DMARC). Agents are shown so. */
  readonly verified?: false
}

export interface MessageFacts {
  readonly id: string
  readonly visibility: Visibility
  readonly author: Author
  readonly text: string
  readonly html?: string
  readonly attachments?: readonly Attachment[]
  readonly sentAt: string
}

export interface RatingFacts {
  readonly scale: SurveyScale
  /** csat_5: 1–5; nps_11: 0–10; ces_7: 1–7. */
  readonly score: number
  readonly comment?: string
}

/**
 * Where a message of a channel without cases of its own (mail) belongs. The connector tells the evidence; the hub, which
 * knows the cases and who takes part in them, decides.
 */
export interface ThreadFacts {
  /** The case that this message opens when it joins none; its `id` comes from the message, so that it is the same each time. */
  readonly opens: CaseFacts
  /** Ids of this connection's cases that the sender has proof of: a signed address, a signed message id. The best first. */
  readonly proven: readonly string[]
  /** Ids of the messages that this one answers, without proof. The nearest first. */
  readonly answers: readonly string[]
  /** The sender's address: a case is joined only by those who take part in it. */
  readonly from: string
  /**
   * Whom an agent wrote to: they take part in the case from then on. Absent for what others wrote, who can bring nobody in.
   */
  readonly guests?: readonly string[]
  /** Written by a machine: never opens or reopens a case, is never answered, and counts as nobody's reply. */
  readonly automatic: boolean
}

/** A message of ours that did not arrive. */
export interface BounceFacts {
  /** The case and the message (vendor's id) that it was, proven by a signature of ours. */
  readonly caseId: string
  readonly messageId?: string
  readonly address: string
  /** `true`: the address does not exist or refuses us for good; nothing is sent there again. */
  readonly permanent: boolean
  readonly reason: string
}

/**
 * What a vendor told us. `occurredAt` orders facts that carry no time of their own. `byHub`: the vendor says that this is
 * our own write coming back (a hint; the three-way merge is the guard).
 */
export type Observation = { readonly occurredAt: string; readonly byHub: boolean } & (
  | { readonly type: 'case'; readonly case: CaseFacts }
  | { readonly type: 'message'; readonly caseId: string; readonly message: MessageFacts }
  /** A file of a message that was told without it. */
  | { readonly type: 'file'; readonly caseId: string; readonly messageId: string; readonly file: Attachment }
  | { readonly type: 'threaded'; readonly message: MessageFacts; readonly thread: ThreadFacts }
  | { readonly type: 'bounce'; readonly bounce: BounceFacts }
  | { readonly type: 'person'; readonly person: PersonFacts }
  /** Somebody did something in a chat tool. */
  | { readonly type: 'chat'; readonly happening: ChatHappening }
  | { readonly type: 'rating'; readonly caseId: string; readonly rating: RatingFacts }
  /** A thin webhook: the hub reads the record, in batches, before it works on it. */
  | { readonly type: 'pointer'; readonly entity: 'case' | 'person'; readonly id: string }
)
