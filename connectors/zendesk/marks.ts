/** How the hub's own writes are known again: Zendesk keeps a change's metadata in its audit, and shows it with the comment. */
import type { WireAudit } from './wire.ts'

type Metadata = WireAudit['metadata']

/** What the hub wrote, told by Zendesk in `metadata.custom` of the audit. */
export function mark(key: string) {
  return { deskweave: key }
}

/** For a change that is one of several requests: visibly ours, but not the whole effect. */
export function partMark(key: string) {
  return { deskweave_part: key }
}

export function markOf(metadata: Metadata): string | undefined {
  const key = metadata?.custom?.['deskweave']
  return typeof key === 'string' ? key : undefined
}

export function isMarked(metadata: Metadata): boolean {
  return markOf(metadata) !== undefined || metadata?.custom?.['deskweave_part'] !== undefined
}
