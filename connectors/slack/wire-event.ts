/**
 * Slack's Events API, as far as we read it; unknown fields and types pass.
 * https://docs.slack.dev/apis/events-api, https://docs.slack.dev/reference/events, read 2026-11.
 */
import { z } from 'zod'

const id = z.string().min(1)
const text = z.string().nullish()
/** A part that may be missing, null or of a shape that we do not know. */
const part = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined)
const flag = part(z.boolean())

const WireAuthorization = z.object({ team_id: text, enterprise_id: text, user_id: text, is_enterprise_install: flag })

export const WireEnvelope = z.object({
  type: text,
  team_id: text,
  api_app_id: text,
  event_id: text,
  event_time: part(z.number()),
  /** For whom it is, one of them at least. */
  authorizations: part(z.array(WireAuthorization)),
  event: part(z.looseObject({ type: z.string() })),
})
export type WireEnvelope = z.output<typeof WireEnvelope>

/** https://docs.slack.dev/reference/objects/file-object */
export const WireFile = z.object({
  id,
  mode: text,
  file_access: text,
  name: text,
  title: text,
  mimetype: text,
  size: part(z.number()),
  url_private: text,
  url_private_download: text,
})
export type WireFile = z.output<typeof WireFile>

const said = {
  user: text,
  bot_id: text,
  app_id: text,
  subtype: text,
  text,
  ts: text,
  thread_ts: text,
  files: part(z.array(WireFile.nullable().catch(null))),
}

/** https://docs.slack.dev/reference/events/message */
export const WireMessage = z.object({
  ...said,
  channel: id,
  channel_type: text,
  event_ts: text,
  /** Of `message_changed` and `message_deleted`. */
  message: part(z.object({ ...said, edited: part(z.object({ user: text })) })),
  previous_message: part(z.object(said)),
  deleted_ts: text,
})
export type WireMessage = z.output<typeof WireMessage>

export const WireMention = z.object({ ...said, channel: id, ts: id })

/** https://docs.slack.dev/reference/events/reaction_added */
export const WireReaction = z.object({
  user: id,
  reaction: z.string().min(1),
  item: z.object({ type: text, channel: text, ts: text }),
})

/** https://docs.slack.dev/reference/events/link_shared */
export const WireLinks = z.object({
  user: id,
  channel: id,
  message_ts: id,
  thread_ts: text,
  links: z.array(z.object({ url: text })),
})

/** The same event for a message that is still being written: its place is no channel, under one name or the other. */
export const WireComposed = z.union([
  z.object({ source: z.literal('composer') }),
  z.object({ channel: z.literal('COMPOSER') }),
  z.object({ channel_id: z.literal('COMPOSER') }),
])

export const WireHome = z.object({ user: id, channel: text, tab: text })

/** A channel by its id, or as an object that has it. */
export const WireChannelNews = z.object({
  channel: z.union([id, z.object({ id, name: text })]),
  user: text,
  /** Who put the app out (`channel_left`, `group_left`). */
  actor_id: text,
})

/** https://docs.slack.dev/reference/events/member_joined_channel; without `inviter` when nobody invited. */
export const WireJoined = z.object({ user: id, channel: id, inviter: text })

export const WireTokens = z.object({ tokens: part(z.object({ bot: part(z.array(z.string())) })) })
