/** The bot's own tokens, one for Teams and one for Microsoft Graph: kept until five minutes before it ends, asked for once however many calls wait for it. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import type { Teams } from './client.ts'
import { endpointsOf, type TeamsConfig } from './config.ts'
import { parsed } from './parsed.ts'

const WireToken = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() })
const WireRefusal = z.object({ error: z.string(), error_description: z.string().optional() })

interface Kept {
  readonly token: Promise<string>
  until: number
}

const marginMs = 5 * 60_000
/** By settings: a connection that was changed asks anew. */
const kept = { bot: new WeakMap<TeamsConfig, Kept>(), graph: new WeakMap<TeamsConfig, Kept>() }
export type TokenFor = keyof typeof kept

/** @throws ConnectorError auth_failed, rate_limited, unavailable */
export function tokenOf(ctx: Teams, what: TokenFor): Promise<string> {
  const { config, now } = ctx
  const known = kept[what].get(config)
  // Whoever asked for it may have given up: then each who waited asks for themselves.
  if (known && now().getTime() < known.until) return known.token.catch(() => tokenOf(ctx, what))
  const asking = askToken(ctx, what)
  const fresh: Kept = { token: asking.then(({ token }) => token), until: Number.POSITIVE_INFINITY }
  kept[what].set(config, fresh)
  asking.then(
    ({ until }) => {
      fresh.until = until
    },
    () => kept[what].delete(config),
  )
  return fresh.token
}

/** After a 401: it was taken back before its time. What an administrator has granted since stands in a new one only. */
export function forgetToken({ config }: Teams, what: TokenFor): void {
  kept[what].delete(config)
}

/** The SDK would ask by MSAL, which opens connections of its own: so this call is made by the guarded door directly. */
async function askToken(ctx: Teams, what: TokenFor): Promise<{ readonly token: string; readonly until: number }> {
  const { token: url, scopes } = endpointsOf(ctx.config)
  const place = `POST ${url}`
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: ctx.config.app_id,
    client_secret: ctx.config.client_secret,
    scope: scopes[what],
  })
  const answer = await ctx.http
    .fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: body.toString(),
    })
    .catch((error: unknown) => {
      throw withoutEffect(error)
    })
  const text = await answer.text()
  const error = errorOfAnswer(answer, place, ctx.now())
  if (error) throw answer.status < 500 && answer.status !== 429 ? refusal(text) : withoutEffect(error)
  const read = WireToken.safeParse(parsed(text))
  if (!read.success) throw new ConnectorError('malformed', `${place}: expected access_token and expires_in`)
  const lifeMs = read.data.expires_in * 1_000
  return { token: read.data.access_token, until: ctx.now().getTime() + Math.max(lifeMs - marginMs, lifeMs / 2) }
}

/** Asking for a token changes nothing: a lost answer is no reason to think that a message went out. */
function withoutEffect(error: unknown): unknown {
  if (!(error instanceof ConnectorError) || error.code !== 'outcome_unknown') return error
  return new ConnectorError('unavailable', error.message, { cause: error })
}

/** Microsoft's codes tell an admin what is wrong: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
function refusal(text: string): ConnectorError {
  const { error = '', error_description: description = '' } = WireRefusal.safeParse(parsed(text)).data ?? {}
  const [code = error] = /AADSTS\d+/.exec(description) ?? []
  const next = hints.get(code) ?? 'check app_id, tenant_id and client_secret'
  return new ConnectorError('auth_failed', `Microsoft gives no token for the bot${code ? ` (${code})` : ''}: ${next}`)
}

const hints = new Map([
  ['AADSTS7000215', 'client_secret is wrong; enter the value of the secret, not its id'],
  ['AADSTS7000222', 'client_secret has run out; make a new one in Azure and enter it'],
  ['AADSTS700016', 'app_id is not known in tenant_id'],
  ['AADSTS90002', 'tenant_id is not known in this cloud'],
])
