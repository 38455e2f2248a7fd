// Written by `npm run generate` from the folders beside it.
import type { Connector } from '#hub/connector/contract.ts'

/** Every connector there is, loaded when it is asked for. */
export const connectors = {
  desk: async () => (await import('./desk/connector.ts')).desk,
  hubspot: async () => (await import('./hubspot/connector.ts')).hubspot,
  mail: async () => (await import('./mail/connector.ts')).mail,
  slack: async () => (await import('./slack/connector.ts')).slack,
  teams: async () => (await import('./teams/connector.ts')).teams,
  zendesk: async () => (await import('./zendesk/connector.ts')).zendesk,
} as const satisfies Readonly<Record<string, () => Promise<Connector>>>
