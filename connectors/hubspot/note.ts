/** Internal notes on a ticket. The last line names the hub and the key, by which a note is found again. */
import type { Receipt } from '#hub/connector/contract.ts'
import { associated, association, associationTypes } from './associations.ts'
import { callSdk, type Hubspot } from './client.ts'
import { utc } from './mapping.ts'
import { readObjects } from './read.ts'
import { WireObject } from './wire.ts'

interface Note {
  readonly ticketId: string
  readonly contactId?: string
  readonly html: string
  /** The colleague it stands under. */
  readonly ownerId?: string
  readonly fileIds?: readonly string[]
}

/** https://developers.hubspot.com/docs/api-reference/latest/crm/activities/notes */
export async function writeNote(ctx: Hubspot, note: Note, key: string): Promise<Receipt> {
  const written = await callSdk(ctx, WireObject, (sdk) =>
    sdk.basic.create('notes', {
      properties: {
        hs_timestamp: ctx.now().toISOString(),
        hs_note_body: signed(note.html, key),
        ...(note.ownerId ? { hubspot_owner_id: note.ownerId } : {}),
        ...(note.fileIds?.length ? { hs_attachment_ids: note.fileIds.join(';') } : {}),
      },
      associations: [
        association(sdk, note.ticketId, associationTypes.noteToTicket),
        ...(note.contactId ? [association(sdk, note.contactId, associationTypes.noteToContact)] : []),
      ],
    }),
  )
  return receiptOf(written)
}

/** Looks at the ticket's newest hundred notes. */
export async function findNote(ctx: Hubspot, ticketId: string, key: string): Promise<Receipt | undefined> {
  const ids = (await associated(ctx, 'tickets', 'notes', [ticketId])).get(ticketId) ?? []
  const newest = ids.toSorted((a, b) => b.length - a.length || (a < b ? 1 : -1)).slice(0, 100)
  const notes = await readObjects(ctx, 'notes', newest, ['hs_note_body'])
  const note = notes.find(({ properties }) => properties['hs_note_body']?.includes(key))
  return note && receiptOf(note)
}

function receiptOf(note: WireObject): Receipt {
  const updatedAt = utc(note.updatedAt)
  return { externalId: note.id, ...(updatedAt ? { updatedAt } : {}) }
}

export function signed(html: string, key: string): string {
  return `${html}<p>Deskweave ${key}</p>`
}
