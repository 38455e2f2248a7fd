/** People of a workspace as Slack vouches for them, and the app's conversations with them. */
import { z } from 'zod'
import type { ChatPerson, ChatPlace } from '#hub/connector/chat.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { call, type Slack } from './client.ts'
import { workspaceFor } from './workspaces.ts'

const flag = z.boolean().nullish().catch(undefined)
const text = z.string().nullish().catch(undefined)

/** https://docs.slack.dev/reference/objects/user-object */
const WireUser = z.object({
  id: z.string().min(1),
  team_id: text,
  name: text,
  real_name: text,
  deleted: flag,
  is_bot: flag,
  is_workflow_bot: flag,
  is_restricted: flag,
  is_ultra_restricted: flag,
  is_stranger: flag,
  tz: text,
  locale: text,
  enterprise_user: z.object({ enterprise_id: text }).nullish().catch(undefined),
  profile: z.object({ email: text, display_name: text, real_name: text }).nullish().catch(undefined),
})
type WireUser = z.output<typeof WireUser>

/** Slack's own helper is no bot by its flag. */
const slackbot = 'USLACKBOT'

/** @throws ConnectorError not_found for somebody who is gone, or whom the app cannot see */
export async function whoIs(ctx: Slack, user: string, reference: string | undefined): Promise<ChatPerson> {
  const workspace = await workspaceFor(ctx, reference === undefined ? {} : { reference })
  const { user: found } = await call(
    ctx,
    workspace,
    'users.info',
    { user, include_locale: true },
    z.object({ user: WireUser }),
  )
  if (found.deleted) throw new ConnectorError('not_found', `Slack user ${user} was deactivated`)
  const { profile, real_name, name, locale, tz } = found
  const shown = profile?.display_name || profile?.real_name || real_name || name
  return {
    id: found.id,
    kind: kindOf(found, workspace.key ?? reference),
    ...(shown ? { name: shown } : {}),
    ...(profile?.email ? { email: profile.email } : {}),
    ...(locale ? { locale } : {}),
    ...(tz ? { timeZone: tz } : {}),
  }
}

/** @param home the workspace or organisation that installed the app; undefined for a token whose workspace nobody asked for. */
function kindOf(user: WireUser, home: string | undefined): ChatPerson['kind'] {
  if (user.is_bot || user.is_workflow_bot || user.id === slackbot) return 'bot'
  const homes = [user.team_id, user.enterprise_user?.enterprise_id].filter(Boolean)
  if (user.is_stranger || (home !== undefined && homes.length > 0 && !homes.includes(home))) return 'stranger'
  return user.is_restricted || user.is_ultra_restricted ? 'guest' : 'member'
}

export async function direct(ctx: Slack, user: string, reference: string | undefined): Promise<ChatPlace> {
  const workspace = await workspaceFor(ctx, reference === undefined ? {} : { reference })
  const shape = z.object({ channel: z.object({ id: z.string().min(1) }) })
  const { channel } = await call(ctx, workspace, 'conversations.open', { users: user }, shape)
  const key = workspace.key ?? reference
  return { channel: channel.id, ...(key ? { reference: key } : {}) }
}
