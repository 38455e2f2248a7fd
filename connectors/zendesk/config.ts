import { z } from 'zod'

/**
 * Zendesk signs the test requests of a webhook that does not exist yet with this published key, used literally. Anybody can
 * sign with it, so it is never a secret. https://developer.zendesk.com/documentation/webhooks/verifying/
 */
export const publicTestSecret = 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=='

const numericId = z.string().regex(/^\d{1,20}$/, 'digits only, as Zendesk shows the id')
const secret = z.string().min(1).meta({ secret: true })

const waysToSignIn = [['client_id', 'client_secret'], ['access_token'], ['email', 'api_token']] as const

export const config = z
  .strictObject({
    /** `acme` for acme.zendesk.com. */
    subdomain: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'the part before .zendesk.com, in lower case'),
    /** The Identifier of an OAuth client; with `client_secret`. The hub gets tokens by them, which end and are renewed. */
    client_id: z.string().min(1).max(512).optional(),
    client_secret: secret.optional(),
    /** An OAuth access token instead. Those of clients made since 2026-04-30 end, and the hub cannot renew them. */
    access_token: secret.optional(),
    /** With `api_token`: the legacy pair. Zendesk stops all API tokens on 2027-04-30. */
    email: z.email().optional(),
    api_token: secret.optional(),
    /** The signing secret that Zendesk shows on the webhook's page. The webhook comes after the connection, so it may too. */
    webhook_secret: secret
      .refine(
        (value) => value !== publicTestSecret,
        'this is the published test secret; copy the one of your own webhook',
      )
      .optional(),
    /** `X-Zendesk-Account-Id` of the deliveries: when set, deliveries of any other account are refused. */
    account_id: numericId.optional(),
    /** The user behind the credential: what this user does is our own echo. The connection check logs the id. */
    hub_agent_id: numericId.optional(),
    /** Where the survey score is written: a number or text ticket field. */
    score_field_id: numericId.optional(),
    /** Where the survey comment is written: a multi-line text ticket field. */
    comment_field_id: numericId.optional(),
    /** Only for sandboxes and proxies; the host must be one the hub may call. Up to and including `/api/v2`. */
    api_base: z
      .url({ protocol: /^https?$/ })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional(),
  })
  .superRefine((value, issues) => {
    const begun = waysToSignIn.filter((way) => way.some((name) => value[name] !== undefined))
    const isWhole = begun.every((way) => way.every((name) => value[name] !== undefined))
    if (begun.length === 1 && isWhole) return
    const message =
      begun.length > 1
        ? `keep one way to sign in and leave out the others: ${begun.map((way) => way.join(' with ')).join(', or ')}`
        : 'set client_id together with client_secret (OAuth client); with a credential from before, set access_token (OAuth), or email together with api_token'
    issues.addIssue({ code: 'custom', message })
  })

export type ZendeskConfig = z.output<typeof config>

/** Up to and including `/api/v2`, without a slash at the end. */
export function apiBase(value: Pick<ZendeskConfig, 'subdomain' | 'api_base'>): string {
  return value.api_base ?? `https://${value.subdomain}.zendesk.com/api/v2`
}

/** Where an agent opens the ticket. */
export function agentUrl(value: Pick<ZendeskConfig, 'subdomain'>, ticketId: string): string {
  return `https://${value.subdomain}.zendesk.com/agent/tickets/${ticketId}`
}
