/** Who may call the sandbox, and what with: a token that lasts, or an OAuth client whose tokens end. */
import { z } from 'zod'
import type { SandboxAnswer, SandboxRequest, SandboxRoute } from '#hub/connector/sandbox.ts'
import { signedPath } from './sandbox-files.ts'
import { bodyOf, json } from './sandbox-route.ts'

export interface OAuthOptions {
  readonly now: () => Date
  /** Of the token that lasts, and the most that the client may ask for; `read write` when absent. */
  readonly scopes?: readonly string[]
  /** How long the client's tokens live; 1800 when absent. `null`: they do not end, as those of old clients. */
  readonly tokenSeconds?: number | null
}

const tokenPath = '/oauth/tokens'
export const lastingToken = 'sandbox-zendesk-access-token'
export const oauthClient = { client_id: 'deskweave_sandbox', client_secret: 'sandbox-zendesk-client-secret' }

const Asked = z.object({
  grant_type: z.string(),
  client_id: z.string(),
  client_secret: z.string(),
  scope: z.string(),
})

export function createOAuth({ now, scopes = ['read', 'write'], tokenSeconds = 1800 }: OAuthOptions) {
  const issued = new Map<string, { readonly scopes: readonly string[]; readonly until: number }>()
  let count = 0

  /** https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/ */
  function issue(request: SandboxRequest): SandboxAnswer {
    const asked = Asked.safeParse(bodyOf(request))
    if (!asked.success) return refused(400, 'invalid_request', 'The request is missing a required parameter')
    const { grant_type, client_id, client_secret, scope } = asked.data
    if (grant_type !== 'client_credentials') return refused(400, 'unsupported_grant_type', grant_type)
    if (client_id !== oauthClient.client_id || client_secret !== oauthClient.client_secret) {
      return refused(401, 'invalid_client', 'Client authentication failed')
    }
    const wanted = scope.split(' ')
    if (!wanted.every((one) => scopes.includes(one))) {
      return refused(400, 'invalid_scope', 'The requested scope is invalid, unknown, or malformed')
    }
    count += 1
    const token = `sandbox-zendesk-token-${count}`
    const lifeMs = tokenSeconds === null ? Number.POSITIVE_INFINITY : tokenSeconds * 1000
    issued.set(token, { scopes: wanted, until: now().getTime() + lifeMs })
    return json({ access_token: token, token_type: 'bearer', scope, expires_in: tokenSeconds })
  }

  function scopesOf(authorization: string): readonly string[] | undefined {
    if (authorization === `Bearer ${lastingToken}`) return scopes
    const token = issued.get(authorization.replace(/^Bearer /, ''))
    return token && now().getTime() < token.until ? token.scopes : undefined
  }

  const routes: readonly SandboxRoute[] = [{ method: 'POST', path: tokenPath, answer: issue }]
  return {
    routes,
    authorise(request: SandboxRequest): SandboxAnswer | undefined {
      const { method, path, headers } = request
      const given = headers['authorization']
      if (path === tokenPath || path.startsWith(signedPath)) return undefined
      if (given === undefined) {
        const isAnonymousProbe = path.startsWith('/api/v2/users/me')
        return isAnonymousProbe ? undefined : json({ error: "Couldn't authenticate you" }, 401)
      }
      const has = scopesOf(given)
      if (!has) {
        const why = 'The access token provided is expired, revoked, malformed or invalid for other reasons.'
        return refused(401, 'invalid_token', why)
      }
      const enough = scopesFor(method, path)
      if (enough.length === 0 || enough.some((one) => has.includes(one))) return undefined
      const description = `You are missing the following required scopes: ${enough.join(', ')}`
      return json({ error: 'Forbidden', description }, 403)
    },
    /** All tokens of the client end, as when an admin deletes them. */
    revokeTokens: () => issued.clear(),
  }
}

/** Each of them is enough; none for what is no call of the API. */
function scopesFor(method: string, path: string): readonly string[] {
  const [, resource] = /^\/api\/v2\/(?:incremental\/)?([a-z_]+)/.exec(path) ?? []
  const access = method === 'GET' ? 'read' : 'write'
  return resource === undefined ? [] : [`${resource}:${access}`, access]
}

function refused(status: number, error: string, description: string): SandboxAnswer {
  return json({ error, error_description: description }, status)
}
