/** Messages and ratings whose case has not been seen yet wait here for it. */
import { sql } from 'kysely'
import type { CaseRef } from '#hub/cases/index.ts'
import { inserter } from '#hub/platform/db/bulk.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import type { Step } from './conclude.ts'
import type { PlacedFact } from './threading.ts'

const insertParked = inserter({
  table: 'parked_observations',
  columns: {
    connection_id: 'text',
    case_external_id: 'text',
    inbox_seq: 'bigint',
    observation: 'jsonb',
    parked_at: 'timestamptz',
  },
})

export async function park(trx: Trx, steps: readonly Step[], now: Date): Promise<void> {
  const rows = steps.flatMap(({ connectionId, row, fact }) =>
    'caseId' in fact
      ? [
          {
            connection_id: connectionId,
            case_external_id: fact.caseId,
            inbox_seq: row.seq,
            observation: fact,
            parked_at: now,
          },
        ]
      : [],
  )
  await insertParked(trx, rows)
}

/** What waited for these cases, oldest first; it waits no longer. */
export async function takeParked(trx: Trx, cases: readonly CaseRef[]): Promise<readonly Step[]> {
  if (cases.length === 0) return []
  const taken = await sql<{ seq: number; connection_id: string; inbox_seq: number; observation: PlacedFact }>`
    delete from parked_observations
    where (connection_id, case_external_id) in (
      select * from unnest(${cases.map((one) => one.connectionId)}::text[], ${cases.map((one) => one.externalId)}::text[])
    )
    returning seq, connection_id, inbox_seq, observation
  `.execute(trx)
  return taken.rows
    .toSorted((a, b) => a.seq - b.seq)
    .map((row) => ({
      row: { seq: row.inbox_seq, source: 'webhook' },
      connectionId: row.connection_id,
      fact: row.observation,
    }))
}
