/** How far each folder is read. Pure: what a look at the folder means for what is still to be read. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'

const Reading = z.object({
  /** UIDs say nothing about the messages of another validity. A 32-bit number as text. */
  uidvalidity: z.string(),
  lastUid: z.number().int().min(0),
  /** Up to `upTo` only messages that arrived after `since` are read: the hub knows most of them already. */
  rescan: z.object({ since: z.iso.datetime(), upTo: z.number().int() }).optional(),
})
/** How far one folder is read. */
export type Reading = z.output<typeof Reading>

const Cursor = z.object({
  folders: z.record(z.string(), Reading),
  /** When it was seen that there is no folder for sent mail: one that is there later holds news. */
  noSentSince: z.iso.datetime().optional(),
  /** When the last reading of all folders began: what came since is news in a folder that the settings name only now. */
  readAt: z.iso.datetime().optional(),
})
export type Cursor = z.output<typeof Cursor>

/** What the server tells when a folder is opened. */
export interface Look {
  readonly uidvalidity: string
  /** The highest UID at that time, 0 in an empty folder. */
  readonly highestUid: number
}

/** A folder that was made anew is read back this far; what the hub has from it is known there by its Message-ID. */
const rescanDays = 30
const dayMs = 24 * 3_600_000

/** @throws ConnectorError malformed */
export function readCursor(stored: string | undefined): Cursor {
  if (stored === undefined) return { folders: {} }
  try {
    return Cursor.parse(JSON.parse(stored))
  } catch (cause) {
    throw new ConnectorError('malformed', 'mail: the stored cursor cannot be read; start the reconciliation anew', {
      cause,
    })
  }
}

/**
 * Where reading goes on.
 * @param before absent for a folder that is seen for the first time: it is read from now on, or from `newsSince` on.
 */
export function proceed(before: Reading | undefined, look: Look, now: Date, newsSince?: string): Reading {
  const { uidvalidity, highestUid } = look
  if (!before && newsSince === undefined) return { uidvalidity, lastUid: highestUid }
  // A folder restored from a backup gives UIDs a second time.
  const isSame = before?.uidvalidity === uidvalidity && highestUid >= before.lastUid
  if (before && isSame) return before
  const since = newsSince ?? new Date(now.getTime() - rescanDays * dayMs).toISOString()
  return { uidvalidity, lastUid: 0, rescan: { since, upTo: highestUid } }
}

/** The same reading with everything up to `uid` done. */
export function readUpTo(reading: Reading, uid: number): Reading {
  const { uidvalidity, rescan } = reading
  const lastUid = Math.max(reading.lastUid, uid)
  return { uidvalidity, lastUid, ...(rescan && rescan.upTo > lastUid ? { rescan } : {}) }
}

/** Between the server's clock and ours. */
const clockSkewMs = 3_600_000

/** Whether the search, which knows whole days only, found it rightly. */
export function isDue({ rescan }: Reading, message: { readonly uid: number; readonly receivedAt: Date }): boolean {
  if (!rescan || message.uid > rescan.upTo) return true
  return !(message.receivedAt.getTime() < Date.parse(rescan.since) - clockSkewMs)
}

export interface Search {
  readonly uid: string
  readonly since?: Date
}

/** What finds the messages that are still to be read. A server counts its days by its own clock, so one day more is asked for. */
export function searches({ lastUid, rescan }: Reading): readonly Search[] {
  const rest = { uid: `${Math.max(lastUid, rescan?.upTo ?? 0) + 1}:*` }
  if (!rescan) return [rest]
  return [{ uid: `${lastUid + 1}:${rescan.upTo}`, since: new Date(Date.parse(rescan.since) - dayMs) }, rest]
}
