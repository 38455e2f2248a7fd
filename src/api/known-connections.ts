/** What rules and macros are checked against. */
import type { KnownConnection } from '#hub/rules/index.ts'
import type { ApiHub } from './hub.ts'

export async function knownConnections(hub: ApiHub): Promise<{ connections: readonly KnownConnection[] }> {
  // With it comes the reader of configuration files: not before somebody writes a rule.
  const { knownConnection } = await import('#hub/config/index.ts')
  return { connections: hub.connections.all().map(({ name, connector }) => knownConnection(name, connector)) }
}
