/** A desk's agents and a chat tool's people in the test database. */
import { createAgent, WrittenAgent } from '#hub/agents/index.ts'
import type { ChatPerson } from '#hub/connector/chat.ts'
import { type Db, json } from '#hub/platform/db/database.ts'

export const now = new Date('2026-11-22T10:00:00Z')

export async function hire(db: Db, written: object) {
  const agent = await createAgent(db, WrittenAgent.parse({ name: 'Leo Marín', ...written }), now)
  if (agent === 'taken') throw new Error('two agents of one address')
  return agent
}

/** As the vendor describes them now. */
export async function meet(db: Db, connectionId: string, person: ChatPerson) {
  const facts = json(person)
  await db
    .insertInto('chat_people')
    .values({ connection_id: connectionId, external_id: person.id, facts, read_at: now })
    .onConflict((conflict) => conflict.constraint('chat_people_pkey').doUpdateSet({ facts }))
    .execute()
}

interface WrittenCase {
  readonly id: string
  readonly subject?: string
  readonly priority?: 'normal' | 'urgent'
  readonly assignee?: string
}

export async function openCase(db: Db, { id, subject = 'Invoice wrong', priority = 'normal', assignee }: WrittenCase) {
  await db
    .insertInto('cases')
    .values({
      id,
      subject,
      priority,
      status: 'open',
      assignee: assignee === undefined ? null : json({ email: assignee }),
      custom: '{}',
      provenance: '[]',
      created_at: now,
      updated_at: now,
    })
    .execute()
}
