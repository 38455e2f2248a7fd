/** Figures about the hub's own work. */
import { z } from 'zod'
import { route } from '../route.ts'
import { lostEvents } from '../store/ledgers.ts'
import { Time, time } from '../wire.ts'

const LostEvents = z
  .strictObject({
    since: Time,
    data: z.array(
      z.strictObject({
        connection_id: z.string(),
        name: z.string(),
        received: z.int().meta({ description: 'By webhook, each once.' }),
        duplicates: z.int().meta({ description: 'Webhooks sent again.' }),
        quarantined: z.int(),
        repaired: z.int().meta({ description: 'Changes that no webhook had told, found by reading the vendor.' }),
        lost_share: z.number().min(0).max(1).nullable().meta({
          description: '`repaired` of `received` and `repaired` together; null when there was neither.',
        }),
      }),
    ),
  })
  .meta({ id: 'LostEvents' })

const dayMs = 86_400_000

export const insightRoutes = [
  route({
    id: 'getLostEvents',
    method: 'GET',
    path: '/insights/lost-events',
    summary: 'The lost-event meter: what webhooks missed, by connection',
    tag: 'insights',
    query: z.strictObject({ days: z.coerce.number<string>().int().min(1).max(30).default(30) }),
    response: LostEvents,
    async handler(hub, { query }) {
      const since = new Date(hub.now().getTime() - query.days * dayMs)
      const rows = await lostEvents(hub.db, since)
      return {
        since: time(since),
        data: rows.map(({ id, received, repaired, ...row }) => ({
          connection_id: id,
          ...row,
          received,
          repaired,
          lost_share: received + repaired === 0 ? null : repaired / (received + repaired),
        })),
      }
    },
  }),
]
