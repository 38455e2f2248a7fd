/**
 * Microsoft's clouds: who signs what a bot gets, where its token comes from, where its calls go. Nothing in a request
 * chooses an address: these are all there are.
 * https://learn.microsoft.com/azure/bot-service/how-to-deploy-gov-cloud-high (read 2026-11)
 */
const world = {
  issuer: 'https://api.botframework.com',
  metadata: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
  authority: 'https://login.microsoftonline.com',
  scope: 'https://api.botframework.com/.default',
} as const
const usGovernment = {
  issuer: 'https://api.botframework.us',
  metadata: 'https://login.botframework.azure.us/v1/.well-known/openidconfiguration',
  authority: 'https://login.microsoftonline.us',
  scope: 'https://api.botframework.us/.default',
} as const

/**
 * `service` is the address of the whole cloud, for conversations that were never heard of; Teams then names its own. `app` is
 * where people's links lead. Microsoft Graph: https://learn.microsoft.com/graph/deployments (read 2026-11)
 */
export const clouds = {
  public: {
    ...world,
    service: 'https://smba.trafficmanager.net/teams',
    graph: 'https://graph.microsoft.com',
    app: 'https://teams.microsoft.com',
  },
  gcc: {
    ...world,
    service: 'https://smba.infra.gcc.teams.microsoft.com/teams',
    graph: 'https://graph.microsoft.com',
    app: 'https://teams.microsoft.com',
  },
  gcc_high: {
    ...usGovernment,
    service: 'https://smba.infra.gov.teams.microsoft.us/teams',
    graph: 'https://graph.microsoft.us',
    app: 'https://gov.teams.microsoft.us',
  },
  dod: {
    ...usGovernment,
    service: 'https://smba.infra.dod.teams.microsoft.us/teams',
    graph: 'https://dod-graph.microsoft.us',
    app: 'https://dod.teams.microsoft.us',
  },
} as const
export type Cloud = keyof typeof clouds
export const cloudNames = ['public', 'gcc', 'gcc_high', 'dod'] as const satisfies readonly Cloud[]
