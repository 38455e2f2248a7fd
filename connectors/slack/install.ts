/**
 * The app let into a workspace by an administrator (OAuth 2). The SDK's `InstallProvider` is left out: it refreshes by the
 * machine's clock, hides a refused refresh and goes on with the dead token, and knows one process only. The hub keeps states
 * and tokens itself; the SDK's WebClient makes the two calls.
 * https://docs.slack.dev/authentication/installing-with-oauth, https://docs.slack.dev/authentication/using-token-rotation
 */
import { z } from 'zod'
import type { InboundContext, Installation, InstallGrant, InstallRequest } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { ask, type Slack } from './client.ts'
import { apiUrl, type SlackConfig } from './config.ts'
import { SlackRefusal } from './errors.ts'
import { slackFunctions } from './manifest.ts'

const place = z.object({ id: z.string().min(1), name: z.string().nullish() })

const Granted = z.object({
  app_id: z.string().optional(),
  access_token: z.string().min(1),
  token_type: z.string().optional(),
  team: place.nullish(),
  enterprise: place.nullish(),
  is_enterprise_install: z.boolean().nullish(),
  refresh_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
})
type Granted = z.output<typeof Granted>

export function missing({ client_id, client_secret }: SlackConfig): string | undefined {
  return client_id && client_secret
    ? undefined
    : 'set client_id and client_secret, from Basic Information of the Slack app'
}

/** Slack has no PKCE for apps with a client secret. */
export function authorizeUrl({ config }: InboundContext<SlackConfig>, { redirectUri, state }: InstallRequest): string {
  const url = new URL('../oauth/v2/authorize', apiUrl(config))
  const scopes = [...new Set(slackFunctions.flatMap((one) => one.scopes))].sort()
  url.searchParams.set('client_id', config.client_id ?? '')
  url.searchParams.set('scope', scopes.join(','))
  url.searchParams.set('user_scope', '')
  url.searchParams.set('redirect_uri', redirectUri)
  url.searchParams.set('state', state)
  return url.href
}

export async function complete(ctx: Slack, { code, redirectUri }: InstallGrant): Promise<Installation> {
  const granted = await exchange(ctx, { code, redirect_uri: redirectUri })
  const { app_id: expected } = ctx.config
  if (expected !== undefined && granted.app_id !== expected) {
    throw new ConnectorError('rejected', `Slack granted the app ${granted.app_id}; this connection is for ${expected}`)
  }
  const where = granted.is_enterprise_install ? granted.enterprise : granted.team
  if (!where) throw new ConnectorError('malformed', 'Slack granted the app without saying for which workspace')
  return { key: where.id, name: where.name ?? where.id, ...tokensOf(ctx, granted) }
}

/** Each refresh makes the former refresh token worthless. */
export async function refresh(ctx: Slack, installation: Installation): Promise<Installation> {
  const { refresh_token: token } = installation.secrets
  if (!token) throw new ConnectorError('auth_failed', `Slack workspace ${installation.key}: install the app again`)
  const granted = await exchange(ctx, { grant_type: 'refresh_token', refresh_token: token })
  return { key: installation.key, name: installation.name, ...tokensOf(ctx, granted) }
}

async function exchange(ctx: Slack, grant: Record<string, string>): Promise<Granted> {
  const { client_id, client_secret } = ctx.config
  try {
    return await ask(ctx, undefined, 'oauth.v2.access', { client_id, client_secret, ...grant }, Granted)
  } catch (error) {
    // Reported with HTTP 400 in place of Slack's usual 200.
    const isEnded = error instanceof ConnectorError && error.code === 'rejected' && !(error instanceof SlackRefusal)
    if (isEnded && 'refresh_token' in grant) {
      throw new ConnectorError('auth_failed', 'Slack: the refresh token is not good any more; install the app again', {
        cause: error,
      })
    }
    throw error
  }
}

function tokensOf({ now }: Slack, granted: Granted): Pick<Installation, 'secrets' | 'expiresAt'> {
  const { access_token, refresh_token, expires_in } = granted
  return {
    secrets: { bot_token: access_token, ...(refresh_token === undefined ? {} : { refresh_token }) },
    ...(expires_in === undefined ? {} : { expiresAt: new Date(now().getTime() + expires_in * 1_000).toISOString() }),
  }
}
