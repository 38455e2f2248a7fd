/**
 * In: requests of people and programs at `/api/v1`. Out: answers in the wire's words, and acts at the rooms' own doors.
 * Never here: what an act means; a secret in an answer, but for the one time a new one is shown.
 */
import type { Mount } from '#hub/platform/express-app.ts'
import type { ApiHub } from './hub.ts'
import { routes } from './routes.ts'
import { serve } from './serve.ts'

export { adminToken } from './admin-token.ts'
export type { ApiHub } from './hub.ts'

/** @param token see `adminToken`. */
export function mountApi(hub: ApiHub, token: string): Mount {
  const router = serve(hub, routes, token)
  return (app) => {
    app.use('/api', router)
  }
}
