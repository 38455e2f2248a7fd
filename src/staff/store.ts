/** The SQL of the lists. */
import { sql } from 'kysely'
import type { AgentFacts } from '#hub/connector/facts.ts'
import { type Db, json } from '#hub/platform/db/database.ts'

/** @returns undefined when the tool has not told it yet, or cannot. */
export async function deskAgents(db: Db, connectionId: string): Promise<readonly AgentFacts[] | undefined> {
  const row = await db
    .selectFrom('desk_agents')
    .select('agents')
    .where('connection_id', '=', connectionId)
    .executeTakeFirst()
  return row?.agents
}

export async function saveAgents(db: Db, connectionId: string, agents: readonly AgentFacts[], now: Date) {
  const told = { agents: json(agents), read_at: now }
  await db
    .insertInto('desk_agents')
    .values({ connection_id: connectionId, ...told })
    .onConflict((conflict) => conflict.constraint('desk_agents_pkey').doUpdateSet(told))
    .execute()
}

export async function connectionsRead(db: Db): Promise<readonly string[]> {
  const rows = await db.selectFrom('desk_agents').select('connection_id').execute()
  return rows.map((row) => row.connection_id)
}

/** Of connections that were removed. */
export async function forgetRemoved(db: Db): Promise<void> {
  await sql`delete from desk_agents where connection_id not in (select id from connections)`.execute(db)
}
