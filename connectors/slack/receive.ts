/**
 * Slack's requests: events, interactions and commands, all of them to one address and signed in the same way.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
import { isValidSlackRequest } from '@slack/bolt/dist/receivers/verify-request.js'
import { z } from 'zod'
import type { InboundContext, InboundItem, InboundRequest, Reply, Verdict } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { type HmacProfile, signedKey, verifyHmac } from '#hub/connector/hmac.ts'
import type { SlackConfig } from './config.ts'
import { happeningOf, installOf } from './happening.ts'
import { spokenIn } from './phrases.ts'
import { type Addressee, readEvent } from './read-event.ts'
import { interactionPayload, readInteraction } from './read-interaction.ts'
import type { Interaction } from './wire.ts'
import { WireEnvelope } from './wire-event.ts'

type Inbound = InboundContext<SlackConfig>

export const signature: HmacProfile = {
  header: 'x-slack-signature',
  algorithm: 'sha256',
  encoding: 'hex',
  prefix: 'v0=',
  template: 'v0:{ts}:{body}',
  timestamp: { header: 'x-slack-request-timestamp', format: 'unix_seconds', toleranceSeconds: 300 },
}

/**
 * Bolt's check and the hub's must both be content. Bolt's alone takes times from the future, times that are no numbers
 * (`NaN` is never too old), a signature with something behind it, and compares a text made of the bytes.
 */
export function verify(request: InboundRequest, secret: string, ctx: Inbound): Verdict {
  const strict = verifyHmac(request, secret, signature, ctx.now())
  if (!strict.ok) return strict
  const isValid = isValidSlackRequest({
    signingSecret: secret,
    body: request.body.toString('utf8'),
    headers: {
      'x-slack-signature': request.headers['x-slack-signature'] ?? '',
      'x-slack-request-timestamp': Number(request.headers['x-slack-request-timestamp']),
    },
    nowMilliseconds: ctx.now().getTime(),
  })
  return isValid ? strict : { ok: false, reason: 'bad_signature' }
}

/** Slack looks whether the address has a good certificate, unsigned: it gets an answer and nothing else happens. */
export function handshake({ body, headers }: InboundRequest): Reply | undefined {
  if (body.length > 500 || !/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? ''))
    return undefined
  const form = new URLSearchParams(body.toString('utf8'))
  const isCheck = form.getAll('ssl_check').join() === '1' && [...form.keys()].every((name) => sslCheck.has(name))
  return isCheck ? { status: 200, headers: {}, body: '' } : undefined
}
const sslCheck = new Set(['ssl_check', 'token'])

const Challenge = z.strictObject({
  type: z.literal('url_verification'),
  challenge: z.string().min(1).max(4_096),
  token: z.string().optional(),
})

/** The address was entered in the app's settings: Slack wants its word back. */
export function signedHandshake({ body }: InboundRequest): Reply | undefined {
  if (body.length > 8_192 || body[0] !== 0x7b) return undefined
  const parsed = Challenge.safeParse(jsonOrNothing(body.toString('utf8')))
  if (!parsed.success) return undefined
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
  return { status: 200, headers, body: parsed.data.challenge }
}

/** One thing a request; none for another app, or for a workspace where nobody installed this one. */
export function items(request: InboundRequest, ctx: Inbound): readonly InboundItem[] {
  const body = textIn(request.body)
  const input = readInput(body)
  if (!isOurs(input, ctx)) return []
  return [{ key: keyOf(input) ?? signedKey(request, signature), body }]
}

/** Pure. @throws UnreadableInput */
export function normalise(item: InboundItem, ctx: Inbound): readonly Observation[] {
  const input = readInput(item.body)
  if (input.kind === 'event') {
    const told = readEvent(input.envelope, addresseeOf(input.envelope, ctx))
    if (!told) return []
    const at = told.at ?? String(input.envelope.event_time ?? '')
    return [{ type: 'chat', occurredAt: timeOf(at, ctx), byHub: false, happening: told.happening }]
  }
  const { interaction } = input
  const happening = interaction.kind === 'nothing' ? undefined : happeningOf(interaction, ctx.config)
  if (interaction.kind === 'nothing' || !happening) return []
  return [{ type: 'chat', occurredAt: timeOf(interaction.at ?? '', ctx), byHub: false, happening }]
}

