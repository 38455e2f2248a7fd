import { beforeEach, describe, expect, it } from 'vitest'
import { assignableIn } from '#hub/chat/assignable.ts'
import { json } from '#hub/platform/db/database.ts'
import { testDatabase } from '#kit'
import { hire, now } from '../agents/people.ts'

const database = testDatabase()

beforeEach(async () => {
  await database.reset()
  await hire(database.db, { email: 'leo@acme.example', name: 'Leo', role: 'agent' })
  await hire(database.db, { email: 'noor@acme.example', name: 'Noor', role: 'lead' })
  await hire(database.db, { email: 'vera@acme.example', name: 'Vera', role: 'viewer' })
})

async function works(connectionId: string, ...emails: readonly string[]) {
  const agents = json(emails.map((email) => ({ email })))
  await database.db.insertInto('desk_agents').values({ connection_id: connectionId, agents, read_at: now }).execute()
}

async function offeredIn(...connections: readonly string[]) {
  const tool = { name: 'Tool', externalId: '1', url: null, takesMessages: true }
  const tools = connections.map((connectionId) => ({ connectionId, ...tool }))
  return (await assignableIn({ db: database.db }, { tools })).map(({ label }) => label).sort()
}

describe('the people that a case can be given to', () => {
  it('are those of the agents who work in its tool', async () => {
    await works('con_desk', 'Leo@acme.example', 'vera@acme.example', 'stranger@acme.example')
    expect(await offeredIn('con_desk')).toEqual(['Leo'])
  })

  it('are those whom all of its tools know', async () => {
    await works('con_desk', 'leo@acme.example', 'noor@acme.example')
    await works('con_crm', 'noor@acme.example')
    expect(await offeredIn('con_desk', 'con_crm', 'con_mail')).toEqual(['Noor'])
  })

  it('are all agents where no tool tells who works there', async () => {
    expect(await offeredIn('con_mail')).toEqual(['Leo', 'Noor'])
    expect(await offeredIn()).toEqual(['Leo', 'Noor'])
  })
})
