/** Which workspace answers for a place, and with which token. */
import { z } from 'zod'
import type { Installation } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { call, type Slack, type Workspace } from './client.ts'
import type { SlackConfig } from './config.ts'
import { SlackRefusal } from './errors.ts'

export interface Where {
  readonly channel?: string
  readonly reference?: string
}

/** @throws ConnectorError auth_failed when the app is installed nowhere, rejected when not in this workspace */
export async function workspaceFor(ctx: Slack, { channel, reference }: Where): Promise<Workspace> {
  if (reference !== undefined) {
    const found = await ctx.installations.get(reference)
    if (found) return workspaceOf(ctx, found)
  }
  const all = await ctx.installations.list()
  if (all.length === 0) return bySettings(ctx)
  if (reference !== undefined) {
    throw new ConnectorError('rejected', `Slack workspace ${reference}: the app is not installed there (any more)`)
  }
  const [first, ...others] = all
  const key = others.length === 0 || channel === undefined ? first?.key : await whereIs(ctx, channel, all)
  const found = key === undefined ? undefined : await ctx.installations.get(key)
  if (found) return workspaceOf(ctx, found)
  throw new ConnectorError(
    'not_found',
    `Slack channel ${channel}: the app sees it in none of its ${all.length} workspaces`,
  )
}

function workspaceOf({ config }: Slack, { key, secrets }: Installation): Workspace {
  const token = secrets['bot_token'] ?? config.bot_token
  if (token) return { key, token }
  throw new ConnectorError('auth_failed', `Slack workspace ${key}: there is no token; install the app again`)
}

function bySettings({ config }: Slack): Workspace {
  if (config.bot_token) return { token: config.bot_token }
  throw new ConnectorError('auth_failed', 'Slack: the app is installed nowhere yet; open the connection’s install link')
}

/** Channels stay where they are, so each is looked for once. */
const known = new WeakMap<SlackConfig, Map<string, string>>()

async function whereIs(
  ctx: Slack,
  channel: string,
  all: readonly Pick<Installation, 'key'>[],
): Promise<string | undefined> {
  const channels = known.get(ctx.config) ?? new Map<string, string>()
  known.set(ctx.config, channels)
  const seen = channels.get(channel)
  if (seen !== undefined && all.some(({ key }) => key === seen)) return seen
  for (const { key } of all) {
    const found = await ctx.installations.get(key)
    if (!found || !(await sees(ctx, workspaceOf(ctx, found), channel))) continue
    channels.set(channel, key)
    return key
  }
  return undefined
}

async function sees(ctx: Slack, workspace: Workspace, channel: string): Promise<boolean> {
  try {
    await call(ctx, workspace, 'conversations.info', { channel }, z.object({}))
    return true
  } catch (error) {
    if (error instanceof SlackRefusal && error.code !== 'rate_limited') return false
    throw error
  }
}
