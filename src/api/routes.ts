/** Every route of the API. A route that is not here does not exist; one that is not public needs a token. */
import { z } from 'zod'
import { describeApi } from './describe-api.ts'
import { agentRoutes } from './resources/agents.ts'
import { approvalRoutes } from './resources/approvals.ts'
import { auditRoutes } from './resources/audit.ts'
import { caseRoutes } from './resources/cases.ts'
import { companyRoutes } from './resources/companies.ts'
import { connectionRoutes } from './resources/connections.ts'
import { deliveryRoutes } from './resources/deliveries.ts'
import { eventRoutes } from './resources/events.ts'
import { inboxRoutes } from './resources/inbox.ts'
import { insightRoutes } from './resources/insights.ts'
import { macroRoutes } from './resources/macros.ts'
import { suggestionRoutes } from './resources/merge-suggestions.ts'
import { profileRoutes } from './resources/profiles.ts'
import { ruleRoutes } from './resources/rules.ts'
import { seatClaimRoutes } from './resources/seat-claims.ts'
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
  ...agentRoutes,
  ...seatClaimRoutes,
  ...ruleRoutes,
  ...macroRoutes,
  ...approvalRoutes,
  ...surveyRoutes,
  ...deliveryRoutes,
  ...inboxRoutes,
  ...suppressionRoutes,
  ...eventRoutes,
  ...insightRoutes,
  ...auditRoutes,
  ...settingRoutes,
]
