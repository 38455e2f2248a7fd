/** Who works on cases, their accounts in chat tools, and who says they are one. */
import { z } from 'zod'
import {
  type Agent,
  AgentChange,
  accountsOf,
  agentById,
  agentPage,
  changeAgent,
  createAgent,
  type LinkedAccount,
  linkAccount,
  unlinkAccount,
  WrittenAgent,
} from '#hub/agents/index.ts'
import { chatLanguages } from '#hub/connector/chat.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { agentRoles } from '#hub/platform/db/schema.ts'
import { listOf, pageOf, toPage } from '../paging.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { byId, Id, Time, time } from '../wire.ts'

const tag = 'agents'
const ExternalId = z.string().min(1).max(500)

const Account = z.strictObject({
  connection_id: z.string(),
  external_id: z.string(),
  proof: z
    .enum(['email', 'admin'])
    .meta({ description: '`email`: the vendor vouches for the address. `admin`: an administrator said so.' }),
  created_at: Time,
})
export const AgentShape = z
  .strictObject({
    id: z.string(),
    email: z.string().meta({ description: 'What chat tools and desks know them by.' }),
    name: z.string(),
    role: z.enum(agentRoles).meta({ description: 'A viewer changes nothing.' }),
    language: z.enum(chatLanguages).nullable(),
    quiet_hours: z.strictObject({ from: z.string(), to: z.string(), time_zone: z.string() }).nullable(),
    active: z.boolean(),
    accounts: z.array(Account),
  })
  .meta({ id: 'Agent' })

export async function toAgents(db: Db, agents: readonly Agent[]): Promise<z.input<typeof AgentShape>[]> {
  const ids = agents.map(({ id }) => id)
  const accounts = Map.groupBy(await accountsOf(db, ids), ({ agentId }) => agentId)
  return agents.map(({ id, email, name, role, language, quietHours, active }) => ({
    ...{ id, email, name, role, language, active },
    quiet_hours: quietHours && { from: quietHours.from, to: quietHours.to, time_zone: quietHours.time_zone },
    accounts: (accounts.get(id) ?? []).map(toAccount),
  }))
}

function toAccount({ connectionId, externalId, proof, createdAt }: LinkedAccount): z.input<typeof Account> {
  return { connection_id: connectionId, external_id: externalId, proof, created_at: time(createdAt) }
}

export async function toAgent(db: Db, agent: Agent): Promise<z.input<typeof AgentShape>> {
  const [one] = await toAgents(db, [agent])
  if (!one) throw new Error('one agent became none, which must not happen')
  return one
}

function taken(email: string): Problem {
  return new Problem('conflict', `email: another agent has the address ${email}`, { field: 'email' })
}

async function existing(db: Db, id: string): Promise<Agent> {
  const agent = await agentById(db, id)
  if (!agent) throw notFound()
  return agent
}

export const agentRoutes = [
  route({
    id: 'listAgents',
    method: 'GET',
    path: '/agents',
    summary: 'Who works on cases, by address; also those who have left',
    tag,
    query: z.strictObject(pageOf(z.tuple([z.string().max(320)]))),
    response: listOf(AgentShape),
    async handler(hub, { query: { limit, cursor } }) {
      const { data, next } = toPage(
        await agentPage(hub.db, limit + 1, cursor?.[0]),
        limit,
        ({ email }) => [email],
        (agent) => agent,
      )
      return { data: await toAgents(hub.db, data), next }
    },
  }),
  route({
    id: 'createAgent',
    method: 'POST',
    path: '/agents',
    summary: 'Somebody new',
    tag,
    status: 201,
    body: WrittenAgent,
    response: AgentShape,
    async handler(hub, { body, actor }) {
      return await inWorkspace(hub.db, async (trx) => {
        const agent = await createAgent(trx, body, hub.now())
        if (agent === 'taken') throw taken(body.email)
        await audit(trx, actor, 'agent.created', agent.id, { role: agent.role })
        return await toAgent(trx, agent)
      })
    },
  }),
  route({
    id: 'getAgent',
    method: 'GET',
    path: '/agents/{id}',
    summary: 'One agent',
    tag,
    params: byId,
    response: AgentShape,
    handler: async (hub, { params }) => toAgent(hub.db, await existing(hub.db, params.id)),
  }),
  route({
    id: 'updateAgent',
    method: 'PATCH',
    path: '/agents/{id}',
    summary: 'Change an agent; with `active: false` they can do nothing from now on',
    tag,
    params: byId,
    body: AgentChange,
    response: AgentShape,
    problems: ['conflict'],
    async handler(hub, { params, body, actor }) {
      return await inWorkspace(hub.db, async (trx) => {
        const agent = await changeAgent(trx, params.id, body, hub.now())
        if (!agent) throw notFound()
        if (agent === 'taken') throw taken(body.email ?? '')
        await audit(trx, actor, 'agent.changed', agent.id, { fields: Object.keys(body) })
        return await toAgent(trx, agent)
      })
    },
  }),
  route({
    id: 'deactivateAgent',
    method: 'DELETE',
    path: '/agents/{id}',
    summary: 'They have left: they can do nothing from now on, and what they did keeps their name',
    tag,
    params: byId,
    async handler(hub, { params, actor }) {
      await inWorkspace(hub.db, async (trx) => {
        if (!(await changeAgent(trx, params.id, { active: false }, hub.now()))) throw notFound()
        await audit(trx, actor, 'agent.deactivated', params.id)
      })
    },
  }),
  route({
    id: 'linkAgentAccount',
    method: 'POST',
    path: '/agents/{id}/accounts',
    summary: 'Say which account of a chat tool or desk is theirs; a link to somebody else ends',
    tag,
    status: 201,
    params: byId,
    body: z.strictObject({ connection_id: Id, external_id: ExternalId }),
    response: AgentShape,
    async handler(hub, { params, body, actor }) {
      if (!hub.connections.all().some(({ id }) => id === body.connection_id)) {
        throw new Problem('invalid', `connection_id: there is no connection "${body.connection_id}"`, {
          field: 'connection_id',
        })
      }
      return await inWorkspace(hub.db, async (trx) => {
        const agent = await existing(trx, params.id)
        const account = { connectionId: body.connection_id, externalId: body.external_id }
        await linkAccount(trx, { ...account, agentId: agent.id, proof: 'admin' }, hub.now())
        await audit(trx, actor, 'agent.account_linked', agent.id, { ...body })
        return await toAgent(trx, agent)
      })
    },
  }),
  route({
    id: 'unlinkAgentAccount',
    method: 'DELETE',
    path: '/agents/{id}/accounts/{connection_id}/{external_id}',
    summary:
      'This account is not theirs; deactivate the agent to keep them out, as the vendor may vouch for them again',
    tag,
    params: z.strictObject({ id: Id, connection_id: Id, external_id: ExternalId }),
    async handler(hub, { params: { id, connection_id, external_id }, actor }) {
      await inWorkspace(hub.db, async (trx) => {
        const account = { connectionId: connection_id, externalId: external_id }
        if (!(await unlinkAccount(trx, id, account))) throw notFound()
        await audit(trx, actor, 'agent.account_unlinked', id, { connection_id, external_id })
      })
    },
  }),
]
