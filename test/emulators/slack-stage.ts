/** What one test asks of a stand-in for Slack, whoever wrote it. */
import type { Answered } from '../../connectors/slack/sandbox-people.ts'
import type { Block } from '../../connectors/slack/sandbox-world.ts'

export interface StageMessage {
  readonly ts: string
  readonly thread_ts?: string | undefined
  readonly text: string
  readonly blocks: readonly Block[]
}

/** Leo is an agent, and the only person in it. */
export interface SlackStage {
  readonly url: string
  readonly config: object
  /** Further addresses that the hub has to be allowed to call. */
  readonly hosts: readonly string[]
  /** Where cases are shown. */
  readonly channel: string
  connect(hook: { readonly url: string; readonly secret: string }): void
  /** What stands in the channel and its threads, oldest first. */
  messages(): Promise<readonly StageMessage[]>
  /** Leo answers in a thread. @param isRepeated the event for it comes more than once. */
  answer(thread: StageMessage, text: string, isRepeated?: boolean): Promise<void>
  press(message: StageMessage, act: string, chosen?: string): Promise<Answered>
  /** The title of the dialog on top. */
  dialog(): string | undefined
  submit(fields: Readonly<Record<string, string>>): Promise<Answered>
  command(text: string): Promise<Answered>
  /** What only Leo was shown, so far: the words of it. */
  shown(): readonly string[]
  /** The same press with somebody else's signature. */
  forge(message: StageMessage, act: string): Promise<Answered>
  close(): Promise<void>
}
