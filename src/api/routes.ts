/** Every route of the API. A route that is not here does not exist; one that is not public needs a token. */
import { z } from 'zod'
import { describeApi } from './describe-api.ts'
import { auditRoutes } from './resources/audit.ts'
import { caseRoutes } from './resources/cases.ts'
import { companyRoutes } from './resources/companies.ts'
import { connectionRoutes } from './resources/connections.ts'
import { deliveryRoutes } from './resources/deliveries.ts'
import { eventRoutes } from './resources/events.ts'
import { inboxRoutes } from './resources/inbox.ts'
import { insightRoutes } from './resources/insights.ts'
import { suggestionRoutes } from './resources/merge-suggestions.ts'
import { profileRoutes } from './resources/profiles.ts'
import { ruleRoutes } from './resources/rules.ts'
import { settingRoutes } from './resources/settings.ts'
import { suppressionRoutes } from './resources/suppressions.ts'
import { surveyRoutes } from './resources/surveys.ts'
import { type Route, route } from './route.ts'

let described: Record<string, unknown> | undefined

const document = route({
  id: 'getOpenApi',
  method: 'GET',
  path: '/openapi.json',
  summary: 'This document',
  tag: 'about',
  isPublic: true,
  response: z.record(z.string(), z.unknown()),
  handler() {
    described ??= describeApi(routes)
    return described
  },
})

export const routes: readonly Route[] = [
  document,
  ...connectionRoutes,
  ...profileRoutes,
  ...suggestionRoutes,
  ...companyRoutes,
  ...caseRoutes,
  ...ruleRoutes,
  ...surveyRoutes,
  ...deliveryRoutes,
  ...inboxRoutes,
  ...suppressionRoutes,
  ...eventRoutes,
  ...insightRoutes,
  ...auditRoutes,
  ...settingRoutes,
]
