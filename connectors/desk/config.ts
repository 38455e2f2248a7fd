/** Settings of one desk connection, as an admin enters them. */

import { z } from 'zod'
import {
  decodeSecret,
  defaultToleranceSeconds,
  type HmacProfile,
  hmacAlgorithms,
  profileProblem,
  secretEncodings,
  signatureEncodings,
  timestampFormats,
} from '#hub/connector/hmac.ts'
import { mappingProblem } from './mapping-expression.ts'

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'a header name, such as X-Signature')
  .transform((name) => name.toLowerCase())

const hmac = z
  .strictObject({
    mode: z.literal('hmac'),
    header: headerName,
    algorithm: z.enum(hmacAlgorithms).default('sha256'),
    encoding: z.enum(signatureEncodings).default('hex'),
    prefix: z.string().max(40).default(''),
    template: z.string().max(200).default('{body}'),
    timestamp_header: headerName.optional(),
    timestamp_format: z.enum(timestampFormats).default('unix_seconds'),
    tolerance_seconds: z.number().int().min(1).max(3600).default(defaultToleranceSeconds),
    id_header: headerName.optional(),
    secret_encoding: z.enum(secretEncodings).default('utf8'),
  })
  .superRefine((given, issues) => {
    const message = profileProblem(profileOf(given))
    if (message !== undefined) issues.addIssue({ code: 'custom', path: ['template'], message })
  })

/** How the desk proves that it is the desk. In every mode the secret is the connection's webhook secret. */
const auth = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('standard_webhooks'), accept_svix_headers: z.boolean().default(false) }),
  hmac,
  /** For senders that cannot sign: `<prefix><secret>` in a header. Proves neither the body nor the time. */
  z.strictObject({
    mode: z.literal('bearer'),
    header: headerName.default('authorization'),
    prefix: z.string().max(40).default('Bearer '),
    id_header: headerName.optional(),
  }),
  z.strictObject({ mode: z.literal('basic'), username: z.string().min(1).max(200), id_header: headerName.optional() }),
])

export const config = z
  .strictObject({
    auth: auth.default({ mode: 'standard_webhooks', accept_svix_headers: false }),
    /** JSONata from the desk's own JSON to the hub's event format, where the desk cannot send that itself. */
    mapping: z
      .string()
      .min(1)
      .max(20_000)
      .superRefine((expression, issues) => {
        const message = mappingProblem(expression)
        if (message !== undefined) issues.addIssue({ code: 'custom', message })
      })
      .optional(),
    /** Where the hub POSTs what the desk shall do; without it the connection only receives. */
    answers_url: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !URL.canParse(url) || new URL(url).username === '', 'no user or password in the URL')
      .optional(),
    answers_secret: z
      .string()
      .refine((secret) => (decodeSecret(secret, 'base64')?.length ?? 0) >= 24, {
        message:
          'expected whsec_ and base64 of at least 24 bytes; make one with: echo whsec_$(openssl rand -base64 32)',
      })
      .optional()
      .meta({ secret: true }),
    /** Where else than at answers_url the desk keeps files; `name` or `name:port`. */
    file_hosts: z
      .array(z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/, 'a host name, such as files.example.com'))
      .max(20)
      .optional(),
  })
  .refine((given) => (given.answers_url === undefined) === (given.answers_secret === undefined), {
    path: ['answers_secret'],
    message: 'answers_url and answers_secret belong together: give both, or none',
  })
export type DeskConfig = z.output<typeof config>

/** The profile of `hmac.ts` that these settings describe. */
export function profileOf(given: Omit<z.output<typeof hmac>, 'mode'>): HmacProfile {
  return {
    header: given.header,
    algorithm: given.algorithm,
    encoding: given.encoding,
    prefix: given.prefix,
    template: given.template,
    secretEncoding: given.secret_encoding,
    ...(given.timestamp_header === undefined
      ? {}
      : {
          timestamp: {
            header: given.timestamp_header,
            format: given.timestamp_format,
            toleranceSeconds: given.tolerance_seconds,
          },
        }),
    ...(given.id_header === undefined ? {} : { idHeader: given.id_header }),
  }
}
