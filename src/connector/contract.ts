/**
 * The door for connector authors. A connector is a folder `connectors/<vendor>/` that needs nothing but this contract.
 *
 * In: requests as they arrived, and actions to perform. Out: observations, receipts, or a `ConnectorError`.
 * Never here: storing, deduplicating, retrying, ordering, rate limits, redaction, host checks; the hub does those for all.
 */
import type { z } from 'zod'
import type { ChatAnswer, ChatContent, ChatHappening, ChatPerson, ChatPlace, ChatSettings } from './chat.ts'
import type {
  AgentFacts,
  Attachment,
  CaseFacts,
  CasePriority,
  CaseStatus,
  FieldValue,
  Observation,
  PersonFacts,
  RatingFacts,
  Visibility,
} from './facts.ts'

type MaybePromise<T> = T | Promise<T>

/** One request as it arrived. `body` is the raw bytes, never parsed and re-serialised; header names are lower-case. */
export interface InboundRequest {
  /** Always `POST`: the hub lets nothing else in. */
  readonly method: string
  /** The whole address: the configured public base URL, with path and query as the sender used them. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Whoever opened the connection is on this machine, and says that it speaks for nobody else. */
  readonly isLocal?: true
}

export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'missing_header' | 'stale' | 'bad_signature' }

/** A handshake's answer: sent as it is, nothing stored. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * One thing inside an inbound request. `key` identifies it across redeliveries (unique per connection, kept 30 days);
 * `body` is its text: the raw body for vendors that send one thing at a time, one element's JSON for batches.
 */
export interface InboundItem {
  readonly key: string
  readonly body: string
}

/** What the vendor answered to a write. */
export interface Receipt {
  /** The vendor's id of what was written. */
  readonly externalId?: string
  readonly url?: string
  /** The vendor's time and stamp of the record after the write, where it tells them. */
  readonly updatedAt?: string
  readonly version?: string
  /** Of a chat message: where it was put. */
  readonly place?: ChatPlace
}

/** What a look for an earlier attempt's effect gave. */
export type Found = Receipt | 'unknown' | undefined

export interface CaseDraft {
  readonly subject: string
  readonly text: string
  readonly visibility: Visibility
  readonly requester: PersonFacts
  readonly status?: CaseStatus
  readonly priority?: CasePriority
  readonly tags?: readonly string[]
  readonly team?: string
  readonly custom?: Readonly<Record<string, FieldValue>>
}

/** Only what changes. Tags travel as additions and removals, so that a write never wipes what others added. */
export interface CaseChange {
  readonly status?: CaseStatus
  readonly priority?: CasePriority
  readonly subject?: string
  readonly addTags?: readonly string[]
  readonly removeTags?: readonly string[]
  /** By e-mail, the one id all tools share; `null` takes the assignee away. */
  readonly assigneeEmail?: string | null
  readonly team?: string | null
  readonly custom?: Readonly<Record<string, FieldValue>>
  /** The last `version` the hub saw: write only if the record still has it, else throw `conflict`. */
  readonly ifVersion?: string
}

export interface OutMessage {
  readonly visibility: Visibility
  readonly text: string
  readonly html?: string
  /** Files that a connector without `takesFiles` names, each with its link. */
  readonly attachments?: readonly Attachment[]
  /**
   * In place of `attachments` for connectors that declare `takesFiles`: the contents, fetched when the message leaves. What
   * could not be fetched is named in the text already.
   */
  readonly files?: readonly OutFile[]
  /** The message may wait for its files: absent when they have kept it back often enough, and it goes without. */
  readonly filesMayWait?: true
  /** The colleague who wrote it, for tools that can show it under that name; absent for what the hub itself says. */
  readonly author?: OutAuthor
  /** Written by a rule or a survey, not by a person: channels that can say so do, and machines do not answer it. */
  readonly automatic?: boolean
  /** Where the reader stops messages of this kind with one request (RFC 8058). */
  readonly unsubscribeUrl?: string
  /** Filled by the hub when the message leaves, for connectors that declare `needsThread`. */
  readonly thread?: OutThread
  /** Filled by the hub when the message leaves, for threads of a chat tool: what it told of their channel (`ChatPlace`). */
  readonly reference?: string
}

/** Filled by the hub when the message leaves. */
export interface OutAuthor {
  readonly name?: string
  readonly email?: string
  /** The vendor's id of this person, where an administrator has said it. */
  readonly accountId?: string
}

export interface OutFile {
  readonly name: string
  readonly contentType: string
  readonly content: Uint8Array
  /** Where it comes from, for people: to be shown where the contents cannot be taken after all. */
  readonly url?: string
}

