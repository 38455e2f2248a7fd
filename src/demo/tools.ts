/** The tools that the demo's company already has, on loopback: a desk, a CRM, a mail server, two chat tools and an unknown desk. */

import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { type HubspotSandbox, startSandbox as startHubspot } from '../../connectors/hubspot/sandbox.ts'
import { createMailSandbox, type MailSandbox, type SandboxUser, sandboxHost } from '../../connectors/mail/sandbox.ts'
import { type SlackSandbox, startSandbox as startSlack } from '../../connectors/slack/sandbox.ts'
import { startSandbox as startTeams, type TeamsSandbox } from '../../connectors/teams/sandbox.ts'
import { startSandbox as startZendesk, type ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'

export interface Tools {
  readonly zendesk: ZendeskSandbox
  readonly hubspot: HubspotSandbox
  readonly warehouse: LegacyDeskSandbox
  readonly mail: MailSandbox
  readonly slack: SlackSandbox
  readonly teams: TeamsSandbox
  /** `host:port` of each. */
  readonly hosts: readonly string[]
  close(): Promise<void>
}

export const support: SandboxUser = { address: 'support@acme.example', password: 'demo-support' }
export const ana: SandboxUser = { address: 'ana@northwind.example', password: 'demo-ana' }
export const ben: SandboxUser = { address: 'ben@northwind.example', password: 'demo-ben' }

export async function startTools(): Promise<Tools> {
  const [zendesk, hubspot, warehouse, mail, slack, teams] = await Promise.all([
    startZendesk({ keepBackSeconds: 0 }),
    startHubspot(),
    startDesk({ dialect: 'odd' }),
    createMailSandbox({ users: [support, ana, ben] }),
    startSlack(),
    startTeams(),
  ])
  return {
    zendesk,
    hubspot,
    warehouse,
    mail,
    slack,
    teams,
    hosts: [
      ...[zendesk, hubspot, warehouse, slack, teams].map(({ url }) => new URL(url).host),
      ...[mail.imap, mail.smtp].map(({ host, port }) => `${host}:${port}`),
    ],
    async close() {
      await Promise.all([zendesk, hubspot, warehouse, mail, slack, teams].map((tool) => tool.close()))
    },
  }
}

/** What the administrator types in for the support mailbox. */
export function mailboxConfig({ imap, smtp }: MailSandbox) {
  return {
    address: support.address,
    name: 'Acme Support',
    password: support.password,
    imap: { ...imap, tls: 'none' },
    smtp: { ...smtp, tls: 'none' },
    signing_secret: 'a-signing-secret-for-this-demo-only',
    trusted_authserv_ids: [sandboxHost],
  }
}

/** Slack gets the cards of Zendesk, Teams those of the warehouse. */
export function chatConfig(tool: { readonly config: object }, channel: string, connection: string) {
  return { ...tool.config, channels: [{ channel, for: 'cases', when: { connections: [connection] } }] }
}
