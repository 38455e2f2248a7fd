/** What ingress notes about connections: too often for a statement each, so it is gathered. */
import type { ConnectionsHub } from './index.ts'
import { noteInbound } from './store.ts'

const flushEveryMs = 5_000
const refusedLogEveryMs = 60_000

export function createNotes(hub: ConnectionsHub) {
  const inbound = new Map<string, Date>()
  const refused = new Map<string, { count: number; loggedAt: number }>()
  let timer: NodeJS.Timeout | undefined

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const seen = new Map(inbound)
    inbound.clear()
    if (seen.size === 0) return
    await noteInbound(hub.db, seen).catch((error: unknown) => {
      hub.log.warn({ err: error }, 'the times of the last webhooks could not be saved')
    })
  }

  return {
    flush,
    inbound(id: string): void {
      inbound.set(id, hub.now())
      timer ??= setTimeout(() => void flush(), flushEveryMs).unref()
    },
    /** Logged once a minute, however many there are. */
    refused(id: string): void {
      const now = hub.now().getTime()
      const { count, loggedAt } = refused.get(id) ?? { count: 0, loggedAt: 0 }
      const isDue = now - loggedAt >= refusedLogEveryMs
      if (isDue) hub.log.warn({ connection_id: id, count: count + 1 }, 'webhooks refused: their signature does not fit')
      refused.set(id, isDue ? { count: 0, loggedAt: now } : { count: count + 1, loggedAt })
    },
  }
}
