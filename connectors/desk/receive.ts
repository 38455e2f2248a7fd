/** Webhooks of the desk: proof, splitting into events, reading one event. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { InboundContext, InboundItem, InboundRequest, Verdict } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { sameSecret, signedKey, standardWebhookParts, verifyHmac, verifyStandardWebhook } from '#hub/connector/hmac.ts'
import { type DeskConfig, profileOf } from './config.ts'
import { parseExactJson, readUtf8 } from './exact-json.ts'
import { applyMapping } from './mapper.ts'
import { toObservation } from './mapping.ts'
import { wireEvent } from './wire.ts'

const maxEvents = 100

export function verify(request: InboundRequest, secret: string, { config, now }: InboundContext<DeskConfig>): Verdict {
  const { auth } = config
  switch (auth.mode) {
    case 'standard_webhooks':
      return verifyStandardWebhook(request, secret, now(), { acceptSvix: auth.accept_svix_headers })
    case 'hmac':
      return verifyHmac(request, secret, profileOf(auth), now())
    case 'bearer':
      return matches(request.headers[auth.header], `${auth.prefix}${secret}`, secret)
    case 'basic': {
      const credentials = Buffer.from(`${auth.username}:${secret}`).toString('base64')
      return matches(request.headers['authorization'], `Basic ${credentials}`, secret)
    }
  }
}

function matches(given: string | undefined, expected: string, secret: string): Verdict {
  if (!given) return { ok: false, reason: 'missing_header' }
  return secret !== '' && sameSecret(given, expected) ? { ok: true } : { ok: false, reason: 'bad_signature' }
}

/**
 * One item for each event of an array. Nothing is checked here but JSON and number, so that one bad event spoils only
 * itself. With a mapping the body stays whole: only the mapping knows what its events are.
 */
export function items(request: InboundRequest, { config }: InboundContext<DeskConfig>): readonly InboundItem[] {
  const text = readUtf8(request.body)
  const parsed = parseExactJson(text)
  const key = requestKey(request, config)
  if (config.mapping !== undefined) return [{ key: `${key}#0`, body: text }]
  if (!Array.isArray(parsed)) return [{ key: eventId(parsed) ?? `${key}#0`, body: text }]
  const events: readonly unknown[] = parsed
  if (events.length > maxEvents) {
    throw new UnreadableInput(`desk webhook: ${events.length} events in one request; send at most ${maxEvents}`)
  }
  return events.map((event, index) => ({ key: eventId(event) ?? `${key}#${index}`, body: writeJson(event) }))
}

function writeJson(event: unknown): string {
  try {
    return JSON.stringify(event)
  } catch (cause) {
    throw new UnreadableInput('desk webhook: an event is nested too deeply', { cause })
  }
}

/** The event's own id is in the signed body; it also recognises an event that the desk sends again in another request. */
function eventId(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null || !Object.hasOwn(event, 'id')) return undefined
  const id: unknown = Reflect.get(event, 'id')
  if (typeof id !== 'string' && typeof id !== 'number') return undefined
  return id === '' ? undefined : `event:${shortened(String(id))}`
}

function requestKey(request: InboundRequest, { auth }: DeskConfig): string {
  if (auth.mode === 'standard_webhooks') {
    const id = standardWebhookParts(request.headers, auth.accept_svix_headers)?.id
    if (id !== undefined) return shortened(id)
  }
  if (auth.mode === 'hmac') return shortened(signedKey(request, profileOf(auth)))
  // Whoever knows the token may write the body as well as the header, so the id is as good as anything else in the request.
  const id = 'id_header' in auth && auth.id_header !== undefined ? request.headers[auth.id_header] : undefined
  return id ? shortened(id) : createHash('sha256').update(request.body).digest('hex')
}

function shortened(id: string): string {
  return id.length <= 200 ? id : createHash('sha256').update(id).digest('hex')
}

const known: ReadonlySet<string> = new Set(wireEvent.options.map((option) => option.shape.type.value))
const anyEvent = z.object({ type: z.string().min(1) })

/** A type that the hub does not know is of no interest. */
export async function normalise(
  item: InboundItem,
  { config, now }: InboundContext<DeskConfig>,
): Promise<readonly Observation[]> {
  if (config.mapping === undefined) return readEvent(parseExactJson(item.body), 'the event')
  const task = { expression: config.mapping, input: item.body, now: now().toISOString() }
  const mapped = parseExactJson(await applyMapping(task))
  const events: readonly unknown[] = Array.isArray(mapped) ? mapped : [mapped]
  if (events.length > maxEvents) {
    throw new UnreadableInput(`desk webhook: the mapping gave ${events.length} events; the most is ${maxEvents}`)
  }
  return events.flatMap((event, index) => readEvent(event, `event ${index} of the mapping`))
}

function readEvent(event: unknown, place: string): readonly Observation[] {
  const { type } = parse(anyEvent, event, place)
  return known.has(type) ? [toObservation(parse(wireEvent, event, place))] : []
}

function parse<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`)
  throw new UnreadableInput(`desk webhook: ${place} is not in the event format: ${problems.join('; ')}`)
}
