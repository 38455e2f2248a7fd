/** The hub's rooms for one command, beside a hub that may be running: no port, no work, quiet. */
import { connectors } from '#connectors'
import { createConnections } from '#hub/connections/index.ts'
import type { Hub } from '#hub/hub.ts'
import type { Env } from '#hub/platform/env.ts'
import { layFoundation } from '#hub/platform/foundation.ts'
import { createLog } from '#hub/platform/log.ts'
import { createMetrics } from '#hub/platform/metrics.ts'

/** Who did it, for the audit. */
export const actor = 'cli'

export async function withHub<T>(env: Env, work: (hub: Hub) => Promise<T>): Promise<T> {
  // Standard output is for the command's own words.
  const log = createLog(env.logLevel === 'debug' ? 'debug' : 'error', process.stderr)
  const foundation = await layFoundation({ env, log, now: () => new Date(), metrics: createMetrics() })
  const connections = createConnections({ ...foundation, connectors })
  try {
    await connections.start()
    return await work({ ...foundation, connections })
  } finally {
    await connections.close()
    await foundation.stop()
  }
}
