/** Serves the table of routes: who may ask, what a request may hold, and one form for every refusal. */
import { randomUUID } from 'node:crypto'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { isPassing } from '#hub/platform/db/passing-errors.ts'
import { tokenCheck } from './admin-token.ts'
import type { ApiHub } from './hub.ts'
import { type Answer, forgetKeys, once, readKey } from './idempotency.ts'
import { bodyLimits, checkText, parseJson } from './json-body.ts'
import { notFound, Problem, problemStatus, toDocument } from './problem.ts'
import { createRateLimit } from './rate-limit.ts'
import type { Method, Route } from './route.ts'

/** Refused when repeated: two readers could take different ones for the right one. */
const singleHeaders = new Set([
  'authorization',
  'content-type',
  'content-length',
  'content-encoding',
  'idempotency-key',
])
const methodOverrides = ['x-http-method-override', 'x-http-method', 'x-method-override']
const prefix = '/api/v1'

interface State {
  readonly requestId: string
  /** Who asks; empty until the token was found good. */
  actor: string
  /** The pattern that matched, for the log. */
  route: string
}

/** To be mounted at `/api`. @param token every route but the public ones needs it. */
export function serve(hub: ApiHub, routes: readonly Route[], token: string): Router {
  const router = express.Router({ strict: true, caseSensitive: true })
  const states = new WeakMap<Request, State>()
  const isToken = tokenCheck(token)
  const admit = createRateLimit({ perSecond: 500, burst: 2_000 })
  const readRaw = express.raw({ type: () => true, limit: bodyLimits.bytes, inflate: false })
  let sweptAt = Number.NEGATIVE_INFINITY

  router.use((request, response, next) => {
    const started = performance.now()
    const state: State = { requestId: randomUUID(), actor: '', route: 'none' }
    states.set(request, state)
    response.set({
      'x-request-id': state.requestId,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      ...(hub.env.baseUrl.startsWith('https:') ? { 'strict-transport-security': 'max-age=31536000' } : {}),
    })
    response.once('close', () => {
      const ms = Math.round(performance.now() - started)
      const status = response.writableFinished ? response.statusCode : 499
      hub.log.info(
        { request_id: state.requestId, actor: state.actor, method: request.method, route: state.route, status, ms },
        'api',
      )
    })
    next()
  })
  router.use((request, _response, next) => {
    checkHead(request)
    next()
  })
  for (const route of routes.filter(({ isPublic }) => isPublic)) mount(route)
  router.use((request, _response, next) => {
    if (!isToken(request.headers.authorization)) {
      throw new Problem('unauthorized', 'send the header Authorization: Bearer and an API token of this hub', {
        headers: { 'www-authenticate': 'Bearer realm="deskweave"' },
      })
    }
    stateOf(request).actor = 'admin'
    const waitMs = admit(performance.now())
    if (waitMs > 0) {
      const seconds = String(Math.ceil(waitMs / 1000))
      throw new Problem('too_many_requests', `too many requests; ask again in ${seconds} s`, {
        headers: { 'retry-after': seconds },
      })
    }
    next()
  })
  for (const route of routes.filter(({ isPublic }) => !isPublic)) mount(route)
  for (const [path, allowed] of methodsByPath(routes)) {
    router.all(toExpress(path), (request) => {
      stateOf(request).route = path
      throw new Problem('method_not_allowed', `${request.method} is not possible here; allowed: ${allowed}`, {
        headers: { allow: allowed },
      })
    })
  }
  router.use(() => {
    throw notFound()
  })
  router.use(refuse)
  return router

  function mount(route: Route): void {
    const path = toExpress(route.path)
    const handler = async (request: Request, response: Response) => {
      stateOf(request).route = route.path
      const body = route.method === 'GET' ? undefined : await readBody(request, response)
      send(response, await work(route, request, body))
    }
    register(router, route.method, path, handler)
  }

  async function work(route: Route, request: Request, body: Buffer | undefined): Promise<Answer> {
    const { actor } = stateOf(request)
    const input = {
      params: { ...request.params },
      query: readQuery(request.url),
      body: body && body.length > 0 ? parseJson(body) : undefined,
      actor,
    }
    const execute = async (): Promise<Answer> => {
      const answer = await route.call(hub, input)
      return { status: route.response ? (route.status ?? 200) : 204, body: answer }
    }
    const key = route.method === 'POST' ? readKey(request.get('idempotency-key')) : undefined
    if (key === undefined) return await execute()
    await sweep()
    return await once(hub, { key, method: route.method, path: request.url, body: body ?? Buffer.alloc(0) }, execute)
  }

  async function sweep(): Promise<void> {
    if (performance.now() - sweptAt < 3_600_000) return
    sweptAt = performance.now()
    await forgetKeys(hub.db)
  }

  function readBody(request: Request, response: Response): Promise<Buffer> {
    checkMediaType(request)
    return new Promise((resolve, reject) => {
      readRaw(request, response, (error?: unknown) => {
        const body: unknown = request.body
        if (error) reject(error)
        else resolve(Buffer.isBuffer(body) ? body : Buffer.alloc(0))
      })
    })
  }

  function stateOf(request: Request): State {
    const state = states.get(request)
    if (!state) throw new Error('a request came past the first step, which must not happen')
    return state
  }

  function refuse(error: unknown, request: Request, response: Response, _next: NextFunction): void {
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    const problem = toProblem(error)
    const { requestId, route } = stateOf(request)
    if (problem.code === 'internal') hub.log.error({ err: error, request_id: requestId, route }, 'api request failed')
    if (problem.code === 'unavailable') hub.log.warn({ err: error, request_id: requestId, route }, 'api request failed')
    // The rest of a body that nobody reads would be taken for the next request.
    if (!request.complete) response.set('connection', 'close')
    response.status(problemStatus[problem.code]).set(problem.headers).type('application/problem+json')
    response.send(JSON.stringify(toDocument(problem)))
  }
}

