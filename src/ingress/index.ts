/**
 * In: a vendor's webhook, `POST /hooks/{connectionId}`. Out: inbox rows on disk, then the answer of the contract in
 * docs/webhooks.md. Never here: what the webhook means for a case; a 500 to a vendor.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { InboundRequest } from '#hub/connector/contract.ts'
import type { Hub } from '#hub/hub.ts'
import type { Inbox, InboxItem, Stored } from '#hub/inbox/index.ts'
import { BodyCut, BodyTooLarge, readBody } from './body.ts'
import { readItems } from './read-items.ts'

const hookPath = /^\/hooks\/([A-Za-z0-9_-]{1,64})$/
/** Vendors give up after 5 to 15 s: an answer that says "again in 30 s" must come before that. */
const storeWithinMs = 8_000

export type HookHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export function createIngress(
  hub: Pick<Hub, 'env' | 'log' | 'now' | 'connections' | 'metrics'>,
  inbox: Inbox,
): HookHandler {
  return async (request, response) => {
    const started = performance.now()
    const url = request.url ?? ''
    const connectionId = hookPath.exec(url.split('?', 1)[0] ?? '')?.[1]
    let status: string
    try {
      status = connectionId ? await receive(request, response, url, connectionId) : notFound(response)
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

  /** Unknown ids must not make new metric labels. */
  function known(connectionId: string) {
    return hub.connections.isKnown(connectionId) ? connectionId : 'unknown'
  }

  async function receive(request: IncomingMessage, response: ServerResponse, url: string, connectionId: string) {
    const connection = await hub.connections.byId(connectionId)
    const { receive: can } = connection?.connector.can ?? {}
    if (!connection || !can) return notFound(response)
    if (request.method !== 'POST') return answer(response, 405, { status: 'method_not_allowed' }, { allow: 'POST' })
    if (!isPlainJson(request)) return answer(response, 415, { status: 'unsupported_media_type' })
    let body: Buffer
    try {
      body = await readBody(request)
    } catch (error) {
      if (!(error instanceof BodyTooLarge)) throw error
      response.once('finish', () => request.destroy())
      return answer(response, 413, { status: 'too_large' }, { connection: 'close' })
    }
    const inbound: InboundRequest = {
      method: 'POST',
      url: hub.env.baseUrl + url,
      headers: singleHeaders(request),
      body,
    }
    const context = { config: connection.config, now: hub.now }
    const handshake = can.handshake?.(inbound, context)
    if (handshake) {
      response.writeHead(handshake.status, handshake.headers).end(handshake.body)
      return 'handshake'
    }
    if (!isAuthentic(inbound, connection)) {
      hub.connections.noteRefused(connectionId)
      return answer(response, 401, { status: 'unauthorized' })
    }
    const items = await readItems(can, inbound, connectionId, context)
    const stored = await within(storeWithinMs, inbox.put(items))
    hub.connections.noteInbound(connectionId)
    return answer(response, 202, summary(items, stored))
  }

  /** Two secrets may be good while one replaces the other. Every one is tried, so that the time tells nothing. */
  function isAuthentic(inbound: InboundRequest, connection: LoadedConnection): boolean {
    const { receive: can } = connection.connector.can
    if (!can) return false
    let authentic = false
    for (const secret of connection.webhookSecrets(hub.now())) {
      try {
        if (can.verify(inbound, secret, { config: connection.config, now: hub.now }).ok) authentic = true
      } catch (error) {
        hub.log.error({ err: error, connection_id: connection.id }, 'the connector failed while it verified a webhook')
      }
    }
    return authentic
  }
}

function isPlainJson(request: IncomingMessage): boolean {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') return false
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return type === 'application/json' || /^application\/[a-z0-9.-]+\+json$/.test(type)
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
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
  return body.status
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the database did not answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
