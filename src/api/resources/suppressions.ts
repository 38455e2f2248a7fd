/** Addresses that mail came back from: nothing is sent there by itself. */
import { z } from 'zod'
import { normaliseEmail } from '#hub/identity/index.ts'
import { lift } from '#hub/outbox/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import { listOf, pageOf, timeKey, toPage } from '../paging.ts'
import { notFound } from '../problem.ts'
import { route } from '../route.ts'
import { listSuppressions } from '../store/suppressions.ts'
import { Time, time } from '../wire.ts'

const tag = 'suppressions'
const Address = z.string().min(1).max(320)

const Suppression = z
  .strictObject({
    address: z.string(),
    reason: z.string().meta({ description: 'What the server on the other side said.' }),
    connection_id: z.string().meta({ description: 'Whose mail came back.' }),
    case_id: z.string().nullable(),
    suppressed_at: Time,
  })
  .meta({ id: 'Suppression' })

export const suppressionRoutes = [
  route({
    id: 'listSuppressions',
    method: 'GET',
    path: '/suppressions',
    summary: 'Addresses that mail came back from, newest first: nothing is sent there until mail comes from there',
    tag,
    query: z.strictObject({ ...pageOf(timeKey), address: Address.optional() }),
    response: listOf(Suppression),
    async handler(hub, { query: { limit, cursor, address } }) {
      const wanted = address === undefined ? undefined : (normaliseEmail(address) ?? address)
      const rows = await listSuppressions(hub.db, { limit, after: cursor, address: wanted })
      return toPage(
        rows,
        limit,
        (row) => [row.suppressed_us, row.address],
        ({ address, reason, connection_id, case_id, suppressed_at }) => ({
          address,
          reason,
          connection_id,
          case_id,
          suppressed_at: time(suppressed_at),
        }),
      )
    },
  }),
  route({
    id: 'liftSuppression',
    method: 'DELETE',
    path: '/suppressions/{address}',
    summary: 'Send to this address again; what came back from it before counts no more',
    tag,
    params: z.strictObject({ address: Address }),
    async handler(hub, { params, actor }) {
      const address = normaliseEmail(params.address)
      if (address === undefined) throw notFound()
      await hub.db.transaction().execute(async (trx) => {
        if ((await lift(trx, [address])).length === 0) throw notFound()
        await audit(trx, actor, 'suppression.lifted', address)
      })
    },
  }),
]
