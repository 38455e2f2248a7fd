/** A desk's day in the test database: what the desk told, worked as the hub works it. */
import { createInbox } from '#hub/inbox/index.ts'
import { workInbox } from '#hub/pipeline/index.ts'
import type { TestApi } from './server.ts'

const at = '2026-11-22T09:00:00Z'

export interface Seeded {
  readonly connectionId: string
  readonly webhookSecret: string
}

export async function connectDesk(api: TestApi, name = 'Desk', config: object = {}): Promise<Seeded> {
  const { status, body } = await api.ask('POST', '/connections', { connector: 'desk', name, config })
  if (status !== 201) throw new Error(`the desk was not connected: ${JSON.stringify(body)}`)
  const { id, webhook } = body as { id: string; webhook: { secret: string } }
  return { connectionId: id, webhookSecret: webhook.secret }
}

/** Things in the hub's own event format, each a row of its own. */
export async function tell(api: TestApi, connectionId: string, things: readonly object[]): Promise<void> {
  const inbox = createInbox(api.hub.intake, () => {})
  await inbox.put(
    things.map((thing) => ({
      connectionId,
      key: JSON.stringify(thing),
      body: Buffer.from(JSON.stringify(thing)),
      source: 'webhook' as const,
      state: 'pending' as const,
    })),
  )
  await workInbox(api.hub, api.hub.rules, AbortSignal.timeout(10_000))
}

export function caseOf(id: string, more: object = {}, occurredAt = at): object {
  return {
    type: 'case',
    occurred_at: occurredAt,
    case: { id, subject: `Case ${id}`, status: 'open', priority: 'normal', tags: [], updated_at: occurredAt, ...more },
  }
}

export function messageOf(id: string, caseId: string, text: string, more: object = {}): object {
  return {
    type: 'message',
    occurred_at: at,
    message: {
      id,
      case_id: caseId,
      visibility: 'public',
      author: { kind: 'customer', id: 'U-1' },
      text,
      sent_at: at,
      ...more,
    },
  }
}

export const ana = {
  id: 'U-1',
  name: 'Ana García',
  emails: ['ana@acme.example'],
  phones: ['+34600111222'],
  company: { id: 'C-1', name: 'Acme', domain: 'acme.example' },
  locale: 'es-ES',
  traits: { plan: 'pro' },
}
export const leo = { id: 'U-2', name: 'Leo Marín', emails: ['leo@other.example'] }
