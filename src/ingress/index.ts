/**
 * In: a vendor's webhook, `POST /hooks/{connectionId}` or the path that all of a vendor's webhooks share. Out: inbox rows on
 * disk, then the answer of the contract in docs/webhooks.md; for somebody in a chat tool who waits, what they asked for.
 * Never here: what the webhook means for a case; a 500 to a vendor.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ChatDesk } from '#hub/chat/index.ts'
import { inboundContext, type LoadedConnection } from '#hub/connections/index.ts'
import type { Http, InboundRequest, Reply } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Hub } from '#hub/hub.ts'
import type { Inbox, InboxItem, Stored } from '#hub/inbox/index.ts'
import { within } from '#hub/platform/timing.ts'
import { BodyCut, BodyTooLarge, readBody } from './body.ts'
import { type ReadItem, readItems } from './read-items.ts'

const hookPath = /^\/hooks\/([A-Za-z0-9_-]{1,64})$/
/** Vendors give up after 5 to 15 s: an answer that says "again in 30 s" must come before that. */
const storeWithinMs = 8_000

/** How long an answer in a response may take: of what chat tools wait for, the shortest is 3 s. */
const answerWithinMs = 2_000

export interface Hooks {
  /** Whether a path outside `/hooks/` takes webhooks. */
  isShared(path: string): boolean
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** What came down a connection's own line. @throws Error when it could not be stored */
  take(connection: LoadedConnection, body: string): Promise<Reply>
}

export function createIngress(
  hub: Pick<Hub, 'env' | 'log' | 'now' | 'connections' | 'metrics'>,
  inbox: Inbox,
  desk: ChatDesk,
): Hooks {
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now()
    const url = request.url ?? ''
    const path = url.split('?', 1)[0] ?? ''
    let connectionId = hookPath.exec(path)?.[1]
    let status: string
    try {
      const found = connectionId === undefined ? sharing(path) : await named(connectionId)
      const received = await receive(request, response, url, found)
      status = received.status
      connectionId = received.connectionId ?? connectionId
    } catch (error) {
      if (error instanceof BodyCut) {
        request.destroy()
        return
      }
      hub.log.error({ err: error, connection_id: connectionId }, 'webhook could not be stored')
      status = answer(response, 503, { status: 'unavailable' }, { 'retry-after': '30' })
    }
    hub.metrics.webhook(connectionId ? known(connectionId) : 'unknown', status, (performance.now() - started) / 1000)
  }

  function sharing(path: string): readonly LoadedConnection[] {
    return hub.connections.all().filter(({ connector }) => connector.manifest.path === path)
  }

  async function named(connectionId: string): Promise<readonly LoadedConnection[]> {
    const connection = await hub.connections.byId(connectionId)
    return connection ? [connection] : []
  }

  /** Unknown ids must not make new metric labels. */
  function known(connectionId: string) {
    return hub.connections.isKnown(connectionId) ? connectionId : 'unknown'
  }

  async function receive(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    candidates: readonly LoadedConnection[],
  ): Promise<{ readonly status: string; readonly connectionId?: string }> {
    const receiving = candidates.filter(({ connector }) => connector.can.receive)
    if (receiving.length === 0) return { status: notFound(response) }
    if (request.method !== 'POST')
      return { status: answer(response, 405, { status: 'method_not_allowed' }, { allow: 'POST' }) }
    const takesForms = receiving.some(({ connector }) => connector.can.receive?.takesForms)
    if (!isPlain(request, takesForms)) return { status: answer(response, 415, { status: 'unsupported_media_type' }) }
    let body: Buffer
    try {
      body = await readBody(request)
    } catch (error) {
      if (!(error instanceof BodyTooLarge)) throw error
      response.once('finish', () => request.destroy())
      return { status: answer(response, 413, { status: 'too_large' }, { connection: 'close' }) }
    }
    const inbound: InboundRequest = {
      method: 'POST',
      url: hub.env.baseUrl + url,
      headers: singleHeaders(request),
      body,
      ...(isLocal(request) ? { isLocal: true } : {}),
    }
    for (const connection of receiving) {
      const handshake = connection.connector.can.receive?.handshake?.(inbound, contextOf(connection))
      if (!handshake) continue
      send(response, handshake)
      return { status: 'handshake', connectionId: connection.id }
    }
    const authentic = await authenticOf(inbound, receiving)
    const [first] = authentic
    if (!first) {
      for (const { id } of receiving) hub.connections.noteRefused(id)
      return { status: answer(response, 401, { status: 'unauthorized' }) }
    }
    const greeting = first.connector.can.receive?.signedHandshake?.(inbound, contextOf(first))
    if (greeting) {
      send(response, greeting)
      return { status: 'handshake', connectionId: first.id }
    }
    // Several connections of one app share its secret: the request is for the one that knows its place.
    for (const connection of authentic) {
      const items = await itemsOf(inbound, connection)
      if (items.length > 0 || connection === authentic.at(-1)) {
        return { status: await store(items, connection, response), connectionId: connection.id }
      }
    }
    return { status: notFound(response) }
  }

  async function itemsOf(inbound: InboundRequest, connection: LoadedConnection): Promise<readonly ReadItem[]> {
    const { receive: can } = connection.connector.can
    return can ? await readItems(can, inbound, connection.id, contextOf(connection)) : []
  }

  async function store(items: readonly ReadItem[], connection: LoadedConnection, response: ServerResponse) {
    const { chat, install } = connection.connector.can
    // Vendors switch an app off that refuses what is for places nobody has claimed.
    if (install && items.length === 0) return answer(response, 200, { status: 'unclaimed' })
    const { rows, stored } = await keep(items, connection)
    const told = summary(rows, stored)
    const [item] = items
    if (!chat || !item) return answer(response, 202, told)
    await desk.respond(connection, item, stored[0]?.isNew === true, answerWithinMs, (reply) => send(response, reply))
    return told.status
  }

  async function keep(items: readonly ReadItem[], connection: LoadedConnection) {
    await forgetPlaces(items, connection)
    const rows = items.map((item) => item.stored)
    const stored = await within(
      storeWithinMs,
      inbox.put(rows),
      `the database did not answer within ${storeWithinMs} ms`,
    )
    hub.connections.noteInbound(connection.id)
    return { rows, stored }
  }

  async function take(connection: LoadedConnection, body: string): Promise<Reply> {
    const url = `${hub.env.baseUrl}/hooks/${connection.id}`
    const items = await itemsOf({ method: 'POST', url, headers: {}, body: Buffer.from(body) }, connection)
    const nothing: Reply = { status: 200, headers: {}, body: '' }
    const [item] = items
    if (!item) return nothing
    const { stored } = await keep(items, connection)
    if (!connection.connector.can.chat) return nothing
    // The response leaves as soon as it is known; what is shown later takes its time.
    return await new Promise((resolve, reject) => {
      desk.respond(connection, item, stored[0]?.isNew === true, answerWithinMs, resolve).catch(reject)
    })
  }

  /** The tokens of a place that took the app away are good for nothing. */
  async function forgetPlaces(items: readonly ReadItem[], { id, connector }: LoadedConnection): Promise<void> {
    for (const { happening, occurredAt } of items) {
      if (!connector.can.install || happening?.what.kind !== 'uninstalled' || occurredAt === undefined) continue
      const { install } = happening.what
      await hub.connections.removeInstallation(id, install, connector.manifest.id, new Date(occurredAt))
    }
  }

  function contextOf(connection: LoadedConnection) {
    return inboundContext(connection, hub.now)
  }

  /** Those whose secret fits. @throws ConnectorError when that cannot be told now. */
  async function authenticOf(
    inbound: InboundRequest,
    connections: readonly LoadedConnection[],
  ): Promise<readonly LoadedConnection[]> {
    const found: LoadedConnection[] = []
    for (const connection of connections) if (await isAuthentic(inbound, connection)) found.push(connection)
    return found
  }

  /** Two secrets may be good while one replaces the other. Every one is tried, so that the time tells nothing. */
  async function isAuthentic(inbound: InboundRequest, connection: LoadedConnection): Promise<boolean> {
    const { receive: can } = connection.connector.can
    if (!can) return false
    let authentic = false
    const signal = AbortSignal.timeout(storeWithinMs)
    const http = lazyHttp(() => hub.connections.contextFor(connection, signal, { priority: 'person' }).http)
    for (const secret of connection.webhookSecrets(hub.now())) {
      try {
        if ((await can.verify(inbound, secret, contextOf(connection), http)).ok) authentic = true
      } catch (error) {
        if (error instanceof ConnectorError && error.code === 'unavailable') throw error
        hub.log.error({ err: error, connection_id: connection.id }, 'the connector failed while it verified a webhook')
      }
    }
    return authentic
  }

  return { isShared: (path) => sharing(path).length > 0, handle, take }
}