/** The conversation that a message goes into, as the hub knows it: for channels without cases of their own (mail). */
export interface OutThread {
  readonly subject: string
  /** The requester, at the address she last wrote from in this case. */
  readonly to: { readonly email: string; readonly name?: string }
  /** The vendor's ids of the case's public messages, the oldest first. */
  readonly earlier: readonly string[]
  /** The one of them that this answers: the customers' latest. */
  readonly answers?: string
}

/** One place of the vendor (a workspace, a tenant) that the app was let into, with the tokens it got there. */
export interface Installation {
  /** The vendor's id of the place. */
  readonly key: string
  readonly name: string
  /** Sealed at rest, taken out of logs and errors. */
  readonly secrets: Readonly<Record<string, string>>
  /** ISO 8601 UTC: when the tokens run out and have to be renewed by `install.refresh`. */
  readonly expiresAt?: string
}

/** Where a connection's app is installed. Reading them is cheap; writing is for what the vendor says by itself. */
export interface Installations {
  list(): Promise<readonly Pick<Installation, 'key' | 'name'>[]>
  /**
   * With tokens that are good for a while: renewed before, once over all processes, when they are about to run out.
   * @throws ConnectorError auth_failed when the vendor ended the grant; what `install.refresh` throws
   */
  get(key: string): Promise<Installation | undefined>
  put(installation: Installation): Promise<void>
  remove(key: string): Promise<void>
}

/** A message to a place in a tool (a channel, a person), not to a case. */
export interface Notice {
  readonly to: string
  readonly text: string
  readonly url?: string
}

/** Where a page of `changes` stands. `cursor` is opaque to the hub and stored after the page is. */
export interface Page {
  readonly observations: readonly Observation[]
  readonly cursor: string
  /** Records that are there and cannot be understood: kept for a person to look at. `key` as in `InboundItem`. */
  readonly unreadable?: readonly (InboundItem & { readonly reason: string })[]
}

/**
 * A key that is present is a promise; a capability is implemented whole or not at all. `key` is the idempotency key of the
 * effect: the same for every attempt.
 */
