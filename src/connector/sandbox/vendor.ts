/** What every `connectors/<vendor>/sandbox.ts` gives: `startSandbox(options)`, for its tests, the conformance kit and the demo. */
import type { ChatPerson, ChatPlace } from '../chat.ts'
import type { Faults, SandboxCall } from './server.ts'
import type { Hook, WebhookCounters, WebhookFaults } from './webhooks.ts'

export interface VendorSandboxOptions {
  /** The same seed gives the same faults and the same scene. */
  readonly seed?: number
  readonly now?: () => Date
}

/** A small stateful stand-in of a vendor, over real HTTP on a free local port. */
export interface VendorSandbox {
  readonly url: string
  /** Settings for a connection to this sandbox, as an admin would enter them. */
  readonly config: Readonly<Record<string, unknown>>
  /** The calls the hub made. */
  readonly requests: readonly SandboxCall[]
  readonly faults: Faults
  readonly webhooks: {
    readonly faults: { set(settings: WebhookFaults): void }
    readonly counters: Readonly<WebhookCounters>
    sendLate(): Promise<void>
    settled(): Promise<void>
  }
  /** From now on webhooks go there. */
  connect(hook: Hook): void
  /**
   * A short scene: a person asks, an agent answers, the case is solved. At least three webhooks. Each play brings new people
   * and cases; the same sandbox with the same seed plays the same scenes.
   */
  play(): Promise<void>
  close(): Promise<void>
}

/** Of a chat tool: what people do in its windows, in words that hold for all of them. */
export interface ChatSandbox extends VendorSandbox {
  readonly chat: {
    /** A channel where the app may post. */
    readonly place: ChatPlace
    /** One of each kind, by the vendor's id. */
    readonly people: Readonly<Record<ChatPerson['kind'], string>>
    /** Presses a button on a message that was really posted. @throws Error when it has none of this act */
    press(user: string, place: ChatPlace, act: string): Promise<void>
    /** Writes into a channel, or into the thread `place.thread`. */
    say(user: string, place: ChatPlace, text: string): Promise<void>
  }
}

export function isChatSandbox(sandbox: VendorSandbox): sandbox is ChatSandbox {
  return 'chat' in sandbox
}

export type StartSandbox = (options?: VendorSandboxOptions) => Promise<VendorSandbox>
