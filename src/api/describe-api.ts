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

interface Components {
  readonly schemas: Json
  refOf(schema: z.ZodType): Json
}

/** Requests as clients write them and answers as they read them are described apart: defaults and transforms differ. */
function components(all: readonly Route[]): Components {
  const requests = z.registry<{ id: string }>()
  const answers = z.registry<{ id: string }>()
  const names = new Map<z.ZodType, string>()
  const add = (registry: typeof requests, schema: z.ZodType | undefined, name: string) => {
    if (!schema || names.has(schema)) return
    const id = z.globalRegistry.get(schema)?.id ?? name
    names.set(schema, id)
    registry.add(schema, { id })
  }
  add(answers, ProblemDocument, 'Problem')
  for (const { id, body, response } of all) {
    const name = id.replace(/^./, (letter) => letter.toUpperCase())
    add(requests, body, `${name}Request`)
    add(answers, response, `${name}Answer`)
  }
  const uri = (id: string) => `#/components/schemas/${id}`
  const schemas: Json = {}
  for (const [registry, io] of [
    [requests, 'input'],
    [answers, 'output'],
  ] as const) {
    const described = z.toJSONSchema(registry, { uri, io, unrepresentable: 'any' }).schemas
    for (const [id, schema] of Object.entries(described)) schemas[id] = lift(id, schema, schemas)
  }
  return {
    schemas,
    refOf(schema) {
      const id = names.get(schema)
      if (!id) throw new Error('a schema of the API is not among its components, which must not happen')
      return { $ref: uri(id) }
    },
  }
}

/** Schemas with an id of their own inside another become components too. */
function lift(id: string, schema: unknown, into: Json): unknown {
  return walk(schema)
  function walk(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
      if (key === '$schema' || key === '$id' || key === 'id')
        return key === 'id' && typeof child !== 'string' ? [[key, walk(child)]] : []
      if (key === '$defs' && typeof child === 'object' && child !== null) {
        for (const [name, inner] of Object.entries(child))
          into[name.startsWith('__') ? `${id}${name}` : name] = walk(inner)
        return []
      }
      if (key === '$ref' && typeof child === 'string') return [[key, refTo(child)]]
      return [[key, walk(child)]]
    })
    return Object.fromEntries(entries)
  }
  function refTo(ref: string): string {
    const name = /#\/\$defs\/(.+)$/.exec(ref)?.[1]
    if (name) return `#/components/schemas/${name.startsWith('__') ? `${id}${name}` : name}`
    return ref === '#' ? `#/components/schemas/${id}` : ref
  }
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
            content: { 'application/json': { schema: refOf(route.body) } },
          },
        }
      : {}),
    responses: {
      [status]: route.response
        ? { description: 'Done.', content: { 'application/json': { schema: refOf(route.response) } } }
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
    content: { 'application/problem+json': { schema: refOf(ProblemDocument) } },
  }
}

function parametersOf(schema: z.ZodObject, place: 'path' | 'query'): Json[] {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
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