export interface Capabilities<C> {
  readonly receive?: {
    /**
     * Bad input is a verdict, not an exception. Called once for each active secret of the connection.
     * @param http for keys that the vendor publishes; nothing that the request names is fetched.
     * @throws ConnectorError unavailable when it cannot be told now: the sender is asked to come again.
     */
    verify(request: InboundRequest, secret: string, ctx: InboundContext<C>, http: Http): MaybePromise<Verdict>
    /** Bodies that are HTML forms (`application/x-www-form-urlencoded`) are taken beside JSON. */
    readonly takesForms?: true
    /** A subscription's proof of life: answered and forgotten. Called before `verify`. */
    handshake?(request: InboundRequest, ctx: InboundContext<C>): Reply | undefined
    /** The same for vendors who sign it. Called after `verify`. */
    signedHandshake?(request: InboundRequest, ctx: InboundContext<C>): Reply | undefined
    /**
     * The things inside the request, each with its key; none when it is for a place where nobody installed the app.
     * @throws UnreadableInput
     */
    items(request: InboundRequest, ctx: InboundContext<C>): readonly InboundItem[]
    /**
     * The same things down a line that the hub opens itself, for vendors that offer one to hubs they cannot reach. Runs until
     * `ctx.signal` aborts; when it ends or throws, the hub opens it again after a pause.
     */
    readonly line?: {
      isWanted(config: C): boolean
      /**
       * @param take stores what came, as `items` reads it from a body, and gives the response; rejects when it could not be
       * stored, and nothing may be acknowledged then.
       */
      run(ctx: Context<C>, take: (body: string) => Promise<Reply>): Promise<void>
    }
    /** Pure. An empty list: an event of no interest (kept, and no rule runs). @throws UnreadableInput */
    normalise(item: InboundItem, ctx: InboundContext<C>): MaybePromise<readonly Observation[]>
  }
  /** Everything that changed since the cursor; backfill (no cursor: from `ctx.now()` on) and reconciliation. */
  readonly changes?: { since(ctx: Context<C>, cursor: string | undefined): AsyncIterable<Page> }
  /**
   * A line that stays open (IMAP IDLE, a socket) for vendors that push no webhooks. It says only that there is news: the hub
   * then reads `changes`. Say so once when the line stands, too: what came before was not heard. Runs until `ctx.signal`
   * aborts; when it ends or throws, the hub opens it again after a pause.
   */
  readonly watch?: { run(ctx: Context<C>, onNews: () => void): Promise<void> }
  readonly readCases?: { get(ctx: Context<C>, ids: readonly string[]): Promise<readonly CaseFacts[]> }
  readonly readPeople?: { get(ctx: Context<C>, ids: readonly string[]): Promise<readonly PersonFacts[]> }
  /** Everybody a case there can be assigned to. */
  readonly readAgents?: { list(ctx: Context<C>): Promise<readonly AgentFacts[]> }
  readonly writeCase?: {
    /** Which fields of a case this vendor can take from us; the hub sends no others. */
    readonly fields: readonly CaseField[]
    /** Pure. Whether a custom field of this name has a place there, as the hub keeps some of its own; all have when absent. */
    takesCustom?(config: C, name: string): boolean
    /** Pure. The form in which this vendor keeps a tag: tags come in it and are held in it, so that what comes back is no news. */
    normaliseTag?(tag: string): string
    create(ctx: Context<C>, draft: CaseDraft, key: string): Promise<Receipt>
    update(ctx: Context<C>, id: string, change: CaseChange, key: string): Promise<Receipt>
    message(ctx: Context<C>, id: string, message: OutMessage, key: string): Promise<Receipt>
    /** The channel keeps no cases: public messages come with `thread`. */
    readonly needsThread?: true
    /** Everything written here is read by the customer: no notes, and no cases for colleagues. */
    readonly isConversation?: true
    /** Files travel with messages. `maxBytes`: of all files of one message. */
    readonly takesFiles?: { readonly maxBytes: number }
    /** What was written can be changed or taken back, for messages of these visibilities. `text` absent: it was deleted. */
    readonly revise?: {
      readonly takes: readonly Visibility[]
      run(ctx: Context<C>, id: string, messageId: string, text: string | undefined, key: string): Promise<Receipt>
    }
    /** The vendor's own way to make one case of two of its cases; `id` ends in `intoId`. */
    merge?(ctx: Context<C>, id: string, intoId: string, key: string): Promise<Receipt>
    /** How an unclear outcome is settled, by call. */
    readonly effects: EffectClasses<'create' | 'update' | 'message'> & Partial<EffectClasses<'revise' | 'merge'>>
    /**
     * For calls declared `probed`: has this key been written already? `unknown`: nobody can tell any more; the call is then
     * repeated as if it were `at_least_once`.
     * @param id the vendor's id of the case; for `create`, which has none yet, the hub's own.
     */
    find?(ctx: Context<C>, call: 'create' | 'update' | 'message' | 'merge', id: string, key: string): Promise<Found>
  }
  readonly writePerson?: {
    upsert(ctx: Context<C>, person: PersonFacts, key: string): Promise<Receipt>
    readonly effects: EffectClasses<'upsert'>
  }
  readonly writeRating?: {
    record(ctx: Context<C>, caseId: string, rating: RatingFacts, key: string): Promise<Receipt>
    /** Pure: what recording changes on the case itself, such as a score field, so that the hub knows it when it comes back. */
    changes?(config: C, rating: RatingFacts): Pick<CaseChange, 'addTags' | 'custom'>
    readonly effects: EffectClasses<'record'>
  }
  /** On the person's own record: a CRM that keeps a contact's last score, wherever the case was. */
  readonly writePersonRating?: {
    record(ctx: Context<C>, personId: string, rating: RatingFacts, key: string): Promise<Receipt>
    readonly effects: EffectClasses<'record'>
  }
  readonly notify?: {
    send(ctx: Context<C>, notice: Notice, key: string): Promise<Receipt>
    readonly effects: EffectClasses<'send'>
  }
  /** One app in many places of its vendor: an administrator of each lets it in by a browser (OAuth 2). */
  readonly install?: {
    /** Why this connection cannot be installed that way, in words for an administrator; undefined when it can. */
    missing(config: C): string | undefined
    /** Where the administrator's browser is sent. Pure. */
    authorizeUrl(ctx: InboundContext<C>, request: InstallRequest): string
    /** The grant's code for tokens. @throws ConnectorError rejected when the vendor does not take the code */
    complete(ctx: Context<C>, grant: InstallGrant): Promise<Installation>
    /**
     * New tokens for those that run out; what it returns is stored before it is used.
     * @throws ConnectorError auth_failed only when the vendor says that the grant has ended
     */
    refresh?(ctx: Context<C>, installation: Installation): Promise<Installation>
  }
  /** The contents of a file that this vendor told of. @throws ConnectorError rejected when it has more than `maxBytes` */
  readFile?(ctx: Context<C>, file: Attachment, maxBytes: number): Promise<Uint8Array>
  /** A chat tool that agents work in. What happens there arrives as `chat` observations of `receive`. */
  readonly chat?: {
    settings(config: C): ChatSettings
    /** Files are shown beside what was said. `maxBytes`: of all files of one message. */
    readonly takesFiles?: { readonly maxBytes: number }
    /**
     * The response to a request that was stored. `answer` is absent when nobody waits for it (`awaits`), or when there was
     * none in time: then the person is told that it goes on. Pure.
     */
    reply(item: InboundItem, answer: ChatAnswer | undefined, ctx: InboundContext<C>): Reply
    /** Shows one person an answer that cannot travel in the response. @throws ConnectorError */
    show(ctx: Context<C>, happening: ChatHappening, answer: ChatAnswer): Promise<void>
    /** Who this is, as the vendor vouches for it. @throws ConnectorError not_found */
    whoIs(ctx: Context<C>, user: string, reference: string | undefined): Promise<ChatPerson>
    /** Which files a message has, for tools that say only that there are some: by `unnamed.at`. @throws ConnectorError */
    filesOf?(ctx: Context<C>, at: string): Promise<readonly Attachment[]>
    /** The app's private conversation with a person, opened where there is none. */
    direct(ctx: Context<C>, user: string, reference: string | undefined): Promise<ChatPlace>
    /** The larger whole (a team) that a channel is part of, where its reference tells; for news of all its channels. Pure. */
    groupOf?(reference: string): string | undefined
    /** @returns the receipt's `externalId`: the new message's id. */
    post(ctx: Context<C>, place: ChatPlace, content: ChatContent, key: string): Promise<Receipt>
    /** Puts `content` in the place of what stands at `place.message`. */
    update(ctx: Context<C>, place: ChatPlace, content: ChatContent, key: string): Promise<Receipt>
    /** Whether a post with this key stands in the channel or thread already, for vendors that can tell. */
    find?(ctx: Context<C>, place: ChatPlace, key: string): Promise<Found>
    readonly effects: EffectClasses<'post' | 'update'>
    /** Where a person's own page of the app is a web page in a frame of the tool; absent where the tool draws it (`home`). */
    readonly page?: ChatPageCan<C>
  }
}

