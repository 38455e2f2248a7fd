/**
 * The Bot Connector's API: the Teams SDK over the hub's guarded door. Of the SDK's `App` only the API client is used: requests
 * are received by the hub, which stores before it answers, and their tokens checked by `jwt.ts`, since the SDK's validator
 * fetches keys by itself and looks at no endorsements.
 */
import type { App, AppOptions, IPlugin } from '@microsoft/teams.apps'
import type { z } from 'zod'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { endpointsOf, isEmulator, isService, type TeamsConfig } from './config.ts'
import { teamsError } from './errors.ts'
import { forgetToken, tokenOf } from './token.ts'

export type Teams = Context<TeamsConfig>
type Api = App['api']

export interface Call {
  /** Where the conversation lives; it gets the bot's token. */
  readonly service: string
  readonly budget: 'conversation' | 'members'
  /** The conversation's id. */
  readonly budgetKey: string
  /** The effect's own key: Teams does nothing with it, but its support finds the call by it. */
  readonly key?: string
}

/** @returns the answer in the shape asked for. @throws ConnectorError */
export async function callApi<T extends z.ZodType>(
  ctx: Teams,
  call: Call,
  shape: T,
  use: (api: Api) => Promise<unknown>,
): Promise<z.output<T>> {
  const { config } = ctx
  if (!isService(call.service, config)) {
    throw new ConnectorError(
      'host_refused',
      `${call.service} is no address of Teams in this cloud; no token goes there`,
    )
  }
  const authorization = isEmulator(call.service, config) ? undefined : `Bearer ${await tokenOf(ctx, 'bot')}`
  // Loaded by the first call, so that a hub without a Teams connection never loads the SDK.
  const { App } = await import('@microsoft/teams.apps')
  const { api } = new App({
    clientId: config.app_id,
    tenantId: config.tenant_id,
    serviceUrl: call.service,
    // What the SDK would otherwise read from the environment, start or write; none of these is used for a call.
    cloud: cloudOf(config),
    token: () => Promise.resolve(''),
    dangerouslyAllowUnauthenticatedRequests: false,
    httpServerAdapter: { registerRoute: () => {} },
    logger: silent,
    client: {
      middlewares: [{ invoke: ({ config: request }) => transport(ctx, call, authorization, request) }],
    },
  })
  const answer = await use(api)
  const read = shape.safeParse(answer)
  if (read.success) return read.data
  throw new ConnectorError('malformed', `Teams answered in an unknown shape: ${read.error.message}`)
}

function cloudOf(config: TeamsConfig) {
  const { issuer, metadata, scopes, service, token } = endpointsOf(config)
  return {
    loginEndpoint: new URL(token).origin,
    loginTenant: config.tenant_id,
    botScope: scopes.bot,
    tokenServiceUrl: service,
    openIdMetadataUrl: metadata,
    tokenIssuer: issuer,
    graphScope: scopes.graph,
    agenticIdentityBotScope: scopes.bot,
  }
}

interface SdkRequest {
  readonly method?: string
  readonly url?: string
  readonly data?: unknown
}

/** In place of axios. Ids in paths are encoded by the callers of the SDK, which does not do it. */
async function transport<R>(
  ctx: Teams,
  call: Call,
  authorization: string | undefined,
  request: SdkRequest,
): Promise<R> {
  const method = (request.method ?? 'get').toUpperCase()
  const url = new URL(request.url ?? '')
  const body = request.data === undefined ? undefined : JSON.stringify(request.data)
  const answer = await ctx.http.fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(authorization === undefined ? {} : { authorization }),
      ...(call.key === undefined ? {} : { 'client-request-id': call.key }),
    },
    ...(body === undefined ? {} : { body }),
    budget: call.budget,
    budgetKey: call.budgetKey,
  })
  const text = await answer.text()
  const place = `${method} ${url.host}${url.pathname}`
  const error = teamsError(answer, text, place, ctx.now())
  if (answer.status === 401) forgetToken(ctx, 'bot')
  if (error) throw error
  return { data: dataOf(text, method, place), status: answer.status, statusText: '', headers: {}, config: {} } as R
}

function dataOf(text: string, method: string, place: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    // A write that was answered with 2xx may have been done.
    throw new ConnectorError(method === 'GET' ? 'malformed' : 'outcome_unknown', `${place}: expected JSON`, { cause })
  }
}

const silent: NonNullable<AppOptions<IPlugin>['logger']> = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  log() {},
  trace() {},
  child: () => silent,
}
