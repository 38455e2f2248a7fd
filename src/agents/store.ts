/** The SQL of agents, their accounts and what chat users claim. */
import { type Selectable, sql } from 'kysely'
import type { ChatPerson } from '#hub/connector/chat.ts'
import { type Db, json } from '#hub/platform/db/database.ts'
import type { Schema } from '#hub/platform/db/schema.ts'
import type { Agent } from './agent.ts'
import { vouchedEmail } from './match.ts'

export interface Account {
  readonly connectionId: string
  readonly externalId: string
}
export interface LinkedAccount extends Account {
  readonly agentId: string
  /** `email`: the vendor vouched for the address. `admin`: an administrator said so. */
  readonly proof: 'email' | 'admin'
  readonly createdAt: Date
}
/** Somebody without a seat, and the address that they said is theirs. */
export interface Claim extends Account {
  readonly person: ChatPerson
  readonly email: string
  readonly askedAt: Date | null
}

export async function agentsByEmail(db: Db, emails: readonly string[]): Promise<Agent[]> {
  if (emails.length === 0) return []
  const rows = await db
    .selectFrom('agents')
    .selectAll()
    .where('email', '=', sql<string>`any(${[...emails]}::text[])`)
    .orderBy('email')
    .execute()
  return rows.map(toAgent)
}

export async function agentById(db: Db, id: string): Promise<Agent | undefined> {
  const row = await db.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toAgent(row)
}

/** By address. @param after the last address of the page before. */
export async function agentPage(db: Db, limit: number, after: string | undefined): Promise<Agent[]> {
  const all = db.selectFrom('agents').selectAll().orderBy('email').limit(limit)
  const rows = await (after === undefined ? all : all.where('email', '>', after)).execute()
  return rows.map(toAgent)
}

export async function activeAgents(db: Db): Promise<Agent[]> {
  const rows = await db.selectFrom('agents').selectAll().where('active', '=', true).orderBy('name').execute()
  return rows.map(toAgent)
}

export async function insertAgent(db: Db, agent: Agent, now: Date): Promise<void> {
  const { id, email, name, role, language, active } = agent
  await db
    .insertInto('agents')
    .values({
      id,
      email,
      name,
      role,
      language,
      active,
      quiet_hours: quietHours(agent),
      created_at: now,
      updated_at: now,
    })
    .execute()
}

export async function updateAgent(db: Db, agent: Agent, now: Date): Promise<void> {
  const { id, email, name, role, language, active } = agent
  await db
    .updateTable('agents')
    .set({ email, name, role, language, active, quiet_hours: quietHours(agent), updated_at: now })
    .where('id', '=', id)
    .execute()
}

function quietHours({ quietHours }: Agent): string | null {
  return quietHours === null ? null : json(quietHours)
}

/**
 * The agent behind an account. A link that stands on the vendor's word holds only while the vendor says the same: not for an
 * account that became a guest's, or got another address.
 */
export async function agentOfAccount(db: Db, account: Account): Promise<Agent | undefined> {
  const row = await db
    .selectFrom('agent_accounts as account')
    .innerJoin('agents', 'agents.id', 'account.agent_id')
    .leftJoin('chat_people as person', (join) =>
      join
        .onRef('person.connection_id', '=', 'account.connection_id')
        .onRef('person.external_id', '=', 'account.external_id'),
    )
    .where('account.connection_id', '=', account.connectionId)
    .where('account.external_id', '=', account.externalId)
    .selectAll('agents')
    .select(['account.proof', 'person.facts'])
    .executeTakeFirst()
  if (!row) return undefined
  const { proof, facts, ...agent } = row
  const person = facts ?? undefined
  return holds(proof, person, agent.email) ? toAgent(agent) : undefined
}

function holds(proof: 'email' | 'admin', person: ChatPerson | undefined, email: string): boolean {
  if (!person) return true
  return person.kind === 'member' && (proof === 'admin' || vouchedEmail(person) === email)
}