function register(router: Router, method: Method, path: string, handler: (q: Request, s: Response) => Promise<void>) {
  if (method === 'GET') router.get(path, handler)
  else if (method === 'POST') router.post(path, handler)
  else if (method === 'PUT') router.put(path, handler)
  else if (method === 'PATCH') router.patch(path, handler)
  else router.delete(path, handler)
}

function toExpress(path: string): string {
  return `/v1${path.replace(/\{(\w+)\}/g, ':$1')}`
}

function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, string> {
  const allowed = new Map<string, string[]>()
  for (const { path, method } of routes) {
    const list = allowed.get(path) ?? []
    allowed.set(path, list)
    list.push(...(method === 'GET' ? ['GET', 'HEAD'] : [method]))
  }
  return new Map([...allowed].map(([path, list]) => [path, list.join(', ')]))
}

/** One canonical address and one reading of the headers. @throws Problem */
function checkHead(request: Request): void {
  const path = request.originalUrl.split('?', 1)[0] ?? ''
  const isCanonical =
    path.startsWith(`${prefix}/`) && !/%2f|%5c|%00|\\|\/\/|\/\.{1,2}(\/|$)|\/(%2e){1,2}(\/|$)/i.test(path)
  if (!isCanonical) throw notFound()
  const seen = new Set<string>()
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]?.toLowerCase() ?? ''
    if (!singleHeaders.has(name)) continue
    if (seen.has(name))
      throw new Problem('malformed', `the header ${name} is there twice; send it once`, { field: name })
    seen.add(name)
  }
  const override = methodOverrides.find((name) => request.headers[name] !== undefined)
  if (override) throw new Problem('malformed', `${override}: send the method itself`, { field: override })
}

/** @throws Problem when a body is there and is not plain JSON */
function checkMediaType(request: Request): void {
  const { 'content-length': length, 'transfer-encoding': chunked, 'content-type': type } = request.headers
  const isEmpty = chunked === undefined && (length === undefined || length === '0')
  if (isEmpty) return
  if (!/^application\/json *(; *charset="?utf-8"? *)?$/i.test(type ?? '')) {
    throw new Problem('unsupported_media_type', 'send the body as Content-Type: application/json')
  }
}

/** @throws Problem for a parameter that is there twice */
function readQuery(url: string): Record<string, string> {
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of new URL(url, 'http://hub').searchParams) {
    checkText(name, 'the query')
    checkText(value, `the query parameter ${name}`)
    if (name in query) throw new Problem('invalid', `${name}: is there twice; send it once`, { field: name })
    query[name] = value
  }
  return query
}

function send(response: Response, { status, body }: Answer): void {
  if (status === 204) response.status(204).end()
  else response.status(status).type('application/json').send(JSON.stringify(body))
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof URIError) return notFound()
  if (error instanceof Error && 'type' in error) {
    if (error.type === 'entity.too.large') {
      return new Problem('too_large', `the body is larger than ${bodyLimits.bytes} bytes; send less at once`)
    }
    if (error.type === 'encoding.unsupported') {
      return new Problem('unsupported_media_type', 'send the body as it is, without Content-Encoding')
    }
    if (error.type === 'request.aborted' || error.type === 'request.size.invalid') {
      return new Problem('malformed', 'the body is shorter than its Content-Length')
    }
  }
  if (isPassing(error)) {
    return new Problem('unavailable', 'the database cannot be reached; ask again in 30 s', {
      headers: { 'retry-after': '30' },
    })
  }
  return new Problem('internal', 'this failed inside the hub; its log holds the request under x-request-id')
}
