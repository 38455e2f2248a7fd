/** A connection as people see it. */
import type { ConnectionStatus } from '#hub/platform/db/schema.ts'
import type { ConnectionRow } from './store.ts'

/** What anybody may see. */
export interface ConnectionView {
  readonly id: string
  readonly connector: string
  readonly name: string
  readonly status: ConnectionStatus
  readonly statusReason: string | null
  readonly account: string | null
  /** Settings without their secrets. */
  readonly config: Readonly<Record<string, unknown>>
  readonly webhookUrl: string
  readonly lastInboundAt: Date | null
  readonly lastReconciledAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

export function webhookUrl(baseUrl: string, id: string): string {
  return `${baseUrl}/hooks/${id}`
}

export function toView(row: ConnectionRow, baseUrl: string): ConnectionView {
  return {
    id: row.id,
    connector: row.connector,
    name: row.name,
    status: row.status,
    statusReason: row.status_reason,
    account: row.account,
    config: row.config,
    webhookUrl: webhookUrl(baseUrl, row.id),
    lastInboundAt: row.last_inbound_at,
    lastReconciledAt: row.last_reconciled_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
