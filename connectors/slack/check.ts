/** Whether the settings open a workspace, or at least belong to an app. */
import { z } from 'zod'
import type { Checked } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { ask, call, type Slack } from './client.ts'
import { SlackRefusal } from './errors.ts'
import { workspaceFor } from './workspaces.ts'

const Identity = z.object({
  team: z.string(),
  team_id: z.string(),
  user_id: z.string(),
  bot_id: z.string().optional(),
  enterprise_id: z.string().nullish(),
  is_enterprise_install: z.boolean().nullish(),
})

/** @throws ConnectorError auth_failed, rejected for the token of a person */
export async function check(ctx: Slack): Promise<Checked> {
  const { bot_token: token } = ctx.config
  if (token) {
    const {
      team,
      team_id: teamId,
      bot_id: botId,
      enterprise_id: orgId,
      ...more
    } = await ask(ctx, token, 'auth.test', {}, Identity)
    if (!botId)
      throw new ConnectorError('rejected', 'bot_token: this is the token of a person; enter the bot’s, xoxb-…')
    const key = more.is_enterprise_install && orgId ? orgId : teamId
    return { account: `Slack workspace ${team}`, places: [{ key, name: team }] }
  }
  const installed = await ctx.installations.list()
  if (installed.length > 0) {
    const { team } = await call(
      ctx,
      await workspaceFor(ctx, { reference: installed[0]?.key ?? '' }),
      'auth.test',
      {},
      Identity,
    )
    return { account: installed.length === 1 ? `Slack workspace ${team}` : `${installed.length} Slack workspaces` }
  }
  await checkApp(ctx)
  return { account: 'Slack app, not installed in a workspace yet' }
}

/** A code that cannot be good: Slack looks at the app's credentials first, and refuses the code only when they are right. */
async function checkApp(ctx: Slack): Promise<void> {
  const { client_id, client_secret } = ctx.config
  try {
    await ask(ctx, undefined, 'oauth.v2.access', { client_id, client_secret, code: 'check' }, z.object({}))
  } catch (error) {
    if (error instanceof SlackRefusal && error.error === 'invalid_code') return
    throw error
  }
}
