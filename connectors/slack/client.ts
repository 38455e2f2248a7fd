/**
 * Slack's Web API over the hub's guarded door: the WebClient of Slack's SDK writes the requests and reads the answers; its
 * retries and its waiting stay out, as the hub does both.
 */
import type { WebClient, WebClientOptions } from '@slack/web-api'
import { z } from 'zod'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { apiUrl, type SlackConfig } from './config.ts'
import { isDeadToken, refusal } from './errors.ts'

export type Slack = Context<SlackConfig>

/**
 * By method: the budget of the manifest that it spends, for each workspace and method; posts for each channel.
 * https://docs.slack.dev/apis/web-api/rate-limits, read 2026-11.
 */
export const budgets = {
  'apps.connections.open': 'default',
  'auth.test': 'default',
  'chat.delete': 'tier3',
  'chat.postEphemeral': 'tier4',
  'chat.postMessage': 'post',
  'chat.unfurl': 'tier3',
  'chat.update': 'tier3',
  'conversations.history': 'tier3',
  'conversations.info': 'tier3',
  'conversations.open': 'tier3',
  'conversations.replies': 'tier3',
  'files.completeUploadExternal': 'tier4',
  'files.getUploadURLExternal': 'tier4',
  'files.info': 'tier4',
  'oauth.v2.access': 'tier4',
  'users.info': 'tier4',
  'views.open': 'tier4',
  'views.publish': 'tier4',
  'views.push': 'tier4',
  'views.update': 'tier4',
} as const
export type SlackMethod = keyof typeof budgets

/** A workspace (or a whole organisation) and the token that speaks for the app there. */
export interface Workspace {
  /** Absent for the token of the settings, before anybody asked Slack whose it is. */
  readonly key?: string
  readonly token: string
}

/** @throws ConnectorError; SlackRefusal when Slack says no */
export async function call<T extends z.ZodType>(
  ctx: Slack,
  workspace: Workspace,
  method: SlackMethod,
  args: Record<string, unknown>,
  shape: T,
): Promise<z.output<T>> {
  try {
    return await ask(ctx, workspace.token, method, args, shape, workspace.key)
  } catch (error) {
    if (isDeadToken(error)) throw await afterDeath(ctx, workspace, error)
    throw error
  }
}

/** @param token undefined where the arguments prove who asks (`oauth.v2.access`). */
export async function ask<T extends z.ZodType>(
  ctx: Slack,
  token: string | undefined,
  method: SlackMethod,
  args: Record<string, unknown>,
  shape: T,
  key?: string,
): Promise<z.output<T>> {
  const place = key === undefined ? method : `${method} in ${key}`
  const budget = budgets[method]
  const budgetKey = budget === 'post' ? String(args['channel']) : `${key ?? ''}|${method}`
  const client = await clientOf(ctx, token, budget === 'default' ? {} : { budget, budgetKey })
  const answer: unknown = await client.apiCall(method, args).catch((error: unknown) => {
    throw errorOf(error, place)
  })
  const parsed = shape.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new ConnectorError(
    'malformed',
    `${place}: Slack answered in an unknown shape: ${z.prettifyError(parsed.error)}`,
  )
}

async function clientOf(ctx: Slack, token: string | undefined, spent: Spent): Promise<WebClient> {
  // Loaded by the first call, so that a hub without a Slack connection never loads the SDK.
  const { WebClient } = await import('@slack/web-api')
  return new WebClient(token, sdkOptions(ctx, spent))
}

interface Spent {
  readonly budget?: string
  readonly budgetKey?: string
}

/** Retries and waiting off, and the hub's door in place of its own way out. */
export function sdkOptions(ctx: Slack, spent: Spent) {
  return {
    slackApiUrl: apiUrl(ctx.config),
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: silent,
    async fetch(url, { method = 'GET', headers = {}, body } = {}) {
      if (body !== undefined && typeof body !== 'string') throw new TypeError('files go by a call of their own')
      const answer = await ctx.http.fetch(url, { method, headers, ...spent, ...(body === undefined ? {} : { body }) })
      const { host, pathname } = new URL(url)
      const error = errorOfAnswer(answer, `${method} ${host}${pathname}`, ctx.now())
      if (error) throw error
      return answer
    },
  } satisfies WebClientOptions
}

/** The SDK would log arguments, which hold what people wrote. */
const nothing = () => {}
const silent = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
  setName: nothing,
  getLevel: (): never => 'error' as never,
}

/** `WebAPIRequestError` carries what the door threw; `WebAPIPlatformError` what Slack said. */
const Wrapped = z.object({ original: z.instanceof(ConnectorError) })
const Platform = z.object({
  data: z.looseObject({
    error: z.string(),
    needed: z.string().optional().catch(undefined),
    response_metadata: z
      .object({ messages: z.array(z.string()).optional().catch(undefined) })
      .optional()
      .catch(undefined),
  }),
})

export function errorOf(error: unknown, place: string): Error {
  const wrapped = Wrapped.safeParse(error)
  if (wrapped.success) return wrapped.data.original
  const platform = Platform.safeParse(error)
  if (platform.success) {
    const { error: word, needed, response_metadata: more } = platform.data.data
    return refusal(place, { error: word, needed, messages: more?.messages })
  }
  // An answer that is no answer of Slack's may have been given after the effect.
  return new ConnectorError('outcome_unknown', `${place}: the answer is none of Slack's; is api_base right?`, {
    cause: error,
  })
}

/** One workspace that took the app away must not hold up the others. */
async function afterDeath(ctx: Slack, { key }: Workspace, error: unknown): Promise<unknown> {
  if (key === undefined || !(error instanceof ConnectorError)) return error
  const all = await ctx.installations.list()
  if (!all.some((one) => one.key !== key)) return error
  await ctx.installations.remove(key)
  ctx.log.warn({ workspace: key }, 'a workspace has taken the app away; the others go on')
  return new ConnectorError('rejected', error.message, { cause: error })
}
