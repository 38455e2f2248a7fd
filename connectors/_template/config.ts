/** Settings of one Acme Desk connection, as an admin enters them. */
import { z } from 'zod'

export const config = z.strictObject({
  subdomain: z.string().regex(/^[a-z0-9-]{1,63}$/, 'the first part of https://<subdomain>.acme-desk.example'),
  api_token: z.string().min(8).meta({ secret: true }),
  /** Another address of the API: a sandbox. Its host must be in DESKWEAVE_EXTRA_HOSTS. */
  base_url: z.url({ protocol: /^https?$/ }).optional(),
})
export type AcmeDeskConfig = z.output<typeof config>
