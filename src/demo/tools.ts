/** The tools that the demo's company already has, on loopback: a ticketing desk, a CRM, a mail server and an unknown desk. */

import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { type HubspotSandbox, startSandbox as startHubspot } from '../../connectors/hubspot/sandbox.ts'
import { createMailSandbox, type MailSandbox, type SandboxUser, sandboxHost } from '../../connectors/mail/sandbox.ts'
import { startSandbox as startZendesk, type ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'

export interface Tools {
  readonly zendesk: ZendeskSandbox
  readonly hubspot: HubspotSandbox
  readonly warehouse: LegacyDeskSandbox
  readonly mail: MailSandbox
  /** `host:port` of each. */
  readonly hosts: readonly string[]
  close(): Promise<void>
}

export const support: SandboxUser = { address: 'support@acme.example', password: 'demo-support' }
export const ana: SandboxUser = { address: 'ana@northwind.example', password: 'demo-ana' }
export const ben: SandboxUser = { address: 'ben@northwind.example', password: 'demo-ben' }

export async function startTools(): Promise<Tools> {
  const [zendesk, hubspot, warehouse, mail] = await Promise.all([
    startZendesk({ keepBackSeconds: 0 }),
    startHubspot(),
    startDesk({ dialect: 'odd' }),
    createMailSandbox({ users: [support, ana, ben] }),
  ])
  return {
    zendesk,
    hubspot,
    warehouse,
    mail,
    hosts: [
      ...[zendesk, hubspot, warehouse].map(({ url }) => new URL(url).host),
      ...[mail.imap, mail.smtp].map(({ host, port }) => `${host}:${port}`),
    ],
    async close() {
      await Promise.all([zendesk, hubspot, warehouse, mail].map((tool) => tool.close()))
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
