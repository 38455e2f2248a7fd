import { z } from 'zod'
import { chatSettings } from '#hub/connector/chat.ts'
import { cloudNames, clouds } from './clouds.ts'

const guid = z
  .string()
  .regex(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i, 'eight-four-four-four-twelve hex digits, as Azure shows the id')
  .transform((id) => id.toLowerCase())

export const config = z.strictObject({
  /** "Microsoft App ID" of the Azure Bot, which is the "Application (client) ID" of its app registration. */
  app_id: guid,
  /** "Directory (tenant) ID" of the app registration: the bot's home. */
  tenant_id: guid,
  /** A client secret of the app registration: its value, not its id. */
  client_secret: z.string().min(1).meta({ secret: true }),
  cloud: z.enum(cloudNames).default('public'),
  /** Linked tenants: requests from others are refused, people of others are strangers. The bot's home when absent. */
  tenants: z.array(guid).min(1).max(50).optional(),
  ...chatSettings,
  /**
   * For development with Microsoft's playground: takes requests without a token, from this machine only, and only while the
   * hub's own address is `localhost`.
   */
  allow_unsigned: z.boolean().default(false),
  /** Only for sandboxes and proxies: stands for all of Microsoft's addresses; the host must be one the hub may call. */
  api_base: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
})

export type TeamsConfig = z.output<typeof config>

/** Where this connection's requests are vouched for, and where its calls go. */
export function endpointsOf({ cloud, api_base: base, tenant_id: tenant }: TeamsConfig) {
  const { issuer, scope, app, ...real } = clouds[cloud]
  const moved = (address: string) => (base === undefined ? address : `${base}${new URL(address).pathname}`)
  const token = `${real.authority}/${tenant}/oauth2/v2.0/token`
  return {
    issuer,
    scopes: { bot: scope, graph: `${real.graph}/.default` },
    metadata: moved(real.metadata),
    token: moved(token),
    service: moved(real.service),
    graph: moved(`${real.graph}/v1.0`),
    app,
  }
}

/** Who signs the tokens of a tenant's people. By an app's settings they are of version 1 or 2, with the same keys. */
export function directoryOf({ cloud, api_base: base }: TeamsConfig, tenant: string) {
  const { authority } = clouds[cloud]
  const issuer = `${authority}/${tenant}/v2.0`
  return {
    issuer,
    issuers: [issuer, `https://sts.windows.net/${tenant}/`],
    metadata: `${base ?? authority}/${tenant}/v2.0/.well-known/openid-configuration`,
  }
}

export const botId = ({ app_id: id }: Pick<TeamsConfig, 'app_id'>) => `28:${id}`

export const tenantsOf = ({ tenants, tenant_id: home }: TeamsConfig): readonly string[] => tenants ?? [home]

/**
 * Whether answers, and with them the bot's token, may go there. A validated token vouches for the address; this keeps it to
 * Teams, whatever was signed.
 */
export function isService(address: string, config: TeamsConfig): boolean {
  const url = URL.parse(address)
  if (!url || url.username || url.password || url.search || url.hash) return false
  return url.origin === new URL(endpointsOf(config).service).origin || isEmulator(address, config)
}

/** Whether it lies where Microsoft keeps the files that people put into Teams; no other address is ever called for one. */
export function isSharePoint(url: URL, { api_base: base }: TeamsConfig): boolean {
  if (base !== undefined && url.origin === new URL(base).origin) return true
  return url.protocol === 'https:' && /^[a-z\d-]+\.sharepoint(?:\.com|\.us|-mil\.us)$/.test(url.host)
}

/** The playground's address on this machine. It gets no token. */
export function isEmulator(address: string, { allow_unsigned: isAllowed }: TeamsConfig): boolean {
  return isAllowed && isLoopback(address)
}

export function isLoopback(address: string): boolean {
  const host = URL.parse(address)?.hostname ?? ''
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
