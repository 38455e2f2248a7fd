/**
 * Slack's interaction payloads, as far as we read them; unknown fields and kinds pass. And what they come to.
 * https://docs.slack.dev/reference/interaction-payloads, https://docs.slack.dev/interactivity/implementing-slash-commands
 */
import { z } from 'zod'
import type { Act } from '#hub/connector/card.ts'

const id = z.string().min(1)
const text = z.string().nullish()
/** A part that may be missing, null or of a shape that we do not know. */
const part = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined)

const WireTeam = part(z.object({ id: text }))

/** Of the press itself; all kinds have it. */
const who = {
  user: z.object({ id, team_id: text }),
  team: WireTeam,
  enterprise: WireTeam,
  api_app_id: text,
  is_enterprise_install: z.boolean().nullish().catch(undefined),
  trigger_id: text,
  response_url: text,
}

const WireElementState = z.object({
  type: text,
  value: text,
  selected_option: part(z.object({ value: text })),
  selected_options: part(z.array(z.object({ value: text }))),
})
export type WireElementState = z.output<typeof WireElementState>

/** By block, then by element. */
const WireState = part(z.object({ values: part(z.record(z.string(), z.record(z.string(), WireElementState))) }))
export type WireState = z.output<typeof WireState>

const WireView = z.object({
  id,
  hash: text,
  type: text,
  callback_id: text,
  private_metadata: text,
  state: WireState,
})
export type WireView = z.output<typeof WireView>

const WireContainer = part(
  z.object({ channel_id: text, message_ts: text, thread_ts: text, is_ephemeral: z.boolean().nullish() }),
)
const WireChannel = part(z.object({ id: text }))

/** https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
export const WireBlockActions = z.object({
  ...who,
  type: z.literal('block_actions'),
  container: WireContainer,
  channel: WireChannel,
  message: part(z.object({ ts: text, thread_ts: text })),
  view: part(WireView),
  state: WireState,
  actions: z.array(
    z.object({
      type: text,
      action_id: text,
      block_id: text,
      value: text,
      selected_option: part(z.object({ value: text })),
      action_ts: text,
    }),
  ),
})

/** https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload */
export const WireViewSubmission = z.object({ ...who, type: z.literal('view_submission'), view: WireView })
export const WireViewClosed = z.object({ ...who, type: z.literal('view_closed'), view: WireView })

/** https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload */
export const WireShortcut = z.object({ ...who, type: z.literal('shortcut'), callback_id: id, action_ts: text })
export const WireMessageAction = z.object({
  ...who,
  type: z.literal('message_action'),
  callback_id: id,
  action_ts: text,
  channel: z.object({ id }),
  message_ts: text,
  message: z.object({
    ts: id,
    thread_ts: text,
    user: text,
    bot_id: text,
    text,
    files: part(
      z.array(
        z.object({
          id,
          mode: text,
          file_access: text,
          name: text,
          mimetype: text,
          size: z.number().nullish(),
          url_private_download: text,
        }),
      ),
    ),
  }),
})

/** https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload */
export const WireBlockSuggestion = z.object({
  ...who,
  type: z.literal('block_suggestion'),
  action_id: id,
  value: text,
  container: WireContainer,
  channel: WireChannel,
  message: part(z.object({ ts: text, thread_ts: text })),
  view: part(WireView),
})

/** Form fields, so all of them are texts. */
export const WireCommand = z.object({
  command: z.string().startsWith('/'),
  text,
  user_id: id,
  team_id: text,
  enterprise_id: text,
  channel_id: text,
  channel_name: text,
  api_app_id: text,
  is_enterprise_install: text,
  trigger_id: text,
  response_url: text,
})

/** Where in Slack. Times are Slack's message ids, such as `1795169730.000100`: texts, never numbers. */
export const Place = z.object({
  channel: id,
  messageTs: id.optional(),
  threadTs: id.optional(),
  /** Only the one who pressed sees the message: it can be changed by its `responseUrl` alone. */
  isEphemeral: z.boolean().optional(),
})
export type Place = z.output<typeof Place>

/** What a modal of ours carries in `private_metadata`. */
export const WireMetadata = z.object({ value: z.string(), place: Place.optional() })

/** Who, in which workspace, and the means to answer. */
interface Press {
  /** `teamId` is the user's own workspace: in a shared channel not the one that installed the app. */
  readonly user: { readonly id: string; readonly teamId?: string }
  /** The workspace (or, installed for a whole organisation, the organisation) whose token answers. */
  readonly install: { readonly teamId?: string; readonly enterpriseId?: string }
  /** The app that the request is for. */
  readonly appId?: string
  /** When it was done, in Slack's own form: seconds since 1970, with a fraction. */
  readonly at?: string
  /** Opens a dialog, once, within 3 s. The key of the press across redeliveries, too. */
  readonly triggerId?: string
  /** Up to 5 answers within 30 minutes. */
  readonly responseUrl?: string
}

interface ViewRef {
  readonly id: string
  readonly hash?: string
  /** The app's page, no dialog. */
  readonly isHome?: true
}

export interface SharedMessage {
  readonly ts: string
  readonly threadTs?: string
  /** Who wrote it: a person or a bot. */
  readonly userId?: string
  readonly botId?: string
  /** Slack's mrkdwn. */
  readonly text: string
  readonly files: readonly SharedFile[]
}

export interface SharedFile {
  readonly id: string
  readonly name?: string
  readonly mediaType?: string
  readonly bytes?: number
  /** Only the id is told: the rest is asked for by it. */
  readonly isHeldBack?: true
  /** Answers the bot's token only. */
  readonly url?: string
}

export type Interaction =
  /** A button, menu or select; pressed in a dialog, `act.fields` holds what is typed so far. */
  | (Press & { readonly kind: 'act'; readonly act: Act; readonly place?: Place; readonly view?: ViewRef })
  | (Press & { readonly kind: 'submit'; readonly act: Act; readonly place?: Place; readonly view: ViewRef })
  | (Press & { readonly kind: 'cancel'; readonly act: Act; readonly place?: Place; readonly view: ViewRef })
  | (Press & { readonly kind: 'shortcut'; readonly name: string })
  | (Press & {
      readonly kind: 'message_shortcut'
      readonly name: string
      readonly place: Place
      readonly message: SharedMessage
    })
  /** A select asks for its options: answer `{ options: renderOptions(…) }` within 3 s. */
  | (Press & { readonly kind: 'options'; readonly act: Act; readonly typed: string; readonly place?: Place })
  | (Press & { readonly kind: 'command'; readonly command: string; readonly text: string; readonly place: Place })
  /** To be acknowledged and no more: a link was followed, an element is not ours, a kind is new. */
  | { readonly kind: 'nothing'; readonly why: string }