export interface ChatPageCan<C> {
  /** The origins that may frame it, as Content-Security-Policy writes them. */
  readonly frames: readonly string[]
  /**
   * Files of JavaScript, loaded in this order. When all are loaded, `window.chatTool` has
   * `signIn(paint: (isDark: boolean) => void): Promise<{ token: string, locale: string }>`: it rejects when the tool vouches for
   * nobody, and calls `paint` with how the tool looks now and whenever that changes.
   */
  readonly scripts: readonly URL[]
  /**
   * Whom the token vouches for, towards this app at this hub.
   * @param hubUrl the hub's own address, as browsers know it.
   * @returns an id of the person for `whoIs` below; undefined when the token vouches for nobody here.
   * @throws ConnectorError unavailable when that cannot be told now
   */
  subjectOf(ctx: Context<C>, token: string, hubUrl: string): Promise<string | undefined>
  /** As the chat's own `whoIs` would tell it. @throws ConnectorError not_found when the app is not there for this person */
  whoIs(ctx: Context<C>, subject: string): Promise<ChatPerson>
}

export type CaseField = 'status' | 'priority' | 'subject' | 'tags' | 'assignee' | 'team' | 'custom'

/**
 * What happens when an answer is lost. `keyed`: the vendor takes our key, so the call is repeated. `probed`: the hub looks
 * (`find`) before it repeats. `at_least_once`: it is repeated once and marked "possibly sent twice".
 */
export type EffectClass = 'keyed' | 'probed' | 'at_least_once'
export type EffectClasses<Call extends string> = Readonly<Record<Call, EffectClass>>

export interface InstallRequest {
  /** Exactly this comes back with the code. */
  readonly redirectUri: string
  readonly state: string
  /** PKCE, S256: for vendors that take it. */
  readonly codeChallenge: string
}

export interface InstallGrant {
  readonly code: string
  readonly redirectUri: string
  readonly codeVerifier: string
}

/** What receiving code may use: no network. */
export interface InboundContext<C> {
  readonly config: C
  readonly now: () => Date
  /** Keys of the places where the app is installed, for connectors that keep such; absent where nobody knows them. */
  readonly installed?: ReadonlySet<string>
}

export interface Context<C> extends InboundContext<C> {
  readonly http: Http
  readonly net: Net
  readonly log: Log
  readonly installations: Installations
  /** Aborted when the hub stops or the call has taken too long. */
  readonly signal: AbortSignal
}

/**
 * The guarded way out: only allowed hosts, answers up to 1 MiB, 15 s, under the account's limits. No redirect is followed:
 * where a vendor's documentation has one, the connector checks the host and makes the second call, without credentials.
 */
