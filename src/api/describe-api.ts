/** The OpenAPI 3.1 document, from the same table that the router serves. Pure. */
import { z } from 'zod'
import { type ProblemCode, ProblemDocument, problemStatus } from './problem.ts'
import type { Route } from './route.ts'

type Json = Record<string, unknown>

const everywhere: readonly ProblemCode[] = ['malformed', 'too_many_requests', 'unavailable']

export function describeApi(routes: readonly Route[]): Json {
  const { schemas, refOf } = components(routes)
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = `/api/v1${route.path}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, refOf) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Deskweave',
      version: 'v1',
      description:
        'Lists answer `{ data, next }`; give `next` as `cursor` for the next page. A POST with the header `Idempotency-Key` has one effect however often it is sent within 24 hours. Unknown fields are refused. Every refusal is a problem document (RFC 9457) and has changed nothing.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'An API token of this hub.' } },
      schemas,
    },
  }
}

type Side = 'request' | 'answer'

interface Components {
  readonly schemas: Json
  refOf(schema: z.ZodType, side: Side): Json
}

/** Requests as clients write them and answers as they read them are described apart: defaults and transforms differ. */
function components(all: readonly Route[]): Components {
  const sides = { request: z.registry<{ id: string }>(), answer: z.registry<{ id: string }>() }
  const add = (side: Side, schema: z.ZodType | undefined, name: string) => {
    if (!schema || sides[side].has(schema)) return
    sides[side].add(schema, { id: z.globalRegistry.get(schema)?.id ?? name })
  }
  add('answer', ProblemDocument, 'Problem')
  for (const { id, body, response } of all) {
    const name = id.replace(/^./, (letter) => letter.toUpperCase())
    add('request', body, `${name}Request`)
    add('answer', response, `${name}Answer`)
  }
  const schemas: Json = {}
  for (const [side, io] of [
    ['request', 'input'],
    ['answer', 'output'],
  ] as const) {
    const options = { uri: uriOf, io, unrepresentable: 'any', override: quieten } as const
    const { __shared: shared, ...own } = z.toJSONSchema(sides[side], options).schemas
    place(shared, schemas)
    for (const [id, schema] of Object.entries(own)) schemas[id] = place(schema, schemas)
  }
  return {
    schemas,
    refOf(schema, side) {
      const id = sides[side].get(schema)?.id
      if (!id) throw new Error('a schema of the API is not among its components, which must not happen')
      return { $ref: uriOf(id) }
    },
  }
}

/** As it stands in the document: schemas with a name of their own are components, wherever zod put them. */
function place(schema: unknown, into: Json): unknown {
  if (Array.isArray(schema)) return schema.map((item) => place(item, into))
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).flatMap(([key, child]): [string, unknown][] => {
    if (key === '$schema' || key === '$id') return []
    if (key === '$defs') {
      for (const [name, inner] of Object.entries(child)) into[name] = place(inner, into)
      return []
    }
    const name = key === '$ref' ? /#\/\$defs\/(.+)$/.exec(String(child))?.[1] : undefined
    return [[key, name === undefined ? place(child, into) : uriOf(name)]]
  })
  return Object.fromEntries(entries)
}

function uriOf(name: string): string {
  return `#/components/schemas/${name}`
}

/** The pattern of a date says nothing to people that its format does not. */
function quieten({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  delete jsonSchema.id
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern
}

function operation(route: Route, refOf: Components['refOf']): Json {
  const status = String(route.response ? (route.status ?? 200) : 204)
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [route.tag],
    ...(route.isPublic ? { security: [] } : {}),
    parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query'), ...headersOf(route)],
    ...(route.body
      ? {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: { 'application/json': { schema: refOf(route.body, 'request') } },
          },
        }
      : {}),
    responses: {
      [status]: route.response
        ? { description: 'Done.', content: { 'application/json': { schema: refOf(route.response, 'answer') } } }
        : { description: 'Done.' },
      ...Object.fromEntries(problemsOf(route).map((code) => [String(problemStatus[code]), problemAnswer(code, refOf)])),
    },
  }
}

function problemsOf(route: Route): readonly ProblemCode[] {
  const isWrite = route.method !== 'GET'
  const hasId = Object.keys(route.params.shape).length > 0
  return [
    ...everywhere,
    ...(route.isPublic ? [] : (['unauthorized'] as const)),
    ...(hasId ? (['not_found'] as const) : []),
    ...(isWrite ? (['too_large', 'unsupported_media_type'] as const) : []),
    'invalid',
    ...(route.method === 'POST' ? (['conflict'] as const) : []),
    ...(route.problems ?? []),
  ]
}

function problemAnswer(code: ProblemCode, refOf: Components['refOf']): Json {
  return {
    description: `\`${code}\``,
    content: { 'application/problem+json': { schema: refOf(ProblemDocument, 'answer') } },
  }
}

function parametersOf(schema: z.ZodObject, place: 'path' | 'query'): Json[] {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: quieten })
  const required = new Set(described.required)
  return Object.entries(described.properties ?? {}).map(([name, property]) => {
    const { description, ...rest } = typeof property === 'object' ? property : {}
    return {
      name,
      in: place,
      required: place === 'path' || required.has(name),
      ...(description ? { description } : {}),
      schema: rest,
    }
  })
}

function headersOf(route: Route): Json[] {
  if (route.method !== 'POST') return []
  const description = 'One effect for each key, however often the request is sent within 24 hours.'
  return [
    { name: 'Idempotency-Key', in: 'header', required: false, description, schema: { type: 'string', maxLength: 255 } },
  ]
}
