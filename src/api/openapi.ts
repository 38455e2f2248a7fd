/** The OpenAPI document of the whole API, for docs/openapi.json. */
import { describeApi } from './describe-api.ts'
import { routes } from './routes.ts'

export function openApiDocument(): Record<string, unknown> {
  return describeApi(routes)
}
