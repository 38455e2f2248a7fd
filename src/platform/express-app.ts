/** The Express app around the rooms that answer people and programs: what holds for all of them. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import type { Log } from '#hub/connector/contract.ts'
import type { Metrics } from './metrics.ts'

/** A room's routes. */
export type Mount = (app: Express) => void

export function createApp(mounts: readonly Mount[], log: Log, metrics: Metrics): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('query parser', 'simple')
  app.use(measure(metrics))
  for (const mount of mounts) mount(app)
  app.use(nothingThere)
  app.use(lastResort(log))
  return app
}

function measure(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const begun = performance.now()
    response.once('finish', () => {
      // The pattern, not the path: ids must not become labels.
      const pattern: unknown = request.route?.path
      const route = typeof pattern === 'string' ? request.baseUrl + pattern : 'other'
      metrics.http(request.method, route, response.statusCode, (performance.now() - begun) / 1000)
    })
    next()
  }
}

const nothingThere: RequestHandler = (_request, response) => {
  response.status(404).type('application/problem+json').send({ type: 'about:blank', title: 'Not found', status: 404 })
}

function lastResort(log: Log): ErrorRequestHandler {
  return (err: unknown, request, response, next) => {
    if (response.headersSent) return next(err)
    // Express's own refusals (a path it cannot decode, a body too large) carry their status.
    const given = err instanceof Error && 'status' in err ? Number(err.status) : 500
    const status = given >= 400 && given < 500 ? given : 500
    if (status === 500) log.error({ err, method: request.method, path: request.path }, 'a request failed')
    const title = status === 500 ? 'Something went wrong here; the log says what' : 'This request cannot be read'
    response.status(status).type('application/problem+json').send({ type: 'about:blank', title, status })
  }
}
