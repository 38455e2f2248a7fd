/**
 * The HubSpot API over the hub's guarded door. Records go by the object classes of @hubspot/api-client, which know all
 * request shapes; its own transport, retries and limiter stay out. It knows only the paths of version 3, so its requests are
 * written to the dated ones on their way out. Every answer is read here, so that ids stay exact and a status means the same
 * with and without the SDK.
 */
import type * as Objects from '@hubspot/api-client/lib/codegen/crm/objects/index.js'
import { z } from 'zod'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { parseExact } from '#hub/connector/exact-json.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { apiBase, apiVersion, type HubspotConfig } from './config.ts'
import { WireProblem } from './wire.ts'

export type Hubspot = Context<HubspotConfig>

/** `tickets`, `contacts`, … as in the paths. */
export type ObjectType = 'tickets' | 'contacts' | 'companies' | 'notes'

export interface Sdk {
  readonly basic: Objects.BasicApi
  readonly batch: Objects.BatchApi
  readonly search: Objects.SearchApi
  /** The SDK's words for comparing, and for associations that HubSpot itself defines. */
  readonly compare: typeof Objects.FilterOperatorEnum
  readonly category: typeof Objects.AssociationSpecAssociationCategoryEnum
}

interface Call {
  readonly method: string
  readonly url: string
  readonly body?: string | Uint8Array
  /** JSON when absent. */
  readonly contentType?: string
  readonly budget?: 'search'
  /** Reading by POST: repeating it does no harm. */
  readonly isRead: boolean
}

/**
 * One call by the SDK. @param use picks the method. What the method returns is dropped: it is only a part of the answer.
 * @returns the whole answer. @throws ConnectorError
 */
export async function callSdk<T extends z.ZodType>(
  ctx: Hubspot,
  shape: T,
  use: (sdk: Sdk) => Promise<unknown>,
  options: Pick<Call, 'budget'> & Partial<Pick<Call, 'isRead'>> = {},
): Promise<z.output<T>> {
  // Loaded by the first call, so that a hub without a HubSpot connection never loads the SDK.
  const sdk = await import('@hubspot/api-client/lib/codegen/crm/objects/index.js')
  let given: Answer | undefined
  const httpApi = sdk.wrapHttpLibrary({
    async send(request) {
      const body = request.getBody()
      given = await exchange(ctx, {
        method: request.getHttpMethod(),
        url: dated(request.getUrl()),
        isRead: false,
        ...(typeof body === 'string' ? { body } : {}),
        ...options,
      })
      const empty = { text: async () => '{}', binary: async () => Buffer.from('{}') }
      return new sdk.ResponseContext(given.status, { 'content-type': 'application/json' }, empty)
    },
  })
  const configuration = sdk.createConfiguration({
    baseServer: new sdk.ServerConfiguration(apiBase(ctx.config), {}),
    httpApi,
  })
  try {
    await use({
      basic: new sdk.BasicApi(configuration),
      batch: new sdk.BatchApi(configuration),
      search: new sdk.SearchApi(configuration),
      compare: sdk.FilterOperatorEnum,
      category: sdk.AssociationSpecAssociationCategoryEnum,
    })
  } catch (error) {
    // The answer is here and good: that the SDK expected another status of success, or more in it, makes no difference.
    if (given === undefined) throw error
  }
  return parseAnswer(shape, given?.json)
}

function dated(url: string): string {
  return url.replace(/\/crm\/v\d+\/objects\//, `/crm/objects/${apiVersion}/`)
}

/** A call that the SDK has no dated path or no class for: associations, owners, pipelines, conversations. */
export async function call<T extends z.ZodType>(
  ctx: Hubspot,
  shape: T,
  method: 'GET' | 'POST',
  path: string,
  options: {
    readonly query?: Readonly<Record<string, string | undefined>>
    readonly json?: unknown
    readonly isRead?: boolean
  } = {},
): Promise<z.output<T>> {
  const url = new URL(`${apiBase(ctx.config)}${path}`)
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  const { json } = await exchange(ctx, {
    method,
    url: url.href,
    isRead: options.isRead ?? method === 'GET',
    ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
  })
  return parseAnswer(shape, json)
}

/** A form with a file in it. */
export async function upload<T extends z.ZodType>(
  ctx: Hubspot,
  shape: T,
  path: string,
  { contentType, body }: { readonly contentType: string; readonly body: Uint8Array },
): Promise<z.output<T>> {
  const url = `${apiBase(ctx.config)}${path}`
  const { json } = await exchange(ctx, { method: 'POST', url, isRead: false, body, contentType })
  return parseAnswer(shape, json)
}

interface Answer {
  readonly status: number
  readonly json: unknown
}

async function exchange(ctx: Hubspot, call: Call): Promise<Answer> {
  const { method, url, body, contentType = 'application/json', budget, isRead } = call
  const answer = await ctx.http.fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${ctx.config.access_token}`,
      ...(body === undefined ? {} : { 'content-type': contentType }),
    },
    ...(body === undefined ? {} : { body }),
    ...(budget === undefined ? {} : { budget }),
  })
  const place = `${method} ${url.split('?', 1)[0]}`
  const text = await answer.text()
  const error = errorOfAnswer(answer, place, ctx.now())
  if (error) throw explained(error, answer.status, text)
  const { status } = answer
  if (text === '') return { status, json: {} }
  try {
    return { status, json: parseExact(text) }
  } catch (cause) {
    // A write that was answered with 2xx may have been done.
    const code = isRead ? 'malformed' : 'outcome_unknown'
    throw new ConnectorError(code, `${place} answered ${status} without JSON; is api_base right?`, { cause })
  }
}

/** 423: the record is locked, wait two seconds at least. 477: the account moves to another data centre. */
const busy: ReadonlyMap<number, number> = new Map([
  [423, 2_000],
  [477, 60_000],
])

function explained(error: ConnectorError, status: number, text: string): ConnectorError {
  const pauseMs = busy.get(status)
  const waitMs = error.retryAfterMs ?? pauseMs
  const words = wordsOf(text)
  return new ConnectorError(
    pauseMs === undefined ? error.code : 'unavailable',
    words === '' ? error.message : `${error.message} (HubSpot: ${words})`,
    waitMs === undefined ? {} : { retryAfterMs: waitMs },
  )
}

function wordsOf(text: string): string {
  const parsed = WireProblem.safeParse(jsonOrNothing(text))
  if (!parsed.success) return ''
  const { category, message, errors } = parsed.data
  const scopes = category === 'MISSING_SCOPES' ? 'add the missing scopes to the app and install it again' : ''
  const details = (errors ?? []).map((one) => one.message)
  return [category, message, ...details, scopes].filter(Boolean).join(': ').replaceAll(/\s+/g, ' ').slice(0, 300)
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function parseAnswer<T extends z.ZodType>(shape: T, answer: unknown): z.output<T> {
  const parsed = shape.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new ConnectorError('malformed', `HubSpot answered in an unknown shape: ${z.prettifyError(parsed.error)}`)
}