/** Most checks fetch nothing: the way out is made when one does. */
function lazyHttp(make: () => Http): Http {
  return {
    fetch: (...given) => make().fetch(...given),
    json: (...given) => make().json(...given),
  }
}

function isPlain(request: IncomingMessage, takesForms: boolean): boolean {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') return false
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (takesForms && type === 'application/x-www-form-urlencoded') return true
  return type === 'application/json' || /^application\/[a-z0-9.-]+\+json$/.test(type)
}

/** A proxy or a tunnel on this machine brings strangers, and says so in one of these headers. */
function isLocal({ socket, headers }: IncomingMessage): boolean {
  const isLoopback = /^(?:::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '')
  return isLoopback && !Object.keys(headers).some((name) => /^(?:x-forwarded-|forwarded$|x-real-ip$|via$)/.test(name))
}

/** Header values by name. Repeated headers, which Node joins or drops, are joined: a repeated signature fits no check. */
function singleHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  const raw = request.rawHeaders
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]?.toLowerCase() ?? ''
    const value = raw[index + 1] ?? ''
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  return headers
}

type ItemStatus = 'accepted' | 'duplicate' | 'ignored' | 'quarantined'
const statusOf = { pending: 'accepted', ignored: 'ignored', quarantined: 'quarantined' } as const
const mostTelling: readonly ItemStatus[] = ['accepted', 'quarantined', 'ignored', 'duplicate']

/** `id` and `status` of the request; a batch adds how many of its items went which way. */
function summary(items: readonly InboxItem[], stored: readonly Stored[]) {
  const statuses = items.map((item, index): ItemStatus => (stored[index]?.isNew ? statusOf[item.state] : 'duplicate'))
  const status = mostTelling.find((one) => statuses.includes(one)) ?? 'ignored'
  const id = String(stored[Math.max(0, statuses.indexOf(status))]?.seq ?? '')
  if (items.length === 1) return { id, status }
  const counts = Object.fromEntries(mostTelling.map((one) => [one, statuses.filter((other) => other === one).length]))
  return { id, status, items: counts }
}

function notFound(response: ServerResponse): string {
  return answer(response, 404, { status: 'not_found' })
}

function answer(
  response: ServerResponse,
  status: number,
  body: { readonly status: string },
  headers: Readonly<Record<string, string>> = {},
): string {
  send(response, { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  return body.status
}

/** Whole, not in chunks, which Node would choose for what it does not know the length of. */
function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}
