/**
 * What a vendor confirmed becomes the link's base, so that the echo of our write is empty; a message gets its vendor's id;
 * a case that we opened gets its link.
 */
import { sql } from 'kysely'
import type { CaseChange, Receipt } from '#hub/connector/contract.ts'
import type { Action } from '#hub/outbox/action.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { json } from '#hub/platform/db/database.ts'
import type { Dated } from '#hub/platform/db/schema.ts'
import { tagSet } from './fields.ts'
import { packFields, unpackFields } from './packed.ts'

export interface Delivered {
  readonly key: string
  readonly connectionId: string
  readonly action: Action
  readonly receipt: Receipt
}

/** Called under the workspace's lock, in the transaction that settles the deliveries. */
export async function applyReceipts(trx: Db, delivered: readonly Delivered[], now: Date): Promise<void> {
  for (const one of delivered) {
    if (one.action.type === 'case.update') await applyUpdate(trx, one, one.action.externalId, one.action.change, now)
    if (one.action.type === 'case.message') await applyMessage(trx, one, one.action.externalId)
    if (one.action.type === 'case.create') await applyCreate(trx, one, one.action.caseId, now)
  }
}

async function applyUpdate(
  trx: Db,
  { connectionId, receipt }: Delivered,
  externalId: string,
  change: CaseChange,
  now: Date,
) {
  const link = await trx
    .selectFrom('case_links')
    .select(['base', 'version'])
    .where('connection_id', '=', connectionId)
    .where('external_id', '=', externalId)
    .executeTakeFirst()
  if (!link) return
  const base = unpackFields(link.base)
  const at = receipt.updatedAt === undefined ? undefined : new Date(receipt.updatedAt).toISOString()
  const written = Object.fromEntries(
    Object.entries(valuesOf(change, base)).map(([field, value]) => [field, datedWrite(value, at, base[field], now)]),
  )
  await trx
    .updateTable('case_links')
    .set({ base: json(packFields({ ...base, ...written })), version: receipt.version ?? link.version })
    .where('connection_id', '=', connectionId)
    .where('external_id', '=', externalId)
    .execute()
}

/** Only the vendor's own clock may date its state: ours would make its next change look old. */
function datedWrite(value: unknown, at: string | undefined, before: Dated | undefined, now: Date): Dated {
  const written = { value, writtenAt: now.toISOString() }
  return at === undefined
    ? { ...written, at: before?.at ?? new Date(0).toISOString(), undated: true }
    : { ...written, at }
}

function valuesOf(
  change: CaseChange,
  base: Readonly<Record<string, { readonly value: unknown }>>,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  if (change.status !== undefined) values['status'] = change.status
  if (change.priority !== undefined) values['priority'] = change.priority
  if (change.subject !== undefined) values['subject'] = change.subject
  if (change.team !== undefined) values['team'] = change.team
  if (change.assigneeEmail !== undefined)
    values['assignee'] = change.assigneeEmail === null ? null : { email: change.assigneeEmail }
  for (const [name, value] of Object.entries(change.custom ?? {})) values[`custom.${name}`] = value
  if (change.addTags || change.removeTags) {
    const tags = new Set([...((base['tags']?.value ?? []) as readonly string[]), ...(change.addTags ?? [])])
    for (const tag of change.removeTags ?? []) tags.delete(tag)
    values['tags'] = tagSet([...tags])
  }
  return values
}

/** The echo may have come before the receipt; then the message is there already, and ours steps aside for it. */
async function applyMessage(trx: Db, { key, connectionId, receipt }: Delivered, caseExternalId: string | null) {
  if (receipt.externalId !== undefined) {
    await sql`
      with echo as (
        select id from messages where connection_id = ${connectionId} and external_id = ${receipt.externalId}
          and delivery_key is distinct from ${key}
      ), gone as (
        delete from messages where delivery_key = ${key} and exists (select from echo)
      )
      update messages set external_id = ${receipt.externalId}
      where delivery_key = ${key} and external_id is null and not exists (select from echo)
    `.execute(trx)
  }
  if (receipt.version !== undefined && caseExternalId !== null) {
    await trx
      .updateTable('case_links')
      .set({ version: receipt.version })
      .where('connection_id', '=', connectionId)
      .where('external_id', '=', caseExternalId)
      .execute()
  }
}

async function applyCreate(trx: Db, { connectionId, receipt }: Delivered, caseId: string, now: Date) {
  if (receipt.externalId === undefined) return
  await trx
    .insertInto('case_links')
    .values({
      connection_id: connectionId,
      external_id: receipt.externalId,
      case_id: caseId,
      base: json([]),
      version: receipt.version ?? null,
      url: receipt.url ?? null,
      created_at: now,
      // Older than any news: what the vendor tells of it counts.
      updated_at: new Date(0),
    })
    .onConflict((oc) => oc.doNothing())
    .execute()
}