export interface Http {
  /**
   * A `fetch` for SDKs that bring their own client. Any HTTP status is an answer, as usual.
   * @throws ConnectorError host_refused, unavailable, outcome_unknown
   */
  fetch(url: string | URL, init?: HttpInit): Promise<Response>
  /**
   * One JSON call below the connector's `api().baseUrl`, with its headers.
   * @returns the parsed answer, `undefined` when it has no body.
   * @throws ConnectorError, its code from the status: 401/403 auth_failed, 404/410 not_found, 409/412 conflict,
   * 429 rate_limited, 503 unavailable, other 5xx outcome_unknown, other 4xx rejected.
   */
  json(method: HttpMethod, path: string, options?: HttpOptions): Promise<unknown>
}
/** For protocols other than HTTP: the same guard as for `http`, by address. */
export interface Net {
  /**
   * Connect to the address returned, never to the name: what was checked is what is called. TLS verifies the name.
   * @throws ConnectorError host_refused, unavailable
   */
  resolve(host: string, port: number): Promise<{ readonly address: string; readonly servername: string }>
  /**
   * One exchange that has an effect (a mail sent) under the account's limits: it begins when its turn comes.
   * @param exchange calls `leaving` right before what cannot be taken back; that throws when the hub may not send any more.
   * @param budget which of the manifest's budgets it spends; `default` when absent.
   * @throws ConnectorError unavailable when it is given up before its turn; what the exchange throws
   */
  spend<T>(exchange: (leaving: () => void) => Promise<T>, budget?: string): Promise<T>
}
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export interface HttpInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Which of the manifest's budgets this call spends; `default` when absent. */
  readonly budget?: string
  /** For files: the longest answer that is read, up to 25 MiB; then a minute may pass. 1 MiB when absent. */
  readonly maxBytes?: number
  /** Whose, of a budget with `each`: the channel's id, the conversation's. */
  readonly budgetKey?: string
}
export interface HttpOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly budget?: string
  readonly budgetKey?: string
}

export interface Log {
  debug(data: object, message: string): void
  info(data: object, message: string): void
  warn(data: object, message: string): void
  error(data: object, message: string): void
}

export interface ConnectorManifest {
  /** Equals the folder's name. */
  readonly id: string
  readonly name: string
  /** The vendor's API documentation. */
  readonly docs: string
  /**
   * A path of its own beside `/hooks/{connection}`, for vendors that send everything of one app to one address. The
   * connection whose secret fits takes the request.
   */
  readonly path?: string
  /** Host names this connector may call; `*.zendesk.com` allows one label in place of the star. */
  readonly hosts: readonly string[]
  /** The vendor's rate limits, by budget. `default` is the account's, spent by every call; one that names another spends that too. */
  readonly limits: readonly RateLimit[]
}
export interface RateLimit {
  readonly budget: string
  readonly requests: number
  readonly perSeconds: number
  /** Each channel or conversation has this budget for itself: calls name it by `budgetKey`. It may have several windows. */
  readonly each?: true
}

/** What a connection's settings lead to. */
export interface Checked {
  readonly account: string
  readonly missingScopes?: readonly string[]
  /** Places that the settings themselves open (a token entered by hand). Their secrets stay in the settings. */
  readonly places?: readonly Pick<Installation, 'key' | 'name'>[]
}

export interface Connector<
  S extends z.ZodType = z.ZodType,
  K extends Capabilities<z.output<S>> = Capabilities<z.output<S>>,
> {
  readonly manifest: ConnectorManifest
  /** One connection's settings. Secret fields are marked `.meta({ secret: true })`: sealed at rest, never returned, never logged. */
  readonly config: S
  /**
   * Hosts (`name` or `name:port`) that one connection's own settings name, beyond the manifest: a self-hosted desk, a URL
   * that takes our answers. Allowed for that connection only; internal addresses stay refused unless the operator lists
   * them in DESKWEAVE_EXTRA_HOSTS.
   */
  hostsOf?(config: z.output<S>): readonly string[]
  /** Base URL and authentication headers for `ctx.http.json`. */
  api?(config: z.output<S>): { readonly baseUrl: string; readonly headers: Readonly<Record<string, string>> }
  /** One cheap authenticated read before a connection is saved. @throws ConnectorError auth_failed or unavailable. */
  check(ctx: Context<z.output<S>>): Promise<Checked>
  readonly can: K
}

export function defineConnector<S extends z.ZodType, const K extends Capabilities<z.output<S>>>(
  connector: Connector<S, K>,
): Connector<S, K> {
  return connector
}