export type SlackInput =
  | { readonly kind: 'event'; readonly envelope: WireEnvelope }
  | { readonly kind: 'interaction'; readonly interaction: Interaction }

/** Over Socket Mode interactions come as JSON, over HTTP as forms. @throws UnreadableInput */
export function readInput(body: string): SlackInput {
  const payload = body.trimStart().startsWith('{') ? jsonOf(body) : interactionPayload(body)
  const envelope = WireEnvelope.safeParse(payload)
  if (!envelope.success) throw new UnreadableInput(`slack: ${z.prettifyError(envelope.error).slice(0, 300)}`)
  const isEvent = envelope.data.event != null || notices.has(envelope.data.type ?? '')
  if (isEvent) return { kind: 'event', envelope: envelope.data }
  return { kind: 'interaction', interaction: readInteraction(payload) }
}
/** Envelopes without an event in them. */
const notices = new Set(['event_callback', 'app_rate_limited', 'url_verification'])

function isOurs(input: SlackInput, { config, installed }: Inbound): boolean {
  const { app, places } = addressOf(input)
  if (config.app_id !== undefined && app !== undefined && app !== config.app_id) return false
  return installed === undefined || places.length === 0 || places.some((place) => installed.has(place))
}

function addressOf(input: SlackInput): { readonly app: string | undefined; readonly places: readonly string[] } {
  if (input.kind === 'event') {
    return { app: input.envelope.api_app_id ?? undefined, places: placesOf(input.envelope) }
  }
  const { interaction } = input
  if (interaction.kind === 'nothing') return { app: undefined, places: [] }
  const place = installOf(interaction)
  return { app: interaction.appId, places: place === undefined ? [] : [place] }
}

/** In a shared channel the envelope's own team may be the other company's: those that it is for count. */
function placesOf({ authorizations, team_id: team }: WireEnvelope): readonly string[] {
  const named = (authorizations ?? []).flatMap((one) => placeOf(one) ?? [])
  return named.length > 0 ? named : team ? [team] : []
}

type Authorization = NonNullable<WireEnvelope['authorizations']>[number]

function placeOf({ team_id: team, enterprise_id: org, is_enterprise_install: isOfOrg }: Authorization) {
  return (isOfOrg || !team ? org : team) || undefined
}

function addresseeOf(envelope: WireEnvelope, { installed, config }: Inbound): Addressee {
  const places = placesOf(envelope)
  const reference = places.find((place) => installed?.has(place)) ?? places[0] ?? ''
  const user = envelope.authorizations?.find((one) => placeOf(one) === reference)?.user_id
  const customers = config.channels.flatMap(({ channel, for: use }) => (use === 'customer' ? [channel] : []))
  return {
    reference,
    customerChannels: new Set(customers),
    fileWord: (channel) => spokenIn(config, channel).attachment,
    ...(user ? { botUser: user } : {}),
  }
}

/**
 * A press has one trigger, a submission one of its own each time it is sent; Slack repeats neither. Without one, two requests
 * are the same when all that was signed is the same.
 */
function keyOf(input: SlackInput): string | undefined {
  if (input.kind === 'event') return input.envelope.event_id || undefined
  const { interaction } = input
  return interaction.kind === 'nothing' ? undefined : interaction.triggerId
}

const latest = 253_402_300_799

function timeOf(seconds: string, { now }: Inbound): string {
  const at = /^\d{1,12}(\.\d{1,9})?$/.test(seconds) ? Number(seconds) : 0
  return (at > 0 && at <= latest ? new Date(Math.floor(at * 1_000)) : now()).toISOString()
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textIn(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch (cause) {
    throw new UnreadableInput('slack: the body is not UTF-8', { cause })
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new UnreadableInput('slack: the body is not JSON', { cause })
  }
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
