/** Webhooks of Acme Desk. */

import { z } from 'zod'
import type { InboundContext, InboundItem, InboundRequest, Verdict } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { type HmacProfile, signedKey, verifyHmac } from '#hub/connector/hmac.ts'
import { toObservation } from './mapping.ts'
import { wireEvent } from './wire.ts'

// https://developers.acme-desk.example/webhooks/signatures, read <date>
export const profile: HmacProfile = {
  header: 'x-acme-desk-signature',
  algorithm: 'sha256',
  encoding: 'hex',
  template: '{ts}.{body}',
  timestamp: { header: 'x-acme-desk-timestamp', format: 'unix_seconds' },
}

export function verify(request: InboundRequest, secret: string, { now }: InboundContext<unknown>): Verdict {
  return verifyHmac(request, secret, profile, now())
}

/** One event in each request; its id is signed with the body. */
export function items(request: InboundRequest): readonly InboundItem[] {
  const body = request.body.toString('utf8')
  const { event_id } = read(z.object({ event_id: wireEvent.options[0].shape.event_id }).catch({ event_id: '' }), body)
  return [{ key: event_id || signedKey(request, profile), body }]
}

const anyEvent = z.object({ event: z.string() })
const known: ReadonlySet<string> = new Set(wireEvent.options.map((option) => option.shape.event.value))

/** An event that we do not know is of no interest; one that we know and cannot read is unreadable. */
export function normalise(item: InboundItem): readonly Observation[] {
  const { event } = read(anyEvent, item.body)
  return known.has(event) ? [toObservation(read(wireEvent, item.body))] : []
}

function read<T>(schema: z.ZodType<T>, body: string): T {
  try {
    return schema.parse(JSON.parse(body))
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)
    throw new UnreadableInput(`Acme Desk webhook: expected an event as in wire.ts: ${why}`, { cause })
  }
}
