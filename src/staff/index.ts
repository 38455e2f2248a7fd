/**
 * In: tools that can tell who works in them. Out: a list for each, read once an hour, when the connection is new, and when
 * somebody asks. Never here: which of them is an agent of the hub.
 */
import { z } from 'zod'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { AgentFacts } from '#hub/connector/facts.ts'
import type { Hub } from '#hub/hub.ts'
import type { Db } from '#hub/platform/db/database.ts'
import * as store from './store.ts'

export { deskAgents } from './store.ts'

type StaffHub = Pick<Hub, 'db' | 'log' | 'now'> & {
  readonly queue: Pick<Hub['queue'], 'define' | 'schedule' | 'send'>
  readonly connections: Pick<Hub['connections'], 'all' | 'contextFor' | 'onChange' | 'restMs'>
}

export interface Staff {
  /** Registers the repeating work. Call it before the queue starts. */
  defineJobs(): Promise<void>
  /** Looks out for connections that are new. */
  start(): Promise<void>
  stop(): Promise<void>
}

const queueName = 'staff.read'
const everySeconds = 3_600
/** Without a connection: all of them. */
const Job = z.object({ connectionId: z.string().exactOptional() })

export function createStaff(hub: StaffHub, signal: AbortSignal): Staff {
  let stopListening = () => {}
  /** Those that are read, or whose first reading is sent for. */
  const known = new Set<string>()

  const tellers = () => hub.connections.all().filter(({ connector }) => connector.can.readAgents)

  /** A tool that cannot be asked now keeps the list that it told last. */
  async function read(connection: LoadedConnection): Promise<void> {
    const { id, connector } = connection
    const { readAgents } = connector.can
    if (!readAgents || signal.aborted || hub.connections.restMs(id) > 0) return
    try {
      const context = hub.connections.contextFor(connection, signal, { priority: 'backfill' })
      await store.saveAgents(hub.db, id, (await readAgents.list(context)).map(storable), hub.now())
    } catch (error) {
      if (!signal.aborted) hub.log.warn({ err: error, connection_id: id }, 'who works in a tool could not be read')
    }
  }

  async function readNew(): Promise<void> {
    for (const { id } of tellers()) {
      if (known.has(id)) continue
      known.add(id)
      await refreshDeskAgents(hub, hub.db, id)
    }
  }

  return {
    async defineJobs() {
      await hub.queue.define(queueName, Job, async (jobs) => {
        const wanted = new Set(jobs.flatMap(({ connectionId }) => connectionId ?? []))
        const isForAll = jobs.some(({ connectionId }) => connectionId === undefined)
        if (isForAll) await store.forgetRemoved(hub.db)
        for (const connection of tellers()) if (isForAll || wanted.has(connection.id)) await read(connection)
      })
      await hub.queue.schedule(queueName, { everySeconds })
    },
    async start() {
      for (const id of await store.connectionsRead(hub.db)) known.add(id)
      stopListening = hub.connections.onChange(() => {
        readNew().catch((error: unknown) => hub.log.warn({ err: error }, 'who works in a tool is read within the hour'))
      })
    },
    async stop() {
      stopListening()
    },
  }
}

/** Has a tool asked again soon: somebody is missing in its list. */
export async function refreshDeskAgents(
  { queue }: { readonly queue: Pick<Hub['queue'], 'send'> },
  db: Db,
  connectionId: string,
): Promise<void> {
  await queue.send(db, queueName, { connectionId }, { singletonKey: connectionId })
}

/** PostgreSQL's JSON has no place for a zero byte or half a character. */
function storable({ id, name, email }: AgentFacts): AgentFacts {
  const clean = (text: string) => text.replaceAll('\u0000', '').toWellFormed()
  return {
    ...(id === undefined ? {} : { id: clean(id) }),
    ...(name === undefined ? {} : { name: clean(name) }),
    ...(email === undefined ? {} : { email: clean(email) }),
  }
}
