import { z } from 'zod'

const secret = z.string().min(1).meta({ secret: true })
const host = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i, 'a host name, such as imap.example.com')
const address = z.email().transform((value) => value.toLowerCase())

/** Where and how one of the two servers is reached. */
const server = (port: number) =>
  z.strictObject({
    host,
    port: z.number().int().min(1).max(65_535).default(port),
    /**
     * `implicit`: TLS from the first byte. `starttls`: required, never "if offered". `none` only for a server on the machine
     * itself or one that the operator lists in DESKWEAVE_EXTRA_HOSTS.
     */
    tls: z.enum(['implicit', 'starttls', 'none']).default('implicit'),
    /** PEM of a certificate authority of your own. */
    ca: z.string().optional(),
  })

export const config = z.strictObject({
  /** The mailbox that customers write to; also the sender of what we write. */
  address,
  /** The name beside the address, such as `Acme Support`. */
  name: z.string().max(100).optional(),
  /** User name at both servers; the address when absent. */
  user: z.string().min(1).optional(),
  password: secret.meta({ secret: true, description: "the mailbox's, or an app password" }),
  imap: server(993),
  smtp: server(465),
  folder: z.string().min(1).default('INBOX'),
  /** Where answers that agents write in their own mail program end up; found by its special use when absent. */
  sent_folder: z.string().min(1).optional(),
  /** Signs reply addresses and message ids: at least 24 characters. Answers to mail signed with another one open new cases. */
  signing_secret: z
    .string()
    .min(24)
    .meta({ secret: true, description: 'at least 24 characters that you make up: openssl rand -base64 32' }),
  /** Does `support+x@example.com` reach this mailbox? Then answers carry a signed address. */
  plus_addressing: z.boolean().default(true),
  /**
   * Whose `Authentication-Results` count: the authserv-id of the customer's own receiving server. Empty: nobody's, and every
   * sender stays unverified.
   */
  trusted_authserv_ids: z.array(z.string().min(1)).default([]),
  /** Addresses and domains (`@example.com`) of our own people: mail "from" them without proof is set aside. */
  agents: z.array(z.string().min(3)).default([]),
})

export type MailConfig = z.output<typeof config>
