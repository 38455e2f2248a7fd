/**
 * What changed since a cursor, by search: tickets, then contacts. Each run asks for what was modified since the last one began
 * and walks it by record id, so the search's limit of 10,000 rows is never met, and what changes meanwhile is found next time.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
 */
import { z } from 'zod'
import type { Page } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { callSdk, type Hubspot } from './client.ts'
import { casesOf, contactNames, peopleOf, ticketNames } from './read.ts'
import { WireFound, type WireObject } from './wire.ts'

const Cursor = z.object({
  /** Milliseconds since 1970. */
  since: z.number().int(),
  /** Where an unfinished run stands. */
  run: z
    .object({ startedAt: z.number().int(), type: z.enum(['tickets', 'contacts']), after: z.string() })
    .exactOptional(),
})
type Cursor = z.output<typeof Cursor>

/** The search's index lags behind writes by seconds; what is read twice is known by its facts. */
const overlapMs = 5 * 60_000
const perPage = 200

export async function* since(ctx: Hubspot, stored: string | undefined): AsyncGenerator<Page> {
  const now = ctx.now().getTime()
  const cursor = stored === undefined ? { since: now - overlapMs } : readCursor(stored)
  const startedAt = cursor.run?.startedAt ?? now
  for (const type of ['tickets', 'contacts'] as const) {
    if (type === 'tickets' && cursor.run?.type === 'contacts') continue
    let after = cursor.run?.type === type ? cursor.run.after : '0'
    for (;;) {
      const { results, paging } = await search(ctx, type, cursor.since, after)
      after = results.at(-1)?.id ?? after
      const observations = await observe(ctx, type, results)
      const isLast = !paging?.next || results.length === 0
      const next: Cursor =
        isLast && type === 'contacts'
          ? { since: startedAt - overlapMs }
          : { since: cursor.since, run: { startedAt, type, after } }
      yield { observations, cursor: JSON.stringify(next) }
      if (isLast) break
    }
  }
}

function readCursor(text: string): Cursor {
  try {
    return Cursor.parse(JSON.parse(text))
  } catch (cause) {
    throw new ConnectorError('malformed', 'hubspot: the stored cursor cannot be read; start the reconciliation anew', {
      cause,
    })
  }
}

async function search(
  ctx: Hubspot,
  type: 'tickets' | 'contacts',
  sinceMs: number,
  after: string,
  limit = perPage,
): Promise<z.output<typeof WireFound>> {
  const [modified, names] =
    type === 'tickets'
      ? (['hs_lastmodifieddate', ticketNames(ctx.config)] as const)
      : (['lastmodifieddate', contactNames(ctx.config)] as const)
  try {
    return await callSdk(
      ctx,
      WireFound,
      ({ search: api, compare }) =>
        api.doSearch(type, {
          filterGroups: [
            {
              filters: [
                { propertyName: modified, operator: compare.Gte, value: String(sinceMs) },
                { propertyName: 'hs_object_id', operator: compare.Gt, value: after },
              ],
            },
          ],
          sorts: ['hs_object_id'],
          properties: [...names],
          limit,
        }),
      { budget: 'search', isRead: true },
    )
  } catch (error) {
    // An answer may be too long for the hub's door when properties hold long texts.
    if (!(error instanceof ConnectorError) || error.code !== 'malformed' || limit === 1) throw error
    return search(ctx, type, sinceMs, after, Math.ceil(limit / 4))
  }
}

async function observe(
  ctx: Hubspot,
  type: 'tickets' | 'contacts',
  found: readonly WireObject[],
): Promise<Observation[]> {
  const told = (updatedAt: string | undefined) => ({ occurredAt: updatedAt ?? ctx.now().toISOString(), byHub: false })
  if (type === 'tickets') {
    const cases = await casesOf(ctx, found)
    return cases.map((one) => ({ ...told(one.updatedAt), type: 'case', case: one }))
  }
  const people = await peopleOf(ctx, found)
  return people.map((one) => ({ ...told(one.updatedAt), type: 'person', person: one }))
}
