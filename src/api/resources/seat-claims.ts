/** People in chat tools who say that they are an agent: an administrator decides. */
import { z } from 'zod'
import { type Account, type Claim, claimPage, confirmClaim, dismissClaim } from '#hub/agents/index.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import { listOf, pageOf, toPage } from '../paging.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { Id, MaybeTime, maybeTime } from '../wire.ts'
import { AgentShape, toAgent } from './agents.ts'

const tag = 'agents'

const ClaimShape = z
  .strictObject({
    id: z.string().meta({ description: '`<connection id>:<their id>`' }),
    connection_id: z.string(),
    external_id: z.string(),
    name: z.string().nullable().meta({ description: 'As the chat tool shows them.' }),
    vouched_email: z.string().nullable().meta({ description: 'The address that the chat tool vouches for.' }),
    claimed_email: z.string().meta({ description: 'The address that they typed.' }),
    asked_at: MaybeTime,
  })
  .meta({ id: 'SeatClaim' })

const byAccount = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(700)
    .transform((text): Account => {
      const [connectionId = '', ...externalId] = text.split(':')
      return { connectionId, externalId: externalId.join(':') }
    }),
})

function toClaim({ connectionId, externalId, person, email, askedAt }: Claim): z.input<typeof ClaimShape> {
  return {
    id: `${connectionId}:${externalId}`,
    connection_id: connectionId,
    external_id: externalId,
    name: person.name ?? null,
    vouched_email: person.email ?? null,
    claimed_email: email,
    asked_at: maybeTime(askedAt),
  }
}

export const seatClaimRoutes = [
  route({
    id: 'listSeatClaims',
    method: 'GET',
    path: '/seat-claims',
    summary: 'Who says they are an agent and waits for an administrator',
    tag,
    query: z.strictObject(pageOf(z.tuple([z.string().max(100), z.string().max(500)]))),
    response: listOf(ClaimShape),
    async handler(hub, { query: { limit, cursor } }) {
      const after = cursor && { connectionId: cursor[0], externalId: cursor[1] }
      const rows = await claimPage(hub.db, limit + 1, after)
      return toPage(rows, limit, ({ connectionId, externalId }) => [connectionId, externalId], toClaim)
    },
  }),
  route({
    id: 'confirmSeatClaim',
    method: 'POST',
    path: '/seat-claims/{id}/confirm',
    summary: 'It is true: their account is that of the agent with the claimed address, or of the one named',
    tag,
    params: byAccount,
    body: z.strictObject({ agent_id: Id.optional() }),
    response: AgentShape,
    async handler(hub, { params, body, actor }) {
      const confirmed = await inWorkspace(hub.db, async (trx) => {
        const agent = await confirmClaim(trx, params.id, body.agent_id, hub.now())
        if (!agent) throw notFound()
        if (agent === 'no_agent') {
          const detail =
            'no active agent has this address, or they are no member any more; make the agent, or name one with agent_id'
          throw new Problem('conflict', detail, { field: 'agent_id' })
        }
        const { connectionId, externalId } = params.id
        await audit(trx, actor, 'seat_claim.confirmed', agent.id, {
          connection_id: connectionId,
          external_id: externalId,
        })
        return await toAgent(trx, agent)
      })
      hub.signals.raise('outbox')
      return confirmed
    },
  }),
  route({
    id: 'dismissSeatClaim',
    method: 'POST',
    path: '/seat-claims/{id}/dismiss',
    summary: 'It is not true: they are not asked again',
    tag,
    params: byAccount,
    async handler(hub, { params, actor }) {
      await inWorkspace(hub.db, async (trx) => {
        if (!(await dismissClaim(trx, params.id, hub.now()))) throw notFound()
        await audit(trx, actor, 'seat_claim.dismissed', `${params.id.connectionId}:${params.id.externalId}`)
      })
      hub.signals.raise('outbox')
    },
  }),
]
