/** Notes that were changed or taken back. What was sent in a conversation cannot be. */
import type { Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { bylineIn } from './author.ts'
import { callSdk, type Hubspot } from './client.ts'
import { htmlOf, utc } from './mapping.ts'
import { signed } from './note.ts'
import { readObjects } from './read.ts'
import { WireAnything, WireObject } from './wire.ts'

/** @param text absent: the note is deleted; HubSpot keeps it in its recycling bin for a while. */
export async function revise(
  ctx: Hubspot,
  _ticketId: string,
  noteId: string,
  text: string | undefined,
  key: string,
): Promise<Receipt> {
  if (!/^\d+$/.test(noteId)) {
    throw new ConnectorError('not_found', `hubspot note "${noteId.slice(0, 40)}": a note's id has digits only`)
  }
  if (text === undefined) return await remove(ctx, noteId)
  const [note] = await readObjects(ctx, 'notes', [noteId], ['hs_note_body'])
  if (!note) throw new ConnectorError('not_found', `hubspot note ${noteId} does not exist (any more)`)
  const html = `${bylineIn(note.properties['hs_note_body'] ?? '')}${htmlOf(text)}`
  const properties = { hs_note_body: signed(html, key) }
  const written = await callSdk(ctx, WireObject, ({ basic }) => basic.update('notes', noteId, { properties }))
  const updatedAt = utc(written.updatedAt)
  return { externalId: noteId, ...(updatedAt ? { updatedAt } : {}) }
}

async function remove(ctx: Hubspot, noteId: string): Promise<Receipt> {
  try {
    await callSdk(ctx, WireAnything, ({ basic }) => basic.archive('notes', noteId))
  } catch (error) {
    // Gone already: by an earlier attempt, or by somebody there.
    if (!(error instanceof ConnectorError && error.code === 'not_found')) throw error
  }
  return { externalId: noteId }
}
