/** One entry of the API's table: what the router serves and what the OpenAPI document tells come from the same schemas. */
import { z } from 'zod'
import type { ApiHub } from './hub.ts'
import { invalid, notFound, type ProblemCode } from './problem.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a request gave, still unread. */
interface RawInput {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  /** Who asks, as the audit names them. */
  readonly actor: string
}

interface Shape {
  /** Names the operation for generated clients: `listCases`. */
  readonly id: string
  readonly method: Method
  /** Below `/api/v1`, parameters in braces: `/cases/{id}/messages`. */
  readonly path: string
  readonly summary: string
  readonly tag: string
  /** 200 when absent; 204 without a response. */
  readonly status?: 200 | 201 | 202
  /** Beyond those that every route has. */
  readonly problems?: readonly ProblemCode[]
  /** Answers without a token. Everything else is refused. */
  readonly isPublic?: true
}

interface RouteSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType>
  extends Shape {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  readonly response?: R
  handler(
    hub: ApiHub,
    input: {
      readonly params: z.output<P>
      readonly query: z.output<Q>
      readonly body: z.output<B>
      readonly actor: string
    },
  ): Promise<z.input<R>> | z.input<R>
}

export interface Route extends Shape {
  readonly params: z.ZodObject
  readonly query: z.ZodObject
  readonly body?: z.ZodType
  readonly response?: z.ZodType
  /** @throws Problem */
  call(hub: ApiHub, input: RawInput): Promise<unknown>
}

const nothing = z.strictObject({})
type Nothing = typeof nothing

export function route<
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodType = z.ZodUndefined,
  R extends z.ZodType = z.ZodVoid,
>(spec: RouteSpec<P, Q, B, R>): Route {
  const { params, query, body, response, handler, ...shape } = spec
  return {
    ...shape,
    params: params ?? nothing,
    query: query ?? nothing,
    ...(body ? { body } : {}),
    ...(response ? { response } : {}),
    async call(hub, input) {
      return await handler(hub, {
        // An id that cannot be one is an id that does not exist.
        params: read(params, input.params, notFound),
        query: read(query, input.query, invalid),
        // A route without a body takes none, or an empty object, which many clients send.
        body: read(body, body ? input.body : (input.body ?? {}), invalid),
        actor: input.actor,
      })
    },
  }
}

/** Without a schema nothing may be given; the type parameter then has its default. */
function read<S extends z.ZodType>(
  schema: S | undefined,
  value: unknown,
  problem: (issues: readonly z.core.$ZodIssue[]) => Error,
): z.output<S> {
  const parsed = (schema ?? nothing).safeParse(value, { reportInput: false })
  if (!parsed.success) throw problem(parsed.error.issues)
  return parsed.data as z.output<S>
}
