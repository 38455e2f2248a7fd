/** Webhooks in: whose are they, what is in them. Pure. https://developer.zendesk.com/documentation/webhooks/verifying/ */
import type { InboundContext, InboundItem, InboundRequest, Verdict } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import { parseExact } from '#hub/connector/exact-json.ts'
import type { Author, Observation } from '#hub/connector/facts.ts'
import { type HmacProfile, sameText, signedKey, verifyHmac } from '#hub/connector/hmac.ts'
import { publicTestSecret, type ZendeskConfig } from './config.ts'
import { utc } from './mapping.ts'
import { WireEvent, WireEventComment, WireEventFile, WireTrigger } from './wire.ts'

type Inbound = InboundContext<ZendeskConfig>

/**
 * Timestamp and body are signed without anything between them, so the grammar of the timestamp is what keeps their border.
 * 300 s both ways: Zendesk names no tolerance, and whether a retry is signed anew is not documented. A retry that comes
 * later with its old stamp is refused, and reconciliation reads what it told.
 */
export const signature: HmacProfile = {
  header: 'x-zendesk-webhook-signature',
  algorithm: 'sha256',
  encoding: 'base64',
  template: '{ts}{body}',
  timestamp: { header: 'x-zendesk-webhook-signature-timestamp', format: 'rfc3339', toleranceSeconds: 300 },
}

const refused: Verdict = { ok: false, reason: 'bad_signature' }

export function verify(request: InboundRequest, secret: string, ctx: Inbound): Verdict {
  if (sameText(secret, publicTestSecret)) return refused
  const verdict = verifyHmac(request, secret, signature, ctx.now())
  if (!verdict.ok) return verdict
  return isFromAccount(request, ctx.config.account_id) ? verdict : refused
}

/** An event names its account in the signed body, which counts more than the header; the smallest bodies name none. */
function isFromAccount(request: InboundRequest, accountId: string | undefined): boolean {
  if (accountId === undefined) return true
  const told = readEvent(request.body)?.account_id ?? request.headers['x-zendesk-account-id']
  return told === undefined || told === accountId
}

function readEvent(body: Buffer): WireEvent | undefined {
  try {
    return WireEvent.safeParse(parseExact(body.toString())).data
  } catch {
    return undefined
  }
}

/**
 * One thing per request. Its key is the event's own id, which is signed and the same in every retry. A trigger's body has no
 * id: there it is a digest of the signed bytes. The invocation id would do for retries, but it is not signed: whoever
 * replays a request can replace it.
 */
export function items(request: InboundRequest): readonly InboundItem[] {
  const body = textOf(request.body)
  const event = WireEvent.safeParse(jsonOf(body))
  return [{ key: event.data?.id ?? signedKey(request, signature), body }]
}

export function normalise(item: InboundItem, ctx: Inbound): readonly Observation[] {
  const json = jsonOf(item.body)
  const trigger = WireTrigger.safeParse(json)
  if (trigger.success) return [ofTrigger(trigger.data, ctx)]
  const event = WireEvent.safeParse(json)
  if (event.success) return ofEvent(event.data, ctx)
  throw new UnreadableInput(
    'zendesk webhook: expected an event (type "zen:event-type:…" and detail.id) or the trigger template ' +
      'with a ticket_id of digits; see the JSON body in connectors/zendesk/README.md',
  )
}

function ofTrigger(trigger: WireTrigger, ctx: Inbound): Observation {
  return {
    type: 'pointer',
    entity: 'case',
    id: trigger.ticket_id,
    occurredAt: utc(trigger.updated_at) ?? ctx.now().toISOString(),
    byHub: isHub(trigger.current_user_id, ctx),
  }
}

/** Events come in any order and say little: they tell what to read. Only a comment and a deletion are facts by themselves. */
function ofEvent(event: WireEvent, ctx: Inbound): readonly Observation[] {
  const occurredAt = utc(event.time) ?? utc(event.detail.updated_at) ?? ctx.now().toISOString()
  const told = { occurredAt, byHub: isHub(event.detail.actor_id, ctx) }
  const id = event.detail.id
  const [entity, change] = event.type.slice('zen:event-type:'.length).split('.', 2)
  if (entity === 'user') return [{ ...told, type: 'pointer', entity: 'person', id }]
  if (entity !== 'ticket') return []
  const pointer = { ...told, type: 'pointer', entity: 'case', id } as const
  const updatedAt = utc(event.detail.updated_at) ?? occurredAt
  if (change === 'soft_deleted' || change === 'permanently_deleted') {
    return [{ ...told, type: 'case', case: { id, deleted: true, updatedAt } }]
  }
  // That it is back is told here only: the ticket itself does not say when.
  if (change === 'undeleted') return [pointer, { ...told, type: 'case', case: { id, deleted: false, updatedAt } }]
  return [pointer, ...commentOf(event, told), ...fileOf(event, told)]
}

function commentOf(event: WireEvent, told: { occurredAt: string; byHub: boolean }): readonly Observation[] {
  const parsed = WireEventComment.safeParse(event.event)
  if (!parsed.success) return []
  const { comment } = parsed.data
  const message = {
    id: comment.id,
    visibility: comment.is_public ? ('public' as const) : ('internal' as const),
    author: authorOf(comment.author),
    text: comment.body,
    sentAt: told.occurredAt,
  }
  return [{ ...told, type: 'message', caseId: event.detail.id, message }]
}

/** Files are told apart from their comment, each by itself. */
function fileOf(event: WireEvent, told: { occurredAt: string; byHub: boolean }): readonly Observation[] {
  const { data } = WireEventFile.safeParse(event.event)
  if (!data) return []
  const { id: messageId, attachment } = data.comment
  const { id, filename: name, content_type: contentType, content_url: url } = attachment
  const file = { id, name, ...(contentType ? { contentType } : {}), ...(url ? { url } : {}) }
  return [{ ...told, type: 'file', caseId: event.detail.id, messageId, file }]
}

function authorOf(author: WireEventComment['comment']['author']): Author {
  if (!author || typeof author.is_staff !== 'boolean') {
    return { kind: 'system', ...(author?.id ? { id: author.id } : {}) }
  }
  return {
    kind: author.is_staff ? 'agent' : 'customer',
    ...(author.id ? { id: author.id } : {}),
    ...(author.name ? { name: author.name } : {}),
  }
}

function isHub(actorId: string | null | undefined, ctx: Inbound): boolean {
  return ctx.config.hub_agent_id !== undefined && actorId === ctx.config.hub_agent_id
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOf(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch (cause) {
    throw new UnreadableInput('zendesk webhook: the body is not UTF-8', { cause })
  }
}

function jsonOf(body: string): unknown {
  try {
    return parseExact(body)
  } catch (cause) {
    throw new UnreadableInput(
      'zendesk webhook: the body is not JSON; in a trigger, a quote in a placeholder breaks it, so use the template of ' +
        'connectors/zendesk/README.md',
      { cause },
    )
  }
}
