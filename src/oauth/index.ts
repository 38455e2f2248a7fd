/**
 * In: an administrator's browser, sent by a link that the API gave out, and back from the vendor. Out: an installation, kept
 * with its connection. Never here: what a vendor's tokens are good for; a redirect to anywhere but the vendor's own page.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type RequestHandler, type Response, Router } from 'express'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Installation } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Hub } from '#hub/hub.ts'
import { acceptedLanguage } from '#hub/surveys/messages/index.ts'
import type { Outcome } from './messages.ts'
import { outcomePage, pageStyle } from './page.ts'
import { use } from './store.ts'
import { readCookie, readTicket, type Ticket, ticketText } from './ticket.ts'

type OauthHub = Pick<Hub, 'db' | 'env' | 'log' | 'now' | 'secrets' | 'connections'>

const linkMs = 24 * 3_600_000
const stateMs = 10 * 60_000
const vendorWithinMs = 20_000
const cookieName = 'deskweave_oauth'
/** 32 random bytes in base64url: also what PKCE asks of a verifier. */
const cookieForm = /^[A-Za-z0-9_-]{43}$/
const styleHash = `'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'`

const headers = {
  'content-security-policy': `default-src 'none'; style-src ${styleHash}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
  'cache-control': 'no-store',
}

/** A connection cannot be installed by a link; the message says what to do. */
export class NoInstallLink extends Error {
  override readonly name = 'NoInstallLink'
}

export interface InstallLink {
  readonly url: string
  readonly expiresAt: Date
}

/**
 * The link that lets an administrator of the vendor's place install the app: good for one installation within a day.
 * @throws NoInstallLink
 */
export async function installLink(
  hub: Pick<Hub, 'env' | 'now' | 'secrets' | 'connections'>,
  connectionId: string,
  actor: string,
): Promise<InstallLink | undefined> {
  const connection = await hub.connections.byId(connectionId)
  if (!connection) return undefined
  const { install } = connection.connector.can
  const { id, name } = connection.connector.manifest
  if (!install) throw new NoInstallLink(`${name} is not installed by a link; its settings hold all it needs`)
  const missing = install.missing(connection.config)
  if (missing) throw new NoInstallLink(`${name}: ${missing}`)
  const expiresAt = new Date(hub.now().getTime() + linkMs)
  const ticket: Ticket = { connection: connectionId, once: randomUUID(), until: expiresAt.getTime(), actor }
  const url = new URL(`${hub.env.baseUrl}/oauth/${id}/start`)
  url.searchParams.set('ticket', ticketText(hub.secrets, 'oauth link', ticket))
  return { url: url.href, expiresAt }
}

export function oauthRouter(hub: OauthHub): Router {
  const router = Router({ strict: true, caseSensitive: true })
  const redirectUri = (connector: string) => `${hub.env.baseUrl}/oauth/${connector}/callback`
  const answer = (response: Response, outcome: Outcome, name = '') => {
    const language = acceptedLanguage(response.req.get('accept-language')) ?? 'en'
    response
      .status(outcome.status)
      .type('html')
      .send(outcomePage(language, outcome.kind, name))
  }

  /** What was signed here, for this connector, and is still good. */
  async function connectionOf(ticket: Ticket | undefined, connector: unknown): Promise<LoadedConnection | undefined> {
    const connection = ticket && (await hub.connections.byId(ticket.connection))
    if (!connection?.connector.can.install) return undefined
    return connection.connector.manifest.id === connector ? connection : undefined
  }

  const start: RequestHandler = async (request, response) => {
    const link = readTicket(hub.secrets, 'oauth link', request.query['ticket'], hub.now())
    const connection = await connectionOf(link, request.params['connector'])
    const install = connection?.connector.can.install
    if (!link || !connection || !install) return answer(response, { kind: 'badLink', status: 400 })
    if (install.missing(connection.config)) return answer(response, { kind: 'badLink', status: 400 })
    const known = readCookie(request.get('cookie'), cookieName)
    const secret = known !== undefined && cookieForm.test(known) ? known : randomBytes(32).toString('base64url')
    const state: Ticket = { ...link, until: hub.now().getTime() + stateMs, browser: digest(secret) }
    const { id } = connection.connector.manifest
    const url = install.authorizeUrl(
      { config: connection.config, now: hub.now },
      {
        redirectUri: redirectUri(id),
        state: ticketText(hub.secrets, 'oauth state', state),
        codeChallenge: createHash('sha256').update(verifierOf(secret, state)).digest('base64url'),
      },
    )
    response.cookie(cookieName, secret, {
      httpOnly: true,
      sameSite: 'lax',
      secure: hub.env.baseUrl.startsWith('https:'),
      path: '/oauth',
      maxAge: stateMs,
    })
    response.redirect(302, url)
  }

  const callback: RequestHandler = async (request, response) => {
    const { state: text, code, error } = request.query
    const state = readTicket(hub.secrets, 'oauth state', text, hub.now())
    const connection = await connectionOf(state, request.params['connector'])
    const secret = readCookie(request.get('cookie'), cookieName) ?? ''
    if (!state || !connection) return answer(response, { kind: 'badState', status: 400 })
    // Begun in another browser: whoever sent this link wants their own workspace in here, or ours in theirs.
    if (!cookieForm.test(secret) || state.browser !== digest(secret)) {
      return answer(response, { kind: 'badState', status: 403 })
    }
    const { name } = connection.connector.manifest
    if (typeof error === 'string') return answer(response, { kind: 'declined', status: 200 }, name)
    if (typeof code !== 'string' || code === '' || code.length > 2_000) {
      return answer(response, { kind: 'badState', status: 400 })
    }
    if (!(await use(hub.db, state.once))) return answer(response, { kind: 'used', status: 410 })
    try {
      const installation = await complete(connection, state, secret, code)
      await hub.connections.putInstallation(connection.id, installation, state.actor)
      response.clearCookie(cookieName, { path: '/oauth' })
      answer(response, { kind: 'done', status: 200 }, installation.name)
    } catch (failure) {
      if (!(failure instanceof ConnectorError)) throw failure
      hub.log.warn({ err: failure, connection_id: connection.id }, 'an installation was not completed')
      answer(response, { kind: 'refused', status: 502 }, name)
    }
  }

  async function complete(
    connection: LoadedConnection,
    state: Ticket,
    secret: string,
    code: string,
  ): Promise<Installation> {
    const { install } = connection.connector.can
    if (!install) throw new ConnectorError('rejected', 'the connector takes no installations')
    const ctx = hub.connections.contextFor(connection, AbortSignal.timeout(vendorWithinMs), { priority: 'person' })
    const uri = redirectUri(connection.connector.manifest.id)
    return await install.complete(ctx, { code, redirectUri: uri, codeVerifier: verifierOf(secret, state) })
  }

  /** Known to this hub and to the browser together. */
  function verifierOf(secret: string, { once }: Ticket): string {
    return hub.secrets.sign('oauth verifier', `${once}.${secret}`).toString('base64url')
  }

  for (const [path, handler] of [
    ['/oauth/:connector/start', start],
    ['/oauth/:connector/callback', callback],
  ] as const) {
    const route = router.route(path)
    route.all((_request, response, next) => {
      response.set(headers)
      next()
    })
    route.get(handler)
    route.all((_request, response) => void response.set('allow', 'GET, HEAD').status(405).end())
  }
  return router
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
