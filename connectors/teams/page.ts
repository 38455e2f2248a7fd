/** The personal tab: a page of the hub in a frame of Teams, whose reader Teams vouches for with a token. */
import type { ChatPageCan } from '#hub/connector/contract.ts'
import { directoryOf, type TeamsConfig, tenantsOf } from './config.ts'
import { whoIsInDirectory } from './conversations.ts'
import { readUserToken } from './jwt.ts'
import { getJson } from './receive.ts'
import { keysOf } from './signing-keys.ts'

export const page: ChatPageCan<TeamsConfig> = {
  // Of all clouds: the page itself shows nothing, and what it asks for needs a token of the right one.
  frames: [
    'https://teams.microsoft.com',
    'https://*.teams.microsoft.com',
    'https://*.cloud.microsoft',
    'https://teams.microsoft.us',
    'https://*.teams.microsoft.us',
  ],
  scripts: [
    new URL(import.meta.resolve('@microsoft/teams-js/dist/umd/MicrosoftTeams.min.js')),
    new URL('./page-script.js', import.meta.url),
  ],
  async subjectOf(ctx, token, hubUrl) {
    const { config } = ctx
    const expected = {
      audiences: [config.app_id, `api://${new URL(hubUrl).hostname}/${config.app_id}`],
      tenants: tenantsOf(config),
      issuersOf: (tenant: string) => directoryOf(config, tenant).issuers,
    }
    const now = ctx.now()
    const person = await readUserToken(
      token,
      expected,
      (id, tenant) => keysOf(directoryOf(config, tenant))(id, (url) => getJson(ctx.http, url, now), now),
      now,
    )
    return person && `${person.tenant}/${person.objectId}`
  },
  async whoIs(ctx, subject) {
    const [tenant = '', objectId = ''] = subject.split('/')
    return await whoIsInDirectory(ctx, tenant, objectId)
  },
}
