/**
 * The Zendesk API: node-zendesk over the hub's guarded door. Every answer is read here, so that ids of 64 bits stay exact and
 * a status means the same with and without the SDK, which repeats nothing by itself.
 */
import type { ZendeskClient } from 'node-zendesk'
import { z } from 'zod'
import type { Context, HttpMethod } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { parseExact } from '#hub/connector/exact-json.ts'
import { apiBase, type ZendeskConfig } from './config.ts'
import { zendeskError } from './errors.ts'
import { signed } from './token.ts'

export type Zendesk = Context<ZendeskConfig>

export interface CallOptions {
  readonly budget?: 'ticket_update' | 'incremental'
  /** Only for `POST /tickets`; Zendesk keeps it for 2 hours. */
  readonly idempotencyKey?: string
  /** Records to send along with the answer. */
  readonly include?: readonly string[]
}

/**
 * One call by the SDK.
 * @param use picks the SDK's method. What the method returns is dropped: it is only a part of the answer.
 * @returns the whole answer. @throws ConnectorError
 */
export async function callSdk<T extends z.ZodType>(
  ctx: Zendesk,
  shape: T,
  use: (client: ZendeskClient) => Promise<unknown>,
  options: CallOptions = {},
): Promise<z.output<T>> {
  const answers = await collect(ctx, use, options)
  return parseAnswer(shape, answers.at(-1))
}

/** The same for a list that the SDK pages through: the answers of all pages. */
export async function listBySdk<T extends z.ZodType>(
  ctx: Zendesk,
  shape: T,
  use: (client: ZendeskClient) => Promise<unknown>,
): Promise<readonly z.output<T>[]> {
  const answers = await collect(ctx, use, {})
  return answers.map((answer) => parseAnswer(shape, answer))
}

async function collect(
  ctx: Zendesk,
  use: (client: ZendeskClient) => Promise<unknown>,
  options: CallOptions,
): Promise<readonly unknown[]> {
  // Loaded by the first call, so that a hub without a Zendesk connection never loads the SDK.
  const { default: sdk } = await import('node-zendesk')
  const answers: unknown[] = []
  const client = sdk.createClient({
    // Nothing of it is sent: what a call is signed with may change from one to the next.
    oauth: true,
    token: 'set by exchange()',
    endpointUri: apiBase(ctx.config),
    throwOriginalException: true,
    ...(options.idempotencyKey ? { customHeaders: { 'Idempotency-Key': options.idempotencyKey } } : {}),
    transportConfig: {
      async transportFn(url: string, request: SdkRequest) {
        const answer = await exchange(ctx, request.method, url, request, options.budget)
        answers.push(answer)
        return answer
      },
      responseAdapter: (answer: unknown) => ({
        status: 200,
        statusText: 'OK',
        headers: new Headers({ 'content-type': 'application/json' }),
        json: async () => answer,
      }),
    },
  })
  if (options.include) {
    client.tickets.setSideLoad([...options.include])
    client.users.setSideLoad([...options.include])
  }
  await use(client)
  return answers
}

interface SdkRequest {
  readonly method: HttpMethod
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** A read the SDK has no way for (it cannot stop paging, and has no cursor export that works without a start time). */
export async function read<T extends z.ZodType>(
  ctx: Zendesk,
  shape: T,
  path: string,
  query: Query,
  options: Pick<CallOptions, 'budget'> = {},
): Promise<z.output<T>> {
  const headers = { accept: 'application/json' }
  return parseAnswer(shape, await exchange(ctx, 'GET', urlOf(ctx, path, query), { headers }, options.budget))
}

/** A file's bytes as they are, for which the SDK wants a stream. */
export async function send<T extends z.ZodType>(
  ctx: Zendesk,
  shape: T,
  method: 'POST',
  path: string,
  query: Query,
  { content, contentType }: { readonly content: Uint8Array; readonly contentType: string },
): Promise<z.output<T>> {
  const headers = { accept: 'application/json', 'content-type': contentType }
  return parseAnswer(shape, await exchange(ctx, method, urlOf(ctx, path, query), { headers, body: content }, undefined))
}

type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>

function urlOf(ctx: Zendesk, path: string, query: Query): string {
  const url = new URL(`${apiBase(ctx.config)}${path}`)
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) url.searchParams.append(name, one)
    else if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url.href
}

async function exchange(
  ctx: Zendesk,
  method: HttpMethod,
  url: string,
  request: Pick<SdkRequest, 'headers' | 'body'>,
  budget: string | undefined,
): Promise<unknown> {
  const { body } = request
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  )
  const answer = await signed(ctx, (authorization) =>
    ctx.http.fetch(url, {
      method,
      headers: { ...headers, authorization },
      ...(body === undefined ? {} : { body }),
      ...(budget === undefined ? {} : { budget }),
    }),
  )
  const place = `${method} ${url.split('?', 1)[0]}`
  const text = await answer.text()
  const error = zendeskError(answer, text, place, ctx.now())
  if (error) throw error
  if (text === '') return {}
  try {
    return parseExact(text)
  } catch (cause) {
    // A write that was answered with 2xx may have been done.
    const code = method === 'GET' ? 'malformed' : 'outcome_unknown'
    throw new ConnectorError(code, `${place} answered ${answer.status} without JSON; is api_base right?`, { cause })
  }
}

function parseAnswer<T extends z.ZodType>(shape: T, answer: unknown): z.output<T> {
  const parsed = shape.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new ConnectorError('malformed', `Zendesk answered in an unknown shape: ${z.prettifyError(parsed.error)}`)
}