export async function accountsOf(db: Db, agentIds: readonly string[]): Promise<LinkedAccount[]> {
  if (agentIds.length === 0) return []
  const rows = await db
    .selectFrom('agent_accounts')
    .selectAll()
    .where('agent_id', '=', sql<string>`any(${[...agentIds]}::text[])`)
    .orderBy('created_at')
    .orderBy('connection_id')
    .orderBy('external_id')
    .execute()
  return rows.map((row) => ({
    connectionId: row.connection_id,
    externalId: row.external_id,
    agentId: row.agent_id,
    proof: row.proof,
    createdAt: row.created_at,
  }))
}

/** The vendor's word does not undo an administrator's. @returns false when that is so. */
export async function upsertAccount(db: Db, account: Omit<LinkedAccount, 'createdAt'>, now: Date): Promise<boolean> {
  const { connectionId, externalId, agentId, proof } = account
  const { numAffectedRows } = await sql`
    insert into agent_accounts as held (connection_id, external_id, agent_id, proof, created_at)
    values (${connectionId}, ${externalId}, ${agentId}, ${proof}, ${now})
    on conflict (workspace_id, connection_id, external_id) do update
      set agent_id = excluded.agent_id, proof = excluded.proof
      where held.proof = 'email' or excluded.proof = 'admin' or held.agent_id = excluded.agent_id`.execute(db)
  return numAffectedRows === 1n
}

export async function deleteAccount(db: Db, agentId: string, account: Account): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('agent_accounts')
    .where('agent_id', '=', agentId)
    .where('connection_id', '=', account.connectionId)
    .where('external_id', '=', account.externalId)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

export async function chatPerson(db: Db, account: Account): Promise<ChatPerson | undefined> {
  const row = await people(db, account).select('facts').executeTakeFirst()
  return row?.facts
}

/** Those who decide about seats, and have an account in this tool. */
export async function adminsAt(db: Db, connectionId: string): Promise<Agent[]> {
  const rows = await db
    .selectFrom('agents')
    .selectAll()
    .where('role', '=', 'admin')
    .where('active', '=', true)
    .where('id', 'in', (q) =>
      q.selectFrom('agent_accounts').where('connection_id', '=', connectionId).select('agent_id'),
    )
    .orderBy('email')
    .execute()
  return rows.map(toAgent)
}

/** @returns false when they were asked before. */
export async function markAsked(db: Db, account: Account, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('chat_people')
    .set({ asked_at: now })
    .where('connection_id', '=', account.connectionId)
    .where('external_id', '=', account.externalId)
    .where('asked_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** @param email null: it is decided. */
export async function setClaim(db: Db, account: Account, email: string | null, now: Date): Promise<void> {
  await db
    .updateTable('chat_people')
    .set((q) => ({ claimed_email: email, asked_at: q.fn.coalesce('asked_at', q.val(now)) }))
    .where('connection_id', '=', account.connectionId)
    .where('external_id', '=', account.externalId)
    .execute()
}

/** Of one connection's user, or those that wait, by connection and user. */
export async function claimOf(db: Db, account: Account): Promise<Claim | undefined> {
  const row = await people(db, account).selectAll().where('claimed_email', 'is not', null).executeTakeFirst()
  return row && toClaim(row)[0]
}

export async function claimPage(db: Db, limit: number, after: Account | undefined): Promise<Claim[]> {
  let query = db
    .selectFrom('chat_people')
    .selectAll()
    .where('claimed_email', 'is not', null)
    .orderBy('connection_id')
    .orderBy('external_id')
    .limit(limit)
  if (after) {
    query = query.where(sql<boolean>`(connection_id, external_id) > (${after.connectionId}, ${after.externalId})`)
  }
  return (await query.execute()).flatMap(toClaim)
}

function people(db: Db, { connectionId, externalId }: Account) {
  return db.selectFrom('chat_people').where('connection_id', '=', connectionId).where('external_id', '=', externalId)
}

function toClaim(row: Selectable<Schema['chat_people']>): Claim[] {
  if (row.claimed_email === null) return []
  return [
    {
      connectionId: row.connection_id,
      externalId: row.external_id,
      person: row.facts,
      email: row.claimed_email,
      askedAt: row.asked_at,
    },
  ]
}

function toAgent(row: Selectable<Schema['agents']>): Agent {
  const { id, email, name, role, language, active } = row
  return { id, email, name, role, language, quietHours: row.quiet_hours, active }
}
