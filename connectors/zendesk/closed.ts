/**
 * A closed ticket takes tags, subject and priority, and by the bulk update only.
 * https://developer.zendesk.com/api-reference/ticketing/ticket-management/tags/#tag-endpoint-limitations
 */
import { callSdk, type Zendesk } from './client.ts'
import { finished } from './merge.ts'
import { WireJobRead } from './wire.ts'

/** Repeating it changes nothing more. @throws ConnectorError rejected, or outcome_unknown while Zendesk is still at it */
export async function changeClosedTags(
  ctx: Zendesk,
  id: string,
  tags: { readonly additional_tags: readonly string[]; readonly remove_tags: readonly string[] },
): Promise<void> {
  const started = await callSdk(
    ctx,
    WireJobRead,
    (client) => client.tickets.put(['tickets', 'update_many', { ids: [id] }], { ticket: tags }),
    { budget: 'ticket_update' },
  )
  await finished(ctx, started.job_status, `zendesk tags of the closed ticket ${id}`)
}
