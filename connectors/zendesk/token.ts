/**
 * Who the calls are from. The token of an OAuth client ends (after 30 minutes, unless the client says otherwise): it is kept
 * until some minutes before, asked for once however many calls wait for it, and asked for anew after a 401.
 * https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
 */
import { z } from 'zod'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { apiBase, type ZendeskConfig } from './config.ts'
import { jsonOrNothing } from './errors.ts'

type Zendesk = Context<ZendeskConfig>

/** Clients made before 2026-04-30 may give tokens without an end. */
const WireToken = z.object({ access_token: z.string().min(1), expires_in: z.number().positive().nullish() })
const WireRefusal = z.object({ error: z.string().regex(/^[a-z_]{1,40}$/) })

/** What the hub does needs both: groups, uploads, attachments and job statuses have no narrower ones. */
const scope = 'read write'
const marginMs = 5 * 60_000

interface Kept {
  readonly token: Promise<string>
  /** The token, once it is there. */
  text?: string
  until: number
}
/** By settings: a connection that was changed asks anew. */
const kept = new WeakMap<ZendeskConfig, Kept>()

/**
 * @param call one request, with this `authorization`. It comes a second time, with a new token, when Zendesk has refused the
 * first with 401: then it has done nothing.
 * @throws ConnectorError auth_failed, rate_limited, unavailable, malformed when there is no token; what `call` throws
 */
export async function signed(ctx: Zendesk, call: (authorization: string) => Promise<Response>): Promise<Response> {
  const lasting = lastingCredential(ctx.config)
  if (lasting !== undefined) return await call(lasting)
  const token = await tokenOf(ctx)
  const answer = await call(`Bearer ${token}`)
  if (answer.status !== 401) return answer
  await answer.body?.cancel()
  // Another call may have got a new one meanwhile, which is good.
  if (kept.get(ctx.config)?.text === token) kept.delete(ctx.config)
  return await call(`Bearer ${await tokenOf(ctx)}`)
}

function lastingCredential({ access_token, email, api_token }: ZendeskConfig): string | undefined {
  if (access_token !== undefined) return `Bearer ${access_token}`
  if (api_token === undefined) return undefined
  return `Basic ${Buffer.from(`${email}/token:${api_token}`).toString('base64')}`
}

async function tokenOf(ctx: Zendesk): Promise<string> {
  const { config, now } = ctx
  const known = kept.get(config)
  if (known && now().getTime() < known.until) {
    try {
      return await known.token
    } catch (error) {
      // Whoever asked for it may have given up: then who waited asks. What Zendesk refused, it would refuse again.
      if (error instanceof ConnectorError && error.code === 'auth_failed') throw error
      return await tokenOf(ctx)
    }
  }
  const asking = askToken(ctx)
  const fresh: Kept = { token: asking.then(({ token }) => token), until: Number.POSITIVE_INFINITY }
  kept.set(config, fresh)
  asking.then(
    ({ token, until }) => Object.assign(fresh, { text: token, until }),
    () => {
      if (kept.get(config) === fresh) kept.delete(config)
    },
  )
  return await fresh.token
}

async function askToken(ctx: Zendesk): Promise<{ readonly token: string; readonly until: number }> {
  const { client_id, client_secret } = ctx.config
  const url = `${apiBase(ctx.config).replace(/\/api\/v2$/, '')}/oauth/tokens`
  const place = `POST ${url}`
  const answer = await ctx.http
    .fetch(url, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type: 'client_credentials', client_id, client_secret, scope }),
    })
    .catch((error: unknown) => {
      throw withoutEffect(error)
    })
  const text = await answer.text()
  const error = errorOfAnswer(answer, place, ctx.now())
  if (error) throw answer.status < 500 && answer.status !== 429 ? refusal(text) : withoutEffect(error)
  const read = WireToken.safeParse(jsonOrNothing(text))
  if (!read.success) throw new ConnectorError('malformed', `${place}: expected access_token; is api_base right?`)
  const { access_token: token, expires_in: seconds } = read.data
  const lifeMs = seconds == null ? Number.POSITIVE_INFINITY : seconds * 1_000
  return { token, until: ctx.now().getTime() + Math.max(lifeMs - marginMs, lifeMs / 2) }
}

/** Asking for a token changes nothing: a lost answer is no reason to think that the write behind it was done. */
function withoutEffect(error: unknown): unknown {
  if (!(error instanceof ConnectorError) || error.code !== 'outcome_unknown') return error
  return new ConnectorError('unavailable', error.message, { cause: error })
}

/** In our words: Zendesk's name the settings otherwise than its Admin Center does. */
function refusal(text: string): ConnectorError {
  const { error } = WireRefusal.safeParse(jsonOrNothing(text)).data ?? {}
  const next = hints.get(error ?? '') ?? 'check subdomain, client_id and client_secret'
  return new ConnectorError(
    'auth_failed',
    `Zendesk gives no token to the OAuth client${error ? ` (${error})` : ''}: ${next}`,
  )
}

const mustBeConfidential = 'its client kind must be Confidential'
const hints = new Map([
  [
    'invalid_client',
    `client_id must be the client's Identifier and client_secret its Secret, which Zendesk shows only once; ${mustBeConfidential}`,
  ],
  ['invalid_scope', 'let the allowed scopes of the client in Admin Center have read and write'],
  ['unauthorized_client', mustBeConfidential],
  ['unsupported_grant_type', mustBeConfidential],
])
