/** Fixtures: what a vendor sent and was sent, as JSON files that an author writes or records. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import type { InboundRequest } from '#hub/connector/contract.ts'

const head = {
  /** One sentence: what this shows. */
  about: z.string().min(10),
  /** Where it comes from: a page of the vendor's documentation with its date, or "recorded" with its date. */
  source: z.string().min(10),
  /** The time of the call; for signed requests the signed time. */
  now: z.iso.datetime(),
  /** Laid over the example settings; `null` takes one away. */
  config: z.record(z.string(), z.unknown()).exactOptional(),
  /** Not yet real: the kit stays red until this line is gone. */
  todo: z.string().exactOptional(),
}
const headers = z.record(z.string().regex(/^[a-z0-9-]+$/, 'lower-case header names'), z.string())

const inbound = z.strictObject({
  ...head,
  secret: z.string().min(1),
  request: z.strictObject({
    method: z.string(),
    /** Path and query, below `https://hub.example.com`; whole where the vendor signs the URL. */
    url: z.string().regex(/^(\/|https:\/\/)/, 'a path, or an https URL'),
    headers,
    /** The exact text; `bodyJson` is for bodies without spaces, which is how most vendors send them. */
    body: z.string().exactOptional(),
    bodyJson: z.unknown().optional(),
    /** The kit signs it with the connector's `sign` option. At least one fixture carries its signature itself. */
    sign: z.literal(true).exactOptional(),
  }),
  proof: z
    .strictObject({
      /** The headers without which the request proves nothing; of several signatures in one, the good one stands last. */
      headers: z.array(z.string()).min(1),
      /** What this vendor does not sign; the reason is in quality.json. */
      unsigned: z.array(z.enum(['body', 'time'])).exactOptional(),
    })
    .exactOptional(),
  expected: z.union([
    z.strictObject({
      /** The item keys, in order. */
      items: z.array(z.string()),
      observations: z.array(z.unknown()),
      /** Places of items that cannot be read; the others still can. */
      unreadable: z.array(z.number().int()).exactOptional(),
    }),
    z.strictObject({ unreadable: z.literal(true) }),
    z.strictObject({ reply: z.strictObject({ status: z.number(), headers, body: z.string() }) }),
  ]),
})

/** Where statuses mean something else than usual: a code, or `handled` when the call goes on. `cut`: no answer came. */
const errors = z.record(z.string().regex(/^(\d{3}|cut)$/), z.string())

const outbound = z.strictObject({
  ...head,
  /** `writeCase.update`, `check`. */
  call: z.string(),
  /** After the context; the idempotency key is the last one of writes. `null`: absent. `{ "text": "…" }`: a file's content. */
  args: z.array(z.unknown()),
  exchange: z.array(
    z.strictObject({
      request: z.strictObject({
        method: z.string(),
        /** With host and query, as the vendor documents it. */
        url: z.url(),
        /** Those that matter; `*` for any value. */
        headers: headers.exactOptional(),
        json: z.unknown().optional(),
        body: z.string().exactOptional(),
      }),
      response: z.strictObject({
        status: z.number().int(),
        headers: headers.exactOptional(),
        json: z.unknown().optional(),
        body: z.string().exactOptional(),
      }),
      /** For this request alone, before those of the whole fixture. */
      errors: errors.exactOptional(),
    }),
  ),
  /** The receipt, the facts, or the pages; absent for a call that returns nothing. */
  expected: z.unknown().optional(),
  /** In its place: the call is refused with this code, by the connector itself. */
  refused: z.string().exactOptional(),
  errors: errors.exactOptional(),
})

export type InboundFixture = z.output<typeof inbound> & { readonly name: string }
export type OutboundFixture = z.output<typeof outbound> & { readonly name: string }

export function inboundFixtures(folder: URL): readonly InboundFixture[] {
  return files(new URL('fixtures/inbound/', folder), (name, json) => ({ name, ...inbound.parse(json) }))
}
export function outboundFixtures(folder: URL): readonly OutboundFixture[] {
  return files(new URL('fixtures/outbound/', folder), (name, json) => ({ name, ...outbound.parse(json) }))
}

function files<T>(folder: URL, read: (name: string, json: unknown) => T): T[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => {
    try {
      return read(name.replace(/\.json$/, ''), parseFixture(readFileSync(new URL(name, folder), 'utf8')))
    } catch (cause) {
      throw new Error(`fixture ${new URL(name, folder).pathname}: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      })
    }
  })
}

/** A longer number would arrive as another one. @throws SyntaxError */
function parseFixture(text: string): unknown {
  return JSON.parse(text, (key, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || !/^-?\d+$/.test(context?.source ?? '')) return value
    const instead = 'write the text that has it as "body", and in "args" and "expected" a string'
    throw new SyntaxError(`"${key}": ${context?.source} is longer than a number in JSON can be here; ${instead}`)
  })
}

export type SignRequest = (
  request: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: Buffer
  },
  secret: string,
  now: Date,
) => Record<string, string>

/** The request as it arrives; signed when the fixture leaves that to the kit. */
export function requestOf(fixture: InboundFixture, sign: SignRequest | undefined): InboundRequest {
  const { method, url, headers, body, bodyJson } = fixture.request
  const text = body ?? (bodyJson === undefined ? '' : JSON.stringify(bodyJson))
  const request = {
    method,
    url: url.startsWith('/') ? `https://hub.example.com${url}` : url,
    headers,
    body: Buffer.from(text),
  }
  if (!fixture.request.sign) return request
  if (!sign) throw new Error(`fixture ${fixture.name} leaves signing to the kit: give conformance() the option "sign"`)
  return { ...request, headers: { ...headers, ...sign(request, fixture.secret, new Date(fixture.now)) } }
}
